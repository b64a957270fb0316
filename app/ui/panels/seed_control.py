"""Seed control of the prompt bar: random for each job, or a fixed number."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSizePolicy, QWidget

from app.document.contents import Settings
from app.document.layer import MAX_SEED
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, GAP, UNIT, Colours
from app.ui.theme.icons import icon
from app.ui.widgets.forms import no_lower_than


def parse_seed(text: str) -> int | None:
    """A seed from what somebody typed: 0 to 4294967295; None if it is none."""
    digits = text.strip()
    if not digits.isdecimal() or int(digits) > MAX_SEED:
        return None
    return int(digits)


def icon_gap(text: str) -> str:
    """The text a little away from the icon before it; style sheets cannot say how far."""
    return f" {text}"


def seed_validator(parent: QWidget) -> QRegularExpressionValidator:
    """Lets digits through, at most ten."""
    return QRegularExpressionValidator(r"\d{0,10}", parent)


class SeedControl(QWidget):
    """A toggle "New result each time" and a field for the fixed number.

    Signals:
        changed(mode, seed): the user chose; mode is "random" or "fixed".
    """

    changed = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seed = 0
        self.mode = QPushButton(icon_gap(tr("New result each time")))
        self.mode.setCheckable(True)
        self.mode.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        no_lower_than(self.mode, CONTROL_HEIGHT)
        self.mode.setAccessibleName(tr("Seed mode"))
        self.mode.setToolTip(
            tr("Choose whether each job gives a new result or the same result again.")
        )
        self.field = QLineEdit()
        no_lower_than(self.field, CONTROL_HEIGHT)
        self.field.setValidator(seed_validator(self.field))
        self.field.setAccessibleName(tr("Picture seed"))
        self.field.setToolTip(
            tr("A whole number up to 4294967295. The same seed gives the same result.")
        )
        self.field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._fit_width()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self.mode)
        layout.addWidget(self.field, 1)
        self.mode.toggled.connect(self._on_mode)
        self.field.editingFinished.connect(self._on_field)

    def show_settings(self, settings: Settings) -> None:
        """Show the document's settings."""
        fixed = settings.seed_mode == "fixed"
        self._seed = settings.seed
        self.mode.blockSignals(True)
        self.mode.setChecked(fixed)
        self.mode.blockSignals(False)
        self.mode.setText(icon_gap(tr("Same result") if fixed else tr("New result each time")))
        self.field.setVisible(fixed)
        self.field.setText(str(settings.seed) if fixed else "")

    def recolour(self, colours: Colours) -> None:
        """Draw the dice in the theme's colour."""
        self.mode.setIcon(icon("dices", colours))

    def changeEvent(self, event: QEvent) -> None:
        """Qt override: another font, another width."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "field"):
            self._fit_width()

    def _fit_width(self) -> None:
        """Every seed is seen to its last digit."""
        digits = self.field.fontMetrics().horizontalAdvance(str(MAX_SEED))
        self.field.setMinimumWidth(digits + 6 * UNIT)

    def _on_mode(self, fixed: bool) -> None:
        self.changed.emit("fixed" if fixed else "random", self._seed)

    def _on_field(self) -> None:
        seed = parse_seed(self.field.text())
        if seed is None:
            self.field.setText(str(self._seed))
        elif seed != self._seed:
            self.changed.emit("fixed", seed)
