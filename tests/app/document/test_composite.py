"""The compositor against exact arithmetic, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import app.document.composite as module
from app.document import Size, new_contents
from app.document.blends import BLEND_MODES, BLENDS, UNLISTED_MODES
from app.document.commands import (
    DeleteLayers,
    MoveLayers,
    Placement,
    PlacePixels,
    SetBackground,
    SetBlend,
    SetOpacity,
    SetVisible,
)
from app.document.composite import AlphaBlocks, Compositor, Needed, composite, paint_over
from app.document.document import Document
from app.document.geometry import Rect, union
from app.document.layer import Layer, new_layer_id
from app.document.pixels import Pixels
from tests.app.document.examples import composite_of, design, picture, plain, run


def layer_of(
    pixels: np.ndarray, x: int = 0, y: int = 0, opacity: float = 1.0, blend: str = "normal"
) -> Layer:
    image = Pixels.of(pixels)
    return Layer(
        id=new_layer_id(),
        number=1,
        name="",
        kind="imported",
        rect=Rect(x, y, image.width, image.height),
        image=image,
        opacity=opacity,
        blend=blend,
    )


def joined(layers: Sequence[Layer]) -> np.ndarray:
    """What layers make, cut to what they cover."""
    rect = union(layer.rect for layer in layers)
    assert rect is not None
    return composite(layers, rect)


def exact_over(layers: Sequence[tuple[Sequence[int], Fraction]]) -> list[int]:
    """Normal mode in fractions: pixels (r, g, b, a) with opacities, bottom first."""
    colour, alpha = [Fraction(0)] * 3, Fraction(0)
    for (*rgb, a), opacity in layers:
        cover = Fraction(int(a), 255) * opacity
        colour = [c * (1 - cover) + int(s) * cover for c, s in zip(colour, rgb, strict=True)]
        alpha = alpha * (1 - cover) + cover
    level = half_up(alpha * 255)
    return [*([half_up(c / alpha) for c in colour] if level else [0, 0, 0]), level]


def half_up(value: Fraction) -> int:
    return int(value + Fraction(1, 2))


def blended(mode: str, b: float, s: float) -> float:
    """W3C Compositing and Blending Level 1, section 9, as it stands there."""
    if mode == "hard-light":
        return b * 2 * s if s <= 0.5 else blended("screen", b, 2 * s - 1)
    if mode == "soft-light":
        d = ((16 * b - 12) * b + 4) * b if b <= 0.25 else b**0.5
        return b - (1 - 2 * s) * b * (1 - b) if s <= 0.5 else b + (2 * s - 1) * (d - b)
    if mode == "color-dodge":
        return 0.0 if b == 0 else 1.0 if s == 1 else min(1.0, b / (1 - s))
    if mode == "color-burn":
        return 1.0 if b == 1 else 0.0 if s == 0 else 1 - min(1.0, (1 - b) / s)
    return {
        "normal": s,
        "multiply": b * s,
        "screen": b + s - b * s,
        "overlay": blended("hard-light", s, b) if mode == "overlay" else 0.0,
        "darken": min(b, s),
        "lighten": max(b, s),
        "difference": abs(b - s),
        "add": min(1.0, b + s),
        "exclusion": b + s - 2 * b * s,
    }[mode]


Colour = tuple[float, ...]


def luminosity(colour: Colour) -> float:
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]


def clipped(colour: Colour) -> Colour:
    level, low, high = luminosity(colour), min(colour), max(colour)
    if low < 0:
        colour = tuple(level + (c - level) * level / (level - low) for c in colour)
    if high > 1:
        colour = tuple(level + (c - level) * (1 - level) / (high - level) for c in colour)
    return colour


def with_luminosity(colour: Colour, level: float) -> Colour:
    return clipped(tuple(c + level - luminosity(colour) for c in colour))


def with_saturation(colour: Colour, span: float) -> Colour:
    low, high = min(colour), max(colour)
    return tuple((c - low) * span / (high - low) if high > low else 0.0 for c in colour)


def mixed_colour(mode: str, b: Colour, s: Colour) -> Colour:
    """The non-separable modes of the same specification."""
    if mode == "hue":
        return with_luminosity(with_saturation(s, max(b) - min(b)), luminosity(b))
    if mode == "saturation":
        return with_luminosity(with_saturation(b, max(s) - min(s)), luminosity(b))
    return (
        with_luminosity(s, luminosity(b)) if mode == "color" else with_luminosity(b, luminosity(s))
    )


def test_one_layer_alone_comes_out_unchanged() -> None:
    pixels = picture(40, 30)
    layer = layer_of(pixels)
    assert np.array_equal(joined([layer]), layer.pixels)


@pytest.mark.parametrize("opacities", [(1.0, 1.0, 1.0), (0.5, 0.25, 0.75), (1.0, 0.5, 0.0625)])
def test_normal_layers_are_exact(opacities: tuple[float, ...]) -> None:
    """Ties half up, no rounding between layers."""
    pictures = [picture(16, 12, seed) for seed in range(3)]
    layers = [
        layer_of(pixels, opacity=opacity)
        for pixels, opacity in zip(pictures, opacities, strict=True)
    ]
    got = joined(layers)
    for y in range(12):
        for x in range(16):
            stack = [
                (pixels[y, x], Fraction(opacity))
                for pixels, opacity in zip(pictures, opacities, strict=True)
            ]
            assert got[y, x].tolist() == exact_over(stack)


def test_ties_are_rounded_up() -> None:
    """255 over 0 at half opacity is 127.5 exactly; so is 1 over 0 with 0.5."""
    below = layer_of(plain(2, 2, (0, 0, 0, 255)))
    above = layer_of(plain(2, 2, (255, 1, 3, 255)), opacity=0.5)
    assert joined([below, above])[0, 0].tolist() == [128, 1, 2, 255]


MIXING = ("hue", "saturation", "color", "luminosity")


@pytest.mark.parametrize("mode", ["normal", *sorted(BLENDS.keys() - set(MIXING))])
def test_blend_modes_follow_the_formulas(mode: str) -> None:
    levels = np.array([0, 1, 40, 63, 64, 127, 128, 191, 254, 255], np.uint8)
    below, above = np.meshgrid(levels, levels)
    alphas = [(255, 255), (255, 100), (90, 180), (0, 200)]
    for below_alpha, above_alpha in alphas:
        backdrop, source = (
            np.stack([values] * 3 + [np.full_like(values, alpha)], axis=-1)
            for values, alpha in ((below, below_alpha), (above, above_alpha))
        )
        got = joined([layer_of(backdrop), layer_of(source, blend=mode)]).astype(int)
        ab, a = below_alpha / 255, above_alpha / 255
        for index in np.ndindex(below.shape):
            b = below[index] / 255 if ab else 0.0
            s = above[index] / 255
            mixed = (1 - ab) * s + ab * blended(mode, b, s)
            out_alpha = a + ab * (1 - a)
            out = (a * mixed + (1 - a) * ab * b) / out_alpha
            assert abs(got[index][0] - out * 255) <= 0.5 + 1e-3, (mode, index)
            assert got[index][3] == int(out_alpha * 255 + 0.5)


@pytest.mark.parametrize("mode", MIXING)
def test_modes_that_mix_channels_follow_the_formulas(mode: str) -> None:
    """Random colours, and those where the formulas divide by nothing: greys, black, white."""
    rng = np.random.default_rng(3)
    below, above = (rng.integers(0, 256, (16, 16, 4), dtype=np.uint8) for _ in range(2))
    below[:4, :, 1:3] = below[:4, :, :1]
    above[:, :4, 1:3] = above[:, :4, :1]
    below[4, :, :3], below[5, :, :3] = 0, 255
    above[:, 4, :3], above[:, 5, :3] = 0, 255
    below[..., 3] = np.maximum(below[..., 3], 64)  # else rounding to 8 bit hides the colour
    got = joined([layer_of(below), layer_of(above, blend=mode)]).astype(int)
    for index in np.ndindex(16, 16):
        *b, ab = (each / 255 for each in below[index].tolist())
        *s, a = (each / 255 for each in above[index].tolist())
        mixed = mixed_colour(mode, tuple(b), tuple(s))
        alpha = a + ab * (1 - a)
        for channel in range(3):
            source = (1 - ab) * s[channel] + ab * mixed[channel]
            out = (a * source + (1 - a) * ab * b[channel]) / alpha
            assert abs(got[index][channel] - out * 255) <= 0.5 + 1e-2, (mode, index)


def test_every_mode_is_on_offer_or_named_as_not() -> None:
    assert {"normal", *BLENDS} == {*BLEND_MODES, *UNLISTED_MODES}
    assert len(BLEND_MODES) == 12


def test_unknown_modes_paint_as_normal() -> None:
    below, above = picture(8, 8, 1), picture(8, 8, 2)
    strange = joined([layer_of(below), layer_of(above, blend="krita:hue_hsi")])
    assert np.array_equal(strange, joined([layer_of(below), layer_of(above)]))


@pytest.mark.parametrize(("x", "y"), [(-300, 0), (-8, -8), (20, 40), (60, 60), (64, 0), (364, 364)])
def test_layers_may_stick_out(x: int, y: int) -> None:
    """Offsets of any kind: what lies inside shows, the rest is cut."""
    pixels = picture(16, 16)
    canvas = Rect(0, 0, 64, 64)
    got = composite([layer_of(pixels, x, y)], canvas)
    expected = np.zeros((64 + 2000, 64 + 2000, 4), np.uint8)
    expected[1000 + y : 1016 + y, 1000 + x : 1016 + x] = Pixels.of(pixels).array
    assert np.array_equal(got, expected[1000:1064, 1000:1064])


def test_a_part_equals_the_part_of_the_whole() -> None:
    document = design()
    whole = composite_of(document)
    part = composite(document.layers, Rect(10, 5, 50, 40))
    assert np.array_equal(part, whole[5:45, 10:60])
    beyond = composite(document.layers, Rect(-5, -5, 20, 20))
    assert not beyond[:5].any()
    assert np.array_equal(beyond[5:, 5:], whole[:15, :15])


def test_strips_do_not_show() -> None:
    """A canvas of many strips equals one of one strip."""
    layers = [layer_of(picture(300, 900, 1)), layer_of(picture(200, 700, 2), 50, 100, 0.7)]
    tall = joined(layers)
    for top in (0, 111, 640):
        part = composite(layers, Rect(0, top, 300, 60))
        assert np.array_equal(part, tall[top : top + 60])


def test_hidden_and_empty_layers_leave_no_trace() -> None:
    document = design()
    castle = document.foregrounds[0]
    background = layer_of(document.layers[0].pixels)  # type: ignore[arg-type]
    run(document, SetVisible([castle.id], False))
    assert np.array_equal(composite_of(document), composite([background], document.canvas.rect))
    run(document, SetBackground(False))
    assert not composite_of(document).any()


def test_opacity_zero_and_nothing_at_all() -> None:
    layer = replace(layer_of(picture(8, 8)), opacity=0.0)
    assert not composite([layer], Rect(0, 0, 8, 8)).any()


def test_a_compositor_repaints_only_what_changed_and_gives_the_same_bytes() -> None:
    """After each edit the kept tiles and the new ones are what `composite` would give."""
    rng = np.random.default_rng(5)
    document = Document(
        new_contents(Size(640, 384), 32, boxes=[Rect(0, 0, 96, 96), Rect(288, 64, 320, 288)])
    )
    for layer in document.layers:
        pixels = rng.integers(0, 256, (layer.rect.height, layer.rect.width, 4), np.uint8)
        PlacePixels([Placement(layer.id, pixels, layer.rect, {})]).do(document)
    small, large = document.foregrounds
    kept = Compositor()

    def check() -> None:
        found = kept.composite(document.layers, document.canvas.rect)
        assert np.array_equal(found, composite_of(document))

    check()
    for command in (
        SetOpacity([small.id], 0.5),
        SetBlend([large.id], "multiply"),
        MoveLayers([small.id], 200, 100),
        SetVisible([large.id], False),
        SetVisible([document.background_id], False),
        DeleteLayers([small.id]),
        SetVisible([large.id], True),
    ):
        command.do(document)
        check()


def test_what_lies_below_a_changing_layer_is_kept_and_changes_no_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Many edits at random heights of a pile, with all kinds of layers above and below."""
    monkeypatch.setattr("app.document.composite._KEPT_BYTES", 600_000)
    rng = np.random.default_rng(3)
    boxes = [Rect(int(x), int(y), 192, 160) for x, y in rng.integers(0, 200, (8, 2))]
    document = Document(new_contents(Size(384, 384), 32, boxes=boxes))
    for layer in document.layers:
        pixels = rng.integers(0, 256, (layer.rect.height, layer.rect.width, 4), np.uint8)
        PlacePixels([Placement(layer.id, pixels, layer.rect, {})]).do(document)
    kept, most = Compositor(), 0
    for turn in range(80):
        number = document.foregrounds[turn // 8 % 8 if turn % 3 else int(rng.integers(8))].id
        command = (
            SetOpacity([number], float(rng.uniform(0.1, 1))),
            SetBlend([number], str(rng.choice(BLEND_MODES))),
            MoveLayers([number], int(rng.integers(-40, 40)), int(rng.integers(-40, 40))),
            SetVisible([number], bool(turn % 4)),
        )[int(rng.integers(4))]
        command.do(document)
        found = kept.composite(document.layers, document.canvas.rect)
        assert np.array_equal(found, composite_of(document))
        most = max(most, kept.kept_bytes)
    assert 0 < most <= 600_000


def test_a_layer_changed_again_costs_only_what_lies_above(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second change of one layer paints nothing of what is below it."""
    painted: list[int] = []

    def counted(ground: np.ndarray, needed: Needed, tile: Rect) -> None:
        painted.append(len(needed))
        paint_over(ground, needed, tile)

    monkeypatch.setattr("app.document.composite.paint_over", counted)
    layers = [layer_of(picture(64, 64, n), 0, 0) for n in range(10)]
    layers = [replace(layer, opacity=0.5) for layer in layers]
    kept, rect, counts = Compositor(), Rect(0, 0, 64, 64), []
    for opacity in (0.5, 0.4, 0.3, 0.2):
        layers[7] = replace(layers[7], opacity=opacity)
        painted.clear()
        kept.composite(layers, rect)
        counts.append(sum(painted))
    assert counts == [10, 10, 3, 3]


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
    """Below opaque tiles nothing is painted; the bytes are those of painting everything."""
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
