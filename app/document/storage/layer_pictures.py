"""The pictures of an OpenRaster's layers: those that can be read, and words on those left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.document.pixels import Pixels
from app.document.storage.archive import ArchiveReader
from app.document.storage.errors import MemberError, StorageError
from app.document.storage.groups import named
from app.document.storage.stack_xml import (
    StackGroup,
    StackItem,
    StackLayer,
    StackTree,
    called,
    layers_in,
)

MERGED = "mergedimage.png"


@dataclass(frozen=True, slots=True)
class LayerPictures:
    """What of a file can be painted.

    Attributes:
        tree: without the layers that have no picture.
        pictures: of all layers in it, by `src`.
        left_out: a sentence on the layers that are not in it; "" = all are.
    """

    tree: StackTree
    pictures: Mapping[str, Pixels]
    left_out: str


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
    told = named(f"{called(layer.name)} ({reasons[layer.src]})" for layer in missing)
    if len(missing) < len(layers):
        kept = tuple(_with_pictures(tree.items, pictures))
        return LayerPictures(replace(tree, items=kept), pictures, f"Not read and left out: {told}.")
    if past_damage:
        raise archive.damaged("all of its layers", told)
    if not archive.has(MERGED):
        raise StorageError(
            f"'{archive.name}' has no layer that can be opened: {told}.",
            "Nothing was opened and the file is untouched.",
            "Save its layers as PNG in the program that made it.",
        )
    pictures[MERGED] = archive.picture(MERGED)
    only = StackLayer(name="Merged picture", src=MERGED)
    return LayerPictures(
        replace(tree, items=(only,)),
        pictures,
        f"Only its merged picture could be opened. Not read and left out: {told}.",
    )


def _with_pictures(
    items: Sequence[StackItem], pictures: Mapping[str, Pixels]
) -> Iterator[StackItem]:
    for item in items:
        if isinstance(item, StackGroup):
            yield replace(item, items=tuple(_with_pictures(item.items, pictures)))
        elif item.src in pictures:
            yield item
