"""Pictures of all that a model draws, in one file: `layerloom train things`.

The model draws every noun of its vocabulary into a square box with a few seeds, and the picture
that the judge is surest about is kept; then every background, and one thing in every look. The
window shows them where things are picked from, and `engine.composition` takes the proportions. The
table names the model file that drew them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.api import Box, GenerateRequest, LayerRequest
from engine.model_files import default_path
from engine.models.art.backbone import art_of
from engine.paths import resource_path
from engine.pipeline import LayerPipeline
from engine.pixels import EMPTY_ALPHA
from engine.things import KINDS
from engine.training.eval.judges import Judge, judge_path

COLUMNS, TILE = 16, 64  # of the picture, and pixels per side of a tile
SIDE, PER_ROW = 192, 4  # canvas pixels of a drawn box, and boxes per row of a canvas
SEEDS = 4
SHOWN_LOOK = "castle"  # the thing that shows the looks
QUALITY = 80  # of WebP, whose alpha stays exact


def draw_things(
    pipeline: LayerPipeline, nouns: Sequence[str], seed: int
) -> Iterator[tuple[str, np.ndarray]]:
    """Each noun with its (SIDE, SIDE, 4) uint8 picture, drawn by itself in a box of its own."""
    step = PER_ROW * PER_ROW
    side = PER_ROW * SIDE
    for first in range(0, len(nouns), step):
        names = nouns[first : first + step]
        layers = tuple(
            LayerRequest(
                layer_id=place + 1,
                kind="foreground",
                box=_box(place),
                seed=1000 * seed + first + place,
                shows=name,
            )
            for place, name in enumerate(names)
        )
        request = GenerateRequest(
            job_id=1, canvas=(side, side), prompt="", layers=layers, preview_every=0
        )
        for name, result in zip(names, pipeline.run(request).results, strict=True):
            yield name, result.rgba


def draw_backgrounds(pipeline: LayerPipeline, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Each background on a square canvas, (2 SIDE, 2 SIDE, 4) uint8."""
    side = 2 * SIDE
    layer = LayerRequest(layer_id=1, kind="background", box=(0, 0, side, side), seed=1)
    requests = {
        name: GenerateRequest(
            job_id=1, canvas=(side, side), prompt=name, layers=(layer,), preview_every=0
        )
        for name in names
    }
    return {name: pipeline.run(request).results[0].rgba for name, request in requests.items()}


def _box(place: int) -> Box:
    x, y = place % PER_ROW * SIDE, place // PER_ROW * SIDE
    return (x, y, x + SIDE, y + SIDE)


def surest(judge: Judge, noun: str, pictures: Sequence[np.ndarray]) -> np.ndarray:
    """The picture that the judge takes for the noun; the first one where it takes none."""
    verdicts = judge.judge(pictures)
    right = [at for at, verdict in enumerate(verdicts) if verdict.noun == noun]
    return pictures[max(right, key=lambda at: verdicts[at].confidence) if right else 0]


def shown_part(rgba: np.ndarray) -> Box:
    """The bounding box of what a picture shows; the whole picture where it shows nothing."""
    rows, columns = (
        np.flatnonzero((rgba[..., 3] > 255 * EMPTY_ALPHA).any(axis)) for axis in (1, 0)
    )
    if not len(rows):
        return (0, 0, rgba.shape[1], rgba.shape[0])
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def tile_of(rgba: np.ndarray) -> Image.Image:
    """What a picture shows, in the middle of a tile with a margin of two pixels."""
    part = Image.fromarray(rgba).crop(shown_part(rgba)).convert("RGBa")
    scale = (TILE - 4) / max(part.size)
    width, height = (max(1, round(side * scale)) for side in part.size)
    small = part.resize((width, height), Image.Resampling.LANCZOS).convert("RGBA")
    tile = Image.new("RGBA", (TILE, TILE))
    tile.paste(small, ((TILE - width) // 2, (TILE - height) // 2))
    return tile


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="layerloom train things", description=__doc__)
    parser.add_argument("--weights", type=Path, help="model file; the shipped one by default")
    parser.add_argument("--judge", type=Path, help="one trained here, else the kept one")
    parser.add_argument("--out", type=Path, help="folder; where the window looks by default")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(argv)
    pipeline = LayerPipeline.load(
        args.weights or default_path(), device=args.device, threads=args.threads
    )
    info = pipeline.info
    if info.vocabulary is None:
        raise ValueError("a model that draws any text has no list of things")
    nouns = info.vocabulary.nouns
    stage = art_of(pipeline).model.card.stage
    judge = Judge.load(args.judge or judge_path(stage), stage=stage)
    drawn = [dict(draw_things(pipeline, nouns, seed)) for seed in range(SEEDS)]
    chosen = {noun: surest(judge, noun, [each[noun] for each in drawn]) for noun in nouns}
    looks = info.vocabulary.looks
    phrases = [f"{look} {SHOWN_LOOK}" for look in looks]
    shown = dict(zip(looks, dict(draw_things(pipeline, phrases, 1)).values(), strict=True))
    backgrounds = draw_backgrounds(pipeline, info.vocabulary.backgrounds)
    out = args.out or resource_path("things")
    size = write_things(chosen, backgrounds, shown, model_hash=info.file_hash, out=out)
    print(f"{out}: {len(nouns)} things, {size / 1000:.0f} kB")
    return 0


def write_things(
    things: Mapping[str, np.ndarray],
    backgrounds: Mapping[str, np.ndarray],
    looks: Mapping[str, np.ndarray],
    *,
    model_hash: str,
    out: Path,
) -> int:
    """Write things.webp and things.json; returns the bytes of both."""
    out.mkdir(parents=True, exist_ok=True)
    table: dict[str, Any] = {"model": model_hash, "columns": COLUMNS, "tile": TILE}
    tiles: list[Image.Image] = []
    for kind, pictures in zip(KINDS, (things, backgrounds, looks), strict=True):
        table[kind] = {}
        for word, rgba in pictures.items():
            table[kind][word] = {"place": len(tiles)}
            tiles.append(tile_of(rgba))
    for word, rgba in things.items():
        x0, y0, x1, y1 = shown_part(rgba)
        table["things"][word]["aspect"] = round((x1 - x0) / (y1 - y0), 3)
    sheet = Image.new("RGBA", (COLUMNS * TILE, -(-len(tiles) // COLUMNS) * TILE))
    for place, tile in enumerate(tiles):
        row, column = divmod(place, COLUMNS)
        sheet.paste(tile, (column * TILE, row * TILE))
    sheet.save(out / "things.webp", quality=QUALITY, method=6)
    (out / "things.json").write_text(json.dumps(table, indent=0) + "\n", "utf-8")
    return sum((out / name).stat().st_size for name in ("things.webp", "things.json"))
