"""Imported pictures: their own size, the question before Ctrl+R; layers that are dragged out."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QMessageBox

from app.document import Rect
from app.document.commands import Rename, SetLocked, SetOpacity
from app.document.composite import composite
from app.document.geometry import Size
from app.ui.panels.layer_rows import MIME_ROWS
from tests.app.document.examples import picture as random_picture
from tests.app.document.examples import plain
from tests.app.ui.helpers import at, key
from tests.app.ui.test_exchange import stored, wait
from tests.app.ui.test_files import answer_question, picture

CTRL = Qt.KeyboardModifier.ControlModifier


def test_a_scaled_picture_offers_its_original_size(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """The message's button brings every pixel back, around the same middle; one step."""
    pixels = random_picture(2048, 512)
    window.importing.add_files([stored(tmp_path / "wide.png", pixels)])
    wait(window, qtbot)
    document = window.session.document
    (layer,) = document.foregrounds
    assert layer.rect == Rect(0, 192, 512, 128)
    assert "Scaled down to fit the canvas: 'wide'." in window.messages.text.text()
    before = document.content_hash()
    assert window.messages.action_button.text() == "Original Size"
    assert window.session.selection.ids == {layer.id}
    assert not window.strip.isVisible(), "the full size is no other result"
    window.messages.action_button.click()
    (layer,) = document.foregrounds
    assert layer.rect == Rect(-768, 0, 2048, 512)
    assert np.array_equal(layer.pixels, pixels * (pixels[..., 3:] > 0))
    assert not window.actions_["original_size"].isEnabled()
    window.actions_["undo"].trigger()
    assert document.content_hash() == before
    assert window.actions_["original_size"].isEnabled()
    window.session.push(SetLocked([layer.id], True))
    assert "locked" in window.actions_["original_size"].toolTip()


