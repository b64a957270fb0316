"""The command that adds layers which exist already: imported, pasted, read from a layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.document.commands.base import Command
from app.document.contents import Contents, check_room, default_name
from app.document.layer import Layer, new_layer_id


@dataclass(eq=False)
class AddLayers(Command):
    """Layers of another document or from a file, bottom first, in one step.

    They get new ids and numbers; empty boxes are brought onto this canvas and its grid. Nothing is
    unlocked or shown that was not.

    Attributes:
        layers: as values; their ids and numbers do not count.
        above: id of the layer below them; None = on top of all.
        text: the label; None = "Add 'Castle'" or "Add 3 Layers".
        new_ids: ids of the added layers, known before the command is done.
    """

    layers: Sequence[Layer] = field(repr=False)
    above: int | None = None
    text: str | None = None
    new_ids: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.new_ids = [new_layer_id() for _ in self.layers]

    def _apply(self, contents: Contents) -> Contents:
        has_pixels = any(layer.has_pixels for layer in self.layers)
        check_room(len(contents.foregrounds), len(self.layers), "picture" if has_pixels else "box")
        added = []
        for place, (layer, new_id) in enumerate(zip(self.layers, self.new_ids, strict=True)):
            number = contents.next_number + place
            name = layer.name or default_name(number)
            copy = replace(layer, id=new_id, number=number, name=name, is_background=False)
            if not copy.has_pixels:
                region = copy.region(contents.grid, contents.canvas)
                copy = replace(copy, kind="box", rect=region, record=None)
            added.append(copy)
        return contents.with_added(added, self.above)

    def _describe(self, contents: Contents) -> str:
        if self.text is not None:
            return self.text
        if len(self.layers) == 1:
            return f"Add '{self.layers[0].name or default_name(contents.next_number)}'"
        return f"Add {len(self.layers)} Layers"
