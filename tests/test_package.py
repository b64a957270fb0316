"""The package as others get it: the wheel, the shipped resources, the manners of `dev`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from engine.paths import resource_path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted(resource_path("examples").glob("*.json"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and unpacked as pip would do it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=300,
    )
    site = folder / "site"
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    return site


def start_from(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the unpacked wheel in front of everything else, far from the checkout.

    It writes no compiled modules: the wheel stays as it was unpacked.
    """
    return subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=site.parent,
        env={**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def run_from(site: Path, code: str) -> str:
    """What a piece of code prints."""
    done = start_from(site, "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_wheel_holds_every_shipped_resource(installed: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "resources"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    missing = [name for name in listed.stdout.splitlines() if not (installed / name).exists()]
    assert not missing


def test_wheel_finds_its_own_resources(installed: Path) -> None:
    code = "from engine.paths import resource_path as r; print(r('examples', 'three-boxes.json'))"
    found = Path(run_from(installed, code))
    assert found.is_file()
    assert found.is_relative_to(installed)


def test_wheel_gives_the_command(installed: Path) -> None:
    points = next(installed.glob("*.dist-info")) / "entry_points.txt"
    assert "layerloom = app.cli:main" in points.read_text()
    printed = run_from(installed, "import app.cli; print(app.cli.__file__)")
    assert Path(printed).is_relative_to(installed)


def test_wheel_carries_neither_tests_nor_caches(installed: Path) -> None:
    names = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert names <= {"app", "engine", "resources", "main.py"}
    assert not list(installed.rglob("__pycache__"))


def test_wheel_has_the_whole_program(installed: Path) -> None:
    """Every module of the checkout except trainers, benches and fakes, and no data of theirs."""

    def files(root: Path) -> set[str]:
        found = [*root.glob("app/**/*"), *root.glob("engine/**/*")]
        return {
            path.relative_to(root).as_posix()
            for path in found
            if path.is_file() and path.suffix != ".pyc"
        }

    outside = ("engine/training/", "engine/benchmarks/", "app/benchmarks/", "app/testing.py")
    assert files(installed) == {name for name in files(ROOT) if not name.startswith(outside)}


@pytest.mark.parametrize("command", ["train evaluate", "bench ui", "bench engine --quick"])
def test_installed_commands_say_where_they_work(installed: Path, command: str) -> None:
    done = start_from(installed, "-m", "app", *command.split())
    assert (done.returncode, done.stdout) == (1, "")
    group, name = command.split()[:2]
    assert done.stderr == (
        f"The installed package does not include 'layerloom {group} {name}'. Nothing was done. "
        f"Get the repository of Layerloom, and in it run: ./dev run {group} {name}\n"
    )


def test_every_pin_has_its_place() -> None:
    """What pyproject.toml asks for is pinned in constraints.txt; torch is exact in both."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    extras = [name for extra in project["optional-dependencies"].values() for name in extra]
    for wanted in [*project["dependencies"], *extras]:
        name = wanted.split("=")[0].split(">")[0].split("<")[0].strip()
        assert name.lower().replace("_", "-") in pinned, wanted
    assert "torch==2.13.0" in project["dependencies"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_fit_the_grid(path: Path) -> None:
    """Canvas in steps of 64, boxes in steps of 32, inside, none as large as the canvas."""
    example = json.loads(path.read_text(encoding="utf-8"))
    width, height = example["canvas"]
    assert width % 64 == height % 64 == 0
    assert example["name"]
    assert 0 < len(example["prompt"]) <= 1000
    assert example["background"] is True
    for x0, y0, x1, y1 in example["boxes"]:
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert not any(edge % 32 for edge in (x0, y0, x1, y1))
        assert (x1 - x0) * (y1 - y0) < width * height


def test_there_are_three_examples() -> None:
    assert len(EXAMPLES) >= 3
    assert resource_path("examples", "three-boxes.json") in EXAMPLES


# ---- ./dev ----


def dev(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the script in a folder of its own, with programs of ours first on the path."""
    for name in ("dev", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder / name)
    tools = folder / "tools"
    return subprocess.run(
        ["bash", str(folder / "dev"), *arguments],
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def put_tool(folder: Path, name: str, text: str) -> None:
    tool = folder / "tools" / name
    tool.parent.mkdir(exist_ok=True)
    tool.write_text(f"#!/bin/sh\n{text}\n")
    tool.chmod(0o755)


needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="the script needs bash")


@needs_bash
def test_dev_refuses_an_old_python(tmp_path: Path) -> None:
    """One clear line, and no environment is made."""
    put_tool(tmp_path, "python3", 'case "$2" in *version_info*) exit 1;; *) echo 3.9.2;; esac')
    done = dev(tmp_path, "test")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Python 3.11 or later" in done.stderr
    assert "3.9.2" in done.stderr
    assert not (tmp_path / ".venv").exists()


@needs_bash
@pytest.mark.skipif(sys.platform != "linux", reason="apt is for Debian")
def test_dev_prints_the_line_to_type(tmp_path: Path) -> None:
    """Without root, missing system packages are named in a line that can be pasted."""
    asks_for_venv = 'case "$2" in *ensurepip*) exit 1;; esac'
    put_tool(tmp_path, "python3", f'{asks_for_venv}\nexec "{sys.executable}" "$@"')
    put_tool(tmp_path, "id", "echo 1000")
    put_tool(tmp_path, "apt-get", "exit 99")
    done = dev(tmp_path, "run", "info")
    assert done.returncode == 1
    assert "sudo sh -c 'apt-get update && apt-get install" in done.stderr
    assert "python3-venv" in done.stderr
    assert not (tmp_path / ".venv").exists()


@needs_bash
@pytest.mark.skipif(sys.platform != "linux", reason="apt is for Debian")
def test_dev_installs_as_root_and_names_a_failure(tmp_path: Path) -> None:
    asks_for_venv = 'case "$2" in *ensurepip*) exit 1;; esac'
    put_tool(tmp_path, "python3", f'{asks_for_venv}\nexec "{sys.executable}" "$@"')
    put_tool(tmp_path, "id", "echo 0")
    put_tool(tmp_path, "apt-get", f'echo "$@" >> "{tmp_path}/apt.log"\n[ "$1" = update ]')
    done = dev(tmp_path, "test")
    assert done.returncode == 1
    assert "python3-venv" in (tmp_path / "apt.log").read_text()
    assert "apt-get update && apt-get install" in done.stderr


@needs_bash
@pytest.mark.skipif(sys.platform != "linux", reason="apt is for Debian")
@pytest.mark.parametrize("apt_works", [True, False])
def test_dev_test_installs_a_display(tmp_path: Path, apt_works: bool) -> None:
    """Also where the environment was made before it was needed; without it the tests still run."""
    for name in ("bash", "cat", "dirname", "uname", "sha256sum"):
        put_tool(tmp_path, name, f'exec {shutil.which(name)} "$@"')
    put_tool(tmp_path, "id", "echo 0")
    works = 0 if apt_works else 1
    put_tool(tmp_path, "apt-get", f'echo "$@" >> "{tmp_path}/apt.log"; exit {works}')
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\necho "run: $@"\n')
    python.chmod(0o755)
    known = [f"{tmp_path}\n".encode()]
    known += [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    stamp = hashlib.sha256(b"".join(known)).hexdigest() + "  -\n"
    (tmp_path / ".venv" / ".layerloom-stamp").write_text(stamp)
    done = dev(tmp_path, "test", "-q", PATH=str(tmp_path / "tools"))
    assert done.returncode == 0, done.stderr
    assert "run: -P -m pytest -q" in done.stdout
    log = (tmp_path / "apt.log").read_text().splitlines()
    assert (log[-1].endswith(" xvfb")) is apt_works
    assert ("tests that need a window system fail" in done.stderr) is not apt_works


@needs_bash
def test_dev_without_a_command_explains_itself(tmp_path: Path) -> None:
    done = dev(tmp_path)
    assert done.returncode == 2
    for command in ("run", "test", "check"):
        assert f"./dev {command}" in done.stderr
