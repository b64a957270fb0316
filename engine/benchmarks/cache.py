"""What the region cache finds again after each kind of change, and what a refill costs.

Every event starts from a full cache: the same edit, then one change, then the edit again.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np

from engine.api import GenerateRequest, LayerRequest
from engine.benchmarks.harness import Context, box_side, equal_boxes, finished_pixels, picture
from engine.benchmarks.measure import summary
from engine.benchmarks.report import Cell, Section, Table
from engine.cache import Entry, Key, RegionTokenCache
from engine.models.art.backbone import art_of

LAYERS, QUICK_LAYERS, TARGET, CHANGED = 10, 6, 2, 3

TEXT = (
    "A finished picture whose layer 2 is repainted. Before each event the cache is full; *hits* "
    "and *misses* are of the next edit, *new* is what that edit put into the cache, *refill* is "
    "the time of computing it, summed over the misses. An entry is found by model, pixels and "
    "size, so moving, ordering, hiding and prompting cost nothing."
)


class TimedCache(RegionTokenCache):
    """The real cache, which also adds up the seconds of its misses."""

    def __init__(self, budget_bytes: int) -> None:
        super().__init__(budget_bytes)
        self.refill_s = 0.0

    def get(self, key: Key, compute: Callable[[], Entry]) -> Entry:
        def timed() -> Entry:
            start = time.perf_counter()
            entry = compute()
            self.refill_s += time.perf_counter() - start
            return entry

        return super().get(key, timed)


Change = Callable[[tuple[LayerRequest, ...]], tuple[LayerRequest, ...]]


def changes(token_px: int) -> dict[str, Change]:
    """What is done to the layers (background first) between two edits."""

    def one(edit: Callable[[LayerRequest], LayerRequest]) -> Change:
        return lambda layers: (*layers[:CHANGED], edit(layers[CHANGED]), *layers[CHANGED + 1 :])

    def moved(layer: LayerRequest) -> LayerRequest:
        x0, y0, x1, y1 = layer.box
        dx = token_px if x0 < token_px else -token_px
        return dataclasses.replace(layer, box=(x0 + dx, y0, x1 + dx, y1))

    def painted(layer: LayerRequest) -> LayerRequest:
        assert layer.pixels is not None
        pixels = layer.pixels.copy()
        pixels[0, 0] = 255 - pixels[0, 0]
        return dataclasses.replace(layer, pixels=pixels)

    def shrunk(layer: LayerRequest) -> LayerRequest:
        assert layer.pixels is not None
        x0, y0, x1, y1 = layer.box
        pixels = np.ascontiguousarray(layer.pixels[:, :-token_px])
        return dataclasses.replace(layer, box=(x0, y0, x1 - token_px, y1), pixels=pixels)

    return {
        "nothing": lambda layers: layers,
        "move by one token": one(moved),
        "reorder": lambda layers: (layers[0], *reversed(layers[1:])),
        "hide": lambda layers: layers[:CHANGED] + layers[CHANGED + 1 :],
        "prompt edit": lambda layers: layers,
        "pixel edit": one(painted),
        "resize": one(shrunk),
    }


def bench(context: Context) -> Section:
    generator = context.generator
    layers = min(QUICK_LAYERS if context.quick else LAYERS, max(3, context.most_layers))
    boxes = equal_boxes(layers)
    done = finished_pixels(generator, picture(boxes))
    base = picture(boxes, {i: p for i, p in done.items() if i != TARGET}, steps=1)
    before, cache = generator.cache, TimedCache(generator.cache.budget_bytes)
    art_of(generator).context.cache = cache
    try:
        rows = _rows(context, cache, base, done[TARGET])
    finally:
        art_of(generator).context.cache = before
    budget = f"{cache.budget_bytes / 1e6:.0f} MB"
    title = f"{layers} layers of {box_side(layers)} px and a background, cache budget {budget}"
    columns = ["after", "hits", "misses", "new, MB", "held, MB", "refill, ms"]
    return Section("cache", "Region cache", TEXT, [Table(title, columns, rows)])


def _rows(
    context: Context, cache: TimedCache, base: GenerateRequest, target_pixels: np.ndarray
) -> list[list[Cell]]:
    generator = context.generator

    def event(name: str, request: GenerateRequest, filled: bool = True) -> list[Cell]:
        context.say(f"cache: {name}")
        refills = []
        for _ in range(context.runs):
            cache.clear()
            if filled:
                generator.run(base)
            held, cache.refill_s = cache.stats().bytes, 0.0
            finished = generator.run(request)
            refills.append(1000 * cache.refill_s)
        now = cache.stats().bytes
        return [name, finished.cache_hits, finished.cache_misses, f"{(now - held) / 1e6:.1f}",
                f"{now / 1e6:.1f}", summary(refills)]  # fmt: skip

    rows = [event("empty cache (first edit)", base, filled=False)]
    for name, change in changes(art_of(generator).token_px).items():
        prompt = "a dog and a castle at sunset" if name == "prompt edit" else base.prompt
        request = dataclasses.replace(base, layers=change(base.layers), prompt=prompt)
        rows.append(event(name, request))
    other = [
        dataclasses.replace(layer, pixels=None) if layer.layer_id == CHANGED
        else dataclasses.replace(layer, pixels=target_pixels) if layer.layer_id == TARGET
        else layer
        for layer in base.layers
    ]  # fmt: skip
    rows.append(event("another layer is made", dataclasses.replace(base, layers=tuple(other))))
    return rows
