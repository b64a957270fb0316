"""The inspector's pages besides the layer: facts of the picture, record, advanced settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from PySide6.QtCore import QLocale, QSignalBlocker, Qt, QTime, Signal
from PySide6.QtWidgets import (
    QApplication,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
)

from app.document import Contents, Layer, Settings
from app.ui.actions import Actions
from app.ui.engine_texts import kind_name
from app.ui.text import count_text, number, seconds, tr
from app.ui.theme import FIELD_HEIGHT, GAP, MARGIN, UNIT
from app.ui.widgets.accessibility import ElidedStatusLabel, StatusLabel
from app.ui.widgets.buttons import action_button
from app.ui.widgets.fields import DecimalField, DropDown, NumberField
from app.ui.widgets.forms import (
    Panel,
    enable,
    fill,
    form_layout,
    named,
    no_lower_than,
    note,
    quiet_label,
)

LINE_HEIGHT = 24
LONGEST_PROMPT = 90


def picture_facts(
    contents: Contents, model: str, limit: int | None, file_name: str = "", file_bytes: int = 0
) -> dict[str, str]:
    """The facts of a picture by the page's lines; "" for a model or file that is not."""
    canvas, size = contents.canvas, QLocale().formattedDataSize(file_bytes, 1)
    return {
        "size": tr("{0} × {1} px").format(number(canvas.width), number(canvas.height)),
        "background": _background(contents),
        "layers": _layers(contents, limit),
        "prompt": _first_words(contents.prompt) or tr("None yet"),
        "model": model or tr("Not loaded yet"),
        "file": f"{file_name} · {size}" if file_name else tr("Not saved yet"),
    }


def _background(contents: Contents) -> str:
    if not contents.background_on:
        return tr("Off (transparent)")
    if not contents.background.has_pixels:
        return tr("Not painted")
    return tr("Imported") if contents.background.kind == "imported" else tr("Painted")


def _layers(contents: Contents, limit: int | None) -> str:
    boxes = sum(not layer.has_pixels for layer in contents.foregrounds)
    text = count_text(len(contents.foregrounds), limit)
    if not boxes:
        return text
    return text + ", " + (tr("1 not painted") if boxes == 1 else tr("%n not painted", boxes))


def _first_words(prompt: str) -> str:
    words = " ".join(prompt.split())
    if len(words) <= LONGEST_PROMPT:
        return words
    return words[:LONGEST_PROMPT].rsplit(" ", 1)[0] + "…"


