"""From an empty window to a saved and exported picture by keyboard, with a scripted engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QFileDialog, QLineEdit

from app.document.geometry import Rect
from app.ui.dialogs.export_dialog import ExportDialog
from app.ui.panels.layer_rows import RowParts, StateRole
from tests.app.painted import fill
from tests.app.ui.helpers import (
    LEFT,
    at,
    click,
    drag,
    draw_box,
    generate,
    hashes,
    key,
    press_and_move,
)

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


def press(window: Any, what: Any, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
    """A key to whoever has the keyboard."""
    QTest.keyClick(window.focusWidget(), what, modifiers)


def test_the_walk_through_by_keyboard(window: Any, qtbot: Any) -> None:
    """From an empty window to a chosen candidate, a new box and back, no mouse."""
    document, undo = window.session.document, window.session.undo
    window.view.setFocus()
    # Two boxes; the second is moved and sized by keys.
    press(window, Qt.Key.Key_Insert)
    press(window, Qt.Key.Key_Insert)
    for _ in range(3):
        press(window, Qt.Key.Key_Left)
    press(window, Qt.Key.Key_Right, ALT)
    castle, balloon = document.foregrounds
    assert balloon.rect.x < castle.rect.x
    assert balloon.rect.width == castle.rect.width + document.grid
    # The prompt, and the picture.
    press(window, Qt.Key.Key_P)
    assert window.prompt.field.hasFocus()
    QTest.keyClicks(window.prompt.field, "a red balloon and a castle")
    press(window, Qt.Key.Key_Return, CTRL)
    window.engine.begin(steps=3)
    window.engine.finish()
    qtbot.waitUntil(lambda: all(layer.has_pixels for layer in document.layers))
    assert undo.undo_text == "Generate Picture"
    # Four variations of one layer: look, compare, take the third.
    press(window, Qt.Key.Key_Escape)
    assert window.view.hasFocus()
    four_variations(window)
    assert document.settings.variations == 4
    layer, others = regenerate_one(window)
    for count in range(1, 5):
        window.engine.finish()
        qtbot.waitUntil(lambda n=count: len(window.stage.choices) == n)
    wanted = take_the_third(window)
    assert document.layer(layer.id).pixel_hash == wanted
    assert {n: v for n, v in hashes(window).items() if n != layer.name} == others
    # A box for a bird, filled alone; the others' words are still in the prompt.
    box_for_a_bird(window)
    press(window, Qt.Key.Key_R, CTRL)
    bird = window.session.selection.single()
    assert [x.layer_id for x in window.engine.last.layers if x.is_target] == [bird.id]
    assert bird.kind == "box"
    window.session.bridge.stop()
    model = window.layers.model
    assert model.data(model.index_of(layer.id), StateRole).text == "Up to date"
    press(window, Qt.Key.Key_P, CTRL | SHIFT)  # no key of its own: Find Command runs it
    find = window.dialogs.dialog
    QTest.keyClicks(find.field, "paint everything")
    QTest.keyClick(find.field, Qt.Key.Key_Return)
    assert len([x for x in window.engine.last.layers if x.is_target]) == 4
    window.session.bridge.stop()
    # Back to before everything.
    while undo.can_undo:
        press(window, Qt.Key.Key_Z, CTRL)
    assert document.foregrounds == ()
    while undo.can_redo:
        press(window, Qt.Key.Key_Z, CTRL | SHIFT)
    assert document.layer(layer.id).pixel_hash == wanted


def four_variations(window: Any) -> None:
    """By Tab from the prompt to the field, and up; then back to the canvas."""
    press(window, Qt.Key.Key_P)
    for _ in range(12):
        press(window, Qt.Key.Key_Tab)
        if window.prompt.variations.hasFocus():
            break
    assert window.prompt.variations.hasFocus()
    for _ in range(3):
        press(window, Qt.Key.Key_Up)
    for _ in range(6):
        press(window, Qt.Key.Key_F6)
        if window.view.hasFocus():
            return
    raise AssertionError("F6 does not lead to the canvas")


def regenerate_one(window: Any) -> tuple[Any, dict[str, str | None]]:
    """A layer asked for anew, and the hashes of all others by name."""
    press(window, Qt.Key.Key_PageUp)
    press(window, Qt.Key.Key_PageDown)
    layer = window.session.selection.single()
    others = {name: value for name, value in hashes(window).items() if name != layer.name}
    press(window, Qt.Key.Key_R, CTRL)
    return layer, others


def box_for_a_bird(window: Any) -> None:
    """A new box, and the words for it behind the prompt."""
    window.view.setFocus()
    press(window, Qt.Key.Key_Insert)
    press(window, Qt.Key.Key_P)
    QTest.keyClicks(window.prompt.field, ", a bird")
    press(window, Qt.Key.Key_Escape)


def take_the_third(window: Any) -> str:
    """From Before, side by side, by arrows and Enter; the pixel hash of what is taken."""
    press(window, Qt.Key.Key_Escape)
    press(window, Qt.Key.Key_C, SHIFT)
    assert window.compare.isVisible()
    for _ in range(3):
        press(window, Qt.Key.Key_Right)
    wanted: str = window.stage.choices[2].first.pixel_hash
    press(window, Qt.Key.Key_Return)
    return wanted


def dialog_of(window: Any, kind: type) -> Any:
    """The dialog that is open now."""
    return next(each for each in window.findChildren(kind) if each.isVisible())


def name_the_file(window: Any, qtbot: Any, path: Path) -> None:
    """In Qt's own file dialog; its completion would take the first Enter after typing."""
    asked = dialog_of(window, QFileDialog)
    asked.findChild(QLineEdit, "fileNameEdit").setText(str(path))
    QTest.keyClick(asked, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.findChildren(QFileDialog))
    window.activateWindow()  # the offscreen platform does not give the focus back by itself
    qtbot.waitUntil(window.isActiveWindow)


