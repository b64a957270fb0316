"""What users asked for in trials: each box shows a named thing or is empty with its reason.

The prompts are those of the tasks of a trial: birthday cards, children's books, slides, stickers,
replaced things, crowns, own photos, colours and looks, and odd ones. Columns of the table: task,
boxes, things that are drawn with their numbers, words that are marked as not drawn, prompt.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from engine import check_prompt
from engine.api import GenerateRequest, LayerRequest
from engine.paths import resource_path
from engine.pipeline import LayerPipeline

CANVAS, SIDE, PER_ROW = (256, 256), 64, 4


def rows() -> list[dict[str, str]]:
    path = Path(__file__).with_name("tasks") / "prompts.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.fixture(scope="module")
def pipeline() -> LayerPipeline:
    return LayerPipeline.load(resource_path("model", "layerloom.safetensors"), device="cpu")


def request_of(prompt: str, boxes: int) -> GenerateRequest:
    layers = [LayerRequest(layer_id=0, kind="background", box=(0, 0, *CANVAS))]
    for place in range(boxes):
        x, y = place % PER_ROW * SIDE, place // PER_ROW * SIDE
        box = (x, y, x + SIDE, y + SIDE)
        layers.append(LayerRequest(layer_id=place + 1, kind="foreground", box=box, seed=place))
    return GenerateRequest(
        job_id=1, canvas=CANVAS, prompt=prompt, layers=tuple(layers), steps=1, preview_every=0
    )


def test_there_are_enough_of_them() -> None:
    found = rows()
    assert len(found) >= 34
    assert {row["task"] for row in found} >= set("abcdefgh")


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["prompt"][:40])
def test_things_and_marks(row: dict[str, str]) -> None:
    check = check_prompt(row["prompt"])
    drawn = [f"{thing.noun}:{thing.count}" for thing in check.objects]
    assert sorted(drawn) == sorted(filter(None, row["drawn"].split(";")))
    assert ";".join(word.typed for word in check.undrawable) == row["marked"]


def test_every_box_shows_a_named_thing_or_says_why_it_is_empty(pipeline: LayerPipeline) -> None:
    counts: Counter[str] = Counter()
    for row in rows():
        boxes = int(row["boxes"])
        finished = pipeline.run(request_of(row["prompt"], boxes))
        check = finished.check
        assert check is not None
        typed = {thing.typed for thing in check.objects}
        for result in finished.results[1:]:
            if result.left_empty is None:
                assert result.word in typed
                assert result.rgba[..., 3].any()
            else:
                assert result.word is None
                assert not result.rgba.any()
            counts["empty" if result.left_empty else "drawn"] += 1
        wanted = sum(thing.count or 1 for thing in check.objects)
        placed = sum(result.left_empty is None for result in finished.results[1:])
        left_out = sum(each.count for each in finished.not_placed)
        assert placed == min(boxes, wanted) or any(t.count is None for t in check.objects)
        assert placed + left_out >= wanted
        counts["marked"] += len(check.undrawable)
    print(dict(counts))
    assert counts["drawn"] > 2 * counts["empty"]
