"""Patches: what is different between two moments of a document, as plain JSON values.

The journal is a row of them. Layers are known by their number, pixels by their hash. A patch comes
from two snapshots, so it holds whatever commands did in between, undo and redo included.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.document.contents import Contents
from app.document.layer import Layer
from app.document.pixels import Pixels
from app.document.storage.checked import ProjectError
from app.document.storage.project_writing import head_out, layer_out

Json = dict[str, Any]


def document_out(contents: Contents) -> Json:
    """The whole document as `read_project` understands it; every PNG is a blob."""
    layers = [layer_out(layer, "", with_trim=False) for layer in _all(contents)]
    return {**head_out(contents), "layers": layers, "members": {}}


def difference(before: Contents, after: Contents) -> Json:
    """What to change in `document_out(before)` to get `document_out(after)`; {} for nothing."""
    patch: Json = {}
    old_head, new_head = head_out(before), head_out(after)
    changed = {key: value for key, value in new_head.items() if old_head.get(key) != value}
    changed |= {key: value for key, value in new_head.items() if key not in old_head}
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
    if changed:
        patch["set"] = changed
    if dropped:
        patch["drop"] = dropped
    if layers:
        patch["layers"] = layers
    if edits:
        patch["edits"] = edits
    if list(old) != list(new):
        patch["order"] = list(new)
    return patch


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


def pictures_of(contents: Contents) -> Iterator[Pixels]:
    """Every picture that the document holds; some may come more than once."""
    for layer in _all(contents):
        if layer.image is not None:
            yield layer.image
        for candidate in layer.candidates:
            yield candidate.image
    for candidate in contents.detached:
        yield candidate.image


def _all(contents: Contents) -> tuple[Layer, ...]:
    return (contents.background, *contents.foregrounds)
