"""The undo stack of a window: commands that were done, and which states are in the document's file.

The stack goes across New and Open, and each document has its own file. So each step says whether
the document was in its file after it, instead of the stack remembering one clean state.

Pictures that only undo refers to are bounded: what has no room in memory goes to the disk, and what
has no room there goes for good, oldest steps first.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from psygnal import Signal

from app.document import Document, UserError
from app.document.commands import Command
from app.document.document import emit
from app.document.pixels import Pixels
from app.session.jobs import message_of
from app.session.pixel_store import UndoPixelStore

MAX_STEPS = 1000
MAX_PIXEL_BYTES = 512 << 20
MAX_DISK_BYTES = 2 << 30
# Past a bound, this part of it is the aim, so that not every step passes the bound again.
_ROOM = 0.9


@dataclass(slots=True)
class _Step:
    """One command that was done."""

    command: Command
    # Called after each undo with False, after each redo with True. Steps that have one bring
    # another document.
    after: Callable[[bool], None] | None = None
    is_saved: bool = False  # the document was in its file after this step


class UndoStack:
    """Does commands and remembers them."""

    changed = Signal()  # texts, availability or the clean state may differ
    refused = Signal(object)  # message: a command could not be done; the document is as it was

    def __init__(self, document: Document, pixel_store: UndoPixelStore | None = None) -> None:
        self._document = document
        self._gestures = itertools.count(1)
        self._steps: list[_Step] = []
        self._index = 0  # how many of the steps are done
        self._starts_saved = True  # the document before the first step
        self.max_steps = MAX_STEPS
        self.max_pixel_bytes = MAX_PIXEL_BYTES
        self.max_disk_bytes = MAX_DISK_BYTES
        # Where pictures go that have no room in memory; None = the oldest steps go.
        self.pixel_store = pixel_store

    def push(self, command: Command, after: Callable[[bool], None] | None = None) -> bool:
        """Do a command as one step; False if refused or nothing changed. Undo calls `after`."""
        try:
            command.do(self._document)
        except UserError as error:
            emit(self.refused, message_of(error))
            return False
        if command.changes_nothing:
            return False
        del self._steps[self._index :]
        if not self._merged(command):
            self._steps.append(_Step(command, after))
            self._index += 1
        if after is not None:
            after(True)
        self._drop(max(0, len(self._steps) - self.max_steps))
        if next(command.kept_pixels(), None) is not None:
            self._keep_bounds()
        emit(self.changed)
        return True

    def _merged(self, command: Command) -> bool:
        """Whether the last step took the command in; a gesture back to its start is no step."""
        if not self._index or self.is_clean:
            return False
        last = self._steps[-1].command
        if not last.merge_with(command):
            return False
        if last.changes_nothing:
            self._steps.pop()
            self._index -= 1
        return True

    def undo(self) -> None:
        if self._index:
            step = self._steps[self._index - 1]
            step.command.undo(self._document)
            self._index -= 1
            if step.after is not None:
                step.after(False)
            emit(self.changed)

    def redo(self) -> None:
        if self._index < len(self._steps):
            step = self._steps[self._index]
            step.command.do(self._document)
            self._index += 1
            if step.after is not None:
                step.after(True)
            emit(self.changed)

    def clear(self) -> None:
        """Forget all steps; the document stays as it is."""
        self._starts_saved = self.is_clean
        self._steps.clear()
        self._index = 0
        emit(self.changed)

    def set_limit(self, steps: int) -> None:
        """From the next step on, not at once: typing 500 over 1000 passes 5 on the way."""
        self.max_steps = steps

    def new_gesture(self) -> int:
        """A number for the commands of one drag or one run of typing."""
        return next(self._gestures)

    @property
    def count(self) -> int:
        return len(self._steps)

    @property
    def index(self) -> int:
        return self._index

    @property
    def can_undo(self) -> bool:
        return self._index > 0

    @property
    def can_redo(self) -> bool:
        return self._index < len(self._steps)

    @property
    def undo_text(self) -> str:
        """Label of the step that `undo` would undo; "" for none."""
        return self._steps[self._index - 1].command.label if self.can_undo else ""

    @property
    def redo_text(self) -> str:
        """Label of the step that `redo` would do; "" for none."""
        return self._steps[self._index].command.label if self.can_redo else ""

    @property
    def is_clean(self) -> bool:
        """Whether the document is as it was last saved or opened."""
        return self._steps[self._index - 1].is_saved if self._index else self._starts_saved

    def mark_saved(self) -> None:
        """The document is in its file as it is now; no other state of it is."""
        self._mark(is_saved=True)

    def mark_unsaved(self) -> None:
        """No state of the document is in a file."""
        self._mark(is_saved=False)

    def _mark(self, *, is_saved: bool) -> None:
        """Mark the present state, and forget the other states between two New or Open."""
        low = high = self._index
        while low and self._steps[low - 1].after is None:
            low -= 1
        while high < len(self._steps) and self._steps[high].after is None:
            high += 1
        for index in range(low, high + 1):
            self._set_saved(index, is_saved and index == self._index)
        emit(self.changed)

    def _set_saved(self, index: int, is_saved: bool) -> None:
        if index:
            self._steps[index - 1].is_saved = is_saved
        else:
            self._starts_saved = is_saved

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
            if self.pixel_store is not None and self.pixel_store.holds(image):
                disk += image.array.nbytes
            else:
                memory += image.array.nbytes
        return memory, disk

    def _only_undo(self, first: int) -> list[Pixels]:
        """Pictures that steps from `first` on refer to and the document does not, oldest first."""
        shown = {id(image) for image in self._document.contents.pictures()}
        found: dict[int, Pixels] = {}
        for step in self._steps[first:]:
            for image in step.command.kept_pixels():
                if id(image) not in shown:
                    found[id(image)] = image
        return list(found.values())

    def _keep_bounds(self) -> None:
        """Move pictures without room in memory to the disk; drop steps without room there."""
        memory, disk = self._taken(0)
        store = self.pixel_store
        if memory <= self.max_pixel_bytes or (store is not None and store.is_storing):
            return
        if store is None:
            self._drop_oldest(self._fits_memory)
            return
        moved: list[Pixels] = []
        for image in self._only_undo(0):
            if memory <= self.max_pixel_bytes * _ROOM:
                break
            if not store.holds(image):
                moved.append(image)
                memory -= image.array.nbytes
                disk += image.array.nbytes
        if disk <= self.max_disk_bytes:
            store.store(moved, self._on_stored)
        elif self._drop_oldest(self._fits_disk):
            self._keep_bounds()

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

        Args:
            fits: whether the steps from this one on have room.

        Returns:
            whether any went. The newest stays, and while some are undone all do, so that a way
            back never ends in the middle. The next step tries again.
        """
        count = len(self._steps)
        if count < 2 or self._index != count:
            return False
        first = 1
        while first < count - 1 and not fits(first):
            first += max(1, (count - first) // 16)
        self._drop(min(first, count - 1))
        emit(self.changed)
        return True

    def _drop(self, count: int) -> None:
        """Forget the oldest steps, all of which are done."""
        if count:
            self._starts_saved = self._steps[count - 1].is_saved
            del self._steps[:count]
            self._index -= count
