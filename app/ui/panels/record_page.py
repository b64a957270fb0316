"""The Record tab: how the layer's pixels were made, as text to read and to copy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from PySide6.QtCore import QLocale, QTime, Signal
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
)

from app.document.layer import Layer
from app.ui.enabling import enable
from app.ui.text import number, seconds, tr
from app.ui.theme import FIELD_HEIGHT
from app.ui.widgets.accessibility import StatusLabel
from app.ui.widgets.forms import Panel, fill, named


def record_lines(layer: Layer) -> list[str]:
    """The record as one fact a line; one line for pixels that were not made here."""
    record: Mapping[str, Any] = layer.record or {}
    if "prompt" not in record:
        return [tr("This layer was not generated here.")]
    lines = [tr("Prompt: {0}").format(record["prompt"] or tr("none"))]
    for key, text in (
        ("seed", tr("Seed: {0}")),
        ("steps", tr("Steps: {0}")),
        ("guidance", tr("Guidance: {0}")),
        ("word", tr("Shows: {0}")),
        ("left_empty", tr("Left empty: {0}")),
        ("device", tr("Device: {0}")),
        ("threads", tr("Threads: {0}")),
        ("precision", tr("Precision: {0}")),
    ):
        if record.get(key) is not None:
            lines.append(text.format(record[key]))
    if isinstance(record.get("clean_colours"), bool):
        lines.append(
            tr("Clean colours: on") if record["clean_colours"] else tr("Clean colours: off")
        )
    box = record.get("box")
    if isinstance(box, list) and len(box) == 4:
        size = f"{box[2] - box[0]} × {box[3] - box[1]}"
        lines.append(tr("Region: {0} at {1}, {2}").format(size, box[0], box[1]))
    canvas = record.get("canvas")
    if isinstance(canvas, list) and len(canvas) == 2:
        lines.append(tr("Canvas: {0}").format(f"{canvas[0]} × {canvas[1]}"))
    seen = record.get("layers")
    if isinstance(seen, list):
        context = sum(1 for item in seen if isinstance(item, dict) and "pixels" in item)
        if context:
            lines.append(tr("Finished layers used as context: {0}").format(number(context)))
    model = record.get("model")
    if isinstance(model, dict):
        lines.append(tr("Model: {0} {1}").format(model.get("name"), str(model.get("hash"))[:12]))
    versions = record.get("versions")
    if isinstance(versions, dict):
        lines += [f"{name} {version}" for name, version in versions.items()]
    if isinstance(record.get("seconds"), (int, float)):
        lines.append(tr("Took {0}").format(seconds(record["seconds"])))
    if "source" in record:
        lines.append(tr("Resized: the original is in the strip."))
    lines.append(tr("Pixels: {0}").format((layer.pixel_hash or "")[:16]))
    return lines


class RecordPage(Panel):
    """The record, two buttons, and how long the pixels have been the same."""

    prompt_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._layer: Layer | None = None
        tip = tr("How the layer's pixels were made, to read and to copy.")
        self.text = named(QPlainTextEdit(), tr("Record of the layer"), tip)
        self.text.setReadOnly(True)
        self.since = StatusLabel(tr("Age of the pixels"))
        self.since.setObjectName("secondary")
        self.since.setWordWrap(True)
        self.hash_button = _button(
            tr("Show Hash"), tr("Shows the SHA-256 of the pixels. It changes when a pixel changes.")
        )
        self.hash_button.setCheckable(True)
        tip = tr("Equal pixels have equal hashes. Compare this hash with an earlier one.")
        self.hash = named(QLineEdit(), tr("SHA-256 of the pixels"), tip, line=FIELD_HEIGHT)
        self.hash.setReadOnly(True)
        self.copy_hash = _button(tr("Copy Hash"), tr("Copies all 64 digits as text."))
        self.copy, self.use = _button(tr("Copy Recipe")), _button(tr("Use Prompt"))
        self.hash_button.toggled.connect(self._show_hash)
        self.copy_hash.clicked.connect(self._copy_hash)
        self.copy.clicked.connect(self._copy)
        self.use.clicked.connect(self._use)
        age = fill(QHBoxLayout(), (self.since, 1), self.hash_button)
        digits = fill(QHBoxLayout(), (self.hash, 1), self.copy_hash)
        self.show_scrolled(
            tr("Record"),
            (self.text, 1),
            fill(QVBoxLayout(), age, digits),
            fill(QHBoxLayout(), self.copy, self.use, None),
        )
        self.show_layer(None)

    def show_layer(self, layer: Layer | None, since: datetime | None = None) -> None:
        """The record of a layer and since when it has its pixels, or that there is none."""
        self._layer = layer
        lines = [tr("Click a layer to see its settings.")] if layer is None else record_lines(layer)
        text = "\n".join(lines)
        if text != self.text.toPlainText():
            self.text.setPlainText(text)
        self.since.setVisible(layer is not None and since is not None)
        self._show_hash(self.hash_button.isChecked())
        if since is not None:
            minute = QTime(since.hour, since.minute)
            time = QLocale().toString(minute, QLocale.FormatType.ShortFormat)
            self.since.setText(tr("Pixels unchanged since {0}").format(time))
        has_record = layer is not None and "prompt" in (layer.record or {})
        why_not = "" if has_record else tr("this layer was not generated here")
        enable(self.copy, tr("Copies the whole record as text."), why_not)
        enable(self.use, tr("Uses the layer's prompt for the picture."), why_not)

    def _show_hash(self, shown: bool) -> None:
        """The whole hash, so that it can be compared with one noted before."""
        pixel_hash = "" if self._layer is None else self._layer.pixel_hash or ""
        if self.hash.text() != pixel_hash:
            self.hash.setText(pixel_hash)
            self.hash.setCursorPosition(0)
        self.hash_button.setVisible(bool(pixel_hash))
        for widget in (self.hash, self.copy_hash):
            widget.setVisible(shown and bool(pixel_hash))

    def _copy_hash(self) -> None:
        QApplication.clipboard().setText(self.hash.text())

    def _copy(self) -> None:
        if self._layer is not None:
            QApplication.clipboard().setText("\n".join(record_lines(self._layer)))

    def _use(self) -> None:
        if self._layer is not None and self._layer.record is not None:
            self.prompt_asked.emit(str(self._layer.record.get("prompt", "")))


def _button(text: str, tip: str = "") -> QPushButton:
    return named(QPushButton(text), text, tip, style="stripButton", line=FIELD_HEIGHT)
