"""Command: one step of undo. Computes new contents once; redo and undo put back what it changed.

Commands refer to layers by id, never by position or name. Knows no undo stack and no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from app.document.contents import Contents
from app.document.delta import Delta
from app.document.document import Document
from app.document.errors import DocumentError
from app.document.layer import Layer
from app.document.pixels import Pixels
from app.document.words import layer_names, shown_name


class Command:
    """Base of everything that changes a document.

    A subclass computes `_apply(contents) -> contents` and gives its text in `_describe`. `do`
    raises a UserError and leaves the document as it was when the command cannot be done; push it
    onto an undo stack only after `do` succeeded.

    Attributes:
        gesture: commands of one drag or one run of typing carry the same number and merge into
            one step; None = never merged.
        is_reset: the document is another one afterwards; views start afresh.
    """

    gesture: int | None = None
    is_reset: ClassVar[bool] = False
    _delta: Delta | None = None
    _label: str = ""

    def do(self, document: Document) -> None:
        """Do it, or do it again after an undo: exactly the same result, ids included.

        Raises:
            UserError: it cannot be done; nothing was changed.
        """
        before = document.contents
        if self._delta is None:
            # Applied first: it says what is wrong, the label takes everything for granted.
            delta = Delta.between(before, self._apply(before))
            self._label, self._delta = self._describe(before), delta
        assert self._delta is not None
        if not self._delta.is_empty:
            document._change(self._delta.apply(before), is_reset=self.is_reset)

    def undo(self, document: Document) -> None:
        """Put back what `do` changed.

        Raises:
            RuntimeError: the command was not done.
        """
        if self._delta is None:
            raise RuntimeError(f"{type(self).__name__} was not done, so it cannot be undone")
        if not self._delta.is_empty:
            contents = self._delta.apply(document.contents, backwards=True)
            document._change(contents, is_reset=self.is_reset)

    @property
    def label(self) -> str:
        """What the undo menu shows; names the target once the command was done."""
        return self._label or type(self).__name__

    @property
    def changes_nothing(self) -> bool:
        """Whether it was done and the document is as before: not worth a step."""
        return self._delta is not None and self._delta.is_empty

    def kept_pixels(self) -> Iterator[Pixels]:
        """Every picture that undo or redo of it would need; some more than once."""
        return iter(()) if self._delta is None else self._delta.pixels()

    def merge_with(self, later: Command) -> bool:
        """Take `later`, done directly after this one, into this step.

        Returns:
            True when both belong to one gesture on the same targets; `later` is then dropped.
        """
        if type(later) is not type(self) or self.gesture is None or later.gesture != self.gesture:
            return False
        if self._targets() != later._targets() or self._delta is None or later._delta is None:
            return False
        self._delta = self._delta.then(later._delta)
        return True

    def _apply(self, contents: Contents) -> Contents:
        raise NotImplementedError

    def _describe(self, contents: Contents) -> str:
        """The label, from the contents before the change."""
        raise NotImplementedError

    def _targets(self) -> object:
        """What two commands of a gesture must have in common."""
        return None


def named(contents: Contents, layer_ids: Sequence[int]) -> str:
    """Targets as a label names them: 'Castle', or 3 layers."""
    if len(layer_ids) == 1:
        layer = contents.layer(layer_ids[0])
        return f"'{layer_names(contents.layers).get(layer.id, layer.name)}'"
    return f"{len(layer_ids)} layers"


def unlocked(contents: Contents, layer_ids: Sequence[int]) -> list[Layer]:
    """The layers with these ids.

    Raises:
        DocumentError: one is not there, or is locked; names it.
    """
    layers = [contents.layer(layer_id) for layer_id in layer_ids]
    for layer in layers:
        if layer.locked:
            raise DocumentError(f"'{shown_name(layer)}' is locked.", advice="Unlock it first.")
    return layers


def foregrounds_only(contents: Contents, layer_ids: Sequence[int], verb: str) -> None:
    """Refuse what cannot be done to the background.

    Raises:
        DocumentError: the background is among the ids.
    """
    if contents.background.id in layer_ids:
        raise DocumentError(f"The background cannot be {verb}.", advice="Switch it off instead.")
