"""Predicted times (GE4): learnt from timed steps, within a fifth of what a job then takes."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.costs import MAX_SAMPLES, Costs, Load, load_of, tokens_of
from app.session.monitor import probe_load, probes
from app.testing import document_with_boxes, fill, model_info
from engine.models.art.backbone import art_of
from tests.engine.tiny import tiny_generator


def truth(load: Load, a: float, b: float, c: float) -> float:
    return a + b * load.tokens + c * load.tokens * load.seen


loads = st.builds(
    lambda tokens, more: Load(tokens, tokens + more, 12, tokens * 1024),
    st.integers(4, 1500),
    st.integers(0, 600),
)


@given(
    st.lists(loads, min_size=6, max_size=20, unique_by=lambda load: (load.tokens, load.seen)),
    st.floats(0.001, 0.02),
    st.floats(1e-5, 1e-3),
    st.floats(0, 1e-7),
    loads,
)
def test_prediction_is_within_a_fifth(
    seen: list[Load], a: float, b: float, c: float, asked: Load
) -> None:
    """GE4: for any size between those that were timed."""
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
    """GE4: until then "measuring"."""
    costs = Costs()
    assert costs.seconds(Load(100, 100, 12, 1)) is None
    costs.add_job(Load(100, 100, 12, 1), [], 0.0, 0.0)
    assert not costs.is_known


def test_decoding_and_start_count() -> None:
    """GE4: steps, decoding of the pixels and what comes before the first step."""
    costs = Costs()
    costs.add_job(Load(100, 100, 10, 1000), [0.1, 0.1, 0.1], start=0.4, decoding=0.5)
    assert abs((costs.seconds(Load(100, 100, 10, 1000)) or 0) - (0.3 + 1.0 + 0.5)) < 1e-6
    assert abs((costs.seconds(Load(100, 100, 20, 2000)) or 0) - (0.3 + 2.0 + 1.0)) < 1e-6


def test_planning_and_drawing_are_told_apart_by_size() -> None:
    """GE4: many layers plan longer than one, and a coarse background is drawn faster than fine."""
    costs = Costs()
    for planning, tokens, drawn in ((1, 25, 25_000), (4, 300, 300_000), (2, 80, 80_000)):
        step = 0.01 + 1e-4 * tokens
        load = Load(tokens, 300, 2, 500_000, drawn=drawn, planning=planning)
        costs.add_job(load, [step], 0.02 + 1.3 * planning * step / 2 + step, 1e-6 * drawn)
    for planning, tokens in ((1, 50), (4, 200)):
        step = 0.01 + 1e-4 * tokens
        asked = Load(tokens, 300, 2, 500_000, drawn=1000 * tokens, planning=planning)
        true = 0.02 + 1.3 * planning * step / 2 + 2 * step + 1e-3 * tokens
        assert abs((costs.seconds(asked) or 0) / true - 1) < 0.02


def test_a_start_is_never_predicted_below_nothing() -> None:
    """GE4: noise may make a long planning look cheaper than a short one."""
    costs = Costs()
    for planning, start in ((4, 0.1), (1, 0.9)):
        costs.add_job(Load(100, 100, 2, 10, planning=planning), [0.1], start + 0.1, 0.0)
    seconds = [costs.seconds(Load(100, 100, 2, 10, planning=p)) or 0 for p in (0, 1, 4, 40)]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0.2


def test_old_samples_make_room_and_survive_a_file() -> None:
    """GE4: refined by each job, kept in the settings; nonsense in the file is left out."""
    costs = Costs()
    for tokens in range(1, 3 * MAX_SAMPLES):
        costs.add_job(Load(tokens, tokens, 10, 10), [0.001 * tokens], 0.0, 0.1)
    assert len(costs.steps) == MAX_SAMPLES
    again = Costs.from_json(costs.to_json())
    load = Load(60, 60, 10, 10)
    assert again.seconds(load) == costs.seconds(load)
    for nonsense in (None, 3, {"steps": [[1, 2], "x", [1, -2, 3]], "decodings": 5}):
        assert not Costs.from_json(nonsense).is_known


def test_more_is_never_predicted_cheaper() -> None:
    """GE4: coefficients are not negative, whatever noise was timed."""
    costs = Costs()
    for tokens, seconds in ((10, 0.5), (100, 0.3), (200, 0.9), (400, 0.2)):
        costs.add_job(Load(tokens, tokens, 10, 10), [seconds], 0.0, 0.0)
    steps = [costs.step_seconds(Load(n, n, 10, 10)) or 0 for n in (10, 100, 1000)]
    assert steps == sorted(steps)


def test_tokens_are_counted_as_the_model_will_cut_them() -> None:
    """GE4: one per grid cell, or as many at every size."""
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
        assert probe_load(request, generator.info).seen == made, number


def test_the_predicted_steps_are_those_that_the_engine_takes() -> None:
    """GE4: one layer beside finished ones takes fewer; the background and whole pictures do not."""
    document = document_with_boxes((0, 0, 96, 96), (128, 128, 224, 224))
    info = model_info(default_steps=2, default_edit_steps=1)
    fill(document)
    scenery, *things = document.contents.layers
    for made in ([things[0]], [scenery], [scenery, *things], things):
        finished = [layer for layer in (scenery, *things) if layer not in made]
        load = load_of(document.contents, made, finished, info)
        expected = 1 if made == [things[0]] else 2
        assert load.steps == expected, [layer.name for layer in made]
