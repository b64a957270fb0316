"""Delta: what a command changed, so that undo and redo put back that and leave the rest alone.

Pure values; knows neither commands nor events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from app.document.contents import Contents
from app.document.layer import Layer
from app.document.pixels import Pixels

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
        background = None
        if _differ(before.background, after.background):
            background = (before.background, after.background)
        return cls(scalars, layers, order, background)

    @property
    def is_empty(self) -> bool:
        return not (self.scalars or self.layers or self.order or self.background)

    def pixels(self) -> Iterator[Pixels]:
        """Every picture that this change refers to, before or after; some more than once."""
        pairs = [*self.layers.values(), *((self.background,) if self.background else ())]
        for layer in (layer for pair in pairs for layer in pair if layer is not None):
            if layer.image is not None:
                yield layer.image
            for candidate in layer.candidates:
                yield candidate.image
        for pair in (self.scalars.get("detached"),):
            for candidate in (item for side in pair or () for item in side):
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
        background = _joined(self.background, later.background)
        return Delta(
            _joined_all(self.scalars, later.scalars),
            _joined_all(self.layers, later.layers),
            _joined(self.order, later.order),
            background,
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
