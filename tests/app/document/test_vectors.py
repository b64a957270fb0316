"""Shapes of delivered layers: like their pixels, few nodes, no seams; painted by resvg."""

from __future__ import annotations

from functools import cache
from statistics import median

import numpy as np
import pytest

from app.document import Document, Rect, new_contents
from app.document.commands import Placement, PlacePixels, SetRect
from app.document.geometry import Size
from app.document.pixels import Pixels, resampled
from app.document.storage.formats.svg import paths_of
from app.document.vectors import contours, tracing
from app.document.vectors.contours import coverage
from app.document.vectors.tracing import (
    Vectors,
    known_shapes,
    layer_shapes,
    painted,
    scale_of,
    trace,
    trace_gradients,
    traced,
    traced_before,
)
from tests.app.document.examples import import_picture, plain
from tests.app.document.flat_examples import NAMES, flat_layer, sky
from tests.app.document.pictures_in import drawn

MAGENTA, GREEN = "#f0f", "#0f0"


@cache
def vectors_of(name: str) -> Vectors:
    found = trace(flat_layer(name))
    assert found.vectors is not None, found.reason
    return found.vectors


def svg(vectors: Vectors, ground: str = "none") -> str:
    size = f'width="{vectors.width}" height="{vectors.height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}><rect {size} fill="{ground}"/>'
        f"{''.join(paths_of(vectors))}</svg>"
    )


def premultiplied(pixels: np.ndarray) -> np.ndarray:
    floats = pixels.astype(np.float64) / 255
    return np.concatenate([floats[..., :3] * floats[..., 3:], floats[..., 3:]], axis=-1)


def likeness(first: np.ndarray, second: np.ndarray) -> float:
    """Decibels between two pictures, colour and alpha together."""
    error = np.square(premultiplied(first) - premultiplied(second)).mean()
    return float(-10 * np.log10(max(error, 1e-12)))


def inside(pixels: np.ndarray, margin: int) -> np.ndarray:
    """(h, w) bool solid pixels with solid ones alone around them."""
    solid = pixels[..., 3] == 255
    for _ in range(margin):
        padded = np.pad(solid, 1, constant_values=True)
        height, width = solid.shape
        parts = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
        solid = np.logical_and.reduce(parts)
    return solid


# ---- delivered layers ----


@pytest.mark.parametrize("name", NAMES)
def test_shapes_look_like_the_pixels(name: str) -> None:
    """Another program paints them within 32 dB, alpha included; our own painting agrees."""
    vectors, pixels = vectors_of(name), flat_layer(name)
    other = drawn(svg(vectors))
    assert likeness(other, pixels) >= 32
    own = painted(vectors.shapes, *pixels.shape[:2])
    assert np.square(own - premultiplied(other)).mean() < 10**-4
    assert vectors.likeness == pytest.approx(likeness(other, pixels), abs=1.5)


@pytest.mark.parametrize("scale", [1, 1.37, 4])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_shines_through(name: str, scale: float) -> None:
    """Over magenta and over green the inside is the same at every scale."""
    vectors = vectors_of(name)
    over = [drawn(svg(vectors, ground), scale).astype(int) for ground in (MAGENTA, GREEN)]
    rows, columns = (
        np.minimum((np.arange(side) / scale).astype(int), limit - 1)
        for side, limit in zip(over[0].shape[:2], (vectors.height, vectors.width), strict=True)
    )
    seen = inside(flat_layer(name), 2)[rows][:, columns]
    assert seen.any()
    assert np.abs(over[0] - over[1])[seen].max() <= 2


