"""Names, folders, pipes and disks that refuse: a sentence each, and nothing made is lost."""

from __future__ import annotations

import errno
import functools
import io
import os
import random
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app import cli
from app.cli.arguments import build_parser
from app.cli.output import plan_outputs
from app.document.storage.atomic import Disk, backup_path
from app.document.storage.errors import cause_of
from app.document.storage.names import fitted, name_limit
from app.document.storage.ora.file import load_project, save_project
from tests.app.cli.child import scripted
from tests.app.document.examples import design

needs_posix = pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX")
LAYOUT = b'{"canvas": [128, 128], "boxes": [[32, 32, 96, 96]], "prompt": "a dog"}'
ERRNOS = [
    errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.EROFS, errno.ENOSPC, errno.EDQUOT,
    errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.EBUSY, errno.EIO, errno.EMFILE, errno.EFBIG,
    errno.ESTALE, errno.EINVAL,
]  # fmt: skip


engine = partial(scripted, "normal")


def no_engine(*_: Any, **__: Any) -> Any:
    raise AssertionError("the work began although OUT cannot be written")


def run(*arguments: object, factory: Any = engine) -> int:
    return cli.main([str(each) for each in arguments], engine_factory=factory)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "layout.json").write_bytes(LAYOUT)
    path = folder / "in.ora"
    assert run("generate", "--layout", folder / "layout.json", "--out", path, "--quiet") == 0
    return path


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    path = tmp_path / "layout.json"
    path.write_bytes(LAYOUT)
    return path


# ---- names ----


def random_name(rng: random.Random, size: int, suffix: str) -> str:
    """A name of exactly so many bytes, of letters of 1 to 4 bytes."""
    left = size - len(suffix)
    name = ""
    while left:
        char = rng.choice([each for each in "ab x_-é層🎈" if len(each.encode()) <= left])
        if char == " " and (not name or left == 1):
            continue
        name += char
        left -= len(char.encode())
    return name + suffix


