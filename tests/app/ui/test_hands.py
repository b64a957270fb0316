"""What hands can do: typing, handles, keys, zoom, rows."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QStyleOptionViewItem, QToolTip

from app.document.commands import SetBlend, SetLocked, SetVisible
from app.ui.canvas import overlay_painter as overlay
from app.ui.canvas.item import to_rectf
from app.ui.panels.layer_rows import RowParts, StateRole
from tests.app.painted import fill
from tests.app.ui.helpers import at, drag, draw_box, generate, key, press_and_move, wheel

ALT = Qt.KeyboardModifier.AltModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


def steps(window: Any) -> int:
    return int(window.session.undo.count)


def test_what_ends_a_run_of_typing(window: Any, qtbot: Any) -> None:
    """Focus loss, Generate, a paste, a jump of the caret; the field has no undo of its own."""
    field = window.prompt.field
    draw_box(window, 64, 64, 192, 192)
    field.setFocus()
    assert not field.isUndoRedoEnabled()
    start = steps(window)
    qtbot.keyClicks(field, "a red")
    assert steps(window) == start + 1
    QTest.keyClick(field, Qt.Key.Key_Home)  # the caret jumps
    qtbot.keyClicks(field, "so ")
    assert steps(window) == start + 2
    data = QMimeData()
    data.setText("pasted ")
    field.insertFromMimeData(data)
    qtbot.keyClicks(field, "x")
    assert steps(window) == start + 4
    window.actions_["generate"].trigger()
    window.session.bridge.stop()
    qtbot.keyClicks(field, "y")
    assert steps(window) == start + 5
    window.view.setFocus()
    field.setFocus()
    qtbot.keyClicks(field, "z")
    assert steps(window) == start + 6


def test_seed_and_variations_are_in_the_one_undo_stack(window: Any) -> None:
    """With prompt, steps and guidance; each is undone in its turn."""
    before = window.session.document.content_hash()
    window.prompt.variations.setValue(3)
    window.prompt.seed.changed.emit("fixed", 7)
    window.prompt.field.setPlainText("a dog")
    settings = window.session.document.settings
    assert (settings.variations, settings.seed_mode, settings.seed) == (3, "fixed", 7)
    for _ in range(3):
        window.actions_["undo"].trigger()
    assert window.session.document.content_hash() == before
    assert window.prompt.variations.value() == 1


def test_an_arrow_held_in_variations_is_one_step(window: Any) -> None:
    """One visit to the field, one step; the next visit is another."""
    field, start = window.prompt.variations, steps(window)
    field.setFocus()
    for _ in range(3):
        QTest.keyClick(field, Qt.Key.Key_Up)
    assert (window.session.document.settings.variations, steps(window)) == (4, start + 1)
    window.view.setFocus()
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Up)
    assert steps(window) == start + 2
    window.actions_["undo"].trigger()
    window.actions_["undo"].trigger()
    assert window.session.document.settings.variations == 1


def test_line_breaks_count_as_spaces(window: Any, qtbot: Any) -> None:
    """For the model and for the sign of the row; the field is two lines high."""
    field = window.prompt.field
    draw_box(window, 64, 64, 192, 192)
    field.setPlainText("a red\nballoon")
    generate(window, qtbot)
    assert window.engine.last.prompt == "a red balloon"
    field.setPlainText("a  red balloon\n")
    index = window.layers.model.index(0)
    assert window.layers.model.data(index, StateRole).text == "Up to date"
    assert field.viewport().height() >= 2 * field.fontMetrics().lineSpacing()


@pytest.mark.parametrize(
    ("shows", "still", "drawing"), [(0, True, True), (1, False, True), (2, False, False)]
)
def test_when_the_grid_shows(
    window: Any, monkeypatch: pytest.MonkeyPatch, shows: int, still: bool, drawing: bool
) -> None:
    """Always, while drawing, never: as the setting says."""
    painted: list[bool] = []
    monkeypatch.setattr(overlay.Grid, "paint", lambda *_: painted.append(True))
    window.actions_["settings"].trigger()
    dialog = window.dialogs.dialog
    dialog.fields["grid_shows"].activated.emit(shows)
    dialog.close()

    def is_painted() -> bool:
        painted.clear()
        window.view.viewport().repaint()
        return bool(painted)

    assert is_painted() == still
    window.actions_["tool_box"].trigger()
    press_and_move(window, (64, 64), (192, 192))
    assert is_painted() == drawing
    window.view.mouse.cancel_drag()
    draw_box(window, 192, 192, 320, 320)
    press_and_move(window, (317, 317), (352, 352))  # a handle: there the size is enough
    assert is_painted() == still
    window.view.mouse.cancel_drag()


@pytest.mark.parametrize("zoom", [0.1, 0.5, 2.0, 8.0])
def test_eight_handles_can_be_grabbed(window: Any, zoom: float) -> None:
    """24 px each way at any zoom; on small boxes outward, so that the box stays free."""
    draw_box(window, 192, 192, 320, 320)
    window.actions_["tool_select"].trigger()
    view = window.view
    view.navigation.set_zoom(zoom)
    to_view = view.to_view()
    rect = to_view.mapRect(to_rectf(window.session.document.foregrounds[0].rect))
    points = overlay.handle_points(rect)
    assert len(points) == 8
    for name, point in points.items():
        assert view.decor.handle_at(point, to_view) == name
        for axis in "xy":
            reach = [
                d / 2
                for d in range(-60, 61)
                if view.decor.handle_at(_moved(point, axis, d / 2), to_view)
            ]
            # Along an edge the neighbours take over: there is no gap either.
            assert reach[-1] - reach[0] >= 24 - 1, (name, axis)
    assert view.decor.handle_at(rect.center(), to_view) == ""


def _moved(point: QPointF, axis: str, by: float) -> QPointF:
    return point + (QPointF(by, 0) if axis == "x" else QPointF(0, by))


def test_alt_resizes_from_the_centre(window: Any) -> None:
    """Of an empty box, on the grid; Shift keeps its aspect."""
    draw_box(window, 192, 192, 320, 320)
    window.actions_["tool_select"].trigger()
    drag(window, (320, 320), (352, 352), ALT)
    assert window.session.document.foregrounds[0].rect.to_box() == (160, 160, 352, 352)
    drag(window, (352, 352), (416, 360), SHIFT)
    rect = window.session.document.foregrounds[0].rect
    assert rect.width == rect.height
    assert rect.width > 192


def test_key_repeats_are_one_step(window: Any) -> None:
    """As long as the key is down; the next press is another."""
    draw_box(window, 64, 64, 192, 192)
    fill(window.session.document)
    start = steps(window)
    left = window.session.document.foregrounds[0].rect.x
    for repeats in (False, True, True, True):
        press = QEvent.Type.KeyPress
        event = QKeyEvent(press, Qt.Key.Key_Right, NONE, "", repeats)
        QApplication.sendEvent(window.view, event)
    release = QKeyEvent(QEvent.Type.KeyRelease, Qt.Key.Key_Right, NONE)
    QApplication.sendEvent(window.view, release)
    assert window.session.document.foregrounds[0].rect.x == left + 4
    assert steps(window) == start + 1
    key(window, Qt.Key.Key_Right, widget=window.view)
    assert steps(window) == start + 2


def test_a_quarter_of_the_canvas_stays_in_view(window: Any) -> None:
    """However far one pans, at any zoom."""
    navigation, view = window.view.navigation, window.view
    canvas = window.session.document.canvas.rect
    for zoom in (0.3, 1.0, 3.0):
        navigation.set_zoom(zoom)
        port = view.viewport().rect()
        for away in (QPointF(90_000, 90_000), QPointF(-90_000, -90_000)):
            navigation.pan_by(away)
            shown = view.to_view().mapRect(to_rectf(canvas)).toRect()
            seen = shown.intersected(port)
            for part, whole, room in (
                (seen.width(), shown.width(), port.width()),
                (seen.height(), shown.height(), port.height()),
            ):
                assert part >= min(whole / 4, room) - 2


def test_middle_drag_hand_and_wheel_pan(window: Any) -> None:
    """In every tool with the middle button; H with the left; the wheel scrolls."""
    window.view.navigation.wheel_zooms = False  # the setting "Mouse wheel scrolls"
    window.view.navigation.set_zoom(2.0)
    port = window.view.viewport()
    middle = port.rect().center()

    def origin() -> QPoint:
        return window.view.to_view().map(QPointF(0, 0)).toPoint()

    def pan(button: Qt.MouseButton) -> QPoint:
        before = origin()
        QTest.mousePress(port, button, pos=middle)
        QTest.mouseMove(port, middle + QPoint(-30, -20))
        QTest.mouseRelease(port, button, pos=middle + QPoint(-30, -20))
        return origin() - before

    window.actions_["tool_box"].trigger()
    assert pan(Qt.MouseButton.MiddleButton) == QPoint(-30, -20)
    key(window, Qt.Key.Key_H, widget=window.view)
    assert pan(Qt.MouseButton.LeftButton) == QPoint(-30, -20)
    assert not window.session.document.foregrounds

    before, zoom = origin(), window.view.navigation.zoom
    wheel(window)
    assert origin().y() > before.y()
    assert origin().x() == before.x()
    wheel(window, SHIFT)
    assert origin().x() > before.x()
    assert window.view.navigation.zoom == zoom
    wheel(window, Qt.KeyboardModifier.ControlModifier)
    assert window.view.navigation.zoom > zoom


def test_an_own_matte_colour(window: Any) -> None:
    """Behind transparent places, remembered, no step of the document."""
    window.actions_["background"].trigger()
    before, count = window.session.document.content_hash(), steps(window)
    window.view_controller._on_colour(QColor("#123456"))
    place = at(window, 400, 400)
    assert window.view.grab().toImage().pixelColor(place).name() == "#123456"
    assert window.settings.matte_colour == "#123456"
    assert (window.session.document.content_hash(), steps(window)) == (before, count)


def test_every_part_of_a_row_explains_itself(window: Any, monkeypatch: Any) -> None:
    """Eye, lock, name and state have a tooltip and are in what a reader says."""
    draw_box(window, 64, 64, 192, 192)
    fill(window.session.document)
    said: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda at, text, *_: said.append(text))
    rows = window.layers.list
    index = window.layers.model.index(0)
    option = QStyleOptionViewItem()
    option.rect = QRect(rows.visualRect(index))
    parts = RowParts.of(option.rect, window.layers.delegate.thumbnails.side)
    for part in ("eye", "lock", "state", "name"):
        place = getattr(parts, part).center()
        event = QHelpEvent(QEvent.Type.ToolTip, place, place)
        assert window.layers.delegate.helpEvent(event, rows, option, index)
    assert len(set(said)) == 4
    assert "Hides" in said[0]
    assert "Locks" in said[1]
    assert said[2] == "Up to date"
    layer = window.session.document.foregrounds[0]
    window.session.push(SetVisible([layer.id], False))
    spoken = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Layer 1, layer 1 of 2, hidden, ")
    assert spoken.endswith(", Up to date")
    window.session.push(SetLocked([layer.id], True))
    assert ", locked, " in index.data(Qt.ItemDataRole.AccessibleTextRole)


def test_eye_lock_and_delete_act_on_all_selected(window: Any) -> None:
    """One step each."""
    for left in (32, 192, 352):
        window.session.selection.set([])
        draw_box(window, left, 64, left + 96, 192)
    document = window.session.document
    ids = [layer.id for layer in document.foregrounds[:2]]
    window.session.selection.set(ids)
    for action, name in (("toggle_visible", "visible"), ("toggle_locked", "locked")):
        before, count = [getattr(layer, name) for layer in document.foregrounds], steps(window)
        window.actions_[action].trigger()
        after = [getattr(layer, name) for layer in document.foregrounds]
        assert [a != b for a, b in zip(before, after, strict=True)] == [True, True, False]
        assert steps(window) == count + 1
        window.actions_[action].trigger()
    count = steps(window)
    window.actions_["delete"].trigger()
    assert len(document.foregrounds) == 1
    assert steps(window) == count + 1


def test_a_mode_of_another_program_is_marked(window: Any) -> None:
    """Shown as Normal, said by its name, and kept as it is."""
    draw_box(window, 64, 64, 192, 192)
    layer = window.session.document.foregrounds[0]
    window.session.push(SetBlend([layer.id], "svg:hue"))
    bar = window.layers.looks.blend
    assert bar.currentText() == "Normal"
    assert "svg:hue" in bar.toolTip()
    assert window.session.document.layer(layer.id).blend == "svg:hue"


def test_reset_layout_puts_the_panels_back(window: Any) -> None:
    """Floating, moved or hidden."""
    docks = window.findChildren(QDockWidget)
    docks[0].setFloating(True)
    docks[1].hide()
    window.actions_["reset_layout"].trigger()
    assert not any(dock.isFloating() for dock in docks)
    assert all(dock.isVisible() for dock in docks)
    sides = {window.dockWidgetArea(dock) for dock in docks}
    assert sides == {Qt.DockWidgetArea.RightDockWidgetArea}


def test_the_menu_says_how_many_are_outdated(window: Any, qtbot: Any) -> None:
    """Generate > Repaint Outdated (2 layers); the canvas says it of what is selected."""
    draw_box(window, 64, 64, 192, 192)
    window.prompt.field.setPlainText("a dog")
    window.engine.words = {layer.id: "dog" for layer in window.session.document.layers}
    generate(window, qtbot)
    window.session.selection.set([window.session.document.foregrounds[0].id])
    assert window.view.accessibleDescription().endswith("visible, Up to date.")
    window.prompt.field.setPlainText("a castle")
    assert window.actions_["generate_outdated"].text().startswith("Repaint &Outdated (2 layers")
    assert window.view.accessibleDescription().endswith("visible, Word no longer in the prompt.")


@pytest.mark.parametrize(
    ("pressed", "count", "text"),
    [(Qt.Key.Key_Return, 4, "4 results"), (Qt.Key.Key_Escape, 1, "1 result")],
)
def test_the_results_field_gives_the_keyboard_back(
    window: Any, pressed: Any, count: int, text: str
) -> None:
    """It says what it counts; Enter takes the number, Esc the former one; V works after both."""
    field = window.prompt.variations
    assert field.text() == "1 result"
    width = field.sizeHint().width()
    window.actions_["tool_hand"].trigger()
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "4")
    assert field.text() == "4 results"
    assert field.sizeHint().width() == width, "nothing beside it moves"
    QTest.keyClick(field, pressed)
    assert window.focusWidget() is window.view
    assert field.text() == text
    assert window.session.document.settings.variations == count
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_V)
    assert window.actions_["tool_select"].isChecked()
