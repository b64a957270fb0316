"""Geometry of rectangles and sizes: tables of cases, and properties that always hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.document.geometry import Box, Rect, Size, ceil_to, floor_to, round_to

CANVAS = Size(512, 512)

coordinates = st.integers(-2000, 2000)
sides = st.integers(1, 2000)
rects = st.builds(Rect, coordinates, coordinates, sides, sides)


@pytest.mark.parametrize(
    ("box", "region", "tokens"),
    [
        ((281, 203, 474, 397), (272, 192, 480, 400), 169),
        ((94, 22, 294, 406), (80, 16, 304, 416), 350),
        ((190, 327, 379, 471), (176, 320, 384, 480), 130),
    ],
)
def test_regions_are_those_of_the_paper(box: Box, region: Box, tokens: int) -> None:
    """The test vectors of docs/art.md 10: canvas 512, 16 pixels per token."""
    snapped = Rect.from_box(box).snapped_outward(16, CANVAS)
    assert snapped.to_box() == region
    assert snapped.area // 256 == tokens


@pytest.mark.parametrize(
    ("box", "region"),
    [
        ((0, 0, 16, 16), (0, 0, 16, 16)),  # already on the grid: stays
        ((1, 1, 2, 2), (0, 0, 16, 16)),  # one pixel: one cell
        ((-100, -5, 20, 20), (0, 0, 32, 32)),  # sticks out left: cut
        ((500, 500, 900, 900), (496, 496, 512, 512)),  # sticks out right: the real canvas counts
        ((600, 10, 700, 20), (496, 0, 512, 32)),  # outside: the nearest cells
        ((-90, -90, -10, -10), (0, 0, 16, 16)),
        ((0, 0, 512, 512), (0, 0, 512, 512)),
    ],
)
def test_snapped_outward(box: Box, region: Box) -> None:
    assert Rect.from_box(box).snapped_outward(16, CANVAS).to_box() == region


@pytest.mark.parametrize(
    ("box", "drawn"),
    [
        ((7, 8, 40, 41), (0, 16, 48, 48)),  # Each edge to the nearest line, half goes up
        ((20, 20, 23, 23), (16, 16, 32, 32)),  # thinner than a cell: the cell of its middle
        ((30, 30, 33, 33), (16, 16, 32, 32)),
        ((-40, -40, -20, -20), (0, 0, 16, 16)),
        ((505, 0, 600, 16), (496, 0, 512, 16)),
        ((0, 0, 511, 511), (0, 0, 512, 512)),
    ],
)
def test_snapped_nearest(box: Box, drawn: Box) -> None:
    assert Rect.from_box(box).snapped_nearest(16, CANVAS).to_box() == drawn


@given(rects, st.sampled_from([16, 32, 64]))
def test_snapping_always_gives_whole_cells_inside(rect: Rect, grid: int) -> None:
    for snapped in (
        rect.snapped_outward(grid, CANVAS),
        rect.snapped_nearest(grid, CANVAS),
        rect.moved_to_grid(grid, CANVAS),
    ):
        assert not any(edge % grid for edge in snapped.to_box())
        assert CANVAS.rect.contains(snapped)
        assert snapped.snapped_outward(grid, CANVAS) == snapped
        assert snapped.snapped_nearest(grid, CANVAS) == snapped
        assert snapped.moved_to_grid(grid, CANVAS) == snapped


@given(rects)
def test_a_region_covers_what_lies_on_the_canvas(rect: Rect) -> None:
    visible = rect.intersect(CANVAS.rect)
    if visible is not None:
        assert rect.snapped_outward(16, CANVAS).contains(visible)


@given(rects, rects)
def test_intersection_and_union(one: Rect, other: Rect) -> None:
    common = one.intersect(other)
    assert common == other.intersect(one)
    assert one.united(other).contains(one)
    assert one.united(other).contains(other)
    if common is not None:
        assert one.contains(common)
        assert other.contains(common)


@given(rects)
def test_boxes_and_rects_are_the_same(rect: Rect) -> None:
    assert Rect.from_box(rect.to_box()) == rect
    assert Rect.from_corners(rect.right, rect.bottom, rect.x, rect.y) == rect


@given(rects, coordinates, coordinates)
def test_a_result_follows_a_moved_target(rect: Rect, dx: int, dy: int) -> None:
    assert rect.following(rect, rect.translated(dx, dy)) == rect.translated(dx, dy)


def test_a_result_for_a_resized_target_is_centred() -> None:
    made = Rect(0, 0, 64, 64)
    assert made.following(made, Rect(100, 100, 32, 32)) == Rect(84, 84, 64, 64)


@pytest.mark.parametrize(
    ("value", "down", "up", "near"),
    [
        (0, 0, 0, 0),
        (1, 0, 16, 0),
        (8, 0, 16, 16),
        (-1, -16, 0, 0),
        (-8, -16, 0, 0),
        (32, 32, 32, 32),
    ],
)
def test_rounding_to_a_step(value: int, down: int, up: int, near: int) -> None:
    assert (floor_to(value, 16), ceil_to(value, 16), round_to(value, 16)) == (down, up, near)


@pytest.mark.parametrize("sides", [(0, 5), (5, 0), (-1, 5)])
def test_empty_sizes_and_rects_are_refused(sides: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Size(*sides)
    with pytest.raises(ValueError, match="at least 1"):
        Rect(0, 0, *sides)


def test_points_and_sizes() -> None:
    rect = Rect(10, 20, 30, 40)
    assert rect.contains_point(10, 20)
    assert not rect.contains_point(40, 20)
    assert rect.centre == (25, 40)
    assert Size(100, 50).rounded_up(32) == Size(128, 64)
    assert not Size(100, 64).is_multiple_of(32)
