"""Costs: how long a job will take, learnt from the steps that were timed here.

Model: start + steps × (a + b·n + c·n·N) + decoding, with n the tokens that are made and N all that
they see. The start grows with the passes of planning, the decoding with the pixels that the decoder
draws. Kept per model and machine. Knows no widget and no clock: times arrive as numbers.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.document.contents import Contents
from app.document.layer import Layer
from engine import Box, LayerKind, ModelInfo, WorkEstimate, estimate_regions, region_tokens

MAX_SAMPLES = 40
Pair = tuple[float, float]
Triple = tuple[float, float, float]
LEAST_S = 0.005  # below this, relative errors mean nothing


def tokens_of(layer: Layer, contents: Contents, info: ModelInfo | None) -> int:
    """Tokens of a layer's region; cells of the grid while no model is loaded."""
    kind, box = _region(layer, contents)
    if info is not None:
        return region_tokens(kind, box, info)
    return -(-box[2] // contents.grid) * -(-box[3] // contents.grid)


def estimate_layers(
    contents: Contents,
    targets: Iterable[Layer],
    context: Iterable[Layer],
    info: ModelInfo,
) -> WorkEstimate:
    """The work of one job with these targets and this context."""
    settings = contents.settings
    return estimate_regions(
        [_region(layer, contents) for layer in targets],
        [_region(layer, contents) for layer in context],
        info,
        steps=settings.steps,
        cfg_scale=settings.cfg_scale,
    )


def _region(layer: Layer, contents: Contents) -> tuple[LayerKind, Box]:
    """Kind and size of a layer's region; its place does not matter."""
    region = layer.region(contents.grid, contents.canvas)
    return ("background" if layer.is_background else "foreground"), (
        0, 0, region.width, region.height,
    )  # fmt: skip


@dataclass(slots=True)
class Costs:
    """Timed steps of one model on one machine, newest last.

    Attributes:
        steps: (tokens, seen, seconds of one step).
        decodings: (pixels that were drawn, seconds).
        starts: (seconds of planning as the steps suggest, seconds from the start to the first step,
            the step itself not counted).
    """

    steps: list[Triple] = field(default_factory=list)
    decodings: list[Pair] = field(default_factory=list)
    starts: list[Pair] = field(default_factory=list)
    _fit: Triple | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.steps)

    def add_job(
        self, load: WorkEstimate, step_seconds: list[float], start: float, decoding: float
    ) -> None:
        """Learn from a finished job.

        Args:
            step_seconds: of each step but the first.
            start: seconds until the first step was done.
            decoding: seconds from the last step to the end.
        """
        if not step_seconds:
            return
        step = statistics.median(step_seconds)
        _keep(self.steps, (float(load.tokens), float(load.seen), step))
        _keep(self.decodings, (float(load.drawn or load.pixels), max(0.0, decoding)))
        _keep(self.starts, (_planning(load, step), max(0.0, start - step)))
        self._fit = None

    def step_seconds(self, load: WorkEstimate) -> float | None:
        """One step of such a job; None before anything was timed."""
        if not self.steps:
            return None
        if self._fit is None:
            self._fit = _fitted(self.steps)
        a, b, c = self._fit
        return a + b * load.tokens + c * load.tokens * load.seen

    def seconds(self, load: WorkEstimate) -> float | None:
        """The whole job; None before anything was timed."""
        step = self.step_seconds(load)
        if step is None:
            return None
        start = _on_line(self.starts, _planning(load, step))
        return start + load.steps * step + _on_line(self.decodings, load.drawn or load.pixels)

    def to_json(self) -> dict[str, Any]:
        """Plain values for the settings file."""
        return {
            "steps": [list(item) for item in self.steps],
            "decodings": [list(item) for item in self.decodings],
            "starts": [list(item) for item in self.starts],
        }

    @classmethod
    def from_json(cls, data: object) -> Costs:
        """From the settings file; what does not fit is left out."""
        if not isinstance(data, Mapping):
            return cls()
        steps = [(a, b, c) for a, b, c in _rows(data.get("steps"), 3)]
        decodings = [(a, b) for a, b in _rows(data.get("decodings"), 2)]
        starts = [(a, b) for a, b in _rows(data.get("starts"), 2)]
        return cls(steps[-MAX_SAMPLES:], decodings[-MAX_SAMPLES:], starts[-MAX_SAMPLES:])


def key_of(info: ModelInfo) -> str:
    """Under which name costs are kept: model, device and threads."""
    return f"{info.name}:{info.file_hash[:12]}:{info.device}:{info.precision}:{info.threads}"


def _keep(samples: list[Any], item: Any) -> None:
    samples.append(item)
    del samples[:-MAX_SAMPLES]


def _planning(load: WorkEstimate, step: float) -> float:
    """Seconds that the passes before the first step should take."""
    return load.planning * step / 2


def _on_line(samples: list[Pair], x: float) -> float:
    """What (x, seconds) samples say of another x: a line that never falls nor begins below 0."""
    if not samples:
        return 0.0
    at = np.array([sample[0] for sample in samples])
    times = np.array([sample[1] for sample in samples])
    weights = np.linspace(0.5, 1.0, len(samples)) / np.maximum(times, LEAST_S)
    if np.ptp(at) == 0:  # of one size: in proportion to it, or always the same
        typical = statistics.median(times.tolist())
        return typical * x / at[0] if at[0] else typical
    rows = np.column_stack([np.ones_like(at), at]) * weights[:, None]
    line, *_ = np.linalg.lstsq(rows, times * weights, rcond=None)
    if (line >= 0).all():
        return float(line @ (1.0, x))
    # One of both would be negative: the better of a constant and a proportion.
    alone = rows.T @ (times * weights) / (rows**2).sum(0)  # (2,)
    errors = ((rows * alone - (times * weights)[:, None]) ** 2).sum(0)
    best = int(np.argmin(errors))
    return float(alone[best] * (1.0, x)[best])


def _fitted(samples: list[Triple]) -> Triple:
    """Coefficients, none of them negative: a longer job is never cheaper."""
    rows = np.array([[1.0, n, n * seen] for n, seen, _ in samples])
    times = np.array([max(seconds, 1e-6) for _, _, seconds in samples])
    # Relative errors count, or the largest job would decide alone; later ones count more.
    weights = np.linspace(0.5, 1.0, len(samples)) / times
    kinds = len({round(n * seen) for n, seen, _ in samples})
    used = [1, 0, 2][: min(kinds, 3)]  # one size: in proportion to the tokens
    while True:
        found, *_ = np.linalg.lstsq(rows[:, used] * weights[:, None], times * weights, rcond=None)
        worst = int(np.argmin(found))
        if found[worst] >= 0 or len(used) == 1:
            break
        del used[worst]
    result = [0.0, 0.0, 0.0]
    for place, value in zip(used, found, strict=True):
        result[place] = max(0.0, float(value))
    return result[0], result[1], result[2]


def _items(value: object) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _rows(value: object, length: int) -> list[list[float]]:
    rows = []
    for item in _items(value):
        numbers = [float(x) for x in _items(item) if isinstance(x, (int, float))]
        if len(numbers) == length and all(0 <= x < 1e12 for x in numbers):
            rows.append(numbers)
    return rows
