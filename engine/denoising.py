"""One request's view of the transformer: made once per request, called once per step.

Holds what no step changes (embedded places, text, rotations, plan) for both guidance branches.

Shapes: N noisy tokens, C token width, R planned regions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.api import LayerRequest
from engine.layout import inner_coordinates, place_on_canvas, region_ids
from engine.model.frame import Frame
from engine.model.packing import KeyValue
from engine.model.text import Vocabulary
from engine.planning import make_plan, spread, words_shown
from engine.sampling import guide
from engine.weights import Model


@dataclass(frozen=True, slots=True)
class CleanLayers:
    """The finished layers of a request: keys rotated to where they are, and (1, L, D) summaries."""

    keys: list[KeyValue]
    summary: Tensor


@dataclass(frozen=True, slots=True)
class Region:
    """A request's entry on the token grid."""

    request: LayerRequest
    index: int  # in the layer list: RoPE's first axis
    scale: int  # grid cells per token side
    size: tuple[int, int]  # (h, w) tokens

    @property
    def count(self) -> int:
        return self.size[0] * self.size[1]

    def ids(self, token_px: int) -> Tensor:
        """(count, 3) positions where the region lies."""
        return region_ids(self.index, self.request.box, token_px, self.scale)


class Denoiser:
    """Predicts the clean tokens of a request's targets.

    Args:
        noise: (1, N, C) what sampling starts from; plans are read off it.
        clean: the finished layers, or a function that computes them anew in every call (the
            reference that the cache is measured against).
        check: called before each pass of the network; may raise to cancel.

    Attributes:
        words: per target the word of the prompt that it shows, or None.
    """

    def __init__(
        self,
        model: Model,
        vocabulary: Vocabulary,
        targets: Sequence[Region],
        *,
        canvas: tuple[int, int],
        prompt: str,
        cfg_scale: float,
        noise: Tensor,
        clean: CleanLayers | Callable[[], CleanLayers | None] | None,
        check: Callable[[], None],
    ) -> None:
        self.art, self.cfg_scale, self.clean, self.check = model.art, cfg_scale, clean, check
        device = noise.device
        token_px = model.autoencoder.token_px
        self._ids = torch.cat([r.ids(token_px) for r in targets])[None].to(device)
        self._inner = torch.cat([inner_coordinates(*r.size) for r in targets])[None].to(device)
        places = [place_on_canvas(r.request.box, canvas).expand(r.count, 4) for r in targets]
        self._place = torch.cat(places)[None].to(device)
        vectors, known = vocabulary.encode(prompt)
        text = model.text(
            torch.from_numpy(vectors)[None].to(device), torch.from_numpy(known)[None].to(device)
        )
        plan = seen = None
        self.words: list[str | None] = [None] * len(targets)
        if model.art.config.planning:
            words = vocabulary.words(prompt)
            finished = self._clean_layers()
            if finished is not None:
                seen = words_shown(self.art.recognise(finished.summary, text))
            keys = None if finished is None else finished.keys
            plan, self.words = self._plan(targets, text, noise, words, seen, keys)
        frames = []
        if cfg_scale != 0:
            frames.append(self._make_frame(text, plan, seen))
        if cfg_scale != 1:
            frames.append(self._make_frame(model.text.null(), None))
        self._branches = len(frames)
        self._pooled = None
        if model.art.config.pooled_width is not None:
            of_branches = [text] * (cfg_scale != 0) + [model.text.null()] * (cfg_scale != 1)
            self._pooled = torch.cat([words[:, 0] for words in of_branches])
        self._frame = frames[0] if len(frames) == 1 else frames[0].beside(frames[1])

    def _make_frame(self, text: Tensor, plan: Tensor | None, seen: Tensor | None = None) -> Frame:
        return self.art.frame(self._ids, self._inner, self._place, text, plan, seen)

    def _plan(
        self,
        targets: Sequence[Region],
        text: Tensor,
        noise: Tensor,
        prompt_words: list[str],
        seen: Tensor | None,
        clean: list[KeyValue] | None,
    ) -> tuple[Tensor, list[str | None]]:
        owners = [torch.full((r.count,), i) for i, r in enumerate(targets)]
        owner = torch.cat(owners)[None].to(noise.device)
        shows = make_plan(
            self.art,
            lambda plan: self._make_frame(text, plan, seen),
            noise,
            owner,
            [r.request.seed for r in targets],
            clean=clean,
            seen=seen,
            pooled=text[:, 0],
            on_pass=self.check,
        )
        plan = torch.tensor(shows, device=noise.device, dtype=torch.long)
        return spread(plan, owner), [prompt_words[i - 1] if i else None for i in shows]

    def _clean_layers(self) -> CleanLayers | None:
        return self.clean() if callable(self.clean) else self.clean

    def _clean_keys(self) -> list[KeyValue] | None:
        layers = self._clean_layers()
        return None if layers is None else layers.keys

    def __call__(self, x: Tensor, t: float) -> Tensor:
        """(1, N, C) at level t -> guided prediction of the clean tokens, float32."""
        self.check()
        levels = torch.full((1 if self._pooled is None else self._branches,), t, device=x.device)
        vec = self.art.vec(levels, self._pooled)
        tokens = x.repeat(1, self._branches, 1)
        out = self.art(tokens, self._frame, vec, clean=self._clean_keys()).float()
        if self._branches == 1:
            return out
        conditional, unconditional = out.chunk(2, dim=1)
        return guide(conditional, unconditional, self.cfg_scale)
