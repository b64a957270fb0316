"""Section 3.4, row by row: what mouse and touchpad do on the canvas and in the list."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent, QNativeGestureEvent, QPointingDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu

from app.document.commands import Placement, PlacePixels, SetRect
from app.document.geometry import Rect
from app.ui.canvas import overlay_painter as overlay
from app.ui.canvas.drag_geometry import snapped
from tests.app.painted import fill
from tests.app.ui.helpers import (
    LEFT,
    NONE,
    at,
    click,
    drag,
    draw_box,
    generate,
    move,
    press_and_move,
    wheel,
)

ALT = Qt.KeyboardModifier.AltModifier
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
RIGHT = Qt.MouseButton.RightButton


def boxes(window: Any, *places: tuple[int, int, int, int]) -> list[Any]:
    """Empty boxes, bottom first; nothing is selected."""
    for place in places:
        window.session.selection.clear()  # its handles would take the next drag
        draw_box(window, *place)
    window.session.selection.clear()
    return list(window.session.document.foregrounds)


def pictures(window: Any, *places: tuple[int, int, int, int]) -> list[Any]:
    """Layers with pixels, bottom first; the select tool is chosen."""
    boxes(window, *places)
    fill(window.session.document)
    window.actions_["tool_select"].trigger()
    return list(window.session.document.foregrounds)


def steps(window: Any) -> int:
    return int(window.session.undo.count)


# ---- box tool ----


def test_a_click_with_the_box_tool_selects_no_background(window: Any) -> None:
    """It selects the layer under it; beside all layers it clears the selection."""
    draw_box(window, 64, 64, 192, 192)
    (layer,) = window.session.document.foregrounds
    fill(window.session.document)
    assert window.actions_["tool_box"].isChecked()
    for place, wanted in (((400, 400), set()), ((128, 128), {layer.id}), ((400, 400), set())):
        click(window, *place)
        assert window.session.selection.ids == wanted
    assert len(window.session.document.foregrounds) == 1


def test_names_and_order_show_while_a_box_is_drawn(window: Any, monkeypatch: Any) -> None:
    """Bottom to top, so that the upper box's label lies over the lower, selected or not."""
    lower, _ = boxes(window, (32, 32, 256, 256), (96, 96, 320, 320))
    painted: list[str] = []
    monkeypatch.setattr(overlay, "hatch", lambda *_: painted.append("hatch"))
    monkeypatch.setattr(overlay, "label", lambda _, text, *rest, **more: painted.append(text))

    def seen() -> list[str]:
        painted.clear()
        window.view.viewport().repaint()
        return painted

    in_order = ["hatch", "Layer 1", "hatch", "Layer 2"]
    assert seen() == in_order
    window.session.selection.set([lower.id])
    press_and_move(window, (400, 400), (480, 480))
    assert seen()[:4] == in_order
    assert len(painted) == 5, "the label of the box that is drawn comes last"
    window.view.mouse.cancel_drag()
    fill(window.session.document)
    assert seen() == [], "pictures speak for themselves"
    press_and_move(window, (400, 400), (480, 480))
    assert seen()[:2] == ["Layer 1", "Layer 2"]
    window.view.mouse.cancel_drag()


def test_shift_draws_a_square_and_alt_from_the_centre(window: Any) -> None:
    """A square stays one on the grid, where each edge alone would round otherwise."""
    window.actions_["tool_box"].trigger()
    drag(window, (45, 50), (150, 120), SHIFT)
    drag(window, (256, 256), (330, 300), ALT)
    window.session.selection.clear()
    drag(window, (500, 430), (300, 20), SHIFT)
    square, around, corner = window.session.document.foregrounds
    assert square.rect == Rect(32, 64, 96, 96)
    assert around.rect.to_box() == (192, 224, 320, 288)
    assert corner.rect.to_box() == (96, 0, 512, 416), "as large as the canvas has room for"
    drag(window, (96, 464), (120, 470), SHIFT | ALT)
    assert window.session.document.foregrounds[-1].rect.size.width == 64


def test_under_four_pixels_a_drag_is_a_click(window: Any) -> None:
    """With the box tool it selects, with the select tool nothing moves."""
    (layer,) = pictures(window, (64, 64, 192, 192))
    before = steps(window)
    for tool in ("tool_box", "tool_select"):
        window.session.selection.clear()
        window.actions_[tool].trigger()
        drag(window, (128, 128), (129, 129))
        assert window.session.selection.ids == {layer.id}
    assert steps(window) == before
    assert window.session.document.layer(layer.id).rect == layer.rect


