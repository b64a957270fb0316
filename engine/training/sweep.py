"""How many steps, and is guidance worth its price: the same scenes at several settings."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.api import Finished, GenerateRequest
from engine.training.evaluation_report import rate_text
from engine.training.evaluation_tasks import make_task
from engine.training.judge import Verdict
from engine.training.metrics import Rate, found, layer_kinds
from engine.training.scenes import Scene
from engine.training.sprites import SpritePack


@dataclass(frozen=True, slots=True)
class Setting:
    """A sampler's settings; `cfg_scale` 1 is no guidance and half the work."""

    steps: int
    cfg_scale: float

    @classmethod
    def parse(cls, text: str) -> Setting:
        """ "16:2" is 16 steps at guidance 2. Raises ValueError."""
        steps, _, scale = text.partition(":")
        setting = cls(int(steps), float(scale or 1))
        if setting.steps < 1 or setting.cfg_scale < 0:
            raise ValueError(f"no such setting: {text}")
        return setting


def sweep(
    run: Callable[[GenerateRequest], Finished],
    judging: Callable[[Sequence[np.ndarray]], Sequence[Verdict]],
    pack: SpritePack,
    scenes: Sequence[Scene],
    settings: Sequence[Setting],
    seed: int,
) -> tuple[str, list[dict]]:
    """Whole pictures of all scenes at every setting; a markdown table and its numbers."""
    lines = ["| steps | guidance | things found | layers unclear | seconds, median |",
             "| --- | --- | --- | --- | --- |"]  # fmt: skip
    numbers = []
    for setting in settings:
        hits, kinds, seconds = Rate(), Rate(), []
        for number, scene in enumerate(scenes):
            task = make_task("whole", number, scene, pack, seed)
            request = replace(task.request, steps=setting.steps, cfg_scale=setting.cfg_scale)
            finished = run(request)
            results = {result.layer_id: result.rgba for result in finished.results}
            verdicts = judging([results[index + 1] for index in task.targets])
            hits += found(task.wanted, verdicts)
            kinds += layer_kinds(task.wanted, verdicts)["layers unclear"]
            seconds.append(finished.seconds)
        median = statistics.median(seconds)
        lines.append(f"| {setting.steps} | {setting.cfg_scale:g} | {rate_text(hits)} | "
                     f"{rate_text(kinds)} | {median:.2f} |")  # fmt: skip
        print(lines[-1], flush=True)
        numbers.append(
            {
                "steps": setting.steps,
                "guidance": setting.cfg_scale,
                "things found": hits,
                "layers unclear": kinds,
                "seconds": median,
            }
        )
    return "\n".join(lines), numbers
