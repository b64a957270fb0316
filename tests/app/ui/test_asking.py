"""The prompt bar word by word: what may be typed, what is said of it, and what runs beside it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QTextCharFormat
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from app.document.contents import MAX_PROMPT
from app.document.storage.ora.file import load_project
from app.session.prompt_summary import summarise
from app.ui.dialogs.job_list import JobsDialog
from app.ui.panels.prompt_line import line_of, marks_of
from engine import check_prompt
from tests.app.ui.helpers import draw_box, generate, key, later, press_and_move, shown

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def put_caret(field: Any, position: int) -> None:
    cursor = field.textCursor()
    cursor.setPosition(position)
    field.setTextCursor(cursor)


def marked(window: Any, qtbot: Any, text: str) -> list[str]:
    """Type the text at once; the words that are underlined then."""
    window.prompt.field.setPlainText(text)
    timer = window.prompt_controller._words_timer
    qtbot.waitUntil(lambda: not timer.isActive(), timeout=5000)
    return [mark.cursor.selectedText() for mark in window.prompt.field.extraSelections()]


def test_what_has_no_room_never_arrives(window: Any, qtbot: Any) -> None:
    """At the limit nothing else is pushed out, wherever one types or pastes."""
    field, document = window.prompt.field, window.session.document
    field.setFocus()
    field.setPlainText("x" * (MAX_PROMPT - 2) + "😀!")
    put_caret(field, 3)
    qtbot.keyClicks(field, "yz")
    assert document.prompt == "x" * (MAX_PROMPT - 2) + "😀!"
    assert field.textCursor().position() == 3
    field.setPlainText("x" * (MAX_PROMPT - 3) + "!")
    put_caret(field, 3)
    data = QMimeData()
    data.setText("abcd")
    field.insertFromMimeData(data)
    assert document.prompt == "xxxab" + "x" * (MAX_PROMPT - 6) + "!"
    assert field.textCursor().position() == 5


def test_the_prompt_is_plain_text_and_wraps(window: Any) -> None:
    """Of what a browser copies, only the words arrive."""
    field = window.prompt.field
    data = QMimeData()
    data.setHtml("<b>a</b> <i>dog</i>")
    data.setText("a dog")
    field.insertFromMimeData(data)
    assert field.toPlainText() == window.session.document.prompt == "a dog"
    assert field.lineWrapMode() == field.LineWrapMode.WidgetWidth


def test_an_empty_prompt_is_no_obstacle(window: Any, qtbot: Any) -> None:
    """Empty is allowed, and white space is empty."""
    draw_box(window, 64, 64, 192, 192)
    window.prompt.field.setPlainText(" \n ")
    assert shown(window).prompt.generate.text() == "Generate without prompt"
    generate(window, qtbot)
    assert window.engine.last.prompt == ""


def test_exactly_the_ignored_words_are_underlined(window: Any, qtbot: Any) -> None:
    """After plural and stem; between hyphens, with accents, and emoji without a known name."""
    assert marked(window, qtbot, "Balloons hopping, the dog's castle") == []
    assert window.prompt.words.text() == "Draws: Balloons, castle"
    text = "😀 the 🎈 Qwérzhs' red castle and a zzqxy, a fir-tree"
    assert marked(window, qtbot, text) == ["😀", "Qwérzhs", "zzqxy", "fir-tree"]
    for mark in window.prompt.field.extraSelections():
        assert mark.format.underlineStyle() == QTextCharFormat.UnderlineStyle.WaveUnderline
    said = window.prompt.words.toolTip()
    assert said.startswith("Not drawn by this model: 😀, Qwérzhs, zzqxy, fir-tree")
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    assert window.engine.last.prompt == text  # it never blocks, and changes nothing


def test_a_long_list_of_words_ends_in_dots(window: Any, qtbot: Any) -> None:
    """What is not seen of it stands in the tip."""
    window.resize(900, 600)
    words = [f"zzqx{letter}" for letter in "abcdefghijklmnop"]
    marked(window, qtbot, ", ".join(words) + ", dog")
    assert window.prompt.words.text().endswith("…")
    assert words[-1] in window.prompt.words.toolTip()


def test_words_that_come_too_late_are_marked(window: Any, qtbot: Any) -> None:
    """The model reads 256 words; what stands after them is ignored too, and that is said."""
    assert marked(window, qtbot, "red " * 256 + "balloon dog") == [" balloon dog"]
    assert window.prompt.words.text() == "Only the first 256 words are read."
    assert marked(window, qtbot, "red " * 256) == []


def test_a_further_background_is_named_as_one(window: Any, qtbot: Any) -> None:
    summary = summarise(check_prompt("a dog on the beach in the city"), ["dog"])
    window.prompt.show_line(line_of(summary), marks_of(summary))
    said = window.prompt.words.toolTip()
    assert said.startswith("A picture has one background; not used: in the city")


def test_a_prompt_without_a_known_word(window: Any, qtbot: Any) -> None:
    """What happened, what it means, what to do; generating is allowed all the same."""
    bar = window.prompt
    assert marked(window, qtbot, "qwerzhs zzqx") == ["qwerzhs zzqx"]
    assert f"{bar.words.text()} {bar.word_list.text()}." == (
        "The model draws none of these things. Generating would ignore the prompt. See the things."
    )
    assert bar.word_list.isVisible()
    bar.word_list.click()
    assert not window.things.visibleRegion().isEmpty() and window.things.field.hasFocus()
    window.resize(900, 600)  # what has no room is left out in whole sentences; the tip has it all
    qtbot.waitUntil(lambda: bar.words.text() == "The model draws none of these things.")
    assert "Generating would ignore the prompt." in bar.words.toolTip()
    assert "Generating would ignore the prompt." in bar.words.accessibleName()
    draw_box(window, 64, 64, 192, 192)
    assert window.actions_["generate"].isEnabled()
    assert marked(window, qtbot, "a zzqx dog") == ["zzqx"]
    assert not bar.word_list.isVisible()


def test_marking_and_clicking_end_a_run_of_typing(window: Any, qtbot: Any) -> None:
    """A jump of the caret, by any key or the mouse; each run is undone in its turn."""
    field, document = window.prompt.field, window.session.document
    field.setFocus()
    qtbot.keyClicks(field, "a dog")
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    assert window.session.undo.count == 1
    QTest.keyClick(field, Qt.Key.Key_A, CTRL)
    qtbot.keyClicks(field, "a cat")
    assert window.session.undo.count == 2
    QTest.mouseClick(field.viewport(), Qt.MouseButton.LeftButton, pos=field.cursorRect().center())
    qtbot.keyClicks(field, "s")
    assert window.session.undo.count == 2  # the caret stayed where it was
    start = QPoint(2, field.cursorRect().center().y())
    QTest.mouseClick(field.viewport(), Qt.MouseButton.LeftButton, pos=start)
    assert field.textCursor().position() == 0
    qtbot.keyClicks(field, "so ")
    assert document.prompt == "so a cats"
    for expected in ("a cats", "a do", ""):
        window.actions_["undo"].trigger()
        assert document.prompt == field.toPlainText() == expected


def test_progress_stands_where_it_always_stands(window: Any, qtbot: Any) -> None:
    """The bar counts finished steps over all, decoding included; nothing moves."""
    bar = window.prompt

    def places() -> list[Any]:
        return [each.geometry() for each in (bar, bar.progress, bar.progress_text, bar.stop)]

    draw_box(window, 64, 64, 192, 192)
    before = places()
    window.actions_["generate"].trigger()
    assert places() == before
    window.engine.begin(steps=0)
    qtbot.waitUntil(lambda: "Planning" in bar.progress_text.text())
    for steps in (3, 6, 12):
        window.engine.begin(steps=steps)
        qtbot.waitUntil(lambda n=steps: f"Painting {min(n, 11)} of 11" in bar.progress_text.text())
        assert bar.progress.value() == round(bar.progress.maximum() * steps / 12)
        assert places() == before
    assert "left" not in bar.progress_text.text()
    window.engine.finish()
    qtbot.waitUntil(lambda: bar.progress.value() == 0)
    assert places() == before


def test_previews_are_in_no_file_and_can_be_off(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """What is saved while they show is the document; off, none is asked for or shown."""
    draw_box(window, 64, 64, 192, 192)
    ground = window.session.document.background_id
    window.actions_["generate"].trigger()
    assert window.engine.last.preview_every == 1
    window.engine.begin(steps=2)
    qtbot.waitUntil(lambda: window.scene.has_preview(ground))
    path = tmp_path / "a.ora"
    window.files.write(path)
    qtbot.waitUntil(lambda: window.session.path == path)
    assert window.scene.has_preview(ground)
    assert not any(layer.has_pixels for layer in load_project(path).contents.layers)
    with zipfile.ZipFile(path) as archive:
        merged = np.asarray(Image.open(io.BytesIO(archive.read("mergedimage.png"))))
    assert not merged.any()
    window.actions_["show_previews"].trigger()
    later(window)
    window.actions_["generate"].trigger()
    assert window.engine.last.preview_every == 0
    window.engine.begin(steps=2)
    qtbot.waitUntil(lambda: "Painting 2" in window.prompt.progress_text.text())
    qtbot.wait(80)
    assert not window.scene.has_preview(ground)


class Clock:
    now = 500.0


def stopped_clock(window: Any) -> Clock:
    """The bridge's clock goes on only when the test says so."""
    clock, bridge = Clock(), window.session.bridge
    bridge.pace._clock = bridge._client._clock = lambda: clock.now
    return clock