def test_a_thin_drag_is_one_cell_wide(window: Any) -> None:
    """At least one cell."""
    boxes(window, (70, 40, 76, 200))
    assert window.session.document.foregrounds[0].rect.to_box() == (64, 32, 96, 192)


def test_handles_work_in_the_box_tool(window: Any) -> None:
    """Inside of the selection they resize there too, and no box is added."""
    draw_box(window, 64, 64, 192, 192)
    drag(window, (189, 189), (256, 224))
    (layer,) = window.session.document.foregrounds
    assert layer.rect.to_box() == (64, 64, 256, 224)


@pytest.mark.parametrize("off", [(0, 0), (8, 3), (2, -8)])
def test_boxes_are_drawn_side_by_side(window: Any, off: tuple[int, int]) -> None:
    """Each drag begins at a corner of the box before it or a little off: eight drags, eight boxes.

    The last box is selected, so its handles are there.
    """
    window.actions_["tool_box"].trigger()
    wanted = []
    for row in range(2):
        for column in range(4):
            x, y = 64 + 96 * column, 64 + 160 * row
            begin = (x + off[0], y + off[1]) if column else (x, y)
            drag(window, begin, (x + 96, y + 160))
            wanted.append((x, y, x + 96, y + 160))
    made = [layer.rect.to_box() for layer in window.session.document.foregrounds]
    assert made == wanted


def test_with_the_box_tool_handles_begin_at_the_edge(window: Any) -> None:
    """A press outside draws; the cursor and the press agree; the select tool keeps its reach."""
    draw_box(window, 64, 64, 192, 192)
    to_view, decor = window.view.to_view(), window.view.decor
    corner = to_view.map(QPointF(192, 192))
    outside, inside = corner + QPointF(6, 6), corner - QPointF(4, 4)
    assert decor.handle_at(outside, to_view) == ""
    assert decor.handle_at(corner, to_view) == ""
    assert decor.handle_at(inside, to_view) == "se"
    window.actions_["tool_select"].trigger()
    assert decor.handle_at(outside, to_view) == "se"
    window.actions_["tool_box"].trigger()
    assert decor.handle_at(outside, to_view) == ""


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        ((-40, -40), (96, 128), (0, 0, 96, 128)),
        ((560, 300), (416, 400), (416, 288, 512, 416)),
        ((64, 480), (160, 545), (64, 480, 160, 512)),
        ((-30, 200), (540, 264), (0, 192, 512, 256)),
    ],
)
def test_a_drag_may_begin_and_end_outside_of_the_canvas(
    window: Any, start: tuple[int, int], end: tuple[int, int], wanted: tuple[int, ...]
) -> None:
    """The box is cut to the canvas, and the status bar says so."""
    boxes(window, (*start, *end))
    (layer,) = window.session.document.foregrounds
    assert layer.rect.to_box() == wanted
    assert window.status.message.text().startswith("The box was cut to the canvas.")


def test_a_drag_that_never_meets_the_canvas_draws_nothing(window: Any) -> None:
    window.view.navigation.set_zoom(0.5)
    window.actions_["tool_box"].trigger()
    press_and_move(window, (-90, 100), (-40, 300))
    assert window.view.decor.draft is None
    move(window, 64, 300)
    assert window.view.decor.draft is not None
    window.view.mouse.cancel_drag()
    drag(window, (-90, 100), (-40, 300))
    assert not window.session.document.foregrounds


def test_a_new_box_says_above_which_layer_it_is(window: Any) -> None:
    """With a selection it is above it, else in front; in front there is nothing to say."""
    lower, _ = boxes(window, (32, 32, 128, 128), (160, 32, 256, 128))
    window.session.note("")
    boxes(window, (32, 160, 128, 256))
    assert window.status.message.text() == "", "in front"
    window.session.selection.set([lower.id])
    drag(window, (300, 300), (400, 400))
    assert window.status.message.text() == "New box above 'Layer 1'."
    names = [layer.name for layer in window.session.document.foregrounds]
    assert names == ["Layer 1", "Layer 4", "Layer 2", "Layer 3"]
    window.session.selection.set([window.session.document.background_id])
    window.actions_["new_box"].trigger()
    assert window.status.message.text() == "New box above 'Background'."


# ---- select tool ----


