"""Layerloom, the application: document, window and command line around the engine."""
