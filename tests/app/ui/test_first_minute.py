"""The first minute: start card, New, Generate, quick clicks; and the room for the canvas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMenu

from app.document.geometry import Size
from app.document.storage.ora.file import save_project
from app.ui.controllers.messages import first_run_message
from app.ui.dialogs.job_list import JobsDialog
from app.ui.key_presets import PRESETS, conflicts, keys_for
from app.ui.likely import SCOPES
from app.ui.menus import ALTERNATIVES
from app.ui.panels.layer_rows import StateRole
from tests.app.painted import document_with_boxes, fill
from tests.app.ui.helpers import (
    LEFT,
    NONE,
    drag,
    draw_box,
    generate,
    hashes,
    key,
    later,
    press_and_move,
    shown,
)

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


# ---- the start card ----


def on_card(window: Any) -> list[QPoint]:
    """Places all over the card, in the view's pixels, that are on none of its buttons."""
    card = window.card
    buttons = [card.draw, card.examples, card.open]
    taken = [button.rect().translated(button.mapTo(window.view, QPoint())) for button in buttons]
    box = card.geometry()
    places = [
        QPoint(box.left() + box.width() * x // 12, box.top() + box.height() * y // 12)
        for x in range(1, 12)
        for y in range(1, 12)
    ]
    gap = taken[0].center()
    gap.setX((taken[0].right() + taken[1].left() + 1) // 2)
    return [place for place in (*places, gap) if not any(box.contains(place) for box in taken)]


def test_every_place_of_the_card_lets_the_mouse_through(window: Any) -> None:
    """Between the buttons as well; the buttons take clicks."""
    assert window.card.isVisible()
    places = on_card(window)
    assert len(places) > 60
    for place in places:
        assert window.view.childAt(place) is window.view.viewport(), place
    draw = window.card.draw
    assert window.view.childAt(draw.mapTo(window.view, draw.rect().center())) is draw


def test_a_drag_that_begins_on_the_card_draws_a_box(window: Any) -> None:
    """The card goes with the press, before the drag has a length."""
    viewport = window.view.viewport()
    start = window.card.geometry().center()
    QTest.mousePress(viewport, LEFT, NONE, start)
    assert not window.card.isVisible()
    assert not window.card.buttons.isVisible()
    QTest.mouseRelease(viewport, LEFT, NONE, start)
    assert not window.card.isVisible(), "a click was enough"
    drag(window, (200, 200), (328, 328))
    assert len(window.session.document.foregrounds) == 1


def test_draw_a_box_takes_the_card_away(window: Any) -> None:
    window.actions_["tool_hand"].trigger()
    QTest.mouseClick(window.card.draw, LEFT)
    assert not window.card.isVisible()
    assert window.view.mouse.tool_name == "box"
    assert window.view.hasFocus()
    window.prompt.field.setPlainText("a dog")
    assert not window.card.isVisible(), "it stays away"


def test_the_card_says_what_to_do(window: Any) -> None:
    said = " ".join(window.card.title.text().split())
    assert said == "1 Type what you want to see. 2 Drag a box for each thing. 3 Press Generate."


# ---- New and Open ----


def new_picture(window: Any, qtbot: Any) -> None:
    """File > New, with the size that the dialog offers first."""
    window.session.undo.mark_saved()
    window.actions_["new"].trigger()
    (dialog,) = [each for each in window.findChildren(QDialog) if each.isVisible()]
    dialog.accept()
    window.activateWindow()  # the offscreen platform does not give the focus back by itself
    qtbot.waitUntil(window.isActiveWindow)


def test_new_begins_as_the_first_start(window: Any, qtbot: Any) -> None:
    """The box tool, the keyboard in the prompt, the card; and the first result selects again."""
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    assert window.view.mouse.tool_name == "select"
    window.view.setFocus()
    new_picture(window, qtbot)
    assert window.view.mouse.tool_name == "box"
    assert window.actions_["tool_box"].isChecked()
    assert window.card.isVisible() and window.card.buttons.isVisible()
    assert window.prompt.field.hasFocus()
    QTest.keyClicks(QApplication.focusWidget(), "a penguin")
    assert window.session.document.prompt == "a penguin"
    drag(window, (64, 64), (192, 192))
    assert not window.card.isVisible()
    window.actions_["generate"].trigger()
    window.engine.finish()
    qtbot.waitUntil(lambda: window.view.mouse.tool_name == "select")


def test_undo_and_redo_bring_the_tool_of_the_document(window: Any, qtbot: Any) -> None:
    """Back at the start card the box tool draws, in a finished picture the select tool selects."""
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    undo, redo = window.actions_["undo"].trigger, window.actions_["redo"].trigger
    undo()
    assert window.view.mouse.tool_name == "select", "the same document: the tool stays"
    undo()
    assert window.card.isVisible()
    assert window.view.mouse.tool_name == "box" and window.actions_["tool_box"].isChecked()
    window.actions_["tool_hand"].trigger()
    redo()
    assert window.view.mouse.tool_name == "box", "a layout is there to be drawn"
    redo()
    window.actions_["tool_select"].trigger()
    new_picture(window, qtbot)
    assert window.view.mouse.tool_name == "box"
    undo()
    assert window.view.mouse.tool_name == "select"
    redo()
    assert window.card.isVisible() and window.view.mouse.tool_name == "box"


@pytest.mark.parametrize(("is_finished", "tool"), [(True, "select"), (False, "box")])
def test_the_tool_after_opening(
    window: Any, qtbot: Any, tmp_path: Path, is_finished: bool, tool: str
) -> None:
    """A finished picture is there to be changed, boxes alone are there to be drawn."""
    document = document_with_boxes((0, 0, 64, 64))
    if is_finished:
        fill(document)
    path = tmp_path / "a.ora"
    save_project(document.contents, path)
    window.actions_["tool_hand"].trigger()
    window.files.open_path(path)
    qtbot.waitUntil(lambda: window.session.path == path)
    assert window.view.mouse.tool_name == tool
    assert window.actions_[f"tool_{tool}"].isChecked()


# ---- Generate ----


def finished(window: Any, qtbot: Any, count: int = 3) -> None:
    """A picture of so many finished layers and background; nothing is selected."""
    for place in range(count):
        draw_box(window, 32 + 128 * place, 32, 128 + 128 * place, 128)
    window.prompt.field.setPlainText("a cake, a rabbit and a tree")
    words = ("cake", "rabbit", "tree")
    layers = window.session.document.foregrounds
    window.engine.words = {each.id: word for each, word in zip(layers, words, strict=False)}
    generate(window, qtbot)
    window.session.selection.clear()
    later(window)


def targets(window: Any) -> set[int]:
    return {layer.layer_id for layer in window.engine.last.layers if layer.is_target}


def test_ctrl_enter_fills_the_new_box_alone(window: Any, qtbot: Any) -> None:
    """The button says so, and seven finished layers keep their bytes."""
    finished(window, qtbot)
    before = hashes(window)
    draw_box(window, 256, 256, 384, 384)
    assert shown(window).prompt.generate.text().startswith("Fill 1 box")
    assert window.actions_["generate"].text().startswith("&Generate (Fill 1 box")
    key(window, Qt.Key.Key_Return, CTRL, widget=window.view)
    (box,) = [each for each in window.session.document.foregrounds if not each.has_pixels]
    assert targets(window) == {box.id}
    window.engine.finish()
    qtbot.waitUntil(lambda: window.session.document.layer(box.id).has_pixels)
    assert {name: hashes(window)[name] for name in before} == before


def test_the_button_repaints_what_is_selected(window: Any, qtbot: Any) -> None:
    finished(window, qtbot)
    cake = window.session.document.foregrounds[0]
    window.session.selection.set([cake.id])
    assert shown(window).prompt.generate.text().startswith("Repaint 'cake'")
    window.prompt.generate.click()
    assert targets(window) == {cake.id}
    window.session.bridge.stop()


def test_nothing_selected_paints_everything(window: Any, qtbot: Any) -> None:
    finished(window, qtbot)
    assert shown(window).prompt.generate.text().startswith("Paint everything")
    window.prompt.generate.click()
    assert len(targets(window)) == 4
    window.session.bridge.stop()


def test_one_changed_word_repaints_one_layer(window: Any, qtbot: Any) -> None:
    """The row of this layer alone says that its word has gone."""
    finished(window, qtbot)
    window.prompt.field.setPlainText("a cake, a dragon and a tree")
    model = window.layers.model
    said = [model.data(model.index(row), StateRole).text for row in range(4)]
    assert said == ["Up to date", "Word no longer in the prompt", "Up to date", "Up to date"]
    assert shown(window).prompt.generate.text().startswith("Repaint 'rabbit'")
    window.prompt.generate.click()
    assert targets(window) == {window.session.document.foregrounds[1].id}
    window.session.bridge.stop()


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_each_alternative_is_in_the_list_with_a_key_that_works(
    window: Any, qtbot: Any, name: str
) -> None:
    """From the canvas and from the prompt; the drop-down and the menu show it."""
    finished(window, qtbot)
    draw_box(window, 256, 256, 384, 384)
    window.session.selection.set([window.session.document.foregrounds[0].id])
    window.prompt.field.setPlainText("a rabbit and a tree")
    action = window.actions_[name]
    listed = [each for menu in window.prompt.findChildren(QMenu) for each in menu.actions()]
    assert action in listed
    assert action.isShortcutVisibleInContextMenu()
    (combination, *_) = action.shortcuts()[0]
    contents = window.session.document.contents
    wanted = window.session.bridge.plan(SCOPES[name], window.session.selection.ids)
    for widget in (window.view, window.prompt.field):
        later(window)
        key(window, combination.key(), combination.keyboardModifiers(), widget=widget)
        assert targets(window) == {layer.id for layer in wanted.targets}
        window.session.bridge.stop()
    assert window.session.document.contents == contents, "the keys typed nothing"


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_has_a_key_for_each_alternative(preset: str) -> None:
    keys = keys_for(preset, {})
    assert all(keys[name] for name in (*ALTERNATIVES, "generate", "generate_next"))
    assert not conflicts(keys)
    assert all(QKeySequence(each) for name in ALTERNATIVES for each in keys[name])


def test_fifteen_quick_clicks_are_one_job(window: Any, qtbot: Any) -> None:
    """The job goes on, the status bar says so, and the job list has one row."""
    draw_box(window, 64, 64, 192, 192)
    for _ in range(15):
        window.prompt.generate.click()
    assert len(window.engine.requests) == 1
    assert window.engine.cancelled == []
    assert window.status.message.text().startswith("Already generating.")
    assert len(window.session.bridge.jobs) == 1
    later(window)
    window.prompt.generate.click()
    assert len(window.engine.requests) == 2, "a second later it is another request"
    window.engine.end_cancelled(window.engine.requests[0])
    qtbot.waitUntil(lambda: len(window.session.bridge.jobs) == 1)


def test_a_double_click_does_not_repaint_what_it_filled(window: Any, qtbot: Any) -> None:
    """The job ended between the clicks."""
    finished(window, qtbot)
    draw_box(window, 256, 256, 384, 384)
    window.prompt.generate.click()
    window.engine.finish()
    qtbot.waitUntil(lambda: window.session.bridge.current is None)
    assert shown(window).prompt.generate.text().startswith("Repaint 'Layer 4'")
    count = len(window.engine.requests)
    window.prompt.generate.click()
    assert len(window.engine.requests) == count
    assert "Press again" in window.status.message.text()
    later(window)
    window.prompt.generate.click()
    assert len(window.engine.requests) == count + 1
    window.session.bridge.stop()


def test_stopped_jobs_without_results_have_no_row(window: Any, qtbot: Any) -> None:
    draw_box(window, 64, 64, 192, 192)
    for _ in range(3):
        later(window)
        window.actions_["generate"].trigger()
        window.actions_["stop"].trigger()
        window.engine.end_cancelled()
    qtbot.waitUntil(lambda: not len(window.session.bridge.jobs))
    window.prompt.jobs.click()
    (dialog,) = window.findChildren(JobsDialog)
    assert dialog.table.rowCount() == 0
    dialog.close()


def test_job_rows_show_what_was_made(window: Any, qtbot: Any) -> None:
    """A picture of the results, the layer's word, and how many results; each row is one line."""
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    window.prompt.jobs.click()
    (dialog,) = window.findChildren(JobsDialog)
    (job,) = window.session.bridge.jobs
    qtbot.waitUntil(lambda: window.dialogs.job_pictures.get(job.id) is not None)
    small = window.dialogs.job_pictures.get(job.id)
    assert max(small.width(), small.height()) == 64
    shown = dialog.table.item(0, 0).icon().pixmap(64, 64).toImage()
    assert shown.pixelColor(32, 32).alpha() == 255
    assert shown.pixelColor(32, 32) == small.pixelColor(small.width() // 2, small.height() // 2)
    window.prompt.variations.setValue(4)
    window.session.selection.set([window.session.document.foregrounds[0].id])
    later(window)
    window.actions_["regenerate"].trigger()
    waiting = dialog.table.item(0, 0)
    assert waiting.text().startswith("4 × 'Layer 1'")
    assert waiting.icon().pixmap(64, 64).toImage().pixelColor(32, 32).alpha() == 0
    assert not dialog.table.wordWrap()
    window.session.bridge.stop()
    dialog.close()


# ---- room for the canvas ----


def share(window: Any) -> float:
    view = window.view
    return float(view.width() * view.height() / (window.width() * window.height()))


def test_the_canvas_keeps_half_of_a_small_window(window: Any, qtbot: Any) -> None:
    """1024 x 640 with prompt bar, layers and inspector, in every state; it is never resized."""
    window.resize(1024, 640)
    qtbot.wait(30)
    assert (window.width(), window.height()) == (1024, 640)
    assert window.layers.isVisible() and window.inspector.isVisible()
    sizes = {(window.view.width(), window.view.height())}
    assert share(window) >= 0.5
    window.messages.show_message(first_run_message())
    qtbot.wait(30)
    assert window.messages.isVisible()
    sizes.add((window.view.width(), window.view.height()))
    window.messages.dismiss()
    window.prompt.field.setPlainText("a qwerzhs and a dog")
    qtbot.waitUntil(lambda: "qwerzhs" in window.prompt.words.text())
    sizes.add((window.view.width(), window.view.height()))
    draw_box(window, 64, 64, 192, 192)
    window.actions_["generate"].trigger()
    window.engine.begin(steps=3)
    qtbot.waitUntil(lambda: bool(window.prompt.progress_text.text()))
    sizes.add((window.view.width(), window.view.height()))
    window.engine.finish()
    qtbot.waitUntil(lambda: window.session.bridge.current is None)
    window.session.selection.set([window.session.document.foregrounds[0].id])
    generate(window, qtbot, "regenerate")
    qtbot.waitUntil(window.strip.isVisible)
    sizes.add((window.view.width(), window.view.height()))
    assert len(sizes) == 1


def test_the_prompt_has_two_lines_and_none_to_spare(window: Any) -> None:
    """The line below it stands beside the second row of controls."""
    field = window.prompt.field
    line = field.fontMetrics().lineSpacing()
    assert 2 * line <= field.viewport().height() < 3 * line
    bar = window.prompt
    label = bar.words.mapTo(bar, QPoint()).y()
    assert label < bar.variations.mapTo(bar, QPoint()).y() + bar.variations.height()
    assert bar.words.text() == ""


def test_a_press_in_the_middle_of_a_drag_is_no_second_card(window: Any) -> None:
    """Esc ends the drag; the card has been read and stays away until New."""
    press_and_move(window, (128, 128), (384, 384))
    key(window, Qt.Key.Key_Escape, widget=window.view)
    assert not window.card.isVisible()
    window.files._start_new(Size(512, 512))
    assert window.card.isVisible()
    assert window.card.findChildren(QLabel)
