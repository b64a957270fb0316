"""The plan in sight: words for boxes, the panel of things, boxes for the things of the prompt."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from app.document import Rect
from app.document.commands import MoveLayers, PlaceBoxes, SetPrompt, SetShows
from app.session.prompt_summary import summarise
from app.ui.panels.prompt_line import line_of, marks_of
from app.ui.panels.things import THING_MIME
from engine import check_pin, check_prompt
from tests.app.painted import fill
from tests.app.ui.helpers import at, draw_box, generate

RIGHT, ENTER, ESC = Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.Key.Key_Escape


def say(window: Any, prompt: str) -> None:
    window.session.push(SetPrompt(prompt))
    window.prompt_controller.check_now()


def shows(window: Any) -> list[str]:
    return [layer.shows for layer in window.session.document.foregrounds]


def choose(window: Any, name: str) -> None:
    """Press the button under the prompt and take an action of its menu."""
    window.prompt.fix.click()
    menu = window.prompt.fix.findChild(QMenu)
    menu.actions()[[action.objectName() for action in menu.actions()].index(name)].trigger()
    menu.close()


def finish(window: Any, qtbot: Any) -> None:
    window.engine.finish()
    qtbot.waitUntil(lambda: window.session.bridge.current is None)


def give(window: Any, word: str) -> None:
    """Type a word into the field and press Enter."""
    field = window.inspector.shows
    field.setFocus()
    field.clear()
    QTest.keyClicks(field, word)
    QTest.keyClick(field, ENTER)


# ---- words for boxes ----


def test_a_word_is_pinned_repainted_and_in_the_prompt_in_one_step(window: Any) -> None:
    say(window, "a dog and a balloon")
    draw_box(window, 64, 64, 192, 192)
    fill(window.session.document, word="dog")
    window.session.selection.set([window.session.document.foregrounds[0].id])
    before = window.session.document.content_hash()
    give(window, "castle")
    assert window.session.document.prompt == "a castle and a balloon"
    (target,) = [layer for layer in window.engine.last.layers if layer.is_target]
    assert target.shows == "castle"
    window.engine.finish()
    assert shows(window) == ["castle"]
    window.actions_["undo"].trigger()
    assert window.session.document.content_hash() == before


def test_leaving_the_field_pins_without_a_job_and_an_empty_field_unpins(window: Any) -> None:
    draw_box(window, 64, 64, 192, 192)
    field = window.inspector.shows
    field.setFocus()
    QTest.keyClicks(field, "dog")
    field.completer().popup().hide()
    field.clearFocus()
    assert shows(window) == ["dog"]
    assert not window.engine.requests
    give(window, "")
    assert shows(window) == [""]
    assert field.placeholderText() == "Automatic"
    assert not window.engine.requests


@pytest.mark.parametrize(("word", "better"), [("stapler", ""), ("castel", "castle")])
def test_a_word_that_is_not_drawn_changes_nothing_and_says_why(window, word, better) -> None:
    draw_box(window, 64, 64, 192, 192)
    give(window, word)
    assert shows(window) == [""]
    message = window.messages.text.text()
    assert f"This model cannot draw '{word}'." in message
    assert (f"Did you mean '{better}'?" in message) == bool(better)
    assert not window.engine.requests


def test_several_boxes_take_one_word_and_the_background_takes_none(window: Any) -> None:
    draw_box(window, 64, 64, 192, 192)
    draw_box(window, 224, 64, 352, 192)
    window.session.selection.set([layer.id for layer in window.session.document.foregrounds])
    give(window, "dog")
    assert shows(window) == ["dog", "dog"]
    window.session.selection.set([window.session.document.background.id])
    assert not window.inspector.shows.isEnabled()
    assert "background" in window.inspector.shows.toolTip()


def test_names_follow_the_pinned_word(window: Any) -> None:
    draw_box(window, 64, 64, 192, 192)
    layer = window.session.document.foregrounds[0]
    window.session.push(SetShows({layer.id: "dog"}))
    assert window.session.document.name_of(window.session.document.foregrounds[0]) == "Dog"


def test_boxes_say_what_they_will_show_before_it_is_painted(window: Any, qtbot: Any) -> None:
    say(window, "a dog")
    draw_box(window, 64, 64, 192, 192)
    layer = window.session.document.foregrounds[0]
    window.engine.words = {layer.id: "dog"}
    window.actions_["generate_all"].trigger()
    window.engine.begin()
    rows = window.layers.model
    qtbot.waitUntil(lambda: "Painting: dog" in window.inspector.state.text.text())
    assert rows.running[layer.id] == window.view.decor.running[layer.id] == "dog"
    window.engine.finish()
    qtbot.waitUntil(lambda: not rows.running)


# ---- the panel of things ----


def listed(panel: Any) -> list[str]:
    found = panel.list.model()
    return [found.index(row, 0).data() for row in range(found.rowCount())]


def test_search_finds_names_other_words_and_categories(window: Any) -> None:
    window.actions_["pane_things"].trigger()
    panel = window.things
    assert not panel.visibleRegion().isEmpty()
    assert listed(panel) == ["balloon", "castle", "dog", "sky", "red", "blue", "flat"]
    panel.field.setText("puppy")
    assert listed(panel) == ["dog"]
    panel.field.setText("LOOK")
    assert listed(panel) == ["flat"]
    panel.field.setText("zzz")
    assert listed(panel) == []
    assert panel.none.text() == "The model draws nothing called 'zzz'."
    panel.field.clear()
    panel.groups.setCurrentText("Animals")
    assert listed(panel) == ["dog"]


def test_enter_puts_the_first_word_into_the_prompt(window: Any) -> None:
    say(window, "a castle and a")
    window.prompt.field.moveCursor(window.prompt.field.textCursor().MoveOperation.End)
    window.actions_["pane_things"].trigger()
    QTest.keyClicks(window.things.field, "dog")
    QTest.keyClick(window.things.field, ENTER)
    assert window.session.document.prompt == "a castle and a dog"


def test_a_thing_dropped_on_the_canvas_is_a_box_of_its_size_with_its_word(window: Any) -> None:
    model = window.things.model
    data = model.mimeData([model.index(2, 0)])
    assert data.text() == "dog"
    assert bytes(data.data(THING_MIME).data()) == b"dog"
    port = window.view.viewport()
    place = QPointF(at(window, 256, 256))
    buttons, held = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(place.toPoint(), Qt.DropAction.CopyAction, data, buttons, held)
    QApplication.sendEvent(port, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(port, QDropEvent(place, Qt.DropAction.CopyAction, data, buttons, held))
    (layer,) = window.session.document.foregrounds
    assert layer.shows == "dog"
    assert abs(layer.rect.centre[0] - 256) <= 32
    assert abs(layer.rect.centre[1] - 256) <= 32
    assert window.session.selection.single() == layer


def test_looks_and_colours_are_words_and_no_boxes(window: Any) -> None:
    model = window.things.model
    data = model.mimeData([model.index(model.rowCount() - 1, 0)])
    assert data.text() == "flat"
    assert not data.hasFormat(THING_MIME)
    assert isinstance(data, QMimeData)


def test_a_colour_repaints_the_selected_thing_or_joins_the_prompt(window: Any) -> None:
    window.things.chosen.emit("blue")
    assert window.session.document.prompt == "blue"
    draw_box(window, 64, 64, 192, 192)
    fill(window.session.document, word="dog")
    window.session.selection.set([window.session.document.foregrounds[0].id])
    window.things.chosen.emit("red")
    assert shows(window) == ["red dog"]
    (target,) = [layer for layer in window.engine.last.layers if layer.is_target]
    assert target.shows == "red dog"
    assert window.session.document.prompt == "blue"


# ---- boxes for the prompt ----


def test_suggested_boxes_are_ghosts_until_enter_and_one_undo_step(window: Any) -> None:
    say(window, "a dog, a castle and two balloons")
    before = window.session.document.contents
    window.actions_["suggest_layout"].trigger()
    first = list(window.view.decor.ghosts)
    assert sorted(text for _, text in first) == ["balloon", "balloon", "castle", "dog"]
    assert window.session.document.contents is before
    assert not window.card.isVisible()
    QTest.keyClick(window.view, RIGHT)
    assert list(window.view.decor.ghosts) != first
    QTest.keyClick(window.view, Qt.Key.Key_Left)
    assert list(window.view.decor.ghosts) == first
    QTest.keyClick(window.view, ENTER)
    assert not window.view.decor.ghosts
    placed = window.session.document.foregrounds
    assert [(layer.rect, layer.shows) for layer in placed] == first
    window.actions_["undo"].trigger()
    assert window.session.document.contents == before


def test_esc_a_click_and_any_change_take_the_suggestion_away(window: Any) -> None:
    say(window, "a dog and a castle")
    window.actions_["suggest_layout"].trigger()
    QTest.keyClick(window.view, ESC)
    assert not window.view.decor.ghosts
    window.actions_["suggest_layout"].trigger()
    QTest.mouseClick(
        window.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(at(window, 20, 20))
    )
    assert not window.view.decor.ghosts
    window.actions_["suggest_layout"].trigger()
    say(window, "a dog")
    assert not window.view.decor.ghosts
    assert not window.session.document.foregrounds


def test_other_commands_work_while_a_layout_is_suggested(window: Any) -> None:
    say(window, "a dog and a castle")
    window.actions_["suggest_layout"].trigger()
    window.view.setFocus()
    QTest.keyClick(window.view, ENTER, Qt.KeyboardModifier.ControlModifier)
    assert not window.session.document.foregrounds  # Ctrl+Enter is no Enter


def test_painted_layers_stay_when_boxes_are_placed(window: Any) -> None:
    draw_box(window, 64, 64, 192, 192)
    fill(window.session.document, word="dog")
    draw_box(window, 224, 224, 352, 352)
    say(window, "a castle")
    window.actions_["suggest_layout"].trigger()
    QTest.keyClick(window.view, ENTER)
    assert [layer.has_pixels for layer in window.session.document.foregrounds] == [True, False]
    assert shows(window) == ["", "castle"]


def test_things_without_a_box_get_one_each(window: Any) -> None:
    draw_box(window, 64, 64, 192, 192)
    say(window, "a dog, a castle and two balloons")
    assert window.prompt.fix.text() == "Add 3 boxes"
    window.prompt.fix.click()
    assert shows(window) == ["", "castle", "balloon", "balloon"]
    window.prompt_controller.check_now()
    assert not window.prompt.fix.isVisible()
    assert "every thing of the prompt has a box" in window.actions_["add_missing"].toolTip()
    window.actions_["undo"].trigger()
    assert shows(window) == [""]


def test_spare_boxes_stay_empty_unless_things_repeat(window: Any) -> None:
    for left in (32, 192, 352):
        draw_box(window, left, 64, left + 96, 192)
    say(window, "a dog")
    assert "2 boxes stay empty" in window.prompt.words.text()
    choose(window, "repeat_things")
    assert window.session.document.settings.repeat_things
    window.prompt_controller.check_now()
    assert "stay empty" not in window.prompt.words.text()
    window.actions_["generate_all"].trigger()
    assert window.engine.last.spare_boxes == "repeat"
    window.actions_["undo"].trigger()
    assert not window.session.document.settings.repeat_things


def test_spare_boxes_get_things_that_suit_them(window: Any) -> None:
    for left in (32, 192, 352):
        draw_box(window, left, 64, left + 96, 192)
    say(window, "a dog")
    choose(window, "suggest_things")
    assert sorted(shows(window)) == ["", "balloon", "castle"]
    assert not window.engine.requests
    window.prompt_controller.check_now()
    assert "stay empty" not in window.prompt.words.text()
    assert "no box stays empty" in window.actions_["suggest_things"].toolTip()
    window.actions_["undo"].trigger()
    assert shows(window) == ["", "", ""]


# ---- looks and colours of single things ----


def test_a_look_or_colour_repaints_the_selected_things_alone(window: Any, qtbot: Any) -> None:
    """From the panel or the menu: one repaint, one undo step; a look stays out of the prompt."""
    say(window, "a red dog and a castle")
    for left in (32, 192):
        draw_box(window, left, 64, left + 96, 192)
    document = window.session.document
    window.engine.words = {
        layer.id: word
        for layer, word in zip(document.foregrounds, ("red dog", "castle"), strict=True)
    }
    generate(window, qtbot)
    steps = window.session.undo.count
    window.session.selection.set([document.foregrounds[0].id])
    window.things.chosen.emit("flat")
    assert shows(window) == ["flat red dog", ""]
    assert document.prompt == "a red dog and a castle"
    (target,) = [layer for layer in window.engine.last.layers if layer.is_target]
    assert target.shows == "flat red dog"
    finish(window, qtbot)
    window.live.colours.aboutToShow.emit()
    (blue,) = [each for each in window.live.colours.actions() if each.text() == "blue"]
    assert blue.isEnabled()
    blue.trigger()
    assert shows(window) == ["flat blue dog", ""]
    assert document.prompt == "a blue dog and a castle"
    finish(window, qtbot)
    assert window.session.undo.count == steps + 2
    window.session.selection.set([layer.id for layer in document.foregrounds])
    window.things.chosen.emit("red")
    assert shows(window) == ["flat red dog", "red castle"]
    window.session.selection.clear()
    window.live.colours.aboutToShow.emit()
    assert not blue.isEnabled()
    window.things.chosen.emit("red")
    assert document.prompt.startswith("red ")


def test_the_first_picture_says_once_how_a_thing_is_replaced(window: Any, qtbot: Any) -> None:
    window.settings.replace_hint_done = False
    say(window, "a dog")
    draw_box(window, 32, 64, 128, 192)
    for times in (1, 0):
        generate(window, qtbot)
        assert window.messages.isVisible() == bool(times)
        assert not times or "replace one thing" in window.messages.text.text()


# ---- the line and the marks ----


def test_a_change_that_touches_no_word_checks_nothing_again(window: Any, monkeypatch: Any) -> None:
    """Dragging fifty painted layers must not read their words at each step."""
    say(window, "a dog and a balloon")
    for left in (32, 192):
        draw_box(window, left, 64, left + 96, 192)
    fill(window.session.document, word="dog")
    summary = window.session.bridge.summary()

    def fail(*_: Any) -> None:
        raise AssertionError("a prompt was read again")

    monkeypatch.setattr("app.session.queue.check_prompt", fail)
    monkeypatch.setattr("engine.prompt_check.read_pin", fail)
    first = window.session.document.foregrounds[0]
    window.session.push(MoveLayers([first.id], 32, 0))
    assert window.session.bridge.summary() is summary


def test_an_empty_prompt_reads_no_tables(window: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("app.session.queue.check_prompt", None)
    say(window, "  ")
    assert window.session.bridge.summary().check.objects == ()


@pytest.mark.parametrize(
    ("prompt", "boxes", "text", "button"),
    [
        ("a cat and three balloons on a beach", [None] * 4,
         "Draws: cat, 3 balloons · on a beach", ""),
        ("a cat and a stapler", [None],
         "Not drawn by this model: stapler · Draws: cat", ""),
        ("a cat, an elefant", [None, None], "'elefant' is read as 'elephant' · Draws: cat", ""),
        ("a cat and a dog", [None] * 7, "5 boxes stay empty · Draws: cat", "Fill them"),
        ("a cat, a dog, the moon", [None] * 2, "No box for: moon · Draws:", "Add a box"),
        ("a cat", [], "Draws: cat", "Place boxes"),
        ("balloons", [None] * 3, "Draws: balloons", ""),
        ("\u05d7\u05ea\u05d5\u05dc a cat", [None],
         "Not drawn by this model: \u2068\u05d7\u05ea\u05d5\u05dc\u2069 · Draws: cat", ""),
        ("", [None], "", ""),
        ("a stapler", [None], "The model draws none of these things.", ""),
    ],
)  # fmt: skip
def test_the_line_says_what_comes_of_the_prompt(prompt, boxes, text, button) -> None:
    line = line_of(summarise(check_prompt(prompt), boxes))
    assert line.full.startswith(text)
    assert bool(line.full) == bool(text)
    assert line.button == button


def test_tab_and_the_menu_write_the_better_word(window: Any) -> None:
    summary = summarise(check_prompt("an elefant, a stapler"), [])
    typo, unknown = sorted(marks_of(summary), key=lambda mark: mark.start)
    assert (typo.better, unknown.better) == ("elephant", "")
    assert "Press Tab" in typo.tip
    field = window.prompt.field
    say(window, "an elefant")
    field.mark_words([typo])
    field.setFocus()
    cursor = field.textCursor()
    cursor.setPosition(6)
    field.setTextCursor(cursor)
    QTest.keyClick(field, Qt.Key.Key_Tab)
    assert window.session.document.prompt == "an elephant"
    assert field.hasFocus()
    field.mark_words([])
    QTest.keyClick(field, Qt.Key.Key_Tab)
    assert not field.hasFocus()
    window.actions_["undo"].trigger()
    assert window.session.document.prompt == "an elefant"


def test_words_of_an_input_method_are_checked_when_they_are_put_in(window: Any) -> None:
    """Half a word that is still being composed is neither prompt nor mistake."""
    field = window.prompt.field
    field.setFocus()
    QApplication.sendEvent(field, QInputMethodEvent("a stap", []))
    window.prompt_controller.check_now()
    assert window.session.document.prompt == ""
    assert window.prompt.words.text() == ""
    event = QInputMethodEvent("", [])
    event.setCommitString("a stapler")
    QApplication.sendEvent(field, event)
    window.prompt_controller.check_now()
    assert window.session.document.prompt == "a stapler"
    assert window.prompt.words.text().startswith("The model draws none of these things")


@pytest.mark.parametrize(
    ("prompt", "old", "new", "after"),
    [
        ("a red car", "car", "blue car", "a blue car"),
        ("a crimson car", "car", "blue car", None),
        ("a red cat, a cat", "cat", "blue cat", None),
        ("a cat and a dog", "cat", "elephant", "an elephant and a dog"),
        ("An owl on a beach", "owl", "cat", "A cat on a beach"),
        ("a red car", "car", "bus", "a red bus"),
        ("two cats", "cat", "dog", None),
        ("a cat", "dog", "moon", None),
        ("my kitten sleeps", "kitten", "puppy", "my puppy sleeps"),
    ],
)
def test_the_prompt_follows_a_replaced_thing(prompt, old, new, after) -> None:
    from app.session.prompt_summary import prompt_with

    colour = check_pin(new).colour
    assert prompt_with(prompt, check_prompt(prompt), [old], new, colour) == after


def test_a_layout_with_words_of_another_model_keeps_them_and_says_so(window: Any) -> None:
    """The boxes come as they are; the line names the word before a job, and a job is refused."""
    window.session.push(
        PlaceBoxes([(Rect(64, 64, 128, 128), "gizmo"), (Rect(256, 64, 128, 128), "dog")])
    )
    say(window, "a dog")
    assert shows(window) == ["gizmo", "dog"]
    assert "gizmo" in window.prompt.words.text()
    window.actions_["generate_all"].trigger()
    print(window.engine.requests, window.messages.text.text(), window.prompt.words.text())
    assert not window.engine.requests
    assert "gizmo" in window.messages.text.text()


@pytest.mark.parametrize("text", ["cat " * 2500, "x" * 10_000, "\u05d7\u05ea\u05d5\u05dc " * 2000])
def test_a_prompt_of_ten_thousand_characters_is_kept_and_its_rest_reported(window, text) -> None:
    say(window, text)
    assert window.session.document.prompt == text
    assert window.prompt.field.toPlainText() == text
    assert "256" in window.prompt.words.toolTip() or "draws none" in window.prompt.words.toolTip()
