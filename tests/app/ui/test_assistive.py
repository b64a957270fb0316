"""What the system and assistive tools ask for is followed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QColor, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.ui.panels.layer_rows import RowParts
from app.ui.theme import contrast, high_contrast
from tests.app.ui.helpers import draw_box


@pytest.fixture
def right_to_left(qapp: Any) -> Iterator[None]:
    """The program is started in a language that is read from the right; ask for it first."""
    QApplication.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    yield
    QApplication.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def test_tab_leaves_the_canvas_where_it_is_asked_to(window: Any) -> None:
    """The setting frees Tab, so that the canvas is no trap; else it hides the panels."""
    window.view.setFocus()
    QTest.keyClick(window.view, Qt.Key.Key_Tab)
    assert window.actions_["hide_panels"].isChecked()
    QTest.keyClick(window.view, Qt.Key.Key_Tab)
    assert not window.actions_["hide_panels"].isChecked()
    window.session.settings.tab_moves_focus = True
    window.dialogs.apply_keys()
    window.view.setFocus()
    QTest.keyClick(window.view, Qt.Key.Key_Tab)
    assert not window.actions_["hide_panels"].isChecked()
    assert QApplication.focusWidget() is not window.view


def test_a_screen_reader_frees_tab(window: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On by itself when an assistive tool is active."""
    assert window.actions_["hide_panels"].shortcuts()
    monkeypatch.setattr(QAccessible, "isActive", lambda: True)
    window.dialogs.apply_keys()
    assert not window.actions_["hide_panels"].shortcuts()


@pytest.mark.parametrize(("ground", "text"), [("#000000", "#FFFF00"), ("#FFFFFF", "#000000")])
def test_high_contrast_is_the_systems(
    window: Any, monkeypatch: pytest.MonkeyPatch, ground: str, text: str
) -> None:
    """The system's palette when it asks for contrast, and only while we follow it."""
    system = QPalette()
    for role in (QPalette.ColorRole.Window, QPalette.ColorRole.Base, QPalette.ColorRole.Button):
        system.setColor(role, QColor(ground))
    system.setColor(QPalette.ColorRole.WindowText, QColor(text))
    monkeypatch.setattr(high_contrast, "is_wanted", lambda: True)
    monkeypatch.setattr(high_contrast, "system_palette", lambda app: system)
    window.view_controller.set_theme("system")
    shown = QApplication.palette()
    for back in (QPalette.ColorRole.Window, QPalette.ColorRole.Base):
        assert shown.color(back).name().upper() == ground
        ratio = contrast(shown.color(QPalette.ColorRole.Text).name(), shown.color(back).name())
        assert ratio > 15
    window.view_controller.set_theme("dark")
    assert QApplication.palette().color(QPalette.ColorRole.Window).name().upper() == "#1F1F1F"


def test_right_to_left_mirrors_panels_and_not_the_canvas(window: Any) -> None:
    """What is drawn at the left of the picture is at its left."""

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


def test_right_to_left_mirrors_docks_and_rows(right_to_left: None, window: Any, qtbot: Any) -> None:
    """Panels left, tools right; in a row the eye comes first, where reading begins."""

    def middle(widget: QWidget) -> int:
        return widget.mapTo(window, widget.rect().center()).x()

    assert middle(window.layers) < middle(window.view) < middle(window.tools)
    draw_box(window, 64, 64, 192, 192)
    layer = window.session.document.foregrounds[0]
    rows, side = window.layers.list, window.layers.delegate.thumbnails.side
    row = rows.visualRect(window.layers.model.index(0))
    plain, parts = RowParts.of(row, side), RowParts.of(row, side, direction=row_direction(rows))
    assert parts.eye.left() > parts.thumbnail.right() > parts.name.right()
    assert parts.lock.left() == parts.eye.left()
    assert row.right() - parts.eye.right() == plain.eye.left() - row.left()
    for visible in (False, True):
        QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=parts.eye.center())
        assert window.session.document.layer(layer.id).visible is visible
    picture = rows.viewport().grab(row).toImage()
    ratio = picture.devicePixelRatio()

    def drawn(part: QRect) -> bool:
        inside = part.translated(-row.topLeft())
        seen = {
            picture.pixel(round(x * ratio), round(y * ratio))
            for x in range(inside.left(), inside.right())
            for y in range(inside.top(), inside.bottom())
        }
        return len(seen) > 1

    near = parts.name.adjusted(parts.name.width() * 2 // 3, 0, 0, 0)
    assert drawn(parts.eye)
    assert drawn(near)  # the name begins at its right


def row_direction(rows: QWidget) -> Qt.LayoutDirection:
    assert rows.layoutDirection() == Qt.LayoutDirection.RightToLeft
    return rows.layoutDirection()
