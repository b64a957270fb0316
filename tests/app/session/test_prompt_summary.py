"""Boxes against things: what stays empty, and what has no box."""

from __future__ import annotations

import pytest

from app.session.prompt_summary import summarise
from engine import check_prompt


@pytest.mark.parametrize(
    ("prompt", "boxes", "wanted", "spare", "missing"),
    [
        ("a cat and a dog", [None] * 7, 2, 5, []),
        ("a cat and a dog", [None] * 2, 2, 0, []),
        ("a cat, a dog and the moon", [None] * 2, 3, 0, [("moon", 1)]),
        ("three balloons", [None], 3, 0, [("balloon", 2)]),
        ("balloons", [None] * 4, 1, 0, []),
        ("a cat", [], 1, 0, [("cat", 1)]),
        ("", [None] * 3, 0, 3, []),
        ("", ["cat", None], 1, 1, []),
        ("a stapler", [None], 0, 1, []),
        # Boxes that show a thing already, or have it pinned.
        ("a cat, a dog and the moon", ["cat", "dog"], 3, 0, [("moon", 1)]),
        ("a cat, a dog and the moon", ["moon", None], 3, 0, [("dog", 1)]),
        ("a cat and the moon", ["cat", "cat"], 3, 0, [("moon", 1)]),
        ("two cats", ["cat", None, None], 2, 1, []),
    ],
)
def test_counts(prompt, boxes, wanted, spare, missing) -> None:
    summary = summarise(check_prompt(prompt), boxes)
    assert (summary.boxes, summary.wanted, summary.spare) == (len(boxes), wanted, spare)
    assert [(thing.noun, thing.count) for thing in summary.missing] == missing
