"""What each edit costs, kind by kind: document, request and a real engine together.

A job that makes one layer anew reads the three others. How many of them it had to compute says
what became of their cached tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from app.document import Document, Rect, Size, new_contents
from app.document.commands import (
    AddBox,
    AddCandidates,
    Command,
    DeleteLayers,
    DuplicateLayers,
    KeepAsIs,
    MoveLayers,
    Placement,
    PlacePixels,
    Rename,
    Reorder,
    SetBlend,
    SetCanvas,
    SetLocked,
    SetOpacity,
    SetPrompt,
    SetRect,
    SetSeed,
    SetSettings,
    SetVisible,
    UseCandidates,
)
from app.document.contents import Settings
from app.document.layer import Layer
from app.document.staleness import outdated
from app.session.jobs import build_request, plan
from engine import Finished
from engine.pipeline import LayerPipeline
from tests.app.document.examples import UndoStack, picture
from tests.engine.tiny import tiny_generator

GRID, PROMPT, OTHER_SEED = 32, "a red dog", 70
CASTLE_AT, TREE_AT, TARGET_AT = (0, 0, 96, 96), (128, 32, 224, 128), (64, 160, 160, 256)


class Desk:
    """A finished picture whose tokens were all read once: the castle is edited, the target made."""

    def __init__(self) -> None:
        boxes = [Rect.from_box(box) for box in (CASTLE_AT, TREE_AT, TARGET_AT)]
        self.document = Document(
            new_contents(Size(256, 256), GRID, boxes=boxes, prompt=PROMPT), GRID
        )
        self.background = self.document.background_id
        self.castle, self.tree, self.target = (layer.id for layer in self.document.foregrounds)
        self.generator: LayerPipeline = tiny_generator()
        PlacePixels([self.made(layer.id, 7) for layer in self.document.layers]).do(self.document)
        self.read()
        self.stack = UndoStack(self.document)

    def made(self, layer_id: int, seed: int, prompt: str = PROMPT) -> Placement:
        """Pixels as if they had been generated where the layer is now."""
        layer = self.document.layer(layer_id)
        rect = layer.region(GRID, self.document.canvas)
        pixels = picture(rect.width, rect.height, seed + layer.number)
        word = prompt.split()[-1]
        record = {"prompt": prompt, "seed": seed, "box": list(rect.to_box()), "word": word}
        return Placement(layer_id, pixels, rect, record)

    def read(self) -> Finished:
        """Make the target anew, to be thrown away."""
        contents = self.document.contents
        request = build_request(contents, plan(contents, "selected", [self.target]), 1, 5, 0)
        return self.generator.run(replace(request, steps=1))

    def layer(self) -> Layer:
        return self.document.layer(self.castle)

    def pixels(self) -> dict[int, str | None]:
        return {layer.id: layer.pixel_hash for layer in self.document.layers}

    def marks(self) -> dict[int, str]:
        return {x.id: outdated(x, self.document.contents) for x in self.document.layers}


@dataclass(frozen=True)
class Row:
    """One edit and what the table says of it.

    Attributes:
        edit: the command, made when everything before it is done.
        found, computed: layers whose tokens the next job finds, and those it has to compute.
        own: what becomes of the castle's pixels: "same", "other" or "gone".
        marks: the castle's and, where it is told, the other layers' outdated marks afterwards.
        before: done before, no part of the row.
    """

    edit: Callable[[Desk], Command]
    found: int = 3
    computed: int = 0
    own: str = "same"
    marks: dict[str, str] = field(default_factory=dict)
    before: Callable[[Desk], object] = lambda desk: None


def add_empty(desk: Desk) -> None:
    AddBox(Rect(192, 192, 32, 32), name="Box").do(desk.document)


def box(desk: Desk) -> int:
    return next(layer.id for layer in desk.document.foregrounds if not layer.has_pixels)


def offer(desk: Desk) -> None:
    """A candidate that was made for other words and whose tokens nobody has read."""
    made = desk.made(desk.castle, OTHER_SEED, "a castle")
    AddCandidates({desk.castle: made.as_candidate()}).do(desk.document)


def use_newest(desk: Desk) -> Command:
    return UseCandidates({desk.castle: desk.layer().candidates[0].pixel_hash})


def replace_castle(desk: Desk) -> None:
    PlacePixels([desk.made(desk.castle, OTHER_SEED)]).do(desk.document)
    desk.read()


def other_words(desk: Desk) -> None:
    SetPrompt("a red castle").do(desk.document)


def regenerated(desk: Desk) -> Command:
    """What the engine itself makes of the castle."""
    contents = desk.document.contents
    request = build_request(contents, plan(contents, "selected", [desk.castle]), 2, 9, 0)
    (result,) = desk.generator.run(replace(request, steps=1)).results
    record = {"prompt": contents.prompt, "seed": result.seed, "box": list(result.box)}
    place = Rect.from_box(result.box)
    return PlacePixels([Placement(desk.castle, result.rgba, place, record)])


ALL_BY_PROMPT = dict.fromkeys(("background", "castle", "tree", "target"), "prompt")

ROWS = {
    "draw an empty box": Row(lambda d: AddBox(Rect(192, 192, 32, 32))),
    "move an empty box": Row(lambda d: MoveLayers([box(d)], -32, 0), before=add_empty),
    "resize an empty box": Row(lambda d: SetRect(box(d), Rect(160, 160, 64, 64)), before=add_empty),
    "move by whole grid steps": Row(lambda d: MoveLayers([d.castle], 64, 32)),
    "move off the grid": Row(lambda d: MoveLayers([d.castle], 5, 3), 2, 1),
    "resize a layer with pixels": Row(
        lambda d: SetRect(d.castle, Rect(0, 0, 64, 64)), 2, 1, "other", {"castle": "size"}
    ),
    "resize it back": Row(
        lambda d: SetRect(d.castle, Rect.from_box(CASTLE_AT)),
        own="other",
        before=lambda d: SetRect(d.castle, Rect(0, 0, 64, 64)).do(d.document),
    ),
    "reorder": Row(lambda d: Reorder([d.castle], d.tree)),
    "hide": Row(lambda d: SetVisible([d.castle], False), 2),
    "show": Row(
        lambda d: SetVisible([d.castle], True),
        before=lambda d: SetVisible([d.castle], False).do(d.document),
    ),
    "opacity": Row(lambda d: SetOpacity([d.castle], 0.3)),
    "blend": Row(lambda d: SetBlend([d.castle], "screen")),
    "name": Row(lambda d: Rename(d.castle, "Keep")),
    "lock": Row(lambda d: SetLocked([d.castle], True)),
    "steps": Row(lambda d: SetSettings(Settings(steps=9))),
    "guidance": Row(lambda d: SetSettings(Settings(cfg_scale=1.5))),
    "clean colours": Row(lambda d: SetSettings(Settings(clean_colours="off"))),
    "picture seed": Row(lambda d: SetSettings(Settings(seed_mode="fixed", seed=8))),
    "seed field": Row(lambda d: SetSeed(d.castle, 8)),
    "edit the prompt": Row(lambda d: SetPrompt("a red castle"), marks=ALL_BY_PROMPT),
    "keep as is": Row(
        lambda d: KeepAsIs([d.castle]), marks={**ALL_BY_PROMPT, "castle": ""}, before=other_words
    ),
    "regenerate, accept": Row(
        regenerated, 2, 1, "other", {**ALL_BY_PROMPT, "castle": ""}, before=other_words
    ),
    "use a candidate never read": Row(
        use_newest, 2, 1, "other", {"castle": "prompt"}, before=offer
    ),
    "use a candidate once read": Row(use_newest, own="other", before=replace_castle),
    "duplicate": Row(lambda d: DuplicateLayers([d.castle]), 4),
    "delete": Row(lambda d: DeleteLayers([d.castle]), 2, own="gone"),
    # The background covers the new canvas, so that its region is another one.
    "canvas size, shifted on the grid": Row(
        lambda d: SetCanvas(Size(384, 384), 64, 64), 2, 1, marks={"background": "size"}
    ),
    "canvas size, shifted off the grid": Row(
        lambda d: SetCanvas(Size(384, 384), 60, 60), 0, 3, marks={"background": "size"}
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_each_edit_does(name: str) -> None:
    """Own pixels, cached tokens, mark; the others' bytes; one undo step."""
    row, desk = ROWS[name], Desk()
    row.before(desk)
    contents, pixels, marks = desk.document.contents, desk.pixels(), desk.marks()
    content_hash, castle = desk.document.content_hash(), desk.layer()

    desk.stack.push(row.edit(desk))
    assert len(desk.stack.done) == 1
    now = desk.pixels()
    own = now.pop(desk.castle, "gone")
    assert {"same": own == castle.pixel_hash, "gone": own == "gone"}.get(
        row.own, own not in (castle.pixel_hash, "gone")
    )
    others = {layer_id: known for layer_id, known in pixels.items() if layer_id != desk.castle}
    assert {layer_id: now[layer_id] for layer_id in others} == others, "others' pixels changed"
    marked = {key: desk.marks().get(getattr(desk, key), "") for key in ALL_BY_PROMPT}
    assert marked == {**dict.fromkeys(ALL_BY_PROMPT, ""), **row.marks}

    made = desk.read()
    assert (made.cache_hits, made.cache_misses) == (row.found, row.computed)
    edited = desk.document.content_hash()
    assert desk.read().cache_misses == 0, "what was refilled is kept"

    desk.stack.undo()
    assert desk.document.content_hash() == content_hash
    assert (desk.pixels(), desk.marks()) == (pixels, marks)
    for layer in contents.layers:
        if layer.image is not None:
            assert np.array_equal(desk.document.layer(layer.id).pixels, layer.pixels)
    # At most what had never been read before the edit: the one row that begins with such pixels.
    assert desk.read().cache_misses == (1 if name == "resize it back" else 0)

    desk.stack.redo()
    assert desk.document.content_hash() == edited
    assert desk.read().cache_misses == 0, "found again"


