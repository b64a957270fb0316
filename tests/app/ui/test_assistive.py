"""What the system and assistive tools ask for is followed (section 6)."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QColor, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.ui import high_contrast
from app.ui.theme import contrast
from tests.app.ui.helpers import draw_box


def test_tab_leaves_the_canvas_where_it_is_asked_to(window: Any) -> None:
    """Section 6: the setting frees Tab, so that the canvas is no trap; else it hides the panels."""
    window.view.setFocus()
    QTest.keyClick(window.view, Qt.Key.Key_Tab)
    assert window.actions_["hide_panels"].isChecked()
    QTest.keyClick(window.view, Qt.Key.Key_Tab)
    assert not window.actions_["hide_panels"].isChecked()
    window.session.settings.tab_moves_focus = True
    window.tools_wiring.apply_keys()
    window.view.setFocus()
    QTest.keyClick(window.view, Qt.Key.Key_Tab)
    assert not window.actions_["hide_panels"].isChecked()
    assert QApplication.focusWidget() is not window.view


def test_a_screen_reader_frees_tab(window: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Section 6: on by itself when an assistive tool is active."""
    assert window.actions_["hide_panels"].shortcuts()
    monkeypatch.setattr(QAccessible, "isActive", lambda: True)
    window.tools_wiring.apply_keys()
    assert not window.actions_["hide_panels"].shortcuts()


@pytest.mark.parametrize(("ground", "text"), [("#000000", "#FFFF00"), ("#FFFFFF", "#000000")])
def test_high_contrast_is_the_systems(
    window: Any, monkeypatch: pytest.MonkeyPatch, ground: str, text: str
) -> None:
    """Section 6: the system's palette when it asks for contrast, and only while we follow it."""
    system = QPalette()
    for role in (QPalette.ColorRole.Window, QPalette.ColorRole.Base, QPalette.ColorRole.Button):
        system.setColor(role, QColor(ground))
    system.setColor(QPalette.ColorRole.WindowText, QColor(text))
    monkeypatch.setattr(high_contrast, "is_wanted", lambda: True)
    monkeypatch.setattr(high_contrast, "system_palette", lambda app: system)
    window.view_wiring.set_theme("system")
    shown = QApplication.palette()
    for back in (QPalette.ColorRole.Window, QPalette.ColorRole.Base):
        assert shown.color(back).name().upper() == ground
        ratio = contrast(shown.color(QPalette.ColorRole.Text).name(), shown.color(back).name())
        assert ratio > 15
    window.view_wiring.set_theme("dark")
    assert QApplication.palette().color(QPalette.ColorRole.Window).name().upper() == "#1F1F1F"


def test_right_to_left_mirrors_panels_and_not_the_canvas(window: Any) -> None:
    """Section 6: what is drawn at the left of the picture is at its left."""

    def left(widget: QWidget) -> int:
        return widget.mapTo(window, QPoint()).x()

    try:
        QApplication.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        QApplication.processEvents()
        assert left(window.prompt.field) > left(window.prompt.variations)
        draw_box(window, 64, 96, 192, 160)
        drawn = window.session.document.foregrounds[0].rect
        assert (drawn.x, drawn.y, drawn.width, drawn.height) == (64, 96, 128, 64)
    finally:
        QApplication.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    QApplication.processEvents()
    assert left(window.prompt.field) < left(window.prompt.variations)
