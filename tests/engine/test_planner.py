"""Planner: a single region's plan and first step in one pass give what two passes give."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from engine.models.art.assignment import Assigner
from engine.models.art.attention import KeyValueBuffer
from engine.models.art.backbone import art_of
from engine.models.art.model import ART
from engine.models.art.positions import inner_coordinates, place_on_canvas, region_ids
from engine.pipeline import LayerPipeline
from engine.sampling import FIRST_LEVEL, timesteps
from tests.engine.tiny import TINY_ART, layer, picture, tiny_generator, tiny_model

BOX = (96, 32, 192, 96)
ROUNDING = {"rtol": 1e-4, "atol": 2e-5}


def assigner(art: ART, *, clean: bool, words: int = 6, checks: list[int] | None = None) -> Assigner:
    torch.manual_seed(0)
    txt = torch.randn(1, words, TINY_ART.text_width)
    frame = art.condition(
        region_ids(3, BOX, 32)[None],
        inner_coordinates(2, 3)[None],
        place_on_canvas(BOX, (256, 256)).expand(6, 4)[None],
        txt,
    )
    room, length, heads = 6 + words, 5, TINY_ART.heads
    keys = [
        KeyValueBuffer(
            torch.randn(1, heads, length + room, TINY_ART.width // heads),
            torch.randn(1, heads, length + room, TINY_ART.width // heads),
            length,
        )
        for _ in range(TINY_ART.double_blocks + TINY_ART.single_blocks)
    ]
    calls = [] if checks is None else checks
    return Assigner(
        art=art,
        conditioning=frame,
        text=txt,
        noise=torch.randn(1, 6, TINY_ART.token_width),
        owner=torch.zeros(1, 6, dtype=torch.long),
        seeds=[7],
        seen=torch.tensor([[0.0, 1, 0, 0, 0, 0]]) if clean else None,
        context=keys if clean else None,
        check=lambda: calls.append(1),
    )


@torch.no_grad()
@pytest.mark.parametrize("clean", [False, True])
def test_plan_and_step_together_are_plan_then_step(clean: bool) -> None:
    """Whatever was guessed, to the last bit; and as in two passes, but for rounding."""
    art = tiny_model().art
    apart = assigner(art, clean=clean)
    frame = apart.assign()
    vec = art.vec(torch.full((1,), FIRST_LEVEL), apart.text[:, 0])
    expected = art(apart.noise, frame, vec, context=apart.context)
    results = []
    for guess in range(6):
        checks: list[int] = []
        joint = assigner(art, clean=clean, checks=checks)
        conditioning, predicted = joint.assign_and_step(guess)
        assert joint.shows == apart.shows
        assert len(checks) == (1 if guess == joint.shows[0] else 2)
        assert torch.equal(conditioning.txt, frame.txt)
        results.append(predicted)
    torch.testing.assert_close(results[0], expected, **ROUNDING)
    assert all(torch.equal(results[0], other) for other in results)


def test_every_schedule_begins_with_nothing_but_noise() -> None:
    assert all(timesteps(n, mu)[0] == FIRST_LEVEL for n in (1, 2, 8) for mu in (0.0, 1.5, 3.1))


def passes(generator: LayerPipeline, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Image tokens of every pass from now on."""
    art, counted = art_of(generator).model.art, []
    begin = art.begin

    def counting(tokens: torch.Tensor, *args, **more):
        counted.append(tokens.shape[1])
        return begin(tokens, *args, **more)

    monkeypatch.setattr(art, "begin", counting)
    return counted


def test_a_layer_made_anew_is_guessed_to_show_what_it_showed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One pass where the guess is right; the pixels never depend on it."""
    first = tiny_generator()
    boxes = {0: (0, 0, 256, 256), 1: (0, 0, 64, 64), 2: (64, 64, 192, 192)}
    whole = picture(*(layer(i, box) for i, box in boxes.items()), prompt="two dogs")
    done = first.run(whole)
    pixels = {result.layer_id: result.rgba for result in done.results}
    again = picture(
        layer(0, boxes[0], pixels=pixels[0]), layer(1, boxes[1], pixels=pixels[1]),
        layer(2, boxes[2]), prompt="two dogs", steps=1, cfg_scale=1.0,
    )  # fmt: skip
    made = first.run(again).results[0]
    counted = passes(first, monkeypatch)
    assert (first.run(again).results[0].rgba == made.rgba).all()
    assert len(counted) == 1
    fresh = tiny_generator()  # knows no word of before
    result = fresh.run(again).results[0]
    assert (result.rgba == made.rgba).all()
    assert result.word == made.word
    counted.clear()
    first.run(dataclasses.replace(whole, prompt="two castles"))
    assert art_of(first)._shown.keys() == set(boxes), "of the last prompt alone"
