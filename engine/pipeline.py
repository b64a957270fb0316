"""Layer pipeline: requests to layers, synchronously. Pixels outside, tokens inside.

Whole pictures, single layers and added boxes are one path: layers without pixels are sampled
together; layers with pixels are context, encoded once and kept in the region token cache.

Shapes: N noisy tokens, C token width.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.api import (
    PROMPT_READING,
    Assigned,
    Event,
    Finished,
    GenerateRequest,
    LayerResult,
    ModelInfo,
    NotPlaced,
    Preview,
    Progress,
    Started,
    is_edit,
)
from engine.backbone import Backbone, Check, Prompt, State
from engine.cache import RegionTokenCache
from engine.colour_decision import cleans_colours
from engine.device import choose_device, precision, wait_for
from engine.errors import Cancelled, RequestError
from engine.layout import snapped
from engine.loading import StageReport, silent
from engine.models.registry import load_backbone
from engine.previews import PreviewBudget
from engine.sampling import sample

Emit = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a request is sampled, with the model's defaults filled in."""

    steps: int
    cfg_scale: float
    clean_colours: bool


@dataclass(frozen=True, slots=True)
class Part:
    """Targets of a request that are drawn together, in one look."""

    layer_ids: frozenset[int]
    look: str | None = None  # None = that of the prompt

    def is_edit(self, request: GenerateRequest) -> bool:
        """As `GenerateRequest.is_edit`, with the targets of other parts finished."""
        here = [each.layer_id in self.layer_ids for each in request.layers]
        return is_edit(
            makes_background=any(
                each.kind == "background" and drawn for each, drawn in zip(request.layers, here)
            ),
            has_finished_things=any(
                each.kind == "foreground" and not drawn for each, drawn in zip(request.layers, here)
            ),
        )

    def request(self, request: GenerateRequest, made: Mapping[int, LayerResult]) -> GenerateRequest:
        """The request with these targets only; the others are finished."""
        return replace(
            request,
            layers=tuple(
                each
                if each.layer_id in self.layer_ids or each.layer_id not in made
                else replace(each, pixels=made[each.layer_id].rgba)
                for each in request.layers
            ),
        )


def parts_of(request: GenerateRequest, own_looks: Mapping[int, str]) -> list[Part]:
    """Which targets of a request are drawn together.

    First all of them in the look of the prompt; then once more those that have a look of their
    own, look by look, next to the finished others.

    Args:
        own_looks: by layer id, of targets.
    """
    targets = frozenset(each.layer_id for each in request.layers if each.is_target)
    by_look: dict[str, set[int]] = {}
    for layer, look in own_looks.items():
        by_look.setdefault(look, set()).add(layer)
    repainted = [Part(frozenset(layers), look) for look, layers in by_look.items()]
    if len(repainted) == 1 and repainted[0].layer_ids == targets:
        return repainted
    return [Part(targets), *repainted]


@dataclass(slots=True)
class _Run:
    """One request under way.

    Attributes:
        started: when it began, by `clock`: the time left is predicted from all that was spent, and
            what precedes the first step counts.
        total: steps; decoding counts as the last.
    """

    request: GenerateRequest
    emit: Emit
    should_stop: Callable[[], bool]
    clock: Callable[[], float]
    started: float
    total: int = 0
    done: int = 0

    def begin(self, prompt: Prompt, total: int) -> None:
        """Report what was read, and the number of steps."""
        self.total = total
        self.emit(
            Started(
                job_id=self.request.job_id,
                total_steps=total,
                unknown_words=prompt.unknown_words,
                check=prompt.check,
            )
        )

    def check(self) -> None:
        if self.should_stop():
            raise Cancelled

    def advance(self) -> None:
        """Report one more step."""
        self.done += 1
        left = (self.clock() - self.started) / self.done * (self.total - self.done)
        job_id = self.request.job_id
        self.emit(Progress(job_id=job_id, step=self.done, total=self.total, seconds_left=left))

    def finish(self) -> None:
        """Report the last step, also where boxes stayed empty and took no steps."""
        self.done = self.total - 1
        self.advance()