def test_looking_saving_and_exporting_by_keyboard(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """14, 15: background off, matte, solo, a file, a PNG; no mouse."""
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    document = window.session.document
    window.view.setFocus()
    press(window, Qt.Key.Key_Insert)
    press(window, Qt.Key.Key_Return, CTRL)
    window.engine.finish()
    qtbot.waitUntil(lambda: all(layer.has_pixels for layer in document.layers))
    press(window, Qt.Key.Key_PageDown)
    assert window.session.selection.ids == {document.background_id}
    press(window, Qt.Key.Key_H, CTRL)
    assert not document.layer(document.background_id).visible
    press(window, Qt.Key.Key_M)
    assert window.view.decor.matte == "#000000"
    press(window, Qt.Key.Key_PageUp)
    press(window, Qt.Key.Key_S)
    assert window.solo.ids == window.session.selection.ids
    press(window, Qt.Key.Key_S)
    press(window, Qt.Key.Key_S, CTRL)
    name_the_file(window, qtbot, tmp_path / "beach")
    qtbot.waitUntil(lambda: window.session.path == tmp_path / "beach.ora")
    assert window.session.undo.is_clean
    press(window, Qt.Key.Key_E, CTRL | SHIFT)
    export = dialog_of(window, ExportDialog)
    QTest.keyClick(export, Qt.Key.Key_Return)
    name_the_file(window, qtbot, tmp_path / "beach")
    qtbot.waitUntil((tmp_path / "beach.png").exists)
    qtbot.waitUntil(lambda: not window.session.files.is_busy)


def test_a_new_box_says_how_it_is_filled(window: Any, qtbot: Any) -> None:
    """The key and the seconds stand next to it; not in an empty picture."""
    draw_box(window, 64, 64, 192, 192)
    layer = window.session.document.foregrounds[0]
    assert window.view.decor.box_hint(layer) == ""
    generate(window, qtbot)
    draw_box(window, 256, 64, 384, 192)
    box = window.session.document.foregrounds[-1]
    assert window.view.decor.box_hint(box).startswith("Ctrl+R fills only this box")


def test_a_panel_outside_all_screens_comes_back(window: Any) -> None:
    dock = window.findChild(QDockWidget, "layersDock")
    dock.setFloating(True)
    dock.move(90_000, 90_000)
    window.state.bring_back_panels()
    assert not dock.isFloating()


def test_the_first_result_changes_to_the_select_tool_once(window: Any, qtbot: Any) -> None:
    """After the first generation V; later the tool stays as it was left."""
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    assert window.view.mouse.tool_name == "select"
    window.actions_["tool_box"].trigger()
    generate(window, qtbot)
    assert window.view.mouse.tool_name == "box"


def test_dragging_a_duplicate_with_alt(window: Any) -> None:
    """Alt places the copy; the original stays."""
    draw_box(window, 64, 64, 192, 192)
    fill(window.session.document)
    window.actions_["tool_select"].trigger()
    window.session.selection.set([])
    press_and_move(window, (128, 128), (256, 128), ALT)
    shown = window.view.viewport().grab().toImage()
    disc = [int(each) for each in window.session.document.foregrounds[0].pixels[64, 64, :3]]
    for x in (128, 256):  # both discs are seen while it goes on
        seen = shown.pixelColor(at(window, x, 128)).getRgb()[:3]
        assert max(abs(a - b) for a, b in zip(seen, disc, strict=True)) <= 4
    QTest.mouseRelease(window.view.viewport(), LEFT, ALT, at(window, 256, 128))
    first, copy = window.session.document.foregrounds
    assert first.rect == Rect(64, 64, 128, 128)
    assert copy.rect == Rect(192, 64, 128, 128)
    assert copy.image is first.image
    key(window, Qt.Key.Key_Z, CTRL, widget=window.view)
    assert len(window.session.document.foregrounds) == 1


def test_the_walk_through_by_mouse(window: Any, qtbot: Any) -> None:
    """The same way with the mouse: draw, generate, move, hide, choose, take back."""
    document, undo = window.session.document, window.session.undo
    for box in ((64, 64, 192, 192), (256, 256, 448, 448)):
        window.session.selection.clear()
        draw_box(window, *box)
    window.prompt.field.setPlainText("a red balloon and a castle")
    QTest.mouseClick(window.prompt.generate, LEFT)
    window.engine.begin(steps=3)
    window.engine.finish()
    qtbot.waitUntil(lambda: all(layer.has_pixels for layer in document.layers))
    balloon, castle = document.foregrounds
    before = hashes(window)
    drag(window, (128, 128), (128 + 96, 128 + 64))
    assert document.layer(balloon.id).rect.to_box() == (160, 128, 288, 256)
    rows = window.layers.list
    index = rows.model().index(rows.model().rowCount() - 1, 0)  # the background
    eye = RowParts.of(rows.visualRect(index)).eye.center()
    QTest.mouseClick(rows.viewport(), LEFT, pos=eye)
    assert not document.background.visible
    QTest.mouseClick(rows.viewport(), LEFT, pos=eye)
    click(window, 352, 352)
    assert window.session.selection.ids == {castle.id}
    window.prompt.variations.setValue(4)
    window.actions_["regenerate"].trigger()
    for count in range(1, 5):
        window.engine.finish()
        qtbot.waitUntil(lambda n=count: len(window.stage.choices) == n)
    strip = window.strip.list
    place = strip.visualRect(strip.model().index(3, 0)).center()
    wanted = window.stage.choices[2].first.pixel_hash
    QTest.mouseClick(strip.viewport(), LEFT, pos=place)
    QTest.mouseDClick(strip.viewport(), LEFT, pos=place)
    assert document.layer(castle.id).pixel_hash == wanted
    assert {**hashes(window), castle.name: ""} == {**before, castle.name: ""}
    while undo.can_undo:
        window.actions_["undo"].trigger()
    assert not document.foregrounds
    while undo.can_redo:
        window.actions_["redo"].trigger()
    assert document.layer(castle.id).pixel_hash == wanted
