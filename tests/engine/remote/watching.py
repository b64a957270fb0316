"""A job for tests, and what watches it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.remote import PictureJob


class Watching:
    """Keeps what a job reports; stops it when `stop` says so."""

    def __init__(self, stop: Callable[[], bool] = lambda: False) -> None:
        self.steps: list[tuple[int, int]] = []
        self.previews: list[np.ndarray] = []
        self._stop = stop

    def progress(self, step: int, total: int) -> None:
        self.steps.append((step, total))

    def preview(self, rgba: np.ndarray) -> None:
        self.previews.append(rgba)

    def should_stop(self) -> bool:
        return self._stop()


def a_job(**more: Any) -> PictureJob:
    """A red ball of 64 × 96 pixels, cut out."""
    usual = {
        "key": str(uuid.uuid4()),
        "prompt": "a red ball",
        "width": 64,
        "height": 96,
        "seed": 7,
        "alpha": True,
    }
    return PictureJob(**{**usual, **more})
