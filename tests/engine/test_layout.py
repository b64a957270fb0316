"""Boxes, ids and packing: table-driven, with the vectors of `docs/art.md` 10."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LayoutError
from engine.layout import (
    check_box,
    check_canvas,
    drawn_frame,
    foreground_grid,
    snap_box,
    token_size,
)
from engine.models.art.positions import inner_coordinates, patchify, region_ids, unpatchify

CANVAS = (512, 512)


@pytest.mark.parametrize(
    ("box", "snapped", "tokens"),
    [
        ((281, 203, 474, 397), (272, 192, 480, 400), 169),
        ((94, 22, 294, 406), (80, 16, 304, 416), 350),
        ((190, 327, 379, 471), (176, 320, 384, 480), 130),
    ],
)
def test_snaps_outward_as_the_paper_does(box, snapped, tokens):
    """The three boxes of docs/art.md 10 on a 512 canvas with 16 px tokens."""
    assert snap_box(box, 16, CANVAS) == snapped
    h, w = token_size(snapped, 16)
    assert h * w == tokens


def test_token_count_of_the_paper_s_example():
    """Merged and background add 2 x 1024 tokens: N = 2697."""
    boxes = [(272, 192, 480, 400), (80, 16, 304, 416), (176, 320, 384, 480)]
    full = (0, 0, 512, 512)
    counts = [h * w for h, w in (token_size(b, 16) for b in [full, full, *boxes])]
    assert sum(counts) == 2697


def test_clamps_to_the_real_canvas_and_not_to_1024():
    """The published code clamps to 1024 on any canvas, and then fails (docs/art.md 1.3)."""
    assert snap_box((400, 400, 900, 900), 16, CANVAS) == (400, 400, 512, 512)


def test_a_box_that_ends_on_the_grid_does_not_grow():
    """A formula for inclusive bounds, used on exclusive ones, adds 16 px (docs/art.md 1.3)."""
    assert snap_box((16, 16, 48, 48), 16, CANVAS) == (16, 16, 48, 48)


@pytest.mark.parametrize("box", [(600, 0, 700, 50), (10, 10, 10, 10), (-50, -50, -10, 20)])
def test_a_box_off_the_canvas_is_refused(box):
    with pytest.raises(LayoutError, match="empty"):
        snap_box(box, 16, CANVAS)


@given(
    st.tuples(st.integers(-50, 600), st.integers(-50, 600)),
    st.tuples(st.integers(1, 400), st.integers(1, 400)),
    st.sampled_from([16, 32, 64]),
)
def test_a_snapped_box_covers_what_is_on_the_canvas(corner, size, step):
    box = (*corner, corner[0] + size[0], corner[1] + size[1])
    visible = (max(0, box[0]), max(0, box[1]), min(512, box[2]), min(512, box[3]))
    if visible[0] >= visible[2] or visible[1] >= visible[3]:
        return
    x0, y0, x1, y1 = snapped = snap_box(box, step, CANVAS)
    check_box(snapped, CANVAS)
    assert not any(edge % step for edge in snapped)
    assert x0 <= visible[0] < x0 + step
    assert x1 - step < visible[2] <= x1
    assert y0 <= visible[1] < y0 + step
    assert y1 - step < visible[3] <= y1


def test_check_canvas_and_box_name_the_numbers():
    with pytest.raises(LayoutError, match="500 x 512"):
        check_canvas((500, 512), 64)
    with pytest.raises(LayoutError, match="leaves the canvas"):
        check_box((0, 0, 544, 64), CANVAS)
    with pytest.raises(LayoutError, match="empty"):
        check_box((64, 0, 64, 64), CANVAS)


def test_ids_are_absolute_and_row_major():
    ids = region_ids(3, (64, 32, 128, 96), 32)
    assert ids.tolist() == [[3, 1, 2], [3, 1, 3], [3, 2, 2], [3, 2, 3]]


def test_ids_of_a_coarse_region_are_centres_in_cells():
    """A token over 2 x 2 cells stands where those cells' centre is."""
    fine = region_ids(1, (0, 0, 128, 128), 32).reshape(4, 4, 3)
    coarse = region_ids(1, (0, 0, 128, 128), 32, scale=2).reshape(2, 2, 3)
    assert torch.equal(coarse[0, 1], fine[0:2, 2:4].mean(dim=(0, 1)))


def test_inner_coordinates_do_not_know_the_place():
    inner = inner_coordinates(2, 4)
    assert inner.shape == (8, 4)
    assert inner[0].tolist() == [0.125, 0.25, 4, 2]


def test_patchify_is_channel_slowest_and_exactly_inverted():
    latents = torch.arange(2 * 4 * 6).float().reshape(2, 4, 6)
    tokens = patchify(latents)
    assert tokens.shape == (6, 8)
    assert tokens[0].tolist() == [0, 1, 6, 7, 24, 25, 30, 31]  # channel, row, column
    assert torch.equal(unpatchify(tokens, 2, 3), latents)


def test_things_may_have_the_same_tokens_at_every_size():
    """Four along the longer side, the other in proportion, never fewer than two."""
    boxes = [(0, 0, 64, 64), (0, 0, 320, 320), (32, 0, 128, 160), (0, 0, 288, 64)]
    grids = [foreground_grid(box, 32, side_tokens=4) for box in boxes]
    assert grids == [(4, 4), (4, 4), (4, 2), (2, 4)]
    assert foreground_grid((0, 0, 96, 160), 32, side_tokens=4) == (4, 2)
    assert foreground_grid((0, 0, 224, 64), 32) == (2, 7), "one token per grid cell"


def test_the_frame_of_a_thing_is_all_its_tokens_but_in_narrow_boxes():
    """Every narrow box has the same frame: what is drawn there is one picture."""
    boxes = [(0, 0, 224, 256), (0, 0, 96, 64), (0, 0, 64, 160), (0, 0, 64, 192), (0, 0, 320, 64)]
    frames = [drawn_frame(box, foreground_grid(box, 32, side_tokens=4)) for box in boxes]
    assert frames == [(4, 4), (3, 4), (4, 2), (4, 4 / 3), (4 / 3, 4)]


def test_tokens_that_do_not_cover_a_box_lie_around_its_centre():
    covering = region_ids(3, (64, 32, 128, 96), 32)
    assert torch.equal(region_ids(3, (64, 32, 128, 96), 32, size=(2, 2)), covering)
    small = region_ids(3, (64, 32, 128, 96), 32, size=(4, 4))
    assert torch.equal(small.mean(dim=0), covering.mean(dim=0))
    assert torch.equal(small[1] - small[0], torch.tensor([0.0, 0.0, 1.0]))