def test_former_pixels_stay_as_a_candidate() -> None:
    """After accepting, and after a resize, whose source is what is resampled from."""
    desk = Desk()
    former = desk.layer()
    desk.stack.push(SetRect(desk.castle, Rect(0, 0, 40, 40)))
    small = desk.layer()
    assert [item.pixel_hash for item in small.candidates] == [former.pixel_hash]
    desk.stack.push(SetRect(desk.castle, Rect(0, 0, 64, 64)))
    stepwise = desk.layer().pixel_hash
    desk.stack.undo()
    desk.stack.undo()
    desk.stack.push(SetRect(desk.castle, Rect(0, 0, 64, 64)))
    assert desk.layer().pixel_hash == stepwise, "never from a resampled copy"
    desk.stack.undo()
    desk.stack.push(regenerated(desk))
    assert [item.pixel_hash for item in desk.layer().candidates] == [former.pixel_hash]


def test_a_duplicate_shares_bytes_and_copies_the_mark() -> None:
    """The very same immutable pixels, not a copy of them; outdated as the original."""
    desk = Desk()
    other_words(desk)
    command = DuplicateLayers([desk.castle])
    desk.stack.push(command)
    copy = desk.document.layer(command.new_ids[0])
    assert copy.image is desk.layer().image
    assert copy.record == desk.layer().record
    assert outdated(copy, desk.document.contents) == "prompt"
