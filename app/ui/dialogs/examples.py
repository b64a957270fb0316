"""The gallery of examples: finished pictures and layouts, each with a picture of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QDialog, QListView, QListWidget, QListWidgetItem, QPushButton, QWidget

from app.document.geometry import Size
from app.document.storage.errors import StorageError
from app.document.storage.layout import Layout, read_layout
from app.document.storage.ora.file import SUFFIX
from app.session.settings import resources_folder
from app.ui.text import tr
from app.ui.theme import GAP, MARGIN, Colours, current_colours
from app.ui.widgets.buttons import accept_or_cancel
from app.ui.widgets.forms import dialog_column

PICTURE = QSize(176, 176)
_CELL = QSize(200, 224)
_THUMBNAIL = "Thumbnails/thumbnail.png"
_GRID = 32
_CANVAS = Size(512, 512)


class ExamplesDialog(QDialog):
    """Choose one; a double click or Enter opens it."""

    def __init__(self, parent: QWidget, open_example: Callable[[Path], None]) -> None:
        super().__init__(parent)
        self._open_example = open_example
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Examples"))
        self.list.setViewMode(QListView.ViewMode.IconMode)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setMovement(QListView.Movement.Static)
        self.list.setIconSize(PICTURE)
        self.list.setGridSize(_CELL)
        self.list.setWordWrap(True)
        self.list.setUniformItemSizes(True)
        ratio, colours = self.devicePixelRatioF(), current_colours()
        for path in example_files():
            drawn = example_picture(path, colours, ratio)
            picture = QIcon(drawn)
            picture.addPixmap(drawn, QIcon.Mode.Selected)  # Qt would tint it
            item = QListWidgetItem(picture, example_name(path))
            is_picture = path.suffix == SUFFIX
            item.setToolTip(
                tr("A finished picture with its layers.")
                if is_picture
                else tr("Boxes and a prompt, ready to generate.")
            )
            item.setData(Qt.ItemDataRole.UserRole, path)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self.list.itemActivated.connect(lambda item: self.accept())
        self.open_button = QPushButton(tr("Open"))
        self.open_button.setEnabled(bool(self.list.count()))
        layout = dialog_column(self, tr("Examples"))
        layout.addWidget(self.list, 1)
        layout.addWidget(accept_or_cancel(self, self.open_button))
        self.resize(3 * _CELL.width() + 4 * MARGIN + 2 * GAP, 2 * _CELL.height() + 88)

    def accept(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            path = item.data(Qt.ItemDataRole.UserRole)
            super().accept()
            self._open_example(path)


def example_files() -> list[Path]:
    """Finished pictures first, then layouts, by name."""
    folder = resources_folder() / "examples"
    return [*sorted(folder.glob(f"*{SUFFIX}")), *sorted(folder.glob("*.json"))]


def example_name(path: Path) -> str:
    """The example's own name, else one made from its file's; a picture says that it is finished."""
    try:
        text = path.with_suffix(".json").read_text(encoding="utf-8")
        name = str(json.loads(text).get("name", ""))
    except (OSError, ValueError, AttributeError):
        name = ""
    name = name or path.stem.replace("-", " ").capitalize()
    return tr("{0}, finished").format(name) if path.suffix == SUFFIX else name


def example_picture(path: Path, colours: Colours, ratio: float) -> QPixmap:
    """A picture's thumbnail, or a layout's boxes on its canvas; empty where the file is damaged."""
    result = QPixmap(PICTURE * ratio)
    result.setDevicePixelRatio(ratio)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    try:
        if path.suffix == SUFFIX:
            with ZipFile(path) as archive:
                image = QImage.fromData(archive.read(_THUMBNAIL))
            if not image.isNull():
                painter.drawImage(_fitted(image.width(), image.height()), image)
        else:
            layout = read_layout(path, canvas=_CANVAS, grid=_GRID)
            _paint_layout(painter, layout, colours)
    except (OSError, KeyError, BadZipFile, StorageError):
        pass  # the name is there to choose by; opening it says what is wrong
    painter.end()
    return result


def _paint_layout(painter: QPainter, layout: Layout, colours: Colours) -> None:
    frame = _fitted(layout.canvas.width, layout.canvas.height)
    painter.fillRect(frame, QColor(colours.field))
    painter.setPen(QPen(QColor(colours.edge), 1))
    painter.drawRect(frame.adjusted(0, 0, -1, -1))
    scale = frame.width() / layout.canvas.width
    fill = QColor(colours.accent)
    fill.setAlpha(56)
    painter.setPen(QPen(QColor(colours.accent), 1))
    painter.setBrush(fill)
    for box in layout.boxes:
        rect = box.rect
        painter.drawRect(
            QRect(
                frame.x() + round(rect.x * scale),
                frame.y() + round(rect.y * scale),
                max(1, round(rect.width * scale) - 1),
                max(1, round(rect.height * scale) - 1),
            )
        )


def _fitted(width: int, height: int) -> QRect:
    """The largest rectangle of this shape in the middle of the picture."""
    size = QSize(width, height).scaled(PICTURE, Qt.AspectRatioMode.KeepAspectRatio)
    rect = QRect(0, 0, size.width(), size.height())
    rect.moveCenter(QRect(0, 0, PICTURE.width(), PICTURE.height()).center())
    return rect
