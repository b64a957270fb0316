"""The one undo stack: Qt's, wrapped around the document's commands.

A command is done first and pushed only after it succeeded. Knows nothing of widgets.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from app.document.commands import Command
from app.document.document import Document
from app.document.errors import UserError
from app.jobs import Message

MAX_STEPS = 1000
MAX_PIXEL_BYTES = 512 << 20
_STEP_ID = 1


class Step(QUndoCommand):
    """One command on Qt's stack; `after` is told after each undo (False) and redo (True)."""

    def __init__(
        self, document: Document, command: Command, after: Callable[[bool], None] | None = None
    ) -> None:
        super().__init__(command.label)
        self.command = command
        self.after = after
        self.is_repushed = False
        self.is_kept_apart = False
        self._document = document
        self._is_first = True

    def id(self) -> int:
        """Qt override: all steps may try to merge; the commands decide."""
        return _STEP_ID

    def redo(self) -> None:
        """Qt override. Pushing calls it once for a command that is done already."""
        if self._is_first:
            self._is_first = False
        else:
            self.command.do(self._document)
        if self.after is not None and not self.is_repushed:
            self.after(True)
        self.is_repushed = False

    def undo(self) -> None:
        """Qt override."""
        self.command.undo(self._document)
        if self.after is not None:
            self.after(False)

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Qt override: one gesture, one step. A gesture that comes back to its start is none."""
        if not isinstance(other, Step) or other.is_kept_apart:
            return False
        if not self.command.merge_with(other.command):
            return False
        self.setText(self.command.label)
        self.setObsolete(self.command.changes_nothing)
        return True


class UndoStack(QObject):
    """Does commands and remembers them.

    Signals:
        changed(): texts, availability or the clean state may differ.
        refused(message): a command could not be done; the document is as it was.
    """

    changed = Signal()
    refused = Signal(object)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._gestures = itertools.count(1)
        self.max_pixel_bytes = MAX_PIXEL_BYTES
        self.stack = QUndoStack(self)
        self.stack.setUndoLimit(MAX_STEPS)
        self.stack.indexChanged.connect(self.changed)
        self.stack.cleanChanged.connect(self.changed)

    def push(self, command: Command, after: Callable[[bool], None] | None = None) -> bool:
        """Do a command and keep it as one step.

        Returns:
            False when it was refused (a message follows) or changed nothing.
        """
        before = self._document.revision
        try:
            command.do(self._document)
        except UserError as error:
            self.refused.emit(
                Message(kind="warning", what=error.what, kept=error.kept, advice=error.advice)
            )
            return False
        except Exception:
            if self._document.revision == before:
                raise
            # A view failed while it was told. The change itself is done: it must be undoable.
            sys.excepthook(*sys.exc_info())
        if command.changes_nothing:
            return False
        self.stack.push(Step(self._document, command, after))
        if next(command.kept_pixels(), None) is not None:
            self._drop_oldest()
        self.changed.emit()
        return True

    def pixel_bytes(self) -> int:
        """Bytes of pictures that only undo refers to."""
        return sum(self._only_undo(0).values())

    def _only_undo(self, first: int) -> dict[int, int]:
        """Pictures that steps from `first` on refer to and the document does not: id -> bytes."""
        contents = self._document.contents
        shown: set[int] = set()
        for layer in (contents.background, *contents.foregrounds):
            shown.update(id(item.image) for item in layer.candidates)
            shown.add(id(layer.image))
        shown.update(id(item.image) for item in contents.detached)
        found = {}
        for place in range(first, self.stack.count()):
            step = self.stack.command(place)
            if isinstance(step, Step):
                for image in step.command.kept_pixels():
                    if id(image) not in shown:
                        found[id(image)] = image.array.nbytes
        return found

    def _drop_oldest(self) -> None:
        """UN5: above the bound the oldest steps go; candidates and the document never do.

        Qt cannot take steps off the bottom, so the stack is filled anew with the ones that stay.
        """
        if sum(self._only_undo(0).values()) <= self.max_pixel_bytes:
            return
        count = self.stack.count()
        first = 1
        while first < count - 1 and (
            sum(self._only_undo(first).values()) > self.max_pixel_bytes * 0.9
        ):
            first += max(1, (count - first) // 16)
        first = min(first, count - 1)
        steps = [self.stack.command(place) for place in range(first, count)]
        kept = [(step.command, step.after) for step in steps if isinstance(step, Step)]
        clean = self.stack.cleanIndex() - first
        self.stack.blockSignals(True)
        try:
            self.stack.clear()
            if clean < 0:
                self.stack.resetClean()
            for place, (command, after) in enumerate(kept, start=1):
                step = Step(self._document, command, after)
                step.is_repushed = step.is_kept_apart = True
                self.stack.push(step)
                if place == clean:
                    self.stack.setClean()
        finally:
            self.stack.blockSignals(False)
        self.stack.indexChanged.emit(self.stack.index())

    def set_limit(self, steps: int) -> None:
        """How many steps are kept (UN5). Qt takes it on an empty stack only, else at next start."""
        if self.stack.count() == 0:
            self.stack.setUndoLimit(steps)

    def new_gesture(self) -> int:
        """A number for the commands of one drag or one run of typing."""
        return next(self._gestures)

    @property
    def is_clean(self) -> bool:
        """Whether the document is as it was last saved or opened."""
        return self.stack.isClean()
