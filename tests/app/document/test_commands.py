"""What each command does beyond its place in the state machine: labels, locks, merging, errors."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from app.document import Document, DocumentError, LimitError, Rect, Size, new_contents
from app.document.commands import (
    AddBox,
    AddLayers,
    Command,
    DeleteLayers,
    DuplicateLayers,
    MoveLayers,
    Placement,
    PlacePixels,
    Rename,
    Reorder,
    ReplaceDocument,
    SetBackground,
    SetBlend,
    SetCanvas,
    SetLocked,
    SetOpacity,
    SetPrompt,
    SetRect,
    SetRects,
    SetSeed,
    SetSettings,
    SetVisible,
    UseCandidates,
)
from app.document.contents import Settings
from app.document.pixels import Pixels, resampled
from app.document.staleness import outdated
from app.document.storage.incoming import picture_layer
from app.document.words import left_empty
from tests.app.document.examples import (
    UndoStack,
    add_box,
    design,
    fill,
    import_picture,
    picture,
    plain,
    run,
    small_document,
)


def castle_of(document: Document) -> int:
    return document.foregrounds[0].id


def names(document: Document) -> list[str]:
    return [layer.name for layer in document.foregrounds]


@pytest.mark.parametrize(
    ("make", "label"),
    [
        (lambda d: AddBox(Rect(0, 0, 8, 8)), "Add 'Layer 3'"),
        (lambda d: DeleteLayers([castle_of(d)]), "Delete 'Castle'"),
        (lambda d: DeleteLayers([layer.id for layer in d.foregrounds]), "Delete 2 layers"),
        (lambda d: MoveLayers([castle_of(d)], 1, 1), "Move 'Castle'"),
        (lambda d: SetRect(d.foregrounds[1].id, Rect(0, 0, 64, 32)), "Resize 'Été 層'"),
        (lambda d: SetRect(castle_of(d), Rect(5, 5, 48, 32)), "Move 'Castle'"),
        (lambda d: Rename(castle_of(d), "Tower"), "Rename 'Castle'"),
        (lambda d: Reorder([castle_of(d)], d.foregrounds[1].id), "Reorder 'Castle'"),
        (lambda d: SetVisible([castle_of(d)], False), "Hide 'Castle'"),
        (lambda d: SetLocked([castle_of(d)], True), "Lock 'Castle'"),
        (lambda d: SetOpacity([castle_of(d)], 0.5), "Opacity of 'Castle'"),
        (lambda d: SetBlend([castle_of(d)], "multiply"), "Blend Mode of 'Castle'"),
        (lambda d: SetSeed(castle_of(d), 5), "Pin Seed of 'Castle'"),
        (lambda d: SetPrompt("x"), "Edit Prompt"),
        (lambda d: SetSettings(Settings(steps=3)), "Change Settings"),
        (lambda d: SetBackground(False), "Background Off"),
        (lambda d: SetCanvas(Size(64, 64)), "Canvas Size 64 × 64"),
        (lambda d: DuplicateLayers([castle_of(d)]), "Duplicate 'Castle'"),
        (lambda d: AddLayers([picture_layer(picture(4, 4), "cat", d.canvas)]), "Add 'cat'"),
        (lambda d: ReplaceDocument(new_contents(), "Open 'x.ora'"), "Open 'x.ora'"),
    ],
)
def test_labels_name_the_target(make, label: str) -> None:  # type: ignore[no-untyped-def]
    """The label stays when the target is renamed or gone later."""
    document = design()
    command = run(document, make(document))
    assert command.label == label
    command.undo(document)
    assert command.label == label


def test_generating_keeps_the_former_pixels_as_candidate() -> None:
    """In place; id, name, order, opacity and blend stay."""
    document = small_document()
    layer_id = add_box(document, Rect(0, 0, 32, 32), "Castle")
    fill(document, layer_id, 1)
    run(document, SetOpacity([layer_id], 0.5))
    before = document.layer(layer_id)
    fill(document, layer_id, 2)
    after = document.layer(layer_id)
    assert [item.pixel_hash for item in after.candidates] == [before.pixel_hash]
    assert after.candidates[0].record == {"seed": 1, "prompt": "a castle", "word": "castle"}
    assert replace(after, image=before.image, record=before.record, candidates=()) == before


def test_neighbours_stay_bit_identical() -> None:
    document = design()
    target, others = document.foregrounds[0], [document.layers[0], document.layers[2]]
    fill(document, target.id, 9)
    for other in others:
        assert document.layer(other.id) is other


def test_a_whole_picture_is_one_step() -> None:
    document = design()
    stack = UndoStack(document)
    before = document.content_hash()
    placements = [
        Placement(layer.id, picture(layer.rect.width, layer.rect.height, 8), layer.rect)
        for layer in document.layers
    ]
    stack.push(PlacePixels(placements, "Generate picture"))
    assert stack.done[0].label == "Generate picture"
    stack.undo()
    assert document.content_hash() == before


def test_a_locked_target_gets_the_result_as_candidate() -> None:
    """The lock protects the pixels; nothing is lost."""
    document = design()
    castle = document.layer(castle_of(document))
    run(document, SetLocked([castle.id], True))
    fill(document, castle.id, 42)
    now = document.layer(castle.id)
    assert now.image is castle.image
    assert len(now.candidates) == len(castle.candidates) + 1


def test_a_result_for_a_deleted_target_is_kept_detached() -> None:
    """Never applied, never lost."""
    document = design()
    castle = document.layer(castle_of(document))
    run(document, DeleteLayers([castle.id]))
    pixels = picture(32, 32, 5)
    run(document, PlacePixels([Placement(castle.id, pixels, Rect(0, 0, 32, 32))]))
    (kept,) = document.contents.detached
    assert np.array_equal(kept.pixels[..., 3], pixels[..., 3])


def test_a_layer_left_empty_is_a_box_again_and_keeps_its_pixels_as_candidate() -> None:
    document = small_document()
    layer_id = add_box(document, Rect(0, 0, 32, 32), "Castle")
    fill(document, layer_id, 1)
    stack, before = UndoStack(document), document.layer(layer_id)
    why = {"prompt": "a dog", "left_empty": "all things have a box"}
    nothing = np.zeros((32, 32, 4), np.uint8)
    stack.push(PlacePixels([Placement(layer_id, nothing, before.rect, why, is_empty=True)]))
    after = document.layer(layer_id)
    assert (after.kind, after.image, after.record) == ("box", None, why)
    assert [item.pixel_hash for item in after.candidates] == [before.pixel_hash]
    assert left_empty(after) == "all things have a box"
    stack.undo()
    assert document.layer(layer_id) == before
    run(document, SetLocked([layer_id], True))
    stack.push(PlacePixels([Placement(layer_id, nothing, before.rect, why, is_empty=True)]))
    assert document.layer(layer_id).image == before.image


def test_two_results_for_one_layer_are_both_kept() -> None:
    document = small_document()
    layer_id = add_box(document)
    rect = document.layer(layer_id).rect
    run(
        document,
        PlacePixels([Placement(layer_id, picture(32, 32, n), rect, {"n": n}) for n in (1, 2)]),
    )
    layer = document.layer(layer_id)
    assert layer.record == {"n": 2}
    assert [item.record for item in layer.candidates] == [{"n": 1}]


def test_candidates_swap_places() -> None:
    document = design()
    castle = document.layer(castle_of(document))
    (other,) = castle.candidates
    run(document, UseCandidates({castle.id: other.pixel_hash}))
    now = document.layer(castle.id)
    assert now.image is other.image
    assert now.record == other.record
    assert [item.image for item in now.candidates] == [castle.image]
    fill(document, castle.id, 50)
    hashes = {item.pixel_hash for item in (castle, castle.candidates[0], document.layer(castle.id))}
    for chosen in [*hashes, *hashes]:
        if chosen != document.layer(castle.id).pixel_hash:
            run(document, UseCandidates({castle.id: str(chosen)}))
        layer = document.layer(castle.id)
        assert {layer.pixel_hash, *(item.pixel_hash for item in layer.candidates)} == hashes
    with pytest.raises(DocumentError, match="no such result"):
        run(document, UseCandidates({castle.id: "0" * 64}))


def test_an_imported_layer_is_imported_again_after_a_detour() -> None:
    document = design()
    before = document.layer(import_picture(document, picture(16, 16), "cat"))
    fill(document, before.id)
    assert document.layer(before.id).kind == "generated"
    assert before.pixel_hash is not None
    run(document, UseCandidates({before.id: before.pixel_hash}))
    after = document.layer(before.id)
    assert (after.kind, after.image, after.rect) == ("imported", before.image, before.rect)


@pytest.mark.parametrize(
    "placement",
    [
        Placement(0, plain(8, 8, (0, 0, 0, 0)), Rect(0, 0, 9, 8)),
        Placement(0, np.zeros((8, 8, 3), np.uint8), Rect(0, 0, 8, 8)),
        Placement(0, plain(8, 8, (0, 0, 0, 0)), Rect(0, 0, 8, 8), {"x": float("inf")}),
    ],
)
def test_results_that_cannot_be_are_refused(placement: Placement) -> None:
    document = design()
    before = document.content_hash()
    with pytest.raises(DocumentError):
        run(document, PlacePixels([placement]))
    assert document.content_hash() == before


@pytest.mark.parametrize(
    "make",
    [
        lambda i: DeleteLayers([i]),
        lambda i: MoveLayers([i], 1, 1),
        lambda i: SetRect(i, Rect(0, 0, 48, 32)),
        lambda i: SetOpacity([i], 0.1),
        lambda i: SetBlend([i], "screen"),
        lambda i: UseCandidates({i: "x"}),
    ],
)
def test_the_lock_protects(make) -> None:  # type: ignore[no-untyped-def]
    document = design()
    castle = castle_of(document)
    run(document, SetLocked([castle], True))
    with pytest.raises(DocumentError, match=r"'Castle' is locked\. Nothing was changed\. Unlock"):
        run(document, make(castle))


def test_the_lock_leaves_name_order_and_eye_free() -> None:
    document = design()
    castle = castle_of(document)
    run(document, SetLocked([castle], True))
    run(document, Rename(castle, "Tower"))
    run(document, SetVisible([castle], False))
    run(document, Reorder([castle], document.foregrounds[1].id))
    assert names(document) == ["Été 層", "Tower"]


@pytest.mark.parametrize(
    "make",
    [
        lambda i: DeleteLayers([i]),
        lambda i: MoveLayers([i], 1, 1),
        lambda i: SetRect(i, Rect(0, 0, 16, 16)),
        lambda i: Reorder([i], None),
        lambda i: DuplicateLayers([i]),
    ],
)
def test_the_background_stays_where_it_is(make) -> None:  # type: ignore[no-untyped-def]
    document = design()
    with pytest.raises(DocumentError, match="background cannot be"):
        run(document, make(document.background_id))


def test_switching_the_background_off_keeps_its_pixels() -> None:
    document = design()
    before = document.background
    run(document, SetBackground(False))
    assert document.background is None
    run(document, SetBackground(True))
    assert document.background is before


@pytest.mark.parametrize(
    ("moved", "above", "result"),
    [
        ("a", "c", "bcad"),
        ("d", None, "dabc"),
        ("d", "background", "dabc"),
        ("bd", "a", "abdc"),
        ("ab", "d", "cdab"),
        ("ac", "a", "acbd"),  # the anchor moves itself: the place below it counts
        ("bc", "c", "abcd"),
        ("db", "a", "abdc"),  # several keep their order, however they were selected
    ],
)
def test_reordering(moved: str, above: str | None, result: str) -> None:
    document = small_document()
    ids = {name: add_box(document, name=name) for name in "abcd"}
    ids["background"] = document.background_id
    run(document, Reorder([ids[name] for name in moved], above and ids[above]))
    assert "".join(names(document)) == result


def test_a_new_box_goes_above_the_one_given() -> None:
    document = design()
    run(document, AddBox(Rect(0, 0, 8, 8), above=castle_of(document), name="Flag"))
    run(document, AddBox(Rect(0, 0, 8, 8), above=document.background_id, name="Moat"))
    assert names(document) == ["Moat", "Castle", "Flag", "Été 層"]


def test_empty_boxes_stay_on_the_grid_and_pictures_go_anywhere() -> None:
    document = design()
    castle, empty = document.foregrounds
    run(document, MoveLayers([castle.id, empty.id], -300, 9))
    assert document.layer(castle.id).rect == Rect(-300, 9, 48, 32)
    assert document.layer(empty.id).rect == Rect(0, 32, 32, 32)


def test_a_layer_with_pixels_is_resampled_from_its_original() -> None:
    """Sizes come from the source each time; its own size brings it back."""
    document = design()
    castle = document.layer(castle_of(document))
    for rect in (Rect(0, 0, 24, 16), Rect(5, 5, 96, 64)):
        run(document, SetRect(castle.id, rect))
        now = document.layer(castle.id)
        assert now.rect == rect
        assert np.array_equal(now.pixels, Pixels.of(resampled(castle.pixels, *_sides(rect))).array)
        assert now.candidates[0].image is castle.image
        assert outdated(now, document.contents) in ("prompt", "size")
    run(document, SetRect(castle.id, castle.rect.translated(3, 4)))
    now = document.layer(castle.id)
    assert now.image is castle.image
    assert now.record == castle.record
    assert now.candidates == castle.candidates


def test_a_resampled_copy_is_no_candidate() -> None:
    """What stays after a regeneration is the original, not what was made from it."""
    document = design()
    castle = document.layer(castle_of(document))
    run(document, SetRect(castle.id, Rect(0, 0, 24, 16)))
    small = document.layer(castle.id).pixel_hash
    fill(document, castle.id, 9)
    kept = [item.pixel_hash for item in document.layer(castle.id).candidates]
    assert castle.pixel_hash in kept
    assert small not in kept


def test_layers_are_arranged_in_one_step() -> None:
    """Several places at once; a locked layer refuses all of it."""
    document = design()
    castle, empty = (layer.id for layer in document.foregrounds)
    run(document, SetRects({castle: Rect(7, 9, 48, 32), empty: Rect(17, 1, 30, 30)}, "Align"))
    assert document.layer(castle).rect == Rect(7, 9, 48, 32)
    assert document.layer(empty).rect == Rect(16, 0, 32, 32)
    run(document, SetLocked([castle], True))
    with pytest.raises(DocumentError, match="locked"):
        run(document, SetRects({castle: Rect(0, 0, 48, 32), empty: Rect(0, 0, 16, 16)}))
    assert document.layer(empty).rect == Rect(16, 0, 32, 32)


def _sides(rect: Rect) -> tuple[int, int]:
    return rect.width, rect.height


def test_a_duplicate_shares_pixels_and_is_a_layer_of_its_own() -> None:
    document = design()
    castle = document.layer(castle_of(document))
    command = DuplicateLayers([castle.id])
    run(document, command)
    copy = document.layer(command.new_ids[0])
    assert copy.image is castle.image
    assert (copy.number, copy.name) == (3, "Castle copy")
    assert copy.rect == castle.rect.translated(16, 16)
    assert names(document) == ["Castle", "Castle copy", "Été 層"]


def test_a_duplicate_of_a_locked_layer_is_free() -> None:
    """The copy is there to be worked on; its original stays as it is."""
    document = design()
    castle = castle_of(document)
    run(document, SetLocked([castle], True))
    command = DuplicateLayers([castle])
    run(document, command)
    assert not document.layer(command.new_ids[0]).locked
    assert document.layer(castle).locked


def test_the_same_result_twice_is_one_candidate() -> None:
    document = design()
    castle = castle_of(document)
    run(document, SetLocked([castle], True))
    fill(document, castle, 42)
    fill(document, castle, 43)
    fill(document, castle, 42)
    records = [item.record for item in document.layer(castle).candidates]
    assert [record and record["seed"] for record in records] == [42, 43, 2]


def test_a_changed_canvas_keeps_bytes_and_places() -> None:
    document = design()
    castle, empty = document.foregrounds
    run(document, SetCanvas(Size(48, 48), dx=-16, dy=0))
    assert document.layer(castle.id).rect == castle.rect.translated(-16, 0)
    assert document.layer(castle.id).image is castle.image
    assert Size(48, 48).rect.contains(document.layer(empty.id).rect)
    with pytest.raises(DocumentError, match="multiples of 16"):
        run(document, SetCanvas(Size(50, 48)))
    with pytest.raises(LimitError, match="limit is 8,192"):
        run(document, SetCanvas(Size(16384, 48)))


def test_imported_pictures_stand_in_the_middle() -> None:
    document = design()
    layer = document.layer(import_picture(document, picture(20, 10), "cat\x00 and dog"))
    assert (layer.kind, layer.name, layer.rect) == ("imported", "cat and dog", Rect(38, 27, 20, 10))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (SetPrompt("x" * 20_001), "at most 20,000 characters, this one has 20,001"),
        (Rename(-1, "x"), "no layer"),
        (SetOpacity([], 1.5), "150 %"),
        (SetSeed(-1, 2**32), "A seed must be"),
        (AddBox(Rect(0, 0, 1, 1), above=-1), "no layer"),
        (Reorder([], -1), "no layer"),
    ],
)
def test_bad_values_are_refused_with_a_sentence(command: Command, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        run(design(), command)


def test_a_blank_name_is_the_default_one() -> None:
    document = design()
    run(document, Rename(castle_of(document), " \n"))
    assert names(document)[0] == "Layer 1"


def test_a_gesture_is_one_step() -> None:
    """Merged by gesture, whatever the time between."""
    document = design()
    stack = UndoStack(document)
    castle = castle_of(document)
    before = document.content_hash()
    for _ in range(5):
        stack.push(MoveLayers([castle], 3, 0, gesture=1))
    stack.push(MoveLayers([castle], 3, 0, gesture=2))
    stack.push(MoveLayers([castle], 3, 0))
    stack.push(MoveLayers([castle], 3, 0))
    assert len(stack.done) == 4
    assert document.layer(castle).rect.x == 24
    after = document.content_hash()
    stack.undo()
    stack.undo()
    stack.undo()
    assert document.layer(castle).rect.x == 15
    stack.undo()
    assert document.content_hash() == before
    for _ in range(4):
        stack.redo()
    assert document.content_hash() == after


def test_gestures_on_other_targets_or_of_other_kinds_do_not_merge() -> None:
    document = design()
    stack = UndoStack(document)
    castle, empty = (layer.id for layer in document.foregrounds)
    stack.push(MoveLayers([castle], 1, 0, gesture=1))
    stack.push(MoveLayers([empty], 16, 0, gesture=1))
    stack.push(SetOpacity([empty], 0.5, gesture=1))
    assert len(stack.done) == 3


def test_typing_is_one_step_and_typing_back_leaves_nothing() -> None:
    document = design()
    stack = UndoStack(document)
    for text in ("a", "a ", "a c", ""):
        stack.push(SetPrompt(text, gesture=4))
    assert len(stack.done) == 1
    assert stack.done[0].changes_nothing


def test_a_step_without_pixels_is_small() -> None:
    """At most 4 KB each, with fifty layers."""
    document = Document(new_contents(Size(96, 64), 16, boxes=[Rect(0, 0, 16, 16)] * 50), 16)
    ids = [layer.id for layer in document.foregrounds]
    stack = UndoStack(document)
    steps = 400
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for n in range(steps // 4):
            stack.push(Rename(ids[n % 50], f"name {n}"))
            stack.push(SetOpacity([ids[n % 50]], n / 1000))
            stack.push(MoveLayers([ids[n % 50]], 16 if n % 100 < 50 else -16, 0))
            stack.push(Reorder([ids[n % 50]], ids[(n + 7) % 50]))
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown / steps <= 4096


def test_undo_keeps_references_and_no_copies_of_pixels() -> None:
    """The same objects come back."""
    document = design()
    castle = document.layer(castle_of(document))
    command = run(document, PlacePixels([Placement(castle.id, picture(48, 32, 7), castle.rect)]))
    command.undo(document)
    assert document.layer(castle.id) is castle
