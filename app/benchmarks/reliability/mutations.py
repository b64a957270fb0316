"""Damage to bytes: what disks, networks, other programs and bad people do to a file."""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from random import Random

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
        source.choice(_DAMAGES)(array, source.randrange(len(array)), source)
    return bytes(array)


def _flip(array: bytearray, at: int, source: Random) -> None:
    array[at] ^= 1 << source.randrange(8)


def _scatter(array: bytearray, at: int, source: Random) -> None:
    array[at : at + 4] = source.randbytes(4)


def _drop(array: bytearray, at: int, source: Random) -> None:
    del array[at : at + source.randrange(1, 64)]


def _cut(array: bytearray, at: int, source: Random) -> None:
    del array[at:]


def _repeat(array: bytearray, at: int, source: Random) -> None:
    array[at:at] = array[at : at + source.randrange(1, 256)]


def _swap(array: bytearray, at: int, source: Random) -> None:
    """Two parts change places."""
    length, other = source.randrange(1, 64), source.randrange(len(array))
    low, high = sorted((at, other))
    length = min(length, high - low)
    first, second = array[low : low + length], array[high : high + length]
    array[high : high + length], array[low : low + length] = first, second


def _number(array: bytearray, at: int, source: Random) -> None:
    """Lengths, counts and sizes that cannot be; text that is no UTF-8."""
    array[at : at + 4] = source.choice(_BYTES)


def _text(array: bytearray, at: int, source: Random) -> None:
    array[at : at + 2] = source.choice(_NUMBERS).encode()


def _nest(array: bytearray, at: int, source: Random) -> None:
    """Rarely deep: each such input is large."""
    depth = source.choice((3, 70, 900, 1100, 20_000)) if source.random() < 0.2 else 2
    array[at:at] = source.choice(_NESTS) * depth


_DAMAGES: tuple[Callable[[bytearray, int, Random], None], ...] = (
    _flip,
    _flip,
    _scatter,
    _drop,
    _cut,
    _repeat,
    _swap,
    _number,
    _text,
    _nest,
)


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
    """Something small that wants to become large."""
    if content.startswith(b"\x89PNG"):
        side = source.choice((8192, 8193, 65_535, 2**31 - 1))
        head = b"IHDR" + side.to_bytes(4, "big") * 2 + content[24:29]
        head += zlib.crc32(head).to_bytes(4, "big")
        return content[:12] + head + content[33:]
    if content.startswith(b"<"):
        entity = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        return entity + content[content.find(b"?>") + 2 :].replace(b'name="', b'name="&b;', 1)
    return content + b" " * source.choice((_MEMBER, 64 * 2**20))
