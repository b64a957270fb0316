"""The export dialog: which format, what is chosen for it, and what it would lose.

Asks only; opens no file. What a format keeps comes from the same table that writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.document import Contents, Rect
from app.document.geometry import union
from app.document.storage.formats.options import SCALES, WHITE, ExportOptions
from app.document.storage.formats.table import (
    FEATURES,
    FORMATS,
    Choice,
    Format,
    formats_with,
    losses,
    reason_against,
)
from app.document.words import shown_name
from app.ui.text import number, tr
from app.ui.theme import CONTROL_HEIGHT, GAP, MARGIN, UNIT
from app.ui.widgets.buttons import accept_or_cancel
from app.ui.widgets.fields import DropDown
from app.ui.widgets.forms import (
    ReadingTable,
    Scrolled,
    field_name,
    fill,
    form_column,
    form_layout,
    named,
    quiet_label,
)

Done = Callable[[Format, ExportOptions, dict[str, Any]], None]
_WHOLE, _SELECTION, _LAYER = "whole", "selection", "layer"
_WIDTH, _HEIGHT, _TITLE_BAR = 800, 580, 40
_NO_BACKGROUND = "This picture has no background."
_NO_LOSS = 0  # the quality field's lowest value


class ExportDialog(QDialog):
    """Format and options; `done` also gets what to remember for the format."""

    def __init__(
        self,
        parent: QWidget,
        contents: Contents,
        selected: Collection[int],
        key: str,
        remembered: Mapping[str, Any],
        done: Done,
    ) -> None:
        super().__init__(parent)
        column = form_column(self, tr("Export"))
        self._contents = contents
        self._selected = [layer for layer in contents.layers if layer.id in selected]
        self._remembered = dict(remembered)
        self._done = done
        self.format = DropDown(tr("Format"), [(tr(form.title), form) for form in FORMATS])
        scales = [(tr("{0} %").format(number(100 * scale)), scale) for scale in SCALES]
        self.scale = DropDown(tr("Scale"), scales)
        self.part = DropDown(tr("Area"), self._parts())
        colours = ((tr("Keep transparency"), None), (tr("White"), WHITE), (tr("Black"), (0, 0, 0)))
        self.colour = DropDown(tr("Background"), colours)
        self.quality = named(QSpinBox(), tr("Quality"))
        self.quality.setSuffix(" %")
        self.quality.lineEdit().setTextMargins(UNIT + 2, 0, 0, 0)
        self.boxes: dict[Choice, QCheckBox] = {
            "no_background": QCheckBox(tr("Without background")),
            "recipe": QCheckBox(tr("Store prompt and settings in the file")),
            "hidden": QCheckBox(tr("Include hidden layers, as hidden")),
            "canvas_sized": QCheckBox(tr("Every layer as large as the canvas")),
            "pages": QCheckBox(tr("One page per layer")),
            "parallax": QCheckBox(tr("Layers follow the pointer a little")),
            "background": QCheckBox(tr("Background as shapes, with steps of colour")),
        }
        self.rows: dict[Choice, QWidget] = {
            "part": self.part,
            "scale": self.scale,
            "colour": self.colour,
            "quality": self.quality,
            **self.boxes,
        }
        self.size_label = quiet_label("")
        headings = [tr("Content"), tr("In this format")]
        self.table = ReadingTable(tr("What the format stores"), headings, wide=(0,))
        self.nothing_lost = QLabel(tr("This format stores everything in this picture."))
        self.export_button = QPushButton(tr("Export…"))
        self._lay_out(column)
        keys = [form.key for form in FORMATS]
        self.format.setCurrentIndex(keys.index(key) if key in keys else 0)
        self.format.currentIndexChanged.connect(self._on_format)
        for choice in (self.scale, self.part, self.colour):
            choice.currentIndexChanged.connect(self._refresh)
        self.quality.valueChanged.connect(self._refresh)
        for box in self.boxes.values():
            box.toggled.connect(self._refresh)
        self._on_format()

    @property
    def form(self) -> Format:
        form = self.format.currentData()
        assert isinstance(form, Format)
        return form

    @property
    def options(self) -> ExportOptions:
        """What is chosen, of that what means something to the format."""
        others = ExportOptions(pages="pages" in self.form.choices and self._ticked("pages"))

        def counts(choice: Choice) -> bool:
            return not reason_against(self.form, choice, others)

        rect, layer_id = self._part() if counts("part") else (None, None)
        others = replace(others, layer_id=layer_id)
        no_background = counts("no_background") and self._ticked("no_background")
        others = replace(others, with_background=not no_background)
        quality = self.quality.value() if counts("quality") else _NO_LOSS
        return replace(
            others,
            rect=rect,
            scale=self.scale.currentData() if counts("scale") else 1,
            over=self.colour.currentData() if counts("colour") else None,
            with_recipe=self._ticked("recipe") if counts("recipe") else True,
            quality=quality or None,
            hidden=self._ticked("hidden") if counts("hidden") else True,
            canvas_sized=counts("canvas_sized") and self._ticked("canvas_sized"),
            parallax=counts("parallax") and self._ticked("parallax"),
            vector_background=counts("background") and self._ticked("background"),
        )

    def accept(self) -> None:
        form, options = self.form, self.options
        remembered: dict[str, Any] = {
            "scale": self.scale.currentData(),
            "colour": self.colour.currentIndex(),
            "quality": self.quality.value(),
            **{name: box.isChecked() for name, box in self.boxes.items()},
        }
        super().accept()
        self._done(form, options, remembered)

    def _ticked(self, choice: Choice) -> bool:
        return self.boxes[choice].isChecked()

    def _parts(self) -> list[tuple[str, object]]:
        parts: list[tuple[str, object]] = [(tr("Whole canvas"), _WHOLE)]
        if self._selected:
            parts.append((tr("Area of the selected layers"), _SELECTION))
        if len(self._selected) == 1 and self._selected[0].has_pixels:
            parts.append((tr("'{0}' alone").format(shown_name(self._selected[0])), _LAYER))
        return parts

    def _part(self) -> tuple[Rect | None, int | None]:
        chosen = self.part.currentData()
        if chosen == _LAYER:
            return None, self._selected[0].id
        if chosen != _SELECTION:
            return None, None
        rect = union(layer.rect for layer in self._selected)
        return rect and rect.intersect(self._contents.canvas.rect), None

    def _on_format(self) -> None:
        """Show the format's own options, as they were chosen last."""
        form = self.form
        last = self._remembered.get(form.key)
        last = last if isinstance(last, dict) else {}
        for widget in self.rows.values():
            widget.blockSignals(True)
        lowest, usual = (_NO_LOSS, _NO_LOSS) if form.key == "webp" else (1, 92)
        self.quality.setRange(lowest, 100)
        self.quality.setSpecialValueText(tr("Lossless") if lowest == _NO_LOSS else "")
        self.quality.setValue(_whole(last.get("quality"), usual))
        scale = _whole(last.get("scale"), 1)
        self.scale.setCurrentIndex(SCALES.index(scale) if scale in SCALES else 0)
        colour = _whole(last.get("colour"), 0)
        self.colour.setCurrentIndex(colour if 0 <= colour < self.colour.count() else 0)
        for name, box in self.boxes.items():
            # What a format never writes is not shown as chosen.
            usually = name in ("recipe", "hidden")
            box.setChecked(name in form.choices and bool(last.get(name, usually)))
        for widget in self.rows.values():
            widget.blockSignals(False)
        self._refresh()

    def _refresh(self) -> None:
        form, options = self.form, self.options
        self._enable(form, options)
        listed = losses(self._contents, form, options)
        self.table.show_rows(
            [
                (tr(FEATURES[feature]), tr("not stored") if is_lost else tr("kept"))
                for feature, is_lost in listed.items()
            ]
        )
        is_lossless = not any(listed.values())
        self.nothing_lost.setVisible(is_lossless)
        canvas = self._contents.canvas
        rect = options.rect or canvas.rect
        if options.layer_id is not None:
            rect = self._selected[0].rect
        width, height = rect.width * options.scale, rect.height * options.scale
        self.size_label.setText(tr("{0} × {1} pixels").format(number(width), number(height)))

    def _enable(self, form: Format, options: ExportOptions) -> None:
        """Disable what changes nothing in this format; the tooltip says why."""
        for choice, widget in self.rows.items():
            reason = reason_against(form, choice, options)
            if choice == "no_background" and not self._contents.background_on:
                reason = reason or _NO_BACKGROUND
            able = ", ".join(tr(each.title) for each in formats_with(choice))
            if reason and choice not in form.choices:
                reason = tr("{0} These formats can: {1}.").format(tr(reason), able)
            widget.setEnabled(not reason)
            widget.setToolTip(tr(reason))
            widget.setAccessibleDescription(tr(reason))
        self._keep_transparency("transparency" in form.keeps)

    def _keep_transparency(self, is_possible: bool) -> None:
        """JPEG has no transparency: its first ground is white."""
        model = self.colour.model()
        assert isinstance(model, QStandardItemModel)
        first = model.item(0)
        first.setEnabled(is_possible)
        first.setToolTip("" if is_possible else tr("This format has no transparency."))
        if not is_possible and self.colour.currentIndex() == 0:
            with QSignalBlocker(self.colour):
                self.colour.setCurrentIndex(1)

    def _lay_out(self, column: QVBoxLayout) -> None:
        page = QWidget()
        form = form_layout(page)
        form.setContentsMargins(0, 0, MARGIN, 0)
        for field in (self.format, self.part, self.scale, self.colour, self.quality):
            field.setMinimumHeight(CONTROL_HEIGHT)
            form.addRow(field_name(field.accessibleName()), field)
        for box in self.boxes.values():
            form.addRow("", named(box, box.text(), height=CONTROL_HEIGHT - GAP))
        form.addRow("", self.size_label)
        right = QVBoxLayout()
        right.addWidget(self.table, 1)
        right.addWidget(self.nothing_lost)
        options = Scrolled(page, tr("Options"))
        column.addLayout(fill(QHBoxLayout(), (options, 1), (right, 1), spacing=2 * MARGIN), 1)
        column.addWidget(accept_or_cancel(self, self.export_button))
        # Every choice has its row in every format, so that nothing jumps when the format changes.
        room = self.screen().availableGeometry()
        self.resize(min(_WIDTH, room.width()), min(_HEIGHT, room.height() - _TITLE_BAR))


def _whole(value: object, default: int) -> int:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) else default
