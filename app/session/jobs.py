"""Jobs: what was asked of the engine, how far it is, and how it ended.

Decides which layers are target, context or neither, and which words of a prompt are not drawn.
Everything here lives on the UI thread.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.document import Layer, Rect, UserError
from app.document.contents import Contents, seed_for
from app.document.staleness import outdated
from app.document.words import shows_its_word, word_of
from engine import Failed, GenerateRequest, LayerRequest, SpareBoxes

Scope = Literal["picture", "selected", "empty", "outdated"]
JobState = Literal["waiting", "running", "stopping", "finished", "cancelled", "failed"]
MessageKind = Literal["error", "warning", "news", "note"]

SCOPES: tuple[Scope, ...] = ("picture", "selected", "empty", "outdated")
_ENDED: tuple[JobState, ...] = ("finished", "cancelled", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something to tell the user: what happened, what was kept, what to do."""

    kind: MessageKind  # "news" is to be read but no trouble; a "note" passes in the status bar
    what: str
    kept: str = ""
    advice: str = ""
    details: str = ""
    # Name of the window's action that does what the advice says, offered as a button.
    action: str = ""
    other_action: str = ""  # name of another one that does instead, offered next to it

    @property
    def text(self) -> str:
        return " ".join(part for part in (self.what, self.kept, self.advice) if part)


def message_of(error: UserError, kind: MessageKind = "warning") -> Message:
    """What an error that was written for the user says."""
    return Message(kind=kind, what=error.what, kept=error.kept, advice=error.advice)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who takes part in a job, bottom to top."""

    targets: tuple[Layer, ...]  # layers that are generated
    context: tuple[Layer, ...]  # visible layers with pixels that the model reads and leaves alone
    skipped: tuple[Layer, ...]  # asked for, but locked or hidden


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a job that did not end well: asked for again, it gives the same pictures."""

    picture_seed: int
    variations: int
    seeds: Mapping[int, int] = field(default_factory=dict)  # as `Job.seeds`


@dataclass(slots=True, kw_only=True)
class Job:
    """The app's record of one job: one run of the engine per variation."""

    id: int
    scope: Scope
    target_ids: tuple[int, ...]  # what was asked for, bottom to top
    names: dict[int, str]  # the targets' names when they were asked for
    picture_seed: int  # of the first variation; the next ones count up
    # Of layers that have one for this job alone.
    seeds: Mapping[int, int] = field(default_factory=dict)
    prompt: str = ""  # of the document when it was asked for
    # Name and title of the engine that it was asked of; it stays with it.
    engine: str = ""
    engine_title: str = ""
    variations: int = 1
    done: int = 0  # variations that are finished
    # The document and who takes part when the job began; None before, and once it has ended.
    contents: Contents | None = None
    planned: Plan | None = None
    # What the engine got for the present run; None when none is under way.
    request: GenerateRequest | None = None
    # Where each target was when the job began, and its pixel hash, by layer id.
    rects: dict[int, Rect] = field(default_factory=dict)
    hashes: dict[int, str | None] = field(default_factory=dict)
    # What the model decided to show in the targets of the present run, by layer id.
    words: Mapping[int, str] = field(default_factory=dict)
    # Numbers of all layers in the request, by layer id.
    numbers: dict[int, int] = field(default_factory=dict)
    state: JobState = "waiting"
    step: int = 0  # of the present run
    total: int = 0
    seconds_left: float | None = None
    began: float | None = None  # monotonic seconds of the first run's start
    # That finished runs took; until it stopped or failed, where it did.
    seconds: float | None = None
    message: Message | None = None

    @property
    def has_ended(self) -> bool:
        return self.state in _ENDED

    @property
    def part(self) -> float:
        """How much is done, 0 to 1, over all variations."""
        now = self.step / self.total if self.total else 0.0
        return min(1.0, (self.done + now) / self.variations)

    @property
    def rest(self) -> Rest:
        """The variations that are not finished."""
        seed = (self.picture_seed + self.done) % 2**32
        return Rest(seed, self.variations - self.done, self.seeds)

    @property
    def title(self) -> str:
        """What the job makes, for messages: "'Castle'" or "the picture"."""
        if self.scope == "picture":
            return "the picture"
        names = [f"'{name}'" for name in self.names.values()]
        if len(names) > 3:
            return f"{len(names)} layers"
        return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def painted_steps(step: int, total: int) -> tuple[int, int]:
    """Which of the engine's steps the user sees: (painted so far, of how many).

    The engine counts decoding as one more step at the end, which is over at once. (0, n) means that
    it still plans what each box shows.

    Args:
        step: steps of the engine that are done, 0 to total.
        total: all of them, decoding included; at least 1.
    """
    painting = max(1, total - 1)
    return min(step, painting), painting


def reason_against(planned: Plan, scope: Scope) -> str:
    """Why such a job cannot begin, as one clause; empty when it can."""
    if planned.targets:
        return ""
    if scope == "picture":
        return "there is no visible, unlocked layer and no background"
    if scope == "empty":
        return "no visible box is empty"
    if scope == "outdated":
        return "nothing is outdated"
    if not planned.skipped:
        return "no layer is selected"
    return "the layer is locked" if planned.skipped[0].locked else "the layer is hidden"


