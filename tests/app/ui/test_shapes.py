"""Layers of flat fills in the window: sharp on the canvas, and as SVG for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication

from app.document import Rect
from app.document.commands import Placement, PlacePixels
from app.document.storage.incoming import LAYERS_TYPE
from app.ui.mime_data import LayerDrag
from app.ui.widgets.images import to_array
from tests.app.document.examples import import_picture, plain
from tests.app.document.flat_examples import flat_layer
from tests.app.document.pictures_in import drawn
from tests.app.document.test_vectors import likeness, svg, vectors_of
from tests.app.ui.helpers import drag, draw_box, key
from tests.app.ui.test_files import answer_file_dialog

CTRL = Qt.KeyboardModifier.ControlModifier
SVG = "image/svg+xml"
PLACE = Rect(192, 192, 128, 128)


@pytest.fixture(autouse=True)
def own_dialogs(qapp: QApplication) -> Iterator[None]:
    """Qt's own file dialog, and a clipboard that holds nothing afterwards."""
    qapp.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    QGuiApplication.clipboard().clear()
    yield
    QGuiApplication.clipboard().clear()


def tent(window: Any) -> Any:
    """A delivered layer on the canvas, selected."""
    draw_box(window, 192, 192, 320, 320)
    document = window.session.document
    layer = document.foregrounds[0]
    record = {"word": "tent"}
    PlacePixels([Placement(layer.id, flat_layer("tent"), PLACE, record)]).do(document)
    window.session.selection.set([layer.id])
    return document.foregrounds[0]


def rests(window: Any, qtbot: Any) -> None:
    """Wait until the exact composite is shown and nothing is being made."""
    qtbot.waitUntil(lambda: window.scene.is_settled, timeout=10_000)
    qtbot.waitUntil(lambda: not window.session.pictures.is_busy, timeout=10_000)


def shown(window: Any, rect: Rect) -> QImage:
    """The part of the canvas that a rectangle of it takes, as it is on the screen."""
    window.session.selection.clear()
    port = window.view.viewport()
    at = window.view.to_view().mapRect(QRect(rect.x, rect.y, rect.width, rect.height))
    assert port.rect().contains(at)
    return port.grab(at).toImage()


# ---- the canvas ----


def test_edges_are_sharp_beyond_100_percent(window: Any, qtbot: Any) -> None:
    """As resvg paints the shapes at this zoom, over white; at 100 % the pixels are shown."""
    tent(window)
    window.actions_["background"].trigger()  # off
    window.actions_["matte_white"].trigger()
    window.view.navigation.look_at(window.view.sceneRect().center(), 3.0)
    window.view.centerOn(256, 256)
    expected = drawn(svg(vectors_of("tent"), "#fff"), 3)
    sharp = window.scene._sharp
    with qtbot.waitSignal(sharp.made, timeout=10_000):
        window.view.viewport().update()
    rests(window, qtbot)
    found = to_array(shown(window, PLACE))
    assert likeness(found, expected) >= 35
    squares = flat_layer("tent").repeat(3, axis=0).repeat(3, axis=1)
    assert likeness(expected, found) > likeness(expected, squares) + 3


def test_a_drag_shows_pixels_and_its_end_shapes_again(window: Any, qtbot: Any) -> None:
    tent(window)
    window.view.navigation.look_at(window.view.sceneRect().center(), 2.0)
    window.view.centerOn(256, 256)
    sharp = window.scene._sharp
    with qtbot.waitSignal(sharp.made, timeout=10_000):
        window.view.viewport().update()
    before = shown(window, PLACE)
    window.actions_["tool_select"].trigger()
    with qtbot.waitSignal(sharp.made, timeout=10_000):
        drag(window, (256, 290), (288, 290))
        qtbot.waitUntil(lambda: window.scene.is_settled, timeout=10_000)
    layer = window.session.document.foregrounds[0]
    assert layer.rect.x == PLACE.x + 32
    rests(window, qtbot)
    # A move by whole pixels shows the same shapes at the new place.
    assert likeness(to_array(shown(window, layer.rect)), to_array(before)) >= 40


def test_pictures_without_shapes_are_shown_as_before(window: Any, qtbot: Any) -> None:
    document = window.session.document
    import_picture(document, plain(64, 64, (200, 10, 20, 255)), "red")
    window.view.navigation.look_at(window.view.sceneRect().center(), 2.0)
    window.view.viewport().update()
    sharp = window.scene._sharp
    qtbot.waitUntil(lambda: sharp._key is not None, timeout=10_000)
    rests(window, qtbot)
    assert sharp._picture.isNull()
    assert not sharp._timer.isActive()


# ---- other programs ----


def test_copies_hold_shapes(window: Any, qtbot: Any) -> None:
    """Copy offers SVG besides ours and PNG; Copy As SVG is text, too."""
    tent(window)
    key(window, Qt.Key.Key_C, CTRL, widget=window.view)
    data = QGuiApplication.clipboard().mimeData()
    assert data.hasFormat(LAYERS_TYPE) and data.hasFormat(SVG) and data.hasFormat("image/png")
    copied = bytes(data.data(SVG).data()).decode()
    assert "<image" not in copied
    assert likeness(drawn(copied), flat_layer("tent")) >= 32
    window.actions_["copy_svg"].trigger()
    qtbot.waitUntil(lambda: not window.session.files.is_busy, timeout=10_000)
    data = QGuiApplication.clipboard().mimeData()
    assert bytes(data.data(SVG).data()).decode() == copied == data.text()


def test_drags_hold_shapes(window: Any, tmp_path: Path) -> None:
    layer = tent(window)
    carried = LayerDrag([layer], lambda: tmp_path)
    assert carried.hasFormat(SVG)
    assert likeness(drawn(bytes(carried.data(SVG).data()).decode()), flat_layer("tent")) >= 32
    assert list(tmp_path.iterdir()) == []  # no file was asked for
    assert not LayerDrag([], lambda: tmp_path).hasFormat(SVG)


def test_one_layer_is_exported_as_svg(window: Any, qtbot: Any, tmp_path: Path) -> None:
    layer = tent(window)
    window.actions_["export_svg"].trigger()
    answer_file_dialog(window, qtbot, tmp_path / "tent.svg")
    text = (tmp_path / "tent.svg").read_text("utf-8")
    found = drawn(text)
    assert found.shape == (*np.shape(layer.pixels)[:2], 4)
    assert likeness(found, flat_layer("tent")) >= 32
    window.session.selection.clear()
    assert not window.actions_["export_svg"].isEnabled()
    assert not window.actions_["copy_svg"].isEnabled()
