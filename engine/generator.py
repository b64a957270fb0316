"""Generator: requests to layers, synchronously. Pixels outside, tokens inside.

Whole pictures, single layers and added boxes are one path: entries without pixels are sampled
together; entries with pixels are clean context, read through the region token cache.
Knows neither threads, nor Qt, nor the document.

Shapes: N noisy tokens, C token width.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from engine.api import (
    PROMPT_READING,
    Event,
    Finished,
    GenerateRequest,
    LayerResult,
    ModelInfo,
    Preview,
    Progress,
    Started,
)
from engine.cache import RegionTokenCache
from engine.checks import check_request
from engine.clean_layers import CleanLayers, CleanReader
from engine.decoding import decode_layers, preview_layers
from engine.denoising import Denoiser
from engine.device import choose_device, default_cache_budget, precision, wait_for
from engine.errors import Cancelled
from engine.grid import foreground_grid, token_size
from engine.layout import (
    BACKGROUND,
    FIRST_FOREGROUND,
    MAX_FOREGROUNDS,
)
from engine.loading import StageReport, silent
from engine.looks import cleans_colours
from engine.model.autoencoder import channels_last
from engine.planning import MAX_PASSES
from engine.previews import PreviewBudget
from engine.prompt_reader import Prompt, PromptReader
from engine.prompts import NOT_A_WORD, check_prompt
from engine.refining import refine_layers
from engine.regions import Region
from engine.sampling import denoise, region_noise, timesteps
from engine.spare import not_placed, with_empty
from engine.weights import Model, load_model
from engine.words import unknown_words

Emit = Callable[[Event], None]


class Generator:
    """Holds the model and the region token cache; one request at a time.

    Args:
        model: from `load_model`; moved to `device`.
        cache_bytes: budget of the region token cache; None = a quarter of free memory, up to 1 GB.

    Attributes:
        clock: monotonic seconds.
    """

    def __init__(
        self,
        model: Model,
        *,
        device: str = "auto",
        threads: int = 1,
        cache_bytes: int | None = None,
    ) -> None:
        self.device = choose_device(device)
        self.dtype = precision(self.device)
        torch.set_num_threads(threads)
        self.threads = threads
        self.model = model
        for network in model.networks().values():
            network.to(self.device)
        channels_last(model.autoencoder)
        self.prompts = PromptReader(model, self.device)
        budget = default_cache_budget(self.device) if cache_bytes is None else cache_bytes
        self.clean_layers = CleanReader(model, RegionTokenCache(budget), self.device)
        self._shown: dict[int, int] = {}  # layer id -> text token of the last prompt
        self.clock: Callable[[], float] = time.monotonic

    @classmethod
    def load(
        cls,
        path: Path | None = None,
        *,
        device: str = "auto",
        threads: int = 1,
        report: StageReport = silent,
    ) -> Generator:
        """Read a model file (None: the shipped one). Raises WeightsError."""
        return cls(load_model(path, report), device=device, threads=threads)

    @property
    def cache(self) -> RegionTokenCache:
        """Where finished layers are kept."""
        return self.clean_layers.cache

    @property
    def token_px(self) -> int:
        return self.model.autoencoder.token_px

    @property
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
            nouns=card.nouns,
            looks=card.looks,
            colours=card.colours,
            backgrounds=card.backgrounds,
            parameters=self.model.parameters(),
            device=str(self.device),
            precision=str(self.dtype).removeprefix("torch."),
            threads=self.threads,
            most_tokens=card.most_tokens,
            side_tokens=card.side_tokens,
            planning_passes=MAX_PASSES if self.model.art.config.planning else 0,
            default_edit_steps=card.edit_steps,
        )

    # ---- one request ----

    @torch.inference_mode()
    def run(
        self,
        request: GenerateRequest,
        *,
        emit: Emit = lambda event: None,
        should_stop: Callable[[], bool] = lambda: False,
        use_cache: bool = True,
    ) -> Finished:
        """Generate the request's targets.

        Args:
            emit: receives Started, Progress and, within their budget, Preview.
            should_stop: asked between network calls.
            use_cache: False computes the clean layers anew in every step: the reference that tests
                and benchmarks compare the cache with.

        Raises:
            LayoutError, RequestError: bad input, before anything is computed.
            Cancelled: `should_stop` said so.
        """
        started = self.clock()
        previews = PreviewBudget(request.preview_every, self.clock)
        regions = self.regions(request)
        targets = [region for region in regions if region.request.is_target]
        context = [region for region in regions if not region.request.is_target]
        card = self.model.card
        steps = request.steps or (card.edit_steps if request.is_edit else card.steps)
        cfg_scale = card.cfg_scale if request.cfg_scale is None else request.cfg_scale
        with self._autocast():
            prompt = self.read(request)
        clean_colours = self._cleans_colours(request, prompt)
        unknown = _unknown_words(request, prompt)
        emit(
            Started(
                job_id=request.job_id,
                total_steps=steps + 1,
                unknown_words=unknown,
                check=prompt.check,
            )
        )
        before = self.cache.stats()

        def report(done: int, predicted: Tensor) -> None:
            if should_stop():
                raise Cancelled
            spent = self.clock() - started
            left = spent / done * (steps + 1 - done)
            emit(Progress(job_id=request.job_id, step=done, total=steps + 1, seconds_left=left))
            if done < steps and previews.allows(done):
                wait_for(self.device)  # the step's own time is not the preview's
                with previews.paying():
                    for layer, rgba in preview_layers(self.model, predicted[0], denoiser.targets):
                        job_id, layer_id = request.job_id, layer.layer_id
                        emit(Preview(job_id=job_id, layer_id=layer_id, box=layer.box, rgba=rgba))

        def check() -> None:
            if should_stop():
                raise Cancelled

        def computed_anew() -> CleanLayers | None:
            self.cache.clear()
            return self.clean_layers.read(context, room, check)

        with self._autocast():
            noise = [region_noise(r.request.seed, *r.size, self._width) for r in targets]
            packed = torch.cat(noise)[None].to(self.device)  # (1, N, C)
            room = packed.shape[1] + prompt.text.shape[1]
            denoiser = Denoiser(
                self.model,
                prompt,
                targets,
                canvas=request.canvas,
                cfg_scale=cfg_scale,
                noise=packed,
                clean=self.clean_layers.read(context, room, check) if use_cache else computed_anew,
                check=check,
                guess=self._guess(targets),
            )
            made = self._paint(
                denoiser, prompt, timesteps(steps, card.mu), report, clean_colours=clean_colours
            )
            self._shown |= {
                region.request.layer_id: shows
                for region, shows in zip(denoiser.targets, denoiser.shows, strict=False)
            }
        after = self.cache.stats()
        emit(Progress(job_id=request.job_id, step=steps + 1, total=steps + 1, seconds_left=0.0))
        return Finished(
            job_id=request.job_id,
            results=with_empty(made, targets, prompt.check),
            steps=steps,
            cfg_scale=cfg_scale,
            clean_colours=clean_colours,
            seconds=self.clock() - started,
            cache_hits=after.hits - before.hits,
            cache_misses=after.misses - before.misses,
            unknown_words=unknown,
            model_name=card.name,
            model_hash=self.model.file_hash,
            device=str(self.device),
            precision=str(self.dtype).removeprefix("torch."),
            threads=self.threads,
            torch_version=str(torch.__version__),
            reading=1 if prompt.check is None else PROMPT_READING,
            check=prompt.check,
            not_placed=not_placed(prompt, denoiser.shows, denoiser.shown),
        )

    def _paint(
        self,
        denoiser: Denoiser,
        prompt: Prompt,
        levels: list[float],
        report: Callable[[int, Tensor], None],
        *,
        clean_colours: bool,
    ) -> tuple[LayerResult, ...]:
        """The targets that are drawn, from noise to pixels."""
        targets = denoiser.targets
        if not targets:
            return ()
        tokens = denoise(denoiser, denoiser.noise, levels, report)[0].float()
        if self.model.refiner is not None:
            denoiser.check()
            tokens = refine_layers(
                self.model.refiner, tokens, targets, denoiser.shows, prompt.text
            ).float()
        return decode_layers(
            self.model,
            tokens,
            targets,
            denoiser.words,
            denoiser.check,
            clean_colours=clean_colours,
        )

    def _cleans_colours(self, request: GenerateRequest, prompt: Prompt) -> bool:
        """Whether foregrounds get flat fills, by the request and the look that the prompt names."""
        read = prompt.check or check_prompt(request.prompt, self.prompts.lexicon)
        return cleans_colours(request.clean_colours, read.look, self.model.card.looks)

    @property
    def _width(self) -> int:
        return self.model.art.config.token_width

    def regions(self, request: GenerateRequest) -> list[Region]:
        """Check the request and give every entry its place in the layer list."""
        card = self.model.card
        check_request(request, self.token_px, self.token_px * card.base_scale)
        regions, index = [], FIRST_FOREGROUND
        for layer in request.layers:
            if layer.kind == "background":
                place, scale = BACKGROUND, card.base_scale
                size = token_size(layer.box, self.token_px, scale)
            else:
                place = index
                size, scale = foreground_grid(
                    layer.box,
                    self.token_px,
                    most_tokens=card.most_tokens,
                    side_tokens=card.side_tokens,
                )
                index += 1
            regions.append(Region(layer, place, scale, size))
        return regions

    @torch.inference_mode()
    def read_ahead(
        self, request: GenerateRequest, finished: Finished, goes_on: Callable[[], bool]
    ) -> None:
        """Put a job's layers into the region token cache, so that the first edit finds them.

        Args:
            goes_on: asked before each layer; False ends it.
        """
        made = {result.layer_id: result.rgba for result in finished.results}
        with self._autocast():
            for region in self.regions(request):
                if not goes_on():
                    return
                layer = region.request
                pixels = made.get(layer.layer_id, layer.pixels)
                self.clean_layers.entry(replace(region, request=replace(layer, pixels=pixels)))

    def _guess(self, targets: Sequence[Region]) -> int:
        """The text token that a single target is likely to show: what it showed before."""
        return self._shown.get(targets[0].request.layer_id, 0)

    def _autocast(self) -> torch.autocast:
        enabled = self.dtype != torch.float32
        return torch.autocast(self.device.type, self.dtype, enabled=enabled)

    def read(self, request: GenerateRequest) -> Prompt:
        """The request's prompt as text tokens, with the things that it names."""
        prompt, is_new = self.prompts.of(request)
        if is_new:
            self._shown.clear()
        return prompt


def _unknown_words(request: GenerateRequest, prompt: Prompt) -> tuple[str, ...]:
    """The words of the prompt that are in no table, in order, each once."""
    if prompt.check is None:
        return unknown_words(request.prompt)
    return tuple(
        dict.fromkeys(each.typed for each in prompt.check.undrawable if each.reason == NOT_A_WORD)
    )