class PicturePage(Panel):
    """One line for each fact; the canvas and the file have the button of their action."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        form = QFormLayout()
        form.setHorizontalSpacing(GAP)
        form.setVerticalSpacing(UNIT)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.facts: dict[str, StatusLabel] = {}
        self.buttons: list[QPushButton] = []
        for name, text, action, verb in (
            ("size", tr("Canvas"), "canvas_size", tr("Change…")),
            ("background", tr("Background"), "", ""),
            ("layers", tr("Layers"), "", ""),
            ("prompt", tr("Prompt"), "", ""),
            ("model", tr("Model"), "", ""),
            ("file", tr("File"), "export", tr("Export…")),
        ):
            fact = self.facts[name] = ElidedStatusLabel(text)
            no_lower_than(fact, LINE_HEIGHT)
            row = fill(QHBoxLayout(), (fact, 1))
            if action:
                button = action_button(actions, action, verb, LINE_HEIGHT)
                button.setObjectName("stripButton")
                self.buttons.append(button)
                row.addWidget(button)
            form.addRow(quiet_label(text, LINE_HEIGHT), row)
        hint = note(tr("Click a layer to see its settings."))
        self.show_scrolled(tr("Facts of the picture"), form, hint, None)

    def show_facts(self, facts: Mapping[str, str]) -> None:
        """Put the facts on their lines; lines that say the same already are left alone."""
        for name, fact in self.facts.items():
            if fact.text() != facts[name]:
                fact.setText(facts[name])


_OWN_SETTINGS = ("guidance", "threads", "precision")  # of the built-in engine


def record_lines(layer: Layer) -> list[str]:
    """The record as one fact a line; one line for pixels that were not made here."""
    record: Mapping[str, Any] = layer.record or {}
    if "prompt" not in record:
        return [tr("This layer was not generated here.")]
    lines = [tr("Prompt: {0}").format(record["prompt"] or tr("none"))]
    is_remote = "engine" in record  # a server made it, by settings of its own
    if is_remote:
        lines.append(tr("Engine: {0}").format(kind_name(str(record["engine"]))))
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
        if is_remote and (key in _OWN_SETTINGS or (key, record.get(key)) == ("steps", 0)):
            continue
        if record.get(key) is not None:
            lines.append(text.format(record[key]))
    if isinstance(record.get("clean_colours"), bool) and not is_remote:
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
        self.copy_hash.clicked.connect(lambda: QApplication.clipboard().setText(self.hash.text()))
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

    def _copy(self) -> None:
        if self._layer is not None:
            QApplication.clipboard().setText("\n".join(record_lines(self._layer)))

    def _use(self) -> None:
        if self._layer is not None and self._layer.record is not None:
            self.prompt_asked.emit(str(self._layer.record.get("prompt", "")))


def _button(text: str, tip: str = "") -> QPushButton:
    return named(QPushButton(text), text, tip, style="stripButton", line=FIELD_HEIGHT)


class AdvancedPage(Panel):
    """Steps, guidance, clean colours and tokens; `changed` has None for the model's default."""

    changed = Signal(object, object, str)

    def __init__(self) -> None:
        super().__init__()
        tip = tr("More steps are slower and finer.")
        self.steps = named(NumberField(), tr("Steps"), tip, line=FIELD_HEIGHT)
        self.steps.setRange(0, 100)
        tip = tr("How closely the picture follows the prompt.")
        self.guidance = named(DecimalField(), tr("Guidance"), tip, line=FIELD_HEIGHT)
        self.guidance.setRange(0.0, 20.0)
        self.guidance.setSingleStep(0.5)
        self.guidance.setDecimals(1)
        for number_field in (self.steps, self.guidance):
            number_field.setKeyboardTracking(False)
        self.clean_colours = _clean_colours_choice()
        name = tr("Reset to the model's defaults")
        self.reset = named(QPushButton(tr("Reset")), name, style="stripButton", line=FIELD_HEIGHT)
        form = form_layout()
        form.setHorizontalSpacing(GAP)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for field in (self.steps, self.guidance, self.clean_colours):
            form.addRow(quiet_label(field.accessibleName(), FIELD_HEIGHT, field), field)
        self.tokens = StatusLabel(tr("Tokens"))
        no_lower_than(self.tokens, FIELD_HEIGHT)
        # A row of its own: in the form, the width of its name would be taken from the fields.
        tokens = fill(QHBoxLayout(), quiet_label(tr("Tokens")), (self.tokens, 1), spacing=MARGIN)
        reset = fill(QHBoxLayout(), None, self.reset)
        self.show_scrolled(tr("Advanced settings"), form, tokens, reset, None)
        self.steps.valueChanged.connect(self._emit)
        self.guidance.valueChanged.connect(self._emit)
        self.clean_colours.activated.connect(self._emit)
        self.reset.clicked.connect(lambda: self.changed.emit(None, None, "automatic"))
        self.show_defaults(None, None)
        self.show_tokens(None)

    def show_server(self) -> None:
        """A server draws: steps are its model's, and the rest is not asked of it."""
        self.show_defaults(None, None)
        reason = tr("the server decides it")
        enable(self.guidance, tr("How closely the picture follows the prompt."), reason)
        enable(self.clean_colours, tr("Gives new layers flat fills with clean borders."), reason)
        self.tokens.setToolTip(tr("Counted for the built-in engine only."))

    def show_defaults(
        self, steps: int | None, guidance: float | None, edit_steps: int | None = None
    ) -> None:
        """The loaded model's defaults; `edit_steps` is that of pictures with finished layers."""
        enable(self.guidance, tr("How closely the picture follows the prompt."))
        enable(self.clean_colours, _clean_colours_tip())
        word = tr("Model's default")
        self.steps.setSpecialValueText(word if steps is None else f"{word} ({steps})")
        tip = tr("More steps are slower and finer.")
        if edit_steps is not None and edit_steps != steps:
            tip += " " + tr(
                "With finished layers in the picture, the model's default is {0}."
            ).format(number(edit_steps))
        self.steps.setToolTip(tip)
        text = word if guidance is None else f"{word} ({guidance:g})"
        self.guidance.setSpecialValueText(text)

    def show_tokens(self, count: int | None) -> None:
        """Tokens of the visible picture; None until the model is loaded."""
        self.tokens.setText("–" if count is None else number(count))
        self.tokens.setToolTip(
            tr("The amount of computation for this picture. Time and memory grow with it.")
            if count is not None
            else tr("Known once the model is loaded.")
        )

    def show_settings(self, settings: Settings) -> None:
        with QSignalBlocker(self.steps), QSignalBlocker(self.guidance):
            self.steps.setValue(settings.steps or 0)
            self.guidance.setValue(settings.cfg_scale or 0.0)
        self.clean_colours.setCurrentIndex(self.clean_colours.findData(settings.clean_colours))
        default = (
            settings.steps is None
            and settings.cfg_scale is None
            and settings.clean_colours == "automatic"
        )
        enable(
            self.reset,
            tr("Restores the model's defaults."),
            tr("these are the model's defaults") if default else "",
        )

    def _emit(self) -> None:
        steps, guidance = self.steps.value() or None, self.guidance.value() or None
        self.changed.emit(steps, guidance, self.clean_colours.currentData())


def _clean_colours_tip() -> str:
    return tr(
        "Gives new layers flat fills with clean borders. Automatic does so in the looks flat "
        "and bold; other looks would lose shading."
    )


def _clean_colours_choice() -> DropDown:
    items = ((tr("Automatic"), "automatic"), (tr("On"), "on"), (tr("Off"), "off"))
    tip = _clean_colours_tip()
    choice = named(DropDown("", items), tr("Clean colours"), tip, line=FIELD_HEIGHT)
    choice.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    choice.view().setAccessibleName(tr("Clean colours"))
    return choice
