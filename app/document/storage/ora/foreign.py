"""Files that another program wrote or re-saved: what that program sees wins.

Layers without our data become pictures; with our data, layers are recognised again by name of
their PNG, by their visible pixels, then by name, and get back what still fits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from app.document.contents import Contents, default_name, new_background
from app.document.geometry import Rect, Size
from app.document.layer import Candidate, Layer, new_layer_id
from app.document.pixels import Pixels
from app.document.storage.atomic import Stamp
from app.document.storage.errors import NewerFormatError
from app.document.storage.ora.archive import ArchiveReader
from app.document.storage.ora.groups import Flat, LayerPictures, flattened
from app.document.storage.ora.project import (
    VERSION,
    LayerEntry,
    NewerProjectError,
    Project,
    ProjectError,
    View,
    candidates_of,
    read_project,
    trimmed,
)
from app.document.storage.ora.stack_xml import StackLayer
from app.document.words import shown_name

DOCUMENT = "layerloom/document.json"
BLOBS = "layerloom/blobs/"

Find = Callable[[str], Pixels | None]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that was read."""

    contents: Contents  # what is in it; give it to `Document` or `ReplaceDocument`
    messages: tuple[str, ...]  # sentences for the user; empty when all is as it was saved
    # the file's state when it was read; give it to `save_project` as `expected`
    stamp: Stamp | None
    is_project: bool  # whether prompts, boxes and records were in it
    view: View | None = None  # how it was looked at; None = the file does not say
    # sentences about what the file has and the contents have not: saving the contents over it would
    # lose that. They are among the messages.
    lost: tuple[str, ...] = ()


def consistent(layer: Layer, image: Pixels | None, base: Contents) -> Layer:
    """The layer with these pixels, and with the kind and rect that go with having some or none."""
    if image is None:
        rect = layer.region(1, base.canvas)
        return replace(layer, kind="box", image=None, rect=rect, record=None)
    kind = "imported" if layer.kind == "box" else layer.kind
    return replace(layer, kind=kind, image=image)


def contents_of_stack(flat: Flat, grid: int) -> Contents:
    """Contents for a file without our data: every layer an imported picture, trimmed.

    A lowest layer that is opaque all over the canvas becomes the background; fully transparent
    ones become empty boxes, or nothing when they cover the whole canvas.
    """
    canvas = flat.size.rounded_up(grid)
    background, background_on = new_background(canvas), False
    layers: list[Layer] = []
    for place, item in enumerate(reversed(flat.layers)):
        image = flat.pictures[item.src]
        rect = Rect(item.x, item.y, image.width, image.height)
        is_full = rect == flat.size.rect
        if place == 0 and is_full and bool((image.array[..., 3] == 255).all()):
            background = _looking_like(background, item, rect, image)
            background_on = True
            continue
        layer = _new_layer(item, rect, image, len(layers) + 1)
        if layer.image is not None:
            layers.append(layer)
        elif not is_full:
            region = rect.snapped_outward(grid, canvas)
            layers.append(replace(layer, kind="box", rect=region))
    return Contents(
        canvas=canvas,
        background=background,
        background_on=background_on,
        foregrounds=tuple(layers),
        next_number=len(layers) + 1,
    )


def grown(old: Size, new: Size) -> tuple[str, ...]:
    """A sentence about a canvas that was rounded up to the grid; none where it was not."""
    said = (
        f"The canvas was {old.width} × {old.height}; it is {new.width} × {new.height} now, "
        "because its sides must be whole grid steps."
    )
    return () if old == new else (said,)


def _new_layer(item: StackLayer, rect: Rect, image: Pixels, number: int) -> Layer:
    """An imported layer with trimmed pixels; without pixels when there is nothing to see."""
    layer = Layer(
        id=new_layer_id(),
        number=number,
        name=item.name or default_name(number),
        kind="imported",
        rect=rect,
    )
    found = trimmed(image.array)
    if found is None:
        return _looking_like(layer, item, rect, None)
    cut = Rect(rect.x + found.x, rect.y + found.y, found.image.width, found.image.height)
    return _looking_like(layer, item, cut, found.image)


def _looking_like(layer: Layer, item: StackLayer, rect: Rect, image: Pixels | None) -> Layer:
    """The layer with the looks, the place and the pixels that the stack gives it."""
    return replace(
        layer,
        # The name that we wrote for other programs is not one that a user typed.
        name=layer.name if item.name == shown_name(layer) else item.name or layer.name,
        kind="imported" if image is not None and layer.kind == "box" else layer.kind,
        rect=rect,
        image=image,
        visible=item.visible,
        opacity=item.opacity,
        blend=item.blend,
        locked=layer.locked if item.locked is None else item.locked,
    )


