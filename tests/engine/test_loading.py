"""What the engine says while it loads: real work, counted; it never goes back."""

from __future__ import annotations

import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from engine.loading import MODULES, SHARES, STEP, Loading
from engine.models.checkpoint import load_model, save_model
from tests.engine.tiny import tiny_model


def test_the_stages_add_up() -> None:
    told: list[float] = []
    loading = Loading(told.append)
    for stage in SHARES:
        for part in (0.0, 0.25, 0.5, 1.0):
            loading.reached(stage, part)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    assert all(later - earlier >= STEP - 1e-9 for earlier, later in pairwise(told))


def test_more_work_than_expected_stays_within_its_stage() -> None:
    """Another version of torch has more modules: the next stages still have their room."""
    told: list[float] = []
    Loading(told.append).reached("imports", 7.0)
    assert told == [SHARES["imports"]]


def test_it_never_goes_back() -> None:
    told: list[float] = []
    loading = Loading(told.append)
    loading.reached("file", 1.0)
    loading.reached("imports", 0.1)
    assert len(told) == 1


def test_only_imports_of_this_thread_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window imports on its own thread meanwhile. The finders are as before afterwards."""
    for name in (*(f"own{n}" for n in range(MODULES // 10)), *(f"other{n}" for n in range(200))):
        (tmp_path / f"{name}.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    before = list(sys.meta_path)
    told: list[float] = []

    def other() -> None:
        for number in range(200):
            __import__(f"other{number}")

    with Loading(told.append).imports():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert not told
        for number in range(MODULES // 10):
            __import__(f"own{number}")
        assert told[-1] == pytest.approx(0.1 * SHARES["imports"], abs=STEP)
    assert told[-1] == pytest.approx(SHARES["imports"])
    assert sys.meta_path == before


def test_a_failed_import_leaves_the_finders_as_they_were() -> None:
    before = list(sys.meta_path)
    with pytest.raises(ModuleNotFoundError), Loading(lambda part: None).imports():
        __import__("there_is_no_such_module")
    assert sys.meta_path == before


def test_a_file_reports_what_is_read_and_built(tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    save_model(path, tiny_model())
    told: dict[str, list[float]] = {"file": [], "networks": []}
    load_model(path, lambda stage, part: told[stage].append(part))
    for parts in told.values():
        assert parts == sorted(parts)
        assert len(parts) >= 3
        assert parts[-1] == pytest.approx(1.0)


def test_a_fresh_engine_tells_how_far_it_is(tmp_path: Path) -> None:
    """With all of torch still to import: many small advances, then ready."""
    path = tmp_path / "tiny.safetensors"
    save_model(path, tiny_model())
    code = """
import queue, sys
from pathlib import Path
from engine import Engine
events = queue.Queue()
engine = Engine(events.put, weights=Path(sys.argv[1]), device="cpu", threads=1)
engine.start()
while (event := events.get(timeout=120)).state == "loading":
    print(event.progress)
print(event.state)
engine.shutdown()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )
    *parts, last = done.stdout.split()
    assert last == "ready"
    told = [float(part) for part in parts]
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == pytest.approx(1.0)
    # The expected number of modules is right for the torch that is pinned: no jump at the end.
    imports = [part for part in told if part <= SHARES["imports"] + 1e-9]
    assert imports[-1] == pytest.approx(SHARES["imports"], abs=STEP)
    assert max(later - earlier for earlier, later in pairwise(imports)) < 3 * STEP
