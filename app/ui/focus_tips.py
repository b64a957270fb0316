"""Tooltips for the keyboard: a control that keeps the focus says what it does (3.7)."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, Qt, QTimer
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QToolTip, QWidget

from app.ui.theme import TIP_DELAY_MS


class FocusTips(QObject):
    """Shows a control's tooltip below it after the focus came by key and stayed.

    Not where a mouse button brought the focus, whose pointer has the tooltip anyway, and not over
    the prompt, where it would cover what is being written.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(TIP_DELAY_MS)
        self.timer.timeout.connect(self._show)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus)

    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        self.timer.stop()
        if new is None or not new.toolTip() or isinstance(new, QPlainTextEdit):
            return
        if QApplication.mouseButtons() == Qt.MouseButton.NoButton:
            self.timer.start()

    def _show(self) -> None:
        widget = QApplication.focusWidget()
        if widget is not None and widget.isVisible() and widget.toolTip():
            below = widget.mapToGlobal(QPoint(0, widget.height()))
            QToolTip.showText(below, widget.toolTip(), widget)