def test_silence_of_a_real_minute(window: Any, qtbot: Any) -> None:
    """Next to Stop first; then a restart is offered, as long as it makes sense."""
    bar, messages = window.prompt, window.messages
    clock = stopped_clock(window)
    draw_box(window, 64, 64, 192, 192)
    window.actions_["generate"].trigger()
    window.engine.begin(steps=1)
    qtbot.waitUntil(lambda: "Painting 1 of 11" in bar.progress_text.text())
    clock.now += 9
    qtbot.waitUntil(lambda: "No progress for 9 s" in bar.progress_text.text())
    assert not messages.isVisible()
    clock.now += 51
    qtbot.waitUntil(messages.isVisible)
    said = "The engine has not answered for 60 s. Your work is kept. "
    said += "Restart the engine; the running job is lost."
    assert messages.text.text() == said
    assert messages.action_button.text() == "Restart Engine"
    window.engine.begin(steps=2)
    qtbot.waitUntil(lambda: not messages.isVisible())  # it answers after all
    qtbot.waitUntil(lambda: "Painting 2 of 11" in bar.progress_text.text())
    clock.now += 60
    qtbot.waitUntil(messages.isVisible)
    messages.action_button.click()
    assert len(window.engines) == 2
    assert not messages.isVisible()


def test_keys_while_a_job_runs(window: Any, qtbot: Any) -> None:
    """Ctrl+Enter begins again with another seed; Ctrl+Shift+Enter waits, first in line."""
    draw_box(window, 64, 64, 192, 192)
    bridge, engine = window.session.bridge, window.engine
    for widget in (window.view, window.prompt.field):
        key(window, Qt.Key.Key_Return, CTRL, widget=widget)
        later(window)
    first, second = engine.requests
    assert engine.cancelled == [first.job_id]
    assert [x.seed for x in first.layers] != [x.seed for x in second.layers]
    running = bridge.current
    for widget in (window.view, window.prompt.field):
        key(window, Qt.Key.Key_Return, CTRL | SHIFT, widget=widget)
    assert bridge.current is running
    assert len(engine.requests) == 2
    first_in_line, second_in_line = bridge.waiting
    assert first_in_line.id > second_in_line.id
    bridge.stop_all()


