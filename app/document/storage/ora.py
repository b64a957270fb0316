"""The project file: OpenRaster with `layerloom/document.json`, written atomically and checked.

Other programs see the layers; Layerloom finds boxes, seeds, records and candidates again.
Knows neither Qt nor the engine. Opening never writes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from app.document.composite import composite
from app.document.contents import DEFAULT_GRID, Contents
from app.document.geometry import Size
from app.document.layer import Layer
from app.document.pixels import Pixels
from app.document.storage import outside
from app.document.storage.archive import (
    ArchiveReader,
    ArchiveWriter,
    check_archive,
    is_complete_zip,
    writing,
)
from app.document.storage.atomic import Disk, Stamp, atomic_write, stamp_of
from app.document.storage.layer_names import outside_name
from app.document.storage.own_data import BLOBS, DOCUMENT, own_contents
from app.document.storage.png import fitted
from app.document.storage.project_format import View
from app.document.storage.project_writing import src_of, write_project
from app.document.storage.stack_xml import Stack, StackError, StackLayer, read_stack, write_stack

MIMETYPE = "image/openraster"
SUFFIX = ".ora"
THUMBNAIL = Size(256, 256)


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that was read.

    Attributes:
        contents: what is in it; give it to `Document` or `ReplaceDocument`.
        messages: sentences for the user; empty when all is as it was saved.
        stamp: the file's state when it was read; give it to `save_project` as `expected`.
        is_project: whether prompts, boxes and records were in it.
        view: how it was looked at; None = nobody said.
    """

    contents: Contents
    messages: tuple[str, ...]
    stamp: Stamp | None
    is_project: bool
    view: View | None = None


def save_project(
    contents: Contents,
    path: Path,
    *,
    for_sharing: bool = False,
    view: View | None = None,
    keep_backup: bool = True,
    expected: Stamp | None = None,
    disk: Disk | None = None,
) -> Stamp:
    """Write the project file; may run on any thread, `contents` is a snapshot.

    Args:
        path: where; a readable file that stands there becomes the backup `name~`.
        for_sharing: leave out prompts, seeds, records and candidates.
        view: how it is looked at; None = not said.
        keep_backup: see `atomic_write`.
        expected: the stamp from opening or the last save; None = do not check.
        disk: see `atomic_write`.

    Returns:
        The stamp of the new file.

    Raises:
        ChangedOnDiskError: another program wrote the file meanwhile.
        StorageError: it failed; the old file is byte-identical.
    """
    written: list[ArchiveWriter] = []

    def write(stream: BinaryIO) -> None:
        written.append(write_ora(contents, stream, for_sharing=for_sharing, view=view))

    return atomic_write(
        path,
        write,
        verify=lambda new: check_archive(new, written[-1].expected, written[-1].encoded),
        is_complete=is_complete_zip,
        keep_backup=keep_backup,
        expected=expected,
        disk=disk,
    )


def write_ora(
    contents: Contents, stream: BinaryIO, *, for_sharing: bool = False, view: View | None = None
) -> ArchiveWriter:
    """Write the whole file into a stream; the same contents and view give the same bytes.

    Returns:
        The closed writer: what each member must read back as, see `check_archive`.
    """
    with writing(stream) as archive:
        archive.add("mimetype", MIMETYPE.encode(), stored=True)
        selected = () if view is None else view.selected
        stack = [
            _stack_layer(layer, layer.number in selected) for layer in reversed(contents.layers)
        ]
        archive.add("stack.xml", write_stack(contents.canvas, stack))
        for layer in contents.layers:
            archive.add_picture(src_of(layer), _shown(layer))
        merged = composite(contents.layers, contents.canvas.rect)
        archive.add_picture("mergedimage.png", merged)
        archive.add_picture("Thumbnails/thumbnail.png", fitted(merged, THUMBNAIL))
        if not for_sharing:
            _add_own_data(contents, archive, view)
        return archive


def _stack_layer(layer: Layer, is_selected: bool) -> StackLayer:
    return StackLayer(
        name=outside_name(layer),
        src=src_of(layer),
        x=layer.rect.x,
        y=layer.rect.y,
        opacity=layer.opacity,
        visible=layer.visible,
        blend=layer.blend,
        locked=layer.locked,
        selected=is_selected,
    )


def _shown(layer: Layer) -> np.ndarray | Pixels:
    """The pixels; for an empty box transparent ones, so that its place survives elsewhere."""
    if layer.image is not None:
        return layer.image
    return np.zeros((layer.rect.height, layer.rect.width, 4), np.uint8)


def _add_own_data(contents: Contents, archive: ArchiveWriter, view: View | None) -> None:
    members = {
        name: value
        for name, value in archive.expected.items()
        if name == "stack.xml" or name.startswith("data/")
    }
    archive.add(DOCUMENT, write_project(contents, members, view))
    blobs: dict[str, Pixels] = {}
    everything = (contents.background, *contents.foregrounds)
    for item in [each for layer in everything for each in layer.candidates]:
        blobs[item.pixel_hash] = item.image
    for item in contents.detached:
        blobs[item.pixel_hash] = item.image
    if contents.background.image is not None:  # switched off, it is nowhere else
        blobs[contents.background.image.hash] = contents.background.image
    known = set(members.values())
    for pixel_hash in sorted(blobs.keys() - known):
        archive.add_picture(f"{BLOBS}{pixel_hash}.png", blobs[pixel_hash])


def load_project(path: Path, *, grid: int = DEFAULT_GRID, layers_only: bool = False) -> Opened:
    """Read a project file, or the layers of another program's OpenRaster.

    Args:
        path: an `.ora` file.
        grid: grid step for a file that has none; its canvas is rounded up to it.
        layers_only: leave out what only Layerloom wrote: the way into a file with damaged or
            newer data.

    Raises:
        NewerFormatError: written by a newer Layerloom (MS11).
        StorageError: not readable (MS9); nothing is opened by halves.
    """
    stamp = stamp_of(path)
    with ArchiveReader(path) as archive:
        return replace(read_ora(archive, grid=grid, layers_only=layers_only), stamp=stamp)


def read_ora(
    archive: ArchiveReader, *, grid: int = DEFAULT_GRID, layers_only: bool = False
) -> Opened:
    """`load_project` of an open archive; without a stamp."""
    stack, stack_bytes = stack_of(archive)
    pictures = {src: archive.picture(src) for src in {item.src for item in stack.layers}}
    if archive.has(DOCUMENT) and not layers_only:
        contents, messages, view = own_contents(archive, stack, stack_bytes, pictures)
        return Opened(contents, messages, None, True, view)
    if not stack.layers and archive.has("mergedimage.png"):
        stack = Stack(
            stack.size, (StackLayer(name=Path(archive.name).stem, src="mergedimage.png"),)
        )
        pictures["mergedimage.png"] = archive.picture("mergedimage.png")
    contents = outside.from_stack(stack, pictures, grid)
    messages = outside.messages_for(stack, contents, has_data=archive.has(DOCUMENT))
    return Opened(contents, messages, None, False)


def stack_of(archive: ArchiveReader) -> tuple[Stack, bytes]:
    """The layers of an OpenRaster as other programs see them, and the text that says so.

    Raises:
        StorageError: it is none, or damaged.
    """
    if not archive.has("stack.xml"):
        raise archive.damaged("stack.xml")
    if archive.has("mimetype") and archive.read("mimetype").strip() != MIMETYPE.encode():
        raise archive.damaged("mimetype")
    data = archive.read("stack.xml")
    try:
        return read_stack(data), data
    except StackError as error:
        raise archive.damaged("stack.xml") from error
