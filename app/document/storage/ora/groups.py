"""Layers, groups and masks of an OpenRaster as a flat list of layers that shows the same picture.

The document has neither groups nor masks. A group whose layers look the same without it is taken
apart. Any other becomes one layer, and a layer with a mask operator becomes one layer with all that
it acts on: painted with the blend functions of the compositor and the operators of Porter and Duff.

Sources: OpenRaster 0.0.5, "Compositing the image"; W3C Compositing and Blending Level 1.

Shapes: h w rows and columns of one tile; planes are (4, h, w) premultiplied, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from app.document.blends import BLENDS
from app.document.composite import finish, on_threads, tiles_of
from app.document.contents import MAX_SIDE
from app.document.geometry import Rect, Size, union
from app.document.layer import window
from app.document.pixels import Pixels
from app.document.storage.errors import MemberError, StorageError
from app.document.storage.ora.archive import ArchiveReader
from app.document.storage.ora.stack_xml import (
    StackGroup,
    StackItem,
    StackLayer,
    StackTree,
    called,
    layers_in,
)

_MAX_NAMES = 8

MERGED = "mergedimage.png"
Factor = Callable[[np.ndarray], np.ndarray | float]


@dataclass(frozen=True, slots=True)
class LayerPictures:
    """What of a file can be painted."""

    tree: StackTree  # without the layers that have no picture
    pictures: Mapping[str, Pixels]  # of all layers in it, by `src`
    left_out: str  # a sentence on the layers that are not in it; "" = all are


@dataclass(frozen=True, slots=True)
class Flat:
    """The canvas and the layers of a file without groups, topmost first."""

    size: Size
    layers: tuple[StackLayer, ...]
    pictures: Mapping[str, Pixels]  # of all its layers, by `src`
    # sentences about what the file has and the layers have not; empty = nothing
    lost: tuple[str, ...]
    # sentences about what is kept but looks otherwise than its author saw it
    notes: tuple[str, ...]


def flattened(found: LayerPictures) -> Flat:
    """The tree as a plain list of layers that looks the same."""
    tree, pictures = found.tree, found.pictures
    work = _Work(pictures)
    nodes = work.nodes_of(tree.items)
    everything = dict(pictures)
    layers = []
    for number, node in enumerate(nodes, start=1):
        layer = node.layer
        if node.inside is not None:
            painted = _pixels_of(node.inside, pictures, tree.size)
            if painted is None:
                continue
            rect, image = painted
            src = f"merged:{number}"  # a name that no member can have: none has a colon
            everything[src] = image
            layer = replace(layer, src=src, x=rect.x, y=rect.y)
        layers.append(layer)
    foreign = list(_foreign(tree.items, layers))
    notes = (f"Painted as Normal, because their modes are unknown: {named(foreign)}.",)
    lost = (found.left_out, *work.lost(), tree.left_out, *tree.notes)
    return Flat(
        tree.size,
        tuple(reversed(layers)),
        everything,
        tuple(each for each in lost if each),
        notes if foreign else (),
    )


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
        said = []
        if self._merged:
            one = len(self._merged) == 1
            were = "was merged into one layer" if one else "were merged into one layer each"
            is_named = self._merged[0].startswith("'")
            what = f"{'Group' if one else 'Groups'} " if is_named else ""
            said.append(
                f"{_capital(what + named(self._merged))} {were}, to look as before: this program "
                "has no groups."
            )
        said += self._masked
        if self._apart:
            one = self._apart == 1
            said.append(
                f"{self._apart} {'group was' if one else 'groups were'} taken apart into "
                f"{'its' if one else 'their'} layers, which look the same."
            )
        return tuple(said)

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
        self._merged.append(called(group))
        name = group.name or "Group"
        layer = StackLayer(name, "", opacity=group.opacity, blend=group.blend)
        return [_Node(layer, tuple(shown)), *hidden]

    def _put(self, node: _Node, nodes: list[_Node]) -> None:
        """On top of the others; a mask becomes one with all that it acts on."""
        if not node.layer.visible or node.layer.blend not in OPERATORS:
            nodes.append(node)
            return
        below = [other for other in nodes if other.layer.visible]
        hidden = [other for other in nodes if not other.layer.visible]
        target = (below[0] if below else node).layer
        count = len(below)
        what = "the layer" if count == 1 else f"the {count} layers"
        done = f"was merged with {what} below it into {called(target)}" if count else "was painted"
        self._masked.append(
            f"{_capital(called(node.layer))} ({node.layer.blend}) {done}, to look as before: this "
            "program has no such mode."
        )
        nodes[:] = [_Node(StackLayer(target.name, ""), (*below, node)), *hidden]

    def _are_apart(self, nodes: Sequence[_Node]) -> bool:
        rects = [union(_rects([node], self._pictures)) for node in nodes]
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


def _pixels_of(
    nodes: Sequence[_Node], pictures: Mapping[str, Pixels], canvas: Size
) -> tuple[Rect, Pixels] | None:
    """What nodes make on nothing, and where; None when nothing can be seen."""
    rect = union(_rects(nodes, pictures))
    if rect is not None and max(rect.width, rect.height) > MAX_SIDE:
        rect = rect.intersect(canvas.rect)
    if rect is None:
        return None
    pixels = _painted(nodes, pictures, rect)
    return (rect, Pixels.of(pixels)) if pixels[..., 3].any() else None


def _rect(layer: StackLayer, pictures: Mapping[str, Pixels]) -> Rect:
    image = pictures[layer.src]
    return Rect(layer.x, layer.y, image.width, image.height)


def _rects(nodes: Sequence[_Node], pictures: Mapping[str, Pixels]) -> Iterator[Rect]:
    for node in nodes:
        if node.inside is None:
            yield _rect(node.layer, pictures)
        else:
            yield from _rects(node.inside, pictures)


def _foreign(items: Sequence[StackItem], layers: Sequence[StackLayer]) -> Iterator[str]:
    """Layers and groups with a mode that is not painted: other programs' own, and hidden masks."""
    for item in items:
        if item.blend != "normal" and item.blend not in BLENDS and item.blend not in OPERATORS:
            yield f"{called(item)} ({item.blend})"
        if isinstance(item, StackGroup):
            yield from _foreign(item.items, ())
    for layer in layers:
        if layer.blend in OPERATORS:
            yield f"{called(layer)} ({layer.blend}, hidden)"


