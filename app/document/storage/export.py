"""Exports: the composite as PNG, and the layers as a folder or a zip with a manifest.

What is exported is the document, never what a view adds. Knows no windows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from app.document.composite import composite
from app.document.contents import Contents
from app.document.geometry import Size
from app.document.layer import Layer, window
from app.document.pixels import Pixels
from app.document.storage.atomic import Disk, Member, Stamp, atomic_write, write_folder
from app.document.storage.names import unique_names
from app.document.storage.ora.archive import ArchiveWriter, check_archive
from app.document.storage.png import encode_png, encoded_pictures
from app.document.words import shown_name

COMPOSITE = "composite.png"
MANIFEST = "manifest.json"


def manifest_of(
    contents: Contents,
    extra: Mapping[str, Any] | None = None,
    *,
    canvas_sized: bool = False,
    with_recipe: bool = True,
) -> dict[str, Any]:
    """What `manifest.json` says: the canvas and every layer, bottom first.

    Args:
        extra: more top-level keys, such as seconds and model hash; ours win.
        canvas_sized: the pictures are as large as the canvas.
        with_recipe: False: without prompts, seeds and all of `extra`, which is about the job.
    """
    files = files_of(contents)
    return {
        **((extra or {}) if with_recipe else {}),
        "format": "layerloom-layers",
        "version": 1,
        "canvas": [contents.canvas.width, contents.canvas.height],
        "prompt": contents.prompt if with_recipe else None,
        "composite": COMPOSITE,
        "layers": [
            _layer_entry(
                contents,
                layer if with_recipe else replace(layer, record=None, seed=None),
                z,
                files.get(layer.id),
                canvas_sized,
            )
            for z, layer in enumerate(contents.layers)
        ],
    }


def export_folder(
    contents: Contents,
    folder: Path,
    *,
    extra: Mapping[str, Any] | None = None,
    canvas_sized: bool = False,
    with_recipe: bool = True,
    also: Iterable[Member] = (),
    disk: Disk | None = None,
) -> dict[str, Any]:
    """Write composite, one PNG per layer with pixels, and the manifest into an empty folder.

    Layer pictures are cropped to the layer and show its pixels without opacity and blend mode.

    Args:
        folder: made when it is not there, with its parents.
        extra: see `manifest_of`.
        canvas_sized: every picture is as large as the canvas instead.
        with_recipe: see `manifest_of`.
        also: more files.

    Returns:
        The manifest.

    Raises:
        StorageError: the folder is not empty, or writing failed; then what was written of it is
            removed again.
    """
    manifest = manifest_of(contents, extra, canvas_sized=canvas_sized, with_recipe=with_recipe)
    # The manifest last, so that its presence means all is there.
    members = chain(_members(contents, canvas_sized), also, [(MANIFEST, json_text(manifest))])
    write_folder(folder, members, disk=disk)
    return manifest


def export_zip(
    contents: Contents,
    path: Path,
    *,
    extra: Mapping[str, Any] | None = None,
    canvas_sized: bool = False,
    with_recipe: bool = True,
    disk: Disk | None = None,
) -> Stamp:
    """The same files as `export_folder` in one zip, written atomically.

    Raises:
        StorageError: it failed; a file that stood there is unchanged.
    """
    expected: dict[str, str] = {}
    manifest = manifest_of(contents, extra, canvas_sized=canvas_sized, with_recipe=with_recipe)

    def write(stream: BinaryIO) -> None:
        with ArchiveWriter(stream) as archive:
            archive.add_picture(COMPOSITE, composite(contents.layers, contents.canvas.rect))
            for name, picture in _pictures(contents, canvas_sized):
                archive.add_picture(name, picture)
            archive.add(MANIFEST, json_text(manifest))
        expected.update(archive.expected)

    return atomic_write(path, write, verify=lambda new: check_archive(new, expected), disk=disk)


def _members(contents: Contents, canvas_sized: bool) -> Iterator[Member]:
    """The pictures."""
    yield COMPOSITE, encode_png(composite(contents.layers, contents.canvas.rect))
    for name, picture in _pictures(contents, canvas_sized):
        if isinstance(picture, Pixels):
            yield name, encoded_pictures.png(picture).data
        else:
            yield name, encode_png(picture)


def _pictures(contents: Contents, canvas_sized: bool) -> Iterator[tuple[str, Pixels | np.ndarray]]:
    files = files_of(contents)
    for layer in contents.layers:
        if layer.image is None:
            continue
        picture = on_canvas(layer, contents.canvas) if canvas_sized else layer.image
        yield files[layer.id], picture


def on_canvas(layer: Layer, canvas: Size) -> np.ndarray:
    """The layer's pixels on a transparent canvas, cut to it; (h, w, 4) uint8."""
    padded = np.zeros((canvas.height, canvas.width, 4), np.uint8)
    common = layer.rect.intersect(canvas.rect)
    if layer.pixels is not None and common is not None:
        padded[window(common, canvas.rect)] = layer.pixels[window(common, layer.rect)]
    return padded


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
    contents: Contents, layer: Layer, z: int, file: str | None, canvas_sized: bool
) -> dict[str, Any]:
    record = layer.record or {}
    rect = contents.canvas.rect if canvas_sized and file is not None else layer.rect
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
        "z": z,
        "visible": layer.visible,
        "opacity": layer.opacity,
        "blend": layer.blend,
        "box": list(layer.region(contents.grid, contents.canvas).to_box()),
        "seed": record.get("seed", layer.seed),
        "prompt": record.get("prompt"),
        "word": record.get("word"),
        "left_empty": record.get("left_empty") if layer.image is None else None,
        "sha256": layer.pixel_hash,
    }


def json_text(value: dict[str, Any]) -> bytes:
    """Readable JSON with a line end."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
