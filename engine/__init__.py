"""The public face of the engine. Importing it does not import torch."""

import engine.threads  # noqa: F401 - first of all: torch must not be there yet
from engine.api import (
    Box,
    ColourChoice,
    Event,
    Failed,
    Finished,
    GenerateRequest,
    JobCancelled,
    LayerRequest,
    LayerResult,
    ModelInfo,
    Preview,
    Progress,
    Started,
    StateChanged,
    is_edit,
)
from engine.errors import EngineError, LayoutError, RequestError, WeightsError
from engine.grid import foreground_grid
from engine.words import MAX_WORDS, located_words, tokenize, unknown_words
from engine.worker import Engine

__all__ = [
    "MAX_WORDS",
    "Box",
    "ColourChoice",
    "Engine",
    "EngineError",
    "Event",
    "Failed",
    "Finished",
    "GenerateRequest",
    "JobCancelled",
    "LayerRequest",
    "LayerResult",
    "LayoutError",
    "ModelInfo",
    "Preview",
    "Progress",
    "RequestError",
    "Started",
    "StateChanged",
    "WeightsError",
    "foreground_grid",
    "is_edit",
    "located_words",
    "tokenize",
    "unknown_words",
]
