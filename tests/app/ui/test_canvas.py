"""The canvas by mouse: draw, select, move, resize, nudge, zoom; then a look at the document."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest

from app.document.commands import AddLayers, Placement, PlacePixels
from app.ui.widgets.images import to_array
from tests.app.document.examples import composite_of
from tests.app.painted import fill
from tests.app.ui.helpers import at, click, drag, draw_box, key, move, press_and_move

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def only_foreground(window: Any) -> Any:
    (layer,) = window.session.document.foregrounds
    return layer


def test_drawn_boxes_become_layers(window: Any) -> None:
    """Each box is a layer of kind box, above the selected one, and then selected."""
    draw_box(window, 40, 40, 200, 200)
    draw_box(window, 300, 40, 420, 200)
    first, second = window.session.document.foregrounds
    assert (first.name, second.name) == ("Layer 1", "Layer 2")
    assert first.kind == "box"
    assert window.session.selection.ids == {second.id}
    window.session.selection.set([first.id])
    draw_box(window, 40, 300, 200, 420)
    assert [layer.name for layer in window.session.document.foregrounds] == [
        "Layer 1",
        "Layer 3",
        "Layer 2",
    ]


def test_edges_snap_and_the_label_tells_the_size(window: Any) -> None:
    """Each edge goes to the nearest grid line; the label shows it live."""
    window.actions_["tool_box"].trigger()
    press_and_move(window, (70, 58), (250, 190))
    draft = window.view.decor.draft
    assert draft.text == "192 × 128"
    QTest.mouseRelease(window.view.viewport(), Qt.MouseButton.LeftButton, pos=at(window, 250, 190))
    assert only_foreground(window).rect.to_box() == (64, 64, 256, 192)
    assert window.view.decor.draft is None


def test_a_box_is_clamped_to_the_canvas(window: Any) -> None:
    """Outside there is nothing to generate."""
    draw_box(window, 450, 450, 505, 640)
    assert only_foreground(window).rect.to_box() == (448, 448, 512, 512)


def test_escape_ends_a_drag_without_a_step(window: Any) -> None:
    """Esc in a drag leaves no undo step."""
    window.actions_["tool_box"].trigger()
    press_and_move(window, (64, 64), (256, 192))
    key(window, Qt.Key.Key_Escape, widget=window.view)
    QTest.mouseRelease(window.view.viewport(), Qt.MouseButton.LeftButton, pos=at(window, 256, 192))
    assert not window.session.document.foregrounds
    assert window.session.undo.count == 0


def test_a_document_holds_more_boxes_than_the_model_handles(window: Any) -> None:
    """The model's limit is shown; the document's own is a whole message, and nothing is cut."""
    document = window.session.document
    for _ in range(51):
        window.actions_["new_box"].trigger()
    assert window.layers.count.text() == "51 of 50"
    assert window.session.push(AddLayers((document.foregrounds * 3)[:148]))
    window.actions_["new_box"].trigger()
    assert len(document.foregrounds) == 199
    assert window.messages.isVisible()
    said = "A document holds up to 200 layers. The box was not added. Delete a layer first."
    assert said in window.messages.text.text()


def test_dragging_a_generated_layer_snaps_and_is_one_step(window: Any, qtbot: Any) -> None:
    """One drag = one step; the pixels are the same bytes."""
    draw_box(window, 64, 64, 192, 192)
    fill(window.session.document)
    before = only_foreground(window)
    window.actions_["tool_select"].trigger()
    steps = window.session.undo.index
    drag(window, (128, 128), (128 + 67, 128 + 4))
    after = only_foreground(window)
    assert (after.rect.x, after.rect.y) == (128, 64)
    assert after.pixel_hash == before.pixel_hash
    assert window.session.undo.index == steps + 1
    window.actions_["undo"].trigger()
    assert only_foreground(window).rect == before.rect


def test_ctrl_drag_stops_at_any_pixel(window: Any) -> None:
    """Ctrl held = no snap."""
    draw_box(window, 64, 64, 192, 192)
    fill(window.session.document)
    window.actions_["tool_select"].trigger()
    drag(window, (128, 128), (128 + 51, 128 + 17), CTRL)
    rect = only_foreground(window).rect
    assert abs(rect.x - (64 + 51)) <= 1
    assert abs(rect.y - (64 + 17)) <= 1
    assert any(edge % 32 for edge in rect.to_box())


def test_escape_restores_a_dragged_layer(window: Any) -> None:
    """The layer is back on the screen too."""
    draw_box(window, 64, 64, 192, 192)
    fill(window.session.document)
    window.actions_["tool_select"].trigger()
    steps = window.session.undo.index
    press_and_move(window, (128, 128), (256, 256))
    layer = only_foreground(window)
    assert window.scene.rect_of(layer) != layer.rect
    key(window, Qt.Key.Key_Escape, widget=window.view)
    assert window.scene.rect_of(layer) == layer.rect
    QTest.mouseRelease(window.view.viewport(), Qt.MouseButton.LeftButton, pos=at(window, 256, 256))
    assert window.session.undo.index == steps


def test_picking_goes_by_alpha(window: Any) -> None:
    """Where the upper layer is transparent, the lower one is picked."""
    draw_box(window, 64, 64, 256, 256)
    window.session.selection.clear()  # its handles would take the second drag
    draw_box(window, 64, 64, 256, 256)
    fill(window.session.document)
    lower, upper = window.session.document.foregrounds
    window.actions_["tool_select"].trigger()
    click(window, 160, 160)
    assert window.session.selection.ids == {upper.id}
    click(window, 160, 160, CTRL)
    assert window.session.selection.ids == {lower.id}
    window.session.selection.clear()  # a corner of the selection is a handle
    click(window, 66, 66)  # a corner: both discs are transparent there, a frame is the best guess
    assert window.session.selection.ids == {upper.id}
    click(window, 400, 400)
    assert window.session.selection.ids == {window.session.document.background_id}


def test_shift_click_and_marquee_select_several(window: Any) -> None:
    """Shift adds; a drag on nothing selects what it touches."""
    draw_box(window, 64, 64, 128, 128)
    draw_box(window, 256, 64, 320, 128)
    ids = {layer.id for layer in window.session.document.foregrounds}
    window.actions_["tool_select"].trigger()
    click(window, 90, 90)
    click(window, 290, 90, SHIFT)
    assert window.session.selection.ids == ids
    drag(window, (400, 300), (40, 40))
    assert window.session.selection.ids == ids
    rows = window.layers.list.selectionModel().selectedRows()
    assert len(rows) == 2


def test_handles_resize_an_empty_box(window: Any) -> None:
    """The corner goes to the grid; one step."""
    draw_box(window, 64, 64, 192, 192)
    window.actions_["tool_select"].trigger()
    steps = window.session.undo.index
    drag(window, (192, 192), (262, 150))
    assert only_foreground(window).rect.to_box() == (64, 64, 256, 160)
    assert window.session.undo.index == steps + 1


def test_nudge_keys(window: Any) -> None:
    """Empty boxes by the grid and four cells, layers with pixels by 1 and 10 pixels."""
    draw_box(window, 64, 64, 192, 192)
    key(window, Qt.Key.Key_Right, SHIFT, widget=window.view)
    assert only_foreground(window).rect.x == 64 + 4 * 32
    window.actions_["undo"].trigger()
    key(window, Qt.Key.Key_Right, widget=window.view)
    assert only_foreground(window).rect.x == 96
    fill(window.session.document)
    key(window, Qt.Key.Key_Right, widget=window.view)
    assert only_foreground(window).rect.x == 97
    key(window, Qt.Key.Key_Down, SHIFT, widget=window.view)
    assert only_foreground(window).rect.y == 74


def test_zoom_keeps_the_place_under_the_pointer(window: Any) -> None:
    """5 % to 3200 %, at the pointer."""
    navigation = window.view.navigation
    navigation.set_zoom(1.0)
    place = QPointF(300, 200)
    inverted, _ = window.view.to_view().inverted()
    before = inverted.map(place)
    navigation.zoom_by(2.0, place)
    inverted, _ = window.view.to_view().inverted()
    after = inverted.map(place)
    assert abs(after.x() - before.x()) <= 1
    assert abs(after.y() - before.y()) <= 1
    navigation.zoom_by(1000)
    assert navigation.zoom == pytest.approx(32)
    navigation.zoom_by(1e-6)
    assert navigation.zoom == pytest.approx(0.05)


def test_hundred_percent_is_one_device_pixel(window: Any) -> None:
    """At 100 % a picture pixel is a device pixel."""
    window.actions_["zoom_100"].trigger()
    ratio = window.view.devicePixelRatioF()
    assert window.view.transform().m11() * ratio == pytest.approx(1.0)


def test_fit_and_selection(window: Any) -> None:
    """The whole canvas, and what is selected as large as it fits, in the middle."""
    draw_box(window, 32, 64, 128, 160)
    view, port = window.view, window.view.viewport().rect()
    window.actions_["zoom_selection"].trigger()
    shown = view.to_view().mapRect(QRectF(32, 64, 96, 96)).toRect()
    assert port.contains(shown)
    assert (shown.center() - port.center()).manhattanLength() <= 4
    closer = view.navigation.zoom
    window.actions_["zoom_fit"].trigger()
    assert port.contains(view.to_view().mapRect(QRectF(0, 0, 512, 512)).toRect())
    assert view.navigation.zoom < closer


def test_pixels_are_square_from_two_hundred_percent(window: Any, qtbot: Any) -> None:
    """Below that the picture is smooth: colours appear that it does not have."""
    window.actions_["background"].trigger()
    draw_box(window, 64, 64, 192, 192)
    layer = only_foreground(window)
    stripes = np.full((128, 128, 4), 255, np.uint8)
    stripes[:, ::2, :3] = 0
    window.session.push(PlacePixels([Placement(layer.id, stripes, layer.rect)]))
    window.session.selection.clear()
    window.actions_["tool_select"].trigger()
    for zoom, is_square in ((2.0, True), (3.0, True), (1.5, False)):
        window.view.navigation.look_at(QPointF(128, 128), zoom)
        qtbot.waitUntil(lambda: window.scene.is_settled)
        shown = to_array(window.view.viewport().grab().toImage())
        place = at(window, 128, 128)
        tones = set(np.unique(shown[place.y(), place.x() - 30 : place.x() + 30, 0]).tolist())
        assert (tones == {0, 255}) == is_square, (zoom, tones)


def test_space_drag_pans(window: Any) -> None:
    """In every tool; the document stays as it is."""
    window.view.navigation.set_zoom(2.0)
    window.actions_["tool_box"].trigger()
    before = window.view.to_view().map(QPointF(0, 0))
    window.view.setFocus()
    QTest.keyPress(window.view, Qt.Key.Key_Space)
    port = window.view.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=port.rect().center())
    start = window.view.mapToScene(port.rect().center())
    move(window, start.x() - 20, start.y() - 10)
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=port.rect().center())
    QTest.keyRelease(window.view, Qt.Key.Key_Space)
    after = window.view.to_view().map(QPointF(0, 0))
    assert after.x() == before.x() - 40
    assert after.y() == before.y() - 20
    assert not window.session.document.foregrounds


def test_settled_picture_is_the_exported_composite(window: Any, qtbot: Any) -> None:
    """Shortly after the last change the screen shows what export would write."""
    draw_box(window, 64, 64, 256, 256)
    draw_box(window, 160, 160, 352, 352)
    fill(window.session.document)
    qtbot.waitUntil(lambda: window.scene.is_settled, timeout=3000)
    expected = composite_of(window.session.document)
    shown = to_array(window.scene._item.image)
    assert np.abs(shown.astype(int) - expected.astype(int)).max() <= 1
    window.actions_["tool_select"].trigger()
    press_and_move(window, (200, 200), (300, 300))
    assert not window.scene.is_settled
    key(window, Qt.Key.Key_Escape, widget=window.view)
    qtbot.waitUntil(lambda: window.scene.is_settled, timeout=3000)


def test_a_layer_deleted_during_its_drag(window: Any) -> None:
    """The release finds nothing to move and says nothing."""
    draw_box(window, 64, 64, 192, 192)
    window.actions_["tool_select"].trigger()
    press_and_move(window, (128, 128), (256, 256))
    window.actions_["delete"].trigger()
    QTest.mouseRelease(window.view.viewport(), Qt.MouseButton.LeftButton, pos=at(window, 256, 256))
    assert not window.session.document.foregrounds
    assert not window.messages.isVisible()


def test_the_first_box_can_be_drawn_over_the_help(window: Any) -> None:
    """The card lets the mouse through and leaves at the first press."""
    card = window.card
    assert card.isVisible()
    corner = card.geometry().topLeft() + QPoint(8, 8)
    assert window.view.childAt(corner) is window.view.viewport()
    window.actions_["tool_box"].trigger()
    press_and_move(window, (128, 128), (384, 384))
    assert not card.isVisible()
    assert not card.buttons.isVisible()
    key(window, Qt.Key.Key_Escape, widget=window.view)
    assert not card.isVisible(), "it has been read"
    QTest.mouseRelease(window.view.viewport(), Qt.MouseButton.LeftButton, pos=at(window, 384, 384))
    drag(window, (128, 128), (384, 384))
    assert not card.isVisible()
