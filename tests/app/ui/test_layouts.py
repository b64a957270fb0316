"""Layouts in the window: pasted, imported or dropped, they are read as on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication

from app.ui.mime_data import Offered

Give = Callable[[Any, Any, str], None]


def paste(window: Any, folder: Path, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    window.actions_["paste_layout"].trigger()
    QGuiApplication.clipboard().clear()


def bring_in(window: Any, folder: Path, text: str) -> None:
    path = folder / "layout.json"
    path.write_text(text, encoding="utf-8")
    window.importing.add_layout_file(path)


def drop(window: Any, folder: Path, text: str) -> None:
    path = folder / "layout.txt"
    path.write_text(text, encoding="utf-8")
    window.importing.take_dropped(Offered((path,), (), ()), QPointF(100, 100))


@pytest.mark.parametrize("give", [paste, bring_in, drop])
def test_every_way_in_reads_the_same(give: Give, window: Any, qtbot: Any, tmp_path: Path) -> None:
    def given(text: str) -> list[tuple[int, int, int, int]]:
        give(window, tmp_path, text)
        qtbot.waitUntil(lambda: not window.session.files.is_busy, timeout=10_000)
        found = [layer.rect.to_box() for layer in window.session.document.foregrounds]
        window.session.undo.undo()
        return found

    assert given("[[0.125, 0.25, 0.5, 0.75]]") == [(64, 128, 256, 384)]
    sample = {"wholecaption": "a dog", "layout": [(0, 0, 512, 512)] * 2 + [(32, 32, 64, 96)]}
    assert given(str(sample)) == [(32, 32, 64, 96)]
    plan = [
        {"layer": 0, "x": 256, "y": 256, "width": 512, "height": 512},
        {"layer": 1, "x": 128, "y": 128, "width": 128, "height": 64},
    ]
    assert given(json.dumps({"layout": plan})) == [(64, 96, 192, 160)]
    for text, message in (
        ("[[600, 600, 700, 700]]", "Box 1 is outside the canvas of 512 × 512"),
        ("[[300, 200, 100, 120]]", "x1 (100) is not right of x0 (300)"),
        ('{\n "boxes": [}', "line 2, column"),
        ('{"boxes": [{"bbox": [1, 2, 3, 4]}]}', "no 'box', only 'bbox'"),
    ):
        steps = window.session.undo.index
        give(window, tmp_path, text)
        qtbot.waitUntil(lambda: not window.session.files.is_busy, timeout=10_000)
        assert message in window.messages.text.text()
        assert "No box was changed." in window.messages.text.text()
        assert window.session.undo.index == steps
        window.messages.dismiss()
