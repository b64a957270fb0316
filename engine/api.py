"""Requests into the engine and events out of it: the whole truth about one generation.

Frozen dataclasses of numpy arrays and plain numbers only, so that a job can be queued, logged,
replayed and tested without the window. Independent of torch and of the document.

Boxes are (x0, y0, x1, y1) in canvas pixels, end exclusive.
Pixels are (h, w, 4) uint8, straight alpha, sRGB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from engine.prompts.result import PromptCheck, Vocabulary

Box = tuple[int, int, int, int]
LayerKind = Literal["background", "foreground"]
SpareBoxes = Literal["empty", "repeat"]
Task = Literal["generate"]  # kinds of requests; what a model takes stands in `ModelInfo.tasks`
PROMPT_READING = 2  # the newest way of reading prompts; records keep the one that they were made by
ColourChoice = Literal["automatic", "on", "off"]
EngineState = Literal["loading", "ready", "generating", "stopping", "failed", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRequest:
    """One entry of the layer list: a target when `pixels` is None, clean context otherwise."""

    layer_id: int  # the caller's name for it; comes back in events, never interpreted
    kind: LayerKind  # "background" (whole canvas, at most one, first) or "foreground"
    # canvas pixels, inside the canvas. The pipeline grows it to the model's grid
    # (`engine.layout.snapped`); events carry the grown one.
    box: Box
    seed: int = 0  # 0 to 4294967295; with the region's size the whole truth about its noise
    # (h, w, 4) uint8 of exactly the box's size, or None for a target
    pixels: np.ndarray | None = field(default=None, repr=False)
    # what a foreground shows, a short phrase for one thing ("blue dog", "ink dog"), which need not
    # stand in the prompt; a look counts for this layer alone; empty = the model decides
    shows: str = ""
    # what a foreground's pixels show, or showed before: a hint for engines that do not read pixels
    showed: str = ""
    # no particular seed was asked for: an engine that has such a picture with another seed under
    # way may deliver that one, and says its seed in the result
    seed_is_free: bool = False

    @property
    def is_target(self) -> bool:
        return self.pixels is None


def is_edit(*, makes_background: bool, has_finished_things: bool) -> bool:
    """Whether nothing is open that only a second step settles: scenery and the common look."""
    return has_finished_things and not makes_background


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    """Everything that one job needs: whole picture, regeneration and added boxes alike.

    All entries without pixels are generated together; entries with pixels are context that stays
    untouched and is read through the region token cache.
    """

    job_id: int  # unique per job; every event of the job carries it
    canvas: tuple[int, int]  # (width, height), multiples of the token size
    prompt: str
    # bottom to top; the background, if any, first. 0 to 50 foregrounds.
    layers: tuple[LayerRequest, ...]
    # steps, cfg_scale: None = the model's defaults. cfg_scale 1 = no guidance.
    steps: int | None = None
    cfg_scale: float | None = None
    # whether the colours of foregrounds become flat fills (`engine.colour_decision`); "automatic" =
    # in looks that gain by it
    clean_colours: ColourChoice = "automatic"
    # send previews each k-th step, as far as `PreviewBudget` finds time for them; 0 = never
    preview_every: int = 1
    # 2 = the prompt is taken apart (`engine.prompts`), and each thing that it names is drawn as
    # often as it says; 1 = as records of older versions have it: its words as typed
    reading: int = PROMPT_READING
    # what boxes show for which the prompt names no thing: nothing, or one more of the named things
    spare_boxes: SpareBoxes = "empty"
    task: Task = "generate"  # one of the model's

    @property
    def is_edit(self) -> bool:
        """Some thing is finished already, and no background is to be made."""
        return is_edit(
            makes_background=any(e.is_target and e.kind == "background" for e in self.layers),
            has_finished_things=any(
                not e.is_target and e.kind == "foreground" for e in self.layers
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What the loaded model is and can do."""

    name: str
    file_hash: str
    token_px: int  # canvas pixels per grid cell
    canvas_multiple: int  # of which both sides of a canvas are multiples, pixels
    trained_canvases: tuple[tuple[int, int], ...]  # (width, height), the best ones first
    max_foregrounds: int
    default_steps: int
    default_cfg_scale: float
    vocabulary: Vocabulary | None  # None = the model takes any text
    parameters: int
    device: str
    precision: str
    threads: int
    side_tokens: int = 0  # of a foreground's longer side, whatever its size, see `engine.layout`
    planning_passes: int = 0  # at most, before the first step; each through half the network
    default_edit_steps: int | None = None  # where the request `is_edit`; None = as everywhere
    tasks: tuple[Task, ...] = ("generate",)  # kinds of requests that the model takes
    server: str = ""  # address of the machine that it runs on; "" = this one
    licence: str = ""  # of a model on a server, where that says so

    def steps_for(self, *, is_edit: bool) -> int:
        return (is_edit and self.default_edit_steps) or self.default_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    """The engine's state, and once it is ready what the model can do.

    Attributes:
        progress: while it is "loading", the part of that work that is done, 0 to 1. The state is
            announced again with each advance.
    """

    state: EngineState
    progress: float = 0.0
    info: ModelInfo | None = None
    message: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The job left the queue; `unknown_words` of its prompt are ignored by the model."""

    job_id: int
    total_steps: int
    unknown_words: tuple[str, ...]
    check: PromptCheck | None = None  # what the prompt asks for; None with the older reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """What the model decided that each target shows, before it draws."""

    job_id: int
    words: tuple[tuple[int, str], ...]  # (layer id, word); boxes that stay empty are left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`step` of `total` steps are done (decoding counts as the last); seconds_left is a guess."""

    job_id: int
    step: int
    total: int
    seconds_left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A rough small picture of one target, to be shown stretched over its box."""

    job_id: int
    layer_id: int
    box: Box
    rgba: np.ndarray = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerResult:
    """The pixels made for one target: exactly the size of its box."""

    layer_id: int
    kind: LayerKind
    box: Box
    seed: int
    rgba: np.ndarray = field(repr=False)  # all transparent where the box is left empty
    # of the prompt, as typed, that the model decided to show here, where there is one
    word: str | None = None
    # why nothing was drawn, half a sentence; None where something was
    left_empty: str | None = None
    # whether its colours were decided, where its own look decides otherwise than the job's
    clean_colours: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPlaced:
    """A thing that the prompt names and for which there were too few boxes; as typed."""

    typed: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The job's results, in the order of the request, and what its record needs."""

    job_id: int
    results: tuple[LayerResult, ...]
    steps: int  # 0 = those that a server has chosen itself
    cfg_scale: float
    clean_colours: bool  # whether the colours of foregrounds were decided
    seconds: float
    cache_hits: int
    cache_misses: int
    unknown_words: tuple[str, ...]
    model_name: str
    model_hash: str
    device: str
    precision: str
    threads: int
    torch_version: str
    reading: int = 1  # how the prompt was read, see `GenerateRequest.reading`
    check: PromptCheck | None = None  # what it asks for; None with the older reading
    not_placed: tuple[NotPlaced, ...] = ()  # things that found no box
    engine: str = "builtin"  # kind of engine that made them, such as "comfyui"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancelled:
    """The job ended because it was cancelled; none of its results are kept."""

    job_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The job ended by an error; the engine lives and takes the next job.

    `kind` is "memory" (out of memory), "request" (bad input) or "internal".
    """

    job_id: int
    kind: Literal["memory", "request", "internal"]
    message: str
    advice: str
    details: str


Event = StateChanged | Started | Assigned | Progress | Preview | Finished | JobCancelled | Failed
