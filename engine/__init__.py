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
    NotPlaced,
    Preview,
    Progress,
    SpareBoxes,
    Started,
    StateChanged,
    is_edit,
)
from engine.engine import Engine
from engine.errors import EngineError, LayoutError, RequestError, WeightsError
from engine.layout import foreground_grid
from engine.prompt_check import check_prompt
from engine.prompts.parser import MAX_READ
from engine.prompts.result import (
    Misspelt,
    NamedBackground,
    PromptCheck,
    PromptObject,
    Undrawable,
    Word,
)

__all__ = [
    "MAX_READ",
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
    "Misspelt",
    "ModelInfo",
    "NamedBackground",
    "NotPlaced",
    "Preview",
    "Progress",
    "PromptCheck",
    "PromptObject",
    "RequestError",
    "SpareBoxes",
    "Started",
    "StateChanged",
    "Undrawable",
    "WeightsError",
    "Word",
    "check_prompt",
    "foreground_grid",
    "is_edit",
]
