"""Layers of flat fills at other scales: sharp in enlarged pictures, and on web pages as SVG."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from app.document import Rect
from app.document.composite import composite
from app.document.pixels import resampled
from app.document.storage.formats.options import ExportOptions, flat_pixels
from app.document.storage.formats.table import format_named
from tests.app.document.flat_examples import beach, flat_layer
from tests.app.document.pictures_in import drawn, pictures_in
from tests.app.document.test_vectors import likeness, svg, vectors_of


def fills_only(pixels: np.ndarray, name: str) -> float:
    """The part of the solid pixels that have exactly a colour of the layer's fills."""
    solid = pixels[pixels[..., 3] == 255][:, :3]
    colours = np.array([shape.colour for shape in vectors_of(name).shapes])
    return float((solid[:, None] == colours[None]).all(axis=2).any(axis=1).mean())


def test_an_enlarged_layer_is_painted_from_its_shapes(tmp_path: Path) -> None:
    """As resvg paints them; resampling leaves many more pixels between the fills."""
    contents = beach()
    tent = contents.foregrounds[2]
    path = tmp_path / "a.png"
    format_named("png").write(contents, path, ExportOptions(layer_id=tent.id, scale=4), None)
    with Image.open(path) as image:
        found = np.asarray(image)
    assert found.shape == (512, 512, 4)
    assert likeness(found, drawn(svg(vectors_of("tent")), 4)) >= 40
    blurred = resampled(flat_layer("tent"), 512, 512, sharp=True)
    assert fills_only(found, "tent") > 0.95
    assert fills_only(blurred, "tent") < fills_only(found, "tent") - 0.05


def test_an_enlarged_picture_is_that_of_its_layers() -> None:
    """Opacity, mode and places hold; reduced again it is the picture itself."""
    contents = beach()
    rect = Rect(300, 340, 180, 130)
    larger = flat_pixels(contents, ExportOptions(rect=rect, scale=2))
    assert larger.shape == (260, 360, 4)
    reduced = resampled(larger, 180, 130, sharp=True)
    assert likeness(reduced, composite(contents.layers, rect)) >= 35


def test_a_picture_without_shapes_is_resampled_as_before() -> None:
    contents = beach()
    ground = replace(contents, foregrounds=())
    rect = Rect(10, 20, 96, 64)
    expected = resampled(composite(ground.layers, rect), 192, 128, sharp=True)
    assert np.array_equal(flat_pixels(ground, ExportOptions(rect=rect, scale=2)), expected)


def test_a_layer_beyond_the_canvas_is_cut(tmp_path: Path) -> None:
    contents = beach()
    castle = replace(contents.foregrounds[0], rect=Rect(-100, -90, 256, 224))
    alone = replace(contents, foregrounds=(castle,), background_on=False)
    rect = Rect(0, 0, 160, 140)
    found = flat_pixels(alone, ExportOptions(rect=rect, scale=4))
    whole = drawn(svg(vectors_of("castle")), 4)
    assert likeness(found[: 134 * 4, : 156 * 4], whole[360:, 400:]) >= 40


def test_web_pages_show_shapes(tmp_path: Path) -> None:
    """In the folder and in one file; the background with its gradient stays a PNG."""
    contents = beach()
    html = format_named("html")
    html.write(contents, tmp_path / "page", ExportOptions(), None)
    names = sorted(each.name for each in (tmp_path / "page").iterdir())
    assert names == [
        "00-Background.png",
        "01-castle.svg",
        "02-crab.svg",
        "03-tent.svg",
        "index.html",
    ]
    text = (tmp_path / "page" / "index.html").read_text("utf-8")
    assert 'src="./01-castle.svg"' in text and 'src="./00-Background.png"' in text
    html.write(contents, tmp_path / "a.html", ExportOptions(with_recipe=False), None)
    text = (tmp_path / "a.html").read_text("utf-8")
    assert text.count("data:image/svg+xml;base64,") == 3 and "beach" not in text
    shown = [each for each in pictures_in(tmp_path / "a.html") if each.shape == (64, 96, 4)]
    assert likeness(shown[0], flat_layer("crab")) >= 32
