"""The candidate bound (UN7): counted, offered, never done by itself."""

from __future__ import annotations

from app.document.candidates import candidate_load, is_over, oldest_unused
from app.document.commands import AddCandidates, DeleteLayers, DiscardCandidates, Placement, SetRect
from app.document.geometry import Rect
from tests.app.document.examples import design, picture, run


def test_the_oldest_unused_are_offered() -> None:
    """UN7: enough to come below the bound; the newest stay, and originals in use."""
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
    """UN7, GE9: what a deleted layer leaves counts as well, and goes by the same click."""
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
