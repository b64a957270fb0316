"""`layerloom verify`: is a project file whole, and do its records still make its pixels?

Two questions of different price: structure and hashes need no model; with `--regenerate` each job
in the file is run again from its record and the pixels are compared by hash.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from app.cli_jobs import EngineFactory, EngineSession
from app.cli_make import open_project, session
from app.document import Contents, Layer
from app.document.composite import composite
from app.document.pixels import Pixels, hash_of
from app.document.storage.archive import ArchiveReader
from app.records import job_of, request_from_record
from engine import Finished, ModelInfo


def verify(args: argparse.Namespace, factory: EngineFactory | None) -> int:
    """Check a file; say what is right on stdout.

    Returns:
        0 when everything asked for is right, else 1.
    """
    opened = open_project(args.file)
    contents = opened.contents
    problems = list(opened.messages)
    if not opened.is_project:
        problems.append("There are no records in it, so nothing can be compared.")
    problems += list(_broken_records(contents))
    if _shown_picture(args.file) != hash_of(composite(contents.layers, contents.canvas.rect)):
        problems.append("The merged picture in it is not what its layers make.")
    if not problems:
        layers = [layer for layer in contents.layers if layer.has_pixels]
        print(f"'{args.file.name}': {len(layers)} layers with pixels, all hashes are right.")
    if args.regenerate and not problems:
        with session(args, factory) as engine:
            problems += list(_differences(contents, engine))
    for problem in problems:
        print(f"'{args.file.name}': {problem}", file=sys.stderr)
    return 1 if problems else 0


def _broken_records(contents: Contents) -> Iterator[str]:
    for layer in contents.layers:
        if layer.record is not None and layer.record.get("result") != layer.pixel_hash:
            yield f"The pixels of '{layer.name}' are not those of its record."


def _shown_picture(path: Path) -> str:
    """Hash of the merged picture that other programs show."""
    with ArchiveReader(path) as archive:
        return archive.picture("mergedimage.png").hash


def _differences(contents: Contents, engine: EngineSession) -> Iterator[str]:
    """Run each job again and compare; a line for each layer that came out otherwise."""
    pictures = _known_pictures(contents)
    jobs: dict[tuple[object, ...], list[Layer]] = defaultdict(list)
    for layer in contents.layers:
        if layer.record is None:
            continue
        try:
            jobs[job_of(layer.record)].append(layer)
        except (KeyError, TypeError, AttributeError):
            yield f"The record of '{layer.name}' lacks something, so it cannot be run again."
    for number, layers in enumerate(jobs.values(), start=1):
        record = layers[0].record
        assert record is not None  # only layers with one were taken
        names = ", ".join(f"'{layer.name}'" for layer in layers)
        try:
            request = request_from_record(record, number, pictures.get)
        except LookupError as error:
            yield f"{names} cannot be made again: what layer {error} was then is not in the file."
            continue
        finished = engine.run(request, names)
        yield from _compare(layers, record, finished, engine.info)


def _compare(
    layers: list[Layer], record: Mapping[str, Any], finished: Finished, info: ModelInfo
) -> Iterator[str]:
    made = {result.layer_id: Pixels.of(result.rgba).hash for result in finished.results}
    for layer in layers:
        # Layer ids of a request that comes from a record are the numbers in it.
        if made.get((layer.record or record)["number"]) == layer.pixel_hash:
            print(f"'{layer.name}' came out the same.")
        else:
            yield f"'{layer.name}' came out differently. {_why(record, finished, info)}"


def _why(record: Mapping[str, Any], finished: Finished, info: ModelInfo) -> str:
    """What is not as it was when the record was written."""
    now = {
        "model": (record["model"]["hash"], info.file_hash),
        "torch": (record["versions"]["torch"], finished.torch_version),
        "device": (record["device"], finished.device),
        "precision": (record["precision"], finished.precision),
        "threads": (record["threads"], finished.threads),
    }
    changed = [
        f"{name} was {str(then)[:12]}, is {str(today)[:12]}"
        for name, (then, today) in now.items()
        if then != today
    ]
    return f"Different now: {'; '.join(changed)}." if changed else "Nothing else is different."


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
