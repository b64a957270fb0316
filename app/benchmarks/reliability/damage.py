"""REL6: damaged and hostile input is refused with a message, quickly, and the file is untouched."""

from __future__ import annotations

import io
import json
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from app.benchmarks.reliability.figure import Figure
from app.benchmarks.reliability.soak import resident_mb
from app.benchmarks.reliability.walk import pixels, random_command, start
from app.document import Contents, Document, Size
from app.document.errors import UserError
from app.document.storage.incoming import layers_from_bytes, layers_to_bytes, read_layers
from app.document.storage.journal import WorkFolder, WorkInfo, recover
from app.document.storage.layout_file import format_layout, parse_layout
from app.document.storage.ora import load_project, save_project
from app.settings import load_settings

MAX_SECONDS = 2.0
MAX_MB = 512.0
_CANVAS, _GRID = Size(96, 64), 16
_PICTURES = ("png", "webp", "jpeg", "tiff", "gif", "bmp")
_NUMBERS = ("NaN", "1e999", "-1", "4294967296", "99999999999999999999", "0.5", "null", "[]", '""')

Make = Callable[[Random], bytes]
Read = Callable[[Path], object]


def damage(count: int, seed: int) -> Figure:
    """`count` mutated inputs of each kind."""
    figure = Figure("REL6 damaged input", f"inputs of {len(KINDS)} kinds")
    slowest, worst_kind, accepted = 0.0, "", 0
    before = resident_mb()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, (make, read) in KINDS.items():
            original = make(Random(seed))
            for number in range(seed, seed + count):
                source = Random(f"{kind}:{number}")
                data = mutated(original, source)
                path = folder / f"input-{kind}"
                path.write_bytes(data)
                began = time.perf_counter()
                try:
                    read(path)
                    accepted += 1
                except UserError as error:
                    if not error.what.strip():
                        figure.fail(f"{kind}, seed {number}: a message without words")
                except Exception as error:  # exactly what must not happen
                    figure.fail(f"{kind}, seed {number}: {type(error).__name__}: {error}")
                took = time.perf_counter() - began
                if took > slowest:
                    slowest, worst_kind = took, kind
                if took > MAX_SECONDS:
                    figure.fail(f"{kind}, seed {number}: {took:.1f} s")
                if kind != "settings" and path.read_bytes() != data:
                    figure.fail(f"{kind}, seed {number}: the file was changed")
                figure.runs += 1
    grown = resident_mb() - before
    if grown > MAX_MB:
        figure.fail(f"seed {seed}: resident memory grew by {grown:.0f} MB")
    figure.facts.append(f"{accepted:,} readable all the same")
    figure.facts.append(f"slowest {1000 * slowest:.0f} ms ({worst_kind})")
    return figure


def mutated(data: bytes, source: Random) -> bytes:
    """A few random damages: bits, bytes, cuts, repeats, other lengths, odd numbers in text."""
    array = bytearray(data)
    for _ in range(source.choice((1, 1, 2, 3, 8))):
        if not array:
            return b""
        at = source.randrange(len(array))
        match source.randrange(8):
            case 0 | 1:
                array[at] ^= 1 << source.randrange(8)
            case 2:
                array[at : at + 4] = source.randbytes(4)
            case 3:
                del array[at : at + source.randrange(1, 64)]
            case 4:
                del array[at:]
            case 5:
                array[at:at] = array[at : at + source.randrange(1, 256)]
            case 6:
                array[at : at + 4] = source.choice(
                    (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff")
                )
            case 7:
                array[at : at + 2] = source.choice(_NUMBERS).encode()
    return bytes(array)


# ---- inputs ----


def _contents(source: Random) -> Contents:
    document: Document = start(source)
    for _ in range(15):
        random_command(document, source)
    return document.contents


def _project(source: Random) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        save_project(_contents(source), Path(folder, "a.ora"))
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


def _read_picture(path: Path) -> object:
    return read_layers(path, _CANVAS, _GRID)


def _layout(source: Random) -> bytes:
    return format_layout(_contents(source)).encode()


def _art_list(source: Random) -> bytes:
    return repr([(0, 0, 96, 64), None, (8, 8, 40, 40), None, (50, 2, 90, 60)]).encode()


def _read_layout(path: Path) -> object:
    text = path.read_bytes().decode("utf-8", "replace")
    return parse_layout(text, canvas=_CANVAS, grid=_GRID)


def _settings(source: Random) -> bytes:
    return json.dumps({"theme": "dark", "threads": 2, "last_folder": "/é", "x": [1, {}]}).encode()


def _journal() -> tuple[Make, Read]:
    """The journal of a work folder whose other files are whole."""
    files: dict[str, bytes] = {}
    name = "journal-000001"

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


KINDS: dict[str, tuple[Make, Read]] = {
    "project": (_project, load_project),
    "stack.xml": _member("stack.xml"),
    "document.json": _member("document.json"),
    "layer.png": _member(".png"),
    "clipboard": (_clip, lambda path: layers_from_bytes(path.read_bytes())),
    "layout": (_layout, _read_layout),
    "ART list": (_art_list, _read_layout),
    "settings": (_settings, load_settings),
    "journal": _journal(),
    **{kind: (_picture(kind), _read_picture) for kind in _PICTURES},
}