@dataclass(slots=True)
class _Count:
    changed: int = 0
    new: int = 0
    lost: int = 0


def merge_project(
    project: Project, flat: Flat, find: Find, grid: int
) -> tuple[Contents, tuple[str, ...]]:
    """Contents of a project that another program changed, and what to tell about it.

    Args:
        grid: to which the other program's canvas is rounded up if it is another one.
    """
    base = project.base
    if flat.size != base.canvas:
        base = replace(base, canvas=flat.size.rounded_up(grid))
    count = _Count()
    entries = [project.background] if project.background.src else []
    matches = _matches(flat, [*entries, *project.foregrounds])
    background: Layer | None = None
    layers: list[Layer] = []
    number = base.next_number
    for place, item in reversed(list(enumerate(flat.layers))):
        image = flat.pictures[item.src]
        entry = matches.get(place)
        is_lowest = place == len(flat.layers) - 1
        if entry is not None and entry is project.background and not is_lowest:
            entry = None  # no longer the lowest: a picture like any other
        if entry is None:
            rect = Rect(item.x, item.y, image.width, image.height)
            layer = _new_layer(item, rect, image, number)
            if layer.image is None:
                layer = consistent(layer, None, base)
            number += 1
            count.new += 1
        else:
            layer = _recognised(entry, item, image, base, find, count)
        if layer.is_background:
            background = layer
        else:
            layers.append(layer)
    used = {id(entry) for entry in matches.values()}
    detached: list[Candidate] = []
    for entry in project.foregrounds:
        if id(entry) not in used:
            found, missing = candidates_of(entry.candidates, find)
            detached += found
            count.lost += missing
    found, missing = candidates_of(project.detached, find)
    count.lost += missing
    contents = replace(
        base,
        background=background or _kept_off(project, base, find, count),
        background_on=background is not None,
        foregrounds=tuple(layers),
        next_number=number,
        detached=(*detached, *found),
    )
    told = _told(count, is_complete=not flat.lost)
    return contents, (told, *grown(flat.size, contents.canvas))


def _kept_off(project: Project, base: Contents, find: Find, count: _Count) -> Layer:
    """The background as it is when no layer of the stack is it: switched off, nothing lost."""
    entry = project.background
    candidates, missing = candidates_of(entry.candidates, find)
    count.lost += missing
    image = None if entry.pixel_hash is None else find(entry.pixel_hash)
    layer = replace(entry.layer, candidates=candidates)
    fits = image is not None and image.size == (layer.rect.width, layer.rect.height)
    return consistent(layer, image if fits else None, base)


def _matches(flat: Flat, entries: list[LayerEntry]) -> dict[int, LayerEntry]:
    """Which of our layers each place of the stack is: by PNG, by visible pixels, by name."""
    left = list(entries)
    found: dict[int, LayerEntry] = {}

    def visible(item: StackLayer) -> str | None:
        part = trimmed(flat.pictures[item.src].array)
        return None if part is None else part.image.hash

    def has_name(item: StackLayer, entry: LayerEntry) -> bool:
        return item.name in (entry.layer.name, shown_name(entry.layer))

    tests: list[Callable[[StackLayer, LayerEntry], bool]] = [
        lambda item, entry: item.src == entry.src and has_name(item, entry),
        lambda item, entry: entry.trim is not None and visible(item) == entry.trim[2],
        has_name,
        lambda item, entry: item.src == entry.src,
    ]
    for test in tests:
        for place, item in enumerate(flat.layers):
            if place in found:
                continue
            match = next((entry for entry in left if test(item, entry)), None)
            if match is not None:
                found[place] = match
                left.remove(match)
    return found


def _recognised(
    entry: LayerEntry, item: StackLayer, image: Pixels, base: Contents, find: Find, count: _Count
) -> Layer:
    """One of our layers with the changes of the other program."""
    candidates, missing = candidates_of(entry.candidates, find)
    count.lost += missing
    layer = replace(entry.layer, candidates=candidates)
    rect = Rect(item.x, item.y, image.width, image.height)
    part = trimmed(image.array)
    if part is None and entry.pixel_hash is None:
        # A transparent picture of another size is padding, not a resized box.
        moved = rect if rect.size == layer.rect.size else layer.rect
        return consistent(_looking_like(layer, item, moved, None), None, base)
    if part is not None and entry.trim is not None and part.image.hash == entry.trim[2]:
        x, y = rect.x + part.x - entry.trim[0], rect.y + part.y - entry.trim[1]
        moved = Rect(x, y, layer.rect.width, layer.rect.height)
        return _looking_like(layer, item, moved, _padded(part.image, entry.trim, moved))
    if image.hash == entry.pixel_hash:
        return _looking_like(layer, item, rect, image)
    count.changed += 1
    record = None if layer.record is None else {**layer.record, "edited_outside": True}
    if part is None:
        return consistent(_looking_like(layer, item, rect, None), None, base)
    if not layer.is_background:
        rect = Rect(rect.x + part.x, rect.y + part.y, part.image.width, part.image.height)
        image = part.image
    return replace(_looking_like(layer, item, rect, image), record=record)


