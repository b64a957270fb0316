"""Candidates: kept without being shown, used, discarded; and what counts as outdated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.document import Document, DocumentError
from app.document.candidates import candidate_load, choices, is_over, oldest_unused, original_of
from app.document.commands import (
    AddCandidates,
    DeleteLayers,
    DiscardCandidates,
    KeepAsIs,
    MoveLayers,
    Placement,
    SetLocked,
    SetPrompt,
    SetRect,
    UseCandidates,
)
from app.document.geometry import Rect
from app.document.pixels import Pixels, resampled
from app.document.staleness import SOURCE, outdated
from tests.app.document.examples import UndoStack, design, fill, picture, plain, run


def offer(document: Document, layer_id: int, seed: int, gesture: int | None = None) -> str:
    """A result that waits; returns its hash."""
    rect = document.layer(layer_id).region(document.grid, document.canvas)
    record = {"seed": seed, "prompt": document.prompt}
    placement = Placement(layer_id, picture(rect.width, rect.height, seed), rect, record)
    candidate = placement.as_candidate()
    run(document, AddCandidates({layer_id: candidate}, gesture=gesture))
    return candidate.pixel_hash


def test_a_result_waits_and_changes_nothing_that_is_seen() -> None:
    """The stage is apart from the document's pixels until a candidate is accepted."""
    document = design()
    castle = document.foregrounds[0]
    offer(document, castle.id, 50)
    now = document.layer(castle.id)
    assert now.image is castle.image
    assert len(now.candidates) == len(castle.candidates) + 1
    assert now.candidates[0].record == {"seed": 50, "prompt": ""}


def test_variations_of_one_job_are_one_step() -> None:
    """Candidates that appear one after the other belong to one gesture."""
    document = design()
    stack = UndoStack(document)
    castle = document.foregrounds[0]
    for seed in (1, 2, 3):
        rect = castle.rect
        made = Placement(castle.id, picture(rect.width, rect.height, 60 + seed), rect, {"n": seed})
        stack.push(AddCandidates({castle.id: made.as_candidate()}, "Variations", gesture=4))
    assert len(stack.done) == 1
    assert len(document.layer(castle.id).candidates) == 4
    stack.undo()
    assert document.layer(castle.id) == castle


def test_accepting_several_layers_is_one_step() -> None:
    """One step for a whole picture; the former pixels stay as candidates."""
    document = design()
    background, castle = document.layers[:2]
    hashes = {layer.id: offer(document, layer.id, 70) for layer in (background, castle)}
    run(document, UseCandidates(hashes, "Accept"))
    for layer in (background, castle):
        now = document.layer(layer.id)
        assert now.pixel_hash == hashes[layer.id]
        assert layer.pixel_hash in [item.pixel_hash for item in now.candidates]


def test_a_candidate_follows_its_layer() -> None:
    """Stage: moved meanwhile, it moves along; of another size, it is centred."""
    document = design()
    castle = document.foregrounds[0]
    wanted = offer(document, castle.id, 80)
    run(document, MoveLayers([castle.id], 37, 11))
    run(document, UseCandidates({castle.id: wanted}))
    assert document.layer(castle.id).rect == castle.rect.translated(37, 11)
    run(document, SetRect(castle.id, Rect(10, 10, 80, 80)))
    assert castle.pixel_hash is not None
    run(document, UseCandidates({castle.id: castle.pixel_hash}))
    assert document.layer(castle.id).rect == Rect(26, 34, 48, 32)


def test_discarded_candidates_come_back_by_undo() -> None:
    """Several at once, one step, back into the strip."""
    document = design()
    stack = UndoStack(document)
    castle = document.foregrounds[0]
    hashes = [offer(document, castle.id, seed) for seed in (90, 91)]
    before = document.content_hash()
    stack.push(DiscardCandidates({castle.id: hashes}))
    assert document.layer(castle.id).candidates == castle.candidates
    assert stack.done[-1].label == "Discard 2 Results of 'Castle'"
    stack.undo()
    assert document.content_hash() == before


def test_a_result_for_a_layer_that_is_gone_is_detached() -> None:
    """Never applied, kept."""
    document = design()
    castle = document.foregrounds[0]
    made = Placement(castle.id, plain(48, 32, (1, 2, 3, 255)), castle.rect).as_candidate()
    run(document, DeleteLayers([castle.id]))
    run(document, AddCandidates({castle.id: made}))
    assert document.contents.detached == (made,)


def test_locked_layers_take_no_candidate() -> None:
    """The lock protects the pixels; the strip still fills."""
    document = design()
    castle = document.foregrounds[0]
    run(document, SetLocked([castle.id], True))
    wanted = offer(document, castle.id, 95)
    with pytest.raises(DocumentError, match="locked"):
        run(document, UseCandidates({castle.id: wanted}))


def test_prompt_and_size_make_a_layer_outdated() -> None:
    """These two only; other words of the prompt and a move do not count."""
    document = design()
    castle = document.foregrounds[0]
    assert outdated(castle, document.contents) == "prompt"
    run(document, SetPrompt(" a blue  castle\nat night"))
    assert outdated(document.layer(castle.id), document.contents) == ""
    run(document, MoveLayers([castle.id], 5, 3))
    assert outdated(document.layer(castle.id), document.contents) == ""
    run(document, SetRect(castle.id, Rect(0, 0, 96, 64)))
    assert outdated(document.layer(castle.id), document.contents) == "size"


