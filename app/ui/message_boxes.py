"""What all message boxes share: wide enough that the window's title is not cut."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QGridLayout, QMessageBox, QSizePolicy, QSpacerItem

# Icon and buttons of a title bar, and the name of the program that Qt adds to the title.
_BESIDE_TITLE = 160


def widen(box: QMessageBox) -> None:
    """Make the box as wide as its title needs; a minimum width alone has no effect on it."""
    layout = box.layout()
    title = f"{box.windowTitle()} — {QApplication.applicationDisplayName()}"
    width = box.fontMetrics().horizontalAdvance(title) + _BESIDE_TITLE
    if isinstance(layout, QGridLayout):
        policy = QSizePolicy.Policy
        spacer = QSpacerItem(width, 0, policy.Minimum, policy.Fixed)
        layout.addItem(spacer, layout.rowCount(), 0, 1, layout.columnCount())
