"""What only Layerloom writes into an OpenRaster: found again, and joined with its layers.

The file may be as it was saved, or another program may have re-saved it; then what that program
sees wins. Knows no path and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.document.contents import Contents
from app.document.layer import Layer
from app.document.pixels import Pixels
from app.document.storage import outside
from app.document.storage.archive import ArchiveReader
from app.document.storage.checked import ProjectError
from app.document.storage.errors import NewerFormatError
from app.document.storage.groups import flattened
from app.document.storage.layer_pictures import LayerPictures
from app.document.storage.project_format import VERSION, LayerEntry, Project, View, candidates_of
from app.document.storage.project_reading import NewerProjectError, read_project

DOCUMENT = "layerloom/document.json"
BLOBS = "layerloom/blobs/"


@dataclass(frozen=True, slots=True)
class OwnContents:
    """A file of ours: contents, what to tell, how it was looked at, and what is not in them."""

    contents: Contents
    messages: tuple[str, ...]
    view: View | None
    lost: tuple[str, ...] = ()


def own_contents(archive: ArchiveReader, found: LayerPictures, stack_bytes: bytes) -> OwnContents:
    """Contents of a file of this program, whether or not another program changed it meanwhile.

    Raises:
        NewerFormatError, StorageError: as `read_own`, or pixels of a candidate are damaged.
    """
    project = read_own(archive)
    find = finder(archive, found.pictures)
    if not found.left_out and _is_as_saved(project, stack_bytes, found.pictures):
        try:
            contents = _as_saved(project, found.pictures, find, archive)
            return OwnContents(contents, (), project.view)
        except ValueError:
            pass  # the parts contradict each other: what other programs see counts
    flat = flattened(found.tree, found.pictures)
    lost = outside.lost_of(found, flat)
    contents, told = outside.merged(project, flat.stack, flat.pictures, find, is_complete=not lost)
    return OwnContents(contents, (*told, *lost, *flat.notes), project.view, lost)


def read_own(archive: ArchiveReader) -> Project:
    """Our own data, checked.

    Raises:
        NewerFormatError: it needs a newer reader.
        StorageError: it is damaged or not there.
    """
    try:
        return read_project(archive.read(DOCUMENT))
    except NewerProjectError as error:
        raise NewerFormatError(
            f"'{archive.name}' was written by a newer Layerloom (format {error.version}, "
            f"this one reads up to {VERSION}).",
            "It is untouched.",
            "Update, or open the layers without recipes as a copy.",
        ) from error
    except ProjectError as error:
        raise archive.damaged(DOCUMENT) from error


def finder(archive: ArchiveReader, pictures: Mapping[str, Pixels]) -> outside.Find:
    """Look up pixels by hash: in a blob, else among the layers' pictures."""
    by_hash = {image.hash: image for image in pictures.values()}

    def find(pixel_hash: str) -> Pixels | None:
        if pixel_hash not in by_hash:
            name = f"{BLOBS}{pixel_hash}.png"
            if not archive.has(name):
                return None
            image = archive.picture(name)
            if image.hash != pixel_hash:
                raise archive.damaged(name)
            by_hash[pixel_hash] = image
        return by_hash[pixel_hash]

    return find


def _is_as_saved(project: Project, stack_bytes: bytes, pictures: Mapping[str, Pixels]) -> bool:
    """Whether stack and pictures still have the hashes that were written with them."""
    found = {src: image.hash for src, image in pictures.items()}
    found["stack.xml"] = outside.sha256(stack_bytes)
    if found != project.members:
        return False
    entries = [project.background, *project.foregrounds]
    return all(
        entry.src in found and entry.pixel_hash in (None, found[entry.src])
        for entry in entries
        if entry.src
    )


def _as_saved(
    project: Project,
    pictures: Mapping[str, Pixels],
    find: outside.Find,
    archive: ArchiveReader,
) -> Contents:
    """Exactly the contents that were saved.

    Raises:
        ValueError: rectangles and pictures do not fit each other.
        StorageError: pixels of a candidate are missing.
    """

    def complete(entry: LayerEntry) -> Layer:
        image = None
        if entry.pixel_hash is not None:
            image = pictures[entry.src] if entry.src else find(entry.pixel_hash)
            if image is None:
                raise archive.damaged(f"{BLOBS}{entry.pixel_hash}.png")
        candidates, missing = candidates_of(entry.candidates, find)
        if missing:
            raise archive.damaged(f"the candidates of '{entry.layer.name}'")
        return outside.consistent(
            replace(entry.layer, image=None, candidates=candidates), image, project.base
        )

    detached, missing = candidates_of(project.detached, find)
    if missing:
        raise archive.damaged("the candidates without a layer")
    return replace(
        project.base,
        background=complete(project.background),
        foregrounds=tuple(complete(entry) for entry in project.foregrounds),
        detached=detached,
    )
