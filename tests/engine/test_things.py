"""The things of a model: every noun has a category, its other words and its own picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from app.testing import model_info
from engine import Vocabulary, list_things, thing_pictures
from engine.api import ModelInfo
from engine.model_files import default_path
from engine.models.checkpoint import load_model
from engine.paths import resource_path
from engine.training.things import TILE, shown_part, tile_of, write_things

MAX_BYTES = 1_000_000


@pytest.fixture(scope="module")
def info() -> ModelInfo:
    model = load_model(default_path())
    return replace(model_info(), vocabulary=model.card.vocabulary, file_hash=model.file_hash)


def test_the_pictures_are_of_the_shipped_model(info) -> None:
    """A newer model file needs new pictures: `layerloom train things`."""
    pictures = thing_pictures(info)
    assert pictures is not None
    assert pictures.path.stat().st_size < MAX_BYTES
    with Image.open(pictures.path) as sheet:
        alpha = np.asarray(sheet.convert("RGBA"))[..., 3]
    side = pictures.side
    words = info.vocabulary
    places = [pictures.things[name] for name in words.nouns]
    places += [pictures.backgrounds[name] for name in words.backgrounds]
    places += [pictures.looks[name] for name in words.looks]
    assert sorted(places) == list(range(len(places)))
    for place in places:
        row, column = divmod(place, pictures.columns)
        tile = alpha[row * side : (row + 1) * side, column * side : (column + 1) * side]
        assert 0.1 < (tile > 128).mean() < 0.99, place


def test_every_thing_has_a_category_and_other_words_lead_to_it(info) -> None:
    things = {thing.name: thing for thing in list_things(info)}
    assert list(things) == list(info.vocabulary.nouns)
    assert len({thing.category for thing in things.values()}) in range(6, 13)
    assert things["cat"].category == "animals"
    assert "kitten" in things["cat"].synonyms
    assert things["house"].category == "buildings"


def test_another_model_has_its_words_without_pictures(info) -> None:
    other = replace(info, file_hash="another", vocabulary=Vocabulary(nouns=("cat", "gizmo")))
    assert thing_pictures(other) is None
    assert [(thing.name, thing.category) for thing in list_things(other)] == [
        ("cat", "animals"),
        ("gizmo", "objects"),
    ]
    assert list_things(replace(info, vocabulary=None)) == ()


def test_a_tile_holds_the_whole_thing_and_the_table_its_proportions(tmp_path) -> None:
    wide = np.zeros((96, 96, 4), np.uint8)
    wide[40:60, 8:88] = (200, 30, 30, 255)
    assert shown_part(wide) == (8, 40, 88, 60)
    assert shown_part(np.zeros((9, 7, 4), np.uint8)) == (0, 0, 7, 9)
    alpha = np.asarray(tile_of(wide))[..., 3]
    assert (alpha.max(axis=0) > 128).sum() == TILE - 4
    things = {"bar": wide, "none": np.zeros_like(wide)}
    size = write_things(things, {"bar": wide}, {}, model_hash="hash", out=tmp_path)
    assert size == sum(path.stat().st_size for path in tmp_path.iterdir())
    text = (tmp_path / "things.json").read_text("utf-8")
    assert '"aspect": 4.0' in text
    assert '"model": "hash"' in text


def test_the_shipped_table_is_small() -> None:
    assert resource_path("things", "things.json").stat().st_size < 50_000
