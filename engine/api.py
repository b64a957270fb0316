"""Requests into the engine and events out of it: the whole truth about one generation.

Frozen dataclasses of numpy arrays and plain numbers only, so that a job can be queued, logged,
replayed and tested without the window. Independent of torch and of the document.

Boxes are (x0, y0, x1, y1) in canvas pixels, end exclusive, multiples of the model's token size.
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
PROMPT_READING = 2  # the newest way of reading prompts; records keep the one that they were made by
ColourChoice = Literal["automatic", "on", "off"]
EngineState = Literal["loading", "ready", "generating", "stopping", "failed", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRequest:
    """One entry of the layer list: a target when `pixels` is None, clean context otherwise.

    Attributes:
        layer_id: the caller's name for it; comes back in events, never interpreted.
        kind: "background" (whole canvas, at most one, first) or "foreground".
        box: region on the token grid, inside the canvas.
        seed: 0 to 4294967295; with the region's size the whole truth about its noise.
        pixels: (h, w, 4) uint8 of exactly the region's size, or None for a target.
        shows: what a foreground shows, a short phrase for one thing ("blue dog"); empty = the
            model decides. It need not stand in the prompt.
    """

    layer_id: int
    kind: LayerKind
    box: Box
    seed: int = 0
    pixels: np.ndarray | None = field(default=None, repr=False)
    shows: str = ""

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

    Attributes:
        job_id: unique per job; every event of the job carries it.
        canvas: (width, height), multiples of the token size.
        layers: bottom to top; the background, if any, first. 0 to 50 foregrounds.
        steps, cfg_scale: None = the model's defaults. cfg_scale 1 = no guidance.
        clean_colours: whether the colours of foregrounds become flat fills
            (`engine.colour_decision`); "automatic" = in looks that gain by it.
        preview_every: send previews each k-th step, as far as `PreviewBudget` finds time for
            them; 0 = never.
        reading: 2 = the prompt is taken apart (`engine.prompts`), and each thing that it names is
            drawn as often as it says; 1 = as records of older versions have it: its words as typed.
        spare_boxes: what boxes show for which the prompt names no thing: nothing, or one more of
            the named things.
    """

    job_id: int
    canvas: tuple[int, int]
    prompt: str
    layers: tuple[LayerRequest, ...]
    steps: int | None = None
    cfg_scale: float | None = None
    clean_colours: ColourChoice = "automatic"
    preview_every: int = 1
    reading: int = PROMPT_READING
    spare_boxes: SpareBoxes = "empty"

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
    """What the loaded model is and can do.

    Attributes:
        token_px: canvas pixels per grid cell.
        canvas_multiple: of which both sides of a canvas are multiples, pixels.
        trained_canvases: (width, height), the best ones first.
        vocabulary: None = the model takes any text.
        side_tokens: of a foreground's longer side, whatever its size, see `engine.layout`.
        planning_passes: at most, before the first step; each through half the network.
        default_edit_steps: where the request `is_edit`; None = as everywhere.
    """

    name: str
    file_hash: str
    token_px: int
    canvas_multiple: int
    trained_canvases: tuple[tuple[int, int], ...]
    max_foregrounds: int
    default_steps: int
    default_cfg_scale: float
    vocabulary: Vocabulary | None
    parameters: int
    device: str
    precision: str
    threads: int
    side_tokens: int = 0
    planning_passes: int = 0
    default_edit_steps: int | None = None

    def steps_for(self, *, is_edit: bool) -> int:
        """Steps of a request that does not say how many."""
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
    """The job left the queue; `unknown_words` of its prompt are ignored by the model.

    Attributes:
        check: what the prompt asks for; None with the older reading.
    """

    job_id: int
    total_steps: int
    unknown_words: tuple[str, ...]
    check: PromptCheck | None = None


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
    """The pixels made for one target: exactly the size of its box.

    Attributes:
        rgba: all transparent where the box is left empty.
        word: of the prompt, as typed, that the model decided to show here, where there is one.
        left_empty: why nothing was drawn, half a sentence; None where something was.
    """

    layer_id: int
    kind: LayerKind
    box: Box
    seed: int
    rgba: np.ndarray = field(repr=False)
    word: str | None = None
    left_empty: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPlaced:
    """A thing that the prompt names and for which there were too few boxes; as typed."""

    typed: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The job's results, in the order of the request, and what its record needs.

    Attributes:
        reading: how the prompt was read, see `GenerateRequest.reading`.
        check: what it asks for; None with the older reading.
        not_placed: things that found no box.
        clean_colours: whether the colours of foregrounds were decided.
    """

    job_id: int
    results: tuple[LayerResult, ...]
    steps: int
    cfg_scale: float
    clean_colours: bool
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
    reading: int = 1
    check: PromptCheck | None = None
    not_placed: tuple[NotPlaced, ...] = ()


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


Event = StateChanged | Started | Progress | Preview | Finished | JobCancelled | Failed
