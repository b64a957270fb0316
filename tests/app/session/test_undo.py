"""What undo keeps in memory is bounded; the oldest steps go first."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.document.commands import DiscardCandidates, Placement, PlacePixels, Rename
from app.document.document import Document
from app.session.pixel_store import UndoPixelStore
from app.session.undo import UndoStack
from tests.app.painted import document_with_boxes

SIDE = 64
PICTURE = SIDE * SIDE * 4


def placed(document: Document, shade: int) -> PlacePixels:
    layer = document.foregrounds[0]
    pixels = np.full((SIDE, SIDE, 4), shade, np.uint8)
    return PlacePixels([Placement(layer.id, pixels, layer.rect, {"n": shade})])


def fill_up(document: Document, stack: UndoStack, count: int) -> None:
    """Results that are discarded at once, so that nobody but undo refers to them."""
    for shade in range(1, count + 1):
        stack.push(placed(document, shade))
        layer = document.foregrounds[0]
        gone = [item.pixel_hash for item in layer.candidates]
        stack.push(DiscardCandidates({layer.id: gone}))


@pytest.fixture
def stack() -> UndoStack:
    document = document_with_boxes((0, 0, SIDE, SIDE))
    return UndoStack(document)


def test_the_oldest_steps_go_first(stack: UndoStack) -> None:
    """Below the bound again; what is left can be undone and redone to the same bytes."""
    document = stack._document
    stack.max_pixel_bytes = 6 * PICTURE
    fill_up(document, stack, 20)
    assert stack.pixel_bytes() <= 6 * PICTURE
    assert 0 < stack.count < 39
    last = document.content_hash()
    while stack.can_undo:
        stack.undo()
    assert document.foregrounds[0].has_pixels  # the first steps are gone for good
    while stack.can_redo:
        stack.redo()
    assert document.content_hash() == last


def test_below_the_bound_nothing_goes(stack: UndoStack) -> None:
    """Every step stays, the first state comes back."""
    document = stack._document
    before = document.content_hash()
    fill_up(document, stack, 5)
    steps = stack.count
    stack.push(Rename(document.foregrounds[0].id, "Castle"))
    assert stack.count == steps + 1
    while stack.can_undo:
        stack.undo()
    assert document.content_hash() == before


def test_the_saved_state_is_not_mistaken(stack: UndoStack) -> None:
    """A document is clean only where it was saved, also after steps went."""
    document = stack._document
    stack.max_pixel_bytes = 6 * PICTURE
    fill_up(document, stack, 3)
    stack.mark_saved()
    fill_up(document, stack, 20)
    assert not stack.is_clean
    while stack.can_undo:
        stack.undo()
    assert not stack.is_clean
    while stack.can_redo:
        stack.redo()
    stack.mark_saved()
    stack.max_pixel_bytes = 0
    stack.push(placed(document, 200))
    stack.undo()
    assert stack.is_clean


def test_the_saved_state_goes_with_its_step(stack: UndoStack) -> None:
    """At the bound of steps the oldest go, and with them the states that were in a file."""
    document = stack._document
    layer_id = document.foregrounds[0].id
    stack.set_limit(3)
    for number in range(5):
        stack.push(Rename(layer_id, f"Name {number}"))
    while stack.can_undo:
        stack.undo()
    assert not stack.is_clean, "the state at the start is gone"
    stack.mark_saved()
    while stack.can_redo:
        stack.redo()
    assert not stack.is_clean
    while stack.can_undo:
        stack.undo()
    assert stack.is_clean


def test_told_once(stack: UndoStack) -> None:
    """Filling the stack again does not notify the steps' owners a second time."""
    document = stack._document
    told: list[bool] = []
    stack.push(Rename(document.foregrounds[0].id, "Castle"), told.append)
    fill_up(document, stack, 2)
    stack.push(placed(document, 99), told.append)
    stack.max_pixel_bytes = PICTURE
    told.clear()
    fill_up(document, stack, 2)
    assert told == []


def at_once(work: Any, done: Any, failed: Any) -> None:
    """What the worker does, without waiting for it."""
    try:
        result = work()
    except OSError as error:
        failed(error)
    else:
        done(result)


def test_what_has_no_room_in_memory_goes_to_the_disk(stack: UndoStack, tmp_path: Path) -> None:
    """Every step stays; undone and redone they give the same bytes; nothing has a name."""
    document = stack._document
    before = document.content_hash()
    stack.pixel_store = UndoPixelStore(at_once, tmp_path / "undo")
    stack.max_pixel_bytes = 6 * PICTURE
    fill_up(document, stack, 20)
    assert stack.count == 39  # after the first result there is nothing to discard
    assert stack.pixel_bytes() <= 6 * PICTURE
    assert stack.disk_bytes() >= 12 * PICTURE
    last = document.content_hash()
    while stack.can_undo:
        stack.undo()
    assert document.content_hash() == before
    seen = []
    while stack.can_redo:
        stack.redo()
        pixels = document.foregrounds[0].pixels
        assert pixels is not None
        assert not pixels.flags.writeable
        seen.append(int(pixels[0, 0, 0]))
    assert sorted(set(seen)) == list(range(1, 21))
    assert document.content_hash() == last
    del pixels
    stack.clear()
    gc.collect()
    assert list((tmp_path / "undo").iterdir()) == []


