"""A second model, of another kind, runs the command line, the window and the files unchanged."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from app import cli
from app.document.storage.ora.file import load_project
from app.document.words import shown_name
from app.session.client import engine_factory
from app.session.settings import Settings
from engine.models import registry
from tests.app.ui.helpers import draw_box
from tests.engine.second_backbone import FORMAT, load_colours, write_model


@pytest.fixture
def colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(registry.LOADERS, FORMAT, load_colours)
    return write_model(tmp_path / "colours.safetensors")


def run(*arguments: object) -> str:
    """Run the command in this process; returns stdout."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main([str(each) for each in arguments])
    assert code == 0, err.getvalue()
    return out.getvalue()


def hashes(path: Path) -> list[str | None]:
    """The pixel hash of each layer, the background first."""
    contents = load_project(path).contents
    return [layer.pixel_hash for layer in (contents.background, *contents.foregrounds)]


def test_the_command_line_runs_it(colours: Path, tmp_path: Path) -> None:
    """Cells of 16 px, words of no table, 70 boxes, one layer made again, the record verified."""
    boxes = [[16 * (i % 20), 48 * (i // 20), 16 * (i % 20) + 16, 48 * (i // 20) + 48]
             for i in range(70)]  # fmt: skip
    layout = tmp_path / "layout.json"
    layout.write_text(
        json.dumps({"canvas": [320, 240], "grid": 16, "boxes": boxes, "prompt": "quixotic zeugma"})
    )
    model = ("--model", colours, "--device", "cpu", "--threads", "1")
    assert "words               any text" in run("info", *model)
    one, other = tmp_path / "one.ora", tmp_path / "other.ora"
    run("generate", "--layout", layout, "--out", one, "--seed", 3, *model)
    before = hashes(one)
    assert len(before) == 71
    assert None not in before
    run("regenerate", one, "--layer", 2, "--seed", 10, "--out", other, *model)
    changed = [place for place, (a, b) in enumerate(zip(before, hashes(other))) if a != b]
    assert changed == [2]
    assert run("verify", other, "--regenerate", *model).count("exactly") == 71


def test_the_window_runs_it(colours: Path, tmp_path: Path, qtbot: Any, qloop: Any) -> None:
    from app.ui.main_window import MainWindow

    settings = Settings(theme="dark", first_run_done=True)
    window: Any = MainWindow(qloop, engine_factory(1, weights=colours), settings)
    try:
        window.show()
        qtbot.waitExposed(window)
        session = window.session
        session.bridge.start()
        qtbot.waitUntil(lambda: session.bridge.state == "ready", timeout=60_000)
        assert window.layers.count.text() == "0 of 80"
        draw_box(window, 48, 48, 144, 112)
        window.prompt.field.setPlainText("quixotic zeugma")
        window.actions_["generate"].trigger()
        qtbot.waitUntil(lambda: session.document.foregrounds[0].has_pixels, timeout=60_000)
        assert shown_name(session.document.foregrounds[0]) in ("quixotic", "zeugma")
        path = tmp_path / "window.ora"
        window.files.write(path)
        qtbot.waitUntil(lambda: session.path == path and session.undo.is_clean, timeout=20_000)
        assert hashes(path)[1] == session.document.foregrounds[0].pixel_hash
    finally:
        window.close()
        window.session.shutdown()
        window.deleteLater()
