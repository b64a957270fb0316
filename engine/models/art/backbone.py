"""ART as a backbone: one request's way from boxes and prompt to tokens and pixels.

Shapes: N noisy tokens of all targets, C token width, R regions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.api import GenerateRequest, LayerRequest, LayerResult, ModelInfo, NotPlaced
from engine.backbone import Check
from engine.cache import RegionTokenCache
from engine.device import default_cache_budget
from engine.layout import (
    BACKGROUND,
    FIRST_FOREGROUND,
    Region,
    check_request,
    foreground_grid,
    token_size,
)
from engine.models.art.assignment import (
    EMPTY,
    MAX_PASSES,
    Assigner,
    NamedThings,
    layers_show,
    words_shown,
)
from engine.models.art.autoencoder import channels_last
from engine.models.art.context import ContextEncoder, ContextLayers
from engine.models.art.decoding import decode_layers, preview_layers, refine_layers
from engine.models.art.model import Conditioning
from engine.models.art.positions import ids_of, inner_coordinates, place_on_canvas
from engine.models.art.prompt_encoder import EncodedPrompt, PromptEncoder
from engine.models.checkpoint import Model
from engine.prompts.result import PromptCheck
from engine.sampling import (
    FIRST_LEVEL,
    guide,
    region_choice,
    region_noise,
    thing_code,
    timesteps,
    velocity_towards,
)

MAX_FOREGROUNDS = 50  # of one request
NOTHING_NAMED = "the prompt names nothing that this model draws"
ALL_PLACED = "every thing that the prompt names has a box already"


@dataclass(slots=True)
class RequestState:
    """One request between assignment and decoding."""

    prompt: EncodedPrompt
    asked: tuple[Region, ...]  # all targets of the request
    targets: tuple[Region, ...]  # those that are drawn; the others stay empty
    noise: Tensor  # (1, N, C) of the drawn targets
    cfg_scale: float
    check: Check
    context: ContextLayers | None  # the finished layers; None = there are none
    conditioning: Conditioning = field(init=False)  # of all guidance branches, packed
    pooled: Tensor = field(init=False)  # (branches, text width) tokens of the whole prompts
    # per drawn target the text token that it shows, 0 for none
    shows: list[int] = field(default_factory=list)
    shown: tuple[int, ...] = ()  # per finished layer the named thing that it shows, or 0
    # (1, N, C) the first step's prediction, where the assignment computed it
    first_step: Tensor | None = None
    finished: tuple[Region, ...] = ()  # of the context layers

    @property
    def words(self) -> list[str | None]:
        """Per drawn target the pinned word or the word of the prompt that it shows, or None."""
        words: list[str | None] = []
        for region, token in zip(self.targets, self.shows, strict=True):
            layer = region.request
            if layer.layer_id in self.prompt.pins:
                words.append(layer.shows)
            else:
                words.append(self.prompt.words[token - 1] if token else None)
        return words

    @property
    def decided(self) -> dict[int, str]:
        """The word that each drawn target shows, by layer id, where there is one."""
        named = zip(self.targets, self.words, strict=True)
        return {region.request.layer_id: word for region, word in named if word}

    def leave_empty(self) -> None:
        """Drop the targets without a thing: they cost nothing from here on."""
        parts = self.noise.split([region.count for region in self.targets], dim=1)
        kept = [index for index, token in enumerate(self.shows) if token != EMPTY]
        self.targets = tuple(self.targets[index] for index in kept)
        self.shows = [self.shows[index] for index in kept]
        self.noise = torch.cat([parts[i] for i in kept], 1) if kept else self.noise[:, :0]


class ARTBackbone:
    """The networks of a model file on a device, with the region token cache."""

    def __init__(
        self,
        model: Model,  # moved to `device`
        device: torch.device,
        dtype: torch.dtype,
        # budget of the region token cache; None = a quarter of free memory, up to 1 GB
        cache_bytes: int | None = None,
    ) -> None:
        self.model, self.device, self.dtype = model, device, dtype
        for network in model.networks().values():
            network.to(device)
        channels_last(model.autoencoder)
        self.prompts = PromptEncoder(model, device)
        budget = default_cache_budget(device) if cache_bytes is None else cache_bytes
        self.context = ContextEncoder(model, RegionTokenCache(budget), device)
        self._shown: dict[int, int] = {}  # layer id -> text token of the last prompt

    @property
    def cache(self) -> RegionTokenCache:
        return self.context.cache

    @property
    def token_px(self) -> int:
        """Canvas pixels per grid cell."""
        return self.model.autoencoder.token_px

    def info(self) -> ModelInfo:
        card = self.model.card
        return ModelInfo(
            name=card.name,
            file_hash=self.model.file_hash,
            token_px=self.token_px,
            canvas_multiple=self.token_px * card.base_scale,
            trained_canvases=card.canvases,
            max_foregrounds=MAX_FOREGROUNDS,
            default_steps=card.steps,
            default_cfg_scale=card.cfg_scale,
            vocabulary=card.vocabulary,
            parameters=self.model.parameters(),
            device=str(self.device),
            precision=str(self.dtype).removeprefix("torch."),
            threads=torch.get_num_threads(),
            side_tokens=card.side_tokens,
            planning_passes=MAX_PASSES,
            default_edit_steps=card.edit_steps,
        )

    def check(self, request: GenerateRequest) -> None:
        """Raise LayoutError or RequestError for a request that the model cannot generate."""
        multiple = self.token_px * self.model.card.base_scale
        check_request(request, multiple, MAX_FOREGROUNDS)
        for layer in request.layers:
            if layer.shows:
                self.prompts.pin(layer.shows)

    def regions(self, request: GenerateRequest) -> list[Region]:
        """Every entry of a request with its place in the layer list and its tokens."""
        card = self.model.card
        regions, index = [], FIRST_FOREGROUND
        for layer in request.layers:
            if layer.kind == "background":
                place, scale = BACKGROUND, card.base_scale
                size = token_size(layer.box, self.token_px, scale)
            else:
                place = index
                scale = 1
                size = foreground_grid(layer.box, self.token_px, side_tokens=card.side_tokens)
                index += 1
            regions.append(Region(layer, place, scale, size))
        return regions

    def own_looks(self, request: GenerateRequest) -> dict[int, str]:
        """Per target that has a look of its own, that look."""
        return self.prompts.own_looks(request)

    def encode_prompt(self, request: GenerateRequest, look: str | None = None) -> EncodedPrompt:
        """The request's prompt as text tokens, with the things that it names."""
        prompt, is_new = self.prompts.encode(request, look)
        if is_new:
            self._shown.clear()
        return prompt

    # ---- assignment ----

    def begin(
        self, request: GenerateRequest, prompt: EncodedPrompt, cfg_scale: float, check: Check
    ) -> RequestState:
        """Noise, context and assignment: all that precedes the first sampling step."""
        state = self.prepare(self.regions(request), prompt, cfg_scale, check)
        conditioning = self._assign(state, request.canvas)
        if state.targets:
            self.add_branches(state, conditioning, request.canvas)
        self._shown |= {
            region.request.layer_id: token
            for region, token in zip(state.targets, state.shows, strict=True)
        }
        return state

    def prepare(
        self, regions: Sequence[Region], prompt: EncodedPrompt, cfg_scale: float, check: Check
    ) -> RequestState:
        """Noise and context of a request that is not assigned yet."""
        targets = tuple(region for region in regions if region.request.is_target)
        finished = [region for region in regions if not region.request.is_target]
        width = self.model.art.config.token_width
        noise = torch.cat([region_noise(r.request.seed, *r.size, width) for r in targets])
        noise = noise[None].to(self.device)  # (1, N, C)
        context = self.context.read(finished, noise.shape[1] + prompt.text.shape[1], check)
        state = RequestState(prompt, targets, targets, noise, cfg_scale, check, context)
        state.finished = tuple(finished)
        return state

    def _assign(self, state: RequestState, canvas: tuple[int, int]) -> Conditioning:
        """Decide what each target shows; targets for which no thing is left are dropped."""
        text = state.prompt.text
        assigner = self._assigner(state, self.condition(state.targets, text, canvas))
        if len(state.targets) == 1 and state.cfg_scale == 1:
            guess = self._shown.get(state.targets[0].request.layer_id, 0)
            conditioning, state.first_step = assigner.assign_and_step(guess)
        else:
            conditioning = assigner.assign()
        state.shows = assigner.shows
        if EMPTY not in state.shows:
            return conditioning
        state.leave_empty()
        if not state.targets:
            return conditioning
        assigner = self._assigner(state, self.condition(state.targets, text, canvas))
        return assigner.with_words(torch.tensor(state.shows))

    def _assigner(self, state: RequestState, conditioning: Conditioning) -> Assigner:
        prompt, context, seen = state.prompt, state.context, None
        classifier = self.model.context_classifier
        if context is not None and classifier is not None:
            logits = classifier(context.features, prompt.text)
            seen = words_shown(logits)
            if prompt.slots is not None:
                # What the user pinned is surer than what the classifier sees.
                state.shown = tuple(
                    prompt.pins.get(region.request.layer_id, token)
                    for region, token in zip(
                        state.finished, layers_show(logits, prompt.slots), strict=True
                    )
                )
        things = None
        if prompt.slots is not None:
            layers = [region.request for region in state.targets]
            scenery = tuple(i for i, layer in enumerate(layers) if layer.kind == "background")
            tokens = [prompt.pins.get(layer.layer_id) for layer in layers]
            pinned = tuple((i, token) for i, token in enumerate(tokens) if token is not None)
            things = NamedThings(prompt.slots, scenery, state.shown, pinned)
        owners = [torch.full((r.count,), i) for i, r in enumerate(state.targets)]
        return Assigner(
            art=self.model.art,
            conditioning=conditioning,
            text=prompt.text,
            noise=state.noise,
            owner=torch.cat(owners)[None].to(self.device),
            seeds=[region.request.seed for region in state.targets],
            seen=seen,
            context=None if context is None else context.keys,
            check=state.check,
            things=things,
        )

    def condition(
        self, targets: Sequence[Region], text: Tensor, canvas: tuple[int, int]
    ) -> Conditioning:
        """Positions, places and seed codes of the targets with a prompt, without assignment."""
        ids = torch.cat([ids_of(r, self.token_px) for r in targets])[None]  # (1, N, 3)
        inner = torch.cat([inner_coordinates(*r.size) for r in targets])[None]  # (1, N, 4)
        places = [place_on_canvas(r.request.box, canvas).expand(r.count, 4) for r in targets]
        codes = torch.cat([self._seed_code(region) for region in targets])[None]
        place = torch.cat(places)[None]
        ids, inner, place, codes = (x.to(self.device) for x in (ids, inner, place, codes))
        return self.model.art.condition(ids, inner, place, text, seed_code=codes)

    def _seed_code(self, region: Region) -> Tensor:
        """(n, signs) what the seed chose for a region's tokens: which drawing they become."""
        count, seed = self.model.art.config.seed_signs, region.request.seed
        if region.request.kind == "background":
            signs = region_choice(seed, count)
        elif self.model.card.thing_codes:
            signs = thing_code(seed, count)
        else:
            signs = torch.zeros(count)
        return signs.expand(region.count, count)

    def add_branches(
        self, state: RequestState, conditioning: Conditioning, canvas: tuple[int, int]
    ) -> None:
        """Pack the branches of classifier-free guidance that the scale needs."""
        texts, branches = [], []
        if state.cfg_scale != 0:
            texts.append(state.prompt.text)
            branches.append(conditioning)
        if state.cfg_scale != 1:
            texts.append(self.model.text.null())
            branches.append(self.condition(state.targets, texts[-1], canvas))
        state.pooled = torch.cat([text[:, 0] for text in texts])  # (branches, text width)
        both = len(branches) == 2
        state.conditioning = branches[0].packed_with(branches[1]) if both else branches[0]

    # ---- sampling ----

    def schedule(self, state: RequestState, steps: int) -> list[float]:
        """The noise levels; they do not depend on the number of tokens (see `timesteps`)."""
        return timesteps(steps, self.model.card.mu)

    def velocity(self, state: RequestState, x: Tensor, t: float) -> Tensor:
        """(1, N, C) guided velocity at x_t, float32: the network predicts clean tokens."""
        return velocity_towards(x, self.predict(state, x, t), t)

    def predict(self, state: RequestState, x: Tensor, t: float) -> Tensor:
        """(1, N, C) guided clean tokens predicted from x_t, float32."""
        state.check()
        if state.first_step is not None and t == FIRST_LEVEL:
            return state.first_step
        branches = len(state.pooled)
        levels = torch.full((branches,), t, device=x.device)
        vec = self.model.art.vec(levels, state.pooled)  # (branches, D)
        keys = None if state.context is None else state.context.keys
        tokens = x.repeat(1, branches, 1)
        out = self.model.art(tokens, state.conditioning, vec, context=keys).float()
        if branches == 1:
            return out
        conditional, unconditional = out.chunk(2, dim=1)
        return guide(conditional, unconditional, state.cfg_scale)

    # ---- pixels ----

    def preview(
        self, state: RequestState, predicted: Tensor
    ) -> Iterator[tuple[LayerRequest, np.ndarray]]:
        """Small (h, w, 4) uint8 pictures of (1, N, C) predicted clean tokens."""
        return preview_layers(self.model, predicted[0], state.targets)

    def decode(
        self, state: RequestState, tokens: Tensor, check: Check, *, clean_colours: bool
    ) -> tuple[LayerResult, ...]:
        """(1, N, C) finished tokens -> one result per target of the request."""
        made: tuple[LayerResult, ...] = ()
        if state.targets:
            layers = tokens[0].float()
            if self.model.refiner is not None:
                check()
                layers = refine_layers(
                    self.model.refiner, layers, state.targets, state.shows, state.prompt.text
                ).float()
            made = decode_layers(
                self.model, layers, state.targets, state.words, check, clean_colours=clean_colours
            )
        return with_empty(made, state.asked, state.prompt.check)

    def not_placed(self, state: RequestState) -> tuple[NotPlaced, ...]:
        """The named things for which there were too few boxes."""
        return not_placed(state.prompt, state.shows, state.shown)

    def encode_context(self, request: GenerateRequest, goes_on: Callable[[], bool]) -> None:
        """Put the request's finished layers into the cache, while `goes_on` says so."""
        for region in self.regions(request):
            if not goes_on():
                return
            if region.request.pixels is not None:
                self.context.entry(region)