class LayerPipeline:
    """Runs requests on one model, one at a time.

    Args:
        backbone: on its device already.
        threads: torch threads on the CPU.

    Attributes:
        clock: monotonic seconds.
    """

    def __init__(self, backbone: Backbone[Any, Any], *, threads: int = 1) -> None:
        torch.set_num_threads(threads)
        self.backbone = backbone
        self.clock: Callable[[], float] = time.monotonic

    @classmethod
    def load(
        cls,
        path: Path | None = None,
        *,
        device: str = "auto",
        threads: int = 1,
        report: StageReport = silent,
    ) -> LayerPipeline:
        """Read a model file (None: the shipped one); errors as of `load_backbone`."""
        chosen = choose_device(device)
        return cls(load_backbone(path, chosen, precision(chosen), report), threads=threads)

    @property
    def cache(self) -> RegionTokenCache:
        return self.backbone.cache

    @property
    def info(self) -> ModelInfo:
        return self.backbone.info()

    # ---- one request ----

    @torch.inference_mode()
    def run(
        self,
        request: GenerateRequest,
        *,
        emit: Emit = lambda event: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Finished:
        """Generate the request's targets.

        Args:
            emit: receives Started, Progress and, within their budget, Preview.
            should_stop: asked between network calls.

        Raises:
            LayoutError, RequestError: bad input, before anything is computed.
            Cancelled: `should_stop` returned True.
        """
        started, before = self.clock(), self.cache.stats()
        info = self.info
        self.check(request, info)
        request = snapped(request, info.token_px)
        with self._autocast():
            parts = parts_of(request, self.backbone.own_looks(request))
            prompts = [self.encode(request, part) for part in parts]
            settings = [self.settings(request, *each, info) for each in zip(parts, prompts)]
            run = _Run(request, emit, should_stop, self.clock, started)
            run.begin(prompts[0], sum(each.steps for each in settings) + 1)
            made: dict[int, LayerResult] = {}
            not_placed: tuple[NotPlaced, ...] = ()
            for part, prompt, how in zip(parts, prompts, settings, strict=True):
                state = self.assign(part.request(request, made), prompt, how, run.check)
                if not made:
                    words = tuple(state.decided.items())
                    emit(Assigned(job_id=request.job_id, words=words))
                    not_placed = self.backbone.not_placed(state)
                tokens = self.sample(state, how, run)
                cleans = how.clean_colours
                cleaned = None if cleans == settings[0].clean_colours else cleans
                for layer in self.decode(state, tokens, how, run.check):
                    made[layer.layer_id] = replace(layer, clean_colours=cleaned)
        run.finish()
        after = self.cache.stats()
        return self._finished(
            request,
            prompts[0],
            settings[0],
            info,
            results=tuple(made.values()),
            seconds=self.clock() - started,
            cache_hits=after.hits - before.hits,
            cache_misses=after.misses - before.misses,
            not_placed=not_placed,
        )

    def check(self, request: GenerateRequest, info: ModelInfo) -> None:
        """Raise LayoutError or RequestError for a request that the model cannot generate."""
        if request.task not in info.tasks:
            raise RequestError(
                f"{info.name} has no task {request.task!r}.",
                f"Its tasks: {', '.join(info.tasks)}. Choose one of them, or another model.",
            )
        self.backbone.check(request)

    def encode(self, request: GenerateRequest, part: Part) -> Prompt:
        """The request's prompt as the network reads it for some of the targets."""
        return self.backbone.encode_prompt(request, part.look)

    @staticmethod
    def settings(request: GenerateRequest, part: Part, prompt: Prompt, info: ModelInfo) -> Settings:
        """The request's settings; what it leaves open comes from the model and the prompt."""
        of_edits = info.default_edit_steps if part.is_edit(request) else None
        steps = request.steps or of_edits or info.default_steps
        cfg_scale = info.default_cfg_scale if request.cfg_scale is None else request.cfg_scale
        looks = () if info.vocabulary is None else info.vocabulary.looks
        clean_colours = cleans_colours(request.clean_colours, prompt.look, looks)
        return Settings(steps, cfg_scale, clean_colours)

    def assign(
        self, request: GenerateRequest, prompt: Prompt, settings: Settings, check: Check
    ) -> State:
        """Encode the context layers and decide what each target shows."""
        return self.backbone.begin(request, prompt, settings.cfg_scale, check)

    def sample(self, state: State, settings: Settings, run: _Run) -> Tensor:
        """(1, N, C) finished tokens of all targets that are drawn."""
        if not state.targets:
            return state.noise
        previews = PreviewBudget(run.request.preview_every, self.clock)

        def report(done: int, predicted: Tensor) -> None:
            run.check()
            run.advance()
            if done < settings.steps and previews.allows(done):
                wait_for(self.backbone.device)  # the step's own time is not the preview's
                with previews.paying():
                    for layer, rgba in self.backbone.preview(state, predicted):
                        run.emit(
                            Preview(
                                job_id=run.request.job_id,
                                layer_id=layer.layer_id,
                                box=layer.box,
                                rgba=rgba,
                            )
                        )

        levels = self.backbone.schedule(state, settings.steps)
        return sample(lambda x, t: self.backbone.velocity(state, x, t), state.noise, levels, report)

    def decode(
        self, state: State, tokens: Tensor, settings: Settings, check: Check
    ) -> tuple[LayerResult, ...]:
        """One layer per target of the request."""
        return self.backbone.decode(state, tokens, check, clean_colours=settings.clean_colours)

    @staticmethod
    def _finished(
        request: GenerateRequest, prompt: Prompt, settings: Settings, info: ModelInfo, **made: Any
    ) -> Finished:
        """What was made, and how the request was carried out."""
        return Finished(
            job_id=request.job_id,
            steps=settings.steps,
            cfg_scale=settings.cfg_scale,
            clean_colours=settings.clean_colours,
            unknown_words=prompt.unknown_words,
            model_name=info.name,
            model_hash=info.file_hash,
            device=info.device,
            precision=info.precision,
            threads=info.threads,
            torch_version=str(torch.__version__),
            reading=1 if prompt.check is None else PROMPT_READING,
            check=prompt.check,
            **made,
        )

    # ---- between requests ----

    @torch.inference_mode()
    def warm_cache(
        self, request: GenerateRequest, finished: Finished, goes_on: Callable[[], bool]
    ) -> None:
        """Put a job's layers into the cache while `goes_on`, so that the first edit finds them."""
        made = {result.layer_id: result.rgba for result in finished.results}
        request = snapped(request, self.info.token_px)
        layers = tuple(
            replace(layer, pixels=made.get(layer.layer_id, layer.pixels))
            for layer in request.layers
        )
        with self._autocast():
            self.backbone.encode_context(replace(request, layers=layers), goes_on)

    def _autocast(self) -> torch.autocast:
        device, dtype = self.backbone.device, self.backbone.dtype
        return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)
