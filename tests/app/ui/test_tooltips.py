"""Every control explains itself (3.7)."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QStyle,
    QToolTip,
    QWidget,
)

from tests.app.ui.helpers import draw_box, generate

CONTROLS = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit, QSlider)


def silent(window: Any) -> list[str]:
    """Controls without a tooltip, or with one that repeats their name and says no more."""
    found = []
    for widget in window.findChildren(QWidget):
        if not isinstance(widget, CONTROLS) or widget.objectName().startswith("qt_"):
            continue
        if isinstance(widget.parent(), (QAbstractSpinBox, QComboBox)) or not widget.isVisible():
            continue  # the parent speaks for its part
        label = widget.text() if isinstance(widget, QAbstractButton) else widget.accessibleName()
        if widget.toolTip().strip(".") in ("", label.strip()):
            found.append(f"{type(widget).__name__} {widget.accessibleName() or label!r}")
    return found


def test_every_control_of_the_window_has_a_tooltip(window: Any, qtbot: Any) -> None:
    """None is missing, none repeats its label only; on every page of the inspector."""
    assert silent(window) == []
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    window.session.selection.set([window.session.document.foregrounds[0].id])
    generate(window, qtbot, "regenerate")
    assert window.strip.isVisible()
    window.record.hash_button.setChecked(True)
    for page in range(window.inspector_tabs.count()):
        window.inspector_tabs.setCurrentIndex(page)
        assert silent(window) == [], window.inspector_tabs.tabText(page)


def test_the_tooltip_comes_with_the_focus_too(window: Any, qtbot: Any) -> None:
    """On keyboard focus as well; a click and the prompt, where somebody writes, have none."""
    tips = window.view_controller.focus_tips
    assert tips.timer.interval() == 600
    window.prompt.variations.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(QToolTip.isVisible)
    assert QToolTip.text() == window.prompt.variations.toolTip()
    window.prompt.field.setFocus(Qt.FocusReason.TabFocusReason)
    assert not tips.timer.isActive()
    field = window.prompt.variations
    QTest.mousePress(field.lineEdit(), Qt.MouseButton.LeftButton)
    assert not tips.timer.isActive()
    QTest.mouseRelease(field.lineEdit(), Qt.MouseButton.LeftButton)


def test_pointer_and_keyboard_wait_alike(window: Any) -> None:
    """600 ms, where Qt would take 700; the style sheet leaves it as it is."""
    button = window.prompt.generate
    hint = QStyle.StyleHint.SH_ToolTip_WakeUpDelay
    assert button.style().styleHint(hint, None, button) == 600
    window.view_controller.set_theme("light")
    assert button.style().styleHint(hint, None, button) == 600
    window.view_controller.set_theme("dark")


def test_the_tooltip_comes_under_the_pointer(window: Any, qtbot: Any) -> None:
    """The style that is written in Python is the one that Qt asks."""
    button = window.prompt.generate
    QTest.mouseMove(window, window.rect().center())
    QTest.mouseMove(button, button.rect().center())
    qtbot.waitUntil(QToolTip.isVisible)
    assert QToolTip.text() == button.toolTip()
    QToolTip.hideText()
