"""SVG exports, read back by ElementTree and drawn by resvg."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from app.document import Contents, Rect
from app.document.blends import BLEND_MODES
from app.document.composite import composite
from app.document.pixels import Pixels
from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.shapes import say_pictures
from app.document.storage.formats.svg import layer_svg, svg_of
from app.document.storage.formats.table import format_named, losses
from tests.app.document.examples import picture, plain
from tests.app.document.flat_examples import beach, flat_layer
from tests.app.document.pictures_in import (
    INKSCAPE,
    SVG,
    drawn,
    groups_of_svg,
    layers_of_svg,
)
from tests.app.document.test_vectors import likeness

OPTIONS = ExportOptions()
SHAPES_ALONE = ExportOptions(vector_background=True)
LOCKED = "{http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd}insensitive"


@cache
def shared() -> Contents:
    """The beach, which no test changes."""
    return beach()


@cache
def text(options: ExportOptions = OPTIONS) -> str:
    return svg_of(shared(), options)


def on_canvas(contents: Contents, place: int) -> np.ndarray:
    layer = replace(contents.layers[place], visible=True, opacity=1.0, blend="normal")
    return composite([layer], contents.canvas.rect)


def test_layers_are_inkscape_layers(tmp_path: Path) -> None:
    """Name, order, place, eye, opacity, mode and lock of every layer."""
    path = tmp_path / "a.svg"
    format_named("svg").write(shared(), path, OPTIONS, None)
    groups = groups_of_svg(path.read_text("utf-8"))
    labels = [each.get(f"{INKSCAPE}label") for each in groups]
    assert labels == ["Background", "castle", "crab", "tent"]
    assert [each.get("transform") for each in groups] == [
        "translate(0 0)",
        "translate(64 224)",
        "translate(352 384)",
        "translate(320 32)",
    ]
    styles = [each.get("style") or "" for each in groups]
    assert ["display:none" in style for style in styles] == [False, False, False, True]
    assert [each.get("opacity") for each in groups] == [None, None, "0.5", None]
    assert "mix-blend-mode:multiply" in styles[2] and "mix-blend-mode" not in styles[1]
    assert [each.get(LOCKED) for each in groups] == [None, None, "true", None]


def test_every_layer_looks_like_its_pixels() -> None:
    """At least 32 dB on the canvas, alpha included; also the picture as a whole."""
    layers = layers_of_svg(text())
    for place, (label, found) in enumerate(layers.items()):
        assert likeness(found, on_canvas(shared(), place)) >= 32, label
    whole = composite(shared().layers, shared().canvas.rect)
    assert likeness(drawn(text()), whole) >= 35


def test_generated_layers_hold_no_picture() -> None:
    groups = groups_of_svg(text())
    assert [len(each.findall(f"{SVG}image")) for each in groups] == [1, 0, 0, 0]
    assert all(each.findall(f"{SVG}path") for each in groups[1:])
    told = say_pictures(shared(), OPTIONS)
    assert told == "Written as pictures: 'Background' (it has no flat fills)."


def test_a_background_that_is_left_out_is_no_picture() -> None:
    options = replace(OPTIONS, with_background=False)
    assert format_named("svg").report(shared(), options) == ""
    assert format_named("svg").report(shared(), OPTIONS) != ""


def test_the_background_is_shapes_by_choice() -> None:
    assert "<image" not in text(SHAPES_ALONE)
    assert say_pictures(shared(), SHAPES_ALONE) == ""
    ground = next(iter(layers_of_svg(text(SHAPES_ALONE)).values()))
    assert likeness(ground, on_canvas(shared(), 0)) >= 32
    assert ground[..., 3].min() >= 253


def test_files_are_small_and_point_nowhere() -> None:
    for svg in (text(), text(SHAPES_ALONE)):
        assert len(svg.encode()) < 300_000
        assert "href=" not in svg.replace('href="data:', "")
        assert "<script" not in svg


def test_imported_pictures_are_embedded_as_they_are() -> None:
    """Every pixel, by resvg; Paint.NET's names and characters that XML escapes."""
    contents = beach()
    pixels = picture(40, 30, 3)
    imported = replace(
        contents.foregrounds[1],
        name='a "b" <c> & é 層',
        kind="imported",
        image=Pixels.of(pixels),
        rect=Rect(-10, 400, 40, 30),
        blend="normal",
        opacity=1.0,
    )
    contents = replace(contents, foregrounds=(imported,), background_on=False)
    svg = svg_of(contents, OPTIONS)
    (group,) = groups_of_svg(svg)
    assert group.get(f"{INKSCAPE}label") == 'a "b" <c> & é 層'
    found, expected = drawn(svg), composite(contents.layers, contents.canvas.rect)
    assert np.abs(found.astype(int) - expected)[found[..., 3] > 127].max() <= 2
    assert "imported" in say_pictures(contents, OPTIONS)


def test_modes_are_those_of_the_compositor() -> None:
    """resvg blends every mode as we do; Add is `plus-lighter`, which it does not have."""
    contents = beach()
    ground = plain(32, 32, (200, 120, 40, 255))
    above = plain(32, 32, (60, 180, 90, 255))
    for mode in BLEND_MODES:
        layer = replace(
            contents.foregrounds[0], image=Pixels.of(above), rect=Rect(0, 0, 32, 32), blend=mode
        )
        background = replace(contents.background, image=Pixels.of(ground), rect=Rect(0, 0, 32, 32))
        both = replace(contents, background=background, foregrounds=(layer,))
        svg = svg_of(both, OPTIONS)
        if mode == "add":
            assert "mix-blend-mode:plus-lighter" in svg
            continue
        expected = composite(both.layers, Rect(4, 4, 1, 1))[0, 0].astype(int)
        assert np.abs(drawn(svg)[4, 4] - expected).max() <= 2, mode


def test_one_layer_alone() -> None:
    """Its own size, without the looks that it has in the picture."""
    crab = shared().foregrounds[1]
    for svg in (svg_of(shared(), ExportOptions(layer_id=crab.id)), layer_svg(crab)):
        found = drawn(svg)
        assert found.shape == (64, 96, 4)
        assert likeness(found, flat_layer("crab")) >= 32
    assert "castle" not in layer_svg(crab)


def test_a_part_of_the_canvas() -> None:
    rect = Rect(340, 370, 120, 90)
    found = drawn(svg_of(shared(), ExportOptions(rect=rect)))
    assert found.shape == (90, 120, 4)
    assert likeness(found, composite(shared().layers, rect)) >= 32


def test_what_is_left_out_on_demand() -> None:
    bare = text(ExportOptions(with_recipe=False, hidden=False))
    assert "beach" not in bare and "tent" not in bare and "Recipe" not in bare
    assert "trainedAlgorithmicMedia" in bare
    assert "<title>a castle on a beach</title>" in text() and "layerloom:Recipe=" in text()


def test_the_table_of_losses_tells_the_truth() -> None:
    listed = losses(shared(), format_named("svg"), OPTIONS)
    assert not any(listed.values())
    alone = losses(
        shared(), format_named("svg"), ExportOptions(layer_id=shared().foregrounds[0].id)
    )
    assert alone["layers"] and alone["opacity"] and alone["blend"] and alone["hidden"]


def test_an_empty_picture_is_an_svg() -> None:
    contents = replace(beach(), foregrounds=(), background_on=False)
    assert not drawn(svg_of(contents, OPTIONS)).any()
