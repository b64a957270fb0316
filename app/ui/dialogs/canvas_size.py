"""Canvas sizes: those on offer, and the dialogs that ask for one.

Sizes that the model was trained for come first, then others by their use. Ratios are exact: a size
that only comes near a well-known ratio does not get its name. The dialogs open without blocking and
answer by a function; they change nothing themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QDialog, QLabel, QPushButton, QSpinBox, QWidget

from app.document.contents import MAX_SIDE
from app.document.geometry import Size
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, UNIT
from app.ui.widgets.buttons import accept_or_cancel
from app.ui.widgets.fields import DropDown
from app.ui.widgets.forms import field_name, form_column, form_layout, named

# Of the shipped model. They are offered until a model is loaded, which takes seconds; a test
# compares them with the model file.
SHIPPED_SIZES = (Size(512, 512), Size(640, 384), Size(384, 640), Size(448, 576), Size(576, 448))
SHIPPED_MULTIPLE = 64

_LARGEST_PART = 21  # of a ratio that still says something: 21:9, but not 37:23
_OTHER_SIZES = (
    Size(1024, 576),
    Size(576, 1024),
    Size(768, 576),
    Size(576, 768),
    Size(640, 512),
    Size(512, 640),
    Size(768, 512),
    Size(512, 768),
)


class ModelSizes(Protocol):
    """The sizes in the facts of a loaded model."""

    @property
    def trained_canvases(self) -> tuple[tuple[int, int], ...]: ...
    @property
    def canvas_multiple(self) -> int: ...


@dataclass(frozen=True, slots=True)
class SizePreset:
    """One entry of the list of sizes."""

    size: Size
    is_trained: bool

    @property
    def text(self) -> str:
        """Use, size and ratio, such as "Slide · 1024 × 576 (16:9)"."""
        text = f"{use_name(self.size)} · {self.size.width} × {self.size.height}"
        ratio = ratio_name(self.size)
        return f"{text} ({ratio})" if ratio else text


def trained_sizes(info: ModelSizes | None) -> tuple[list[Size], int]:
    """The sizes of the loaded model, else of the shipped one, and what sides are multiples of."""
    if info is None:
        return list(SHIPPED_SIZES), SHIPPED_MULTIPLE
    return [Size(*each) for each in info.trained_canvases], info.canvas_multiple


def presets(trained: Sequence[Size], multiple: int) -> list[SizePreset]:
    """What is offered: trained sizes first, then the others whose sides fit the model's grid."""
    others = [size for size in _OTHER_SIZES if size.is_multiple_of(multiple)]
    return [
        *(SizePreset(size, True) for size in trained),
        *(SizePreset(size, False) for size in others if size not in trained),
    ]


def ratio_name(size: Size) -> str:
    """The exact ratio in whole numbers, such as "16:9"; "" where it takes large ones."""
    factor = math.gcd(size.width, size.height)
    width, height = size.width // factor, size.height // factor
    return f"{width}:{height}" if max(width, height) <= _LARGEST_PART else ""


def use_name(size: Size) -> str:
    """What a size of this shape is good for."""
    known = {
        "1:1": tr("Square, sticker"),
        "16:9": tr("Slide"),
        "9:16": tr("Story"),
        "4:3": tr("Screen"),
        "3:4": tr("Page"),
        "5:4": tr("Print"),
        "4:5": tr("Portrait post"),
        "3:2": tr("Photo"),
        "2:3": tr("Poster"),
        "9:7": tr("Wide card"),
        "7:9": tr("Card"),
    }
    shape = tr("Landscape") if size.width > size.height else tr("Portrait")
    return known.get(ratio_name(size), shape)


