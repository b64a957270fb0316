"""Drops and pastes: everything is taken, or refused with a message. And numbers in any locale."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QIODevice, QLocale, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.document.geometry import Rect
from app.ui.mime_data import offered_by

COLOUR = (10, 200, 30, 255)


def encoded(kind: str) -> bytes:
    image = QImage(40, 24, QImage.Format.Format_RGBA8888)
    image.fill(Qt.GlobalColor.transparent)
    for x in range(40):
        for y in range(24):
            image.setPixelColor(x, y, Qt.GlobalColor.green)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, kind)  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def drop(window: Any, data: QMimeData) -> bool:
    """Drag over the canvas and let go; whether the drag was taken."""
    viewport = window.view.viewport()
    actions, buttons = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    at, none = QPointF(viewport.rect().center()), Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(at.toPoint(), actions, data, buttons, none)
    QApplication.sendEvent(viewport, enter)
    event = QDropEvent(at, actions, data, buttons, none)
    QApplication.sendEvent(viewport, event)
    return enter.isAccepted()


def with_type(kind: str, data: bytes) -> QMimeData:
    result = QMimeData()
    result.setData(kind, data)
    return result


def with_urls(*urls: str) -> QMimeData:
    result = QMimeData()
    result.setUrls([QUrl(each) for each in urls])
    return result


def from_a_browser() -> QMimeData:
    result = with_type("image/png", encoded("PNG"))
    result.setUrls([QUrl("https://pictures.example/cat.png")])
    result.setText("https://pictures.example/cat.png")
    return result


def of_an_image() -> QMimeData:
    result = QMimeData()
    result.setImageData(QImage.fromData(encoded("PNG")))
    return result


PICTURES = {
    "png": lambda: with_type("image/png", encoded("PNG")),
    "jpeg": lambda: with_type("image/jpeg", encoded("JPG")),
    "bmp": lambda: with_type("image/bmp", encoded("BMP")),
    "qt image": of_an_image,
    "browser": from_a_browser,
    "data address": lambda: with_urls(
        "data:image/png;base64," + base64.b64encode(encoded("PNG")).decode()
    ),
    "data address with escapes": lambda: with_urls(
        "data:image/jpeg;base64,"
        + base64.b64encode(encoded("JPG")).decode().replace("+", "%2B").replace("/", "%2F")
    ),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_without_a_file_is_dropped_as_a_layer(window: Any, qtbot: Any, kind: str) -> None:
    assert drop(window, PICTURES[kind]())
    qtbot.waitUntil(lambda: len(window.session.document.foregrounds) == 1)
    (layer,) = window.session.document.foregrounds
    assert (layer.kind, layer.rect.size.width, layer.rect.size.height) == ("imported", 40, 24)
    wanted = np.array([0, 255, 0, 255])
    assert np.abs(layer.pixels.astype(int) - wanted).max() <= 2
    assert not window.messages.isVisible()


def refusals(folder: Path) -> dict[str, tuple[QMimeData, str]]:
    (folder / "inside").mkdir()
    return {
        "folder": (with_urls(QUrl.fromLocalFile(str(folder / "inside")).toString()), "a folder"),
        "gone": (with_urls(QUrl.fromLocalFile(str(folder / "none.png")).toString()), "not there"),
        "web": (with_urls("https://pictures.example/cat.png"), "not downloaded"),
        "ftp": (with_urls("ftp://pictures.example/cat.png"), "not downloaded"),
        "data text": (with_urls("data:text/plain,hello"), "contains no picture"),
        "broken data": (with_type("image/png", b"\x89PNG no"), "Nothing was added"),
        "broken address": (with_urls("data:image/png;base64,AAAA"), "Nothing was added"),
        "empty address": (with_urls("data:image/png;base64,"), "contains no picture"),
    }


def test_what_cannot_be_taken_is_said(window: Any, qtbot: Any, tmp_path: Path) -> None:
    for name, (data, said) in refusals(tmp_path).items():
        window.messages.dismiss()
        assert drop(window, data), name
        qtbot.waitUntil(lambda: not window.session.files.is_busy)
        assert said in window.messages.text.text(), name
        assert window.messages.isVisible(), name
    for name in ("folder", "web"):
        window.messages.dismiss()
        (tmp_path / name).mkdir()
        data, said = refusals(tmp_path / name)[name]
        QGuiApplication.clipboard().setMimeData(data)
        window.actions_["paste"].trigger()
        assert said in window.messages.text.text(), name
    assert not window.session.document.foregrounds


@pytest.mark.parametrize("suffix", [".json", ".txt", ".JSON"])
def test_pasting_a_copied_layout_file_is_as_dropping_it(
    window: Any, qtbot: Any, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"layout{suffix}"
    boxes = [{"box": [64, 64, 192, 192]}, {"box": [256, 64, 384, 192]}]
    path.write_text(json.dumps({"canvas": [512, 512], "boxes": boxes}))
    QGuiApplication.clipboard().setMimeData(with_urls(QUrl.fromLocalFile(str(path)).toString()))
    window.actions_["paste"].trigger()
    document = window.session.document
    qtbot.waitUntil(lambda: len(document.foregrounds) == 2)
    pasted = [layer.rect for layer in document.foregrounds]
    assert pasted == [Rect(64, 64, 128, 128), Rect(256, 64, 128, 128)]
    window.actions_["undo"].trigger()
    drop(window, with_urls(QUrl.fromLocalFile(str(path)).toString()))
    qtbot.waitUntil(lambda: len(document.foregrounds) == 2)
    assert [layer.rect for layer in document.foregrounds] == pasted


def test_files_come_before_the_same_pictures_data(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded("PNG"))
    data = with_urls(QUrl.fromLocalFile(str(path)).toString())
    data.setData("image/png", encoded("PNG"))
    offered = offered_by(data)
    assert (offered.files, offered.pictures, offered.refused) == ((path,), (), ())


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "fr_FR", "de_CH", "pt_BR", "ar_EG"])
@pytest.mark.parametrize("typed", ["1.5", "1,5"])
def test_guidance_takes_point_and_comma_in_any_locale(window: Any, locale: str, typed: str) -> None:
    field = window.advanced.guidance
    field.setLocale(QLocale(locale))
    field.lineEdit().clear()
    QTest.keyClicks(field.lineEdit(), typed)
    QTest.keyClick(field.lineEdit(), Qt.Key.Key_Return)
    assert field.value() == 1.5
    assert window.session.document.settings.cfg_scale == 1.5
    field.setValue(0)
    assert field.text() == field.specialValueText()
