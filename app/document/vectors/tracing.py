"""Tracing: vector shapes from the pixels of a layer, or the reason why it has none.

A picture of flat fills becomes one shape for each fill, painted bottom to top. The shapes are
compared with the pixels before they are used: a layer whose pixels they do not show well stays a
picture. Pixels never change, so each picture is traced once.

Shapes: H W rows and columns, in pixels of the layer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image

from app.document.candidates import original_of
from app.document.layer import Layer
from app.document.pixels import Pixels
from app.document.vectors.contours import Contour, TooDetailedError, contours_of, coverage
from app.document.vectors.curves import Curve, polygons, smoothed
from app.document.vectors.fills import Fills, find_fills, gradient_fills, without_fringes

Check = Callable[[], None]
LEAST_LIKENESS = 32.0  # decibels between pixels and shapes
MOST_NODES = 12_000
MOST_PIXELS = 2048 * 2048  # a larger picture of flat fills is reduced before it is traced
MOST_GRADIENT_PIXELS = 1536 * 1536  # a larger picture with gradients stays a picture
_GRADIENT_COLOURS = (16, 32)
_WANTED = LEAST_LIKENESS + 1.5  # other programs paint edges a little differently


@dataclass(frozen=True, slots=True)
class _Effort:
    """How closely shapes follow the pixels."""

    smallest: float  # square pixels that a contour holds at least
    # pixels by which curves may miss a visible border, tried in turn; the largest need the fewest
    # nodes
    slacks: tuple[float, ...]
    fine: bool = False  # follow every bend


# The second where the first leaves out too much, as in small layers with much in them.
_EFFORTS = (_Effort(1.5, (0.5, 0.4, 0.3, 0.2)), _Effort(0.4, (0.3, 0.2, 0.1), fine=True))
_GRADIENT_EFFORT = _Effort(6.0, (0.5,))
_SURE = LEAST_LIKENESS + 0.75  # from which a layer is not traced again with more effort

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One flat fill: a colour and closed curves, holes running the other way round."""

    colour: Rgb
    curves: tuple[Curve, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Vectors:
    """A layer as shapes."""

    # width, height: of the layer, in pixels; the unit of the curves is one pixel
    width: int
    height: int
    # bottom to top; every shape but the top one reaches under those above it
    shapes: tuple[Shape, ...]
    likeness: float  # decibels between the pixels and the shapes, colour and alpha together

    @property
    def nodes(self) -> int:
        return sum(len(curve.nodes) for shape in self.shapes for curve in shape.curves)


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """What became of a picture: shapes, or the reason why it stays a picture."""

    vectors: Vectors | None
    reason: str = ""


def traced(image: Pixels, *, gradients: bool = False, check: Check = lambda: None) -> Traced:
    """The shapes of a picture; kept for as long as the picture lives. May be called anywhere.

    Args:
        gradients: trace a picture without flat fills, too, in steps of colour.
        check: called between the parts of the work, which takes seconds for a picture with much
            detail; what it raises ends the work.
    """
    with _lock:
        known = _traced[gradients].get(image)
    if known is None:
        flat = traced(image, check=check) if gradients else trace(image.array, check)
        known = trace_gradients(image.array, check) if gradients and flat.vectors is None else flat
        with _lock:
            _traced[gradients][image] = known
    return known


def traced_before(image: Pixels) -> Traced | None:
    """What `traced` found for a picture; None if it was not asked yet. Never waits."""
    with _lock:
        return _traced[False].get(image)


_lock = threading.Lock()
_traced: dict[bool, WeakKeyDictionary[Pixels, Traced]] = {
    False: WeakKeyDictionary(),
    True: WeakKeyDictionary(),
}


def trace(rgba: np.ndarray, check: Check = lambda: None) -> Traced:
    """Trace a layer of flat fills, (H, W, 4) uint8, straight alpha; `check` as for `traced`."""
    height, width = rgba.shape[:2]
    if not rgba[..., 3].any():
        return Traced(Vectors(width, height, (), float("inf")))
    smaller = _reduced(rgba)
    fills = find_fills(smaller)
    check()
    if fills is None:
        return Traced(None, "it has no flat fills")
    fills = without_fringes(fills)
    best = Traced(None)
    for effort in _EFFORTS:
        found = _checked(smaller, fills, effort, (width, height), check)
        if best.vectors is None or (
            found.vectors is not None and found.vectors.likeness > best.vectors.likeness
        ):
            best = found
        if best.vectors is not None and best.vectors.likeness >= _SURE:
            break
    return best


def trace_gradients(rgba: np.ndarray, check: Check = lambda: None) -> Traced:
    """Trace a layer with gradients in as few colours as look like it; arguments as for `trace`."""
    height, width = rgba.shape[:2]
    if height * width > MOST_GRADIENT_PIXELS:
        return Traced(None, f"it has no flat fills and {height * width:,} pixels")
    found = Traced(None, "it has no flat fills")
    for colours in _GRADIENT_COLOURS:
        check()
        fills = gradient_fills(rgba, colours)
        if _likeness(_premultiplied(rgba), fills.nearest()) < LEAST_LIKENESS:
            continue
        found = _checked(rgba, fills, _GRADIENT_EFFORT, (width, height), check)
        if found.vectors is not None and found.vectors.likeness >= _WANTED:
            break
    return found


def _checked(
    rgba: np.ndarray,
    fills: Fills,
    effort: _Effort,
    size: tuple[int, int],
    check: Check,
) -> Traced:
    """The shapes of fills at (width, height) `size`, or what speaks against them."""
    try:
        contours = contours_of(fills, effort.smallest)
    except TooDetailedError:
        return Traced(None, "it has too much detail for shapes")
    best = _best(rgba, fills, contours, effort, check)
    if best.likeness < LEAST_LIKENESS:
        return Traced(None, "shapes would not look like its pixels")
    if best.nodes > MOST_NODES:
        return Traced(None, f"its shapes would have {best.nodes:,} nodes")
    return Traced(_enlarged(best, *size))


def _best(
    rgba: np.ndarray,
    fills: Fills,
    contours: list[list[Contour]],
    effort: _Effort,
    check: Check,
) -> Vectors:
    """The shapes with the fewest nodes that are like enough; the most alike where none is."""
    height, width = rgba.shape[:2]
    pixels = _premultiplied(rgba)
    best: Vectors | None = None
    for slack in effort.slacks:
        check()
        shapes = _shapes(fills, contours, slack, effort.fine)
        likeness = _likeness(pixels, painted(shapes, height, width))
        if best is None or likeness > best.likeness:
            best = Vectors(width, height, shapes, likeness)
        if likeness >= _WANTED:
            break
    assert best is not None  # there is at least one slack
    return best


def _shapes(
    fills: Fills, contours: list[list[Contour]], slack: float, fine: bool
) -> tuple[Shape, ...]:
    every = [contour for of_fill in contours for contour in of_fill]
    curves = iter(smoothed(every, slack, fine=fine))
    shapes = []
    for colour, of_fill in zip(fills.palette.tolist(), contours, strict=True):
        own = tuple(next(curves) for _ in of_fill)
        if own:
            shapes.append(Shape((colour[0], colour[1], colour[2]), own))
    return tuple(shapes)


def painted(
    shapes: tuple[Shape, ...],
    height: int,
    width: int,
    scale: float | tuple[float, float] = 1.0,
    corner: tuple[int, int] = (0, 0),
) -> np.ndarray:
    """Paint shapes with smooth edges.

    Args:
        height, width: of the result.
        scale: pixels of the result for one unit of the curves, or across and down apart.
        corner: x and y, in pixels of the result, where its upper left corner lies in the layer.

    Returns:
        (height, width, 4) float32, premultiplied, 0 to 1.
    """
    out = np.zeros((height, width, 4), np.float32)
    for shape in shapes:
        at, following = polygons(shape.curves, scale)
        at = at - complex(*corner)
        left, top = (max(0, int(np.floor(part.min()))) for part in (at.real, at.imag))
        right = min(width, int(np.ceil(at.real.max())) + 1)
        bottom = min(height, int(np.ceil(at.imag.max())) + 1)
        if left >= right or top >= bottom:
            continue
        cover = coverage(at - (left + 1j * top), following, bottom - top, right - left)[..., None]
        part = out[top:bottom, left:right]
        part *= 1 - cover
        part += cover * np.array([*(level / 255 for level in shape.colour), 1], np.float32)
    return out


def painted_bytes(
    shapes: tuple[Shape, ...],
    height: int,
    width: int,
    scale: float | tuple[float, float] = 1.0,
    corner: tuple[int, int] = (0, 0),
) -> np.ndarray:
    """As `painted`, but (height, width, 4) uint8, straight alpha."""
    pixels = painted(shapes, height, width, scale, corner)
    alpha = pixels[..., 3:]
    pixels[..., :3] /= np.maximum(alpha, 1 / 512)
    out = np.round(pixels.clip(0, 1) * 255).astype(np.uint8)
    out[out[..., 3] == 0] = 0
    return out


def _premultiplied(rgba: np.ndarray) -> np.ndarray:
    pixels = rgba.astype(np.float32) / 255
    pixels[..., :3] *= pixels[..., 3:]
    return pixels


def _likeness(first: np.ndarray, second: np.ndarray) -> float:
    """Decibels between two pictures; infinite where they are equal."""
    error = float(np.square(first - second).mean())
    return float(-10 * np.log10(error)) if error > 0 else float("inf")


def _reduced(rgba: np.ndarray) -> np.ndarray:
    """The picture with at most `MOST_PIXELS`; averages of whole blocks of pixels."""
    height, width = rgba.shape[:2]
    times = 1
    while -(-height // times) * -(-width // times) > MOST_PIXELS:
        times += 1
    if times == 1:
        return rgba
    # Premultiplied: the colour of transparent pixels must not count.
    image = Image.fromarray(rgba, "RGBA").convert("RGBa").reduce(times)
    return np.asarray(image.convert("RGBA"))


def _enlarged(vectors: Vectors, width: int, height: int) -> Vectors:
    """The shapes of a reduced picture at the size of the picture itself."""
    if (vectors.width, vectors.height) == (width, height):
        return vectors
    times = np.ceil(np.array([width / vectors.width, height / vectors.height])).max()
    shapes = tuple(
        Shape(
            shape.colour,
            tuple(replace(curve, nodes=curve.nodes * times) for curve in shape.curves),
        )
        for shape in vectors.shapes
    )
    return Vectors(width, height, shapes, vectors.likeness)


_IMPORTED = Traced(None, "it was imported")
_EMPTY = Traced(None, "it has no pixels")


def source_of(layer: Layer, *, imported: bool = False) -> Pixels | None:
    """The picture that a layer's shapes are made from.

    None for boxes without pixels, and for imported pictures unless they are wanted: those are
    shown as they came.
    """
    if layer.image is None or (layer.kind == "imported" and not imported):
        return None
    original = original_of(layer)
    return layer.image if original is None else original.image


def layer_shapes(
    layer: Layer,
    *,
    gradients: bool = False,
    imported: bool = False,
    check: Check = lambda: None,
) -> Traced:
    """The shapes of a layer, or why it has none, as `traced`; imported ones only if wanted."""
    source = source_of(layer, imported=imported)
    if source is None:
        return _EMPTY if layer.image is None else _IMPORTED
    return traced(source, gradients=gradients, check=check)


def known_shapes(layer: Layer) -> Traced | None:
    """As `layer_shapes`, but None where the answer would take a moment."""
    source = source_of(layer)
    return layer_shapes(layer) if source is None else traced_before(source)


def scale_of(layer: Layer, vectors: Vectors) -> tuple[float, float]:
    """Canvas pixels for one unit of the shapes, across and down."""
    return layer.rect.width / vectors.width, layer.rect.height / vectors.height
