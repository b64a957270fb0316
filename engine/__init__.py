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
    LayerKind,
    LayerRequest,
    LayerResult,
    ModelInfo,
    NotPlaced,
    Preview,
    Progress,
    SpareBoxes,
    Started,
    StateChanged,
    Task,
)
from engine.composition import Layout, PlacedThing, place_one, suggest_layouts, usual_size
from engine.engine import Engine
from engine.errors import EngineError, LayoutError, RequestError, WeightsError
from engine.model_files import ModelFile, list_models
from engine.prompt_check import PinCheck, check_pin, check_prompt
from engine.prompts.result import (
    Misspelt,
    NamedBackground,
    PromptCheck,
    PromptObject,
    Undrawable,
    Vocabulary,
    Word,
)
from engine.prompts.tokens import MAX_READ
from engine.things import Thing, ThingPictures, list_things, thing_pictures
from engine.work_estimate import (
    WorkEstimate,
    estimate,
    estimate_regions,
    free_memory,
    region_tokens,
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
    "LayerKind",
    "LayerRequest",
    "LayerResult",
    "Layout",
    "LayoutError",
    "Misspelt",
    "ModelFile",
    "ModelInfo",
    "NamedBackground",
    "NotPlaced",
    "PinCheck",
    "PlacedThing",
    "Preview",
    "Progress",
    "PromptCheck",
    "PromptObject",
    "RequestError",
    "SpareBoxes",
    "Started",
    "StateChanged",
    "Task",
    "Thing",
    "ThingPictures",
    "Undrawable",
    "Vocabulary",
    "WeightsError",
    "Word",
    "WorkEstimate",
    "check_pin",
    "check_prompt",
    "estimate",
    "estimate_regions",
    "free_memory",
    "list_models",
    "list_things",
    "place_one",
    "region_tokens",
    "suggest_layouts",
    "thing_pictures",
    "usual_size",
]
