"""New, Open, Save, exports and the question about unsaved changes, through the dialogs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from app.document.commands import SetPrompt
from app.document.contents import content_hash, new_contents
from app.document.geometry import Size
from app.document.storage.atomic import Disk, beside
from app.document.storage.ora.file import load_project, save_project
from app.ui.dialogs.canvas_size import NewDialog
from app.ui.dialogs.examples import PICTURE, ExamplesDialog
from app.ui.text import moment
from engine.models.checkpoint import load_model
from tests.app.ui.helpers import draw_box, generate, key

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(autouse=True)
def own_dialogs(qapp: QApplication) -> None:
    """Qt's own file dialog: the platform's cannot be driven."""
    qapp.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)


def answer_file_dialog(window: Any, qtbot: Any, path: Path) -> None:
    qtbot.waitUntil(lambda: bool(window.findChildren(QFileDialog)))
    (dialog,) = window.findChildren(QFileDialog)
    dialog.selectFile(str(path))
    dialog.accept()
    qtbot.waitUntil(lambda: not window.findChildren(QFileDialog))
    qtbot.waitUntil(lambda: not window.session.files.is_busy, timeout=10_000)
    window.activateWindow()  # the offscreen platform does not give the focus back by itself
    qtbot.waitUntil(window.isActiveWindow)


def answer_question(window: Any, qtbot: Any, text: str) -> None:
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)))
    (box,) = window.findChildren(QMessageBox)
    next(button for button in box.buttons() if button.text() == text).click()
    qtbot.waitUntil(lambda: not window.findChildren(QMessageBox))


def picture(window: Any, qtbot: Any) -> None:
    draw_box(window, 64, 64, 192, 192)
    window.prompt.field.setPlainText("a dog")
    generate(window, qtbot)


def test_save_and_open_again(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Prompt, seeds, records and pixels come back; the title follows."""
    picture(window, qtbot)
    before = window.session.document.content_hash()
    assert window.isWindowModified()
    key(window, Qt.Key.Key_S, CTRL, widget=window.view)
    answer_file_dialog(window, qtbot, tmp_path / "beach")
    path = tmp_path / "beach.ora"
    assert path.exists()
    assert not window.isWindowModified()
    assert window.windowTitle().startswith("beach.ora")
    window.actions_["background"].trigger()
    assert window.isWindowModified()
    key(window, Qt.Key.Key_S, CTRL, widget=window.view)
    qtbot.waitUntil(lambda: not window.isWindowModified(), timeout=10_000)
    window.actions_["undo"].trigger()
    window.files.save()
    qtbot.waitUntil(lambda: not window.isWindowModified(), timeout=10_000)
    key(window, Qt.Key.Key_O, CTRL, widget=window.view)
    answer_file_dialog(window, qtbot, path)
    assert window.session.document.content_hash() == before
    assert window.session.path == path


