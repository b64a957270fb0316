"""Align and distribute as arithmetic."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.document.geometry import Rect, Side, Size, aligned, distributed

CANVAS = Size(200, 100)


@pytest.mark.parametrize(
    ("side", "x", "y"),
    [
        ("left", 0, 20),
        ("right", 160, 20),
        ("top", 10, 0),
        ("bottom", 10, 70),
        ("centre_h", 80, 20),
        ("centre_v", 10, 35),
    ],
)
def test_one_layer_goes_to_the_canvas(side: Side, x: int, y: int) -> None:
    """One layer aligns to the canvas."""
    assert aligned({1: Rect(10, 20, 40, 30)}, side, CANVAS) == {1: Rect(x, y, 40, 30)}


def test_several_go_to_what_they_cover() -> None:
    """Several align to their union."""
    rects = {1: Rect(10, 20, 40, 30), 2: Rect(60, 50, 20, 20)}
    assert aligned(rects, "right", CANVAS) == {1: Rect(40, 20, 40, 30), 2: Rect(60, 50, 20, 20)}
    assert aligned(rects, "centre_v", CANVAS)[2].y == 20 + (50 - 20) // 2
    assert aligned({}, "left", CANVAS) == {}


def test_two_are_not_distributed() -> None:
    """Distribute takes three or more."""
    rects = {1: Rect(0, 0, 5, 5), 2: Rect(50, 0, 5, 5)}
    assert distributed(rects, "h") == rects


rect = st.builds(
    Rect, st.integers(-300, 500), st.integers(-300, 500), st.integers(1, 90), st.integers(1, 90)
)


@given(st.lists(rect, min_size=3, max_size=8), st.sampled_from(["h", "v"]))
def test_gaps_are_equal(rects: list[Rect], axis: str) -> None:
    """Gaps differ by rounding only; the other axis, sizes and the outermost stay."""
    known = dict(enumerate(rects))
    moved = distributed(known, axis)  # type: ignore[arg-type]
    assert [item.size for item in moved.values()] == [item.size for item in rects]
    if axis == "v":
        known, moved = _turned(known), _turned(moved)
    assert [item.y for item in moved.values()] == [item.y for item in known.values()]
    order = sorted(known, key=lambda key: (2 * known[key].x + known[key].width, key))
    gaps = [moved[after].x - moved[before].right for before, after in pairwise(order)]
    assert max(gaps) - min(gaps) <= 2
    assert (moved[order[0]], moved[order[-1]]) == (known[order[0]], known[order[-1]])


def _turned(rects: dict[int, Rect]) -> dict[int, Rect]:
    return {key: Rect(item.y, item.x, item.height, item.width) for key, item in rects.items()}