def art_of(pipeline: Any) -> ARTBackbone:
    """The backbone of a pipeline that runs ART. Raises TypeError: it runs another model."""
    backbone = pipeline.backbone
    if not isinstance(backbone, ARTBackbone):
        raise TypeError(f"the pipeline runs {type(backbone).__name__}, not ART")
    return backbone


# ---- boxes without a thing, things without a box ----


def with_empty(
    made: Sequence[LayerResult], targets: Sequence[Region], check: PromptCheck | None
) -> tuple[LayerResult, ...]:
    """The results of all targets in their order; those that were not made are transparent."""
    found = {result.layer_id: result for result in made}
    why = ALL_PLACED if check is not None and check.objects else NOTHING_NAMED
    return tuple(found.get(region.request.layer_id) or _empty(region, why) for region in targets)


def _empty(region: Region, why: str) -> LayerResult:
    layer = region.request
    x0, y0, x1, y1 = layer.box
    return LayerResult(
        layer_id=layer.layer_id,
        kind=layer.kind,
        box=layer.box,
        seed=layer.seed,
        rgba=np.zeros((y1 - y0, x1 - x0, 4), np.uint8),
        left_empty=why,
    )


def not_placed(
    prompt: EncodedPrompt, shows: Sequence[int], shown: Sequence[int]
) -> tuple[NotPlaced, ...]:
    """The things for which there were too few boxes.

    Text tokens: `shows` of the drawn targets, `shown` of the finished layers.
    """
    if prompt.slots is None or prompt.check is None:
        return ()
    found = []
    for thing, token in zip(prompt.things, prompt.slots.tokens, strict=True):
        placed = list(shows).count(token) + list(shown).count(token)
        missing = (1 if thing.count is None else thing.count) - placed
        if missing > 0:
            found.append(NotPlaced(typed=thing.typed, count=missing))
    return tuple(found)
