"""Theme: colours, spacing, style and style sheet of the application.

Refers to widgets by class and object name only, never to the document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QProxyStyle,
    QStyle,
    QStyleHintReturn,
    QStyleOption,
    QWidget,
)

from app.session.settings import resources_folder

TIP_DELAY_MS = 600
ThemeChoice = Literal["system", "dark", "light"]
# Everything is laid out on a grid of 4 logical pixels.
UNIT = 4
GAP = 2 * UNIT
MARGIN = 3 * UNIT
CONTROL_HEIGHT = 32  # of a field or button in dialogs and the prompt bar
FIELD_HEIGHT = 28  # of those in panels
# Two lines of text; with a thumbnail the row grows around it.
ROW_MIN = 48
THUMBNAIL = 40
ICON = 20
ICON_SMALL = 16
DOCK_WIDTH = 304
CHECK_SIZE = 8
MIN_WINDOW = (900, 600)
MIN_POINTS = 9.0
TITLE_FACTOR = 11 / 9
_WAKE_UP_DELAY = QStyle.StyleHint.SH_ToolTip_WakeUpDelay
_BASE_SIZE = "layerloomBasePoints"
_STYLED = "layerloomStyled"
_COLOURS = "layerloomColours"


class ProgramStyle(QProxyStyle):
    """Fusion on every platform. The application owns it, as it does any style."""

    def __init__(self) -> None:
        super().__init__("Fusion")

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        returnData: QStyleHintReturn | None = None,
    ) -> int:
        if hint is _WAKE_UP_DELAY:  # Qt asks thousands of times while a window is made
            return TIP_DELAY_MS
        return super().styleHint(hint, option, widget, returnData)


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """One theme as CSS hex colours. Chrome is neutral grey so that the picture is judged fairly."""

    name: str
    window: str
    panel: str
    field: str
    surround: str
    text: str
    secondary: str
    disabled: str
    edge: str
    hairline: str  # decoration and states of quiet controls
    raised: str
    hover: str
    pressed: str
    accent: str
    accent_hover: str
    accent_pressed: str
    on_accent: str  # text on an accent fill
    staged: str
    outdated: str
    error: str
    done: str
    check_a: str  # the two squares of the transparency checkerboard
    check_b: str


_DARK_AND_LIGHT = {
    "window": ("#1F1F1F", "#F0F0F0"),
    "panel": ("#2A2A2A", "#FFFFFF"),
    "field": ("#1A1A1A", "#FFFFFF"),
    "surround": ("#333333", "#C8C8C8"),
    "text": ("#EDEDED", "#1C1C1C"),
    "secondary": ("#B8B8B8", "#555555"),
    "disabled": ("#7F7F7F", "#8C8C8C"),
    "edge": ("#7A7A7A", "#808080"),
    "hairline": ("#3B3B3B", "#DADADA"),
    "raised": ("#3A3A3A", "#E6E6E6"),
    "hover": ("#454545", "#DADADA"),
    "pressed": ("#303030", "#CCCCCC"),
    "accent": ("#6AA9FF", "#0B57D0"),
    "accent_hover": ("#85B9FF", "#1A68E3"),
    "accent_pressed": ("#5796EC", "#0848B0"),
    "on_accent": ("#101010", "#FFFFFF"),
    "staged": ("#C9A0FF", "#6A3FB5"),
    "outdated": ("#F2B84B", "#855500"),
    "error": ("#FF8A80", "#B3261E"),
    "done": ("#7BD88F", "#1B6E34"),
    "check_a": ("#555555", "#CCCCCC"),
    "check_b": ("#777777", "#FFFFFF"),
}
DARK = Colours(name="dark", **{key: pair[0] for key, pair in _DARK_AND_LIGHT.items()})
LIGHT = Colours(name="light", **{key: pair[1] for key, pair in _DARK_AND_LIGHT.items()})


def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio of two hex colours, 1 to 21."""
    bright, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def colours_for(choice: ThemeChoice) -> Colours:
    """The theme to show; `system` asks the platform, and light is its fallback."""
    if choice == "dark":
        return DARK
    if choice == "light":
        return LIGHT
    scheme = QApplication.styleHints().colorScheme()
    return DARK if scheme == Qt.ColorScheme.Dark else LIGHT