def test_a_file_opens_as_it_was_looked_at(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Zoom, place and selection; they are no change, so nothing asks to be saved."""
    picture(window, qtbot)
    session, navigation = window.session, window.view.navigation
    layer = session.document.foregrounds[0]
    session.selection.set([layer.id])
    window.files.write(tmp_path / "whole.ora")
    qtbot.waitUntil(lambda: not session.files.is_busy, timeout=10_000)
    navigation.look_at(QPointF(300, 200), 3.0)
    window.files.write(tmp_path / "near.ora")
    qtbot.waitUntil(lambda: not session.files.is_busy, timeout=10_000)
    session.selection.clear()
    navigation.look_at(QPointF(100, 100), 0.5)
    assert not window.isWindowModified()
    for name, zoom in (("near.ora", 3.0), ("whole.ora", None)):
        window.files.open_path(tmp_path / name)
        qtbot.waitUntil(lambda: not session.files.is_busy, timeout=10_000)
        assert session.path == tmp_path / name
        assert [each.number for each in session.selection.layers()] == [layer.number]
        assert navigation.follows_fit == (zoom is None)
        if zoom is not None:
            assert abs(navigation.zoom - zoom) < 0.01
            middle = navigation.centre - QPointF(300, 200)
            assert abs(middle.x()) <= 2 and abs(middle.y()) <= 2
        assert not window.isWindowModified()
    with zipfile.ZipFile(tmp_path / "near.ora") as archive:
        stack = ElementTree.fromstring(archive.read("stack.xml"))
    assert [each.get("name") for each in stack.iter("layer") if each.get("selected")] == [
        layer.name
    ]


def test_saves_wait_their_turn(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """A second Ctrl+S during a save is no conflict; what changed meanwhile stays unsaved."""
    picture(window, qtbot)
    window.files.write(tmp_path / "twice.ora")
    window.files.write(tmp_path / "twice.ora", is_known=True)
    window.actions_["background"].trigger()
    qtbot.waitUntil(lambda: not window.session.files.is_busy, timeout=10_000)
    assert window.session.path == tmp_path / "twice.ora"
    assert not window.messages.isVisible()
    assert not window.isWindowModified()  # the second save took the change along
    window.files.save()
    window.actions_["new_box"].trigger()
    qtbot.waitUntil(lambda: not window.session.files.is_busy, timeout=10_000)
    assert window.isWindowModified()


def test_a_file_that_another_program_wrote_is_not_overwritten(
    window: Any, qtbot: Any, tmp_path: Path
) -> None:
    """The other program's file stays; the message says so."""
    picture(window, qtbot)
    path = tmp_path / "shared.ora"
    window.files.write(path)
    qtbot.waitUntil(lambda: window.session.path == path, timeout=10_000)
    path.write_bytes(path.read_bytes() + b" ")
    os.utime(path, times=(86_400 * 365, 86_400 * 365))
    other = path.read_bytes()
    window.actions_["new_box"].trigger()
    window.files.save()
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)), timeout=10_000)
    text = window.findChildren(QMessageBox)[0].text()
    assert f"changed by another program at {moment(86_400 * 365)}" in text
    answer_question(window, qtbot, "Cancel")
    assert path.read_bytes() == other
    assert window.isWindowModified()
    window.files.save()
    answer_question(window, qtbot, "Overwrite")
    qtbot.waitUntil(lambda: not window.isWindowModified(), timeout=10_000)
    assert path.read_bytes() != other
    kept = [each for each in tmp_path.iterdir() if each.name != path.name]
    assert [each.read_bytes() for each in kept] == [other]


