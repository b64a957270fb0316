"""Atomic saving: every step fails once, and the old file is byte-identical each time."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from app.document.storage import atomic
from app.document.storage.atomic import (
    Disk,
    Stamp,
    atomic_write,
    backup_path,
    stamp_of,
    write_bytes,
)
from app.document.storage.errors import ChangedOnDiskError, StorageError
from app.document.storage.ora.file import load_project, save_project
from tests.app.document.examples import design, fill

OPERATIONS = [name for name in vars(Disk) if not name.startswith("_")]
ERRORS = [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO]


class TornStream:
    """A stream whose n-th write fails after half of its bytes."""

    def __init__(self, stream: BinaryIO, fail_at: int, code: int) -> None:
        self._stream = stream
        self._left = fail_at
        self._code = code

    def write(self, data: bytes) -> int:
        self._left -= 1
        if self._left == 0:
            self._stream.write(bytes(data)[: len(data) // 2])
            raise OSError(self._code, os.strerror(self._code))
        return self._stream.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> TornStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


class FailingDisk(Disk):
    """Fails on the n-th call of any operation; `calls` says what was asked."""

    def __init__(self, fail_at: int = 0, code: int = errno.ENOSPC) -> None:
        self.calls: list[str] = []
        self._fail_at = fail_at
        self._code = code

    def __getattribute__(self, name: str) -> Any:
        if name not in OPERATIONS:
            return object.__getattribute__(self, name)
        self.calls.append(name)
        if len(self.calls) == self._fail_at:

            def fail(*_: object) -> None:
                raise OSError(self._code, os.strerror(self._code))

            return fail
        return super().__getattribute__(name)


class TornDisk(Disk):
    """Writes fail, everything else works."""

    def __init__(self, fail_at: int, code: int) -> None:
        self._fail_at = fail_at
        self._code = code

    def create(self, path: Path, mode: int) -> BinaryIO:
        return TornStream(super().create(path, mode), self._fail_at, self._code)  # type: ignore[return-value]


def writer(data: bytes) -> Callable[[BinaryIO], None]:
    def write(stream: BinaryIO) -> None:
        stream.write(data)

    return write


def error_of(act: Callable[[], object]) -> StorageError | None:
    """What went wrong, or None."""
    try:
        act()
    except StorageError as error:
        return error
    return None


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_new_file_is_written(tmp_path: Path) -> None:
    stamp = write_bytes(tmp_path / "a.bin", b"new")
    assert files_in(tmp_path) == {"a.bin": b"new"}
    assert stamp == stamp_of(tmp_path / "a.bin")


def test_the_old_file_becomes_the_backup(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    atomic_write(path, writer(b"new"), is_complete=lambda _: True)
    assert files_in(tmp_path) == {"a.bin": b"new", "a.bin~": b"old"}


def test_a_damaged_old_file_never_goes_over_a_good_backup(tmp_path: Path) -> None:
    """4.3 (4)."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"damaged")
    backup_path(path).write_bytes(b"good")
    atomic_write(path, writer(b"new"), is_complete=lambda _: False)
    atomic_write(path, writer(b"newer"), is_complete=lambda _: False)
    assert files_in(tmp_path) == {
        "a.bin": b"newer",
        "a.bin~": b"good",
        "a.bin.damaged": b"damaged",
        "a.bin.damaged2": b"new",
    }


@pytest.mark.parametrize("code", ERRORS)
def test_every_failing_call_leaves_the_old_file(tmp_path: Path, code: int) -> None:
    """For all n the n-th call fails; the file is the old or the new one, never less."""
    path = tmp_path / "a.bin"
    reference = FailingDisk()
    path.write_bytes(b"old")
    atomic_write(path, writer(b"new"), is_complete=lambda _: True, disk=reference)
    asked = list(reference.calls)
    assert set(asked) >= {"create", "sync", "set_mode", "link", "replace", "sync_folder", "remove"}
    backup_path(path).unlink()
    for fail_at, name in enumerate(asked, start=1):
        path.write_bytes(b"old")
        disk = FailingDisk(fail_at, code)
        error = error_of(
            lambda disk=disk: atomic_write(
                path, writer(b"new"), is_complete=lambda _: True, disk=disk
            )
        )
        if error is not None:
            assert path.read_bytes() == b"old", name
            assert error.kept == "The old file is unchanged and your work is still open."
            assert "'a.bin' could not be saved: " in error.what
            assert files_in(tmp_path).keys() <= {"a.bin", "a.bin~"}, name
        else:
            # A link that fails is replaced by a copy; cleaning and folder come after the fact.
            assert name in ("link", "remove", "sync_folder"), name
            assert path.read_bytes() == b"new"
        for left in tmp_path.iterdir():
            left.unlink()


