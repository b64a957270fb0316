"""Accessibility: labels that screen readers read with their text, tooltips for the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QSizePolicy, QToolTip, QWidget

from app.ui.theme import TIP_DELAY_MS


class StatusLabel(QLabel):
    """A label whose text changes: its name is not shown, its text is.

    An accessible name alone would take the text's place: screen readers would always say "Engine",
    and never "Ready".
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.setAccessibleName(name)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.say(text)

    def say(self, text: str) -> None:
        """What a reader hears, where less of it is shown."""
        self.setAccessibleName(f"{self._name}: {text}" if text else self._name)

    def clear(self) -> None:
        self.setText("")


class WrappedStatusLabel(StatusLabel):
    """Sentences that come and go between fields: exactly as high as its lines, hidden without text.

    Form layouts would give wrapped text the height that it needs in a narrower place.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.hide()

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setVisible(bool(text))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt override: another width, other lines."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Qt override: another font, other lines."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def hasHeightForWidth(self) -> bool:
        """Qt override: layouts take the height as it is."""
        return False

    def sizeHint(self) -> QSize:
        return QSize(0, self.heightForWidth(max(1, self.width())))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _fit(self) -> None:
        self.setMinimumHeight(0)  # counts in what Qt says that the text needs
        self.setFixedHeight(max(1, self.heightForWidth(max(1, self.width()))))


class ElidedStatusLabel(StatusLabel):
    """A status that may be long: it takes the room that is there, and the tip has all of it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setToolTip(text)

    def shown(self) -> str:
        """The text as it is drawn."""
        room = self.contentsRect().width()
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), self.alignment(), self.shown())
        painter.end()


class FocusTips(QObject):
    """Shows a control's tooltip below it after the focus came by key and stayed.

    Not where a mouse button brought the focus, whose pointer has the tooltip anyway, and not over
    the prompt, where it would cover what is being written.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.timer = QTimer(self, singleShot=True, interval=TIP_DELAY_MS)
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