def test_open_is_one_undo_step(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Undo brings the former document back, with its name."""
    picture(window, qtbot)
    window.files.save_as()
    answer_file_dialog(window, qtbot, tmp_path / "one.ora")
    hash_of_one = window.session.document.content_hash()
    window.files.open_example(Path("resources/examples/three-boxes.json"))
    qtbot.waitUntil(lambda: len(window.session.document.foregrounds) == 3)
    assert window.session.path is None
    assert "balloon" in window.prompt.field.toPlainText()
    window.actions_["undo"].trigger()
    assert window.session.document.content_hash() == hash_of_one
    assert window.session.path == tmp_path / "one.ora"


def test_opening_removes_what_a_killed_save_left(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """And of this file only; the file itself is not written."""
    path = tmp_path / "one.ora"
    save_project(new_contents(Size(128, 128), 16), path)
    before = path.read_bytes()
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    for name in ("one.ora", "two.ora"):
        mine = beside(tmp_path / name, "tmp").name.replace(f"-{os.getpid()}-", f"-{child.pid}-")
        (tmp_path / mine).write_bytes(b"half")
        os.utime(tmp_path / mine, (1, 1))
    window.files.open_path(path)
    qtbot.waitUntil(lambda: window.session.path == path, timeout=10_000)
    assert [each.name.startswith(".two.ora.") for each in sorted(tmp_path.iterdir())] == [
        True,
        False,
    ]
    assert path.read_bytes() == before


def test_a_damaged_file_is_refused(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """What happened, what was kept, what to do; the document stays."""
    picture(window, qtbot)
    before = window.session.document.content_hash()
    path = tmp_path / "bad.ora"
    path.write_bytes(b"PK\x03\x04 nothing")
    window.files.open_path(path)
    qtbot.waitUntil(lambda: window.messages.isVisible())
    assert "bad.ora" in window.messages.text.text()
    assert window.session.document.content_hash() == before


def test_a_failed_save_keeps_the_changes(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """The cause is named; the document stays modified."""
    picture(window, qtbot)
    window.files.write(tmp_path / "nowhere" / "beach.ora")
    qtbot.waitUntil(lambda: window.messages.isVisible())
    assert "could not be saved" in window.messages.text.text()
    assert window.isWindowModified()


def test_a_save_that_reads_back_wrong_says_so(
    window: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old file stays, and the document stays modified."""
    picture(window, qtbot)
    path = tmp_path / "beach.ora"
    window.files.write(path)
    qtbot.waitUntil(lambda: not window.isWindowModified())
    old = path.read_bytes()
    window.session.push(SetPrompt("a cat"))

    def flip(disk: Disk, stream: BinaryIO) -> None:
        stream.seek(400)
        byte = stream.read(1)
        stream.seek(400)
        stream.write(bytes([byte[0] ^ 0xFF]))
        stream.flush()

    monkeypatch.setattr(Disk, "sync", flip)
    window.files.write(path)
    qtbot.waitUntil(lambda: window.messages.isVisible())
    said = window.messages.text.text()
    assert "did not read back correctly" in said
    assert "old file is unchanged" in said
    assert path.read_bytes() == old
    assert window.isWindowModified()


def test_new_asks_for_unsaved_changes_then_for_the_size(window: Any, qtbot: Any) -> None:
    """Sizes come from the model, others carry a warning; Cancel changes nothing."""
    picture(window, qtbot)
    before = window.session.document.content_hash()
    window.actions_["new"].trigger()
    assert not window.findChildren(NewDialog), "the question about changes comes first"
    answer_question(window, qtbot, "Cancel")
    assert window.session.document.content_hash() == before
    assert not window.findChildren(NewDialog)
    window.actions_["new"].trigger()
    answer_question(window, qtbot, "Discard")
    assert window.session.document.content_hash() == before, "the size is still open"
    (dialog,) = window.findChildren(NewDialog)
    assert not dialog.warning.text()
    dialog.width_field.setValue(800)
    assert dialog.warning.text()
    assert dialog.size_chosen.width == 768
    dialog.width_field.editingFinished.emit()
    assert dialog.width_field.value() == 768, "what will be made of it"
    dialog.width_field.setValue(700)
    assert not dialog.warning.text()
    dialog.accept()
    canvas = window.session.document.canvas
    assert (canvas.width, canvas.height) == (640, 512)
    assert not window.session.document.foregrounds
    assert window.session.document.contents.background_on
    window.actions_["undo"].trigger()  # as the question said
    assert window.session.document.content_hash() == before


def test_undo_and_redo_across_new_bring_the_file_back(
    window: Any, qtbot: Any, tmp_path: Path
) -> None:
    """Each document has its name, its saved state and its title again, whenever it was saved."""

    def facts() -> tuple[str, bool]:
        path = window.session.path
        assert ("Untitled" if path is None else path.name) in window.windowTitle()
        return ("" if path is None else path.name, window.isWindowModified())

    def save(name: str) -> None:
        window.files.write(tmp_path / name)
        qtbot.waitUntil(lambda: window.session.path == tmp_path / name)

    def new() -> None:
        window.actions_["new"].trigger()
        (dialog,) = [each for each in window.findChildren(NewDialog) if each.isVisible()]
        dialog.accept()

    undo, redo = window.actions_["undo"].trigger, window.actions_["redo"].trigger
    picture(window, qtbot)
    save("first.ora")
    new()
    assert facts() == ("", False)
    draw_box(window, 64, 64, 192, 192)
    assert facts() == ("", True)
    save("second.ora")  # after New: the name comes later than the step
    draw_box(window, 256, 256, 384, 384)
    assert facts() == ("second.ora", True)
    seen = []
    for step in (undo, undo, undo, undo, redo, redo, redo, redo):
        step()
        seen.append(facts())
    assert seen == [
        ("second.ora", False),
        ("second.ora", True),
        ("first.ora", False),
        ("first.ora", True),
        ("first.ora", False),
        ("second.ora", True),
        ("second.ora", False),
        ("second.ora", True),
    ]
    undo(), undo(), undo()
    save("other.ora")  # the first one under another name
    redo(), redo()
    assert facts() == ("second.ora", False)
    undo(), undo()
    assert facts() == ("other.ora", False)


def test_closing_asks_and_cancel_keeps_the_window(window: Any, qtbot: Any) -> None:
    """No blocking dialog; Cancel stays, Discard closes."""
    picture(window, qtbot)
    closed: list[bool] = []
    window.closed.connect(lambda: closed.append(True))
    window.close()
    answer_question(window, qtbot, "Cancel")
    assert window.isVisible()
    assert not closed
    window.close()
    answer_question(window, qtbot, "Discard")
    qtbot.waitUntil(lambda: bool(closed))
    assert not window.isVisible()


def test_closing_while_generating_stops_the_job(window: Any, qtbot: Any) -> None:
    """Closing cancels the job; the engine's late events are dropped."""
    picture(window, qtbot)
    window.session.undo.mark_saved()
    window.actions_["generate_all"].trigger()
    window.engine.begin(steps=3)
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert window.engine.last.job_id in window.engine.cancelled
    window.engine.finish()
    qtbot.wait(30)


def test_closing_during_a_job_asks_and_loses_nothing(
    window: Any, qtbot: Any, tmp_path: Path
) -> None:
    """Cancel: the job goes on and its result arrives. Save: the file has what was there then."""
    picture(window, qtbot)
    path = tmp_path / "beach.ora"
    window.files.write(path)
    qtbot.waitUntil(lambda: window.session.path == path)
    draw_box(window, 256, 256, 384, 384)
    window.actions_["generate_all"].trigger()
    window.engine.begin(steps=3)
    job = window.engine.last.job_id
    window.close()
    answer_question(window, qtbot, "Cancel")
    assert window.isVisible() and job not in window.engine.cancelled
    window.engine.finish()
    qtbot.waitUntil(lambda: window.session.document.foregrounds[-1].has_pixels)
    window.actions_["generate_all"].trigger()
    window.engine.begin(steps=3)
    window.close()
    answer_question(window, qtbot, "Save")
    qtbot.waitUntil(lambda: not window.isVisible())
    assert window.engine.last.job_id in window.engine.cancelled
    assert content_hash(load_project(path).contents) == window.session.document.content_hash()


def examples(window: Any) -> ExamplesDialog:
    window.actions_["examples"].trigger()
    (gallery,) = [each for each in window.findChildren(ExamplesDialog) if each.isVisible()]
    return gallery


def items(gallery: ExamplesDialog) -> list[Any]:
    return [gallery.list.item(row) for row in range(gallery.list.count())]


def test_examples_come_from_the_folder(window: Any, qtbot: Any) -> None:
    """The gallery has the files in resources/examples, each with a picture that is not empty."""
    gallery = examples(window)
    names = {each.text(): each for each in items(gallery)}
    files = [*Path("resources/examples").glob("*.json"), *Path("resources/examples").glob("*.ora")]
    assert len(names) == len(files)
    assert "Three boxes" in names
    for item in items(gallery):
        image = item.icon().pixmap(PICTURE).toImage()
        colours = {
            image.pixelColor(x, y).rgba() for x in range(0, 176, 8) for y in range(0, 176, 8)
        }
        assert len(colours) >= 3, item.text()
    gallery.list.setCurrentItem(names["Three boxes"])
    gallery.accept()
    qtbot.waitUntil(lambda: len(window.session.document.foregrounds) == 3)
    assert not window.card.isVisible()


def test_a_finished_example_is_a_picture_of_the_shipped_model(window: Any, qtbot: Any) -> None:
    """The first click gives a picture; it is no file of the user's, and up to date."""
    gallery = examples(window)
    first = items(gallery)[0]
    assert first.text().endswith(", finished")
    gallery.list.itemActivated.emit(first)  # a double click
    qtbot.waitUntil(lambda: len(window.session.document.foregrounds) > 1)
    document = window.session.document
    assert window.session.path is None
    assert document.prompt
    shipped = load_model().file_hash
    for layer in document.layers:
        assert layer.has_pixels
        assert layer.record is not None
        assert layer.record["model"]["hash"] == shipped, "ship the example with the model"