class CanvasSizeDialog(QDialog):
    """Asks for a canvas size, trained ones first; both sides are multiples of `multiple`."""

    def __init__(
        self,
        parent: QWidget,
        trained: Sequence[Size],
        multiple: int,
        done: Callable[[Size], None],
        *,
        title: str,
        verb: str,
        now: Size | None = None,
    ) -> None:
        super().__init__(parent)
        self._presets = presets(trained, multiple)
        self._multiple = multiple
        self._done = done
        self.preset = named(DropDown(), tr("Preset"), height=CONTROL_HEIGHT)
        for place, each in enumerate(self._presets):
            if not each.is_trained and place and self._presets[place - 1].is_trained:
                self.preset.insertSeparator(self.preset.count())
            self.preset.addItem(each.text, each.size)
        self.preset.addItem(tr("Custom size"), None)
        self.width_field = self._side(tr("Width"))
        self.height_field = self._side(tr("Height"))
        self.warning = QLabel()
        self.warning.setObjectName("warning")
        self.warning.setWordWrap(True)
        form = self.form = form_layout()
        form.addRow(field_name(tr("Size")), self.preset)
        form.addRow(field_name(tr("Width")), self.width_field)
        form.addRow(field_name(tr("Height")), self.height_field)
        layout = form_column(self, title)
        layout.addLayout(form)
        layout.addWidget(self.warning)
        layout.addWidget(accept_or_cancel(self, QPushButton(verb)))
        self.setMinimumWidth(360)
        self.preset.currentIndexChanged.connect(self._on_preset)
        for field in (self.width_field, self.height_field):
            field.valueChanged.connect(self._on_side)
            field.editingFinished.connect(self._show_chosen)
        self._on_preset()
        if now is not None:
            self._show_size(now)

    @property
    def size_chosen(self) -> Size:
        """The size, on the grid."""
        step = self._multiple
        width, height = self.width_field.value(), self.height_field.value()
        return Size(max(step, width // step * step), max(step, height // step * step))

    def accept(self) -> None:
        super().accept()
        self._done(self.size_chosen)

    def _on_preset(self) -> None:
        size = self.preset.currentData()
        if size is not None:
            self._show_size(size)
        self._on_side()

    def _show_chosen(self) -> None:
        """A typed size off the grid shows what will be made of it."""
        self._show_size(self.size_chosen)

    def _show_size(self, size: Size) -> None:
        self.width_field.setValue(size.width)
        self.height_field.setValue(size.height)

    def _on_side(self) -> None:
        size = self.size_chosen
        known = next((each for each in self._presets if each.size == size), None)
        place = self.preset.count() - 1
        if known is not None:
            place = self.preset.findText(known.text)
        with QSignalBlocker(self.preset):
            self.preset.setCurrentIndex(place)
        is_trained = known is not None and known.is_trained
        self.warning.setText(
            "" if is_trained else tr("The model was not trained for this size. It may look worse.")
        )

    def _side(self, name: str) -> QSpinBox:
        field = named(QSpinBox(), name, height=CONTROL_HEIGHT)
        field.setRange(self._multiple, MAX_SIDE // self._multiple * self._multiple)
        field.setSingleStep(self._multiple)
        field.setSuffix(" px")
        field.lineEdit().setTextMargins(UNIT + 2, 0, 0, 0)
        return field


class NewDialog(CanvasSizeDialog):
    """Asks for the size of a new picture, and whether it has a background."""

    def __init__(
        self,
        parent: QWidget,
        trained: Sequence[Size],
        multiple: int,
        create: Callable[[Size, bool], None],
        now: Size | None = None,
    ) -> None:
        super().__init__(
            parent,
            trained,
            multiple,
            lambda size: create(size, self.background.currentData()),
            title=tr("New Picture"),
            verb=tr("Create"),
            now=now,
        )
        grounds = ((tr("Painted from the prompt"), True), (tr("Transparent"), False))
        tip = tr("A transparent picture shows nothing around its layers. Background On changes it.")
        name, field = tr("Background"), DropDown("", grounds)
        self.background = named(field, name, tip, height=CONTROL_HEIGHT)
        self.form.addRow(field_name(tr("Background")), self.background)
