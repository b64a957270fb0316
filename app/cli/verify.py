"""`layerloom verify`: is a project file whole, and do its records still make its pixels?

Two questions of different price: structure and hashes need no model; with `--regenerate` each job
in the file is run again from its record and the pixels are compared by hash.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.cli.jobs import EngineFactory, EngineSession, refuse_engine_options, session
from app.cli.source import Source, open_project, open_source
from app.document import Contents
from app.document.composite import composite
from app.document.contents import DEFAULT_CANVAS, DEFAULT_GRID
from app.document.geometry import Rect
from app.document.pixels import Pixels, hash_of
from app.document.staleness import SOURCE
from app.document.storage.errors import StorageError
from app.document.storage.layout import parse_layout
from app.document.storage.ora.archive import ArchiveReader
from app.document.storage.ora.groups import MERGED
from app.session.records import job_of, request_from_record
from engine import Finished, ModelInfo

# Other programs round after each layer, so their picture may be off by this, of 255.
_OTHERS_ROUND = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """One layer's record, and the hash that running it again must give."""

    name: str
    record: Mapping[str, Any]
    pixel_hash: str | None


def verify(args: argparse.Namespace, factory: EngineFactory | None) -> int:
    """Check a file; say what is right on stdout.

    Returns:
        0 when everything asked for is right, else 1.
    """
    if not args.regenerate:
        refuse_engine_options(args, "--regenerate")
    source = open_source(args.file)
    if source.is_project:
        problems, claims, pictures = _project(source)
    else:
        problems, claims, pictures = _recipe(source)
    if args.regenerate and not problems:
        with session(args, factory) as engine:
            problems += list(_differences(claims, pictures, engine))
    for problem in problems:
        print(f"'{source.name}': {problem}", file=sys.stderr)
    return 1 if problems else 0


def _project(source: Source) -> tuple[list[str], list[Claim], dict[str, np.ndarray]]:
    """What is wrong with a project file, and what its records claim."""
    opened = open_project(source)
    contents = opened.contents
    problems = list(opened.messages)
    if not opened.is_project:
        problems.append("It has no records, so nothing can be compared.")
    problems += list(_broken_records(contents))
    with source.archive() as archive:
        problem = merged_picture_problem(archive, contents, is_ours=opened.is_project)
    problems += [problem] if problem else []
    if not problems:
        layers = [layer for layer in contents.layers if layer.has_pixels]
        print(f"'{source.name}': {len(layers)} layers with pixels, all hashes are right.")
    claims = [
        Claim(layer.name, layer.record, layer.record.get(SOURCE, layer.pixel_hash))
        for layer in contents.layers
        if layer.record is not None and layer.kind == "generated"
    ]
    return problems, claims, _known_pictures(contents)


def _recipe(source: Source) -> tuple[list[str], list[Claim], dict[str, np.ndarray]]:
    """What a recipe, or a picture that carries one, claims."""
    text = source.text()
    parse_layout(text, canvas=DEFAULT_CANVAS, grid=DEFAULT_GRID)  # refuses what is no recipe
    try:
        recipe = json.loads(text)
    except ValueError:
        recipe = None  # a plain list of boxes
    listed = recipe.get("layers", []) if isinstance(recipe, dict) else []
    claims = [
        Claim(str(each.get("name")), record, record.get(SOURCE, each.get("pixels")))
        for each in listed
        if isinstance(each, dict)
        and isinstance(record := each.get("record"), dict)
        and each.get("kind") == "generated"
    ]
    if not claims:
        return ["It has no records, so nothing can be compared."], [], {}
    print(f"'{source.name}': a recipe with {len(claims)} records.")
    return [], claims, {}


def _broken_records(contents: Contents) -> Iterator[str]:
    for layer in contents.layers:
        if layer.record is None or layer.kind != "generated":
            continue
        # A resized layer shows its result resampled; the result itself is among its candidates.
        made = layer.record.get(SOURCE, layer.pixel_hash)
        if layer.record.get("result") != made:
            yield f"The pixels of '{layer.name}' are not those of its record."


