"""Engines in the window: switched, agreed to, drawn with; nothing in the way while none is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QPushButton

from app.document.commands import SetPrompt
from app.document.storage.ora.file import load_project
from app.session.connections import NO_SERVER, new_connection
from app.session.server_types import OwnGraph
from app.session.settings import Settings
from app.session.tokens import Tokens
from app.testing import FakeEngine
from app.ui.dialogs.copy_diagnostics import diagnostics
from app.ui.engine_texts import sent_text
from app.ui.panels.pages import record_lines
from app.ui.session import Session
from engine.remote import RemoteError
from tests.app.ui.helpers import draw_box, generate, hashes, later, shown
from tests.app.ui.servers import PLAIN, Desk
from tests.engine.remote.scripted import CONNECTION, ScriptedServer, gone

NAME = "ComfyUI at 127.0.0.1:8188"


@pytest.fixture
def desk(window: Any) -> Desk:
    return Desk(window)


def boxes(window: Any, prompt: str = "a red fox and a wooden cart in a snowy forest") -> None:
    window.session.push(SetPrompt(prompt))
    draw_box(window, 32, 160, 224, 416)
    draw_box(window, 288, 224, 480, 416)


def question(window: Any) -> QMessageBox:
    (found,) = [each for each in window.findChildren(QMessageBox) if each.isVisible()]
    return found


def answer(window: Any, text: str) -> None:
    buttons = question(window).findChildren(QPushButton)
    next(button for button in buttons if button.text() == text).click()


def agree(window: Any) -> None:
    answer(window, "Agree and Draw")


def drawn(window: Any, qtbot: Any) -> None:
    """Press Generate, agree where it is asked, and wait for the layers."""
    before = window.session.undo.index
    window.actions_["generate_all"].trigger()
    if [each for each in window.findChildren(QMessageBox) if each.isVisible()]:
        agree(window)
    ended = lambda: window.session.undo.index > before or window.messages.isVisible()  # noqa: E731
    qtbot.waitUntil(ended, timeout=30_000)
    assert not window.messages.isVisible(), window.messages.text.text()


# ---- off by default ----


def test_without_a_connection_nothing_is_different(window: Any, qtbot: Any, desk: Desk) -> None:
    """The status bar says "Ready", the menu has one engine, no question comes, no server opens."""
    button = window.status.engine
    assert button.text() == "Ready" and button.focusPolicy() & Qt.FocusPolicy.TabFocus
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert window.live.engine.isVisible()
    window.live.engine.hide()
    texts = [each.text() for each in window.live.engine.actions() if not each.isSeparator()]
    assert texts == ["&Built-in", "&Engines…"]
    assert window.actions_["use_built_in"].isChecked()
    boxes(window)
    generate(window, qtbot)
    assert desk.opened == []
    assert window.things.field.isVisibleTo(window.things)


# ---- switching ----


def test_a_connection_is_chosen_in_the_menu_and_left_there(
    window: Any, qtbot: Any, desk: Desk
) -> None:
    desk.connect(qtbot)
    assert window.status.engine.text() == f"{NAME} · Ready"
    assert window.status.engine.accessibleName() == f"Engine: {NAME} · Ready"
    assert "Ming-Design" in window.status.engine.toolTip()
    entry = next(each for each in window.live.engine.actions() if each.text() == NAME)
    guidance, clean = window.advanced.guidance, window.advanced.clean_colours
    assert not guidance.isEnabled() and "the server decides it" in guidance.toolTip()
    assert not clean.isEnabled() and window.advanced.steps.isEnabled()
    told = diagnostics(window.session)
    assert "Ming-Design on ComfyUI 0.3.65, cuda" in told and "127.0.0.1" not in told
    assert entry.isChecked() and not shown(window).actions_["use_built_in"].isChecked()
    window.actions_["use_built_in"].trigger()
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready")
    assert window.status.engine.text() == "Ready"
    assert shown(window).actions_["use_built_in"].isChecked()
    assert guidance.isEnabled() and clean.isEnabled()
    entry = next(each for each in window.live.engine.actions() if each.text() == NAME)
    assert not entry.isChecked()
    entry.trigger()
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready")
    assert window.settings.engine != NO_SERVER
    assert window.status.engine.text().startswith(NAME)


def test_things_belong_to_built_in_and_shows_takes_free_text(
    window: Any, qtbot: Any, desk: Desk
) -> None:
    desk.connect(qtbot)
    assert window.things.model.rowCount() == 0
    assert not window.things.field.isVisibleTo(window.things)
    assert window.things.none.text().startswith("The list of things belongs to the built-in engine")
    assert NAME in window.things.none.text()
    boxes(window)
    layer = window.session.document.foregrounds[0]
    window.session.selection.set([layer.id])
    text = "a rusty robot that waters tulips"
    window.inspector.shows.setFocus()
    window.inspector.shows.setText(text)
    window.inspector.shows.editingFinished.emit()
    assert window.session.document.layer(layer.id).shows == text
    assert not window.messages.isVisible()
    window.actions_["use_built_in"].trigger()
    qtbot.waitUntil(lambda: window.things.model.rowCount() > 0)
    assert window.things.field.isVisibleTo(window.things)


def test_the_engine_that_was_chosen_last_is_the_first_one(qtbot: Any, qloop: Any) -> None:
    """The next start connects it, and does not load Built-in before."""
    settings, made = Settings(), []

    def make(emit: Any) -> FakeEngine:
        made.append(FakeEngine(emit))
        return made[-1]

    first = Session(qloop, make, settings)
    saved = first.servers.save(CONNECTION, None, "", lambda _: None)
    first.use_engine(saved.id)
    first.shutdown()
    again, server = Session(qloop, make, settings), ScriptedServer()
    again.servers.open = lambda connection, token=None: server
    again.servers.tokens = Tokens(lambda: None)
    again.start_engine()
    qtbot.waitUntil(lambda: again.bridge.state == "ready")
    assert again.bridge.info.name == "Ming-Design"
    assert not made[-1].is_started
    assert again.shutdown()


# ---- consent ----


def test_the_first_job_says_what_leaves_the_machine(window: Any, qtbot: Any, desk: Desk) -> None:
    """Asked once for each server and model, with the licence; "Cancel" sends nothing."""
    desk.connect(qtbot)
    boxes(window)
    window.actions_["generate_all"].trigger()
    said = question(window)
    assert said.text() == f"Draw with {NAME}?"
    assert "go to http://127.0.0.1:8188; pictures come back" in said.informativeText()
    assert "Nothing else is sent." in said.informativeText()
    assert "Ming-Design. Licence: MIT." in said.informativeText()
    answer(window, "Cancel")
    assert desk.server.submitted == []
    assert window.session.bridge.current is None
    later(window)
    drawn(window, qtbot)
    assert len(desk.server.submitted) == 3
    later(window)
    window.actions_["generate_all"].trigger()
    assert not [each for each in window.findChildren(QMessageBox) if each.isVisible()]
    qtbot.waitUntil(lambda: len(desk.server.submitted) == 6)
    qtbot.waitUntil(lambda: window.session.bridge.current is None)


def test_another_model_is_asked_for_again(window: Any, qtbot: Any, desk: Desk) -> None:
    desk.connect(qtbot)
    boxes(window)
    drawn(window, qtbot)
    later(window)
    desk.connect(qtbot, replace(CONNECTION, model=PLAIN.name))
    window.actions_["generate_all"].trigger()
    assert "SDXL. Licence: Unknown." in question(window).informativeText()
    answer(window, "Cancel")


def test_a_job_asked_for_while_connecting_waits_for_the_question(
    window: Any, qtbot: Any, desk: Desk
) -> None:
    """Model and licence are known once the server has answered; only then may anything be sent."""
    desk.server.connects = [gone()]
    saved = desk.servers.save(CONNECTION, None, "", lambda _: None)
    boxes(window)
    window.engines_controller.use(saved.id)
    assert window.prompt.generate.text() == "Connecting…"
    window.actions_["generate_all"].trigger()
    assert window.status.message.text().startswith("The job starts as soon as")
    qtbot.waitUntil(lambda: window.session.bridge.state == "failed")
    assert desk.server.submitted == []
    window.engines_controller.use(saved.id)
    window.actions_["generate_all"].trigger()
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)))
    agree(window)
    qtbot.waitUntil(lambda: window.session.undo.index > 3)


def test_a_graph_of_the_user_is_named_among_what_is_sent() -> None:
    graph = OwnGraph(path="/g.json", prompt="6.text", output="9")
    text = sent_text(new_connection(replace(CONNECTION, own_graph=graph)))
    assert "your graph go to http://127.0.0.1:8188" in text


# ---- drawing ----


def test_boxes_become_layers_and_mixed_documents_keep(
    window: Any, qtbot: Any, desk: Desk, tmp_path: Path
) -> None:
    """Built-in repaints one layer, the server's stay bit for bit; the file has all of them."""
    desk.connect(qtbot)
    boxes(window)
    drawn(window, qtbot)
    made = hashes(window)
    assert len(set(made.values())) == 3
    first, second = window.session.document.foregrounds
    assert {first.record["word"], second.record["word"]} == {"red fox", "wooden cart"}
    lines = record_lines(first)
    assert "Engine: ComfyUI" in lines and f"Shows: {first.record['word']}" in lines
    assert not any(line.startswith(("Guidance", "Threads", "Precision")) for line in lines)
    assert "127.0.0.1" not in str(first.record), "records carry no address"
    window.actions_["use_built_in"].trigger()
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready")
    window.session.selection.set([second.id])
    later(window)
    generate(window, qtbot, "regenerate")
    now = hashes(window)
    assert [name for name in made if made[name] != now[name]] == [second.name]
    path = tmp_path / "mixed.ora"
    window.files.write(path)
    qtbot.waitUntil(lambda: window.session.undo.is_clean)
    again = load_project(path).contents
    assert {layer.name: layer.pixel_hash for layer in again.layers} == now
    engines = [(layer.record or {}).get("engine") for layer in again.layers]
    assert engines == ["comfyui", "comfyui", None]


