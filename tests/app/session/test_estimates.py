"""Estimates of a job: its time, learnt from timed steps, and its memory before and after it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.document import Document
from app.document.commands import SetSettings
from app.document.contents import Settings
from app.document.layer import Layer
from app.session import estimates
from app.session.client import engine_factory
from app.session.estimates import MAX_SAMPLES, Costs, estimate_layers, tokens_of
from app.session.monitor import probes
from app.testing import model_info
from engine import WorkEstimate, estimate
from engine.errors import is_out_of_memory
from engine.models.art.backbone import art_of
from tests.app.painted import document_with_boxes, fill
from tests.app.session.test_generating import BOXES, Desk
from tests.engine.tiny import tiny_generator


def truth(load: WorkEstimate, a: float, b: float, c: float) -> float:
    return a + b * load.tokens + c * load.tokens * load.seen


loads = st.builds(
    lambda tokens, more: WorkEstimate(tokens, tokens + more, 12, tokens * 1024),
    st.integers(4, 1500),
    st.integers(0, 600),
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # of a busy machine
@given(
    st.lists(loads, min_size=6, max_size=20, unique_by=lambda load: (load.tokens, load.seen)),
    st.floats(0.001, 0.02),
    st.floats(1e-5, 1e-3),
    st.floats(0, 1e-7),
    loads,
)
def test_prediction_is_within_a_fifth(
    seen: list[WorkEstimate], a: float, b: float, c: float, asked: WorkEstimate
) -> None:
    """For any size between those that were timed."""
    costs = Costs()
    for load in seen:
        costs.add_job(load, [truth(load, a, b, c)] * 5, 0.0, 0.0)
    low = min(load.tokens for load in seen)
    high = max(load.tokens for load in seen)
    if not low <= asked.tokens <= high or c * asked.seen > b / 2:
        return
    step = costs.step_seconds(asked)
    assert step is not None
    assert abs(step / truth(asked, a, b, c) - 1) < 0.2


def test_nothing_is_said_before_anything_was_timed() -> None:
    """Until then "measuring"."""
    costs = Costs()
    assert costs.seconds(WorkEstimate(100, 100, 12, 1)) is None
    costs.add_job(WorkEstimate(100, 100, 12, 1), [], 0.0, 0.0)
    assert not costs.is_known


def test_decoding_and_start_count() -> None:
    """Steps, decoding of the pixels and what comes before the first step."""
    costs = Costs()
    costs.add_job(WorkEstimate(100, 100, 10, 1000), [0.1, 0.1, 0.1], start=0.4, decoding=0.5)
    assert abs((costs.seconds(WorkEstimate(100, 100, 10, 1000)) or 0) - (0.3 + 1.0 + 0.5)) < 1e-6
    assert abs((costs.seconds(WorkEstimate(100, 100, 20, 2000)) or 0) - (0.3 + 2.0 + 1.0)) < 1e-6


def test_planning_and_drawing_are_told_apart_by_size() -> None:
    """Many layers plan longer than one, and a coarse background is drawn faster than fine."""
    costs = Costs()
    for planning, tokens, drawn in ((1, 25, 25_000), (4, 300, 300_000), (2, 80, 80_000)):
        step = 0.01 + 1e-4 * tokens
        load = WorkEstimate(tokens, 300, 2, 500_000, drawn=drawn, planning=planning)
        costs.add_job(load, [step], 0.02 + 1.3 * planning * step / 2 + step, 1e-6 * drawn)
    for planning, tokens in ((1, 50), (4, 200)):
        step = 0.01 + 1e-4 * tokens
        asked = WorkEstimate(tokens, 300, 2, 500_000, drawn=1000 * tokens, planning=planning)
        true = 0.02 + 1.3 * planning * step / 2 + 2 * step + 1e-3 * tokens
        assert abs((costs.seconds(asked) or 0) / true - 1) < 0.02


def test_a_start_is_never_predicted_below_nothing() -> None:
    """Noise may make a long planning look cheaper than a short one."""
    costs = Costs()
    for planning, start in ((4, 0.1), (1, 0.9)):
        costs.add_job(WorkEstimate(100, 100, 2, 10, planning=planning), [0.1], start + 0.1, 0.0)
    seconds = [costs.seconds(WorkEstimate(100, 100, 2, 10, planning=p)) or 0 for p in (0, 1, 4, 40)]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0.2


def test_old_samples_make_room_and_survive_a_file() -> None:
    """Refined by each job, kept in the settings; nonsense in the file is left out."""
    costs = Costs()
    for tokens in range(1, 3 * MAX_SAMPLES):
        costs.add_job(WorkEstimate(tokens, tokens, 10, 10), [0.001 * tokens], 0.0, 0.1)
    assert len(costs.steps) == MAX_SAMPLES
    again = Costs.from_json(costs.to_json())
    load = WorkEstimate(60, 60, 10, 10)
    assert again.seconds(load) == costs.seconds(load)
    for nonsense in (None, 3, {"steps": [[1, 2], "x", [1, -2, 3]], "decodings": 5}):
        assert not Costs.from_json(nonsense).is_known


def test_more_is_never_predicted_cheaper() -> None:
    """Coefficients are not negative, whatever noise was timed."""
    costs = Costs()
    for tokens, seconds in ((10, 0.5), (100, 0.3), (200, 0.9), (400, 0.2)):
        costs.add_job(WorkEstimate(tokens, tokens, 10, 10), [seconds], 0.0, 0.0)
    steps = [costs.step_seconds(WorkEstimate(n, n, 10, 10)) or 0 for n in (10, 100, 1000)]
    assert steps == sorted(steps)


def test_tokens_are_counted_as_the_model_will_cut_them() -> None:
    """One per grid cell, or as many at every size."""
    document = document_with_boxes((0, 0, 224, 96), (0, 0, 192, 96))
    contents = document.contents
    made = [layer for layer in contents.layers if not layer.is_background]
    plain = [tokens_of(layer, contents, model_info()) for layer in made]
    assert sorted(plain) == [18, 21]
    same = [tokens_of(layer, contents, model_info(side_tokens=4)) for layer in made]
    assert same == [8, 8], "four along the longer side, whatever its size"


@pytest.mark.parametrize("rule", [{}, {"side_tokens": 3}])
def test_probes_count_the_tokens_that_the_engine_makes(rule) -> None:
    generator = tiny_generator()
    art_of(generator).model.card = dataclasses.replace(art_of(generator).model.card, **rule)
    for number, request in enumerate(probes(generator.info, lambda: 1)):
        made = sum(region.count for region in art_of(generator).regions(request))
        assert estimate(request, generator.info).seen == made, number


def test_the_predicted_steps_are_those_that_the_engine_takes() -> None:
    """One layer next to finished ones takes fewer; the background and whole pictures do not."""
    document = document_with_boxes((0, 0, 96, 96), (128, 128, 224, 224))
    info = model_info(default_steps=2, default_edit_steps=1)
    fill(document)
    scenery, *things = document.contents.layers
    for made in ([things[0]], [scenery], [scenery, *things], things):
        finished = [layer for layer in (scenery, *things) if layer not in made]
        load = estimate_layers(document.contents, made, finished, info)
        expected = 1 if made == [things[0]] else 2
        assert load.steps == expected, [layer.name for layer in made]


GB = 2**30


def test_a_job_that_does_not_fit_is_refused_with_its_numbers() -> None:
    """Nothing is started; a smaller choice is offered where one would fit."""
    desk = Desk(document_with_boxes(*BOXES))
    desk.bridge.free_memory = lambda: estimates.RESERVE_BYTES + 2**20
    assert desk.bridge.generate("picture") is None
    assert desk.engine.requests == []
    assert desk.bridge.current is None
    said = desk.messages[-1]
    assert said.kind == "error"
    assert said.text.startswith("This needs about ")
    assert "513 MB are free. Nothing was started. Choose a smaller canvas" in said.text


def test_layers_one_by_one_are_offered_where_they_fit() -> None:
    """With the number that one of them needs."""
    whole = WorkEstimate(tokens=200_000, seen=100_000, steps=8, pixels=4 << 20)
    single = WorkEstimate(tokens=10_000, seen=20_000, steps=8, pixels=1 << 20)
    said = estimates.memory_trouble(whole, [single, single], estimates.RESERVE_BYTES + 3 * GB)
    assert said is not None
    assert f"one by one ({estimates.size(estimates.peak_bytes(single))})" in said.advice
    assert estimates.memory_trouble(single, [single], estimates.RESERVE_BYTES + 3 * GB) is None


def test_one_by_one_each_layer_sees_all_the_others() -> None:
    """A job of the window; the last layer sees what was made before it, and must fit."""
    document = document_with_boxes(*BOXES)
    desk = Desk(document)
    info = desk.bridge.info
    assert info is not None
    whole = estimates.peak_bytes(estimate_layers(document.contents, document.layers, (), info))
    largest = max(
        estimates.peak_bytes(
            estimate_layers(document.contents, [layer], others_of(document, layer), info)
        )
        for layer in document.layers
    )
    desk.bridge.free_memory = lambda: estimates.RESERVE_BYTES + largest
    assert desk.bridge.generate("picture") is None
    assert desk.engine.requests == []
    free = estimates.size(estimates.RESERVE_BYTES + largest)
    assert desk.messages[-1].text == (
        f"This needs about {estimates.size(whole)}, {free} are free. Nothing was started. "
        f"Generate the layers one by one ({estimates.size(largest)}), or close other programs."
    )
    desk.bridge.free_memory = lambda: estimates.RESERVE_BYTES + largest - 1
    desk.bridge.generate("picture")
    assert "one by one" not in desk.messages[-1].text
    desk.bridge.free_memory = lambda: estimates.RESERVE_BYTES + whole
    assert desk.bridge.generate("picture") is not None


def others_of(document: Document, layer: Layer) -> list[Layer]:
    return [other for other in document.layers if other is not layer]


def test_a_smaller_canvas_is_offered_with_its_number() -> None:
    """Where there is nothing to split, which share of the job would fit."""
    job = WorkEstimate(tokens=4000, seen=2000, steps=8, pixels=1 << 20)
    half = WorkEstimate(tokens=2000, seen=1000, steps=8, pixels=1 << 19)
    said = estimates.memory_trouble(
        job, [job], estimates.RESERVE_BYTES + estimates.peak_bytes(half) + 1000
    )
    assert said is not None
    advice = "About 50 % of the job would fit. Choose a smaller canvas, or close other programs."
    assert said.advice == advice


@pytest.mark.parametrize("free", [None, 64 * GB])
def test_nothing_is_refused_where_there_is_room_or_nobody_knows(free: int | None) -> None:
    """The check never stands in the way of a guess."""
    desk = Desk(document_with_boxes(*BOXES))
    desk.bridge.free_memory = lambda: free
    assert desk.bridge.generate("picture") is not None


def test_more_tokens_and_pixels_need_more() -> None:
    """The prediction grows with each part of a job."""
    least = estimates.peak_bytes(WorkEstimate(10, 10, 8, 100))
    for more in (
        WorkEstimate(20, 10, 8, 100),
        WorkEstimate(10, 20, 8, 100),
        WorkEstimate(10, 10, 8, 200),
    ):
        assert estimates.peak_bytes(more) > least


def test_memory_that_ran_out_is_said_with_layers_and_tokens() -> None:
    """What was kept, and what to do; finished results count."""
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
    """Rounded down, of the same mixture; nothing where it cannot be known."""
    failed = WorkEstimate(tokens=4000, seen=2000, steps=8, pixels=1 << 20)
    half = WorkEstimate(tokens=2000, seen=1000, steps=8, pixels=1 << 19)
    free = estimates.RESERVE_BYTES + estimates.peak_bytes(half) + 1000
    assert estimates.fitting_tokens(failed, free) == 1000
    assert estimates.fitting_tokens(failed, free - 2_000_000) < 1000
    for unknown in (None, 0, estimates.RESERVE_BYTES + 64 * GB):
        assert estimates.fitting_tokens(failed, unknown) == 0
    desk = Desk(document_with_boxes(*BOXES))
    desk.bridge.generate("picture")
    desk.bridge.free_memory = lambda: estimates.RESERVE_BYTES + estimates.BYTES_ANYWAY + 7_000_000
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
    """Torch reports an exhausted allocator as a RuntimeError."""
    assert is_out_of_memory(error) is expected


def test_the_cache_budget_of_the_settings_reaches_the_engine() -> None:
    """Megabytes in the settings, bytes in the engine; 0 leaves the choice to it."""
    chosen = engine_factory(1, None, 64)(lambda event: None)
    automatic = engine_factory(1)(lambda event: None)
    assert chosen._cache_bytes == 64 << 20  # type: ignore[attr-defined]
    assert automatic._cache_bytes is None  # type: ignore[attr-defined]
