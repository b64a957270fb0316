"""Properties of the evaluation on toy art: right layers score 100 %, wrong ones less."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from engine.api import GenerateRequest
from engine.training.data.concepts import FIRST
from engine.training.data.pixels import TONES
from engine.training.data.sprites import SpritePack
from engine.training.eval.tasks import (
    CROWDS,
    Setup,
    colour_of,
    colours,
    crowds,
    fit,
    is_cut,
    nearest_drawing,
    property_scores,
    sample_nouns,
    variety,
)
from tests.engine.training.toy_art import TOY, ToyJudge, toy_pack

DOG = next(noun for noun in FIRST.nouns if noun.name == "dog")


@pytest.fixture(scope="module")
def pack() -> SpritePack:
    return toy_pack()


def framed(sprite: np.ndarray, size: tuple[int, int], margin: float = 0.1) -> np.ndarray:
    """A sprite in the middle of a (width, height) layer, with a margin in shares of the layer."""
    layer = Image.new("RGBA", size)
    image = Image.fromarray(sprite)
    scale = (1 - 2 * margin) * min(size[0] / image.width, size[1] / image.height)
    image = image.resize((round(scale * image.width), round(scale * image.height)))
    layer.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return np.asarray(layer)


class Artist:
    """Draws what the prompt names, box by box, from a pack."""

    def __init__(self, pack: SpritePack, margin: float = 0.1) -> None:
        self.pack, self.margin = pack, margin
        self.requests: list[GenerateRequest] = []

    def __call__(self, request: GenerateRequest) -> Sequence[np.ndarray]:
        self.requests.append(request)
        names = [part.removeprefix("a ").removeprefix("an ") for part in self.parts(request.prompt)]
        layers = []
        for name, layer in zip(names, request.layers, strict=True):
            x0, y0, x1, y1 = layer.box
            sprite = self.sprite(name, layer.seed)
            layers.append(framed(sprite, (x1 - x0, y1 - y0), self.margin))
        return layers

    def parts(self, prompt: str) -> list[str]:
        return prompt.replace(" and ", ", ").split(", ")

    def sprite(self, name: str, seed: int) -> np.ndarray:
        colour, _, noun = name.partition(" ")
        if colour not in TONES:
            return self.pack.sprites[name, "flat"]
        sprite = self.pack.sprites[noun, "flat"].copy()
        sprite[..., :3] = TONES[colour]
        return sprite


def test_a_layer_is_matched_with_its_drawing_in_any_colour_and_mirrored(pack: SpritePack) -> None:
    drawings = [pack.sprites[name, "flat"] for name in ("dog", "cat", "sun", "house")]
    for index, drawing in enumerate(drawings):
        other = framed(np.ascontiguousarray(drawing[:, ::-1]), (160, 200))
        other = np.where(other[..., 3:] > 0, other[..., [1, 2, 0, 3]], 0).astype(np.uint8)
        assert nearest_drawing(other, drawings) == index
    assert nearest_drawing(np.zeros((20, 20, 4), np.uint8), drawings) in range(4)


class Varied(Artist):
    """One noun in as many drawings as it is given, chosen by the seed."""

    def __init__(self, pack: SpritePack, count: int) -> None:
        super().__init__(pack)
        self.drawings = pack.drawings["dog", "flat"][:count]

    def sprite(self, name: str, seed: int) -> np.ndarray:
        return self.drawings[seed % len(self.drawings)]


@pytest.mark.parametrize(("count", "share"), [(1, 0.0), (2, 0.0), (4, 1.0)])
def test_variety_counts_drawings_and_recognition(
    pack: SpritePack, count: int, share: float
) -> None:
    drawings = [pack.sprites[name, "flat"] for name in ("dog", "cat", "sun", "house")]
    several = SpritePack({**pack.drawings, ("dog", "flat"): tuple(drawings)}, "toy")

    def knows_dogs(layers: Sequence[np.ndarray]) -> list:
        return [ToyJudge(pack)([framed(drawings[0], (96, 96))])[0] for _ in layers]

    scores = variety(Varied(several, count), knows_dogs, several, [DOG])
    assert scores["nouns with three drawings in eight seeds"].share == share
    assert scores["eight seeds recognised"].share == 1.0

    def knows_nothing(layers: Sequence[np.ndarray]) -> list:
        return ToyJudge(pack)([np.zeros((64, 64, 4), np.uint8) for _ in layers])

    scores = variety(Varied(several, count), knows_nothing, several, [DOG])
    assert scores["nouns with three drawings in eight seeds"].share == 0.0


def test_things_that_reach_over_their_box_are_cut(pack: SpritePack) -> None:
    whole = np.zeros((100, 40, 4), np.uint8)
    whole[10:90, 5:35] = 255
    assert not is_cut(whole)
    whole[:90, 18:22] = 255  # an antenna: a tenth of the side
    assert not is_cut(whole)
    whole[:90, 10:30] = 255
    assert is_cut(whole)
    judging = ToyJudge(pack)
    nouns = sample_nouns(TOY, 6, 0)
    assert all(rate.share == 1.0 for rate in fit(Artist(pack), judging, nouns).values())
    filling = fit(Artist(pack, margin=0.0), judging, nouns)
    assert (filling["things not cut by their box"].share or 0.0) < 1.0


def test_colours_are_those_of_most_pixels() -> None:
    for name, tone in TONES.items():
        layer = np.zeros((30, 30, 4), np.uint8)
        layer[5:25, 5:25] = (*tone, 255)
        layer[5:9, 5:25, :3] = TONES["green" if name != "green" else "red"]
        assert colour_of(layer) == name
    assert colour_of(np.zeros((5, 5, 4), np.uint8)) is None


def test_every_thing_needs_its_own_colour(pack: SpritePack) -> None:
    concepts = TOY
    judging = ToyJudge(pack)
    right = colours(Artist(pack), judging, concepts, 9)
    assert {name: rate.share for name, rate in right.items()} == {
        "things of a colour": 1.0,
        "things of two colours": 1.0,
        "things of three colours": 1.0,
    }

    class Swapped(Artist):
        def parts(self, prompt: str) -> list[str]:
            words = [part.split(" ", 2) for part in super().parts(prompt)]
            tones = [each[1] for each in words]
            return [f"{tone} {each[2]}" for tone, each in zip(tones[::-1], words, strict=True)]

    swapped = colours(Swapped(pack), judging, concepts, 9)
    assert swapped["things of a colour"].share == 1.0
    assert swapped["things of two colours"].share == 0.0


def test_crowds_name_as_many_things_as_there_are_boxes(pack: SpritePack) -> None:
    artist = Artist(pack)
    scores = crowds(artist, ToyJudge(pack), TOY, 1)
    assert [rate.total for rate in scores.values()] == list(CROWDS)
    assert all((rate.share or 0) > 0.95 for rate in scores.values())
    for request, (count, canvas) in zip(artist.requests, CROWDS.items(), strict=True):
        assert (len(request.layers), request.canvas) == (count, canvas)
        assert len({layer.box for layer in request.layers}) == count


def results_of(artist: Artist) -> Callable[[GenerateRequest], SimpleNamespace]:
    """The artist's layers as a generator gives them, the last first."""

    def run(request: GenerateRequest) -> SimpleNamespace:
        made = zip(request.layers, artist(request), strict=True)
        found = [SimpleNamespace(layer_id=layer.layer_id, rgba=rgba) for layer, rgba in made]
        return SimpleNamespace(results=found[::-1])

    return run


def test_every_property_has_as_many_cases_as_the_scenes_ask_for(pack: SpritePack) -> None:
    generator = SimpleNamespace(run=results_of(Artist(pack)))
    setup = Setup(generator=generator, judging=ToyJudge(pack), pack=pack, concepts=TOY)
    scores = property_scores(setup, 10)
    assert scores["nouns with three drawings in eight seeds"].total == 4
    assert scores["things not cut by their box"].total == 4
    assert sum(rate.total for name, rate in scores.items() if "colour" in name) == 12
    assert scores["50 named things"].total == 100