def plan(contents: Contents, scope: Scope, selected: Collection[int] = ()) -> Plan:
    """Targets and context of a job.

    Args:
        scope: "picture" takes every layer that may be generated; "selected" those of `selected`;
            "empty" the boxes without pixels; "outdated" those whose word left the
            prompt or whose size has changed.
    """
    asked = [layer for layer in contents.layers if _is_asked(contents, layer, scope, selected)]
    targets = [layer for layer in asked if layer.visible and not layer.locked]
    taken = {layer.id for layer in targets}
    context = [
        layer
        for layer in contents.layers
        if layer.visible and layer.has_pixels and layer.id not in taken
    ]
    skipped = [layer for layer in asked if layer.id not in taken and scope == "selected"]
    return Plan(tuple(targets), tuple(context), tuple(skipped))


def plans(contents: Contents, selected: Collection[int] = ()) -> dict[Scope, Plan]:
    """The plans of every scope: one call answers all that a window asks."""
    return {scope: plan(contents, scope, selected) for scope in SCOPES}


def build_request(
    contents: Contents,
    plan: Plan,
    job_id: int,
    picture_seed: int,
    preview_every: int = 1,
    variation: int = 0,
    spare_boxes: SpareBoxes | None = None,
    *,
    seeds_are_free: bool = False,
) -> GenerateRequest:
    """The whole truth about one run, for the engine, in canvas pixels; it snaps to its grid.

    Args:
        picture_seed: of the first variation.
        variation: counted from 0; added to every seed, pinned ones included, or all would be equal.
        spare_boxes: see `GenerateRequest`; None = boxes stay empty, and layers that are repainted
            beside others show something.
        seeds_are_free: the picture seed was drawn for this job alone, so another would do as well.
    """
    picture_seed = (picture_seed + variation) % 2**32
    taken = {layer.id for layer in plan.targets}
    taking_part = {layer.id for layer in (*plan.targets, *plan.context)}
    layers = []
    for layer in contents.layers:
        if layer.id not in taking_part:
            continue
        is_target = layer.id in taken
        layers.append(
            LayerRequest(
                layer_id=layer.id,
                kind="background" if layer.is_background else "foreground",
                box=layer.region(1, contents.canvas).to_box(),
                seed=_seed(layer, picture_seed, variation) if is_target else 0,
                pixels=None if is_target else layer.region_pixels(1, contents.canvas),
                # Of finished layers only what their pixels show.
                shows=layer.shows if is_target or shows_its_word(layer) else "",
                seed_is_free=seeds_are_free and is_target and layer.seed is None,
                showed="" if layer.is_background else word_of(layer),
            )
        )
    return GenerateRequest(
        job_id=job_id,
        canvas=(contents.canvas.width, contents.canvas.height),
        prompt=" ".join(contents.prompt.split()),
        layers=tuple(layers),
        steps=contents.settings.steps,
        cfg_scale=contents.settings.cfg_scale,
        clean_colours=contents.settings.clean_colours,
        preview_every=preview_every,
        spare_boxes=spare_boxes or _usual_spare(contents, plan),
    )


def _usual_spare(contents: Contents, plan: Plan) -> SpareBoxes:
    """The user who repaints finished things expects to see something in each of them."""
    if contents.settings.repeat_things:
        return "repeat"
    things = [layer for layer in plan.targets if not layer.is_background]
    others = any(not layer.is_background for layer in plan.context)
    repaints = others and bool(things) and all(layer.has_pixels for layer in things)
    return "repeat" if repaints else "empty"


def failure_message(job: Job, event: Failed, tokens: int = 0, fitting: int = 0) -> Message:
    """The message for a failed job: its tokens, and how many would fit; 0 = not known."""
    what = f"Generating {job.title} failed."
    kept = "Your picture did not change."
    if job.done:
        kept = f"Your picture and {_count(job.done)} finished results are kept."
        if job.done == 1:
            kept = "Your picture and the finished result are kept."
    if event.kind == "memory":
        count = len(job.rects)
        layers = "1 layer" if count == 1 else f"{count} layers"
        what = f"There was not enough memory for {layers}."
        kept = kept if job.done else "Nothing was changed."
        room = (
            f"About {100 * fitting // tokens} % of the job would fit. "
            if fitting and tokens
            else ""
        )
        advice = f"{room}Generate fewer layers at once, or choose a smaller canvas."
    elif event.kind == "request":
        what, advice = f"{what} {event.message}", event.advice
    else:
        advice = "Try again, or copy the details for a report."
    details = "\n".join(part for part in (event.message, event.details) if part)
    return Message(kind="error", what=what, kept=kept, advice=advice, details=details)


def _count(number: int) -> str:
    words = ("no", "one", "the two", "the three", "the four", "the five", "the six", "the seven")
    return words[number] if number < len(words) else f"the {number}"


def _seed(layer: Layer, picture_seed: int, variation: int) -> int:
    if layer.seed is not None:
        return (layer.seed + variation) % 2**32
    return seed_for(layer, picture_seed)


def _is_asked(contents: Contents, layer: Layer, scope: Scope, selected: Collection[int]) -> bool:
    if scope == "selected":
        return layer.id in selected
    if scope == "empty":
        return layer.kind == "box" and not layer.is_background
    if scope == "outdated":
        return bool(outdated(layer, contents))
    return layer.kind in ("box", "generated")
