"""The main window: makes the parts, puts them in their places, and gives them to the controllers.

Uses no command and no event of the engine; those are in `controllers`.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Signal
from PySide6.QtGui import QCloseEvent

from app.session.client import LoopLike
from app.session.jobs import Message
from app.session.selection import Solo
from app.session.settings import Settings
from app.ui import frames
from app.ui.actions import Actions
from app.ui.app_state import StateStore
from app.ui.controllers.candidates import CandidatesController
from app.ui.controllers.clipboard import ClipboardController
from app.ui.controllers.dialogs import DialogsController
from app.ui.controllers.engines import EnginesController
from app.ui.controllers.exporting import ExportController
from app.ui.controllers.files import Autosave, FilesController, RecentFiles
from app.ui.controllers.generation import GenerationController
from app.ui.controllers.importing import ImportController
from app.ui.controllers.inspector import InspectorController
from app.ui.controllers.layers import LayersController
from app.ui.controllers.messages import MessagesController
from app.ui.controllers.prompt import PromptController
from app.ui.controllers.recovery import RecoveryController
from app.ui.controllers.things import ThingsController
from app.ui.controllers.view import TOOLS, ViewController
from app.ui.menus import build_menus
from app.ui.session import MakeEngine, Session
from app.ui.stage import Stage
from app.ui.text import tr
from app.ui.theme import MIN_WINDOW
from app.ui.views import Views
from app.ui.window_state import WindowState

_START_SIZE = QSize(1280, 840)


class MainWindow(Views):
    """One window, one document; takes what `Session` takes. The caller saves the settings."""

    closed = Signal()  # the user is done; the engine still has to be ended

    def __init__(
        self,
        loop: LoopLike,
        make_engine: MakeEngine,
        settings: Settings,
        *,
        work_root: Path | None = None,
    ) -> None:
        super().__init__()
        self.setMinimumSize(*MIN_WINDOW)
        self.resize(_START_SIZE)
        self.settings = settings
        session = self.session = Session(loop, make_engine, settings, work_root=work_root)
        solo = Solo(session.document)
        stage = Stage(session.document, session.selection, session.undo, self)
        self.store = StateStore(session, stage, solo, self)
        actions = self.actions_ = Actions(self, self.store)
        self.make_views(session, stage, solo, actions)
        self._lay_out()
        self._control()
        self.view_controller.apply_theme()
        self.state = WindowState(self, settings)
        self.state.restore()
        actions.connect(reset_layout=self.state.reset)
        session.path_changed.connect(self._update_title)
        session.undo.changed.connect(self._update_title)
        self._update_title()
        self._is_closed = False
        self.messages_controller.greet(settings)

    def _lay_out(self) -> None:
        build_menus(self, self.actions_, self.live)
        self.tools = frames.tool_column(self.actions_, [f"tool_{name}" for name in TOOLS])
        docks = (
            frames.dock(tr("Inspector"), "inspectorDock", self.inspector_tabs),
            frames.dock(tr("Layers"), "layersDock", self.layers),
        )
        centre = frames.over(self.view, self.messages, self.strip)
        frames.lay_out(self, self.prompt, self.tools, centre, docks)
        frames.tabify(self, docks[0], frames.dock(tr("Things"), "thingsDock", self.things))
        self.setStatusBar(self.status)

    def _control(self) -> None:
        session, store, actions = self.session, self.store, self.actions_
        actions.install_canvas_keys(self.view, self.layers.list)
        self.messages_controller = MessagesController(session, actions, self)
        self.view_controller = view = ViewController(session, actions, self, self.tools)
        self.layers_controller = LayersController(session, store, actions, self)
        self.inspector_controller = InspectorController(session, actions, self)
        self.prompt_controller = PromptController(session, store, actions, self)
        self.engines_controller = engines = EnginesController(session, actions, self)
        self.generation = GenerationController(session, store, actions, self, engines)
        self.things_controller = ThingsController(session, actions, self, self.generation)
        self.files = FilesController(session, actions, self, view)
        self.recent = RecentFiles(session, store, actions, self, self.files)
        self.autosave = Autosave(session, self.files)
        self.exporting = ExportController(session, actions, self)
        self.candidates = CandidatesController(session, store, actions, self, self.exporting)
        self.importing = ImportController(session, actions, self)
        self.clipboard = ClipboardController(session, actions, self, self.importing)
        self.recovery = RecoveryController(session, actions, self, view, self.files)
        self.dialogs = DialogsController(
            session, actions, self, view, self.prompt_controller, self.autosave, engines
        )
        self.view.escape_pressed.connect(self._on_escape)
        self.layers.list.escape_pressed.connect(self._on_escape)

    def small_picture_bytes(self) -> int:
        """Memory of thumbnails, the strip of results and the job list, bytes."""
        kept = (self.thumbnails, self.choice_pictures, self.dialogs.job_pictures)
        return sum(pictures.size_bytes() for pictures in kept)

    def show_message(self, message: Message) -> None:
        """Show a message that does not come from the session."""
        self.messages_controller.show(message)

    def event(self, event: QEvent) -> bool:
        """Qt override: fresh actions before a key is matched, fresh icons on another screen."""
        kind = event.type()
        if kind == QEvent.Type.ShortcutOverride:
            self.store.flush()
        elif kind == QEvent.Type.DevicePixelRatioChange and hasattr(self, "view_controller"):
            self.view_controller.apply_theme()
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt override: ask about unsaved changes without blocking, then report `closed`."""
        if not self.recovery.may_close():
            event.ignore()
            return
        event.accept()
        if not self._is_closed:
            self._is_closed = True
            self.recovery.settle()
            self.state.save()
            self.session.bridge.stop_all()
            self.closed.emit()

    def _on_escape(self) -> None:
        """The last rungs: the current picture, stop the job, then clear the selection."""
        if self.candidates.show_before():
            return
        if self.session.bridge.current is not None:
            self.generation.stop()
        else:
            self.session.selection.clear()

    def _update_title(self) -> None:
        self.setWindowTitle(tr("{0}[*] – Layerloom").format(self.session.name))
        self.setWindowModified(not self.session.undo.is_clean)