def layer_pictures(
    archive: ArchiveReader, tree: StackTree, *, is_ours: bool = False, past_damage: bool = False
) -> LayerPictures:
    """Read the pictures of all layers.

    Args:
        is_ours: the file has our own data: then a picture that is not there was lost.
        past_damage: leave damaged pictures out as well.

    Raises:
        StorageError: one is damaged, or not a single layer can be read.
    """
    pictures: dict[str, Pixels] = {}
    reasons: dict[str, str] = {"": "the file names no picture for it"}
    layers = list(layers_in(tree.items))
    for src in dict.fromkeys(layer.src for layer in layers if layer.src):
        try:
            pictures[src] = archive.picture(src)
        except MemberError as error:
            if is_ours and not past_damage and not archive.has(src):
                raise archive.damaged(src, "it is not in the file") from error
            reasons[src] = error.reason
        except StorageError as error:
            if not past_damage:
                raise
            reasons[src] = error.what.rstrip(".")
    missing = [layer for layer in layers if layer.src not in pictures]
    if not missing:
        return LayerPictures(tree, pictures, "")
    said = named(f"{called(layer)} ({reasons[layer.src]})" for layer in missing)
    if len(missing) < len(layers):
        kept = tuple(_with_pictures(tree.items, pictures))
        return LayerPictures(replace(tree, items=kept), pictures, f"Not read and left out: {said}.")
    if past_damage:
        raise archive.damaged("all of its layers", said)
    if not archive.has(MERGED):
        raise StorageError(
            f"'{archive.name}' has no layer that can be opened: {said}.",
            "Nothing was opened and the file is untouched.",
            "Save its layers as PNG in the program that made it.",
        )
    pictures[MERGED] = archive.picture(MERGED)
    only = StackLayer(name="Merged picture", src=MERGED)
    return LayerPictures(
        replace(tree, items=(only,)),
        pictures,
        f"Only its merged picture could be opened. Not read and left out: {said}.",
    )


def _with_pictures(
    items: Sequence[StackItem], pictures: Mapping[str, Pixels]
) -> Iterator[StackItem]:
    for item in items:
        if isinstance(item, StackGroup):
            yield replace(item, items=tuple(_with_pictures(item.items, pictures)))
        elif item.src in pictures:
            yield item


def _all(alpha: np.ndarray) -> float:
    return 1.0


