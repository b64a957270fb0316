"""Free memory on each system; those that this test does not run on are played by hand."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import pytest

from app import free_memory
from app.free_memory import free_bytes


def test_this_system_says_how_much_is_free() -> None:
    """GE5: more than a megabyte, less than a petabyte; a wrong unit would be noticed."""
    free = free_bytes()
    assert free is not None
    assert 2**20 < free < 2**50


def test_linux_is_read_in_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """GE5: what programs could get, which is more than what is idle."""
    path = tmp_path / "meminfo"
    monkeypatch.setattr(free_memory, "_MEMINFO", str(path))
    monkeypatch.setattr("sys.platform", "linux")
    path.write_text("MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable: 2000 kB\n")
    assert free_bytes() == 2000 * 1024
    path.write_text("MemAvailable: plenty\n")
    assert free_bytes() is None
    path.unlink()
    assert free_bytes() is None


def test_windows_fills_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """GE5: the table is of the size that Windows asks for, and its free part is read."""

    class Kernel:
        result = 1

        def GlobalMemoryStatusEx(self, pointer: Any) -> int:
            assert pointer._obj.length == 64
            raw = ctypes.cast(pointer, ctypes.POINTER(ctypes.c_uint64))
            raw[1], raw[2] = 16 << 30, 3 << 30
            return self.result

    class Windll:
        kernel32 = Kernel()

    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr(ctypes, "windll", Windll, raising=False)
    assert free_bytes() == 3 << 30
    Kernel.result = 0
    assert free_bytes() is None


def test_macos_counts_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """GE5: free and inactive pages, in bytes; a refusal of the system leaves it open."""

    class Host:
        answer = 0

        def __call__(self) -> int:
            return 7

    class System:
        mach_host_self = Host()

        def host_statistics64(self, host: int, kind: int, table: Any, count: Any) -> int:
            assert (host, kind, count._obj.value) == (7, 4, len(table))
            table[0], table[1], table[2] = 100, 5000, 50
            return Host.answer

        def getpagesize(self) -> int:
            return 16384

    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: System())
    assert free_bytes() == 150 * 16384
    Host.answer = 5
    assert free_bytes() is None


def test_an_unknown_system_leaves_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """GE5: nobody is refused on a guess."""
    monkeypatch.setattr("sys.platform", "sunos5")
    assert free_bytes() is None
