"""Forms: rows of a name and a field on one line, the same in every dialog. Knows no field."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QLabel, QWidget

from app.ui.theme import CONTROL_HEIGHT, GAP, MARGIN


def form_layout(parent: QWidget | None = None) -> QFormLayout:
    """Rows that stand close, names at the left."""
    form = QFormLayout() if parent is None else QFormLayout(parent)
    form.setVerticalSpacing(GAP)
    form.setHorizontalSpacing(2 * MARGIN)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return form


def field_name(text: str) -> QLabel:
    """As high as the field beside it, so that both texts stand on one line."""
    label = QLabel(text)
    label.setObjectName("secondary")
    label.setMinimumHeight(CONTROL_HEIGHT)
    return label


def note(text: str = "") -> QLabel:
    """A quiet sentence below the fields."""
    label = QLabel(text)
    label.setObjectName("secondary")
    label.setWordWrap(True)
    return label
