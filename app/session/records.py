"""Records: what is kept with generated pixels, and the way back from a record to its request.

One record per generated pixel block, plain JSON values, so that it travels in the project file,
in exports and in the clipboard. It names layers by their number, because ids end with the program,
and pixels by their hash. Uses the engine's face; window and command line share it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

import numpy as np

from app.document.pixels import Pixels, hash_of
from engine import ColourChoice, Finished, GenerateRequest, LayerRequest, LayerResult


def app_version() -> str:
    """The installed version of Layerloom, or "unknown" when it runs without being installed."""
    try:
        return metadata.version("layerloom")
    except metadata.PackageNotFoundError:
        return "unknown"


def records_for(
    request: GenerateRequest, finished: Finished, numbers: Mapping[int, int]
) -> dict[int, dict[str, Any]]:
    """The records of a job's results by layer id; a rerun differs in "seconds" and "cache" only."""
    seen = [_entry(layer, numbers[layer.layer_id]) for layer in request.layers]
    # Layers with looks of their own: one word for the job says less than what was asked for.
    is_mixed = any(result.clean_colours is not None for result in finished.results)
    choice = {"colours": request.clean_colours} if is_mixed else {}
    return {
        result.layer_id: _record(request, finished, result, numbers[result.layer_id], seen) | choice
        for result in finished.results
    }


def _record(
    request: GenerateRequest,
    finished: Finished,
    result: LayerResult,
    number: int,
    seen: list[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "prompt": request.prompt,
        "reading": finished.reading,
        "spare_boxes": request.spare_boxes,
        "seed": result.seed,
        "box": list(result.box),
        "canvas": list(request.canvas),
        "steps": finished.steps,
        "guidance": finished.cfg_scale,
        "clean_colours": (
            finished.clean_colours if result.clean_colours is None else result.clean_colours
        ),
        "number": number,
        "layers": seen,
        "cache": {"hits": finished.cache_hits, "misses": finished.cache_misses},
        "model": {"name": finished.model_name, "hash": finished.model_hash},
        "versions": {"layerloom": app_version(), "torch": finished.torch_version},
        **({} if finished.engine == "builtin" else {"engine": finished.engine}),
        "device": finished.device,
        "precision": finished.precision,
        "threads": finished.threads,
        "word": result.word,  # of the prompt, which the model decided to show here
        **({} if result.left_empty is None else {"left_empty": result.left_empty}),
        "seconds": round(finished.seconds, 3),
        # Hashed as the document will keep it: without colour where nothing is seen.
        "result": Pixels.of(result.rgba).hash,
    }


def _entry(layer: LayerRequest, number: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"number": number, "kind": layer.kind, "box": list(layer.box)}
    if layer.pixels is None:
        entry["seed"] = layer.seed
    else:
        entry["pixels"] = hash_of(layer.pixels)
    if layer.shows:
        entry["shows"] = layer.shows
    return entry


def were_cleaned(record: Mapping[str, Any]) -> bool:
    """Whether colours were decided, as of late versions; TypeError for what is no bool."""
    cleaned = record.get("clean_colours", False)
    if not isinstance(cleaned, bool):
        raise TypeError(f"clean_colours is {cleaned!r}")
    return cleaned


def _colour_choice(record: Mapping[str, Any]) -> ColourChoice:
    """What a request has to say about colours to get those of the record."""
    if record.get("colours") == "automatic":
        return "automatic"
    return "on" if were_cleaned(record) else "off"


def job_of(record: Mapping[str, Any]) -> tuple[object, ...]:
    """What tells the job of a record from others: equal for all results of one job."""
    return (
        record["prompt"],
        record.get("reading", 1),
        record.get("spare_boxes", "empty"),
        tuple(record["canvas"]),
        record["steps"],
        record["guidance"],
        _colour_choice(record),
        record["model"]["hash"],
        tuple(
            (
                e["number"],
                e["kind"],
                tuple(e["box"]),
                e.get("seed"),
                e.get("pixels"),
                e.get("shows"),
            )
            for e in record["layers"]
        ),
    )


def request_from_record(
    record: Mapping[str, Any], job_id: int, find_pixels: Callable[[str], np.ndarray | None]
) -> GenerateRequest:
    """The job that made these pixels, to be run again. Layer ids are the record's numbers.

    Args:
        find_pixels: pixels by hash, or None when they are not kept anywhere.

    Raises:
        LookupError: pixels that the model saw as context are gone; names the layer's number.
        KeyError, TypeError: the record lacks something.
    """
    layers = []
    for entry in record["layers"]:
        pixels = None
        if "pixels" in entry:
            pixels = find_pixels(entry["pixels"])
            if pixels is None:
                raise LookupError(entry["number"])
        x0, y0, x1, y1 = entry["box"]
        layers.append(
            LayerRequest(
                layer_id=entry["number"],
                kind=entry["kind"],
                box=(x0, y0, x1, y1),
                seed=entry.get("seed", 0),
                shows=entry.get("shows", ""),
                pixels=pixels,
            )
        )
    width, height = record["canvas"]
    return GenerateRequest(
        job_id=job_id,
        canvas=(width, height),
        prompt=record["prompt"],
        layers=tuple(layers),
        steps=record["steps"] or None,
        cfg_scale=record["guidance"],
        clean_colours=_colour_choice(record),
        preview_every=0,
        # Records from before there were numbers are of the first way of reading prompts.
        reading=record.get("reading", 1),
        spare_boxes="repeat" if record.get("spare_boxes") == "repeat" else "empty",
    )
