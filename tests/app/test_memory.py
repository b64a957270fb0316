"""The memory check before a job, and what is said when memory ran out all the same."""

from __future__ import annotations

import pytest

from app import memory
from app.costs import Load, load_of
from app.document import Document
from app.document.commands import SetSettings
from app.document.contents import Settings
from app.document.layer import Layer
from app.session.client import engine_factory
from app.testing import document_with_boxes
from engine.errors import is_out_of_memory
from tests.app.session.test_generating import BOXES, Desk

GB = 2**30


def test_a_job_that_does_not_fit_is_refused_with_its_numbers() -> None:
    """GE5, MS6: nothing is started; a smaller choice is offered where one would fit."""
    desk = Desk(document_with_boxes(*BOXES))
    desk.bridge.free_memory = lambda: memory.RESERVE_BYTES + 2**20
    assert desk.bridge.generate("picture") is None
    assert desk.engine.requests == []
    assert desk.bridge.current is None
    said = desk.messages[-1]
    assert said.kind == "error"
    assert said.text.startswith("This needs about ")
    assert "513 MB are free. Nothing was started. Choose a smaller canvas" in said.text


def test_layers_one_by_one_are_offered_where_they_fit() -> None:
    """GE5: with the number that one of them needs."""
    whole = Load(tokens=200_000, seen=100_000, steps=8, pixels=4 << 20)
    single = Load(tokens=10_000, seen=20_000, steps=8, pixels=1 << 20)
    said = memory.trouble(whole, [single, single], memory.RESERVE_BYTES + 3 * GB)
    assert said is not None
    assert f"one by one ({memory.size(memory.peak_bytes(single))})" in said.advice
    assert memory.trouble(single, [single], memory.RESERVE_BYTES + 3 * GB) is None


def test_one_by_one_each_layer_sees_all_the_others() -> None:
    """GE5, MS6: a job of the window; the last layer sees what was made before it, and must fit."""
    document = document_with_boxes(*BOXES)
    desk = Desk(document)
    info = desk.bridge.info
    assert info is not None
    whole = memory.peak_bytes(load_of(document.contents, document.layers, (), info))
    largest = max(
        memory.peak_bytes(load_of(document.contents, [layer], others_of(document, layer), info))
        for layer in document.layers
    )
    desk.bridge.free_memory = lambda: memory.RESERVE_BYTES + largest
    assert desk.bridge.generate("picture") is None
    assert desk.engine.requests == []
    free = memory.size(memory.RESERVE_BYTES + largest)
    assert desk.messages[-1].text == (
        f"This needs about {memory.size(whole)}, {free} are free. Nothing was started. "
        f"Generate the layers one by one ({memory.size(largest)}), or close other programs."
    )
    desk.bridge.free_memory = lambda: memory.RESERVE_BYTES + largest - 1
    desk.bridge.generate("picture")
    assert "one by one" not in desk.messages[-1].text
    desk.bridge.free_memory = lambda: memory.RESERVE_BYTES + whole
    assert desk.bridge.generate("picture") is not None


def others_of(document: Document, layer: Layer) -> list[Layer]:
    return [other for other in document.layers if other is not layer]


def test_a_smaller_canvas_is_offered_with_its_number() -> None:
    """GE5: where there is nothing to split, which share of the job would fit."""
    job = Load(tokens=4000, seen=2000, steps=8, pixels=1 << 20)
    half = Load(tokens=2000, seen=1000, steps=8, pixels=1 << 19)
    said = memory.trouble(job, [job], memory.RESERVE_BYTES + memory.peak_bytes(half) + 1000)
    assert said is not None
    advice = "About 50 % of the job would fit. Choose a smaller canvas, or close other programs."
    assert said.advice == advice


@pytest.mark.parametrize("free", [None, 64 * GB])
def test_nothing_is_refused_where_there_is_room_or_nobody_knows(free: int | None) -> None:
    """GE5: the check never stands in the way of a guess."""
    desk = Desk(document_with_boxes(*BOXES))
    desk.bridge.free_memory = lambda: free
    assert desk.bridge.generate("picture") is not None


def test_more_tokens_and_pixels_need_more() -> None:
    """GE5: the prediction grows with each part of a job."""
    least = memory.peak_bytes(Load(10, 10, 8, 100))
    for more in (Load(20, 10, 8, 100), Load(10, 20, 8, 100), Load(10, 10, 8, 200)):
        assert memory.peak_bytes(more) > least


def test_memory_that_ran_out_is_said_with_layers_and_tokens() -> None:
    """MS2: what was kept, and what to do; finished results count."""
    document = document_with_boxes(*BOXES)
    SetSettings(Settings(variations=2)).do(document)
    desk = Desk(document)
    desk.bridge.generate("picture")
    desk.engine.fail(kind="memory", message="There was not enough memory.")
    desk.loop.turn()
    said = desk.messages[-1].text
    assert "not enough memory for 3 layers. Nothing was changed." in said
    desk.bridge.generate("picture")
    desk.engine.finish()
    desk.loop.turn()
    desk.engine.fail(kind="memory", message="There was not enough memory.")
    desk.loop.turn()
    assert "the finished result are kept" in desk.messages[-1].text


def test_how_many_tokens_would_fit() -> None:
    """MS2: rounded down, of the same mixture; nothing where it cannot be known."""
    failed = Load(tokens=4000, seen=2000, steps=8, pixels=1 << 20)
    half = Load(tokens=2000, seen=1000, steps=8, pixels=1 << 19)
    free = memory.RESERVE_BYTES + memory.peak_bytes(half) + 1000
    assert memory.fitting_tokens(failed, free) == 1000
    assert memory.fitting_tokens(failed, free - 2_000_000) < 1000
    for unknown in (None, 0, memory.RESERVE_BYTES + 64 * GB):
        assert memory.fitting_tokens(failed, unknown) == 0
    desk = Desk(document_with_boxes(*BOXES))
    desk.bridge.generate("picture")
    desk.bridge.free_memory = lambda: memory.RESERVE_BYTES + memory.BYTES_ANYWAY + 7_000_000
    desk.engine.fail(kind="memory", message="There was not enough memory.")
    desk.loop.turn()
    said = desk.messages[-1].text
    assert "About 41 % of the job would fit. Generate fewer layers at once" in said


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("shapes differ"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_the_engine_tells_memory_from_other_failures(error: Exception, expected: bool) -> None:
    """GE5, GE16: torch reports an exhausted allocator as a RuntimeError."""
    assert is_out_of_memory(error) is expected


def test_the_cache_budget_of_the_settings_reaches_the_engine() -> None:
    """PL3: megabytes in the settings, bytes in the engine; 0 leaves the choice to it."""
    chosen = engine_factory(1, None, 64)(lambda event: None)
    automatic = engine_factory(1)(lambda event: None)
    assert chosen._cache_bytes == 64 << 20  # type: ignore[attr-defined]
    assert automatic._cache_bytes is None  # type: ignore[attr-defined]