def test_shift_click_adds_and_removes(window: Any) -> None:
    """A second Shift+click takes the layer out again."""
    one, two = pictures(window, (64, 64, 192, 192), (256, 64, 384, 192))
    click(window, 128, 128)
    click(window, 320, 128, SHIFT)
    assert window.session.selection.ids == {one.id, two.id}
    click(window, 128, 128, SHIFT)
    assert window.session.selection.ids == {two.id}


def test_shift_keeps_a_drag_on_one_axis(window: Any) -> None:
    """The one along which the mouse went farther."""
    (layer,) = pictures(window, (64, 64, 192, 192))
    drag(window, (128, 128), (192, 150), SHIFT)
    assert window.session.document.layer(layer.id).rect == Rect(128, 64, 128, 128)


@pytest.mark.parametrize(
    ("start", "length", "delta", "goes"),
    [
        (64, 128, 37, 32),  # the left edge is five pixels from a line
        (64, 128, 27, 32),
        (64, 128, 41, 41),  # nine pixels: nothing is near
        (64, 77, 367, 371),  # the right edge meets the canvas's
        (64, 77, 151, 153),  # the middle meets the canvas's: (512 - 77) // 2 = 217
        (70, 77, -73, -70),  # the left edge meets the canvas's
    ],
)
def test_lines_catch_from_six_pixels_on(start: int, length: int, delta: int, goes: int) -> None:
    """Grid lines, canvas edges and centre, within six screen pixels; else any pixel."""
    assert snapped(start, length, delta, 32, 512, 6.0) == goes
    assert (start + snapped(start, length, delta, 32, 512, math.inf)) % 32 == 0


def test_a_drag_snaps_near_a_line_only(window: Any) -> None:
    """Measured on the screen, whatever the zoom; a handle is caught as an edge is."""
    (layer,) = pictures(window, (64, 64, 192, 192))

    def place() -> Rect:
        rect: Rect = window.session.document.layer(layer.id).rect
        window.actions_["undo"].trigger()
        return rect

    for zoom, x in ((1.0, 74), (0.5, 64)):
        window.view.navigation.set_zoom(zoom)
        drag(window, (128, 128), (138, 192))
        assert (place().x, window.session.document.layer(layer.id).rect.x) == (x, 64)
    window.view.navigation.set_zoom(1.0)
    window.session.selection.set([layer.id])
    drag(window, (192, 128), (220, 128))
    assert place().right == 224
    drag(window, (192, 128), (210, 128))
    assert place().right == 210
    assert window.session.document.layer(layer.id).rect == layer.rect


def test_an_empty_box_is_seen_twice_while_alt_drags_it(window: Any, monkeypatch: Any) -> None:
    """Alt duplicates: the original stays in sight, and where it was."""
    boxes(window, (64, 64, 192, 192))
    window.actions_["tool_select"].trigger()
    hatched: list[int] = []
    monkeypatch.setattr(
        overlay, "hatch", lambda painter, rect, visible: hatched.append(round(rect.left()))
    )

    def seen() -> list[int]:
        hatched.clear()
        window.view.viewport().repaint()
        return hatched

    press_and_move(window, (128, 128), (256, 128), ALT)
    assert seen() == [at(window, 64, 64).x(), at(window, 192, 64).x()]
    QTest.mouseRelease(window.view.viewport(), LEFT, ALT, at(window, 256, 128))
    assert [layer.rect.x for layer in window.session.document.foregrounds] == [64, 192]
    press_and_move(window, (256, 128), (256, 320))
    assert len(seen()) == 2, "one of two is moved"
    window.view.mouse.cancel_drag()


def test_the_right_button_ends_a_drag(window: Any, monkeypatch: Any) -> None:
    """As Esc does: everything is restored, there is no undo step, and no menu opens."""
    opened: list[QMenu] = []
    monkeypatch.setattr("PySide6.QtWidgets.QMenu.popup", lambda menu, *_: opened.append(menu))
    (layer,) = pictures(window, (64, 64, 192, 192))
    before, port = steps(window), window.view.viewport()
    for tool in ("tool_select", "tool_box"):
        window.actions_[tool].trigger()
        press_and_move(window, (128, 128), (256, 256))
        QTest.mousePress(port, RIGHT, pos=at(window, 256, 256))
        assert window.scene.rect_of(layer) == layer.rect
        assert window.view.decor.draft is None
        QTest.mouseRelease(port, RIGHT, pos=at(window, 256, 256))
        QTest.mouseRelease(port, LEFT, pos=at(window, 256, 256))
    assert steps(window) == before
    assert len(window.session.document.foregrounds) == 1
    assert not opened