@pytest.mark.parametrize("suffix", [".ora", ".png", ".zip", ".html", ""])
def test_names_of_any_length(
    suffix: str, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Written, written over with a backup, read again; or refused because of the length alone."""
    rng = random.Random(suffix)
    sizes = [214, 250, 255, 256]
    if suffix != ".html":  # its layers are traced each time
        sizes += [rng.randint(len(suffix) + 1, 300) for _ in range(3)]
    for number, size in enumerate(sizes):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / random_name(rng, size, suffix)
        assert len(os.fsencode(path.name)) == size
        if size > 255:
            assert run("export", project, "--out", path, "--quiet") == 2
            assert "the name is too long" in capsys.readouterr().err
            assert list(folder.iterdir()) == []
            continue
        assert run("export", project, "--out", path, "--quiet") == 0, capsys.readouterr().err
        if suffix:
            assert run("export", project, "--out", path, "--quiet") == 0, capsys.readouterr().err
        found = {each.name for each in folder.iterdir()}
        if suffix == ".ora":
            backup = backup_path(path)
            assert found == {path.name, backup.name}
            assert load_project(backup).is_project
            assert run("info", path) == run("verify", path) == 0
        else:
            assert found == {path.name}


def test_long_names_that_begin_alike_share_nothing(tmp_path: Path) -> None:
    contents = design().contents
    one, other = (tmp_path / ("層" * 82 + f"{n}.ora") for n in (1, 2))
    for path in (one, other, one, other):
        save_project(contents, path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {one.name, other.name, backup_path(one).name, backup_path(other).name}
    assert len(names) == 4
    assert backup_path(one).name.endswith(".ora~")


def test_a_damaged_file_with_a_long_name_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".ora")
    for _ in range(2):
        path.write_bytes(b"no zip")
        save_project(design().contents, path)
    names = sorted(each.name for each in tmp_path.iterdir() if each != path)
    assert [name.split(".")[-1] for name in names] == ["damaged", "damaged2"]
    assert (tmp_path / names[0]).read_bytes() == b"no zip"


def test_names_fit_whatever_is_added() -> None:
    folder = Path("/nowhere")
    assert name_limit(folder) == 255
    for seed in range(300):
        rng = random.Random(seed)
        name = random_name(rng, rng.randint(5, 255), rng.choice(["", ".ora", ".x", "." + "e" * 4]))
        ending = rng.choice(["~", ".damaged2", "-1", ".tmp" * 9])
        made = fitted(folder / name, ending, start=".")
        assert len(os.fsencode(made.name)) <= 255
        assert made.name.startswith(".") and made.name.endswith(ending)
        if len(os.fsencode(name)) + len(ending) < 255:
            assert made.name == f".{name}{ending}"


def test_too_long_names_to_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = tmp_path / ("n" * 300 + ".ora")
    out = tmp_path / "out.png"
    for arguments in commands_reading(long, out):
        assert run(*arguments) == 2, arguments
        assert "the name is too long" in capsys.readouterr().err
    for out in (tmp_path / ("n" * 300) / "a.png", tmp_path / "new" / ("n" * 300) / "a.png"):
        assert run("generate", "--layout", layout_in(tmp_path), "--out", out) == 2
        assert "the name is too long" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def layout_in(folder: Path) -> Path:
    path = folder / "layout.json"
    path.write_bytes(LAYOUT)
    return path


# ---- every error of the system, in every command ----


@dataclass
class Refusing:
    """Lets the calls of the system fail for everything in one folder."""

    folder: Path
    code: int

    def __call__(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def checked(path: Any, *arguments: Any, **options: Any) -> Any:
            if isinstance(path, str | os.PathLike):
                text = os.path.abspath(os.fspath(path))
                if text.startswith(str(self.folder) + os.sep):
                    raise OSError(self.code, os.strerror(self.code), text)
            return call(path, *arguments, **options)

        return checked


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, int, tuple[str, ...]], None]:
    def start(folder: Path, code: int, calls: tuple[str, ...]) -> None:
        wrap = Refusing(folder, code)
        for name in calls:
            monkeypatch.setattr(os, name, wrap(getattr(os, name)))
        monkeypatch.setattr(io, "open", wrap(io.open))
        monkeypatch.setattr("builtins.open", io.open)

    return start


LOOKING = ("stat", "lstat", "open", "mkdir", "listdir", "scandir", "replace", "unlink")
OPENING = ("open", "mkdir", "replace")


def commands_reading(path: Path, out: Path) -> list[list[object]]:
    return [
        ["info", path],
        ["verify", path],
        ["verify", path, "--regenerate"],
        ["export", path, "--out", out],
        ["regenerate", path, "--layer", "1", "--out", out],
        ["generate", "--prompt", "a dog", "--layout", path, "--out", out],
        [path],
    ]


@pytest.mark.parametrize("calls", [LOOKING, OPENING], ids=["looking", "opening"])
@pytest.mark.parametrize("code", ERRNOS, ids=errno.errorcode.get)
def test_an_input_that_the_system_refuses(
    code: int,
    calls: tuple[str, ...],
    project: Path,
    tmp_path: Path,
    refuse: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, out = tmp_path / "refused", tmp_path / "out.png"
    folder.mkdir()
    (folder / "in.ora").write_bytes(project.read_bytes())
    refuse(folder, code, calls)
    for arguments in commands_reading(folder / "in.ora", out):
        if len(arguments) == 1 and calls is OPENING:
            continue  # the window opens it and says so there
        assert run(*arguments, factory=no_engine) in (1, 2), arguments
        told = capsys.readouterr().err
        assert cause_of(OSError(code, os.strerror(code))) in told, (arguments, told)
        assert "in.ora" in told
        assert "went wrong" not in told and "Traceback" not in told
    assert not out.exists()


def commands_writing(project: Path, layout: Path, out: Path) -> list[list[object]]:
    return [
        ["export", project, "--out", out],
        ["regenerate", project, "--layer", "1", "--out", out],
        ["generate", "--prompt", "a dog", "--layout", layout, "--out", out],
        ["generate", "--prompt", "a dog", "--layout", layout, "--out", out, "--variations", "2"],
    ]


@pytest.mark.parametrize("calls", [LOOKING, OPENING], ids=["looking", "opening"])
@pytest.mark.parametrize("code", ERRNOS, ids=errno.errorcode.get)
def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    code: int,
    calls: tuple[str, ...],
    project: Path,
    layout: Path,
    tmp_path: Path,
    refuse: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "refused"
    folder.mkdir()
    refuse(folder, code, calls)
    for name in ("a.png", "a.ora", "a", "new/deep/a.psd", "a.html"):
        for arguments in commands_writing(project, layout, folder / name):
            assert run(*arguments, factory=no_engine) == 2, arguments
            told = capsys.readouterr().err
            assert cause_of(OSError(code, os.strerror(code))) in told, (arguments, told)
            assert "went wrong" not in told
    assert sorted(os.listdir(tmp_path)) == ["layout.json", "refused"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_real_folder_without_permission(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o500)
    assert run("export", project, "--out", folder / "a.png") == 2
    folder.chmod(0)
    assert run("info", folder / "a.ora") == 1
    assert capsys.readouterr().err.count("there is no permission") == 2


# ---- what was made is kept ----


def fail_in(folder: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing in this folder fails at the very end, as on a disk that fills up meanwhile."""
    sync = Disk.sync

    def failing(self: Disk, stream: Any) -> None:
        if str(stream.name).isdigit() and _is_in(int(stream.name), folder):
            raise OSError(code, os.strerror(code))
        sync(self, stream)

    monkeypatch.setattr(Disk, "sync", failing)


def _is_in(handle: int, folder: Path) -> bool:
    return os.readlink(f"/proc/self/fd/{handle}").startswith(f"{folder}{os.sep}")


@pytest.mark.skipif(sys.platform != "linux", reason="finds the name of an open file in /proc")
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO], ids=errno.errorcode.get)
@pytest.mark.parametrize(
    "name",
    [
        "a.png",
        "a.ora",
        "a.psd",
        "a.zip",
        "a",
        "a.html",
        pytest.param("層" * 60 + ".tif", id="long"),
    ],
)
def test_what_was_made_is_kept_where_it_can_be(
    name: str,
    code: int,
    project: Path,
    layout: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    full, here = tmp_path / "full", tmp_path / "here"
    full.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    fail_in(full, code, monkeypatch)
    out = full / "new" / name
    for number, arguments in enumerate(commands_writing(project, layout, out)[1:3], start=1):
        assert run(*arguments) == 1
        told = capsys.readouterr().err
        assert cause_of(OSError(code, "")) in told
        found = re.search(r"is kept, with all its layers, in '([^']+)'", told)
        assert found is not None, told
        kept = Path(found[1])
        assert kept.parent == here and len(list(here.iterdir())) == number
        contents = load_project(kept).contents
        assert [layer.has_pixels for layer in contents.layers][:2] == [True, True]
        assert contents.prompt
        assert f"layerloom export '{kept}' --out " in told
    assert list(full.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="finds the name of an open file in /proc")
def test_it_is_kept_at_home_if_the_folder_of_the_shell_is_full_too(
    layout: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    full, home = tmp_path / "full", tmp_path / "home"
    full.mkdir()
    home.mkdir()
    monkeypatch.chdir(full)
    monkeypatch.setenv("HOME", str(home))
    fail_in(full, errno.ENOSPC, monkeypatch)
    generate = ["generate", "--layout", layout, "--out", "a.png", "--quiet"]
    assert run(*generate) == 1
    assert load_project(home / "a kept.ora").contents.prompt == "a dog"
    assert f"in '{home / 'a kept.ora'}'" in capsys.readouterr().err
    fail_in(tmp_path, errno.ENOSPC, monkeypatch)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(full))
    assert run(*generate) == 1
    assert "could not be kept in" in capsys.readouterr().err
    assert list(full.iterdir()) == []


# ---- pipes and devices ----


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Callable[[bytes], Path]]:
    """A FIFO that gives these bytes once."""
    writers: list[threading.Thread] = []

    def make(data: bytes) -> Path:
        path = tmp_path / f"pipe{len(writers)}"
        os.mkfifo(path)
        writers.append(threading.Thread(target=path.write_bytes, args=(data,)))
        writers[-1].start()
        return path

    yield make
    for writer in writers:
        writer.join(10)
        assert not writer.is_alive()


