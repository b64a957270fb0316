"""The Advanced tab: steps, guidance and clean colours, and how large the job is."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QPushButton

from app.document.contents import Settings
from app.ui.enabling import enable
from app.ui.text import number, tr
from app.ui.theme import FIELD_HEIGHT, GAP, MARGIN
from app.ui.widgets.accessibility import StatusLabel
from app.ui.widgets.fields import Choice, DecimalField, NumberField
from app.ui.widgets.forms import Panel, fill, form_layout, named, no_lower_than, quiet_label


class AdvancedPage(Panel):
    """Steps, guidance, clean colours and tokens; `changed` has None for the model's default."""

    changed = Signal(object, object, str)

    def __init__(self) -> None:
        super().__init__()
        self._is_loading = False
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

    def show_defaults(
        self, steps: int | None, guidance: float | None, edit_steps: int | None = None
    ) -> None:
        """The loaded model's defaults; `edit_steps` is that of pictures with finished layers."""
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
        self._is_loading = True
        try:
            self.steps.setValue(settings.steps or 0)
            self.guidance.setValue(settings.cfg_scale or 0.0)
            self.clean_colours.setCurrentIndex(self.clean_colours.findData(settings.clean_colours))
        finally:
            self._is_loading = False
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
        if not self._is_loading:
            self.changed.emit(
                self.steps.value() or None,
                self.guidance.value() or None,
                self.clean_colours.currentData(),
            )


def _clean_colours_choice() -> Choice:
    items = ((tr("Automatic"), "automatic"), (tr("On"), "on"), (tr("Off"), "off"))
    tip = tr(
        "Gives new layers flat fills with clean borders. Automatic does so in the looks flat "
        "and bold; other looks would lose shading."
    )
    choice = named(Choice("", items), tr("Clean colours"), tip, line=FIELD_HEIGHT)
    choice.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    choice.view().setAccessibleName(tr("Clean colours"))
    return choice
