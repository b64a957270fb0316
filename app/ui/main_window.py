"""The main window: puts the parts in their places and connects them. Wiring only.

Knows no command and no engine event; those are in `wiring`.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow

from app.session.client import LoopLike
from app.session.jobs import Job, Message
from app.session.queue import Placed
from app.session.selection import Solo
from app.session.settings import Settings, former_work_paths
from app.ui import frames
from app.ui.actions import Actions
from app.ui.canvas.compare import ComparePage
from app.ui.canvas.scene import CanvasScene
from app.ui.canvas.view import CanvasView
from app.ui.menus import LiveMenus, build_menus
from app.ui.mime_data import LayerDrag
from app.ui.panels.advanced_page import AdvancedPage
from app.ui.panels.candidate_strip import CandidateStrip, ChoiceDelegate
from app.ui.panels.empty_card import EmptyCard
from app.ui.panels.inspector import Inspector
from app.ui.panels.layer_list import LayerPanel
from app.ui.panels.messages import MessageBar, StatusBar
from app.ui.panels.picture_page import PicturePage
from app.ui.panels.prompt_bar import PromptBar
from app.ui.panels.record_page import RecordPage
from app.ui.session import MakeEngine, Session
from app.ui.stage import Stage
from app.ui.text import tr
from app.ui.theme import DARK, MIN_WINDOW, Colours
from app.ui.widgets.images import SmallPictures, Thumbnails
from app.ui.window_state import WindowState
from app.ui.wiring.announcing import AnnouncingWiring
from app.ui.wiring.arrange import ArrangeWiring
from app.ui.wiring.asking import AskingWiring
from app.ui.wiring.autosave import Autosave
from app.ui.wiring.candidate_menu import CandidateMenu
from app.ui.wiring.candidates import CandidatesWiring
from app.ui.wiring.clipboard import ClipboardWiring
from app.ui.wiring.closing import Closing
from app.ui.wiring.edit import EditWiring
from app.ui.wiring.exporting import ExportWiring
from app.ui.wiring.files import FilesWiring
from app.ui.wiring.generate import GenerateWiring
from app.ui.wiring.help import HelpWiring, first_run_message
from app.ui.wiring.here import HereWiring
from app.ui.wiring.imported import ImportedWiring
from app.ui.wiring.importing import ImportWiring
from app.ui.wiring.inspecting import InspectingWiring
from app.ui.wiring.loading import LoadingWiring
from app.ui.wiring.looks import LooksWiring
from app.ui.wiring.marks import MarksWiring
from app.ui.wiring.model import ModelWiring
from app.ui.wiring.recent import RecentWiring
from app.ui.wiring.recovery import RecoveryWiring
from app.ui.wiring.resuming import Resuming
from app.ui.wiring.showing import ShowingWiring
from app.ui.wiring.tools import ToolsWiring
from app.ui.wiring.view import TOOLS, ViewWiring

_START_SIZE = QSize(1280, 840)


class MainWindow(QMainWindow):
    """One window, one document.

    Args:
        loop: the UI thread's event loop.
        make_engine: called with the function that takes the engine's events.
        settings: of this user; changed in place, saved by the caller.
        work_root: where unsaved work is kept for recovery; None = nowhere.

    Signals:
        closed(): the user is done; the engine still has to be ended.
    """

    closed = Signal()

    def __init__(
        self,
        loop: LoopLike,
        make_engine: MakeEngine,
        settings: Settings,
        *,
        work_root: Path | None = None,
    ) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setMinimumSize(*MIN_WINDOW)
        self.resize(_START_SIZE)
        self.settings = settings
        self.session = Session(loop, make_engine, self._accept, settings)
        session = self.session
        colours = DARK
        self.actions_ = Actions(self)
        self.live = LiveMenus.made_for(self)
        self.solo = Solo(session.document)
        self.scene = CanvasScene(session.document, session.pictures, self.solo, self)
        self.view = CanvasView(self.scene, session.selection, session.undo, colours)
        self.prompt = PromptBar(self.actions_, session.undo.new_gesture)
        self.messages = MessageBar(colours, self.actions_)
        self.thumbnails = Thumbnails(session.pictures, self)
        self.layers = LayerPanel(
            session.document,
            session.undo,
            session.selection,
            self.thumbnails,
            self.actions_,
            colours,
            self.solo,
        )
        self.picture_page = PicturePage(self.actions_)
        self.inspector = Inspector(
            session.document, session.selection, session.undo, colours, self.picture_page
        )
        self.record = RecordPage()
        self.advanced = AdvancedPage()
        self.inspector_tabs = frames.tabs(
            "inspectorTabs",
            (
                (self.inspector, tr("Layer")),
                (self.record, tr("Record")),
                (self.advanced, tr("Advanced")),
            ),
        )
        self.status = StatusBar(self.actions_)
        self.stage = Stage(session.document, session.selection, session.undo, self)
        choice_pictures = self.choice_pictures = SmallPictures(session.pictures, self)
        self.strip = CandidateStrip(
            self.stage,
            session.selection,
            choice_pictures,
            self.actions_,
            colours,
            ChoiceDelegate(self.stage, session.document, choice_pictures, colours, self),
        )
        self.compare = ComparePage(
            self.stage, session.document, session.pictures, colours, self.view
        )
        self.card = EmptyCard(self.view, self.actions_)
        self.view.navigation.end_room = self.strip.maximumWidth
        self._lay_out()
        self._wire()
        self.exporting = ExportWiring(session, self.actions_, self, self.files)
        self.candidate_menu = CandidateMenu(
            session, self.actions_, self.stage, self.strip, self.exporting
        )
        self.importing = ImportWiring(session, self.actions_, self, self.files, self.view)
        self.imported = ImportedWiring(session, self.actions_, self)
        self.generate.may_replace = self.imported.may_replace
        self.importing.tell_scaled = self.imported.tell_scaled
        self.layers.model.new_drag = lambda layers: LayerDrag(layers, session.drag_folder)
        self.clipboard = ClipboardWiring(session, self.actions_, self.view, self.importing)
        former = former_work_paths(settings)
        self.recovery = RecoveryWiring(
            session, self.actions_, self, self.files, loop, work_root, former
        )
        self.recovery.kept_changed.connect(self.status.show_kept)
        self.view_wiring.apply_theme()
        self.state = WindowState(self, settings)
        self.state.restore()
        self._closing = Closing(
            session, self, self.files, self.recovery, self.state, self.closed.emit
        )
        self._update_title()
        if not settings.first_run_done:
            self.messages.show_message(first_run_message())
            settings.first_run_done = True  # it stands in Help as well; once is enough

    # ---- parts ----

    def _lay_out(self) -> None:
        build_menus(self, self.actions_, self.live)
        self.tools = frames.tool_column(self.actions_, [f"tool_{name}" for name in TOOLS])
        docks = (
            frames.dock(tr("Inspector"), "inspectorDock", self.inspector_tabs),
            frames.dock(tr("Layers"), "layersDock", self.layers),
        )
        centre = frames.over(self.view, self.messages, self.strip)
        frames.lay_out(self, self.prompt, self.tools, centre, docks)
        self.setStatusBar(self.status)

    def _wire(self) -> None:
        session, actions = self.session, self.actions_
        actions.install_canvas_keys(self.view, self.layers.list)
        panes = (
            self.prompt.field,
            self.tools,
            self.view,
            self.strip.list,
            self.inspector_tabs,
            self.layers.list,
        )
        self.view_wiring = ViewWiring(
            session, actions, self.view, self.status, self.card, self._recolour, panes
        )
        here = HereWiring(session, self.view, self.live.here)
        resuming = Resuming(session, actions, self.view)
        self.edit_wiring = EditWiring(session, actions, self.view, self.layers, here, resuming)
        self.looks = LooksWiring(session, actions, self.layers.looks, (self.view, self.layers.list))
        self.arrange = ArrangeWiring(session, actions, self)
        self.marks = MarksWiring(session, actions, self)
        self.showing = ShowingWiring(session, actions, self.view, self.solo, self)
        self.candidates = CandidatesWiring(
            session,
            actions,
            self.stage,
            self.strip,
            self.compare,
            self.scene,
            self.view,
            self.layers,
            self.inspector,
        )
        self.files = FilesWiring(session, actions, self, resuming)
        self.recent = RecentWiring(session, actions, self.live.recent, self.files.open_recent)
        self.generate = GenerateWiring(
            session,
            actions,
            self.stage,
            self.prompt,
            self.scene,
            self.view,
            self.layers,
            self.inspector,
            self.status,
        )
        self.asking = AskingWiring(session, actions, self.prompt, self.view)
        self.loading = LoadingWiring(session, self.prompt)
        retheme = self.view_wiring.apply_theme
        self.tools_wiring = ToolsWiring(
            session, actions, self, self.view, self.prompt, self.layers, retheme
        )
        self.autosave = Autosave(session, self.files)
        self.tools_wiring.autosave_changed.connect(self.autosave.restart)
        self.inspecting = InspectingWiring(
            session, actions, self.inspector, self.record, self.advanced, self.picture_page
        )
        self.help = HelpWiring(session, actions, self, self.prompt.field.insert_word)
        self.announcing = AnnouncingWiring(session, self)
        self.model = ModelWiring(session)
        session.selection.changed.connect(self._name_inspector)
        self._name_inspector()
        actions["reset_layout"].triggered.connect(lambda: self.state.reset())
        session.notified.connect(self.show_message)
        session.withdrawn.connect(self.messages.withdraw)
        actions["undo"].triggered.connect(self.messages.dismiss_news)
        session.document.events.reset.connect(self.messages.dismiss_news)  # it was of another one
        session.path_changed.connect(self._update_title)
        session.undo.changed.connect(self._update_title)
        self.view.escape_pressed.connect(self._on_escape)
        self.inspector.left.connect(self.view.setFocus)
        self.layers.list.escape_pressed.connect(self._on_escape)

    def small_picture_bytes(self) -> int:
        """What thumbnails, the strip of results and the job list keep."""
        kept = (self.thumbnails, self.choice_pictures, self.session.job_pictures)
        return sum(pictures.size_bytes() for pictures in kept)

    # ---- reactions ----

    def show_message(self, message: Message) -> None:
        """Notes go to the status bar; what needs reading goes above the canvas."""
        if message.kind == "note":
            self.status.say(message.text)
        else:
            self.messages.show_message(message)

    def event(self, event: QEvent) -> bool:
        """Qt override: on a screen of another ratio the signs are drawn anew."""
        if event.type() == QEvent.Type.DevicePixelRatioChange and hasattr(self, "view_wiring"):
            self.view_wiring.apply_theme()
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt override: ask about unsaved changes without blocking, then report `closed`."""
        self._closing.try_to(event)

    def _accept(self, job: Job, results: list[Placed]) -> None:
        self.generate.accept(job, results)

    def _on_escape(self) -> None:
        """The last rungs: the current picture, stop the job, then clear the selection."""
        if self.candidates.show_before():
            return
        if self.session.bridge.current is not None:
            self.generate.stop()
        else:
            self.session.selection.clear()

    def _recolour(self, colours: Colours) -> None:
        self.actions_.recolour(colours)
        for part in (self.prompt, self.messages, self.layers, self.inspector, self.strip):
            part.recolour(colours)
        self.compare.colours = colours
        self.view.set_colours(colours)

    def _name_inspector(self) -> None:
        """The first page shows a layer, or the picture while none is selected."""
        text = tr("Layer") if self.session.selection.ids else tr("Picture")
        self.inspector_tabs.setTabText(0, text)

    def _update_title(self) -> None:
        self.setWindowTitle(tr("{0}[*] – Layerloom").format(self.session.name))
        self.setWindowModified(not self.session.undo.is_clean)
