"""What the window says where there is nothing yet, and what it says first (3.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.session.settings import Settings
from app.testing import FakeEngine
from app.ui.main_window import MainWindow


def test_who_asks_for_results_that_are_not_there_is_told(window: Any) -> None:
    """The strip is folded away when empty (3.1), so that the way to it says what it is for."""
    assert not window.strip.isVisible()
    window.view.setFocus()
    window.actions_["pane_candidates"].trigger()
    assert window.status.message.text() == (
        "Results for the selected layer collect here. Nothing is deleted unless you say so."
    )
    assert window.focusWidget() is window.view, "the keyboard stays where it is of use"


def test_the_first_run_says_what_the_model_can_do(qtbot: Any, qloop: Any) -> None:
    """One line with a way to the list of things; it is shown once, closed or not."""

    def make(emit: Callable[..., None]) -> FakeEngine:
        return FakeEngine(emit)

    settings = Settings(theme="dark")
    window = MainWindow(qloop, make, settings)
    window.show()
    qtbot.waitExposed(window)
    assert window.messages.isVisible()
    said = window.messages.text.text()
    assert said == (
        "Draws about 200 things as flat illustrations, offline. No text, people or photos."
    )
    assert window.messages.action_button.text() == "See the Things"
    assert settings.first_run_done, "also where it is not closed"
    window.messages.close_button.click()
    assert not window.messages.isVisible()
    window.close()
    window.session.shutdown()
    window.deleteLater()
    again = MainWindow(qloop, make, settings)
    again.show()
    qtbot.waitExposed(again)
    assert not again.messages.isVisible()
    again.close()
    again.session.shutdown()
    again.deleteLater()
