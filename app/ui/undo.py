"""The one undo stack: Qt's, wrapped around the document's commands.

Qt remembers one clean state. The stack goes across New and Open, and each document has its own
file, so each step also says whether the document was in its file after it.

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
from app.document.pixels import Pixels
from app.session.jobs import Message
from app.ui.attic import Attic

MAX_STEPS = 1000
MAX_PIXEL_BYTES = 512 << 20
MAX_DISK_BYTES = 2 << 30
# A bound that is passed is gone back below by this much, so that not every step passes it again.
_ROOM = 0.9
_STEP_ID = 1


class Step(QUndoCommand):
    """One command on Qt's stack.

    Args:
        after: called after each undo with False, after each redo with True. Steps that have one
            bring another document.

    Attributes:
        is_saved: the document was in its file after this step.
    """

    def __init__(
        self, document: Document, command: Command, after: Callable[[bool], None] | None = None
    ) -> None:
        super().__init__(command.label)
        self.command = command
        self.after = after
        self.is_repushed = False
        self.is_kept_apart = False
        self.is_saved = False
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

    def __init__(
        self, document: Document, parent: QObject | None = None, attic: Attic | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._gestures = itertools.count(1)
        self.max_pixel_bytes = MAX_PIXEL_BYTES
        self.max_disk_bytes = MAX_DISK_BYTES
        self.max_steps = MAX_STEPS
        self.attic = attic
        self.stack = QUndoStack(self)
        self.stack.setUndoLimit(MAX_STEPS)
        self._starts_saved = True  # the document before the first step
        self.stack.indexChanged.connect(self._on_index)
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
        self._push(Step(self._document, command, after))
        if self.stack.undoLimit() != self.max_steps:
            self._refill(max(0, self.stack.count() - self.max_steps))
        if next(command.kept_pixels(), None) is not None:
            self._keep_bounds()
        self.changed.emit()
        return True

    def mark_saved(self) -> None:
        """The document is in its file as it is now; no other state of it is."""
        self._forget_saved()
        self._set_saved(self.stack.index(), True)
        self.stack.setClean()

    def mark_unsaved(self) -> None:
        """No state of the document is in a file."""
        self._forget_saved()
        self.stack.resetClean()

    def pixel_bytes(self) -> int:
        """Bytes in memory of pictures that only undo refers to."""
        return self._taken(0)[0]

    def disk_bytes(self) -> int:
        """Bytes on the disk of pictures that only undo refers to."""
        return self._taken(0)[1]

    def _taken(self, first: int) -> tuple[int, int]:
        """Bytes in memory and on the disk, for steps from `first` on."""
        memory = disk = 0
        for image in self._only_undo(first):
            if self.attic is not None and self.attic.holds(image):
                disk += image.array.nbytes
            else:
                memory += image.array.nbytes
        return memory, disk

    def _only_undo(self, first: int) -> list[Pixels]:
        """Pictures that steps from `first` on refer to and the document does not, oldest first."""
        contents = self._document.contents
        shown: set[int] = set()
        for layer in (contents.background, *contents.foregrounds):
            shown.update(id(item.image) for item in layer.candidates)
            shown.add(id(layer.image))
        shown.update(id(item.image) for item in contents.detached)
        found: dict[int, Pixels] = {}
        for place in range(first, self.stack.count()):
            step = self.stack.command(place)
            if isinstance(step, Step):
                for image in step.command.kept_pixels():
                    if id(image) not in shown:
                        found[id(image)] = image
        return list(found.values())

    def _keep_bounds(self) -> None:
        """What has no room in memory goes to the disk, what has none there goes for good."""
        memory, disk = self._taken(0)
        if memory <= self.max_pixel_bytes or (self.attic is not None and self.attic.is_storing):
            return
        moved: list[Pixels] = []
        attic = self.attic
        if attic is not None:
            for image in self._only_undo(0):
                if memory <= self.max_pixel_bytes * _ROOM:
                    break
                if not attic.holds(image):
                    moved.append(image)
                    memory -= image.array.nbytes
                    disk += image.array.nbytes
        if attic is None:
            self._drop_oldest(self._fits_memory)
        elif disk > self.max_disk_bytes:
            if self._drop_oldest(self._fits_disk):
                self._keep_bounds()
        else:
            attic.store(moved, self._on_stored)

    def _on_stored(self, is_moved: bool) -> None:
        if is_moved:
            self._keep_bounds()
        elif self.pixel_bytes() > self.max_pixel_bytes:
            self._drop_oldest(self._fits_memory)

    def _fits_memory(self, first: int) -> bool:
        return self._taken(first)[0] <= self.max_pixel_bytes * _ROOM

    def _fits_disk(self, first: int) -> bool:
        return sum(self._taken(first)) <= self.max_disk_bytes * _ROOM

    def _drop_oldest(self, fits: Callable[[int], bool]) -> bool:
        """The oldest steps go; candidates and the document never do.

        Qt cannot take steps off the bottom, so the stack is filled anew with the ones that stay.

        Args:
            fits: whether the steps from this one on have room.

        Returns:
            whether any went. The newest stays, and while some are undone all do: they would be
            taken for done. The next step tries again.
        """
        count = self.stack.count()
        if count < 2 or self.stack.index() != count:
            return False
        first = 1
        while first < count - 1 and not fits(first):
            first += max(1, (count - first) // 16)
        self._refill(min(first, count - 1))
        return True

    def _refill(self, first: int) -> None:
        """Fill the stack anew with the steps from `first` on, all of them done; none is told.

        An empty stack is also the only one whose limit Qt lets change.
        """
        steps = [self.stack.command(place) for place in range(first, self.stack.count())]
        kept = [step for step in steps if isinstance(step, Step)]
        clean = self.stack.cleanIndex() - first
        self._starts_saved = self._is_saved(first)
        self.stack.blockSignals(True)
        try:
            again = [_again(self._document, step) for step in kept]  # before Qt deletes them
            self.stack.clear()
            self.stack.setUndoLimit(self.max_steps)
            if clean < 0:
                self.stack.resetClean()
            for place, step in enumerate(again, start=1):
                self.stack.push(step)
                if place == clean:
                    self.stack.setClean()
        finally:
            self.stack.blockSignals(False)
        self.stack.indexChanged.emit(self.stack.index())

    # ---- which states are in a file ----

    def _push(self, step: Step) -> None:
        """Give a step to Qt, and notice when Qt drops the oldest one for it."""
        lowest = self.stack.command(0) if self.stack.index() else None
        was_saved = self._is_saved(1) if lowest is not None else False
        self.stack.push(step)
        if lowest is not None and self.stack.count() and self.stack.command(0) is not lowest:
            self._starts_saved = was_saved

    def _is_saved(self, index: int) -> bool:
        """Whether the document was in its file after `index` steps."""
        step = self.stack.command(index - 1) if index else None
        return step.is_saved if isinstance(step, Step) else self._starts_saved

    def _set_saved(self, index: int, is_saved: bool) -> None:
        step = self.stack.command(index - 1) if index else None
        if isinstance(step, Step):
            step.is_saved = is_saved
        else:
            self._starts_saved = is_saved

    def _forget_saved(self) -> None:
        """For all states of the document that is open, which lie between two New or Open."""
        low = high = self.stack.index()
        while low and not self._brings_another(low - 1):
            low -= 1
        while high < self.stack.count() and not self._brings_another(high):
            high += 1
        for index in range(low, high + 1):
            self._set_saved(index, False)

    def _brings_another(self, place: int) -> bool:
        step = self.stack.command(place)
        return isinstance(step, Step) and step.after is not None

    def _on_index(self, index: int) -> None:
        if self._is_saved(index) and not self.stack.isClean():
            self.stack.setClean()

    # ---- more ----

    def set_limit(self, steps: int) -> None:
        """How many steps are kept, from the next step on.

        Not at once: whoever types 500 over 1000 passes 5 on the way.
        """
        self.max_steps = steps

    def new_gesture(self) -> int:
        """A number for the commands of one drag or one run of typing."""
        return next(self._gestures)

    @property
    def is_clean(self) -> bool:
        """Whether the document is as it was last saved or opened."""
        return self.stack.isClean()


def _again(document: Document, former: Step) -> Step:
    """A step like one that Qt is about to delete."""
    step = Step(document, former.command, former.after)
    step.is_saved = former.is_saved
    step.is_repushed = step.is_kept_apart = True
    return step
