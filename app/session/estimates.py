"""Estimates of a job: how long it will take, learnt from timed steps, and its peak of memory.

Time: start + steps × (a + b·n + c·n·N) + decoding, with n the tokens that are made and N all that
they see. The start grows with the passes of the assignment, the decoding with the pixels that the
decoder draws. Kept per model and machine; times arrive as numbers.

Memory: from tokens and pixels, measured on the shipped model; on the safe side, so that a refusal
comes before the system begins to swap.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.document import Contents, Layer
from app.document.contents import DEFAULT_GRID
from app.session.jobs import Message
from engine import Box, LayerKind, ModelInfo, WorkEstimate, estimate_regions, region_tokens

MAX_SAMPLES = 40
Pair = tuple[float, float]
Triple = tuple[float, float, float]
LEAST_S = 0.005  # below this, relative errors mean nothing

# Measured on top of the loaded model (fp32, both branches of guidance, nothing cached), resident
# peak against this estimate: 136 tokens 57 of 63 MB, 704 tokens 74 of 107, 1,984 tokens 170 of 204.
BYTES_ANYWAY = 48_000_000
BYTES_PER_TOKEN = 20_000
BYTES_PER_SEEN = 12_000
BYTES_PER_PIXEL = 24
RESERVE_BYTES = 512 << 20


def tokens_of(layer: Layer, contents: Contents, info: ModelInfo | None) -> int:
    """Tokens of a layer's region; cells of the grid while no model is loaded."""
    if info is not None:
        return region_tokens(*_region(layer, contents, info.token_px), info)
    region = layer.region(DEFAULT_GRID, contents.canvas)
    return -(-region.area // DEFAULT_GRID**2)


def estimate_layers(
    contents: Contents, targets: Iterable[Layer], context: Iterable[Layer], info: ModelInfo
) -> WorkEstimate:
    """The work of one job with these targets and this context."""
    settings = contents.settings
    return estimate_regions(
        [_region(layer, contents, info.token_px) for layer in targets],
        [_region(layer, contents, info.token_px) for layer in context],
        info,
        steps=settings.steps,
        cfg_scale=settings.cfg_scale,
    )


def _region(layer: Layer, contents: Contents, grid: int) -> tuple[LayerKind, Box]:
    """Kind and size of a layer's region; its place does not matter."""
    region = layer.region(grid, contents.canvas)
    return ("background" if layer.is_background else "foreground"), (
        0, 0, region.width, region.height,
    )  # fmt: skip


@dataclass(slots=True)
class Costs:
    """Timed steps of one model on one machine, newest last."""

    steps: list[Triple] = field(default_factory=list)  # (tokens, seen, seconds of one step)
    decodings: list[Pair] = field(default_factory=list)  # (pixels that were drawn, seconds)
    # (seconds of planning as the steps suggest, seconds from the start to the first step, the step
    # itself not counted).
    starts: list[Pair] = field(default_factory=list)
    _fit: Triple | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.steps)

    def add_job(
        self, load: WorkEstimate, step_seconds: list[float], start: float, decoding: float
    ) -> None:
        """Learn from a job: its steps but the first, seconds to the first, and of decoding."""
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
    if np.ptp(at) == 0:  # of one size: in proportion to it, or always the same
        typical = statistics.median(times.tolist())
        return typical * x / at[0] if at[0] else typical
    start, slope = _weighted_fit(np.column_stack([np.ones_like(at), at]), times, [0, 1], LEAST_S)
    return start + slope * x


def _fitted(samples: list[Triple]) -> Triple:
    """Coefficients, none of them negative: a longer job is never cheaper."""
    rows = np.array([[1.0, n, n * seen] for n, seen, _ in samples])
    times = np.array([max(seconds, 1e-6) for _, _, seconds in samples])
    kinds = len({round(n * seen) for n, seen, _ in samples})
    used = [1, 0, 2][: min(kinds, 3)]  # one size: in proportion to the tokens
    a, b, c = _weighted_fit(rows, times, used)
    return a, b, c


def _weighted_fit(
    rows: np.ndarray, times: np.ndarray, used: list[int], least: float = 0.0
) -> list[float]:
    """The coefficients of `rows` (n, k) that fit `times` (n,) best, none of them negative.

    Relative errors count, of at least `least` seconds, or the largest job would decide alone; later
    ones count more.

    Args:
        used: the columns that count; the others get 0.
    """
    weights = np.linspace(0.5, 1.0, len(times)) / np.maximum(times, least)
    while True:
        found, *_ = np.linalg.lstsq(rows[:, used] * weights[:, None], times * weights, rcond=None)
        worst = int(np.argmin(found))
        if found[worst] >= 0 or len(used) == 1:
            break
        used = used[:worst] + used[worst + 1 :]
    result = [0.0] * rows.shape[1]
    for place, value in zip(used, found, strict=True):
        result[place] = max(0.0, float(value))
    return result


def _items(value: object) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _rows(value: object, length: int) -> list[list[float]]:
    rows = []
    for item in _items(value):
        numbers = [float(x) for x in _items(item) if isinstance(x, (int, float))]
        if len(numbers) == length and all(0 <= x < 1e12 for x in numbers):
            rows.append(numbers)
    return rows


def peak_bytes(load: WorkEstimate) -> int:
    return (
        BYTES_ANYWAY
        + load.tokens * BYTES_PER_TOKEN
        + load.seen * BYTES_PER_SEEN
        + load.pixels * BYTES_PER_PIXEL
    )


def memory_trouble(
    whole: WorkEstimate, singles: Sequence[WorkEstimate], free: int | None
) -> Message | None:
    """The message where the job needs more than is free; None = it fits, or that is unknown."""
    needed = peak_bytes(whole)
    if free is None or needed <= free - RESERVE_BYTES:
        return None
    fitting = fitting_tokens(whole, free)
    room = f"About {100 * fitting // whole.seen} % of the job would fit. " if fitting else ""
    advice = f"{room}Choose a smaller canvas, or close other programs."
    if len(singles) > 1:
        most = max(peak_bytes(load) for load in singles)
        if most <= free - RESERVE_BYTES:
            advice = f"Generate the layers one by one ({size(most)}), or close other programs."
    return Message(
        kind="error",
        what=f"This needs about {size(needed)}, {size(free)} are free.",
        kept="Nothing was started.",
        advice=advice,
    )


def fitting_tokens(failed: WorkEstimate, free: int | None) -> int:
    """About how many tokens a like job could have, after this one ran out of memory.

    Args:
        free: bytes, now that the job is gone; None = unknown.

    Returns:
        rounded down; 0 where that cannot be said: nothing would fit, or the estimate says that
        the job itself should have.
    """
    if free is None or not failed.seen:
        return 0
    each = (peak_bytes(failed) - BYTES_ANYWAY) / failed.seen
    count = int((free - RESERVE_BYTES - BYTES_ANYWAY) / each)
    unit = 100 if count >= 1000 else 10
    count = max(0, count // unit * unit)
    return count if count < failed.seen else 0


def size(count: int) -> str:
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{max(1, round(count / 2**20))} MB"
