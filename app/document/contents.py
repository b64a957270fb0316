"""Contents: everything a document holds, as one immutable value.

Commands compute new contents from old ones. Independent of events and files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal, get_args

from app.document.errors import DocumentError, LimitError
from app.document.geometry import Rect, Size
from app.document.layer import (
    BACKGROUND_NAME,
    BACKGROUND_NUMBER,
    MAX_SEED,
    Candidate,
    Layer,
    new_layer_id,
)
from app.document.pixels import Pixels

MAX_LAYERS = 200  # of a file, background included
MAX_PROMPT = 20_000
MAX_SIDE = 8192
MAX_VARIATIONS = 8
DEFAULT_CANVAS = Size(512, 512)
DEFAULT_GRID = 32

SeedMode = Literal["random", "fixed"]
CleanColours = Literal["automatic", "on", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How pictures are generated."""

    steps: int | None = None  # sampling steps; None = the model's default
    cfg_scale: float | None = None  # guidance; None = the model's default, 1 = none
    # whether the colours of generated layers become flat fills; "automatic" leaves it to the look
    # that the prompt names
    clean_colours: CleanColours = "automatic"
    seed_mode: SeedMode = "random"  # "random" draws a picture seed per job, "fixed" uses `seed`
    seed: int = 0  # picture seed, 0 to 4294967295
    variations: int = 1  # pictures per job, 1 to 8
    repeat_things: bool = False  # boxes for which the prompt names nothing show more of its things
    # keys of a project file that this version does not know; written back
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= self.variations <= MAX_VARIATIONS:
            raise ValueError(f"variations must be 1 to {MAX_VARIATIONS}, got {self.variations}")
        if self.steps is not None and not 1 <= self.steps <= 1000:
            raise ValueError(f"steps must be 1 to 1000, got {self.steps}")
        if self.cfg_scale is not None and not 0.0 <= self.cfg_scale <= 100.0:
            raise ValueError(f"guidance must be 0 to 100, got {self.cfg_scale}")
        if self.clean_colours not in get_args(CleanColours):
            raise ValueError(
                f"clean colours must be automatic, on or off, got {self.clean_colours!r}"
            )
        if self.seed_mode not in ("random", "fixed"):
            raise ValueError(f"seed mode must be random or fixed, got {self.seed_mode!r}")
        if not 0 <= self.seed <= MAX_SEED:
            raise ValueError(f"a seed must be 0 to {MAX_SEED}, got {self.seed}")

    def values(self) -> dict[str, Any]:
        """All settings by name, without `extra`."""
        return {each.name: getattr(self, each.name) for each in fields(self)[:-1]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The whole document at one moment."""

    canvas: Size
    background: Layer  # always there, so that switching it off loses nothing; see `background_on`
    background_on: bool = True
    foregrounds: tuple[Layer, ...] = ()  # bottom to top
    prompt: str = ""
    settings: Settings = field(default_factory=Settings)
    next_number: int = 1  # number of the next foreground layer
    detached: tuple[Candidate, ...] = ()  # candidates whose layer is gone
    prompts: tuple[str, ...] = ()  # those that pictures were made with, newest first, at most 200
    # keys of a project file that this version does not know; written back
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Bottom to top; the background first when it is on."""
        return (self.background, *self.foregrounds) if self.background_on else self.foregrounds

    def get(self, layer_id: int) -> Layer | None:
        """The layer with this id, also a background that is off; None when there is none."""
        if self.background.id == layer_id:
            return self.background
        for layer in self.foregrounds:
            if layer.id == layer_id:
                return layer
        return None

    def layer(self, layer_id: int) -> Layer:
        """The layer with this id. Raises DocumentError: there is none."""
        layer = self.get(layer_id)
        if layer is None:
            raise DocumentError(f"There is no layer with id {layer_id}.")
        return layer

    def pictures(self) -> Iterator[Pixels]:
        """Every picture that the document holds, hidden background included; some repeatedly."""
        for layer in (self.background, *self.foregrounds):
            yield from layer.pictures()
        yield from (candidate.image for candidate in self.detached)

    def with_layers(self, changed: Iterable[Layer]) -> Contents:
        """These contents with some layers replaced by new values of the same ids."""
        by_id = {layer.id: layer for layer in changed}
        return replace(
            self,
            background=by_id.get(self.background.id, self.background),
            foregrounds=tuple(by_id.get(layer.id, layer) for layer in self.foregrounds),
        )

    def with_each(self, layer_ids: Iterable[int], **changes: Any) -> Contents:
        """These contents with attributes changed in some layers; DocumentError: one is gone."""
        return self.with_layers([replace(self.layer(each), **changes) for each in layer_ids])

    def with_added(self, layers: Iterable[Layer], above: int | None = None) -> Contents:
        """These contents with more foregrounds, above a layer (None = on top); or LimitError."""
        added = tuple(layers)
        check_room(len(self.foregrounds), len(added))
        order = [layer.id for layer in self.foregrounds]
        at = len(order)
        if above is not None:
            at = 0 if above == self.background.id else order.index(self.layer(above).id) + 1
        foregrounds = (*self.foregrounds[:at], *added, *self.foregrounds[at:])
        number = max([self.next_number, *(layer.number + 1 for layer in added)])
        return replace(self, foregrounds=foregrounds, next_number=number)


def check_room(present: int, added: int, what: str = "box") -> None:
    """Raise LimitError where a file would get too many layers; `what` is a single one."""
    if present + added + 1 > MAX_LAYERS:
        one = added == 1
        raise LimitError(
            f"A document holds up to {MAX_LAYERS} layers.",
            f"The {what} was not added." if one else f"The {added} layers were not added.",
            "Delete a layer first." if one else "Delete some layers first.",
        )


def new_background(canvas: Size) -> Layer:
    return Layer(
        id=new_layer_id(),
        number=BACKGROUND_NUMBER,
        name=BACKGROUND_NAME,
        rect=canvas.rect,
        is_background=True,
    )


def new_contents(
    canvas: Size = DEFAULT_CANVAS,
    grid: int = DEFAULT_GRID,
    *,
    boxes: Iterable[Rect] = (),
    background: bool = True,
    prompt: str = "",
    settings: Settings | None = None,
) -> Contents:
    """Contents with empty boxes, bottom first, each snapped outward. Raises LimitError."""
    contents = Contents(
        canvas=canvas,
        background=new_background(canvas),
        background_on=background,
        prompt=prompt,
        settings=settings or Settings(),
    )
    layers = [
        Layer(
            id=new_layer_id(),
            number=number,
            name=default_name(number),
            rect=box.snapped_outward(grid, canvas),
        )
        for number, box in enumerate(boxes, start=1)
    ]
    return contents.with_added(layers)


def default_name(number: int) -> str:
    """What a layer is called before it gets a name."""
    return f"Layer {number}" if number else BACKGROUND_NAME


def seed_for(layer: Layer, picture_seed: int) -> int:
    """The layer's seed in a job with this picture seed: pinned, else derived from its number.

    Adding, deleting or reordering boxes leaves the other seeds alone.
    """
    if layer.seed is not None:
        return layer.seed
    digest = hashlib.sha256(f"{picture_seed}:{layer.number}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def content_hash(contents: Contents) -> str:
    """SHA-256 over everything that counts; ids do not, they differ from one session to another."""

    def plain(value: Any) -> Any:
        if isinstance(value, Pixels):
            return value.hash
        if is_dataclass(value):
            return [plain(getattr(value, each.name)) for each in fields(value) if each.name != "id"]
        return [plain(each) for each in value] if isinstance(value, tuple) else value

    return hashlib.sha256(json.dumps(plain(contents), sort_keys=True).encode()).hexdigest()