def test_keep_as_is_lasts_until_the_prompt_changes_again() -> None:
    """One step; another prompt brings the badge back."""
    document = design()
    castle = document.foregrounds[0].id
    run(document, SetPrompt("a moon at night"))
    command = run(document, KeepAsIs([castle]))
    assert command.label == "Mark 'Castle' as Current"
    assert outdated(document.layer(castle), document.contents) == ""
    run(document, SetPrompt("a sun at noon"))
    assert outdated(document.layer(castle), document.contents) == "prompt"
    fill(document, castle, 7)
    run(document, SetPrompt("a castle"))
    again = KeepAsIs([castle])
    run(document, again)
    assert again.changes_nothing


def test_resampling_keeps_what_is_flat_and_hides_nothing() -> None:
    """Premultiplied, so that colour without alpha never bleeds."""
    half = plain(8, 8, (200, 100, 50, 255))
    half[:, 4:] = (0, 255, 0, 0)
    for side in (3, 8, 21):
        out = resampled(half, side, side)
        assert out.shape == (side, side, 4)
        seen = out[out[..., 3] > 40]
        assert np.abs(seen[:, :3].astype(int) - (200, 100, 50)).max() <= 2
    assert np.array_equal(resampled(half, 8, 8)[..., 3], half[..., 3])


@pytest.mark.parametrize(
    ("width", "height", "mark"),
    [(128, 128, ""), (114, 128, ""), (160, 103, ""), (161, 128, "size"), (128, 102, "size")],
)
def test_a_layer_that_was_resized_a_little_is_up_to_date(
    width: int, height: int, mark: str
) -> None:
    """Up to a quarter in each direction; the pixels were made for 128 x 128."""
    document = design()
    record = {"prompt": "", "box": [0, 0, 128, 128], SOURCE: "the full size"}
    image = Pixels.of(picture(width, height, 1))
    rect = Rect(0, 0, width, height)
    layer = replace(document.foregrounds[0], image=image, rect=rect, record=record)
    assert outdated(layer, document.contents) == mark


def test_the_full_size_of_a_resized_layer_is_no_result() -> None:
    """It is the same picture: the strip neither opens nor grows, and Original Size still works."""
    document = design()
    castle = document.foregrounds[0].id
    fill(document, castle, 7)
    offer(document, castle, 50)
    before = [choice.first.pixel_hash for choice in choices(document.contents, {castle})]
    full = document.layer(castle).pixel_hash
    box = document.layer(castle).rect
    run(document, SetRect(castle, Rect(box.x, box.y, box.width - 9, box.height - 9)))
    now = document.layer(castle)
    assert full in [item.pixel_hash for item in now.candidates]
    assert [x.first.pixel_hash for x in choices(document.contents, {castle})] == before
    original = original_of(now)
    assert original is not None and original.pixel_hash == full
    run(document, UseCandidates({castle: before[0]}))
    assert full in [choice.first.pixel_hash for choice in choices(document.contents, {castle})]


def test_the_oldest_unused_are_offered() -> None:
    """Enough to come below the bound; the newest stay, and originals in use."""
    document = design()
    castle = document.foregrounds[0]
    for seed in range(20):
        made = Placement(castle.id, picture(48, 32, 100 + seed), castle.rect, {"n": seed})
        run(document, AddCandidates({castle.id: made.as_candidate()}))
    count, size = candidate_load(document.contents)
    assert count == 21
    assert size == 21 * 48 * 32 * 4
    assert not is_over(document.contents)
    assert is_over(document.contents, count=20)
    assert is_over(document.contents, size=size - 1)
    gone = oldest_unused(document.contents, count=20)
    newest = [item.pixel_hash for item in document.layer(castle.id).candidates[:18]]
    assert len(gone.hashes[castle.id]) == gone.count == 3
    assert not set(gone.hashes[castle.id]) & set(newest)
    run(document, DiscardCandidates(gone.hashes, gone.detached))
    assert not is_over(document.contents, count=20)
    run(document, SetRect(castle.id, Rect(0, 0, 24, 16)))
    everything = oldest_unused(document.contents, count=0)
    assert castle.pixel_hash not in everything.hashes[castle.id]


def test_detached_results_count_and_can_go() -> None:
    """What a deleted layer leaves counts as well, and goes by the same click."""
    document = design()
    castle = document.foregrounds[0]
    run(document, DeleteLayers([castle.id]))
    count, size = candidate_load(document.contents)
    for seed in range(10):
        made = Placement(castle.id, picture(48, 32, 200 + seed), castle.rect, {"n": seed})
        run(document, AddCandidates({castle.id: made.as_candidate()}))
    detached = document.contents.detached
    assert candidate_load(document.contents) == (count + 10, size + 10 * 48 * 32 * 4)
    gone = oldest_unused(document.contents, count=9)
    before = document.content_hash()
    assert set(gone.detached) <= {item.pixel_hash for item in detached[-gone.count :]}
    command = run(document, DiscardCandidates(gone.hashes, gone.detached))
    assert not is_over(document.contents, count=9)
    assert document.contents.detached[0] == detached[0]  # the newest stays
    command.undo(document)
    assert document.content_hash() == before
