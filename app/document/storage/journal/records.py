"""Records of the journal: the difference of two snapshots as JSON, framed with length and checksum.

A patch holds whatever commands did between two snapshots, undo and redo included. Layers are known
by their number, pixels by their hash. A file that was torn anywhere reads up to its last whole
frame.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.document.contents import Contents
from app.document.layer import Layer
from app.document.storage.errors import not_opened
from app.document.storage.ora.project import ProjectError, head_out, json_bytes, layer_out

MAX_FRAME = 64 * 1024**2
MAX_FILE = 256 * 1024**2

_HEAD = struct.Struct("<4sII")  # mark, length and CRC-32 of the JSON text that follows
_MARK = b"LLj1"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frames:
    """What could be read of a file."""

    values: tuple[dict[str, Any], ...]  # the JSON objects, in order
    is_damaged: bool  # something that is no whole frame follows


def frame(value: dict[str, Any]) -> bytes:
    """One value as bytes. Raises ValueError: not JSON, or longer than a reader would take."""
    data = json_bytes(value)
    if len(data) > MAX_FRAME:
        raise ValueError(f"a frame of {len(data):,} bytes; {MAX_FRAME:,} are the limit")
    return _HEAD.pack(_MARK, len(data), zlib.crc32(data)) + data


def read_frames(path: Path) -> Frames:
    """All whole frames from the start of a file; StorageError where it cannot be read at all."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise not_opened(path, error) from error
    return parse_frames(data)


def parse_frames(data: bytes) -> Frames:
    """`read_frames` of bytes; never fails."""
    values: list[Json] = []
    at = 0
    while at < len(data):
        try:
            mark, length, check = _HEAD.unpack_from(data, at)
            start = at + _HEAD.size
            at = start + length
            text = data[start:at]
            is_whole = mark == _MARK and length <= MAX_FRAME and len(text) == length
            value = json.loads(text) if is_whole and zlib.crc32(text) == check else None
        except (struct.error, ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            return Frames(tuple(values), True)
        values.append(value)
    return Frames(tuple(values), False)


def document_out(contents: Contents) -> Json:
    """The whole document as `read_project` understands it; every PNG is a blob."""
    layers = [layer_out(layer, "", with_trim=False) for layer in _all(contents)]
    return {**head_out(contents), "layers": layers, "members": {}}


def difference(before: Contents, after: Contents) -> Json:
    """What to change in `document_out(before)` to get `document_out(after)`; {} for nothing."""
    old_head, new_head = head_out(before), head_out(after)
    changed = {
        key: value for key, value in new_head.items() if (key, value) not in old_head.items()
    }
    dropped = sorted(old_head.keys() - new_head.keys())
    old = {layer.number: layer for layer in _all(before)}
    new = {layer.number: layer for layer in _all(after)}
    layers: Json = {str(number): None for number in old if number not in new}
    edits: Json = {}
    for number, layer in new.items():
        former = old.get(number)
        if former is None:
            layers[str(number)] = layer_out(layer, "", with_trim=False)
        elif former is not layer:
            one, other = (layer_out(each, "", with_trim=False) for each in (former, layer))
            if one.keys() != other.keys():  # of a file of a later version
                layers[str(number)] = other
            elif edit := {key: value for key, value in other.items() if one[key] != value}:
                edits[str(number)] = edit
    order = list(new) if list(old) != list(new) else []
    patch = {"set": changed, "drop": dropped, "layers": layers, "edits": edits, "order": order}
    return {key: value for key, value in patch.items() if value}


def applied(document: Json, patch: Json) -> Json:
    """The document after a patch; neither argument is changed.

    Raises:
        ProjectError: the patch does not fit. What it says of values is checked on reading only.
    """
    changed, dropped = patch.get("set", {}), patch.get("drop", [])
    layers, listed = patch.get("layers", {}), document.get("layers")
    edits = patch.get("edits", {})
    if not (isinstance(changed, dict) and isinstance(dropped, list)):
        raise ProjectError("a record of the journal")
    if not (isinstance(layers, dict) and isinstance(edits, dict)):
        raise ProjectError("layers in a record of the journal")
    if "layers" in changed or "layers" in dropped:
        raise ProjectError("layers in a record of the journal")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise ProjectError("layers")
    result = {key: value for key, value in document.items() if key not in dropped} | changed
    by_number = {str(each.get("number")): each for each in listed}
    for number, layer in layers.items():
        if layer is None:
            by_number.pop(number, None)
        else:
            by_number[number] = layer
    for number, edit in edits.items():
        if number not in by_number or not isinstance(edit, dict) or "number" in edit:
            raise ProjectError("an edit in a record of the journal")
        by_number[number] = {**by_number[number], **edit}
    order = patch.get("order", list(by_number))
    if not isinstance(order, list) or sorted(map(str, order)) != sorted(by_number):
        raise ProjectError("the order of layers in a record of the journal")
    result["layers"] = [by_number[str(number)] for number in order]
    return result


def _all(contents: Contents) -> tuple[Layer, ...]:
    return (contents.background, *contents.foregrounds)
