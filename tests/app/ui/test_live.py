"""The live picture: Qt's quick painting is close to the exact one, and partial paints are whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QRect

from app.document.composite import composite
from app.document.geometry import Rect, Size
from app.document.layer import Layer
from app.document.pixels import Pixels
from app.ui.canvas.live import MODES, InteractiveCompositor, LiveLayer
from app.ui.widgets.images import to_array, wrapped

CANVAS = Size(96, 64)


def layers(blend: str = "normal", *, opaque_ground: bool = False) -> list[Layer]:
    """A few overlapping soft layers, some outside the canvas."""
    rng = np.random.default_rng(5)
    found = []
    for place, rect in enumerate(
        (Rect(0, 0, 96, 64), Rect(-10, 5, 60, 40), Rect(30, 20, 90, 30), Rect(50, -8, 30, 60))
    ):
        pixels = rng.integers(0, 255, (rect.height, rect.width, 4), dtype=np.uint8)
        pixels[..., 3] = 255 if place == 0 and opaque_ground else 40 + 50 * place
        found.append(
            Layer(
                id=place + 1,
                number=place + 1,
                name=str(place),
                kind="imported",
                rect=rect,
                image=Pixels.of(pixels),
                opacity=1.0 if place == 0 else 0.7,
                blend="normal" if place == 0 else blend,
            )
        )
    return found


def entries(source: list[Layer]) -> list[LiveLayer]:
    return [
        LiveLayer(
            layer.id, layer.image, wrapped(layer.pixels), layer.rect, layer.opacity, layer.blend
        )
        for layer in source
        if layer.pixels is not None
    ]


def shown(live: InteractiveCompositor) -> np.ndarray:
    return to_array(live.image)


# Qt's formulas differ in single pixels for these; Plus saturates after alpha instead of before.
FAR_OFF = {"color-dodge", "color-burn", "soft-light", "add"}


@pytest.mark.parametrize("blend", ["normal", *sorted(set(MODES) - FAR_OFF)])
def test_it_looks_like_the_exact_one(qapp: Any, blend: str) -> None:
    """Until the exact picture is there, no difference shows."""
    source = layers(blend, opaque_ground=True)
    live = InteractiveCompositor()
    live.show(entries(source), CANVAS)
    exact = composite(source, CANVAS.rect).astype(int)
    assert np.abs(shown(live).astype(int) - exact).max() <= 6


def test_a_partial_paint_is_as_good_as_a_whole_one(qapp: Any) -> None:
    """Only the changed rectangle is painted, with or without kept pictures."""
    source = layers()
    for moving in ((), (2,), (1, 3)):
        live = InteractiveCompositor()
        live.show(entries(source), CANVAS, moving)
        moved = [
            layer if layer.id not in (2, 3) else _at(layer, layer.rect.translated(7, 4))
            for layer in source
        ]
        dirty = live.show(entries(moved), CANVAS, moving)
        assert dirty == QRect(0, 0, 96, 64).intersected(dirty)
        fresh = InteractiveCompositor()
        fresh.show(entries(moved), CANVAS)
        assert np.abs(shown(live).astype(int) - shown(fresh)).max() <= 2


def test_what_is_equal_is_not_painted(qapp: Any) -> None:
    """The same list again costs nothing; an opacity costs its rectangle."""
    source = layers()
    live = InteractiveCompositor()
    assert live.show(entries(source), CANVAS) == QRect(0, 0, 96, 64)
    assert live.show(entries(source), CANVAS).isEmpty()
    source[3] = _at(source[3], source[3].rect, opacity=0.2)
    assert live.show(entries(source), CANVAS) == QRect(50, 0, 30, 52)
    assert live.show(entries(source[:3]), CANVAS) == QRect(50, 0, 30, 52)
    swapped = [source[0], source[2], source[1]]
    assert not live.show(entries(swapped), CANVAS).isEmpty()
    fresh = InteractiveCompositor()
    fresh.show(entries(swapped), CANVAS)
    assert np.abs(shown(live).astype(int) - shown(fresh)).max() <= 2


def _at(layer: Layer, rect: Rect, opacity: float | None = None) -> Layer:
    from dataclasses import replace

    return replace(layer, rect=rect, opacity=layer.opacity if opacity is None else opacity)
