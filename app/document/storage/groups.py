"""Groups and masks of an OpenRaster as layers of a document, which has neither: the same picture.

A group whose layers look the same without it is taken apart. Any other becomes one layer, and a
layer with a mask operator becomes one layer with all that it acts on. Knows no zip.
Source: OpenRaster 0.0.5, "Compositing the image".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.document.blends import BLENDS
from app.document.contents import MAX_SIDE
from app.document.geometry import Rect, Size
from app.document.nested import OPERATORS, Piece, Placed, bounds, painted
from app.document.pixels import Pixels
from app.document.storage.stack_xml import (
    Stack,
    StackGroup,
    StackItem,
    StackLayer,
    StackTree,
    called,
)

_MAX_NAMES = 8


@dataclass(frozen=True, slots=True)
class Flat:
    """A stack without groups.

    Attributes:
        pictures: of all its layers, by `src`.
        lost: sentences about what the stack cannot say any more; empty = nothing.
        notes: sentences about what is kept but looks otherwise than its author saw it.
    """

    stack: Stack
    pictures: Mapping[str, Pixels]
    lost: tuple[str, ...]
    notes: tuple[str, ...]


def flattened(tree: StackTree, pictures: Mapping[str, Pixels]) -> Flat:
    """The tree as a plain list of layers that looks the same.

    Args:
        pictures: of all layers in the tree, by `src`.
    """
    work = _Work(pictures)
    nodes = work.nodes_of(tree.items)
    everything = dict(pictures)
    layers = []
    for number, node in enumerate(nodes, start=1):
        layer = node.layer
        if node.inside is not None:
            found = _pixels_of(node.inside, pictures, tree.size)
            if found is None:
                continue
            rect, image = found
            src = f"merged:{number}"  # a name that no member can have: none has a colon
            everything[src] = image
            layer = replace(layer, src=src, x=rect.x, y=rect.y)
        layers.append(layer)
    foreign = list(_foreign(tree.items, layers))
    notes = (f"Painted as Normal, because their modes are unknown: {named(foreign)}.",)
    stack = Stack(tree.size, tuple(reversed(layers)))
    return Flat(stack, everything, work.lost(), notes if foreign else ())


def named(names: Iterable[str]) -> str:
    """Names in a sentence: the first few, and how many more there are."""
    names = list(names)
    if len(names) < 2:
        return "".join(names)
    if len(names) > _MAX_NAMES:
        return f"{', '.join(names[:_MAX_NAMES])} and {len(names) - _MAX_NAMES} more"
    return f"{', '.join(names[:-1])} and {names[-1]}"


@dataclass(frozen=True, slots=True)
class _Node:
    """A layer to be; `inside` are the nodes that it is painted from, bottom first."""

    layer: StackLayer
    inside: tuple[_Node, ...] | None = None

    def looking(self, *, opacity: float, blend: str) -> _Node:
        """The same with the opacity of a group on top of its own, and another mode."""
        opacity = round(self.layer.opacity * opacity, 4)
        return replace(self, layer=replace(self.layer, opacity=opacity, blend=blend))


class _Work:
    """Goes through the tree from the bottom up, and notes what was done."""

    def __init__(self, pictures: Mapping[str, Pixels]) -> None:
        self._pictures = pictures
        self._apart = 0
        self._merged: list[str] = []
        self._masked: list[str] = []

    def lost(self) -> tuple[str, ...]:
        told = []
        if self._merged:
            one = len(self._merged) == 1
            were = "was merged into one layer" if one else "were merged into one layer each"
            told.append(
                f"{'Group' if one else 'Groups'} {named(self._merged)} {were}, to look as before: "
                "this program has no groups."
            )
        told += self._masked
        if self._apart:
            one = self._apart == 1
            told.append(
                f"{self._apart} {'group was' if one else 'groups were'} taken apart into "
                f"{'its' if one else 'their'} layers, which look the same."
            )
        return tuple(told)

    def nodes_of(self, items: Sequence[StackItem]) -> list[_Node]:
        """The layers of one isolated group, or of the root, bottom first."""
        nodes: list[_Node] = []
        self._add(items, nodes, visible=True)
        return nodes

    def _add(self, items: Sequence[StackItem], nodes: list[_Node], *, visible: bool) -> None:
        for item in reversed(items):
            if isinstance(item, StackLayer):
                shown = item.visible and visible
                self._put(_Node(replace(item, visible=shown)), nodes)
            elif item.isolated:
                for node in self._group(item):
                    shown = node.layer.visible and item.visible and visible
                    self._put(replace(node, layer=replace(node.layer, visible=shown)), nodes)
            else:  # "just as if there were no stacked group"
                self._apart += 1
                self._add(item.items, nodes, visible=visible and item.visible)

    def _group(self, group: StackGroup) -> list[_Node]:
        """The layers that an isolated group becomes, as if it were visible."""
        nodes = self.nodes_of(group.items)
        shown = [node for node in nodes if node.layer.visible]
        hidden = [node for node in nodes if not node.layer.visible]
        if group.blend not in OPERATORS:
            plain = all(node.layer.blend not in BLENDS for node in shown)
            if plain and group.opacity == 1 and group.blend == "normal":
                self._apart += 1
                return nodes
            if len(shown) < 2 or (plain and self._are_apart(shown)):
                self._apart += 1
                return [*(_in_group(node, group) for node in shown), *hidden]
        name = group.name or "Group"
        self._merged.append(f"'{name}'")
        layer = StackLayer(name, "", opacity=group.opacity, blend=group.blend)
        return [_Node(layer, tuple(shown)), *hidden]

    def _put(self, node: _Node, nodes: list[_Node]) -> None:
        """On top of the others; a mask becomes one with all that it acts on."""
        if not node.layer.visible or node.layer.blend not in OPERATORS:
            nodes.append(node)
            return
        below = [other for other in nodes if other.layer.visible]
        hidden = [other for other in nodes if not other.layer.visible]
        target = below[0].layer.name if below else node.layer.name
        count = len(below)
        what = "the layer" if count == 1 else f"the {count} layers"
        done = (
            f"was merged with {what} below it into {called(target)}" if count else "became pixels"
        )
        self._masked.append(
            f"{_capital(called(node.layer.name))} ({node.layer.blend}) {done}, to look as before: "
            "this program has no such mode."
        )
        nodes[:] = [_Node(StackLayer(target, ""), (*below, node)), *hidden]

    def _are_apart(self, nodes: Sequence[_Node]) -> bool:
        """Whether no two of them overlap."""
        rects = [bounds([_piece(node, self._pictures)]) for node in nodes]
        return not any(
            a is not None and b is not None and a.intersect(b) is not None
            for place, a in enumerate(rects)
            for b in rects[:place]
        )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _in_group(node: _Node, group: StackGroup) -> _Node:
    """A node that is alone at its place in a group: the group's looks become its own.

    Its own mode had nothing to act on there.
    """
    blend = node.layer.blend if node.layer.blend not in BLENDS else "normal"
    return node.looking(
        opacity=group.opacity, blend=blend if group.blend == "normal" else group.blend
    )


def _piece(node: _Node, pictures: Mapping[str, Pixels]) -> Piece:
    layer = node.layer
    if node.inside is not None:
        content = tuple(_piece(each, pictures) for each in node.inside)
        return Piece(content, layer.opacity, layer.blend)
    image = pictures[layer.src]
    rect = Rect(layer.x, layer.y, image.width, image.height)
    return Piece(Placed(image, rect), layer.opacity, layer.blend)


def _pixels_of(
    nodes: Sequence[_Node], pictures: Mapping[str, Pixels], canvas: Size
) -> tuple[Rect, Pixels] | None:
    """What nodes make on nothing, and where; None when nothing can be seen."""
    pieces = [_piece(node, pictures) for node in nodes]
    rect = bounds(pieces)
    if rect is not None and max(rect.width, rect.height) > MAX_SIDE:
        rect = rect.intersect(canvas.rect)
    if rect is None:
        return None
    pixels = painted(pieces, rect)
    return (rect, Pixels.of(pixels)) if pixels[..., 3].any() else None


def _foreign(items: Sequence[StackItem], layers: Sequence[StackLayer]) -> Iterator[str]:
    """Layers and groups with a mode that is not painted: other programs' own, and hidden masks."""
    for item in items:
        if item.blend != "normal" and item.blend not in BLENDS and item.blend not in OPERATORS:
            yield f"{called(item.name)} ({item.blend})"
        if isinstance(item, StackGroup):
            yield from _foreign(item.items, ())
    for layer in layers:
        if layer.blend in OPERATORS:
            yield f"{called(layer.name)} ({layer.blend}, hidden)"
