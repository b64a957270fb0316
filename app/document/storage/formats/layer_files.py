"""Each layer as a file: a folder or a zip of PNG pictures with the composite and a manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from app.document.composite import composite
from app.document.contents import Contents
from app.document.layer import Layer
from app.document.pixels import Pixels
from app.document.storage.atomic import Disk, Member, Stamp, atomic_write, write_folder
from app.document.storage.formats.options import ExportOptions
from app.document.storage.names import unique_names
from app.document.storage.ora.archive import ArchiveWriter, check_archive
from app.document.storage.png import encode_png, encoded_pictures
from app.document.words import shown_name

COMPOSITE = "composite.png"
MANIFEST = "manifest.json"
_USUAL = ExportOptions()


def export_folder(
    contents: Contents,
    folder: Path,
    options: ExportOptions = _USUAL,
    disk: Disk | None = None,
    *,
    also: Iterable[Member] = (),
) -> dict[str, Any]:
    """Write composite, one PNG per layer with pixels, and the manifest into an empty folder.

    Layer pictures are cropped to the layer and show its pixels without opacity and blend mode.

    Args:
        folder: made when it is not there, with its parents.
        also: more files.

    Raises:
        StorageError: the folder is not empty, or writing failed; then what was written of it is
            removed again.
    """
    manifest = manifest_of(contents, options)
    pictures = ((name, _png(picture)) for name, picture in _pictures(contents, options))
    # The manifest last, so that its presence means all is there.
    members = chain(pictures, also, [(MANIFEST, json_text(manifest))])
    write_folder(folder, members, disk=disk)
    return manifest


def export_zip(
    contents: Contents, path: Path, options: ExportOptions = _USUAL, disk: Disk | None = None
) -> Stamp:
    """The same files as `export_folder` in one zip, written atomically."""
    expected: dict[str, str] = {}

    def write(stream: BinaryIO) -> None:
        with ArchiveWriter(stream) as archive:
            for name, picture in _pictures(contents, options):
                archive.add_picture(name, picture)
            archive.add(MANIFEST, json_text(manifest_of(contents, options)))
        expected.update(archive.expected)

    return atomic_write(path, write, verify=lambda new: check_archive(new, expected), disk=disk)


def _pictures(
    contents: Contents, options: ExportOptions
) -> Iterator[tuple[str, Pixels | np.ndarray]]:
    """The composite and each layer, by file name."""
    canvas = contents.canvas.rect
    yield COMPOSITE, composite(contents.layers, canvas)
    files = files_of(contents)
    for layer in contents.layers:
        picture = layer.pixels_in(canvas) if options.canvas_sized else layer.image
        if picture is not None:
            yield files[layer.id], picture


def _png(picture: Pixels | np.ndarray) -> bytes:
    if isinstance(picture, Pixels):
        return encoded_pictures.png(picture).data
    return encode_png(picture)


def manifest_of(contents: Contents, options: ExportOptions) -> dict[str, Any]:
    """What `manifest.json` says: the canvas and every layer, bottom first.

    The facts of the options are about the job, so they are left out with the recipe.
    """
    files = files_of(contents)
    return {
        **(options.facts if options.with_recipe else {}),
        "format": "layerloom-layers",
        "version": 1,
        "canvas": [contents.canvas.width, contents.canvas.height],
        "prompt": contents.prompt if options.with_recipe else None,
        "composite": COMPOSITE,
        "layers": [
            {**_layer_entry(contents, layer, files.get(layer.id), options), "z": z}
            for z, layer in enumerate(contents.layers)
        ],
    }


def files_of(contents: Contents) -> dict[int, str]:
    """File name of each layer with pixels, by id: `00-Background.png`, `01-Castle.png`..."""
    first = 0 if contents.background_on else 1
    named = [
        (layer.id, f"{place:02d}-{shown_name(layer)}")
        for place, layer in enumerate(contents.layers, start=first)
        if layer.has_pixels
    ]
    names = unique_names(name for _, name in named)
    return {layer_id: f"{name}.png" for (layer_id, _), name in zip(named, names, strict=True)}


def _layer_entry(
    contents: Contents, layer: Layer, file: str | None, options: ExportOptions
) -> dict[str, Any]:
    if not options.with_recipe:
        layer = replace(layer, record=None, seed=None)
    record = layer.record or {}
    rect = contents.canvas.rect if options.canvas_sized and file is not None else layer.rect
    return {
        "file": file,
        "number": layer.number,
        "name": shown_name(layer),
        "kind": layer.kind,
        "is_background": layer.is_background,
        "x": rect.x,
        "y": rect.y,
        "w": rect.width,
        "h": rect.height,
        "visible": layer.visible,
        "opacity": layer.opacity,
        "blend": layer.blend,
        "box": list(layer.region(1, contents.canvas).to_box()),
        "seed": record.get("seed", layer.seed),
        "prompt": record.get("prompt"),
        "word": record.get("word"),
        "left_empty": record.get("left_empty") if layer.image is None else None,
        "sha256": layer.pixel_hash,
    }


def json_text(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
