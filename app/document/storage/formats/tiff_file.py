"""TIFF files of RGBA pages: deflate with horizontal differences, strip by strip.

Written here because Pillow's encoder holds the interpreter from the first row to the last: the
window would stand still for seconds. Source: TIFF 6.0, and Adobe's TIFF notes for deflate.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PER_INCH = 72
_STRIP_BYTES = 1024 * 1024
_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL = 1, 2, 3, 4, 5
_DEFLATE, _RGB, _UNASSOCIATED, _HORIZONTAL = 8, 2, 2, 2
_PAGE_OF_SEVERAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page.

    Attributes:
        pixels: (h, w, 4) uint8, straight alpha.
        name: of the page, any Unicode; "" = none.
        x, y: place on the canvas, pixels, not negative.
        description: ASCII text; "" = none.
        xmp: XML; "" = none.
    """

    pixels: np.ndarray
    name: str = ""
    x: int = 0
    y: int = 0
    description: str = ""
    xmp: str = ""


def tiff_file(pages: Sequence[Page]) -> bytes:
    """The pages in this order, little endian; the same pages give the same bytes."""
    out = bytearray(b"II*\x00\x00\x00\x00\x00")
    link = 4  # where the address of the next directory goes
    for page in pages:
        strips = _strips(page.pixels)
        offsets = []
        for strip in strips:
            offsets.append(len(out))
            out += strip
        link = _add_directory(out, link, _entries(page, strips, offsets, len(pages) > 1))
    return bytes(out)


def _rows_per_strip(width: int) -> int:
    return max(1, _STRIP_BYTES // (4 * width))


def _strips(pixels: np.ndarray) -> list[bytes]:
    height, width = pixels.shape[:2]
    rows = _rows_per_strip(width)
    strips = []
    for top in range(0, height, rows):
        part = np.array(pixels[top : top + rows], order="C", copy=True)
        part[:, 1:] -= pixels[top : top + rows, :-1]  # each pixel as its step from the one before
        strips.append(zlib.compress(part.data, 6))
    return strips


def _entries(
    page: Page, strips: Sequence[bytes], offsets: Sequence[int], is_one_of_several: bool
) -> list[tuple[int, int, int, bytes]]:
    """(tag, type, count, value) of a page, by tag."""
    height, width = page.pixels.shape[:2]
    entries = [
        _numbers(254, _LONG, _PAGE_OF_SEVERAL if is_one_of_several else 0),
        _numbers(256, _LONG, width),
        _numbers(257, _LONG, height),
        _numbers(258, _SHORT, 8, 8, 8, 8),
        _numbers(259, _SHORT, _DEFLATE),
        _numbers(262, _SHORT, _RGB),
        _numbers(273, _LONG, *offsets),
        _numbers(277, _SHORT, 4),
        _numbers(278, _LONG, _rows_per_strip(width)),
        _numbers(279, _LONG, *(len(strip) for strip in strips)),
        _rational(282, PER_INCH, 1),
        _rational(283, PER_INCH, 1),
        _numbers(284, _SHORT, 1),
        # Places are lengths; at 72 to an inch, a 72nd of an inch is a pixel.
        _rational(286, page.x, PER_INCH),
        _rational(287, page.y, PER_INCH),
        _numbers(296, _SHORT, 2),
        _text(305, "Layerloom"),
        _numbers(317, _SHORT, _HORIZONTAL),
        _numbers(338, _SHORT, _UNASSOCIATED),
    ]
    if page.description:
        entries.append(_text(270, page.description))
    if page.name:
        entries.append(_text(285, page.name))  # TIFF says ASCII; readers of today take UTF-8
    if page.xmp:
        data = page.xmp.encode()
        entries.append((700, _BYTE, len(data), data))
    return sorted(entries)


def _numbers(tag: int, kind: int, *values: int) -> tuple[int, int, int, bytes]:
    code = "H" if kind == _SHORT else "I"
    return tag, kind, len(values), struct.pack(f"<{len(values)}{code}", *values)


def _rational(tag: int, above: int, below: int) -> tuple[int, int, int, bytes]:
    return tag, _RATIONAL, 1, struct.pack("<II", above, below)


def _text(tag: int, text: str) -> tuple[int, int, int, bytes]:
    data = text.encode().replace(b"\x00", b"") + b"\x00"
    return tag, _ASCII, len(data), data


def _add_directory(
    out: bytearray, link: int, entries: Sequence[tuple[int, int, int, bytes]]
) -> int:
    """Append a directory and what its entries do not hold; returns where the next link goes."""
    out += b"\x00" * (len(out) % 2)
    at = len(out)
    struct.pack_into("<I", out, link, at)
    behind = at + 2 + 12 * len(entries) + 4
    directory = bytearray(struct.pack("<H", len(entries)))
    values = bytearray()
    for tag, kind, count, value in entries:
        if len(value) <= 4:
            directory += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\x00")
        else:
            directory += struct.pack("<HHII", tag, kind, count, behind + len(values))
            values += value + b"\x00" * (len(value) % 2)
    out += directory + b"\x00\x00\x00\x00" + values
    return at + 2 + 12 * len(entries)