def _none(alpha: np.ndarray) -> float:
    return 0.0


def _inside(alpha: np.ndarray) -> np.ndarray:
    return alpha.copy()  # the planes that it belongs to are changed in place


def _outside(alpha: np.ndarray) -> np.ndarray:
    return np.float32(1.0) - alpha


# Operator -> how much stays of the source, given the backdrop's alpha, and of the backdrop, given
# the source's. Every other name is painted over, with its blend function if it has one.
OPERATORS: dict[str, tuple[Factor, Factor]] = {
    "svg:clear": (_none, _none),
    "svg:src": (_all, _none),
    "svg:dst": (_none, _all),
    "svg:dst-over": (_outside, _all),
    "svg:src-in": (_inside, _none),
    "svg:dst-in": (_none, _inside),
    "svg:src-out": (_outside, _none),
    "svg:dst-out": (_none, _outside),
    "svg:src-atop": (_inside, _outside),
    "svg:dst-atop": (_outside, _inside),
    "svg:xor": (_outside, _outside),
}
_OVER = (_all, _outside)
# With nothing to paint they still change what is below.
_WITHOUT_SOURCE = frozenset(
    name for name, (_, backdrop) in OPERATORS.items() if backdrop in (_none, _inside)
)


def _painted(nodes: Sequence[_Node], pictures: Mapping[str, Pixels], rect: Rect) -> np.ndarray:
    """Paint nodes on nothing, bottom first.

    Args:
        rect: the part to paint, canvas pixels.

    Returns:
        (height, width, 4) uint8, straight alpha, colour 0 where alpha is 0. A fresh array.
    """
    out = np.zeros((rect.height, rect.width, 4), np.uint8)

    def paint(tile: Rect) -> None:
        ground = _ground(nodes, pictures, tile)
        ground *= np.float32(255.0)
        finish(ground, out[window(tile, rect)])

    inside = [tile for tile in tiles_of(rect) if _touches(nodes, pictures, tile)]
    on_threads([(tile.area, partial(paint, tile)) for tile in inside])
    return out


def _touches(nodes: Sequence[_Node], pictures: Mapping[str, Pixels], tile: Rect) -> bool:
    return any(rect.intersect(tile) is not None for rect in _rects(nodes, pictures))


def _ground(nodes: Sequence[_Node], pictures: Mapping[str, Pixels], tile: Rect) -> np.ndarray:
    ground = np.zeros((4, tile.height, tile.width), np.float32)
    for node in nodes:
        opacity, blend = node.layer.opacity, node.layer.blend
        if blend in _WITHOUT_SOURCE or _touches((node,), pictures, tile):
            source = _source(node, pictures, tile)
            if opacity < 1:
                source *= np.float32(opacity)
            _meet(ground, source, blend)
    return ground


def _source(node: _Node, pictures: Mapping[str, Pixels], tile: Rect) -> np.ndarray:
    """What a node has in a tile, before its opacity; a fresh array."""
    if node.inside is not None:
        return _ground(node.inside, pictures, tile)
    planes = np.zeros((4, tile.height, tile.width), np.float32)
    rect = _rect(node.layer, pictures)
    part = rect.intersect(tile)
    if part is not None:
        pixels = pictures[node.layer.src].array[window(part, rect)]
        values = pixels.transpose(2, 0, 1).astype(np.float32) / np.float32(255.0)
        values[:3] *= values[3]
        planes[(slice(None), *window(part, tile))] = values
    return planes


def _meet(ground: np.ndarray, source: np.ndarray, blend: str) -> None:
    """Paint the source onto the ground, in place; both are changed."""
    below, above = ground[3], source[3]
    mix = BLENDS.get(blend)
    if mix is not None and below.any():
        backdrop, colour = _straight(ground), _straight(source)
        # as x Cs = (1 - ab) x as x Cs + as x ab x B(Cb, Cs)
        source[:3] += above * below * (mix(backdrop, colour) - colour)
    of_source, of_ground = OPERATORS.get(blend, _OVER)
    kept = of_ground(above)  # before the source changes
    if of_source is not _all:
        source *= of_source(below)
    ground *= kept
    ground += source


def _straight(planes: np.ndarray) -> np.ndarray:
    alpha = planes[3]
    colour = np.divide(planes[:3], alpha, out=np.zeros_like(planes[:3]), where=alpha > 0)
    return np.minimum(colour, np.float32(1.0))