def test_progress_names_the_layer_and_predictions_wait(window: Any, qtbot: Any, desk: Desk) -> None:
    """No seconds before the first job of this server has ended; afterwards there are some."""
    desk.connect(qtbot)
    boxes(window)
    texts: list[str] = []
    window.session.bridge.job_changed.connect(
        lambda job: texts.append(window.prompt.progress_text.text())
    )
    costs = shown(window).store.state.offers.likely.cost
    assert costs == ""
    drawn(window, qtbot)
    window.actions_["show_jobs"].trigger()
    assert NAME in window.dialogs.dialog.table.item(0, 0).toolTip()
    window.dialogs.dialog.close()
    assert "Layer 1 of 3" in texts and "Layer 3 of 3" in texts
    assert not any("left" in text or "Painting" in text for text in texts)
    assert shown(window).store.state.offers.by_action["generate_all"].cost.startswith("≈")
    asked = len(desk.server.submitted)
    window.dialogs._measure_again()
    assert window.status.message.text().startswith("A server is not measured")
    assert shown(window).store.state.offers.by_action["generate_all"].cost == ""
    assert len(desk.server.submitted) == asked


def test_stop_ends_the_job_and_variations_wait_in_the_strip(
    window: Any, qtbot: Any, desk: Desk
) -> None:
    desk.connect(qtbot)
    boxes(window)
    desk.server.waits.set()
    before = hashes(window)
    window.actions_["generate_all"].trigger()
    agree(window)
    qtbot.waitUntil(desk.server.is_waiting.is_set)
    window.actions_["stop"].trigger()
    desk.server.waits.clear()
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready")
    assert hashes(window) == before
    assert window.status.message.text() == "Stopped. Your picture did not change."
    qtbot.waitUntil(lambda: bool(desk.server.cancelled))
    window.prompt.variations.setValue(2)
    later(window)
    window.actions_["generate_all"].trigger()
    qtbot.waitUntil(lambda: len(window.session.document.foregrounds[0].candidates) == 2)
    first, second = window.session.document.foregrounds[0].candidates
    assert first.pixel_hash != second.pixel_hash