def _differences(
    claims: Sequence[Claim], pictures: Mapping[str, np.ndarray], engine: EngineSession
) -> Iterator[str]:
    """Run each job again and compare; a line for each layer that came out otherwise."""
    jobs: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
    for claim in claims:
        try:
            jobs[job_of(claim.record)].append(claim)
        except (KeyError, TypeError, AttributeError):
            yield f"The record of '{claim.name}' is incomplete, so it cannot be run again."
    for number, same_job in enumerate(jobs.values(), start=1):
        record = same_job[0].record
        names = ", ".join(f"'{claim.name}'" for claim in same_job)
        try:
            request = request_from_record(record, number, pictures.get)
        except LookupError as error:
            yield f"{names} cannot be made again: what layer {error} was then is not in the file."
            continue
        except (TypeError, ValueError, AttributeError):
            yield f"The record of {names} is not valid, so it cannot be run again."
            continue
        finished = engine.run(request, names)
        yield from _compare(same_job, record, finished, engine.info)


def _compare(
    claims: Sequence[Claim], record: Mapping[str, Any], finished: Finished, info: ModelInfo
) -> Iterator[str]:
    made = {result.layer_id: Pixels.of(result.rgba).hash for result in finished.results}
    for claim in claims:
        # Layer ids of a request that comes from a record are the numbers in it.
        if made.get(claim.record.get("number", -1)) == claim.pixel_hash:
            print(f"'{claim.name}' was reproduced exactly.")
        else:
            yield f"'{claim.name}' was not reproduced. {_why(record, finished, info)}"


def _why(record: Mapping[str, Any], finished: Finished, info: ModelInfo) -> str:
    """What is not as it was when the record was written."""
    model, versions = record.get("model"), record.get("versions")
    now = {
        "model": (_of(model, "hash"), info.file_hash),
        "torch": (_of(versions, "torch"), finished.torch_version),
        "device": (record.get("device"), finished.device),
        "precision": (record.get("precision"), finished.precision),
        "threads": (record.get("threads"), finished.threads),
    }
    changed = [
        f"{name} was {str(then)[:12]}, is {str(today)[:12]}"
        for name, (then, today) in now.items()
        if then != today
    ]
    return f"Different now: {'; '.join(changed)}." if changed else "Nothing else is different."


def _of(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _known_pictures(contents: Contents) -> dict[str, np.ndarray]:
    """Every picture in the file by hash, also as its layer's region shows it to the model."""
    known: dict[str, np.ndarray] = {}
    for layer in contents.layers:
        region = layer.region_pixels(contents.grid, contents.canvas)
        if region is not None:
            known[hash_of(region)] = region
        for image in [layer.image, *(candidate.image for candidate in layer.candidates)]:
            if image is not None:
                known[image.hash] = image.array
    for candidate in contents.detached:
        known[candidate.image.hash] = candidate.image.array
    return known


# ---- the merged picture, which other programs and file managers show ----


def merged_picture_problem(archive: ArchiveReader, contents: Contents, *, is_ours: bool) -> str:
    """What is wrong with it, as a sentence; "" = nothing.

    Args:
        contents: what the file opened as.
        is_ours: the file has our own data, so the picture must be ours to the last bit.
    """
    if not archive.has(MERGED):
        return (
            f"The merged picture '{MERGED}' is missing, which other programs show. Open the file "
            "and save it again."
        )
    try:
        merged = archive.picture(MERGED)
    except StorageError as error:
        return f"The merged picture cannot be read: {error.what}"
    # The canvas of another program's file may have grown to the grid.
    theirs = Rect(0, 0, merged.width, merged.height)
    made = composite(contents.layers, contents.canvas.rect if is_ours else theirs)
    if merged.hash == hash_of(made):
        return ""
    if is_ours or _apart(merged.array, made) > _OTHERS_ROUND:
        return "The merged picture in it is not what its layers make."
    return ""


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """By how much two pictures of one size differ at most, of 255, premultiplied."""
    colours = [each[..., :3].astype(float) * each[..., 3:] / 255 for each in (a, b)]
    alpha = np.abs(a[..., 3].astype(int) - b[..., 3])
    return float(max(np.abs(colours[0] - colours[1]).max(), alpha.max()))