def test_what_has_no_room_on_the_disk_goes_for_good(stack: UndoStack, tmp_path: Path) -> None:
    """The oldest steps first; what is left still goes back and forth."""
    document = stack._document
    stack.pixel_store = UndoPixelStore(at_once, tmp_path)
    stack.max_pixel_bytes, stack.max_disk_bytes = 3 * PICTURE, 10 * PICTURE
    fill_up(document, stack, 40)
    assert 0 < stack.count < 80
    assert stack.pixel_bytes() <= 3 * PICTURE
    assert stack.disk_bytes() <= 10 * PICTURE
    last = document.content_hash()
    while stack.can_undo:
        stack.undo()
    while stack.can_redo:
        stack.redo()
    assert document.content_hash() == last


def test_without_a_disk_the_memory_bound_holds(stack: UndoStack, tmp_path: Path) -> None:
    """Where nothing can be written the oldest steps go, as if there were no disk."""
    document = stack._document
    (tmp_path / "file").write_bytes(b"")
    stack.pixel_store = UndoPixelStore(at_once, tmp_path / "file" / "below")
    stack.max_pixel_bytes = 6 * PICTURE
    fill_up(document, stack, 20)
    assert stack.pixel_bytes() <= 6 * PICTURE
    assert 0 < stack.count < 39


def test_steps_that_are_undone_are_not_taken_for_done(stack: UndoStack, tmp_path: Path) -> None:
    """The writing ends while the user goes back; no step is dropped then, none repeated."""
    document = stack._document
    waiting: list[Any] = []
    stack.pixel_store = UndoPixelStore(lambda *parts: waiting.append(parts), tmp_path)
    stack.max_pixel_bytes = 4 * PICTURE
    fill_up(document, stack, 10)
    last = document.content_hash()
    for _ in range(5):
        stack.undo()
    now, count = document.content_hash(), stack.count
    waiting[0][2](OSError("full"))
    assert (document.content_hash(), stack.count) == (now, count)
    while stack.can_redo:
        stack.redo()
    assert document.content_hash() == last


def test_a_full_disk_while_steps_are_undone_waits_for_the_next_step(
    stack: UndoStack, tmp_path: Path
) -> None:
    """Writing ends, the user has gone back, and the disk's bound is passed as well."""
    document = stack._document
    waiting: list[Any] = []
    stack.pixel_store = UndoPixelStore(lambda *parts: waiting.append(parts), tmp_path)
    stack.max_pixel_bytes = 4 * PICTURE
    fill_up(document, stack, 10)
    stack.undo()
    stack.max_pixel_bytes, stack.max_disk_bytes = 0, 2 * PICTURE
    count = stack.count
    at_once(*waiting[0])
    assert stack.count == count
    stack.redo()
    fill_up(document, stack, 1)
    assert stack.count < count


def test_a_step_larger_than_both_bounds_stays(stack: UndoStack, tmp_path: Path) -> None:
    """The newest step is never dropped; there is nothing older to give."""
    document = stack._document
    stack.pixel_store = UndoPixelStore(at_once, tmp_path)
    stack.max_pixel_bytes = stack.max_disk_bytes = 0
    fill_up(document, stack, 3)
    assert stack.count == 1
    last = document.content_hash()
    stack.undo()
    stack.redo()
    assert document.content_hash() == last


def rename(stack: UndoStack, name: str) -> None:
    stack.push(Rename(stack._document.foregrounds[0].id, name))


def test_fewer_steps_are_kept_from_the_next_step_on(stack: UndoStack) -> None:
    """The setting counts while the stack is full; the newest steps and the file stay."""
    document = stack._document
    for number in range(10):
        rename(stack, f"name {number}")
    stack.mark_saved()
    stack.set_limit(4)
    assert stack.count == 10  # a number that is being typed takes nothing away
    rename(stack, "last")
    assert stack.count == 4
    while stack.can_undo:
        stack.undo()
    assert document.foregrounds[0].name == "name 6"
    while stack.can_redo:
        stack.redo()
    assert document.foregrounds[0].name == "last"


def test_more_steps_are_kept_from_the_next_step_on(stack: UndoStack) -> None:
    """A full stack grows again, and a step that was undone before is not lost by it."""
    stack.set_limit(3)
    for number in range(5):
        rename(stack, f"name {number}")
    stack.undo()
    stack.set_limit(6)
    stack.redo()
    for number in range(5, 9):
        rename(stack, f"name {number}")
    assert stack.count == 6