def test_the_job_list_opens_from_the_bar(window: Any, qtbot: Any) -> None:
    """The dialog does not block work; each job has its seconds, however it ended."""
    clock = stopped_clock(window)
    draw_box(window, 64, 64, 192, 192)
    window.prompt.jobs.click()
    (dialog,) = window.findChildren(JobsDialog)
    assert dialog.isVisible() and not dialog.isModal()
    window.prompt.jobs.click()
    assert window.findChildren(JobsDialog) == [dialog]
    generate(window, qtbot)
    window.session.selection.clear()
    later(window)
    window.actions_["generate"].trigger()
    window.actions_["generate_next"].trigger()
    window.engine.begin(steps=5)
    qtbot.waitUntil(lambda: dialog.table.item(1, 3).text() == "4.2 s left")
    clock.now += 2.5
    window.engine.fail()
    qtbot.waitUntil(lambda: dialog.table.item(1, 1).text() == "Failed")
    assert [dialog.table.item(row, 0).text() for row in range(3)] == ["Picture without prompt"] * 3
    assert dialog.table.item(1, 3).text() == "2.5 s"
    assert dialog.table.item(2, 3).text() == "1.5 s"
    assert dialog.table.item(2, 0).toolTip() == "Background, Layer 1"  # every target by its name
    bridge = window.session.bridge
    bridge.stop_all()
    dialog.close()