def test_an_imported_picture_is_asked_about_once(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Ctrl+R on one asks; No changes nothing; after Yes its pixels are a candidate."""
    pixels = plain(64, 64, (250, 200, 0, 255))
    window.importing.add_files([stored(tmp_path / "sun.png", pixels)])
    wait(window, qtbot)
    (layer,) = window.session.document.foregrounds
    before = window.session.document.content_hash()
    key(window, Qt.Key.Key_R, CTRL, widget=window.view)
    (box,) = window.findChildren(QMessageBox)
    assert "'sun'" in box.text() and "stay among" in box.informativeText()
    answer_question(window, qtbot, "Cancel")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    assert not window.engine.requests
    assert window.session.document.content_hash() == before
    key(window, Qt.Key.Key_R, CTRL, widget=window.view)
    answer_question(window, qtbot, "Repaint")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.engine.begin()
    window.engine.finish()
    qtbot.waitUntil(lambda: window.session.bridge.current is None)
    shown = window.session.document.layer(layer.id)
    assert shown.pixel_hash != layer.pixel_hash
    assert layer.pixel_hash in {item.pixel_hash for item in shown.candidates}
    window.actions_["undo"].trigger()
    assert window.session.document.content_hash() == before
    window.session.selection.set([layer.id])
    key(window, Qt.Key.Key_R, CTRL, widget=window.view)  # asked about already
    assert not window.findChildren(QMessageBox)
    assert len(window.engine.requests) == 2


def drag_data(window: Any, *names: str) -> QMimeData:
    """What a drag of these rows carries."""
    model = window.layers.model
    layers = {layer.name: layer for layer in window.session.document.layers}
    return model.mimeData([model.index_of(layers[name].id) for name in names])


@pytest.fixture
def two(window: Any, qtbot: Any, tmp_path: Path) -> list[np.ndarray]:
    """Pictures "a/b" and, above it, "Été"; both are half transparent layers."""
    arrays = [random_picture(40, 20, 1), random_picture(30, 60, 2)]
    files = [stored(tmp_path / f"{place}.png", array) for place, array in enumerate(arrays)]
    window.importing.add_files(files)
    wait(window, qtbot)
    for layer, name in zip(window.session.document.foregrounds, ("a/b", "Été"), strict=True):
        window.session.push(Rename(layer.id, name))
        window.session.push(SetOpacity([layer.id], 0.5))
    return [array * (array[..., 3:] > 0) for array in arrays]


def test_layers_are_dragged_out_as_files(
    window: Any, two: list[np.ndarray], tmp_path: Path
) -> None:
    """A PNG of the layer as it is, and a file named after it, written when it is wanted."""
    out = tmp_path / "out"
    window.session.drag_folder = lambda: out
    data = drag_data(window, "a/b")
    assert data.hasImage() is False and data.hasFormat("image/png") and data.hasFormat(MIME_ROWS)
    assert not out.exists()
    with Image.open(io.BytesIO(bytes(data.data("image/png").data()))) as image:
        assert np.array_equal(np.asarray(image), two[0])
    assert data.hasUrls() and not out.exists()
    (url,) = data.urls()
    assert bytes(data.data("text/uri-list").data()).decode() == f"{url.toString()}\r\n"
    assert url.toLocalFile() == str(out / "a_b.png")
    with Image.open(out / "a_b.png") as image:
        assert np.array_equal(np.asarray(image), two[0])

    both = drag_data(window, "Été", "a/b")
    assert [Path(url.toLocalFile()).name for url in both.urls()] == ["a_b.png", "Été.png"]
    layers = window.session.document.foregrounds
    union = layers[0].rect.united(layers[1].rect)
    with Image.open(io.BytesIO(bytes(both.data("image/png").data()))) as image:
        assert np.array_equal(np.asarray(image), composite(layers, union))


def test_a_box_is_dragged_inside_only(window: Any) -> None:
    window.actions_["new_box"].trigger()
    data = drag_data(window, "Layer 1")
    assert data.formats() == [MIME_ROWS]
    assert not data.urls()


def test_rows_on_the_canvas_are_no_files(
    window: Any, two: list[np.ndarray], tmp_path: Path
) -> None:
    """Our own drag over our own canvas writes no file and imports nothing."""
    window.session.drag_folder = lambda: tmp_path / "out"
    data = drag_data(window, "a/b")
    before = window.session.document.content_hash()
    place = at(window, 100, 60)
    event = QDropEvent(
        QPointF(place),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier(0),
    )
    QApplication.sendEvent(window.view.viewport(), event)
    assert window.session.document.content_hash() == before
    assert not (tmp_path / "out").exists()
    ids = json.loads(bytes(data.data(MIME_ROWS).data()))
    assert window.layers.model.move_rows(ids, 0)
    assert [layer.name for layer in window.session.document.foregrounds] == ["Été", "a/b"]


def test_a_folder_that_cannot_be_written_gives_no_file(
    window: Any, two: list[np.ndarray], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    window.session.drag_folder = lambda: tmp_path / "file"
    data = drag_data(window, "a/b")
    assert not data.urls()
    assert data.data("image/png").size()


def test_files_go_into_the_work_folder(window: Any, two: Any) -> None:
    """Without one into a folder of the system for things that do not last."""
    folder = window.session.drag_folder()
    try:
        assert folder.is_dir() and not any(folder.iterdir())
    finally:
        folder.rmdir()


def test_pixels_are_picture(window: Any, qtbot: Any) -> None:
    """A generated layer goes out the same way."""
    picture(window, qtbot)
    layer = window.session.document.foregrounds[0]
    data = drag_data(window, layer.name)
    with Image.open(io.BytesIO(bytes(data.data("image/png").data()))) as image:
        assert np.array_equal(np.asarray(image), layer.pixels)


def test_the_news_of_an_import_goes_with_its_picture(
    window: Any, qtbot: Any, tmp_path: Path
) -> None:
    """Its button would act on another picture, and the message lies over that one's canvas."""
    window.importing.add_files([stored(tmp_path / "wide.png", random_picture(2048, 512))])
    wait(window, qtbot)
    assert window.messages.isVisible()
    window.files._start_new(Size(512, 512))
    assert not window.messages.isVisible()
