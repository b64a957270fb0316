"""How many steps a job takes that does not say so: fewer beside finished things."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.api import GenerateRequest
from engine.models.checkpoint import load_model
from tests.engine.tiny import layer, picture, pipeline_of, random_pixels, tiny_model

ALL, ONE, TWO = (0, 0, 256, 256), (0, 0, 64, 64), (96, 96, 192, 192)
SCENERY, THING = layer(0, ALL, random_pixels(ALL)), layer(1, ONE, random_pixels(ONE))
CASES = [
    (picture(layer(0, ALL), layer(1, ONE)), False),
    (picture(layer(1, ONE), layer(2, TWO)), False),
    (picture(SCENERY, layer(2, TWO)), False),  # nothing says yet which look it is going to be
    (picture(layer(0, ALL), THING), False),
    (picture(SCENERY, THING, layer(2, TWO)), True),
    (picture(THING, layer(2, TWO)), True),
]


@pytest.mark.parametrize(("request_", "is_edit"), CASES)
def test_jobs_beside_finished_things_take_the_steps_of_edits(
    request_: GenerateRequest, is_edit: bool
) -> None:
    model = tiny_model()
    model.card = replace(model.card, steps=3, edit_steps=2)
    generator = pipeline_of(model)
    assert request_.is_edit == is_edit
    finished = generator.run(request_)
    assert finished.steps == generator.info.steps_for(is_edit=is_edit) == (2 if is_edit else 3)
    assert generator.run(replace(request_, steps=1)).steps == 1, "who says how many gets them"


def test_what_ships_takes_two_and_one() -> None:
    card = load_model().card
    assert (card.steps, card.edit_steps) == (2, 1)