def test_previews_are_shown_over_their_boxes(window: Any, qtbot: Any, desk: Desk) -> None:
    desk.connect(qtbot)
    boxes(window)
    shown_for: list[tuple[int, Any]] = []
    window.session.bridge.preview_changed.connect(
        lambda layer_id, box, rgba: shown_for.append((layer_id, np.asarray(rgba).shape))
    )
    desk.server.waits.set()
    window.actions_["generate_all"].trigger()
    agree(window)
    qtbot.waitUntil(lambda: bool(shown_for))
    desk.server.waits.clear()
    qtbot.waitUntil(lambda: window.session.bridge.current is None)
    assert shown_for[0][1] == (8, 8, 4)


# ---- faults ----


def test_a_server_that_does_not_answer_is_one_message_with_what_to_do(
    window: Any, qtbot: Any, desk: Desk
) -> None:
    """Two buttons: connect again, and the page of engines. Once it answers, the message goes."""
    desk.server.connects = [gone()]
    saved = desk.servers.save(CONNECTION, None, "", lambda _: None)
    window.engines_controller.use(saved.id)
    qtbot.waitUntil(lambda: window.messages.isVisible())
    assert window.status.engine.text() == f"{NAME} · Not connected"
    text = window.messages.text.text()
    assert text.startswith("The server does not answer.") and "Start it and try again." in text
    assert "You can draw, edit and export, but not generate." in text
    assert window.messages.action_button.text() == "Connect Again"
    assert window.messages.other_button.text() == "Engines"
    boxes(window)
    assert not shown(window).actions_["generate"].isEnabled()
    window.actions_["restart_engine"].trigger()
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready")
    assert not window.messages.isVisible()
    assert shown(window).actions_["generate"].isEnabled()
    desk.server.connects = [gone()]
    other = desk.servers.save(replace(CONNECTION, model="ming"), None, "", lambda _: None)
    window.engines_controller.use(other.id)
    qtbot.waitUntil(window.messages.isVisible)
    window.actions_["use_built_in"].trigger()
    assert not window.messages.isVisible(), "another engine draws"


