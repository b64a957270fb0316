"""OpenRaster files of other programs in the window: opened, imported, and never written over."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog, QMessageBox

from app.document.commands import SetPrompt
from app.document.storage.ora.file import load_project
from tests.app.document.foreign_ora import (
    Node,
    blob,
    ground_layer,
    members_of_tree,
    png_of,
    write_ora,
)
from tests.app.document.test_foreign_ora import SVG, two
from tests.app.ui.test_files import answer_file_dialog, answer_question, own_dialogs

__all__ = ["own_dialogs"]


def grouped(folder: Path) -> Path:
    source = random.Random(3)
    children = [Node(f"child {n}", blob(source), 3, 3) for n in range(2)]
    nodes = [Node("Sky", children=children, opacity=0.5), ground_layer(source)]
    return write_ora(folder / "theirs.ora", members_of_tree(nodes))


def open_file(window: Any, qtbot: Any, path: Path) -> None:
    sitting = window.session.sitting
    window.files.open_path(path)
    qtbot.waitUntil(lambda: window.session.sitting > sitting, timeout=10_000)


def said(window: Any, qtbot: Any) -> str:
    qtbot.waitUntil(lambda: window.messages.isVisible(), timeout=10_000)
    return str(window.messages.text.text())


def question(window: Any, qtbot: Any) -> QMessageBox:
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)))
    (box,) = window.findChildren(QMessageBox)
    return box


def test_save_asks_for_another_name_and_says_why(window: Any, qtbot: Any, tmp_path: Path) -> None:
    path = grouped(tmp_path)
    before = path.read_bytes()
    open_file(window, qtbot, path)
    text = said(window, qtbot)
    assert "Group 'Sky' was merged into one layer" in text
    assert "Save asks for another name, so that 'theirs.ora' does not change." in text
    assert window.session.path is None
    assert "theirs.ora" in window.windowTitle()
    window.files.save()
    box = question(window, qtbot)
    assert box.text() == "'theirs.ora' contains parts that this program cannot save."
    assert "Group 'Sky' was merged into one layer" in box.informativeText()
    answer_question(window, qtbot, "Save As…")
    qtbot.waitUntil(lambda: bool(window.findChildren(QFileDialog)))
    (dialog,) = window.findChildren(QFileDialog)
    assert [Path(each).name for each in dialog.selectedFiles()] == ["theirs_001.ora"]
    answer_file_dialog(window, qtbot, tmp_path / "theirs_001.ora")
    qtbot.waitUntil(lambda: window.session.path == tmp_path / "theirs_001.ora", timeout=10_000)
    assert path.read_bytes() == before
    assert load_project(tmp_path / "theirs_001.ora").is_project
    window.session.push(SetPrompt("a cat"))
    window.files.save()  # its own file by now: nothing is asked
    qtbot.waitUntil(lambda: not window.isWindowModified(), timeout=10_000)
    assert not window.findChildren(QMessageBox)


def choose(window: Any, qtbot: Any, path: Path) -> None:
    """The answer of the file dialog, without its own question about files that exist."""
    qtbot.waitUntil(lambda: bool(window.findChildren(QFileDialog)))
    (dialog,) = window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.reject()
    qtbot.waitUntil(lambda: not window.findChildren(QFileDialog))


def test_the_original_is_replaced_only_after_a_question(
    window: Any, qtbot: Any, tmp_path: Path
) -> None:
    path = grouped(tmp_path)
    before = path.read_bytes()
    open_file(window, qtbot, path)
    window.files.save_as()
    choose(window, qtbot, path)
    assert "Replace 'theirs.ora'" in question(window, qtbot).text()
    answer_question(window, qtbot, "Cancel")
    assert path.read_bytes() == before
    window.files.save_as()
    choose(window, qtbot, path)
    answer_question(window, qtbot, "Replace")
    qtbot.waitUntil(lambda: window.session.path == path, timeout=10_000)
    assert load_project(path).is_project
    assert path.with_name("theirs.ora~").read_bytes() == before


def test_undo_of_open_brings_the_former_file_back(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """And with it, whether Save may write it."""
    plain = write_ora(tmp_path / "plain.ora", members_of_tree(two()))
    open_file(window, qtbot, plain)
    assert window.session.path == plain  # nothing of it was lost
    open_file(window, qtbot, grouped(tmp_path))
    assert window.session.path is None and window.session.source is not None
    window.actions_["undo"].trigger()
    assert window.session.path == plain and window.session.source is None
    window.actions_["redo"].trigger()
    assert window.session.path is None and window.session.source is not None


def test_a_file_with_layers_left_out_is_not_written_over(
    window: Any, qtbot: Any, tmp_path: Path
) -> None:
    members = {**members_of_tree(two()), "data/Été 1.png": SVG}
    open_file(window, qtbot, write_ora(tmp_path / "theirs.ora", members))
    assert "Not read and left out: 'Été 1'" in said(window, qtbot)
    window.files.save()
    assert "Not read and left out: 'Été 1'" in question(window, qtbot).informativeText()
    answer_question(window, qtbot, "Cancel")
    assert window.settings.recent[0] == str(tmp_path / "theirs.ora")


def test_an_import_of_too_many_layers_says_one_thing(
    window: Any, qtbot: Any, tmp_path: Path
) -> None:
    layers = "".join(f'<layer src="a.png" name="{n}"/>' for n in range(150))
    members = {
        "stack.xml": f'<image w="64" h="64"><stack>{layers}</stack></image>'.encode(),
        "a.png": png_of(two()[0].pixels),
    }
    messages: list[Any] = []
    window.session.notified.connect(messages.append)
    for _ in range(50):
        window.actions_["new_box"].trigger()
    before = window.session.document.content_hash()
    window.importing.add_files([write_ora(tmp_path / "many.ora", members)])
    assert "A document holds up to 200 layers." in said(window, qtbot)
    qtbot.waitUntil(lambda: not window.session.files.is_busy, timeout=10_000)
    told = [message.what for message in messages if message.kind != "note"]
    assert told == ["A document holds up to 200 layers."]
    assert window.session.document.content_hash() == before
    window.session.undo.mark_saved()
    open_file(window, qtbot, tmp_path / "many.ora")
    assert len(window.session.document.foregrounds) == 150


def test_an_import_tells_what_was_merged(window: Any, qtbot: Any, tmp_path: Path) -> None:
    window.importing.add_files([grouped(tmp_path)])
    text = said(window, qtbot)
    assert "Group 'Sky' was merged into one layer" in text
    assert "Save asks" not in text
    assert [layer.name for layer in window.session.document.foregrounds] == ["ground", "Sky"]


def test_a_backup_opens_as_a_copy(window: Any, qtbot: Any, tmp_path: Path) -> None:
    path = write_ora(tmp_path / "beach.ora~", members_of_tree(two()))
    open_file(window, qtbot, path)
    assert len(window.session.document.layers) == 2
    assert window.session.path is None


def test_a_mode_off_the_menu_has_its_name(window: Any, qtbot: Any, tmp_path: Path) -> None:
    nodes = two()
    nodes[0].op = "luminosity"
    open_file(window, qtbot, write_ora(tmp_path / "theirs.ora", members_of_tree(nodes)))
    window.session.selection.set([window.session.document.foregrounds[0].id])
    bar = window.layers.looks
    assert bar.blend.currentIndex() == -1
    assert bar.blend.placeholderText() == "Luminosity"
    assert "comes from another program and is painted as there" in bar.blend.toolTip()
    bar.blend.activated.emit(bar.blend.findData("screen"))
    assert bar.blend.currentData() == "screen"
