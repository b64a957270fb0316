"""Blend mode and opacity of the selected layers, above the list. Shows and asks, edits nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QWidget

from app.document.layer import Layer
from app.document.words import shown_name
from app.ui.enabling import enable
from app.ui.text import tr
from app.ui.theme import GAP, MARGIN, UNIT
from app.ui.widgets.fields import Choice, NumberField
from app.ui.widgets.forms import no_lower_than

FIELD_HEIGHT = 28


def blend_names() -> dict[str, str]:
    """What the twelve modes on offer are called, in the order of menus and keys."""
    return {
        "normal": tr("Normal"),
        "multiply": tr("Multiply"),
        "screen": tr("Screen"),
        "overlay": tr("Overlay"),
        "darken": tr("Darken"),
        "lighten": tr("Lighten"),
        "color-dodge": tr("Color Dodge"),
        "color-burn": tr("Color Burn"),
        "hard-light": tr("Hard Light"),
        "soft-light": tr("Soft Light"),
        "difference": tr("Difference"),
        "add": tr("Add"),
    }


def unlisted_names() -> dict[str, str]:
    """Modes that layers of other programs have: painted exactly, not on offer."""
    return {
        "exclusion": tr("Exclusion"),
        "hue": tr("Hue"),
        "saturation": tr("Saturation"),
        "color": tr("Color"),
        "luminosity": tr("Luminosity"),
    }


class LooksBar(QWidget):
    """A choice, a slider and a field.

    Args:
        new_gesture: makes a number for each drag of the slider.

    Signals:
        blend_chosen(mode): by name of `composite`.
        opacity_chosen(percent, gesture): a drag of the slider carries one number throughout.
    """

    blend_chosen = Signal(str)
    opacity_chosen = Signal(int, int)

    def __init__(self, new_gesture: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("looksBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._new_gesture = new_gesture
        self._gesture: int | None = None
        self._is_loading = False
        self.blend = Choice()
        no_lower_than(self.blend, FIELD_HEIGHT)
        self.blend.setAccessibleName(tr("Blend mode"))
        self.blend.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.blend.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.blend.view().setAccessibleName(tr("Blend modes"))
        for mode, name in blend_names().items():
            self.blend.addItem(name, mode)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setPageStep(10)
        self.slider.setMinimumHeight(24)
        self.slider.setAccessibleName(tr("Opacity"))
        self.field = NumberField()
        no_lower_than(self.field, FIELD_HEIGHT)
        self.field.setRange(0, 100)
        self.field.setSuffix(" %")
        self.field.setMinimumWidth(64)
        self.field.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.field.setKeyboardTracking(False)
        self.field.setAccessibleName(tr("Opacity in percent"))
        row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN, UNIT, MARGIN, GAP)
        row.setSpacing(GAP)
        row.addWidget(self.blend, 5)
        row.addWidget(self.slider, 4)
        row.addWidget(self.field)
        self.blend.activated.connect(self._on_blend)
        self.slider.sliderPressed.connect(self._on_pressed)
        self.slider.sliderReleased.connect(self._on_released)
        self.slider.valueChanged.connect(self._on_slider)
        self.field.valueChanged.connect(self._on_field)
        self.show_layers([])

    def show_layers(self, layers: Sequence[Layer]) -> None:
        """Show what the selected layers have; the topmost speaks for several."""
        locked = next((shown_name(layer) for layer in layers if layer.locked), "")
        reason = "" if layers else tr("no layer is selected")
        if locked:
            reason = tr("'{0}' is locked").format(locked)
        self._is_loading = True
        try:
            layer = layers[-1] if layers else None
            mode = "normal" if layer is None else layer.blend
            place = self.blend.findData(mode)
            unlisted = unlisted_names().get(mode, "")
            # A mode that this program cannot paint is shown as Normal, marked, and kept.
            foreign = place < 0 and not unlisted
            self.blend.setPlaceholderText(unlisted)
            self.blend.setCurrentIndex(place if unlisted else max(0, place))
            percent = 100 if layer is None else round(layer.opacity * 100)
            self.slider.setValue(percent)
            self.field.setValue(percent)
        finally:
            self._is_loading = False
        tip = tr("How the layer mixes with what is below it. B goes to the next mode.")
        if foreign:
            tip = tr("'{0}' comes from another program; here it looks like Normal.").format(mode)
        elif unlisted:
            tip = tr("'{0}' comes from another program and is painted as there.").format(unlisted)
        enable(self.blend, tip, reason)
        opacity = tr("How much of the layer shows. Digits set it: 5 is 50 %.")
        enable(self.slider, opacity, reason)
        enable(self.field, opacity, reason)

    def _on_blend(self, place: int) -> None:
        self.blend_chosen.emit(self.blend.itemData(place))

    def _on_pressed(self) -> None:
        self._gesture = self._new_gesture()

    def _on_released(self) -> None:
        self._gesture = None

    def _on_slider(self, percent: int) -> None:
        if not self._is_loading:
            gesture = self._gesture if self._gesture is not None else self._new_gesture()
            self.opacity_chosen.emit(percent, gesture)

    def _on_field(self, percent: int) -> None:
        if not self._is_loading:
            self.opacity_chosen.emit(percent, self._new_gesture())
