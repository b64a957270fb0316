"""Command: one step of undo. Computes new contents once; redo and undo put back what it changed.

Commands refer to layers by id, never by position or name. Independent of the undo stack.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from app.document.contents import DEFAULT_GRID, Contents
from app.document.document import Document
from app.document.errors import DocumentError
from app.document.layer import Layer
from app.document.pixels import Pixels
from app.document.words import layer_names, shown_name

_SCALARS = tuple(
    item.name for item in fields(Contents) if item.name not in ("background", "foregrounds")
)


@dataclass(frozen=True, slots=True)
class Delta:
    """The entries that differ between two contents: (before, after) for each.

    Keeps references to the changed layers only, so a step without pixels stays small.
    """

    scalars: dict[str, tuple[Any, Any]]
    layers: dict[int, tuple[Layer | None, Layer | None]]
    order: tuple[tuple[int, ...], tuple[int, ...]] | None
    background: tuple[Layer, Layer] | None

    @classmethod
    def between(cls, before: Contents, after: Contents) -> Delta:
        """What to change to come from one to the other."""
        scalars = {
            name: (getattr(before, name), getattr(after, name))
            for name in _SCALARS
            if getattr(before, name) is not getattr(after, name)
            and getattr(before, name) != getattr(after, name)
        }
        old = {layer.id: layer for layer in before.foregrounds}
        new = {layer.id: layer for layer in after.foregrounds}
        layers = {
            key: (old.get(key), new.get(key))
            for key in {**old, **new}
            if _differ(old.get(key), new.get(key))
        }
        order = (tuple(old), tuple(new)) if tuple(old) != tuple(new) else None
        grounds = (before.background, after.background)
        return cls(scalars, layers, order, grounds if _differ(*grounds) else None)

    @property
    def is_empty(self) -> bool:
        return not (self.scalars or self.layers or self.order or self.background)

    def pixels(self) -> Iterator[Pixels]:
        """Every picture that this change refers to, before or after; some more than once."""
        pairs = [*self.layers.values(), *((self.background,) if self.background else ())]
        for layer in (layer for pair in pairs for layer in pair if layer is not None):
            yield from layer.pictures()
        for candidate in (item for side in self.scalars.get("detached", ()) for item in side):
            yield candidate.image

    def apply(self, contents: Contents, *, backwards: bool = False) -> Contents:
        """Contents after (or, backwards, before) the change; entries not named stay."""
        side = 0 if backwards else 1
        by_id = {layer.id: layer for layer in contents.foregrounds}
        order = tuple(by_id) if self.order is None else self.order[side]
        for key, pair in self.layers.items():
            layer = pair[side]
            if layer is not None:
                by_id[key] = layer
        values: dict[str, Any] = {name: pair[side] for name, pair in self.scalars.items()}
        values["foregrounds"] = tuple(by_id[key] for key in order)
        if self.background is not None:
            values["background"] = self.background[side]
        return replace(contents, **values)

    def then(self, later: Delta) -> Delta:
        """Both changes as one; `later` follows directly on this one."""
        return Delta(
            _joined_all(self.scalars, later.scalars),
            _joined_all(self.layers, later.layers),
            _joined(self.order, later.order),
            _joined(self.background, later.background),
        )


def _joined(first: Any, second: Any) -> Any:
    """(before, after) of two changes in a row; None where nothing differs in the end."""
    if first is None or second is None:
        return second if first is None else first
    pair = (first[0], second[1])
    return None if pair[0] == pair[1] else pair


def _joined_all(first: dict[Any, Any], second: dict[Any, Any]) -> dict[Any, Any]:
    pairs = {key: _joined(first.get(key), second.get(key)) for key in {**first, **second}}
    return {key: pair for key, pair in pairs.items() if pair is not None}


def _differ(one: Layer | None, other: Layer | None) -> bool:
    return one is not other and one != other


class Command:
    """Base of everything that changes a document.

    A subclass computes `_apply(contents) -> contents` and gives its text in `_describe`. `do`
    raises a UserError and leaves the document as it was when the command cannot be done; push it
    onto an undo stack only after `do` succeeded.
    """

    # commands of one drag or one run of typing carry the same number and merge into one step; None
    # = never merged
    gesture: int | None = None
    grid: int = DEFAULT_GRID  # of the document, set by `do`
    is_reset: ClassVar[bool] = False  # the document is another one afterwards; views start afresh
    _delta: Delta | None = None
    _label: str = ""

    def do(self, document: Document) -> None:
        """Do it, or do it again after an undo: exactly the same result, ids included.

        Raises:
            UserError: it cannot be done; nothing was changed.
        """
        before = document.contents
        if self._delta is None:
            self.grid = document.grid
            # Applied first: it says what is wrong, the label takes everything for granted.
            delta = Delta.between(before, self._apply(before))
            self._label, self._delta = self._describe(before), delta
        assert self._delta is not None
        if not self._delta.is_empty:
            document._change(self._delta.apply(before), is_reset=self.is_reset)

    def undo(self, document: Document) -> None:
        """Put back what `do` changed. Raises RuntimeError: the command was not done."""
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


@dataclass(eq=False)
class OnLayers(Command):
    """A command on some layers, which its label names behind the verb."""

    layer_ids: Sequence[int]
    verb: ClassVar[str]

    def _describe(self, contents: Contents) -> str:
        return f"{self.verb} {named(contents, self.layer_ids)}"

    def _targets(self) -> object:
        return tuple(self.layer_ids)


def named(contents: Contents, layer_ids: Sequence[int]) -> str:
    """Targets as a label names them: 'Castle', or 3 layers."""
    if len(layer_ids) == 1:
        layer = contents.layer(layer_ids[0])
        return f"'{layer_names(contents.layers).get(layer.id, layer.name)}'"
    return f"{len(layer_ids)} layers"


def unlocked(contents: Contents, layer_ids: Sequence[int]) -> list[Layer]:
    """The layers with these ids. Raises DocumentError: one is not there, or is locked; names it."""
    layers = [contents.layer(layer_id) for layer_id in layer_ids]
    for layer in layers:
        if layer.locked:
            raise DocumentError(f"'{shown_name(layer)}' is locked.", advice="Unlock it first.")
    return layers


def foregrounds_only(contents: Contents, layer_ids: Sequence[int], verb: str) -> None:
    """Raise DocumentError where the background is among the ids: it cannot be `verb`."""
    if contents.background.id in layer_ids:
        raise DocumentError(f"The background cannot be {verb}.", advice="Switch it off instead.")
