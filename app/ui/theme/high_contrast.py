"""High contrast: colours of the system instead of ours, when it asks for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

from app.ui.theme import DARK, LIGHT, Colours


def is_wanted() -> bool:
    """Whether the system asks for more contrast; Qt before 6.10 cannot say."""
    hints = QApplication.styleHints()
    if not hasattr(hints, "accessibility"):
        return False
    preference = hints.accessibility().contrastPreference()
    return bool(preference == Qt.ContrastPreference.HighContrast)


def on_change(slot: Callable[[], None]) -> None:
    """Call `slot` whenever the system changes its mind about contrast."""
    hints = QApplication.styleHints()
    if hasattr(hints, "accessibility"):
        hints.accessibility().contrastPreferenceChanged.connect(slot)


def system_palette(app: QApplication) -> QPalette:
    """What the platform would paint with, had we not set a palette of our own."""
    app.setPalette(QPalette())
    return app.palette()


def colours_from(palette: QPalette) -> Colours:
    """A theme in which text, edges and selection are the system's, and nothing is a faint grey."""
    roles = QPalette.ColorRole
    window, text = palette.color(roles.Window), palette.color(roles.WindowText).name()
    ground, accent = window.name(), palette.color(roles.Highlight).name()
    ours = DARK if window.lightness() < palette.color(roles.WindowText).lightness() else LIGHT
    return replace(
        ours,
        window=ground,
        panel=ground,
        field=palette.color(roles.Base).name(),
        raised=palette.color(roles.Button).name(),
        text=text,
        secondary=text,
        edge=text,
        hairline=text,
        accent=accent,
        accent_hover=accent,
        accent_pressed=accent,
        on_accent=palette.color(roles.HighlightedText).name(),
    )