def test_a_job_that_fails_can_be_tried_again(window: Any, qtbot: Any, desk: Desk) -> None:
    """The document is untouched; pictures that arrived are not asked for a second time."""
    desk.connect(qtbot)
    boxes(window)
    desk.server.faults = {
        1: RemoteError("refused", "The server refused the picture.", "Choose another model.")
    }
    before = hashes(window)
    assert not shown(window).actions_["retry_job"].isEnabled()
    window.actions_["generate_all"].trigger()
    agree(window)
    qtbot.waitUntil(lambda: window.messages.isVisible())
    text = window.messages.text.text()
    assert "The server refused the picture." in text and "Choose another model." in text
    assert "Your picture did not change." in text
    assert hashes(window) == before
    asked = len(desk.server.submitted)
    button = window.messages.action_button
    assert (button.text(), window.messages.other_button.text()) == ("Try Again", "Engines")
    later(window)
    button.click()
    qtbot.waitUntil(lambda: window.session.bridge.current is None)
    assert all(layer.has_pixels for layer in window.session.document.foregrounds)
    assert len(desk.server.submitted) == asked + 2, "the first picture had arrived"
    assert not shown(window).actions_["retry_job"].isEnabled()


def test_a_switch_leaves_the_running_job_with_its_server(
    window: Any, qtbot: Any, desk: Desk
) -> None:
    desk.connect(qtbot)
    boxes(window)
    desk.server.waits.set()
    window.actions_["generate_all"].trigger()
    agree(window)
    qtbot.waitUntil(desk.server.is_waiting.is_set)
    window.actions_["use_built_in"].trigger()
    desk.server.waits.clear()
    qtbot.waitUntil(lambda: window.session.bridge.current is None)
    assert all(layer.has_pixels for layer in window.session.document.foregrounds)
    assert window.engine.requests == []
