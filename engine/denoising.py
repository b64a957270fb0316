"""One request's view of the transformer: made once per request, called once per step.

Holds what no step changes (embedded places, text, rotations, plan) for both guidance branches.

Shapes: N noisy tokens, C token width, R planned regions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.assignment import EMPTY, layers_show
from engine.clean_layers import CleanLayers
from engine.layout import inner_coordinates, place_on_canvas
from engine.model.frame import Frame
from engine.model.packing import KeyValueBuffer
from engine.planner import Planner, Wanted
from engine.planning import words_shown
from engine.prompt_reader import Prompt
from engine.regions import Region
from engine.sampling import FIRST_LEVEL, guide, region_choice, thing_code
from engine.weights import Model


class Denoiser:
    """Predicts the clean tokens of a request's targets.

    Args:
        noise: (1, N, C) what sampling starts from; plans are read off it.
        clean: the finished layers, or a function that computes them anew in every call (the
            reference that the cache is measured against).
        check: called before each pass of the network; may raise to cancel.
        guess: the text token that a single target is likely to show; a wrong one costs time alone.

    Attributes:
        targets: those that are drawn; the others stay empty.
        noise: (1, N, C) theirs.
        shows: per drawn target the text token that it shows, 0 for none; empty without planning.
        words: per drawn target the word of the prompt that it shows, or None.
        shown: per finished layer the named thing that it shows, or 0; empty with the older reading.
    """

    def __init__(
        self,
        model: Model,
        prompt: Prompt,
        targets: Sequence[Region],
        *,
        canvas: tuple[int, int],
        cfg_scale: float,
        noise: Tensor,
        clean: CleanLayers | Callable[[], CleanLayers | None] | None,
        check: Callable[[], None],
        guess: int = 0,
    ) -> None:
        self.art, self.cfg_scale, self.clean, self.check = model.art, cfg_scale, clean, check
        self.targets, self.noise = tuple(targets), noise
        self.shown: tuple[int, ...] = ()
        self.shows: list[int] = []
        self._ahead: Tensor | None = None
        text = prompt.text
        self._locate(model, canvas)
        frame = self._make_frame(text)
        if model.art.config.planning:
            planner = self._planner(model, prompt, frame)
            if len(targets) == 1 and cfg_scale == 1:
                frame, self._ahead = planner.plan_and_step(guess)
            else:
                frame = planner.plan()
            self.shows = planner.shows
            if EMPTY in self.shows:
                frame = self._leave_empty(model, prompt, canvas)
        self.words = [
            prompt.words[i - 1] if i else None for i in self.shows or [0] * len(self.targets)
        ]
        frames = [frame] if cfg_scale != 0 else []
        if cfg_scale != 1:
            frames.append(self._make_frame(model.text.null()))
        self._branches = len(frames)
        self._pooled = None
        if model.art.config.pooled_width is not None:
            of_branches = [text] * (cfg_scale != 0) + [model.text.null()] * (cfg_scale != 1)
            self._pooled = torch.cat([words[:, 0] for words in of_branches])
        self._frame = frames[0] if len(frames) == 1 else frames[0].beside(frames[1])

    def _locate(self, model: Model, canvas: tuple[int, int]) -> None:
        """Where the tokens of the targets are, and what the seeds choose for them."""
        targets, device, token_px = self.targets, self.noise.device, model.autoencoder.token_px
        if not targets:
            return
        self._ids = torch.cat([r.ids(token_px) for r in targets])[None].to(device)
        self._inner = torch.cat([inner_coordinates(*r.size) for r in targets])[None].to(device)
        places = [place_on_canvas(r.request.box, canvas).expand(r.count, 4) for r in targets]
        self._place = torch.cat(places)[None].to(device)
        self._choice = None
        if model.art.config.choices:
            chosen = [_choice_of(r, model) for r in targets]
            self._choice = torch.cat(chosen)[None].to(device)

    def _leave_empty(self, model: Model, prompt: Prompt, canvas: tuple[int, int]) -> Frame:
        """Let the targets go for which no thing was left: they cost nothing from here on."""
        parts = self.noise.split([r.count for r in self.targets], dim=1)
        kept = [index for index, token in enumerate(self.shows) if token != EMPTY]
        self.targets = tuple(self.targets[index] for index in kept)
        self.shows = [self.shows[index] for index in kept]
        self.noise = torch.cat([parts[i] for i in kept], 1) if kept else self.noise[:, :0]
        self._locate(model, canvas)
        if not kept:
            return self._make_frame(prompt.text)
        frame = self._make_frame(prompt.text)
        return self._planner(model, prompt, frame).told(self.shows)

    def _make_frame(self, text: Tensor) -> Frame:
        return self.art.frame(self._ids, self._inner, self._place, text, choice=self._choice)

    def _planner(self, model: Model, prompt: Prompt, frame: Frame) -> Planner:
        finished, seen = self._clean_layers(), None
        if finished is not None and model.recogniser is not None:
            logits = model.recogniser(finished.features, prompt.text)
            seen = words_shown(logits)
            if prompt.slots is not None:
                self.shown = tuple(layers_show(logits, prompt.slots))
        targets = self.targets
        owners = [torch.full((r.count,), i) for i, r in enumerate(targets)]
        wanted = None
        if prompt.slots is not None:
            kinds = [r.request.kind for r in targets]
            scenery = tuple(i for i, kind in enumerate(kinds) if kind == "background")
            wanted = Wanted(prompt.slots, scenery, self.shown)
        return Planner(
            model.art,
            frame,
            prompt.text,
            self.noise,
            owner=torch.cat(owners)[None].to(self.noise.device),
            seeds=[r.request.seed for r in targets],
            seen=seen,
            clean=None if finished is None else finished.keys,
            check=self.check,
            wanted=wanted,
        )

    def _clean_layers(self) -> CleanLayers | None:
        return self.clean() if callable(self.clean) else self.clean

    def _clean_keys(self) -> list[KeyValueBuffer] | None:
        layers = self._clean_layers()
        return None if layers is None else layers.keys

    def __call__(self, x: Tensor, t: float) -> Tensor:
        """(1, N, C) at level t -> guided prediction of the clean tokens, float32."""
        self.check()
        if self._ahead is not None and t == FIRST_LEVEL:
            return self._ahead
        levels = torch.full((1 if self._pooled is None else self._branches,), t, device=x.device)
        vec = self.art.vec(levels, self._pooled)
        tokens = x.repeat(1, self._branches, 1)
        out = self.art(tokens, self._frame, vec, clean=self._clean_keys()).float()
        if self._branches == 1:
            return out
        conditional, unconditional = out.chunk(2, dim=1)
        return guide(conditional, unconditional, self.cfg_scale)


def _choice_of(region: Region, model: Model) -> Tensor:
    """(n, choices) what the seed chose for a region's tokens: the drawing that they become."""
    count, seed = model.art.config.choices, region.request.seed
    if region.request.kind == "background":
        signs = region_choice(seed, count)
    elif model.card.thing_codes:
        signs = thing_code(seed, count)
    else:
        signs = torch.zeros(count)
    return signs.expand(region.count, count)