@needs_posix
def test_a_fifo_is_read_once(
    pipe: Callable[[bytes], Path], project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = project.read_bytes()
    assert run("generate", "--layout", pipe(LAYOUT), "--out", tmp_path / "a.ora") == 0
    assert load_project(tmp_path / "a.ora").contents.prompt == "a dog"
    assert run("info", pipe(LAYOUT)) == 0
    assert "(32, 32, 96, 96)" in capsys.readouterr().out
    assert run("info", pipe(data)) == 0
    assert "Layer 1" in capsys.readouterr().out
    assert run("verify", pipe(data)) == 0
    assert run("verify", pipe(data), "--regenerate") == 0
    assert run("export", pipe(data), "--out", tmp_path / "b.png") == 0
    assert run("regenerate", pipe(data), "--layer", "1", "--out", tmp_path / "c.ora") == 0
    assert run("info", pipe(b"")) == 2
    assert run("info", pipe(data[:-30])) == 1
    told = capsys.readouterr().err
    assert "is damaged" in told and "went wrong" not in told


def test_a_dash_is_standard_input(
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def give(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    give(LAYOUT)
    assert run("generate", "--layout", "-", "--out", tmp_path / "a.ora") == 0
    assert load_project(tmp_path / "a.ora").contents.prompt == "a dog"
    give(project.read_bytes())
    assert run("info", "-") == 0
    assert "Layer 1" in capsys.readouterr().out
    give(b"{")
    assert run("generate", "--layout", "-", "--out", tmp_path / "b.ora") == 2
    assert capsys.readouterr().err.startswith("Standard input: The text is neither JSON")
    monkeypatch.setattr(sys, "stdin", None)
    assert run("info", "-") == 2
    assert "no standard input" in capsys.readouterr().err


@needs_posix
def test_pipes_of_the_shell(tmp_path: Path) -> None:
    """`cat … | layerloom info /dev/stdin` and `info <(…)`, as processes."""
    layout = layout_in(tmp_path)
    command = f'"{sys.executable}" -m app info'
    script = f'cat "{layout}" | {command} /dev/stdin && {command} <(cat "{layout}")'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("(32, 32, 96, 96)") == 2


@needs_posix
def test_a_device_or_pipe_is_never_replaced(
    layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "null.png").symlink_to(os.devnull)
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    outs = ["pipe.png", "null.png", os.devnull, "loop.png"]
    for out in outs:
        arguments = ["generate", "--layout", layout, "--out", tmp_path / out]
        assert run(*arguments, factory=no_engine) == 2, out
    told = capsys.readouterr().err
    assert told.count("a pipe or a device") == 3 and "links form a loop" in told
    assert not os.path.isfile(os.devnull) and (tmp_path / "null.png").is_symlink()


@pytest.mark.parametrize("out", ["-", ""])
def test_out_needs_a_name(
    out: str, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("export", project, "--out", out) == 2
    assert run("export", project, "--out", out, "--format", "folder") == 2
    assert list(tmp_path.iterdir()) == []


def test_folders_are_no_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in commands_reading(tmp_path, tmp_path / "a.png")[:-1]:
        assert run(*arguments, factory=no_engine) == 2
        assert "is a folder, not a file" in capsys.readouterr().err


# ---- folders that only a system touched ----


@pytest.mark.parametrize(
    "name", [".DS_Store", "Thumbs.db", "desktop.ini", "Desktop.ini", "ehthumbs.db", "._a", "Icon\r",
             ".directory", ".Trash-1000", "lost+found"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["folder", "html"])
def test_files_of_a_system_leave_a_folder_empty(
    name: str, key: str, project: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_bytes(b"system")
    assert run("export", project, "--out", out, "--format", key, "--quiet") == 0
    assert (out / name).read_bytes() == b"system"
    assert (out / ("index.html" if key == "html" else "manifest.json")).exists()


@pytest.mark.parametrize("name", [".hidden", "a.png", "thumbs", "DS_Store", ".gitignore"])
def test_other_files_do_not(
    name: str, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".DS_Store").touch()
    (out / name).write_bytes(b"mine")
    assert run("export", project, "--out", out) == 2
    assert f"is not empty: '{name}'." in capsys.readouterr().err
    assert {each.name for each in out.iterdir()} == {".DS_Store", name}


# ---- arguments ----


def test_only_colours_are_colours() -> None:
    parser = build_parser()

    def takes(text: str) -> bool:
        try:
            parsed = parser.parse_args(["export", "a.ora", "--out", "a.png", f"--over={text}"])
        except SystemExit:
            return False
        value = int(text.removeprefix("#"), 16)
        assert parsed.over == (value >> 16, value >> 8 & 255, value & 255)
        return True

    for text in ("#FF8800", "ff8800", "#000000", "#abCDef"):
        assert takes(text)
    for text in ("0x1234", "#+12345", "+12345", "-12345", "1_2345", "#1_234", " 12345", "12345 ",
                 "##12345", "#12345", "#1234567", "٣٣٣٣٣٣",
                 "１２３４５６", "#fff", "", "#"):  # fmt: skip
        assert not takes(text), text
    rng = random.Random(3)
    for _ in range(400):
        text = "".join(rng.choice("#0aFgx+_ -٣") for _ in range(rng.randint(5, 8)))
        assert takes(text) is bool(re.fullmatch("#?[0-9A-Fa-f]{6}", text)), text


@pytest.mark.parametrize(
    "option", ["--seed=1_000", "--seed=+5", "--seed= 5", "--seed=٣", "--steps=1_0",
               "--size=5_12x512",
               "--size=512x512x512", "--size=+512x512", "--guidance=1_0", "--guidance=٣",
               "--guidance=inf", "--guidance=1e400", "--guidance="],
)  # fmt: skip
def test_only_numbers_are_numbers(option: str, tmp_path: Path) -> None:
    """Python takes more for a number than people write."""
    out = ["generate", "--layout", layout_in(tmp_path), "--out", tmp_path / "a.png"]
    assert run(*out, option, factory=no_engine) == 2


def test_bytes_that_are_not_utf8_are_no_crash(
    layout: Path, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the shell hands them on: in the prompt, in names of files and of layers."""
    rng = random.Random(4)
    for number in range(5):
        data = bytes(rng.randrange(1, 256) for _ in range(rng.randint(1, 12)))
        text = os.fsdecode(b"a dog " + data)
        out = tmp_path / f"{number}.ora"
        assert run("generate", "--layout", layout, f"--prompt={text}", "--out", out) == 0
        told = capsys.readouterr().err
        try:
            data.decode()
        except UnicodeDecodeError:
            assert "bytes that are not UTF-8" in told
        assert load_project(out).contents.prompt == (b"a dog " + data).decode("utf-8", "replace")
        broken = tmp_path / os.fsdecode(
            b"\xff" + data.replace(b"/", b"").replace(b"\0", b"") + b".png"
        )
        assert run("export", project, "--out", broken, "--quiet") == 0
        assert run("regenerate", project, f"--layer={text}", "--out", tmp_path / "x.ora") == 2
        assert run("info", broken) == 0
        assert run("info", f"{broken}.none") == 2
        assert "went wrong" not in capsys.readouterr().err


def test_variations_check_their_own_names(tmp_path: Path) -> None:
    """`-1` is added to the name, which may make it too long."""
    from app.cli.source import ArgumentProblem

    path = tmp_path / ("n" * 251 + ".png")
    assert plan_outputs(path)
    with pytest.raises(ArgumentProblem, match="the name is too long"):
        plan_outputs(path, 2)
