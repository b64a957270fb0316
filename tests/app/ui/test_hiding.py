"""A file may hold more layers than the model's 50; generating then asks which to hide (4.1)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from app.document.contents import Contents, new_contents
from app.document.geometry import Rect, Size
from app.document.layer import Layer, new_layer_id
from app.document.pixels import Pixels
from app.document.storage.ora.file import load_project, save_project
from app.ui.dialogs.hiding_dialog import HidingDialog
from tests.app.ui.helpers import draw_box

COUNT = 53


def crowded() -> Contents:
    """53 foregrounds: 50 boxes and, on top, three pictures that only give context."""
    pixels = Pixels.of(np.full((64, 64, 4), 255, np.uint8))
    layers = []
    for number in range(1, COUNT + 1):
        layer = Layer(
            id=new_layer_id(),
            number=number,
            name=f"Layer {number}",
            rect=Rect(64 * (number % 6), 64 * (number // 9), 64, 64),
        )
        if number > 50:
            layer = replace(layer, kind="imported", image=pixels)
        layers.append(layer)
    contents = new_contents(Size(512, 512), 32)
    return replace(contents, foregrounds=tuple(layers), next_number=COUNT + 1, prompt="a dog")


@pytest.fixture
def opened(window: Any) -> Any:
    """A window with the crowded picture, and a machine with room for all of it."""
    window.session.replace(crowded(), "Open", None)
    window.session.bridge.free_memory = lambda: None
    return window


def asked(window: Any) -> HidingDialog:
    """The one dialog that is open."""
    (dialog,) = window.findChildren(HidingDialog)
    assert dialog.isVisible()
    return dialog


def all_names(window: Any) -> list[str]:
    return [layer.name for layer in window.session.document.foregrounds]


def test_generating_asks_and_nothing_happens_before_the_answer(opened: Any, qtbot: Any) -> None:
    before = opened.session.document.content_hash()
    opened.actions_["generate"].trigger()
    dialog = asked(opened)
    assert "50" in dialog.heading.text() and "53" in dialog.heading.text()
    assert dialog.list.count() == COUNT
    assert dialog.list.item(0).text() == "Layer 53"
    assert opened.engine.requests == []
    dialog.reject()
    assert opened.engine.requests == []
    assert opened.session.document.content_hash() == before


def test_enter_hides_what_is_suggested_and_generates(opened: Any, qtbot: Any) -> None:
    """Context is suggested before what would be made; hiding is one undo step of its own."""
    names, before = all_names(opened), opened.session.document.content_hash()
    steps = opened.session.undo.index
    opened.actions_["generate"].trigger()
    qtbot.keyClick(asked(opened), Qt.Key.Key_Return)
    (request,) = opened.engine.requests
    assert sum(layer.kind == "foreground" for layer in request.layers) == 50
    hidden = [layer.name for layer in opened.session.document.foregrounds if not layer.visible]
    assert hidden == ["Layer 51", "Layer 52", "Layer 53"]
    assert all_names(opened) == names
    assert opened.session.undo.index == steps + 1
    opened.actions_["stop_all"].trigger()
    opened.actions_["undo"].trigger()
    assert opened.session.document.content_hash() == before


def test_the_users_choice_is_hidden(opened: Any, qtbot: Any) -> None:
    """Too few ticks are no answer; more than needed are one."""
    opened.actions_["generate_next"].trigger()
    dialog = asked(opened)
    for row in range(3):
        dialog.list.item(row).setCheckState(Qt.CheckState.Unchecked)
    assert not dialog.hide_button.isEnabled()
    assert "3 more" in dialog.count.text()
    dialog.accept()
    assert dialog.isVisible() and opened.engine.requests == []
    for row in range(10, 14):
        dialog.list.item(row).setCheckState(Qt.CheckState.Checked)
    assert dialog.hide_button.isEnabled()
    dialog.hide_button.click()
    hidden = {layer.name for layer in opened.session.document.foregrounds if not layer.visible}
    assert hidden == {"Layer 43", "Layer 42", "Layer 41", "Layer 40"}
    assert len(opened.engine.requests) == 1


def test_hidden_layers_are_not_asked_about(opened: Any, qtbot: Any) -> None:
    """One layer of three that are shown: nobody needs to hide anything."""
    layers = opened.session.document.foregrounds
    opened.session.selection.set([layer.id for layer in layers[3:]])
    opened.actions_["toggle_visible"].trigger()
    opened.session.selection.set([layers[0].id])
    opened.actions_["regenerate"].trigger()
    assert opened.findChildren(HidingDialog) == []
    assert len(opened.engine.requests) == 1


def test_no_layer_is_lost_on_the_way(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Open, add a 54th, save, open: all 54 are there, in their order."""
    path = tmp_path / "crowd.ora"
    save_project(crowded(), path)
    window.files.open_path(path)
    qtbot.waitUntil(lambda: window.session.path == path, timeout=20_000)
    names = all_names(window)
    assert len(names) == COUNT
    draw_box(window, 400, 400, 480, 480)
    assert all_names(window)[:COUNT] == names
    names = all_names(window)
    window.files.write(tmp_path / "again.ora")
    qtbot.waitUntil((tmp_path / "again.ora").exists, timeout=20_000)
    again = load_project(tmp_path / "again.ora").contents
    assert [layer.name for layer in again.foregrounds] == names
    assert window.findChildren(QMessageBox) == []
