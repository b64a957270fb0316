"""Natural prompts: the data is whole, and the scores say what they mean."""

from __future__ import annotations

import numpy as np
import pytest

from engine.api import LayerResult
from engine.prompts.lexicon import lexicon_of
from engine.training.data.concepts import STAGES, concepts_of
from engine.training.eval.judges import Verdict
from engine.training.eval.natural import (
    ANY_NUMBER,
    HALVES,
    NaturalPrompt,
    natural_prompts,
    natural_request,
    score,
)

KNOWN = concepts_of(3)
LEXICON = lexicon_of(KNOWN.vocabulary)


@pytest.mark.parametrize("stage", STAGES)
def test_both_halves_are_whole_and_share_no_prompt(stage: int) -> None:
    known = concepts_of(stage)
    halves = [natural_prompts(half, known) for half in HALVES]
    assert [len(half) for half in halves] == [100, 100]
    texts = [prompt.prompt for half in halves for prompt in half]
    assert len(set(texts)) == 200
    for half in halves:
        assert sum(prompt.spare for prompt in half) >= 30
        assert sum(bool(prompt.undrawable) for prompt in half) >= 20
        for prompt in half:
            assert set(prompt.things) <= set(known.noun_names)
            assert set(prompt.backgrounds) <= set(known.background_names)
            assert prompt.boxes >= 2


def test_things_that_a_vocabulary_lacks_are_undrawable_in_it() -> None:
    def robots(stage: int) -> NaturalPrompt:
        found = natural_prompts(1, concepts_of(stage))
        return next(each for each in found if each.prompt.startswith("a robot"))

    assert "robot" in robots(3).undrawable
    assert robots(3).things == {}
    assert robots(4).things == {"robot": 1, "flower": ANY_NUMBER}


def test_requests_have_as_many_boxes_as_the_prompt_and_are_the_same_each_time() -> None:
    for number, prompt in enumerate(natural_prompts(1, KNOWN)):
        request = natural_request(number, prompt, None, seed=3)
        assert sum(each.kind == "foreground" for each in request.layers) == prompt.boxes
        assert request == natural_request(number, prompt, None, seed=3)


def verdict(noun: str | None, *, empty: bool = False) -> Verdict:
    return Verdict(noun, 0.9, empty, "flat", np.zeros(1, np.float32))


def results(words: list[str | None]) -> list[LayerResult]:
    return [
        LayerResult(
            layer_id=number,
            kind="foreground",
            box=(0, 0, 32, 32),
            seed=0,
            rgba=np.zeros((32, 32, 4), np.uint8),
            word=word,
            left_empty=None if word else "nothing is left",
        )
        for number, word in enumerate(words, 1)
    ]


def test_a_perfect_picture_scores_all_rows() -> None:
    asked = NaturalPrompt("…", 5, {"cat": 2, "dog": 1}, ("sofa",), ("trees",), ())
    words = ["cats", "cats", "dog", None, None]
    nouns = ["cat", "cat", "dog", None, None]
    seen = [verdict(noun, empty=noun is None) for noun in nouns]
    found = score(asked, results(words), seen, LEXICON)
    shares = {name: rate.share for name, rate in found.items()}
    assert shares == {
        "things found": 1.0,
        "whole pictures": 1.0,
        "undrawable words that got a box": 0.0,
        "spare boxes empty": 1.0,
        "counts right": 1.0,
        "negation right": 1.0,
    }


def test_lumps_wrong_counts_and_excluded_things_are_seen() -> None:
    asked = NaturalPrompt("…", 5, {"cat": 2, "dog": 1}, ("sofa",), ("trees",), ())
    words = ["cats", "sofa", "dog", "trees", "a"]
    seen = [verdict(noun) for noun in ("cat", None, None, "tree", None)]
    found = score(asked, results(words), seen, LEXICON)
    shares = {name: rate.share for name, rate in found.items()}
    assert shares == {
        "things found": pytest.approx(1 / 3),
        "whole pictures": 0.0,
        "undrawable words that got a box": 1.0,
        "spare boxes empty": 0.0,
        "counts right": 0.0,
        "negation right": 0.0,
    }
