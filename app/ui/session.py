"""Session: what the parts of one window share - document, undo, selection, engine, file name.

Holds them together and uses no widget.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.document import Document, Size, UserError
from app.document.commands import AddLayers, Command, DuplicateLayers, ReplaceDocument
from app.document.contents import DEFAULT_CANVAS, DEFAULT_GRID, Contents, new_contents
from app.document.contents import Settings as DocumentSettings
from app.document.storage.atomic import Stamp
from app.document.storage.errors import StorageError
from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.table import Format
from app.document.storage.journal import Keeper, WorkInfo
from app.session.client import EngineChoice, EngineLike, LoopLike, built_in
from app.session.jobs import Message, MessageKind, message_of
from app.session.pixel_store import UndoPixelStore
from app.session.queue import GenerationQueue
from app.session.selection import Selection
from app.session.servers import Servers
from app.session.settings import Settings, chosen_canvas, former_work_paths
from app.session.undo import UndoStack
from app.ui.background import Errands, Worker
from app.ui.engine_texts import engine_name
from app.ui.text import tr

logger = logging.getLogger(__name__)

MakeEngine = Callable[..., EngineLike]
NewLayers = AddLayers | DuplicateLayers
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The file that a document without a file of its own came from."""

    path: Path  # the file; a save never replaces it without a question
    lost: tuple[str, ...]  # sentences about what it has and the document has not


