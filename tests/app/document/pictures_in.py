"""Everything that an exported file holds: its bytes after decompressing, and its pictures.

Read with Pillow, psd-tools, zipfile, resvg, pypdf and pdfium, not with our own readers.
"""

from __future__ import annotations

import base64
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image
from psd_tools import PSDImage
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, NameObject
from pypdfium2 import PdfDocument
from resvg_py import svg_to_bytes

SVG, INKSCAPE = "{http://www.w3.org/2000/svg}", "{http://www.inkscape.org/namespaces/inkscape}"


def files_in(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file: of the folder, of the archive, of an archive in a folder."""
    if path.is_dir():
        for each in sorted(path.iterdir()):
            yield from files_in(each)
        return
    data = path.read_bytes()
    yield path.name, data
    yield from _inside(data)


def _inside(data: bytes) -> Iterator[tuple[str, bytes]]:
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name, archive.read(name)
                yield from _inside(archive.read(name))
    for match in re.finditer(rb"data:image/png;base64,([A-Za-z0-9+/=]+)", data):
        yield "inline.png", base64.b64decode(match[1])
    for match in re.finditer(rb"data:image/svg[+]xml;base64,([A-Za-z0-9+/=]+)", data):
        yield "inline.svg", base64.b64decode(match[1])


def bytes_of(path: Path) -> bytes:
    """All names and bytes, and what compressed texts in PNG say."""
    found = []
    for name, data in files_in(path):
        found += [name.encode(), data, *_png_texts(data), *_pdf_texts(data)]
    return b"\n".join(found)


def _png_texts(data: bytes) -> Iterator[bytes]:
    at = 8
    while data.startswith(b"\x89PNG") and at < len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        at += length + 12
        if kind not in (b"zTXt", b"iTXt"):
            continue
        for start in range(len(body)):
            if body[start : start + 1] == b"\x78":  # how a zlib stream begins
                try:
                    yield zlib.decompress(body[start:])
                except zlib.error:
                    continue


def _pdf_texts(data: bytes) -> Iterator[bytes]:
    """Names of layers, metadata, and what packed streams say."""
    if not data.startswith(b"%PDF"):
        return
    reader: Any = PdfReader(io.BytesIO(data))
    yield from (str(value).encode() for value in (reader.metadata or {}).values())
    for number in range(1, int(reader.trailer["/Size"])):
        each = reader.get_object(number)
        yield str(each).encode()
        if hasattr(each, "get_data"):
            yield each.get_data()


def mentions(path: Path, text: str) -> bool:
    """Whether the text stands anywhere, in one of the encodings that files use."""
    data = bytes_of(path)
    codes = [text.encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be")]
    return any(code in data for code in codes)


def pictures_in(path: Path) -> list[np.ndarray]:
    """Every picture, page and layer, (h, w, 4) uint8."""
    found = []
    for name, data in files_in(path):
        if name.endswith(".psd"):
            image = PSDImage.open(io.BytesIO(data))
            found += [np.asarray(layer.topil().convert("RGBA")) for layer in image]
            found.append(np.asarray(image.topil().convert("RGBA")))
        elif name.endswith(".svg"):
            found += [drawn(data.decode()), *layers_of_svg(data.decode()).values()]
        elif name.endswith(".pdf"):
            found += [printed(data), *layers_of_pdf(data).values()]
        elif name.endswith((".png", ".webp", ".jpg", ".tif")):
            with Image.open(io.BytesIO(data)) as picture:
                for page in range(getattr(picture, "n_frames", 1)):
                    picture.seek(page)
                    found.append(np.asarray(picture.convert("RGBA")))
    return found


def drawn(svg: str, zoom: float = 1) -> np.ndarray:
    """What resvg draws, (h, w, 4) uint8, straight alpha."""
    with Image.open(io.BytesIO(svg_to_bytes(svg_string=svg, zoom=zoom))) as picture:
        return np.asarray(picture.convert("RGBA"))


def layers_of_svg(svg: str) -> dict[str, np.ndarray]:
    """Each layer alone on the canvas, by its label, shown even if it is hidden."""
    labels = [each.get(f"{INKSCAPE}label") or "" for each in groups_of_svg(svg)]
    found = {}
    for place, label in enumerate(labels):
        root = ElementTree.fromstring(svg)
        for other, group in enumerate(root.findall(f"{SVG}g")):
            group.set("style", "display:inline" if other == place else "display:none")
            group.set("opacity", "1")
        found[label] = drawn(ElementTree.tostring(root, encoding="unicode"))
    return found


def groups_of_svg(svg: str) -> list[ElementTree.Element]:
    """The groups that Inkscape shows as layers, bottom first."""
    groups = ElementTree.fromstring(svg).findall(f"{SVG}g")
    return [each for each in groups if each.get(f"{INKSCAPE}groupmode") == "layer"]


def embedded_pictures(path: Path) -> int:
    """How many pictures an SVG or PDF has among its shapes, masks not counted."""
    data = path.read_bytes()
    if data.startswith(b"%PDF"):
        reader: Any = PdfReader(io.BytesIO(data))
        every = [reader.get_object(number) for number in range(1, int(reader.trailer["/Size"]))]
        kinds = [each.get("/ColorSpace") for each in every if isinstance(each, dict)]
        return kinds.count("/DeviceRGB")
    return data.count(b"<image")


def printed(pdf: bytes, zoom: float = 1) -> np.ndarray:
    """What pdfium shows of the first page, (h, w, 4) uint8; a canvas pixel is 1/96 inch."""
    page = PdfDocument(pdf)[0]
    shown = page.render(scale=zoom * 96 / 72, fill_color=(0, 0, 0, 0))
    return np.asarray(shown.to_pil().convert("RGBA"))


def layers_of_pdf(pdf: bytes) -> dict[str, np.ndarray]:
    """Each optional-content layer alone, by its name, bottom first."""
    reader: Any = PdfReader(io.BytesIO(pdf))
    count = len(reader.trailer["/Root"]["/OCProperties"]["/OCGs"])
    found = {}
    for place in range(count):
        writer = PdfWriter(clone_from=io.BytesIO(pdf))
        properties: Any = writer.root_object["/OCProperties"]
        groups = list(properties["/OCGs"])
        shown, hidden = ArrayObject([groups.pop(place)]), ArrayObject(groups)
        properties["/D"][NameObject("/ON")] = shown
        properties["/D"][NameObject("/OFF")] = hidden
        stream = io.BytesIO()
        writer.write(stream)
        found[shown[0].get_object()["/Name"]] = printed(stream.getvalue())
    return found


def shows(path: Path, colour: tuple[int, int, int]) -> bool:
    """Whether any pixel of any picture has nearly this colour."""
    return any(
        bool((np.abs(each[..., :3].astype(int) - colour).max(-1) <= 6).any())
        for each in pictures_in(path)
    )
