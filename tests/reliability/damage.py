"""REL6: damaged and hostile input is refused with a message, quickly, and the file is untouched.

`KINDS` has a valid input of every kind that Layerloom reads, and who reads it; `mutated` damages
bytes as disks, networks, other programs and bad people do.
"""

from __future__ import annotations

import io
import json
import tempfile
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from app.document import Contents, Document, Size
from app.document.errors import UserError
from app.document.storage.incoming import layers_from_bytes, layers_to_bytes, read_layers
from app.document.storage.journal import WorkFolder, WorkInfo, recover
from app.document.storage.layout import format_layout, parse_layout
from app.document.storage.ora.file import load_project, save_project
from app.document.storage.recipe import recipe_of
from app.session.settings import load_settings
from tests.reliability.figure import Figure
from tests.reliability.process import peak_mb, start_peak
from tests.reliability.random_edits import pixels, random_command, start

CANVAS, GRID = Size(96, 64), 16
_PICTURES = ("png", "webp", "jpeg", "tiff", "gif", "bmp")

Make = Callable[[Random], bytes]
Read = Callable[[Path], object]


def _contents(source: Random) -> Contents:
    document: Document = start(source)
    for _ in range(15):
        random_command(document, source)
    return document.contents


def _project(source: Random, *, for_sharing: bool = False) -> bytes:
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
    """As a picture that is imported; the content shows the type."""
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


KINDS: dict[str, tuple[Make, Read]] = {
    "project": (_project, load_project),
    "foreign": (partial(_project, for_sharing=True), load_project),
    "stack.xml": _member("stack.xml"),
    "document.json": _member("document.json"),
    "layer.png": _member(".png"),
    "clipboard": (_clip, lambda path: layers_from_bytes(path.read_bytes())),
    "layout": (_layout, _read_layout),
    "recipe": (_recipe, _read_layout),
    "art-list": (_art_list, _read_layout),
    "settings": (_settings, load_settings),
    "journal": _journal("journal-000001"),
    "checkpoint": _journal("base-000001"),
    **{kind: (_picture(kind), read_picture) for kind in _PICTURES},
}

# ---- damages ----

_NUMBERS = ("NaN", "1e999", "-1", "4294967296", "99999999999999999999", "0.5", "null", "[]", '""')
_BYTES = (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"\xc3\x28\xed\xa0")
_NESTS = (b"[", b"(", b'{"a":', b"<stack>", b"-", b"<a b='")
_MEMBER = 1 << 16


def mutated(data: bytes, source: Random) -> bytes:
    """A few random damages; of an archive also whole members that change places or grow."""
    if data.startswith(b"PK") and source.random() < 0.3:
        return _with_odd_members(data, source)
    array = bytearray(data)
    for _ in range(source.choice((1, 1, 2, 3, 8))):
        if not array:
            return b""
        _damage(array, source)
    return bytes(array)


def _damage(array: bytearray, source: Random) -> None:
    kind, at = source.randrange(10), source.randrange(len(array))
    match kind:
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
        case 6:  # two parts change places
            length, other = source.randrange(1, 64), source.randrange(len(array))
            low, high = sorted((at, other))
            length = min(length, high - low)
            first, second = array[low : low + length], array[high : high + length]
            array[high : high + length], array[low : low + length] = first, second
        case 7:  # lengths, counts and sizes that cannot be; text that is no UTF-8
            array[at : at + 4] = source.choice(_BYTES)
        case 8:
            array[at : at + 2] = source.choice(_NUMBERS).encode()
        case 9:  # rarely deep: each such input is large
            depth = source.choice((3, 70, 900, 1100, 20_000)) if source.random() < 0.2 else 2
            array[at:at] = source.choice(_NESTS) * depth


def _with_odd_members(data: bytes, source: Random) -> bytes:
    """A sound archive whose members are not: swapped, doubled, gone, renamed, or a bomb."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    first, second = source.randrange(len(members)), source.randrange(len(members))
    name, content = members[first]
    crowd = b""
    match source.randrange(6):
        case 0:
            other, theirs = members[second]
            members[first], members[second] = (name, theirs), (other, content)
        case 1:
            members.append((name, content))
        case 2:
            del members[first]
        case 3:
            odd = ("../" + name, "/" + name, name + "\x00", name.upper(), "data/層.png", "a" * 4000)
            members[first] = (source.choice(odd), content)
        case 4:
            members[first] = (name, _bomb(content, source))
        case 5:
            crowd = _crowd(source.choice((3, 10_001)))
    stream = io.BytesIO(crowd)
    with (
        warnings.catch_warnings(),
        zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        warnings.simplefilter("ignore")  # of two members with one name, which is the damage
        for each, content in members:
            archive.writestr(each, content)
    return stream.getvalue()


@cache
def _crowd(count: int) -> bytes:
    """An archive of so many members with nothing in them; made once, since it takes a while."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(count):
            archive.writestr(f"extra/{number}", b"")
    return stream.getvalue()


def _bomb(content: bytes, source: Random) -> bytes:
    if content.startswith(b"\x89PNG"):
        side = source.choice((8192, 8193, 65_535, 2**31 - 1))
        head = b"IHDR" + side.to_bytes(4, "big") * 2 + content[24:29]
        head += zlib.crc32(head).to_bytes(4, "big")
        return content[:12] + head + content[33:]
    if content.startswith(b"<"):
        entity = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        return entity + content[content.find(b"?>") + 2 :].replace(b'name="', b'name="&b;', 1)
    return content + b" " * source.choice((_MEMBER, 64 * 2**20))


# ---- the promise ----

MAX_SECONDS = 2.0
MAX_MB = 512.0
_SHARED = 100  # so many inputs are damages of the same original


def damage(kind: str, count: int, seed: int) -> Figure:
    """`count` mutated inputs of one kind.

    The time is that of the thread: on a machine with other work a second on the clock says nothing.
    """
    figure = Figure(f"REL6 {kind}", "inputs")
    make, read = KINDS[kind]
    original: bytes | None = None
    start_peak()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "input")
        for number in range(seed, seed + count):
            if original is None or number % _SHARED == 0:
                original = make(Random(f"{kind}:{number // _SHARED}"))
            data = mutated(original, Random(f"{kind}:{number}"))
            _read_one(figure, f"{kind}, seed {number}", path, data, read)
            if kind != "settings" and path.read_bytes() != data:
                figure.fail(f"{kind}, seed {number}: the file was changed")
            figure.runs += 1
    grown = peak_mb()
    figure.peak("at most {:.0f} MB more", grown)
    if grown > MAX_MB:
        figure.fail(f"{kind}, seeds from {seed}: {grown:.0f} MB were needed")
    return figure


def _read_one(figure: Figure, where: str, path: Path, data: bytes, read) -> None:  # type: ignore[no-untyped-def]
    path.write_bytes(data)
    began = time.thread_time()
    try:
        read(path)
        figure.count("readable all the same")
    except UserError as error:
        if not error.what.strip():
            figure.fail(f"{where}: a message without words")
    except Exception as error:  # exactly what must not happen
        figure.fail(f"{where}: {type(error).__name__}: {error}")
    took = time.thread_time() - began
    figure.peak("slowest {:.2f} s", took)
    if took > MAX_SECONDS:
        figure.fail(f"{where}: {took:.1f} s")
