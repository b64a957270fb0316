"""Forms: layouts, names of widgets, heights that follow the font, scrolled pages, tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QDialog,
    QFormLayout,
    QFrame,
    QHeaderView,
    QLabel,
    QLayout,
    QLineEdit,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, GAP, MARGIN

Box = TypeVar("Box", bound=QBoxLayout)
Some = TypeVar("Some", bound=QWidget)
_CHANGES = (QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.Polish)


def fill(
    layout: Box,
    *parts: QWidget | QLayout | tuple[QWidget | QLayout, int] | None,
    spacing: int = GAP,
    margins: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> Box:
    """Put parts into a layout in their order.

    Args:
        parts: a pair has its stretch; None = a stretch without a part.
        margins: left, top, right, bottom.
    """
    layout.setSpacing(spacing)
    layout.setContentsMargins(*margins)
    for part in parts:
        item, stretch = part if isinstance(part, tuple) else (part, 0)
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, QLayout):
            layout.addLayout(item, stretch)
        else:
            layout.addWidget(item, stretch)
    return layout


def named(
    widget: Some, name: str, tip: str = "", *, style: str = "", height: int = 0, line: int = 0
) -> Some:
    """The widget with what most of them have.

    Args:
        name: for screen readers.
        style: how the style sheet calls it.
        height: the least one, logical pixels.
        line: the same, where it also grows with the font; see `no_lower_than`.
    """
    widget.setAccessibleName(name)
    if tip:
        widget.setToolTip(tip)
    if style:
        widget.setObjectName(style)
    if height:
        widget.setMinimumHeight(height)
    if line:
        no_lower_than(widget, line)
    return widget


def clearable(field: QLineEdit) -> QLineEdit:
    """The field with a button that empties it."""
    field.setClearButtonEnabled(True)
    for button in field.findChildren(QToolButton):
        named(button, tr("Clear"), tr("Empties the field."))
    return field


def restyle(widget: QWidget, style: str) -> None:
    """Give a widget another style of the style sheet, which reads names only when it polishes."""
    if widget.objectName() != style:
        widget.setObjectName(style)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def enable(widget: QWidget, tip: str, reason: str = "") -> None:
    """Give a control its tooltip; half a sentence as reason disables it and is added to the tip."""
    widget.setEnabled(not reason)
    widget.setToolTip(f"{tip} {tr('Disabled: {0}.').format(reason)}" if reason else tip)


def form_layout(parent: QWidget | None = None) -> QFormLayout:
    """Rows that stand close, names at the left."""
    form = QFormLayout() if parent is None else QFormLayout(parent)
    form.setVerticalSpacing(GAP)
    form.setHorizontalSpacing(2 * MARGIN)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return form


def dialog_column(dialog: QDialog, title: str, *, spacing: int = MARGIN) -> QVBoxLayout:
    """The column of a dialog's parts; the dialog gets its title and is deleted when it closes."""
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return fill(QVBoxLayout(dialog), spacing=spacing, margins=(MARGIN, MARGIN, MARGIN, MARGIN))


def form_column(dialog: QDialog, title: str) -> QVBoxLayout:
    """As `dialog_column`, with wider margins: for dialogs that ask."""
    column = dialog_column(dialog, title)
    column.setContentsMargins(2 * MARGIN, 2 * MARGIN, 2 * MARGIN, MARGIN)
    return column


def quiet_label(text: str, height: int | None = None, buddy: QWidget | None = None) -> QLabel:
    """The name of a field; as high as the field next to it both texts stand on one line."""
    label = QLabel(text)
    label.setObjectName("secondary")
    if height is not None:
        no_lower_than(label, height)
    if buddy is not None:
        label.setBuddy(buddy)
    return label


def field_name(text: str) -> QLabel:
    """As high as the field next to it in a dialog."""
    label = quiet_label(text)
    label.setMinimumHeight(CONTROL_HEIGHT)
    return label


def note(text: str = "") -> QLabel:
    """A quiet sentence below the fields."""
    label = quiet_label(text)
    label.setWordWrap(True)
    return label


class _Heights(QObject):
    """Keeps the least height of one widget at what its text needs."""

    def __init__(self, widget: QWidget, usual: int) -> None:
        super().__init__(widget)
        self._widget = widget
        self._usual = usual
        widget.installEventFilter(self)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: after another font or style sheet."""
        if event.type() in _CHANGES:
            self._fit()
        return False

    def _fit(self) -> None:
        self._widget.setMinimumHeight(max(self._usual, self._widget.minimumSizeHint().height()))


def no_lower_than(widget: QWidget, usual: int) -> None:
    """Give a widget a least height in logical pixels; with larger fonts it grows."""
    _Heights(widget, usual)


class Scrolled(QScrollArea):
    """Round one page; the panel's ground shows through."""

    def __init__(self, page: QWidget, name: str) -> None:
        super().__init__()
        self._page = page
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setWidget(page)
        for ground in (self.viewport(), page):
            ground.setAutoFillBackground(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: what the page needs has changed, with another font for example."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def showEvent(self, event: QShowEvent) -> None:
        """Qt override: layout requests do not reach a page behind another tab."""
        super().showEvent(event)
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        """Qt override: as wide as the page and its scroll bar; one row high."""
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self._page.minimumSizeHint().width() + bar, CONTROL_HEIGHT)


class Panel(QWidget):
    """A page of a dock: its ground is the panel's."""

    def __init__(self, style: str = "panelBody") -> None:
        super().__init__()
        self.setObjectName(style)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)

    def show_scrolled(
        self, name: str, *parts: QWidget | QLayout | tuple[QWidget | QLayout, int] | None
    ) -> None:
        """Fill the panel with one column that scrolls where there is no room."""
        page = QWidget()
        fill(QVBoxLayout(page), *parts, margins=(MARGIN, MARGIN, MARGIN, MARGIN))
        fill(QVBoxLayout(self), Scrolled(page, name))


class ReadingTable(QTableWidget):
    """Rows of text below headings.

    Args:
        wide: the columns that share the width; None = all.
        selects: which rows can be selected; whole ones always.
    """

    def __init__(
        self,
        name: str,
        headings: list[str],
        wide: tuple[int, ...] | None = None,
        selects: QTableWidget.SelectionMode = QTableWidget.SelectionMode.NoSelection,
    ) -> None:
        super().__init__(0, len(headings))
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(headings)
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.setSelectionMode(selects)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column in range(len(headings)) if wide is None else wide:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)

    def show_rows(self, rows: Sequence[Sequence[str]]) -> list[list[QTableWidgetItem]]:
        items = [[QTableWidgetItem(text) for text in row] for row in rows]
        self.setRowCount(len(items))
        for place, row in enumerate(items):
            for column, item in enumerate(row):
                self.setItem(place, column, item)
        return items
