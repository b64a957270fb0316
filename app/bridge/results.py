"""Results: what the engine made, ready for the document. Knows no thread and no queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.document.geometry import Rect
from app.jobs import Job
from app.records import records_for
from engine import Finished


@dataclass(frozen=True, slots=True)
class Placed:
    """One result of a job, ready for the document.

    Attributes:
        asked: the region that was generated, canvas pixels.
        pixels: (h, w, 4) uint8 of exactly that size.
        record: how it was made, plain JSON values.
        left_empty: why the box stays empty, half a sentence; "" where something was drawn.
    """

    layer_id: int
    asked: Rect
    pixels: np.ndarray
    record: dict[str, Any]
    left_empty: str = ""


def placed_results(job: Job, event: Finished) -> list[Placed]:
    """The results of one run with their records, in the order of the request.

    Raises:
        ValueError: the job has ended, and its request was let go.
    """
    if job.request is None:
        raise ValueError(f"job {job.id} has no request any more")
    records = records_for(job.request, event, job.numbers)
    return [
        Placed(
            result.layer_id,
            Rect.from_box(result.box),
            result.rgba,
            records[result.layer_id],
            result.left_empty or "",
        )
        for result in event.results
    ]
