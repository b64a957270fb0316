"""While the model loads: the Generate button says so and how far it is, and jobs say they wait."""

from __future__ import annotations

from typing import Any

from app.testing import model_info
from app.ui.panels.prompt_bar import loading_texts
from engine import StateChanged
from tests.app.ui.helpers import draw_box, shown


def load(window: Any, qtbot: Any, part: float) -> None:
    """The engine says how far it is."""
    window.engines[-1].say(StateChanged(state="loading", progress=part))
    qtbot.waitUntil(lambda: window.session.bridge.loading == part)


def restart(window: Any) -> None:
    """A window whose engine loads the model."""
    window.session.bridge.restart()


def test_the_button_says_how_far_it_is(window: Any, qtbot: Any) -> None:
    button = window.prompt.generate
    draw_box(window, 64, 64, 192, 192)
    assert button.text().startswith("Generate")
    restart(window)
    assert button.text() == "Loading model… 0 %"
    for part in (0.02, 0.4, 0.996):
        load(window, qtbot, part)
        assert button.text() == button.accessibleName() == f"Loading model… {int(part * 100)} %"
        assert window.prompt.progress.value() == round(part * 1000)
    assert button.property("loading") is True
    assert "starts as soon as it is ready" in button.toolTip()
    draw_box(window, 256, 256, 384, 384)  # what the button will make has changed meanwhile
    assert button.text() == "Loading model… 99 %"
    window.engines[-1].say(StateChanged(state="ready", info=model_info()))
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready")
    assert button.text().startswith("Generate")
    assert button.property("loading") is False
    assert "starts as soon" not in button.toolTip()
    assert window.prompt.progress.value() == 0


def test_a_job_that_was_asked_for_says_that_it_waits(window: Any, qtbot: Any) -> None:
    draw_box(window, 64, 64, 192, 192)
    restart(window)
    load(window, qtbot, 0.3)
    window.prompt.generate.click()
    assert window.prompt.progress_text.text() == "Waiting for the model…"
    assert window.prompt.progress.value() == 300
    window.actions_["show_jobs"].trigger()
    jobs = window.dialogs.dialog
    assert jobs.table.item(0, 1).text() == "Waiting for the model"
    load(window, qtbot, 0.6)
    assert window.prompt.progress_text.text() == "Waiting for the model…"
    assert window.prompt.progress.value() == 600
    window.engines[-1].say(StateChanged(state="ready", info=model_info()))
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready")
    assert jobs.table.item(0, 1).text() == "Waiting"
    window.engines[-1].begin(steps=1)
    qtbot.waitUntil(lambda: window.prompt.progress_text.text().startswith(("Planning", "Painting")))
    jobs.close()
    window.actions_["stop_all"].trigger()


def test_an_advance_is_no_other_state(window: Any, qtbot: Any) -> None:
    """What listens to states hears of loading once, however often the engine reports."""
    restart(window)
    states: list[str] = []
    window.session.bridge.state_changed.connect(states.append)
    window.engines[-1].say(StateChanged(state="loading"))
    for percent in range(2, 100, 2):
        load(window, qtbot, percent / 100)
    assert states == ["loading"]


def test_a_failure_takes_the_loading_text_away(window: Any, qtbot: Any) -> None:
    restart(window)
    load(window, qtbot, 0.5)
    window.engines[-1].say(StateChanged(state="failed", message="The model file is damaged."))
    qtbot.waitUntil(lambda: window.session.bridge.state == "failed")
    assert "Loading" not in shown(window).prompt.generate.text()
    assert window.prompt.generate.property("loading") is False


def test_the_shorter_text_keeps_the_number() -> None:
    assert loading_texts(0.4) == ("Loading model… 40 %", "40 %")
