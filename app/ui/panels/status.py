"""Status bar: message, pointer, selection, zoom, kept, engine. Shows what it is told."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QSizePolicy, QStatusBar, QWidget

from app.document.geometry import Rect
from app.ui.actions import Actions
from app.ui.text import number, tr
from app.ui.widgets.accessibility import Fact
from app.ui.widgets.forms import no_lower_than

MESSAGE_MS = 5000


def engine_text(state: str) -> str:
    """The engine's state in words."""
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

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.setAccessibleName(tr("Status"))
        # A label of its own: Qt draws its messages at the window's edge, outside every margin.
        self.message = self._label(tr("Message"))
        self.message.setObjectName("statusMessage")
        self.message.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.addWidget(self.message, 1)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(MESSAGE_MS)
        self._timer.timeout.connect(self.message.clear)
        self.pointer = self._label(tr("Pointer"))
        self.selected = self._label(tr("Selection size"))
        self.zoom = QPushButton("100 %")
        self.zoom.setFlat(True)
        self.zoom.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.zoom.setObjectName("zoomMenu")
        no_lower_than(self.zoom, 24)
        self.zoom.setAccessibleName(tr("Zoom"))
        self.zoom.setToolTip(tr("Zoom. The mouse wheel zooms at the pointer, alone or with Ctrl."))
        menu = QMenu(self)
        for name in ("zoom_fit", "zoom_100", "zoom_selection", "zoom_in", "zoom_out"):
            menu.addAction(actions[name])
        self.zoom.clicked.connect(
            lambda: menu.popup(
                self.zoom.mapToGlobal(self.zoom.rect().topLeft()) - menu.rect().bottomLeft()
            )
        )
        self.kept = self._label(tr("Recovery"))
        self.engine = self._label(tr("Engine"))
        self.engine.setObjectName("statusEngine")
        for widget in (
            self.pointer,
            self.selected,
            self.zoom,
            self.kept,
            self.engine,
        ):
            self.addPermanentWidget(widget)
        self.show_engine("loading")

    def say(self, text: str) -> None:
        """A message of five seconds."""
        self.message.setText(text)
        self._timer.start()

    def say_nothing(self) -> None:
        """Take the message away."""
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
        """Size of what is selected."""
        self.selected.setText("" if rect is None else f"{rect.width} × {rect.height}")

    def show_zoom(self, zoom: float) -> None:
        """Device pixels per picture pixel."""
        self.zoom.setText(tr("{0} %").format(number(round(zoom * 100))))

    def show_kept(self, text: str, tip: str) -> None:
        """Whether unsaved changes are safe in the recovery folder."""
        self.kept.setText(text)
        self.kept.setToolTip(tip)

    def show_engine(self, state: str, tip: str = "") -> None:
        """The engine's state; `tip` says more."""
        self.engine.setText(engine_text(state))
        self.engine.setToolTip(tip)

    def _label(self, name: str) -> QLabel:
        label = Fact(name)
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return label
