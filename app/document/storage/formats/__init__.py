"""Formats that go out to other programs; all of them show what the one compositor makes."""
