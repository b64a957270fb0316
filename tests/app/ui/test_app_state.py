"""The window's state: computed once for all changes of a turn, and only where they matter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.session import queue
from app.ui import likely
from tests.app.ui.helpers import draw_box, generate, key, later


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for each call of a planning function, from wherever it comes."""
    calls: list[str] = []

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *each, **more: calls.append(name) or real(*each, **more)

    for module, name in ((queue, "plan"), (queue, "plans"), (likely, "plans")):
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    return calls


@pytest.fixture
def touched(window: Any) -> set[str]:
    """Names of the actions that changed."""
    names: set[str] = set()
    for action in window.actions_:
        action.changed.connect(partial(names.add, action.objectName()))
    return names


def finished_picture(window: Any, qtbot: Any) -> None:
    """A picture with two painted layers, nothing selected."""
    draw_box(window, 64, 64, 192, 192)
    draw_box(window, 256, 64, 384, 192)
    window.prompt.field.setPlainText("a dog")
    generate(window, qtbot)
    window.session.selection.clear()
    QApplication.processEvents()
    later(window)


def test_a_keystroke_plans_once(window: Any, qtbot: Any, planned: list[str]) -> None:
    """Button, menu, costs and reasons come from one plan."""
    finished_picture(window, qtbot)
    planned.clear()
    QTest.keyClicks(window.prompt.field, "s")
    QApplication.processEvents()
    assert window.prompt.field.toPlainText() == window.session.document.prompt
    assert window.actions_["generate"].isEnabled()
    assert planned == ["plans"]


def test_a_click_on_regenerate_plans_once(window: Any, qtbot: Any, planned: list[str]) -> None:
    """The plan of the selection serves button, questions, queue and request."""
    finished_picture(window, qtbot)
    count = len(window.engine.requests)
    planned.clear()
    window.session.selection.set([window.session.document.foregrounds[0].id])
    QApplication.processEvents()
    assert window.prompt.generate.text().startswith("Repaint 'Layer 1'")
    window.prompt.generate.click()
    QApplication.processEvents()
    assert len(window.engine.requests) == count + 1
    assert planned == ["plans"]


def test_changes_of_one_turn_are_one_state(window: Any) -> None:
    """A new box is a command, an undo step and a selection: the state is computed once."""
    states: list[frozenset[str]] = []
    QApplication.processEvents()
    window.store.changed.connect(lambda state, parts: states.append(parts))
    window.layers_controller.new_box()
    assert states == []
    QApplication.processEvents()
    (parts,) = states
    assert {"selection", "facts", "offers"} <= parts


def test_only_actions_that_differ_are_touched(window: Any, qtbot: Any, touched: set[str]) -> None:
    """Typing concerns the history, not what depends on the selection, jobs or files."""
    finished_picture(window, qtbot)
    QTest.keyClicks(window.prompt.field, "s")
    QApplication.processEvents()
    touched.clear()
    QTest.keyClicks(window.prompt.field, "s")
    QApplication.processEvents()
    assert touched <= {"undo", "redo"}
    touched.clear()
    window.session.selection.set([window.session.document.foregrounds[0].id])
    QApplication.processEvents()
    assert {"delete", "regenerate", "blend_normal"} <= touched
    assert not {"undo", "stop", "save_numbered"} & touched


def test_a_key_meets_the_state_of_this_moment(window: Any, qtbot: Any) -> None:
    """Two keys in one turn: the second one acts on what the first one selected."""
    draw_box(window, 64, 64, 192, 192)
    window.session.selection.clear()
    QApplication.processEvents()
    assert not window.actions_["delete"].isEnabled()
    window.session.selection.set([window.session.document.foregrounds[0].id])
    key(window, Qt.Key.Key_Delete, widget=window.view)
    assert not window.session.document.foregrounds


def test_a_click_that_changes_nothing_leaves_the_tick(window: Any) -> None:
    """The layer is normal already: its mode stays ticked."""
    window.layers_controller.new_box()
    window.actions_["blend_normal"].trigger()
    assert window.actions_["blend_normal"].isChecked()
