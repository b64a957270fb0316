"""Session: what the parts of one window share - document, undo, selection, engine, file name.

Holds them together and knows no widget.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.document.commands import Command, ReplaceDocument
from app.document.contents import DEFAULT_CANVAS, DEFAULT_GRID, Contents, new_contents
from app.document.contents import Settings as DocumentSettings
from app.document.document import Document
from app.document.geometry import Size
from app.document.storage.atomic import Stamp
from app.document.storage.journal import Keeper, WorkInfo
from app.session.client import EngineLike, LoopLike
from app.session.jobs import Job, Message
from app.session.queue import Accept, GenerationQueue, Placed
from app.session.selection import Selection
from app.session.settings import Settings, chosen_canvas
from app.session.undo import UndoStack
from app.ui.background import Background
from app.ui.dialogs.job_list import JobPictures
from app.ui.text import tr

MakeEngine = Callable[..., EngineLike]


@dataclass(frozen=True, slots=True)
class Source:
    """The file that a document without a file of its own came from.

    Attributes:
        path: the file; a save never replaces it without a question.
        lost: sentences about what it has and the document has not.
    """

    path: Path
    lost: tuple[str, ...]


class Session(QObject):
    """The state of one window.

    Args:
        loop: the UI thread's event loop.
        make_engine: called with the function that takes the engine's events.
        accept: what to do with the results of a job.
        settings: of this user; changed in place.

    Attributes:
        path: the project file, or None for a document that was never saved.
        source: the file that it came from and must not replace unasked; None = there is none.
        stamp: the file as we last read or wrote it.
        sitting: another number for each document that is opened.
        keeper: writes unsaved work for recovery; None = nobody does.
        job_pictures: small pictures of what the jobs made.
        is_settled: nothing of this document needs to be offered at the next start.

    Signals:
        notified(message): something for the user.
        withdrawn(action): the message that offers this action is not true any more.
        path_changed(): another file name, or saved now.
    """

    notified = Signal(object)
    withdrawn = Signal(str)
    path_changed = Signal()

    def __init__(
        self,
        loop: LoopLike,
        make_engine: MakeEngine,
        accept: Accept,
        settings: Settings,
        document: Document | None = None,
    ) -> None:
        super().__init__()
        canvas = first_canvas(settings, DEFAULT_CANVAS).rounded_up(DEFAULT_GRID)
        first = new_contents(canvas, settings=first_settings(settings))
        self.document = document or Document(first)
        self.undo = UndoStack(self.document)
        self.selection = Selection(self.document)
        self.settings = settings
        self.files = Background(loop)
        self.pictures = Background(loop)
        self.job_pictures = JobPictures(self.pictures, self)

        def take(job: Job, results: list[Placed]) -> None:
            self.job_pictures.take(job.id, results)
            accept(job, results)

        self.bridge = GenerationQueue(self.document, loop, make_engine, take)
        self.path: Path | None = None
        self.source: Source | None = None
        self.stamp: Stamp | None = None
        self.sitting = 0
        self.keeper: Keeper | None = None
        self.is_settled = False
        self.undo.refused.connect(self.notified.emit)
        self.bridge.message.connect(self._on_message)

    @property
    def name(self) -> str:
        """The document's name for titles and questions."""
        if self.path is None and self.source is not None:
            return tr("Copy of {0}").format(self.source.path.name)
        return self.path.name if self.path is not None else tr("Untitled")

    @property
    def work_info(self) -> WorkInfo:
        """What the journal notes beside the document."""
        path = "" if self.path is None else str(self.path.absolute())
        return WorkInfo(path, self.stamp, self.undo.is_clean)

    @property
    def is_pristine(self) -> bool:
        """Whether nothing was ever done: another document may take this one's place unasked."""
        return self.path is None and self.undo.count == 0

    def drag_folder(self) -> Path:
        """Where files go that are dragged to other programs: into the work folder, if there is one.

        They stay until it goes, which is long after whoever took them has copied them.
        """
        work = None if self.keeper is None else self.keeper.folder
        return Path(tempfile.mkdtemp(prefix="layerloom-")) if work is None else work / "dragged"

    def push(self, command: Command) -> bool:
        """Do a command as one undo step; False when it was refused or changed nothing."""
        return self.undo.push(command)

    def note(self, text: str) -> None:
        """A line for the status bar."""
        self.notified.emit(Message(kind="note", what=text))

    def replace(
        self,
        contents: Contents,
        text: str,
        path: Path | None,
        stamp: Stamp | None = None,
        source: Source | None = None,
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
        """End the engine and the workers. Blocks: call it off the UI thread.

        Returns:
            False when the engine hangs and the process must end with `os._exit`.
        """
        self.files.shutdown()  # a save that has begun is finished first
        self.pictures.shutdown()
        if self.keeper is not None:
            self.keeper.close(remove=self.is_settled)
        return self.bridge.shutdown(timeout_s)

    def _on_message(self, message: Message) -> None:
        self.notified.emit(message)


def first_canvas(settings: Settings, otherwise: Size) -> Size:
    """How large a new picture is: as the user chose, else a size of the model."""
    return chosen_canvas(settings) or otherwise


def first_settings(settings: Settings) -> DocumentSettings:
    """What a new picture starts with (3.5)."""
    return DocumentSettings(variations=settings.variations)
