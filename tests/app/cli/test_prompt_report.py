"""The report on a prompt: in its words as typed, for people and for the manifest."""

from __future__ import annotations

import json

import numpy as np

from app.cli.generate import report_facts, report_lines
from engine import Finished, LayerResult, NotPlaced, check_prompt

PROMPT = "A pengiun, two kittens and a sofa on the beach, no clouds"
WHY = "every thing that the prompt names has a box already"


def result(number: int, word: str | None, why: str | None = None) -> LayerResult:
    kind = "background" if number == 0 else "foreground"
    return LayerResult(
        layer_id=number, kind=kind, box=(0, 0, 32, 32), seed=0, word=word, left_empty=why,
        rgba=np.zeros((32, 32, 4), np.uint8),
    )  # fmt: skip


def finished(prompt: str = PROMPT, *, reading: int = 2) -> Finished:
    return Finished(
        job_id=1,
        results=(
            result(0, "beach"),
            result(1, "pengiun"),
            result(2, "kittens"),
            result(3, None, WHY),
        ),
        steps=2, cfg_scale=1.0, clean_colours=True, seconds=1.0, cache_hits=0, cache_misses=0,
        unknown_words=(),
        model_name="", model_hash="", device="cpu", precision="fp32", threads=1, torch_version="",
        reading=reading,
        check=check_prompt(prompt) if reading > 1 else None,
        not_placed=(NotPlaced(typed="kittens", count=1),),
    )  # fmt: skip


def test_each_kind_of_news_is_one_line() -> None:
    assert report_lines(finished()) == [
        "Drawn: 'pengiun', 'kittens'.",
        "Not drawn: 'sofa' (not among the things that this model draws, try 'bed').",
        "No box left for: 'kittens'.",
        "Misspelt, read: 'pengiun' as 'penguin'.",
        "Left out, as asked: clouds.",
        f"Left empty: 1 box; {WHY}.",
    ]


def test_words_after_the_last_that_is_read_are_counted() -> None:
    assert report_lines(finished("a cat " * 200))[-1] == (
        "Not read: the last 144 words of the prompt."
    )


def test_further_backgrounds_have_a_line_of_their_own() -> None:
    done = finished("a cat on the beach in the city")
    assert "A picture has one background; not used: 'in the city'." in report_lines(done)
    assert report_facts(done)["backgrounds_not_used"] == ["in the city"]


def test_the_manifest_has_the_same_as_plain_values() -> None:
    facts = report_facts(finished())
    assert facts == json.loads(json.dumps(facts))
    assert facts["drawn"] == [{"word": "pengiun", "count": 1}, {"word": "kittens", "count": 1}]
    assert facts["not_drawn"][0]["nearest"] == "bed"
    assert facts["no_box_left"] == [{"word": "kittens", "count": 1}]
    assert facts["misspelt"] == [{"word": "pengiun", "suggestion": "penguin"}]
    assert facts["boxes_left_empty"] == [{"why": WHY, "count": 1}]
    assert (facts["background"], facts["negated"]) == ("on the beach", ["clouds"])


def test_the_older_reading_has_no_report() -> None:
    old = finished(reading=1)
    assert report_lines(old) == []
    assert report_facts(old) == {}