def test_a_double_click_renames_the_layer(window: Any, qtbot: Any) -> None:
    """The one that was clicked, in the list, also where the panels were hidden.

    Enter takes the name as one step; a double click on the background opens the inspector.
    """
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    generate(window, qtbot)
    window.session.selection.clear()
    window.actions_["tool_select"].trigger()
    window.inspector_tabs.setCurrentWidget(window.advanced)
    window.actions_["hide_panels"].trigger()
    before = steps(window)
    QTest.mouseDClick(window.view.viewport(), LEFT, NONE, at(window, 128, 128))
    QTest.mouseRelease(window.view.viewport(), LEFT, NONE, at(window, 128, 128))
    (layer,) = window.session.document.foregrounds
    assert window.session.selection.ids == {layer.id}
    assert window.strip.isVisible()
    assert steps(window) == before
    editor = window.layers.list.findChild(QLineEdit)
    assert editor.isVisible() and editor.text() == layer.name
    qtbot.waitUntil(editor.hasFocus)
    QTest.keyClicks(editor, "Castle")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.session.document.layer(layer.id).name == "Castle")
    assert steps(window) == before + 1
    QTest.mouseClick(window.view.viewport(), LEFT, NONE, at(window, 400, 400))
    QTest.mouseDClick(window.view.viewport(), LEFT, NONE, at(window, 400, 400))
    assert window.session.selection.ids == {window.session.document.background_id}
    assert window.inspector.isVisible()


@pytest.mark.parametrize(("alpha", "is_picked"), [(12, False), (13, True)])
def test_picking_needs_more_than_five_percent_of_alpha(
    window: Any, alpha: int, is_picked: bool
) -> None:
    """12 of 255 are below it, 13 above."""
    lower, upper = pictures(window, (64, 64, 256, 256), (64, 64, 256, 256))
    faint = np.full((192, 192, 4), alpha, np.uint8)
    window.session.push(PlacePixels([Placement(upper.id, faint, upper.rect)]))
    click(window, 160, 160)
    assert window.session.selection.ids == {(upper if is_picked else lower).id}


@pytest.mark.parametrize("action", ["toggle_locked", "toggle_visible"])
def test_locked_and_hidden_layers_are_not_picked(window: Any, action: str) -> None:
    """The click goes to what lies below; a drag does not take them along either."""
    lower, upper = pictures(window, (64, 64, 256, 256), (64, 64, 256, 256))
    window.session.selection.set([upper.id])
    window.actions_[action].trigger()
    click(window, 160, 160)
    assert window.session.selection.ids == {lower.id}
    drag(window, (160, 160), (192, 160))
    assert window.session.document.layer(upper.id).rect == upper.rect
    assert window.session.document.layer(lower.id).rect.x == 96


# ---- menus ----


def test_the_canvas_has_a_menu_with_the_background_on(window: Any, monkeypatch: Any) -> None:
    """The background counts as bare canvas, unless it is what is selected."""
    opened: list[QMenu] = []
    monkeypatch.setattr("PySide6.QtWidgets.QMenu.popup", lambda menu, *_: opened.append(menu))
    layer_menu, canvas_menu = window.layers_controller.menu, window.layers_controller.canvas_menu
    (layer,) = pictures(window, (64, 64, 192, 192))
    selection, port = window.session.selection, window.view.viewport()
    selection.set([layer.id])
    QTest.mouseClick(port, RIGHT, pos=at(window, 400, 400))
    assert opened == [canvas_menu]
    assert not selection.ids
    assert window.live.here.menuAction() in canvas_menu.actions()
    click(window, 400, 400)
    assert selection.ids == {window.session.document.background_id}
    QTest.mouseClick(port, RIGHT, pos=at(window, 400, 400))
    assert opened == [canvas_menu, layer_menu]
    assert selection.ids == {window.session.document.background_id}
    QTest.mouseClick(port, RIGHT, pos=at(window, 128, 128))
    assert opened[2:] == [layer_menu]
    assert selection.ids == {layer.id}


