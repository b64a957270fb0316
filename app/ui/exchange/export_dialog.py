"""The export dialog: which format, what is chosen for it, and what it would lose.

Asks only; knows no file. What a format keeps is told by the same table that writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
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

from app.document.contents import Contents
from app.document.geometry import Rect
from app.document.storage.formats.options import SCALES, WHITE, ExportOptions
from app.document.storage.formats.table import FORMATS, Format, formats_with, losses, reason_against
from app.document.storage.formats.table import Choice as ExportChoice
from app.document.words import shown_name
from app.ui.dialog_buttons import accept_or_cancel
from app.ui.dialogs import Choice
from app.ui.exchange.loss_table import LossTable
from app.ui.forms import field_name, form_layout
from app.ui.panels.scrolled import Scrolled
from app.ui.text import number, tr
from app.ui.theme import CONTROL_HEIGHT, GAP, MARGIN, UNIT

Done = Callable[[Format, ExportOptions, dict[str, Any]], None]

_WHOLE, _SELECTION, _LAYER = "whole", "selection", "layer"
_WIDTH, _HEIGHT, _TITLE_BAR = 800, 580, 40
_NO_BACKGROUND = "This picture has no background."
_NO_LOSS = 0  # the quality field's lowest value


class ExportDialog(QDialog):
    """Format and options.

    Args:
        contents: what would be exported.
        selected: ids of the selected layers.
        key: the format that is chosen at first.
        remembered: by format, what was chosen last.
        done: called with the format, the options and what to remember for it.
    """

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
        self.setWindowTitle(tr("Export"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._contents = contents
        self._selected = [layer for layer in contents.layers if layer.id in selected]
        self._remembered = dict(remembered)
        self._done = done
        self.format = Choice()
        for form in FORMATS:
            self.format.addItem(tr(form.title), form)
        self.scale = Choice()
        for scale in SCALES:
            self.scale.addItem(tr("{0} %").format(number(100 * scale)), scale)
        self.part = Choice()
        self._fill_part()
        self.colour = Choice()
        for name, colour in (
            (tr("Keep transparency"), None),
            (tr("White"), WHITE),
            (tr("Black"), (0, 0, 0)),
        ):
            self.colour.addItem(name, colour)
        self.quality = QSpinBox()
        self.quality.setSuffix(" %")
        self.quality.lineEdit().setTextMargins(UNIT + 2, 0, 0, 0)
        self.without_background = QCheckBox(tr("Without background"))
        self.recipe = QCheckBox(tr("Store prompt and settings in the file"))
        self.hidden = QCheckBox(tr("Include hidden layers, as hidden"))
        self.canvas_sized = QCheckBox(tr("Every layer as large as the canvas"))
        self.pages = QCheckBox(tr("One page per layer"))
        self.parallax = QCheckBox(tr("Layers follow the pointer a little"))
        self.background = QCheckBox(tr("Background as shapes, with steps of colour"))
        self.size_label = QLabel()
        self.size_label.setObjectName("secondary")
        self.table = LossTable()
        self.nothing_lost = QLabel(tr("This format stores everything in this picture."))
        self.export_button = QPushButton(tr("Export…"))
        self._rows: dict[ExportChoice, QWidget] = {}
        self._lay_out()
        self._name_widgets()
        keys = [form.key for form in FORMATS]
        self.format.setCurrentIndex(keys.index(key) if key in keys else 0)
        self._connect()
        self._on_format()

    @property
    def form(self) -> Format:
        """The chosen format."""
        form = self.format.currentData()
        assert isinstance(form, Format)
        return form

    @property
    def options(self) -> ExportOptions:
        """What is chosen, of that what means something to the format."""
        others = ExportOptions(pages="pages" in self.form.choices and self.pages.isChecked())

        def counts(choice: ExportChoice) -> bool:
            return not reason_against(self.form, choice, others)

        rect, layer_id = self._part() if counts("part") else (None, None)
        others = replace(others, layer_id=layer_id)
        no_background = counts("no_background") and self.without_background.isChecked()
        others = replace(others, with_background=not no_background)
        quality = self.quality.value() if counts("quality") else _NO_LOSS
        return ExportOptions(
            rect=rect,
            layer_id=layer_id,
            scale=self.scale.currentData() if counts("scale") else 1,
            over=self.colour.currentData() if counts("colour") else None,
            with_background=others.with_background,
            with_recipe=self.recipe.isChecked() if counts("recipe") else True,
            quality=quality or None,
            hidden=self.hidden.isChecked() if counts("hidden") else True,
            canvas_sized=counts("canvas_sized") and self.canvas_sized.isChecked(),
            pages=others.pages,
            parallax=counts("parallax") and self.parallax.isChecked(),
            vector_background=counts("background") and self.background.isChecked(),
        )

    def accept(self) -> None:
        """Qt override."""
        form, options = self.form, self.options
        remembered = {
            "scale": self.scale.currentData(),
            "colour": self.colour.currentIndex(),
            "quality": self.quality.value(),
            "no_background": self.without_background.isChecked(),
            "recipe": self.recipe.isChecked(),
            "hidden": self.hidden.isChecked(),
            "canvas_sized": self.canvas_sized.isChecked(),
            "pages": self.pages.isChecked(),
            "parallax": self.parallax.isChecked(),
            "background": self.background.isChecked(),
        }
        super().accept()
        self._done(form, options, remembered)

    # ---- inside ----

    def _fill_part(self) -> None:
        self.part.addItem(tr("Whole canvas"), _WHOLE)
        if self._selected:
            self.part.addItem(tr("Area of the selected layers"), _SELECTION)
        if len(self._selected) == 1 and self._selected[0].has_pixels:
            self.part.addItem(tr("'{0}' alone").format(shown_name(self._selected[0])), _LAYER)

    def _part(self) -> tuple[Rect | None, int | None]:
        chosen = self.part.currentData()
        if chosen == _LAYER:
            return None, self._selected[0].id
        if chosen != _SELECTION:
            return None, None
        rect = self._selected[0].rect
        for layer in self._selected[1:]:
            rect = rect.united(layer.rect)
        return rect.intersect(self._contents.canvas.rect), None

    def _on_format(self) -> None:
        """Show the format's own options, as they were chosen last."""
        form = self.form
        last = self._remembered.get(form.key)
        last = last if isinstance(last, dict) else {}
        for widget in self._changers():
            widget.blockSignals(True)
        lowest, usual = (_NO_LOSS, _NO_LOSS) if form.key == "webp" else (1, 92)
        self.quality.setRange(lowest, 100)
        self.quality.setSpecialValueText(tr("Lossless") if lowest == _NO_LOSS else "")
        self.quality.setValue(_whole(last.get("quality"), usual))
        scale = _whole(last.get("scale"), 1)
        self.scale.setCurrentIndex(SCALES.index(scale) if scale in SCALES else 0)
        colour = _whole(last.get("colour"), 0)
        self.colour.setCurrentIndex(colour if 0 <= colour < self.colour.count() else 0)
        for name, box, usually in (
            ("no_background", self.without_background, False),
            ("recipe", self.recipe, True),
            ("hidden", self.hidden, True),
            ("canvas_sized", self.canvas_sized, False),
            ("pages", self.pages, False),
            ("parallax", self.parallax, False),
            ("background", self.background, False),
        ):
            # What a format never writes is not shown as chosen.
            box.setChecked(name in form.choices and bool(last.get(name, usually)))
        for widget in self._changers():
            widget.blockSignals(False)
        self._refresh()

    def _refresh(self) -> None:
        form, options = self.form, self.options
        self._enable(form, options)
        listed = losses(self._contents, form, options)
        self.table.show_losses(listed)
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
        for choice, widget in self._rows.items():
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

    def _changers(self) -> tuple[QWidget, ...]:
        return (
            self.scale,
            self.part,
            self.colour,
            self.quality,
            *self._boxes(),
        )

    def _boxes(self) -> tuple[QCheckBox, ...]:
        return (
            self.without_background,
            self.recipe,
            self.hidden,
            self.canvas_sized,
            self.pages,
            self.parallax,
            self.background,
        )

    def _connect(self) -> None:
        self.format.currentIndexChanged.connect(self._on_format)
        for choice in (self.scale, self.part, self.colour):
            choice.currentIndexChanged.connect(self._refresh)
        self.quality.valueChanged.connect(self._refresh)
        for box in self._boxes():
            box.toggled.connect(self._refresh)

    def _lay_out(self) -> None:
        page = QWidget()
        form = form_layout(page)
        form.setContentsMargins(0, 0, MARGIN, 0)
        form.addRow(field_name(tr("Format")), self.format)
        fields: tuple[tuple[ExportChoice, str, QWidget], ...] = (
            ("part", tr("Area"), self.part),
            ("scale", tr("Scale"), self.scale),
            ("colour", tr("Background"), self.colour),
            ("quality", tr("Quality"), self.quality),
        )
        for name, text, widget in fields:
            form.addRow(field_name(text), widget)
            self._rows[name] = widget
        boxes: tuple[tuple[ExportChoice, QWidget], ...] = (
            ("no_background", self.without_background),
            ("recipe", self.recipe),
            ("hidden", self.hidden),
            ("canvas_sized", self.canvas_sized),
            ("pages", self.pages),
            ("parallax", self.parallax),
            ("background", self.background),
        )
        for name, box in boxes:
            form.addRow("", box)
            self._rows[name] = box
        form.addRow("", self.size_label)
        self._form_layout = form
        buttons = accept_or_cancel(self, self.export_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * MARGIN, 2 * MARGIN, 2 * MARGIN, MARGIN)
        layout.setSpacing(MARGIN)
        columns, right = QHBoxLayout(), QVBoxLayout()
        columns.setSpacing(2 * MARGIN)
        columns.addWidget(Scrolled(page, tr("Options")), 1)
        right.addWidget(self.table, 1)
        right.addWidget(self.nothing_lost)
        columns.addLayout(right, 1)
        layout.addLayout(columns, 1)
        layout.addWidget(buttons)
        # Every choice has its row in every format, so that nothing jumps when the format changes.
        room = self.screen().availableGeometry()
        self.resize(min(_WIDTH, room.width()), min(_HEIGHT, room.height() - _TITLE_BAR))

    def _name_widgets(self) -> None:
        """What screen readers say; a label of the form does not reach them."""
        for widget, name in (
            (self.format, tr("Format")),
            (self.part, tr("Area")),
            (self.scale, tr("Scale")),
            (self.colour, tr("Background")),
            (self.quality, tr("Quality")),
        ):
            widget.setAccessibleName(name)
            widget.setMinimumHeight(CONTROL_HEIGHT)
        for box in self._boxes():
            box.setAccessibleName(box.text())
            box.setMinimumHeight(CONTROL_HEIGHT - GAP)


def _whole(value: object, default: int) -> int:
    """A remembered number, if it is one."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) else default