@pytest.mark.parametrize("operation", ["copy"])
def test_a_failing_copy_leaves_the_old_file(tmp_path: Path, operation: str) -> None:
    """Where no hard link is possible and the disk is full for a copy."""

    class NoLinks(Disk):
        def link(self, source: Path, target: Path) -> None:
            raise OSError(errno.EPERM, "no links")

        def copy(self, source: Path, target: Path) -> None:
            target.write_bytes(b"o")
            raise OSError(errno.ENOSPC, "full")

    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(StorageError, match="the disk is full"):
        atomic_write(path, writer(b"new"), is_complete=lambda _: True, disk=NoLinks())
    assert files_in(tmp_path) == {"a.bin": b"old"}


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "there is no permission"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EIO, "the disk reports an error"),
    ],
)
def test_every_torn_write_of_a_project_leaves_the_old_one(
    tmp_path: Path, code: int, cause: str
) -> None:
    """With real zip writing; the message names the cause."""
    path = tmp_path / "beach.ora"
    document = design()
    save_project(document.contents, path)
    old = path.read_bytes()
    fill(document, document.foregrounds[0].id, 99)
    fail_at = 0
    while True:
        fail_at += 3
        disk = TornDisk(fail_at, code)
        error = error_of(lambda disk=disk: save_project(document.contents, path, disk=disk))
        if error is None:
            break
        assert f"'beach.ora' could not be saved: {cause}" in str(error)
        assert files_in(tmp_path) == {"beach.ora": old}
    assert fail_at > 15
    assert path.read_bytes() != old
    assert load_project(path).messages == ()


def test_a_file_that_reads_back_wrong_is_not_put_in_place(tmp_path: Path) -> None:

    class FlippingDisk(Disk):
        def sync(self, stream: BinaryIO) -> None:
            stream.seek(400)
            byte = stream.read(1)
            stream.seek(400)
            stream.write(bytes([byte[0] ^ 0xFF]))
            super().sync(stream)

    path = tmp_path / "beach.ora"
    save_project(design().contents, path)
    old = path.read_bytes()
    with pytest.raises(StorageError, match="did not read back correctly"):
        save_project(design().contents, path, disk=FlippingDisk())
    assert files_in(tmp_path) == {"beach.ora": old}


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "beach.ora"
    stamp = save_project(design().contents, path)
    path.write_bytes(b"by somebody else")
    with pytest.raises(ChangedOnDiskError, match="changed by another program"):
        save_project(design().contents, path, expected=stamp)
    assert files_in(tmp_path) == {"beach.ora": b"by somebody else"}
    with pytest.raises(ChangedOnDiskError):
        save_project(design().contents, path, expected=Stamp(1, 1))


@pytest.mark.skipif(os.name != "posix", reason="links and modes of POSIX")
def test_links_are_followed_and_permissions_kept(tmp_path: Path) -> None:
    real = tmp_path / "real" / "a.bin"
    real.parent.mkdir()
    real.write_bytes(b"old")
    real.chmod(0o640)
    link = tmp_path / "link.bin"
    link.symlink_to(real)
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_folders_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"the folder or file does not exist\. Nothing was"):
        write_bytes(tmp_path / "none" / "a.bin", b"new")


def test_the_longest_name_can_be_saved(tmp_path: Path) -> None:
    """The temporary name must not be longer than the real one may be."""
    path = tmp_path / ("層" * 83 + ".ora")
    write_bytes(path, b"new")
    assert files_in(tmp_path) == {path.name: b"new"}


def test_an_interrupted_save_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def interrupted(stream: BinaryIO) -> None:
        stream.write(b"ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic_write(path, interrupted)
    assert files_in(tmp_path) == {"a.bin": b"old"}


@pytest.mark.parametrize("refusals", [2, 3])
def test_who_has_the_file_open_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    """On Windows a virus scanner looks at every new file, and nobody may replace it meanwhile."""
    path = tmp_path / "beach.ora"
    path.write_bytes(b"old")
    left, replace, waits = [refusals], os.replace, []

    def refused_at_first(source: Path, target: Path) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise PermissionError(errno.EACCES, "in use")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refused_at_first)
    monkeypatch.setattr(atomic, "_WAITS_S", (0.1, 0.2))
    monkeypatch.setattr(time, "sleep", waits.append)
    if refusals < 3:
        write_bytes(path, b"new")
    else:
        with pytest.raises(StorageError, match="there is no permission"):
            write_bytes(path, b"new")
    assert path.read_bytes() == (b"new" if refusals < 3 else b"old")
    assert waits == [0.1, 0.2]