def test_layers_here_go_by_height(window: Any, monkeypatch: Any) -> None:
    """Topmost first, also where the upper layer shows nothing."""
    monkeypatch.setattr("PySide6.QtWidgets.QMenu.popup", lambda *_: None)
    lower, upper = pictures(window, (64, 64, 256, 256), (160, 160, 352, 352))
    click(window, 168, 168)
    assert window.session.selection.ids == {lower.id}, "the disc of the upper one ends before"
    QTest.mouseClick(window.view.viewport(), RIGHT, CTRL, at(window, 168, 168))
    shown = [action.text() for action in window.live.here.actions()]
    assert shown == [upper.name, lower.name, "Background"]


# ---- wheel and touchpad ----


def turned(window: Any, modifiers: Any) -> tuple[float, QPoint]:
    """Turn the wheel once; returns the factor of zoom and how far the origin went."""
    navigation = window.view.navigation
    before, zoom = window.view.to_view().map(QPointF(0, 0)), navigation.zoom
    wheel(window, modifiers)
    after = window.view.to_view().map(QPointF(0, 0))
    return navigation.zoom / zoom, (after - before).toPoint()


@pytest.mark.parametrize("swapped", [False, True])
def test_the_setting_swaps_wheel_and_ctrl_wheel(window: Any, swapped: bool) -> None:
    """Shift+wheel goes sideways in both."""
    window.view.navigation.set_zoom(2.0)
    window.view.navigation.wheel_zooms = swapped
    for modifiers, zooms in ((NONE, swapped), (CTRL, not swapped)):
        factor, moved = turned(window, modifiers)
        assert (factor > 1) == zooms
        assert zooms or (moved.x() == 0 and moved.y() > 0)
    factor, moved = turned(window, SHIFT)
    assert factor == 1
    assert moved.x() > 0
    assert moved.y() == 0


def test_a_pinch_zooms_at_the_pointer(window: Any) -> None:
    """Two fingers on a touchpad."""
    view, port = window.view, window.view.viewport()
    view.navigation.set_zoom(1.0)
    place = QPointF(120, 90)
    held = view.to_view().inverted()[0].map(place)
    event = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture,
        QPointingDevice.primaryPointingDevice(),
        2,
        place,
        place,
        QPointF(port.mapToGlobal(place.toPoint())),
        0.5,
        QPointF(),
    )
    QApplication.sendEvent(port, event)
    assert view.navigation.zoom == pytest.approx(1.5)
    away = view.to_view().map(held) - place
    assert abs(away.x()) <= 1
    assert abs(away.y()) <= 1


# ---- list ----


def test_ctrl_drag_in_the_list_duplicates(window: Any) -> None:
    """The copies lie in the gap, in their order, at the same place, in one step."""
    one, two, three = pictures(window, (32, 64, 128, 192), (160, 64, 256, 192), (288, 64, 384, 192))
    rows, model = window.layers.list, window.layers.model
    before = steps(window)

    def drop(y: float) -> None:
        dragged = [model.index_of(three.id), model.index_of(two.id)]
        data = model.mimeData(dragged)
        action = Qt.DropAction.CopyAction
        rows.dropEvent(QDropEvent(QPointF(60, y), action, data, LEFT, CTRL))

    drop(rows.visualRect(model.index_of(one.id)).top() + 4)
    layers = window.session.document.foregrounds
    assert [layer.name for layer in layers] == [
        *("Layer 1", "Layer 2 copy", "Layer 3 copy", "Layer 2", "Layer 3"),
    ]
    assert [layer.rect for layer in layers[1:3]] == [two.rect, three.rect]
    assert layers[1].image is two.image
    assert window.session.selection.ids == {layers[1].id, layers[2].id}
    assert steps(window) == before + 1
    assert window.session.undo.undo_text == "Duplicate 2 layers"
    window.actions_["undo"].trigger()
    drop(rows.viewport().height() - 4)  # below the background there is nothing
    assert window.session.document.foregrounds[0].name == "Layer 2 copy"
    assert model.layer_at(model.index(model.rowCount() - 1)).is_background


def test_a_locked_layers_copy_in_the_list_is_open(window: Any) -> None:
    """The copy keeps its looks and its place; the lock stays with the original."""
    (layer,) = pictures(window, (64, 64, 192, 192))
    window.session.push(SetRect(layer.id, Rect(70, 70, 128, 128)))
    window.session.selection.set([layer.id])
    window.actions_["toggle_locked"].trigger()
    (copy,) = window.layers.model.copy_rows([layer.id], 0)
    made = window.session.document.layer(copy)
    assert (made.locked, made.rect.x, made.number) == (False, 70, 2)
    assert window.session.document.layer(layer.id).locked