def test_the_seam_test_sees_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes that do not reach under each other fail it."""
    monkeypatch.setattr(contours, "_half_inside", np.zeros_like)
    monkeypatch.setattr(tracing, "LEAST_LIKENESS", 0)
    vectors = trace(flat_layer("castle")).vectors
    assert vectors is not None
    over = [drawn(svg(vectors, ground), 4).astype(int) for ground in (MAGENTA, GREEN)]
    seen = inside(flat_layer("castle"), 2).repeat(4, axis=0).repeat(4, axis=1)
    assert np.abs(over[0] - over[1])[seen].max() > 20


def test_shapes_have_few_nodes_and_the_colours_of_the_fills() -> None:
    assert median(vectors_of(name).nodes for name in NAMES) <= 400
    for name in NAMES:
        fills = {tuple(each) for each in flat_layer(name)[flat_layer(name)[..., 3] == 255][:, :3]}
        assert {shape.colour for shape in vectors_of(name).shapes} <= fills
        assert len(vectors_of(name).shapes) <= 16


def test_the_same_pixels_give_the_same_shapes() -> None:
    again = trace(flat_layer("crab")).vectors
    assert again is not None and svg(again) == svg(vectors_of("crab"))


def test_corners_stay_corners() -> None:
    """A rectangle is four straight lines that meet in its corners."""
    pixels = np.zeros((60, 60, 4), np.uint8)
    pixels[10:50, 12:40] = (200, 30, 40, 255)
    vectors = trace(pixels).vectors
    assert vectors is not None and vectors.likeness > 40
    (shape,) = vectors.shapes
    nodes = shape.curves[0].nodes[:, 0]
    for corner in ((12, 10), (40, 10), (40, 50), (12, 50)):
        assert np.linalg.norm(nodes - corner, axis=1).min() < 0.25
    assert len(nodes) == 4 and shape.curves[0].straight.all()


def test_curves_are_within_half_a_pixel_of_a_circle() -> None:
    rows, columns = np.mgrid[:640, :640] / 8 + 1 / 16
    fine = np.hypot(rows - 40, columns - 41) < 25.3
    alpha = fine.reshape(80, 8, 80, 8).mean(axis=(1, 3))
    pixels = np.zeros((80, 80, 4), np.uint8)
    pixels[..., :3] = (20, 90, 160)
    pixels[..., 3] = np.round(255 * alpha)
    vectors = trace(pixels).vectors
    assert vectors is not None and vectors.nodes <= 12
    points = vectors.shapes[0].curves[0].polygon(1)
    assert np.abs(np.hypot(points[:, 0] - 41, points[:, 1] - 40) - 25.3).max() < 0.5


# ---- what is no drawing ----


@pytest.mark.parametrize(
    ("pixels", "shapes"),
    [
        (plain(1, 1, (255, 0, 0, 255)), 1),
        (plain(7, 5, (0, 0, 0, 0)), 0),
        (plain(8192, 2, (9, 200, 30, 255)), 1),
    ],
    ids=["one pixel", "empty", "8192 px"],
)
def test_odd_layers_have_shapes(pixels: np.ndarray, shapes: int) -> None:
    vectors = trace(pixels).vectors
    assert vectors is not None
    assert len(vectors.shapes) == shapes
    assert likeness(drawn(svg(vectors)), pixels) >= 40


def noise(height: int, width: int, colours: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    palette = rng.integers(0, 256, (colours, 4), dtype=np.uint8)
    palette[:, 3] = 255
    return palette[rng.integers(0, colours, (height, width))]


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (noise(100, 100, 10_000), "no flat fills"),
        (noise(300, 300, 3).repeat(2, axis=0).repeat(2, axis=1), "too much detail"),
        (plain(40, 40, (10, 20, 30, 128)), "no flat fills"),
    ],
    ids=["10,000 colours", "pattern", "half transparent"],
)
def test_what_shapes_cannot_show_stays_a_picture(pixels: np.ndarray, reason: str) -> None:
    found = trace(pixels)
    assert found.vectors is None
    assert reason in found.reason
    assert trace_gradients(pixels).vectors is None


def test_a_large_layer_is_traced_at_a_smaller_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded work: the layer is reduced to a third, the shapes are as large as the layer."""
    monkeypatch.setattr(tracing, "MOST_PIXELS", 200 * 140)
    rows, columns = np.ogrid[:400, :500]
    pixels = np.zeros((400, 500, 4), np.uint8)
    pixels[(rows - 190) ** 2 + (columns - 260) ** 2 < 150**2] = (200, 30, 30, 255)
    vectors = trace(pixels).vectors
    assert vectors is not None
    assert (vectors.width, vectors.height) == (500, 400)
    points = vectors.shapes[0].curves[0].polygon(1)
    assert np.abs(np.hypot(points[:, 0] - 260, points[:, 1] - 190) - 150).max() < 2