def test_the_predicted_time_is_on_the_button_alone(window: Any, qtbot: Any) -> None:
    """A box that is drawn shows its size; the status bar shows no time."""
    draw_box(window, 64, 64, 192, 192)
    window.actions_["generate"].trigger()
    window.engine.begin(steps=12)
    window.engine.finish()
    qtbot.waitUntil(lambda: "≈" in shown(window).prompt.generate.accessibleName())
    window.actions_["tool_box"].trigger()
    press_and_move(window, (256, 256), (384, 384))
    assert window.view.decor.draft.text == "128 × 128"
    window.view.mouse.cancel_drag()
    texts = [each.text() for each in window.status.findChildren(QLabel) if each.isVisible()]
    assert not any("≈" in text or "token" in text for text in texts)


def test_a_key_stops_the_running_job_only(window: Any, qtbot: Any) -> None:
    """From the canvas; what waits begins, and the undo stack is as it was."""
    draw_box(window, 64, 64, 192, 192)
    steps = window.session.undo.count
    window.actions_["generate"].trigger()
    window.actions_["generate_next"].trigger()
    bridge = window.session.bridge
    (waiting,) = bridge.waiting
    key(window, Qt.Key.Key_X, SHIFT, widget=window.view)
    assert bridge.current is waiting
    assert window.engine.cancelled == [window.engine.requests[0].job_id]
    assert window.session.undo.count == steps
    bridge.stop_all()


# ---- words of the panel ----


@pytest.mark.parametrize(
    ("text", "caret", "wanted"),
    [
        ("", 0, "dog"),
        ("a", 1, "a dog"),
        ("a ", 2, "a dog"),
        ("a  on a beach", 2, "a dog on a beach"),
        ("aon a beach", 1, "a dog on a beach"),
        ("a, and a cat", 1, "a dog, and a cat"),
        ("🎈", 2, "🎈 dog"),
    ],
)
def test_a_double_click_puts_a_word_into_the_prompt(
    window: Any, text: str, caret: int, wanted: str
) -> None:
    """At the caret, with spaces around it, as one undo step."""
    field = window.prompt.field
    field.setPlainText(text)
    cursor = field.textCursor()
    cursor.setPosition(caret)
    field.setTextCursor(cursor)
    count = window.session.undo.count
    window.actions_["help_model"].trigger()
    panel = window.things
    panel.field.setText("dog")
    place = panel.list.visualRect(panel.list.model().index(0, 0)).center()
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.session.document.prompt == wanted
    assert window.session.undo.count == count + 1
    QTest.keyClick(panel.field, Qt.Key.Key_Return)  # the first one, a second time
    assert window.session.document.prompt.count("dog") == 2
    window.actions_["undo"].trigger()
    assert window.session.document.prompt == wanted
    window.actions_["undo"].trigger()
    assert window.session.document.prompt == text
