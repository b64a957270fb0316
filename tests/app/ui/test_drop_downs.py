"""Every drop-down list shows all its entries, whether its field has the focus or not."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QWidget

from app.ui import theme
from app.ui.widgets.fields import DropDown

OPENED_BY = ("new", "canvas_size", "export", "settings")


def assert_shows_all(combo: QComboBox) -> None:
    """Open the list; its first and its last entry lie within what is seen."""
    combo.showPopup()
    QApplication.processEvents()
    view = combo.view()
    ends = [view.visualRect(combo.model().index(row, 0)) for row in (0, combo.count() - 1)]
    seen = view.viewport().rect()
    combo.hidePopup()
    for end in ends:
        assert seen.contains(end), f"{combo.accessibleName()}: {end} is not in {seen}"


@pytest.mark.parametrize("font_percent", [100, 150])
def test_lists_in_dialogs_show_their_last_entry(window: Any, font_percent: int) -> None:
    window.settings.font_percent = font_percent
    window.view_controller.apply_theme()
    for action in OPENED_BY:
        window.actions_[action].trigger()
        (dialog,) = [each for each in window.findChildren(QDialog) if each.isVisible()]
        combos = dialog.findChildren(QComboBox)
        assert combos
        for combo in combos:
            show_page_of(dialog, combo)
            for has_focus in (False, True):
                combo.setFocus() if has_focus else combo.clearFocus()
                QApplication.processEvents()
                if combo.isVisible():  # Export shows only what its format has
                    assert_shows_all(combo)
        dialog.close()
    window.settings.font_percent = 100
    window.view_controller.apply_theme()


def show_page_of(dialog: Any, combo: QComboBox) -> None:
    tabs = getattr(dialog, "tabs", None)
    for place in range(0 if tabs is None else tabs.count()):
        if tabs.widget(place).isAncestorOf(combo):
            tabs.setCurrentIndex(place)


def test_lists_in_the_window_show_their_last_entry(window: Any) -> None:
    combos = [each for each in window.findChildren(QComboBox) if each.count()]
    assert combos
    for combo in combos:
        assert_shows_all(combo)
        combo.setEnabled(True)
        combo.setFocus()
        assert_shows_all(combo)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 20])
@pytest.mark.parametrize("has_focus", [False, True])
def test_a_list_of_any_length_fits(
    qapp: QApplication, qtbot: Any, count: int, has_focus: bool
) -> None:
    theme.apply(qapp, theme.LIGHT)
    holder = QWidget()
    qtbot.addWidget(holder)
    other, combo = DropDown(), DropDown()
    for each in (other, combo):
        each.setParent(holder)
    other.move(0, 60)
    for place in range(count):
        combo.addItem(f"entry {place}")
    other.addItem("other")
    holder.show()
    (combo if has_focus else other).setFocus()
    QApplication.processEvents()
    assert_shows_all(combo)
    holder.hide()


def test_a_line_divides_the_groups_of_a_list(qapp: QApplication, qtbot: Any) -> None:
    """Lower than an entry, and one line of another colour; the chosen entry has no frame."""
    theme.apply(qapp, theme.LIGHT)
    combo = DropDown()
    qtbot.addWidget(combo)
    combo.addItem("first")
    combo.insertSeparator(1)
    combo.addItem("second")
    combo.show()
    combo.showPopup()
    QApplication.processEvents()
    view = combo.view()
    entry, line = (view.visualRect(combo.model().index(row, 0)) for row in (0, 1))
    assert line.height() < entry.height() / 2
    shown = view.viewport().grab().toImage()
    x = line.right() - 20
    colours = [shown.pixelColor(x, y) for y in range(line.top(), line.bottom() + 1)]
    assert len(set(map(str, colours))) == 2
    assert sum(colour != colours[0] for colour in colours) == 1
    inside = [shown.pixelColor(x, y).name() for y in range(entry.top() + 3, entry.bottom() - 2)]
    assert len(set(inside)) == 1, "a frame in the chosen entry"
    combo.hidePopup()