class Session(QObject):
    """The state of one window.

    Args:
        settings: of this user; changed in place.
        work_root: where unsaved work is kept for recovery; None = nowhere.
    """

    notified = Signal(object)  # message: something for the user
    withdrawn = Signal(str)  # action: the message that offers this action is not true any more
    path_changed = Signal()  # another file name, or saved now
    exported = Signal()  # there is another `last_export`
    results_arrived = Signal(object, object)  # job, results: a variation is finished
    kept = Signal()  # the recovery folder has all changes
    keeping_failed = Signal(object)  # error: it has not; None = it has again

    def __init__(
        self,
        loop: LoopLike,
        make_engine: MakeEngine,
        settings: Settings,
        *,
        work_root: Path | None = None,
    ) -> None:
        super().__init__()
        canvas = first_canvas(settings, DEFAULT_CANVAS).rounded_up(DEFAULT_GRID)
        self._loop = loop
        self.document = Document(new_contents(canvas, settings=first_settings(settings)))
        self.settings = settings
        self.files = Worker(loop)
        self.pictures = Worker(loop)
        self.errands = Errands(loop)  # what servers and keyrings are asked
        self.servers = Servers(settings, self.errands.run)
        self.keeper: Keeper | None = None  # writes unsaved work for recovery; None = it is not kept
        # Folders in which windows keep, or kept, unsaved work.
        self.work_roots: tuple[Path, ...] = ()
        attic = None
        if work_root is not None:
            self.work_roots = tuple(dict.fromkeys([work_root, *former_work_paths(settings)]))
            self.keeper = Keeper(work_root, self._on_keeping_failed, on_kept=self._on_kept)
            attic = UndoPixelStore(self.pictures.run, work_root.parent / "undo")
        self.undo = UndoStack(self.document, attic)
        self.selection = Selection(self.document)
        self._built_in = built_in(make_engine)
        self.bridge = GenerationQueue(self.document, loop, make_engine, self.results_arrived.emit)
        # The project file, or None for a document that was never saved.
        self.path: Path | None = None
        # The file that it came from and must not replace unasked; None = there is none.
        self.source: SourceFile | None = None
        self.stamp: Stamp | None = None  # the file as we last read or wrote it
        self.sitting = 0  # another number for each document that is opened
        self.is_settled = False  # nothing of this document needs to be offered at the next start
        # Format, options and file of the last export of the document.
        self.last_export: tuple[Format, ExportOptions, Path] | None = None
        self.undo.refused.connect(self.notified.emit)
        self.bridge.message.connect(self.notified.emit)

    @property
    def name(self) -> str:
        """The document's name for titles and questions."""
        if self.path is None and self.source is not None:
            return tr("Copy of {0}").format(self.source.path.name)
        return self.path.name if self.path is not None else tr("Untitled")

    @property
    def work_info(self) -> WorkInfo:
        """What the journal notes with the document."""
        path = "" if self.path is None else str(self.path.absolute())
        return WorkInfo(path, self.stamp, self.undo.is_clean)

    @property
    def candidate_bound(self) -> tuple[int, int]:
        """How many results a picture keeps before it asks, and how many bytes of them."""
        return self.settings.candidates, self.settings.candidates_mb << 20

    @property
    def is_pristine(self) -> bool:
        """Whether nothing was ever done: another document may take this one's place unasked."""
        return self.path is None and self.undo.count == 0

    def drag_folder(self) -> Path:
        """Where files go that are dragged out; in the work folder they stay as long as it does."""
        work = None if self.keeper is None else self.keeper.folder
        return Path(tempfile.mkdtemp(prefix="layerloom-")) if work is None else work / "dragged"

    def push(self, command: Command) -> bool:
        """Do a command as one undo step; False when it was refused or changed nothing."""
        return self.undo.push(command)

    def add(self, command: NewLayers) -> bool:
        """Do a command that makes layers, and select these."""
        is_done = self.undo.push(command)
        if is_done:
            self.selection.set(command.new_ids)
        return is_done

    def note(self, text: str) -> None:
        self.tell("note", text)

    def tell(
        self, kind: MessageKind, what: str, kept: str = "", advice: str = "", action: str = ""
    ) -> None:
        """Something for the user; see `Message`."""
        self.notified.emit(Message(kind=kind, what=what, kept=kept, advice=advice, action=action))

    def report(self, error: Exception, otherwise: Message | None = None) -> None:
        """Show what went wrong; `otherwise` where the error was not written for the user."""
        if isinstance(error, UserError):
            message = message_of(error, "error")
        else:
            logger.error("background work failed", exc_info=error)
            message = otherwise or Message(
                kind="error",
                what=tr("The file operation failed."),
                kept=tr("Your work is still open."),
                advice=tr("Try again, or choose another place."),
                details=f"{type(error).__name__}: {error}",
            )
        self.notified.emit(message)

    def work(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Do something with files on the worker; what goes wrong is shown."""
        self.files.run(work, done, self.report)

    def use_engine(self, connection_id: str) -> None:
        """Give later jobs to another engine; jobs that run or wait stay with theirs.

        Args:
            connection_id: of a connection; `NO_SERVER` = the engine of the program itself.
        """
        self.servers.connections.use(connection_id)
        self.bridge.use_engine(self._chosen_engine())

    def start_engine(self) -> None:
        """Start the engine that the user chose last."""
        if self.servers.connections.in_use is None:
            self.bridge.start()
        else:
            self.bridge.use_engine(self._chosen_engine())

    def _chosen_engine(self) -> EngineChoice:
        used = self.servers.connections.in_use
        return self._built_in if used is None else self.servers.choice(used, engine_name(used))

    def replace(
        self,
        contents: Contents,
        text: str,
        path: Path | None,
        stamp: Stamp | None = None,
        source: SourceFile | None = None,
    ) -> None:
        """New or Open: another document in one step; undo brings the former one with its name."""
        files = {False: (self.path, self.stamp, self.source), True: (path, stamp, source)}

        def after(is_done: bool) -> None:
            # The document that goes may have been saved under a name since it came.
            files[not is_done] = (self.path, self.stamp, self.source)
            self.path, self.stamp, self.source = files[is_done]
            self.sitting += 1
            self.path_changed.emit()

        if self.undo.push(ReplaceDocument(contents, text), after):
            self.undo.mark_saved()
        else:  # equal contents: only the name is new
            after(True)

    def saved(self, path: Path, stamp: Stamp, contents: Contents) -> None:
        """These contents are in the file now; what was changed meanwhile is not."""
        self.path, self.stamp, self.source = path, stamp, None
        if self.document.contents == contents:
            self.undo.mark_saved()
        self.path_changed.emit()

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        """End engine and workers; blocks. False: the process must end with `os._exit`."""
        self.files.shutdown()  # a save that has begun is finished first
        self.pictures.shutdown()
        self.errands.shutdown()
        if self.keeper is not None:
            self.keeper.close(remove=self.is_settled)
        return self.bridge.shutdown(timeout_s)

    def _on_kept(self) -> None:
        self._emit_soon(self.kept.emit)

    def _on_keeping_failed(self, error: StorageError | None) -> None:
        """Called on the keeper's thread."""
        self._emit_soon(self.keeping_failed.emit, error)

    def _emit_soon(self, emit: Callable[..., object], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(emit, *arguments)
        except RuntimeError:
            logger.debug("the recovery folder reported after the end: %s", arguments)


def first_canvas(settings: Settings, otherwise: Size) -> Size:
    """How large a new picture is: as the user chose, else a size of the model."""
    return chosen_canvas(settings) or otherwise


def first_settings(settings: Settings) -> DocumentSettings:
    return DocumentSettings(variations=settings.variations)
