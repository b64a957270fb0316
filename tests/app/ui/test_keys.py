"""The table of keys: each key fires its action, in its scope and nowhere else."""

from __future__ import annotations

import runpy
import sys
import warnings
from typing import Any

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.ui import action_table

# Action: its keys, as the page has them. What has no action (arrows, digits, Esc, the keys of
# the strip and of the prompt) is held by the tests of the canvas, the strip and the prompt.
WINDOW = {
    "new": "Ctrl+N",
    "open": "Ctrl+O",
    "save": "Ctrl+S",
    "save_as": "Ctrl+Shift+S",
    "export": "Ctrl+Shift+E",
    "import_picture": "Ctrl+I",
    "quit": "Ctrl+Q Ctrl+W",
    "undo": "Ctrl+Z",
    "redo": "Ctrl+Shift+Z Ctrl+Y",
    "generate": "Ctrl+Return Ctrl+Enter",
    "generate_next": "Ctrl+Shift+Return Ctrl+Shift+Enter",
    "regenerate": "Ctrl+R F5",
    "stop_all": "Ctrl+Shift+X",
    "new_box": "Ins Ctrl+Shift+N",
    "zoom_in": "Ctrl++ Ctrl+=",
    "zoom_out": "Ctrl+-",
    "next_pane": "F6",
    "previous_pane": "Shift+F6",
    "pane_layers": "F7",
    "pane_candidates": "F8",
    "full_screen": "F11",
    "help": "F1",
    "help_keys": "Ctrl+F1 Ctrl+/",
}
CANVAS = {
    "cut": "Ctrl+X",
    "copy": "Ctrl+C Ctrl+Ins",
    "paste": "Ctrl+V Shift+Ins",
    "paste_in_place": "Ctrl+Shift+V",
    "copy_merged": "Ctrl+Shift+C",
    "duplicate": "Ctrl+J Ctrl+D",
    "delete": "Del Backspace",
    "select_all": "Ctrl+A",
    "select_none": "Ctrl+Shift+A",
    "select_above": "PgUp Alt+]",
    "select_below": "PgDown Alt+[",
    "select_last": "Q",
    "stop": "Shift+X",
    "focus_prompt": "P",
    "candidate_next": "N",
    "candidate_previous": "Shift+N",
    "compare": "Shift+C",
    "tool_select": "V",
    "tool_box": "R U",
    "tool_hand": "H",
    "tool_zoom": "Z",
    "raise": "Ctrl+PgUp Ctrl+]",
    "lower": "Ctrl+PgDown Ctrl+[",
    "to_front": "Ctrl+Shift+PgUp Ctrl+Shift+]",
    "to_back": "Ctrl+Shift+PgDown Ctrl+Shift+[",
    "rename": "F2",
    "toggle_visible": "Ctrl+H Ctrl+Shift+H",
    "toggle_locked": "Ctrl+L Ctrl+Shift+L",
    "solo": "S",
    "blend_next": "B Shift++",
    "blend_previous": "Shift+B Shift+-",
    "align_left": "Alt+A",
    "align_right": "Alt+D",
    "align_top": "Alt+W",
    "align_bottom": "Alt+S",
    "align_centre_h": "Alt+H",
    "align_centre_v": "Alt+V",
    "zoom_fit": "Home Ctrl+0",
    "zoom_100": "Shift+Home Ctrl+1",
    "zoom_selection": "F Ctrl+2",
    "grid": "Shift+G Ctrl+'",
    "matte": "M",
    "hide_panels": "Tab",
}


@pytest.fixture
def fired(window: Any) -> list[str]:
    """Names of the actions that fired; none of them does anything, and all could."""
    names: list[str] = []
    for action in window.actions_:
        for signal in (action.triggered, action.toggled):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # where nothing is connected
                signal.disconnect()
        action.setEnabled(True)
        action.triggered.connect(lambda _=False, of=action: names.append(of.objectName()))
    return names


def pressed(widget: QWidget, sequence: str, fired: list[str]) -> list[str]:
    """What one key fires while the widget has the focus."""
    fired.clear()
    widget.setFocus()
    QTest.keySequence(widget, QKeySequence(sequence))
    return list(fired)


def pairs(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, sequence) for name, keys in table.items() for sequence in keys.split()]


@pytest.mark.skipif(sys.platform == "darwin", reason="one key differs there, see below")
def test_each_key_fires_its_action_on_the_canvas_and_in_the_list(
    window: Any, fired: list[str]
) -> None:
    """Rules 1 and 6: one action per key, with the focus on the canvas or in the layer list."""
    for widget in (window.view, window.layers.list):
        for name, sequence in pairs(WINDOW | CANVAS):
            assert pressed(widget, sequence, fired) == [name], sequence


def test_keys_of_the_window_fire_while_somebody_types(window: Any, fired: list[str]) -> None:
    """Scope window: undo, generate, a new box and the others work from the prompt too."""
    field = window.prompt.field
    field.setPlainText("a dog")
    for action in window.actions_:
        action.setEnabled(True)  # after a step there is nothing to redo
    for name, sequence in pairs(WINDOW):
        assert pressed(field, sequence, fired) == [name], sequence
    assert field.toPlainText() == "a dog"


def test_keys_of_the_canvas_do_not_fire_while_somebody_types(window: Any, fired: list[str]) -> None:
    """Rule 1 and scope canvas: in the prompt and in a field they mean the text, or nothing."""
    for field in (window.prompt.field, window.inspector.name):
        field.setEnabled(True)
        for name, sequence in pairs(CANVAS):
            assert pressed(field, sequence, fired) == [], f"{sequence} is {name}"


def test_where_a_key_hides_the_program_the_other_hides_the_layer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On macOS the command key with H belongs to the system; elsewhere both work."""
    for platform, expected in (
        ("darwin", ("Ctrl+Shift+H",)),
        ("linux", ("Ctrl+H", "Ctrl+Shift+H")),
    ):
        monkeypatch.setattr(sys, "platform", platform)
        specs = runpy.run_path(action_table.__file__)["SPECS"]
        assert [spec.keys for spec in specs if spec.name == "toggle_visible"] == [expected]


def test_keys_for_later_are_free(window: Any, fired: list[str]) -> None:
    """Keys that the next release will need are on no action, so that no key changes its meaning."""
    for sequence in ("Ctrl+G", "Ctrl+Shift+G", "Ctrl+E", "Shift+H", "Shift+V", "Shift+R"):
        assert pressed(window.view, sequence, fired) == [], sequence
