"""Temporary files that a killed save left: removed when certainly ours, and nothing else ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from app.document.storage import atomic
from app.document.storage.atomic import (
    beside,
    is_running,
    remove_leftovers,
    write_bytes,
    write_folder,
)

KILLED = """
import os, sys
from pathlib import Path
from app.document.storage.atomic import Disk, atomic_write
from app.document.storage.atomic import write_folder

class Killed(Disk):
    def replace(self, source, target):
        if Path(target) == Path(os.path.realpath(sys.argv[1])) or target.name.endswith("~"):
            os._exit(9)  # no clean-up of any kind
        super().replace(source, target)
"""
KILLED_IN_SAVE = (
    KILLED
    + """
atomic_write(Path(sys.argv[1]), lambda stream: stream.write(b"cut"), disk=Killed(),
             is_complete=lambda _: True)
"""
)
KILLED_IN_FOLDER = (
    KILLED
    + """
write_folder(Path(sys.argv[1]), [("a.png", b"a"), ("b.png", b"b")], disk=Killed())
"""
)


@pytest.fixture
def dead() -> int:
    """The id of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def leftover(path: Path, pid: int, *, suffix: str = "tmp", age_s: float = 3600.0) -> Path:
    """What a process would have left beside a file, written so long before this session."""
    mine = beside(path, suffix)
    made = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{pid}-"))
    made.write_bytes(b"half")
    aged(made, age_s)
    return made


def aged(path: Path, age_s: float) -> None:
    os.utime(path, times=(atomic._STARTED - age_s,) * 2)


def killed(script: str, path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == 9


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_killed_save_leaves_nothing_after_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "beach.ora"
    path.write_bytes(b"old")
    killed(KILLED_IN_SAVE, path)
    left = names(tmp_path) - {"beach.ora"}
    assert {name.rsplit(".", 1)[1] for name in left} == {"tmp", "old"}
    write_bytes(path, b"new")
    assert left < names(tmp_path)  # younger than this session: not touched
    for name in left:
        aged(tmp_path / name, 1)
    write_bytes(path, b"newer")
    assert names(tmp_path) == {"beach.ora"}
    assert path.read_bytes() == b"newer"


def test_a_killed_folder_export_leaves_nothing_after_the_next_one(tmp_path: Path) -> None:
    """The name is free until all is there; what the kill left goes with the next export."""
    path = tmp_path / "out"
    killed(KILLED_IN_FOLDER, path)
    [left] = tmp_path.iterdir()
    assert left.name.startswith(".out.") and names(left) == {"a.png", "b.png"}
    write_folder(path, [("c.png", b"c")])
    assert left.exists()  # younger than this session: not touched
    (path / "c.png").unlink()
    aged(left, 1)
    write_folder(path, [("c.png", b"c")])
    assert names(tmp_path) == {"out"} and names(path) == {"c.png"}


def test_a_folder_with_more_than_our_files_is_left_alone(tmp_path: Path, dead: int) -> None:
    """Somebody used it: a folder or a link is in it, or a file of today."""
    path = tmp_path / "out"
    path.mkdir()
    kept = []
    for number in range(3):
        mine = beside(path, "tmp")
        kept.append(mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{dead}-")))
        kept[-1].mkdir()
        (kept[-1] / "a.png").write_bytes(b"half")
        if number == 0:
            (kept[-1] / "more").mkdir()
        elif number == 1:
            (kept[-1] / "link").symlink_to(tmp_path)
        aged(kept[-1], 3600 if number < 2 else -3600)
    kept.append(leftover(path, dead))  # a file, beside a folder
    for _ in range(4):  # whatever the order in which they are found
        mine = beside(path, "tmp")
        gone = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{dead}-"))
        gone.mkdir()
        aged(gone, 3600)
    remove_leftovers(path)
    assert names(tmp_path) == {"out", *(each.name for each in kept)}
    assert all((each / "a.png").exists() for each in kept[:3])


def test_only_the_leftovers_of_this_file_go(tmp_path: Path, dead: int) -> None:
    path = tmp_path / "beach.ora"
    path.write_bytes(b"old")
    gone = [leftover(path, dead), leftover(path, dead, suffix="old")]
    folder = beside(path, "tmp")
    folder = folder.with_name(folder.name.replace(f"-{os.getpid()}-", f"-{dead}-"))
    folder.mkdir()
    aged(folder, 3600)
    kept = [
        folder,
        leftover(path, os.getpid()),  # a save of this process
        leftover(path, os.getppid()),  # a save of another living one
        leftover(path, dead, age_s=-3600),  # younger than this session
        leftover(tmp_path / "beach", dead),  # of another file
        leftover(tmp_path / "beach.ora.ora", dead),
        leftover(tmp_path / "x.beach.ora", dead),
    ]
    sample = gone[0].name
    for name in (
        sample.replace(".tmp", ".tmp2"),
        sample.replace(".tmp", ".TMP"),
        sample.replace(f"-{dead}-", f"-0{dead}-"),
        sample.replace(f"-{dead}-", "-"),
        sample.replace(f"{atomic._machine()}-", "0" * 8 + "-"),  # another machine's
        sample[1:],
        ".beach.ora.0123456789ab.tmp",
        ".beach.ora.tmp",
        "beach.ora~",
        "beach.ora.damaged",
    ):
        kept.append(tmp_path / name)
        kept[-1].write_bytes(b"somebody's")
        aged(kept[-1], 3600)
    (tmp_path / "target").write_bytes(b"somebody's")
    link = beside(path, "tmp")
    link = link.with_name(link.name.replace(f"-{os.getpid()}-", f"-{dead}-"))
    link.symlink_to(tmp_path / "target")
    remove_leftovers(path)
    assert not any(each.exists() for each in gone)
    assert names(tmp_path) == {"beach.ora", "target", link.name, *(each.name for each in kept)}


def test_the_leftovers_of_a_long_name_are_its_own(tmp_path: Path, dead: int) -> None:
    """Two long names may share their first part: the hash in a cut name tells them apart."""
    path, other = tmp_path / ("x" * 240), tmp_path / ("x" * 239 + "y")
    path.write_bytes(b"old")
    gone, kept = leftover(path, dead), leftover(other, dead)
    remove_leftovers(path)
    assert (gone.exists(), kept.exists()) == (False, True)


def test_a_link_to_the_file_leads_to_its_leftovers(tmp_path: Path, dead: int) -> None:
    (tmp_path / "there").mkdir()
    path = tmp_path / "there" / "beach.ora"
    path.write_bytes(b"old")
    left = leftover(path, dead)
    (tmp_path / "beach.ora").symlink_to(path)
    remove_leftovers(tmp_path / "beach.ora")
    assert not left.exists()


def test_a_disk_that_refuses_does_not_fail_the_save(tmp_path: Path, dead: int) -> None:
    path = tmp_path / "beach.ora"
    path.write_bytes(b"old")
    left = leftover(path, dead)

    def refuse(_: Path) -> None:
        raise PermissionError

    remove_leftovers(path, refuse)
    remove_leftovers(tmp_path / "none" / "beach.ora")
    assert left.exists() and path.read_bytes() == b"old"


def test_a_process_runs_until_it_has_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert is_running(child.pid) and is_running(os.getpid())
    child.communicate(b"\n")
    assert not is_running(child.pid)
    assert is_running(10**10)  # no such id can be asked about


@pytest.mark.parametrize("error", [psutil.AccessDenied(7), OSError("no"), OverflowError()])
def test_a_doubt_counts_as_alive(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(pid: int) -> bool:
        raise error

    monkeypatch.setattr(psutil, "pid_exists", fails)
    assert is_running(7)
