"""The project file: OpenRaster with `layerloom/document.json`, written atomically and checked.

Other programs see the layers; Layerloom finds boxes, seeds, records and candidates again.
Independent of Qt and of the engine. Opening never writes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from app.document.composite import composite
from app.document.contents import DEFAULT_GRID, Contents
from app.document.layer import Layer, clean_name
from app.document.pixels import Pixels, fitted
from app.document.storage.atomic import Disk, Stamp, atomic_write, backup_path, stamp_of
from app.document.storage.errors import StorageError
from app.document.storage.ora.archive import (
    ArchiveReader,
    ArchiveWriter,
    check_archive,
    is_complete_zip,
)
from app.document.storage.ora.foreign import (
    BLOBS,
    DOCUMENT,
    Opened,
    contents_of_stack,
    finder,
    grown,
    own_contents,
    read_own,
    rejoined,
)
from app.document.storage.ora.groups import MERGED, LayerPictures, flattened, layer_pictures
from app.document.storage.ora.project import View, src_of, write_project
from app.document.storage.ora.stack_xml import (
    StackError,
    StackLayer,
    StackLimitError,
    StackTree,
    read_stack,
    write_stack,
)
from app.document.words import shown_name

MIMETYPE = "image/openraster"
SUFFIX = ".ora"
THUMBNAIL = (256, 256)  # pixels, at most


def is_ora(path: Path) -> bool:
    """Whether the name is that of an OpenRaster, or of the backup of one."""
    return path.name.lower().endswith((SUFFIX, SUFFIX + "~"))


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
        expected: the stamp from opening or the last save; None = do not check.

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
    with ArchiveWriter(stream) as archive:
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
        archive.add_picture("Thumbnails/thumbnail.png", fitted(merged, *THUMBNAIL))
        if not for_sharing:
            _add_own_data(contents, archive, view)
        return archive


def _stack_layer(layer: Layer, is_selected: bool) -> StackLayer:
    return StackLayer(
        name=shown_name(layer),
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
    blobs = {image.hash: image for image in contents.pictures()}
    known = set(members.values())
    for pixel_hash in sorted(blobs.keys() - known):
        archive.add_picture(f"{BLOBS}{pixel_hash}.png", blobs[pixel_hash])


def load_project(path: Path, *, grid: int = DEFAULT_GRID) -> Opened:
    """Read a project file, or the layers of another program's OpenRaster.

    Args:
        grid: to which the canvas is rounded up in a file that another program wrote.

    Raises:
        NewerFormatError: written by a newer Layerloom.
        StorageError: damaged, something else than OpenRaster, or above a limit. Layers that
            are whole but no PNG of an allowed size are left out, and a message names them.
    """
    stamp = stamp_of(path)
    with ArchiveReader(path) as archive:
        return replace(read_ora(archive, grid=grid), stamp=stamp)


def read_ora(archive: ArchiveReader, *, grid: int = DEFAULT_GRID) -> Opened:
    """`load_project` of an open archive; without a stamp."""
    tree, stack_bytes, type_notes = stack_of(archive)
    is_ours = archive.has(DOCUMENT)
    found = layer_pictures(archive, tree, is_ours=is_ours)
    if is_ours:
        own = own_contents(archive, found, stack_bytes, grid)
        return replace(own, messages=(*type_notes, *own.messages))
    if not found.tree.items and archive.has(MERGED):
        only = StackLayer(name=Path(archive.name).stem, src=MERGED)
        found = replace(
            found, tree=replace(tree, items=(only,)), pictures={MERGED: archive.picture(MERGED)}
        )
    return as_pictures(found, grid, type_notes, has_data=False)


def as_pictures(
    found: LayerPictures, grid: int, notes: tuple[str, ...] = (), *, has_data: bool
) -> Opened:
    """The layers of a file without what only Layerloom writes; without a stamp.

    Args:
        notes: sentences about the file as a whole, which come first.
        has_data: whether there is such data, which was left out.
    """
    flat = flattened(found)
    contents = contents_of_stack(flat, grid)
    why = "" if has_data else "This file has no Layerloom data. "
    said = f"{why}Its layers opened as pictures, without prompt, seeds and results."
    messages = (*notes, said, *grown(flat.size, contents.canvas), *flat.lost, *flat.notes)
    return Opened(contents, messages, None, False, None, flat.lost)


def stack_of(archive: ArchiveReader) -> tuple[StackTree, bytes, tuple[str, ...]]:
    """The layers of an OpenRaster as other programs see them.

    Returns:
        them, the text that says so, and sentences about a type that is not OpenRaster's.

    Raises:
        StorageError: it is none, is damaged, or passes a limit.
    """
    kind = _type_of(archive)
    if not archive.has("stack.xml"):
        raise _not_openraster(archive, kind)
    data = archive.read("stack.xml")
    try:
        tree = read_stack(data)
    except StackLimitError as error:
        raise StorageError(
            f"'{archive.name}' {error}.",
            "Nothing was opened and the file is untouched.",
            error.advice,
        ) from error
    except StackError as error:
        raise archive.damaged("stack.xml", str(error)) from error
    if kind is None or kind.lower() == MIMETYPE:
        return tree, data, ()
    if not tree.items and not archive.has(MERGED):
        raise _not_openraster(archive, kind)
    says = f"calls itself '{kind}'" if kind else "has a type that cannot be read"
    return tree, data, (f"It {says}, but it has the layers of an OpenRaster file, which opened.",)


def _type_of(archive: ArchiveReader) -> str | None:
    """What the file calls itself; None when it says nothing, "" when that cannot be read."""
    if not archive.has("mimetype"):
        return None
    try:
        return clean_name(archive.read("mimetype")[:200].decode("utf-8", "replace"))
    except StorageError:
        return ""


def _not_openraster(archive: ArchiveReader, kind: str | None) -> StorageError:
    if kind == MIMETYPE or archive.has(DOCUMENT):
        return archive.damaged("stack.xml", "it is not in the file")
    missing = "layers" if archive.has("stack.xml") else "'stack.xml'"
    is_krita = kind == "application/x-krita" or archive.has("maindoc.xml")
    what = "a Krita document" if is_krita else f"of the type '{kind}'" if kind else "a zip archive"
    return StorageError(
        f"'{archive.name}' is {what}, not an OpenRaster file: it has no {missing}.",
        "Nothing was opened and the file is untouched.",
        "Save it as OpenRaster (.ora) in the program that made it.",
    )


@dataclass(frozen=True, slots=True)
class WaysOut:
    """What can be done about a file."""

    backup: Path | None  # the former version with all of its own data, or None
    saved_at: float  # when that was saved, seconds since 1970
    layers: int  # how many layers of the file itself can be read


def ways_out(path: Path) -> WaysOut:
    """What can be done about a file that did not open; reads, never raises for damage."""
    backup = backup_path(path)
    has_backup = _has_own_data(backup)
    saved_at = 0.0
    if has_backup and (stamp := stamp_of(backup)) is not None:
        saved_at = stamp.mtime_ns / 1e9
    try:
        layers = len(readable_layers(path).contents.layers)
    except StorageError:
        layers = 0
    return WaysOut(backup if has_backup else None, saved_at, layers)


def readable_layers(path: Path) -> Opened:
    """The layers that can be read, as pictures for a copy; StorageError where none can."""
    with ArchiveReader(path) as archive:
        tree, _, _ = stack_of(archive)
        found = layer_pictures(archive, tree, past_damage=True)
    opened = as_pictures(found, DEFAULT_GRID, has_data=True)
    # Said first: what a copy does not have.
    first = tuple(each for each in opened.messages if each == found.left_out)
    rest = tuple(each for each in opened.messages if each != found.left_out)
    return replace(opened, messages=(*first, *rest))


def with_recipes_of(path: Path, backup: Path) -> Opened:
    """A file that another program rewrote, with what its backup has of the same layers.

    Pixels, names, order and places are the file's; prompt, boxes, seeds and candidates come from
    the backup. Layers that the other program changed are marked as after any outside edit.

    Raises:
        StorageError: one of the two cannot be read.
    """
    stamp = stamp_of(path)
    with ArchiveReader(path) as archive:
        tree, _, _ = stack_of(archive)
        found = layer_pictures(archive, tree)
    with ArchiveReader(backup, path.name) as former:
        project = read_own(former)
        former_tree, _, _ = stack_of(former)
        known = layer_pictures(former, former_tree, is_ours=True).pictures
        opened = rejoined(project, found, finder(former, known), DEFAULT_GRID)
    return replace(opened, stamp=stamp, view=None)


def _has_own_data(path: Path) -> bool:
    """Whether a file opens fully, prompts and candidates included."""
    try:
        with ArchiveReader(path) as archive:
            if not archive.has(DOCUMENT):
                return False
        load_project(path)
    except StorageError:
        return False
    return True