def _padded(image: Pixels, trim: tuple[int, int, str], rect: Rect) -> Pixels:
    """The trimmed pixels inside their former transparent margin; cut where they stick out."""
    pixels = np.zeros((rect.height, rect.width, 4), np.uint8)
    x, y, _ = trim
    part = image.array[: max(0, rect.height - y), : max(0, rect.width - x)]
    pixels[y : y + part.shape[0], x : x + part.shape[1]] = part
    return Pixels.of(pixels)


def _told(count: _Count, *, is_complete: bool) -> str:
    def layers(number: int) -> str:
        return f"{number} layer{'' if number == 1 else 's'}"

    news = []
    if count.changed:
        news.append(f"recipes of {layers(count.changed)} no longer match")
    if count.new:
        news.append(f"{layers(count.new)} {'is' if count.new == 1 else 'are'} new")
    if count.lost:
        news.append(f"{count.lost} result{'' if count.lost == 1 else 's'} could not be found")
    said = " and ".join(news)
    if is_complete:
        said = f"All layers are here{'; ' if said else ''}{said}"
    sentence = f" {said[:1].upper()}{said[1:]}." if said else ""
    return f"Another program saved this file.{sentence}"


def own_contents(
    archive: ArchiveReader, found: LayerPictures, stack_bytes: bytes, grid: int
) -> Opened:
    """A file of this program, whether or not another one changed it; errors as `read_own`."""
    project = read_own(archive)
    find = finder(archive, found.pictures)
    if not found.left_out and _is_as_saved(project, stack_bytes, found.pictures):
        try:
            contents = _as_saved(project, found.pictures, find, archive)
            return Opened(contents, (), None, True, project.view)
        except ValueError:
            pass  # the parts contradict each other: what other programs see counts
    return rejoined(project, found, find, grid)


def rejoined(project: Project, found: LayerPictures, find: Find, grid: int) -> Opened:
    """Our data joined with the layers of a file that another program wrote; without a stamp."""
    flat = flattened(found)
    contents, said = merge_project(project, flat, find, grid)
    return Opened(contents, (*said, *flat.lost, *flat.notes), None, True, project.view, flat.lost)


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


def finder(archive: ArchiveReader, pictures: Mapping[str, Pixels]) -> Find:
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
    found["stack.xml"] = sha256(stack_bytes)
    if found != project.members:
        return False
    entries = [project.background, *project.foregrounds]
    return all(
        entry.src in found and entry.pixel_hash in (None, found[entry.src])
        for entry in entries
        if entry.src
    )


def _as_saved(
    project: Project, pictures: Mapping[str, Pixels], find: Find, archive: ArchiveReader
) -> Contents:
    """Exactly the contents that were saved; ValueError where the parts contradict each other."""
    contents, missing = with_pixels(
        project,
        lambda entry: pictures[entry.src] if entry.src else find(entry.pixel_hash or ""),
        find,
    )
    if missing:
        raise archive.damaged(missing[0])
    return contents


def with_pixels(
    project: Project, picture: Callable[[LayerEntry], Pixels | None], find: Find
) -> tuple[Contents, list[str]]:
    """The contents of a project as it was written.

    Args:
        picture: the pixels of a layer that has some; None = they are lost.

    Returns:
        the contents, and where something is missing, once for each picture.

    Raises:
        ValueError: a rectangle and its picture do not fit each other.
    """
    detached, count = candidates_of(project.detached, find)
    missing = ["the candidates without a layer"] * count

    def complete(entry: LayerEntry) -> Layer:
        image = None if entry.pixel_hash is None else picture(entry)
        if entry.pixel_hash is not None and image is None:
            missing.append(f"{BLOBS}{entry.pixel_hash}.png")
        candidates, count = candidates_of(entry.candidates, find)
        missing.extend([f"the candidates of '{entry.layer.name}'"] * count)
        layer = replace(entry.layer, image=None, candidates=candidates)
        return consistent(layer, image, project.base)

    contents = replace(
        project.base,
        background=complete(project.background),
        foregrounds=tuple(complete(entry) for entry in project.foregrounds),
        detached=detached,
    )
    return contents, missing
