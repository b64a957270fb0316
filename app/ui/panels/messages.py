"""Messages: the bar above the canvas, one message at a time, and the status bar."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QStatusBar,
    QToolButton,
    QVBoxLayout,
)

from app.document.geometry import Rect
from app.session.jobs import Message
from app.ui.actions import Actions, plain
from app.ui.text import number, tr
from app.ui.theme import GAP, ICON, ICON_SMALL, MARGIN, UNIT, Colours
from app.ui.theme.icons import icon, pixmap
from app.ui.widgets.accessibility import StatusLabel
from app.ui.widgets.forms import Panel, fill, named

_SIGNS = {
    "error": ("circle-alert", "error"),
    "warning": ("triangle-alert", "outdated"),
    "news": ("info", "accent"),
    "note": ("info", "accent"),
}
MESSAGE_MS = 5000
MOST_ENGINE_CHARS = 48


class MessageBar(Panel):
    """Shows the latest message until it is closed or replaced."""

    def __init__(self, colours: Colours, actions: Actions) -> None:
        super().__init__("messageBar")
        self._actions = actions
        self.setAccessibleName(tr("Message"))
        self._colours = colours
        self.message: Message | None = None
        self._followed: set[str] = set()
        self.sign = named(QLabel(), tr("Kind of message"))
        self.sign.setFixedSize(ICON, ICON)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.action_button = named(QPushButton(), tr("Suggested action"))
        self.other_button = named(QPushButton(), tr("Other action"))
        tip = tr("Shows what to copy into a report.")
        self.details_button = named(QPushButton(tr("Details")), tr("Details"), tip)
        self.details_button.setCheckable(True)
        tip = tr("Copies message and details as text.")
        self.copy_button = named(QPushButton(tr("Copy Details")), tr("Copy details"), tip)
        tip = tr("Closes this message.")
        self.close_button = named(QToolButton(), tr("Close message"), tip, style="quiet")
        self.close_button.setFixedSize(28, 28)
        name = tr("Details of the message")
        self.details = named(QPlainTextEdit(), name, style="messageDetails")
        self.details.setReadOnly(True)
        self.details.setFixedHeight(120)
        row = fill(QHBoxLayout(), self.sign, (self.text, 1))
        buttons = (self.action_button, self.other_button, self.copy_button, self.details_button)
        for button in (*buttons, self.close_button):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        row.setAlignment(self.sign, Qt.AlignmentFlag.AlignTop)
        margins = (MARGIN, GAP, GAP, GAP)
        fill(QVBoxLayout(self), row, self.details, spacing=UNIT, margins=margins)
        self.details_button.toggled.connect(self._on_details)
        self.action_button.clicked.connect(lambda: self._act(first=True))
        self.other_button.clicked.connect(lambda: self._act(first=False))
        self.copy_button.clicked.connect(self._copy)
        self.close_button.clicked.connect(self.dismiss)
        self.recolour(colours)
        self.hide()

    def show_message(self, message: Message) -> None:
        self.message = message
        self.setProperty("kind", message.kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self.text.setText(message.text)
        self.text.setAccessibleName(message.text)
        self.details.setPlainText(message.details)
        self._name_buttons()
        self.details_button.setChecked(False)
        self.details_button.setVisible(bool(message.details))
        self._on_details(False)
        self.recolour(self._colours)
        self.show()

    def dismiss(self) -> None:
        self.message = None
        self.hide()

    def dismiss_news(self) -> None:
        """Take news away; trouble stays until it is read."""
        if self.message is not None and self.message.kind == "news":
            self.dismiss()

    def withdraw(self, action: str) -> None:
        """Take away the message that offers this action: it is not true any more."""
        if self.message is not None and self.message.action == action:
            self.dismiss()

    def recolour(self, colours: Colours) -> None:
        self._colours = colours
        self.close_button.setIcon(icon("x", colours))
        kind = self.message.kind if self.message is not None else "note"
        name, colour = _SIGNS[kind]
        ratio = self.devicePixelRatioF()
        self.sign.setPixmap(pixmap(name, getattr(colours, colour), ICON_SMALL + 2, ratio))

    def _on_details(self, shown: bool) -> None:
        self.details.setVisible(shown)
        self.copy_button.setVisible(shown)

    def _name_buttons(self) -> None:
        """Called like their actions, whose names may hold numbers that change."""
        message = self.message
        if message is None:
            return
        for button, name in (
            (self.action_button, message.action),
            (self.other_button, message.other_action),
        ):
            button.setVisible(bool(name))
            if name:
                action = self._actions[name]
                button.setText(plain(action.text()))
                button.setAccessibleName(button.text())
                if name not in self._followed:
                    self._followed.add(name)
                    action.changed.connect(self._name_buttons)

    def _act(self, *, first: bool) -> None:
        message = self.message
        self.dismiss()
        if message is not None:
            self._actions[message.action if first else message.other_action].trigger()

    def _copy(self) -> None:
        if self.message is not None:
            text = f"{self.message.text}\n\n{self.message.details}"
            QApplication.clipboard().setText(text)


def engine_text(state: str, server: str = "") -> str:
    """The engine's state; `server` is the name of the one that draws, "" = the program itself."""
    if server:
        state_of = {
            "loading": tr("Connecting…"),
            "restarting": tr("Connecting…"),
            "failed": tr("Not connected"),
        }
        return f"{server} · {state_of.get(state) or engine_text(state)}"
    return {
        "loading": tr("Loading model…"),
        "ready": tr("Ready"),
        "generating": tr("Generating"),
        "measuring": tr("Measuring speed…"),
        "restarting": tr("Restarting"),
        "stopping": tr("Stopping"),
        "failed": tr("Engine failed"),
        "stopped": tr("Engine stopped"),
    }.get(state, state)


