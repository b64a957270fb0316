"""RGBA arrays to Qt pictures: conversion, checkerboard, thumbnails.

Knows numpy and Qt, not the document. Arrays are (h, w, 4) uint8, straight alpha, sRGB.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QColorSpace, QImage, QPainter, QPixmap

from app.ui.theme import CHECK_SIZE, Colours


def to_qimage(rgba: np.ndarray) -> QImage:
    """A premultiplied copy: the array may be freed, and drawing needs no conversion."""
    height, width = rgba.shape[:2]
    data = np.ascontiguousarray(rgba)
    image = QImage(data.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def wrapped(rgba: np.ndarray) -> QImage:
    """The array itself as a picture, nothing copied: it must live and stay as it is.

    Drawing converts on the way and takes about three times as long as with `to_qimage`.
    """
    height, width = rgba.shape[:2]
    data = rgba if rgba.flags.c_contiguous else np.ascontiguousarray(rgba)
    return QImage(data.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)


def to_array(image: QImage) -> np.ndarray:
    """The picture as (h, w, 4) uint8 with straight alpha; its colour space becomes sRGB. A copy."""
    space, srgb = image.colorSpace(), QColorSpace(QColorSpace.NamedColorSpace.SRgb)
    if space.isValid() and space != srgb:
        changed = image.convertedToColorSpace(srgb, QImage.Format.Format_RGBA8888)
        image = image if changed.isNull() else changed
    straight = image.convertToFormat(QImage.Format.Format_RGBA8888)
    height, width = straight.height(), straight.width()
    rows = np.frombuffer(straight.constBits(), np.uint8).reshape(height, straight.bytesPerLine())
    return rows[:, : 4 * width].reshape(height, width, 4).copy()


def checker_brush(colours: Colours, ratio: float = 1.0) -> QBrush:
    """A transparency checkerboard of 8 logical pixels a square."""
    side = max(1, round(CHECK_SIZE * ratio))
    tile = QPixmap(2 * side, 2 * side)
    tile.fill(QColor(colours.check_a))
    painter = QPainter(tile)
    second = QColor(colours.check_b)
    painter.fillRect(side, 0, side, side, second)
    painter.fillRect(0, side, side, side, second)
    painter.end()
    tile.setDevicePixelRatio(ratio)
    return QBrush(tile)


def thumbnail(image: QImage | None, side: int, ratio: float, colours: Colours) -> QPixmap:
    """The picture fitted into a square of `side` logical pixels on a checkerboard.

    None draws the hatching of a layer without pixels.
    """
    device = round(side * ratio)
    result = QPixmap(device, device)
    result.setDevicePixelRatio(ratio)
    painter = QPainter(result)
    whole = QRect(0, 0, side, side)
    if image is None or image.isNull():
        painter.fillRect(whole, QColor(colours.raised))
        painter.fillRect(whole, QBrush(QColor(colours.edge), Qt.BrushStyle.BDiagPattern))
    else:
        painter.fillRect(whole, checker_brush(colours, ratio))
        fitted = image.size().scaled(QSize(device, device), Qt.AspectRatioMode.KeepAspectRatio)
        small = image.scaled(
            fitted.expandedTo(QSize(1, 1)),
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        place = QRectF(0, 0, fitted.width() / ratio, fitted.height() / ratio)
        place.moveCenter(QRectF(whole).center())
        painter.drawImage(place, small)
    painter.end()
    return result