def apply(app: QApplication, colours: Colours, font_percent: int = 100) -> None:
    """Put our style, our palette, the font size and the style sheet on the whole application."""
    base = app.property(_BASE_SIZE)
    if base is None:
        base = app.font().pointSizeF()
        app.setProperty(_BASE_SIZE, base)
    if not app.property(_STYLED):
        app.setStyle(ProgramStyle())
        app.setProperty(_STYLED, True)
    font = app.font()
    font.setPointSizeF(max(MIN_POINTS, base * font_percent / 100))
    if font != app.font():
        app.setFont(font)
        # Qt sends this event only once its loop runs: at the start no widget would get the font.
        for widget in app.allWidgets():
            app.sendEvent(widget, QEvent(QEvent.Type.ApplicationFontChange))
    app.setProperty(_COLOURS, colours)
    # Setting what is set already would polish every widget again: .4 s of a window's start.
    chosen, sheet = palette(colours), style_sheet(colours, font.pointSizeF())
    if app.palette() != chosen:
        app.setPalette(chosen)
    if app.styleSheet() != sheet:
        app.setStyleSheet(sheet)


def current_colours() -> Colours:
    """What was applied last; the dark theme before that."""
    app = QApplication.instance()
    colours = None if app is None else app.property(_COLOURS)
    return colours if isinstance(colours, Colours) else DARK


def palette(colours: Colours) -> QPalette:
    """Our own palette: the platform's dark switch does nothing on some platforms."""
    result = QPalette()
    roles = QPalette.ColorRole
    for role, value in (
        (roles.Window, colours.window),
        (roles.WindowText, colours.text),
        (roles.Base, colours.field),
        (roles.AlternateBase, colours.panel),
        (roles.Text, colours.text),
        (roles.Button, colours.raised),
        (roles.ButtonText, colours.text),
        (roles.BrightText, colours.error),
        (roles.ToolTipBase, colours.panel),
        (roles.ToolTipText, colours.text),
        (roles.Highlight, colours.accent),
        (roles.HighlightedText, colours.on_accent),
        (roles.Link, colours.accent),
        (roles.PlaceholderText, colours.secondary),
        (roles.Mid, colours.hairline),
        (roles.Accent, colours.accent),
    ):
        result.setColor(role, QColor(value))
    for role in (roles.WindowText, roles.Text, roles.ButtonText, roles.PlaceholderText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours.disabled))
    return result


def style_sheet(colours: Colours, points: float = MIN_POINTS) -> str:
    """The application's style sheet in one theme's colours, for texts of so many points."""
    sheet = (resources_folder() / "style.qss").read_text(encoding="utf-8")
    for name in Colours.__slots__:
        sheet = sheet.replace(f"@{name};", f"{getattr(colours, name)};")
        sheet = sheet.replace(f"@{name} ", f"{getattr(colours, name)} ")
    # A ticked box must not differ by its colour alone; style sheets take pictures from files only.
    tick = resources_folder() / "icons" / f"tick-{colours.name}.svg"
    chevron = resources_folder() / "icons" / f"chevron-{colours.name}.svg"
    sheet += f'QFileDialog QComboBox::down-arrow {{ image: url("{chevron.as_posix()}"); }}\n'
    sheet += f"#emptyTitle {{ font-size: {points * TITLE_FACTOR:.1f}pt; }}\n"
    return sheet + f'QCheckBox::indicator:checked {{ image: url("{tick.as_posix()}"); }}\n'


def _luminance(colour: str) -> float:
    value = QColor(colour)
    channels = (value.redF(), value.greenF(), value.blueF())
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