class StatusBar(QStatusBar):
    """Quiet facts, right-aligned; messages stand left for five seconds."""

    def __init__(self, actions: Actions, engines: QMenu) -> None:
        super().__init__()
        self.setSizeGripEnabled(False)
        self.setAccessibleName(tr("Status"))
        # A label of its own: Qt draws its messages at the window's edge, outside every margin.
        self.message = self._label(tr("Message"))
        self.message.setObjectName("statusMessage")
        self.message.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.addWidget(self.message, 1)
        self._timer = QTimer(self, singleShot=True, interval=MESSAGE_MS)
        self._timer.timeout.connect(self.message.clear)
        self.pointer = self._label(tr("Pointer"))
        self.selected = self._label(tr("Selection size"))
        tip = tr("Zoom. The mouse wheel zooms at the pointer, alone or with Ctrl.")
        menu = QMenu(self)
        for name in ("zoom_fit", "zoom_100", "zoom_selection", "zoom_in", "zoom_out"):
            menu.addAction(actions[name])
        self.zoom = _menu_button(menu, tr("Zoom"), tip)
        self.zoom.setText("100 %")
        self.kept = self._label(tr("Recovery"))
        self.engine = _menu_button(engines, tr("Engine"))
        self.engine.setObjectName("engineMenu")
        for widget in (self.pointer, self.selected, self.zoom, self.kept, self.engine):
            self.addPermanentWidget(widget)
        self.show_engine("loading")

    def say(self, text: str) -> None:
        """A message of five seconds."""
        self.message.setText(text)
        self._timer.start()

    def say_nothing(self) -> None:
        self._timer.stop()
        self.message.clear()

    def show_pointer(self, x: int, y: int, grid: int) -> None:
        """Canvas pixels under the mouse, and the grid cell."""
        if x < 0 or y < 0:
            self.pointer.clear()
            return
        self.pointer.setText(f"x {x}, y {y}")
        self.pointer.setToolTip(tr("Cell {0}, {1}").format(x // grid, y // grid))

    def show_selection(self, rect: Rect | None) -> None:
        self.selected.setText("" if rect is None else f"{rect.width} × {rect.height}")

    def show_zoom(self, zoom: float) -> None:
        """Device pixels per picture pixel."""
        self.zoom.setText(tr("{0} %").format(number(round(zoom * 100))))

    def show_kept(self, text: str, tip: str) -> None:
        """Whether unsaved changes are safe in the recovery folder."""
        self.kept.setText(text)
        self.kept.setToolTip(tip)

    def show_engine(self, state: str, tip: str = "", server: str = "") -> None:
        """The engine's state, and what draws where it is not the program itself."""
        text = engine_text(state, server)
        room = MOST_ENGINE_CHARS * self.fontMetrics().averageCharWidth()
        name = self.fontMetrics().elidedText(server, Qt.TextElideMode.ElideMiddle, room)
        self.engine.setText(engine_text(state, name).replace("&", "&&"))
        self.engine.setAccessibleName(f"{tr('Engine')}: {text}")
        self.engine.setToolTip("\n".join(filter(None, (tip, tr("Click to choose the engine.")))))

    def _label(self, name: str) -> QLabel:
        label = StatusLabel(name)
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return label


def _menu_button(menu: QMenu, name: str, tip: str = "") -> QPushButton:
    """A quiet button of the status bar whose menu opens above it."""
    button = named(QPushButton(), name, tip, style="zoomMenu", line=24)
    button.setFlat(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def popup() -> None:
        corner = button.mapToGlobal(button.rect().topLeft())
        menu.popup(corner - QPoint(0, menu.sizeHint().height()))

    button.clicked.connect(popup)
    return button