def test_gradients_become_steps_that_look_alike() -> None:
    pixels = sky(192, 160)
    assert trace(pixels).vectors is None
    vectors = trace_gradients(pixels).vectors
    assert vectors is not None
    assert likeness(drawn(svg(vectors)), pixels) >= 32
    assert drawn(svg(vectors))[..., 3].min() >= 253  # opaque to its very edge


# ---- layers ----


def generated(name: str) -> Document:
    document = Document(new_contents(Size(512, 512), 32, boxes=[Rect(32, 32, 64, 64)]))
    pixels = flat_layer(name)
    layer = document.foregrounds[0]
    rect = Rect(32, 32, pixels.shape[1], pixels.shape[0])
    PlacePixels([Placement(layer.id, pixels, rect, {"word": name})]).do(document)
    return document


def test_a_resized_layer_keeps_its_shapes() -> None:
    """They are those of the pixels that it was resampled from, at the new size."""
    document = generated("tent")
    layer = document.foregrounds[0]
    before = layer_shapes(layer).vectors
    SetRect(layer.id, Rect(10, 20, 300, 256)).do(document)
    layer = document.foregrounds[0]
    after = layer_shapes(layer).vectors
    assert after is before is not None
    assert scale_of(layer, after) == (300 / 128, 2)
    assert known_shapes(layer) is not None


def test_resampled_pixels_have_shapes_too() -> None:
    """Where the original is gone, as in a file of another program."""
    pixels = resampled(flat_layer("castle"), 192, 168, sharp=True)
    vectors = trace(pixels).vectors
    assert vectors is not None
    assert likeness(drawn(svg(vectors)), pixels) >= 32


def test_imported_layers_stay_pictures() -> None:
    document = Document(new_contents(Size(128, 128), 32))
    import_picture(document, flat_layer("crab"), "crab")
    found = layer_shapes(document.foregrounds[0])
    assert found.vectors is None and "imported" in found.reason


# ---- coverage ----


def test_coverage_is_the_area() -> None:
    """A square with a hole at odd places, one that leaves the picture, and nothing."""
    square = np.array([1.25 + 1.5j, 5.75 + 1.5j, 5.75 + 6j, 1.25 + 6j])
    hole = np.array([2.5 + 2.5j, 2.5 + 4j, 3.75 + 4j, 3.75 + 2.5j])
    following = np.array([1, 2, 3, 0, 5, 6, 7, 4])
    found = coverage(np.concatenate([square, hole]), following, 8, 8)
    assert found.sum() == pytest.approx(4.5 * 4.5 - 1.5 * 1.25, abs=1e-5)
    assert found[1, 1] == pytest.approx(0.375) and found[3, 3] == pytest.approx(0.25)
    outside = coverage(square - 3 - 3j, following[:4], 4, 4)
    assert outside.sum() == pytest.approx(2.75 * 3, abs=1e-5)
    assert not coverage(np.zeros(0, complex), np.zeros(0, np.int64), 3, 3).any()


def test_tracing_ends_where_its_check_raises() -> None:
    """A closed window does not wait for shapes; nothing half made is kept."""
    pixels = flat_layer(NAMES[0])[1:]  # no other test keeps shapes of this picture
    image, calls = Pixels.of(pixels), []

    def check() -> None:
        calls.append(None)
        if len(calls) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        traced(image, check=check)
    assert traced_before(image) is None
    whole = traced(image).vectors
    assert whole is not None
    again = trace(pixels).vectors
    assert again is not None and whole.nodes == again.nodes
