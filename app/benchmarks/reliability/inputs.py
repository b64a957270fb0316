"""Valid inputs of every kind that Layerloom reads, and who reads each: what REL6 damages."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from app.benchmarks.reliability.walk import pixels, random_command, start
from app.document import Contents, Document, Size
from app.document.storage.incoming import layers_from_bytes, layers_to_bytes, read_layers
from app.document.storage.journal import WorkFolder, WorkInfo, recover
from app.document.storage.layout import format_layout, parse_layout
from app.document.storage.ora.file import load_project, save_project
from app.document.storage.recipe import recipe_of
from app.session.settings import load_settings

CANVAS, GRID = Size(96, 64), 16
_PICTURES = ("png", "webp", "jpeg", "tiff", "gif", "bmp")

Make = Callable[[Random], bytes]
Read = Callable[[Path], object]


def _contents(source: Random) -> Contents:
    document: Document = start(source)
    for _ in range(15):
        random_command(document, source)
    return document.contents


def _project(source: Random) -> bytes:
    return _saved(source, for_sharing=False)


def _foreign(source: Random) -> bytes:
    return _saved(source, for_sharing=True)


def _saved(source: Random, *, for_sharing: bool) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        save_project(_contents(source), Path(folder, "a.ora"), for_sharing=for_sharing)
        return Path(folder, "a.ora").read_bytes()


def _picture(kind: str) -> Make:
    def make(source: Random) -> bytes:
        stream = io.BytesIO()
        image = Image.fromarray(np.array(pixels(source, 24, 16)))
        if kind in ("jpeg", "bmp"):
            image = image.convert("RGB")
        image.save(stream, kind.upper())
        return stream.getvalue()

    return make


def read_picture(path: Path) -> object:
    """As a picture that is imported; the type is told by the content."""
    named = path.with_suffix(".png")
    named.write_bytes(path.read_bytes())
    return read_layers(named, CANVAS, GRID)


def _layout(source: Random) -> bytes:
    return format_layout(_contents(source)).encode()


def _recipe(source: Random) -> bytes:
    return json.dumps(recipe_of(_contents(source))).encode()


def _art_list(source: Random) -> bytes:
    boxes = [(x, y, x + 32, y + 32) for x, y in ((8, 8), (source.randrange(64), 2))]
    return repr([(0, 0, 96, 64), None, *boxes]).encode()


def _read_layout(path: Path) -> object:
    text = path.read_bytes().decode("utf-8", "replace")
    return parse_layout(text, canvas=CANVAS, grid=GRID)


def _settings(source: Random) -> bytes:
    return json.dumps({"theme": "dark", "threads": 2, "last_folder": "/é", "x": [1, {}]}).encode()


def _journal(name: str) -> tuple[Make, Read]:
    """One file of a work folder whose other files are whole."""
    files: dict[str, bytes] = {}

    def make(source: Random) -> bytes:
        files.clear()
        with tempfile.TemporaryDirectory() as root:
            folder = WorkFolder.create(Path(root))
            document = start(source)
            for _ in range(8):
                folder.keep(document.contents, WorkInfo(is_clean=False))
                random_command(document, source)
            folder.close(remove=False)
            for each in folder.path.rglob("*"):
                if each.is_file():
                    files[each.relative_to(folder.path).as_posix()] = each.read_bytes()
        return files[name]

    def read(path: Path) -> object:
        with tempfile.TemporaryDirectory() as root:
            for relative, data in files.items():
                target = Path(root, relative)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes() if relative == name else data)
            return recover(Path(root))

    return make, read


def _clip(source: Random) -> bytes:
    contents = _contents(source)
    return layers_to_bytes(contents, contents.foregrounds)


def _member(name_ends: str) -> tuple[Make, Read]:
    """One member of a valid project, damaged without a checksum that tells."""
    kept: dict[str, bytes] = {}
    target = [""]

    def make(source: Random) -> bytes:
        with zipfile.ZipFile(io.BytesIO(_project(source))) as archive:
            kept.clear()
            kept.update({name: archive.read(name) for name in archive.namelist()})
        target[0] = source.choice(sorted(each for each in kept if each.endswith(name_ends)))
        return kept[target[0]]

    def read(path: Path) -> object:
        whole = path.with_suffix(".ora")
        with zipfile.ZipFile(whole, "w") as archive:
            for name, data in kept.items():
                archive.writestr(name, path.read_bytes() if name == target[0] else data)
        return load_project(whole)

    return make, read


def read_clip(path: Path) -> object:
    """As layers that are pasted."""
    return layers_from_bytes(path.read_bytes())


KINDS: dict[str, tuple[Make, Read]] = {
    "project": (_project, load_project),
    "foreign": (_foreign, load_project),
    "stack.xml": _member("stack.xml"),
    "document.json": _member("document.json"),
    "layer.png": _member(".png"),
    "clipboard": (_clip, read_clip),
    "layout": (_layout, _read_layout),
    "recipe": (_recipe, _read_layout),
    "art-list": (_art_list, _read_layout),
    "settings": (_settings, load_settings),
    "journal": _journal("journal-000001"),
    "checkpoint": _journal("base-000001"),
    **{kind: (_picture(kind), read_picture) for kind in _PICTURES},
}
