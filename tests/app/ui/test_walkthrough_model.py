"""The walk-through with the shipped model in a real window, by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.session.client import engine_factory
from app.session.settings import Settings
from app.ui.main_window import MainWindow
from tests.app.ui.helpers import hashes
from tests.app.ui.test_walkthrough import (
    ALT,
    CTRL,
    box_for_a_bird,
    four_variations,
    press,
    regenerate_one,
    take_the_third,
)

LONG = 30_000  # ms; what takes tenths of a second may take longer on a busy machine


@pytest.fixture
def painting(qtbot: Any, qloop: Any) -> Iterator[Any]:
    """A shown window whose engine has read the shipped model."""
    made: Any = MainWindow(qloop, engine_factory(threads=1), Settings(first_run_done=True))
    made.show()
    qtbot.waitExposed(made)
    made.session.bridge.start()
    qtbot.waitUntil(lambda: made.session.bridge.state == "ready", timeout=LONG)
    yield made
    made.session.undo.mark_saved()
    made.close()
    made.session.shutdown()
    made.deleteLater()


def test_the_walk_through_on_the_shipped_model(painting: Any, qtbot: Any) -> None:
    """Sections 1 and 6: boxes, picture, variations, a new box, back; neighbours stay."""
    window, document = painting, painting.session.document
    undo = window.session.undo
    window.view.setFocus()
    press(window, Qt.Key.Key_Insert)
    press(window, Qt.Key.Key_Insert)
    for _ in range(4):
        press(window, Qt.Key.Key_Left)
    press(window, Qt.Key.Key_Up, ALT)
    press(window, Qt.Key.Key_P)
    QTest.keyClicks(window.prompt.field, "a red balloon and a castle on a beach")
    press(window, Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(lambda: all(each.has_pixels for each in document.layers), timeout=LONG)
    assert all(each.record["seconds"] > 0 for each in document.layers)  # seeds are random here
    press(window, Qt.Key.Key_Escape)
    four_variations(window)
    layer, others = regenerate_one(window)
    qtbot.waitUntil(lambda: len(window.stage.choices) == 4, timeout=LONG)
    qtbot.waitUntil(lambda: window.session.bridge.current is None, timeout=LONG)
    wanted = take_the_third(window)
    assert document.layer(layer.id).pixel_hash == wanted
    assert {n: v for n, v in hashes(window).items() if n != layer.name} == others
    box_for_a_bird(window)
    bird = window.session.selection.single()
    press(window, Qt.Key.Key_R, CTRL)
    found = document.layer
    qtbot.waitUntil(lambda: len(found(bird.id).candidates) == 4, timeout=LONG)
    qtbot.waitUntil(lambda: window.session.bridge.current is None, timeout=LONG)
    press(window, Qt.Key.Key_Escape)  # to Before
    press(window, Qt.Key.Key_N)
    press(window, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: document.layer(bird.id).has_pixels, timeout=LONG)
    assert {n: v for n, v in hashes(window).items() if n in others} == others
    while undo.can_undo:
        press(window, Qt.Key.Key_Z, CTRL)
    assert document.foregrounds == ()
