"""Alpha blocks and what the compositor leaves out because of them: not one bit differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import app.document.composite as module
from app.document.composite import AlphaBlocks, composite
from app.document.geometry import Rect
from app.document.layer import Layer
from app.document.pixels import Pixels

CANVAS = Rect(0, 0, 300, 260)


@given(
    st.integers(1, 200), st.integers(1, 200), st.integers(0, 199), st.integers(0, 199), st.data()
)
def test_bounds_are_never_too_narrow(
    width: int, height: int, x: int, y: int, data: st.DataObject
) -> None:
    rng = np.random.default_rng(width * 1000 + height)
    pixels = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    x, y = min(x, width - 1), min(y, height - 1)
    rows = slice(y, data.draw(st.integers(y + 1, height)))
    columns = slice(x, data.draw(st.integers(x + 1, width)))
    least, most = AlphaBlocks(pixels).range_in(rows, columns)
    part = pixels[rows, columns, 3]
    assert least <= part.min()
    assert most >= part.max()


def layer(place: int, rect: Rect, alpha: int, blend: str = "normal") -> Layer:
    rng = np.random.default_rng(place)
    pixels = rng.integers(0, 256, (rect.height, rect.width, 4), dtype=np.uint8)
    pixels[..., 3] = alpha
    return Layer(
        id=place,
        number=place,
        name="x",
        kind="imported",
        rect=rect,
        image=Pixels.of(pixels),
        blend=blend,
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-100, 250),
            st.integers(-100, 250),
            st.integers(1, 320),
            st.integers(1, 320),
            st.sampled_from([0, 90, 255, 255]),
            st.sampled_from(["normal", "normal", "multiply"]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_hidden_layers_are_left_out_without_a_trace(found: list[tuple]) -> None:
    """UI6: below opaque tiles nothing is painted; the bytes are those of painting everything."""
    layers = [
        layer(place, Rect(x, y, width, height), alpha, blend)
        for place, (x, y, width, height, alpha, blend) in enumerate(found, start=1)
    ]
    quick = composite(layers, CANVAS)
    # An opacity of almost one paints the same bytes and hides nothing.
    former = module.needed_in
    module.needed_in = lambda stack, tile: [  # type: ignore[assignment]
        (item, part) for item in stack if (part := item.rect.intersect(tile)) is not None
    ]
    try:
        slow = composite([replace(item) for item in layers], CANVAS)
    finally:
        module.needed_in = former
    assert np.array_equal(quick, slow)
