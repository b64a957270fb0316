"""Files that earlier versions wrote open with equal pixels and with all that belongs to them.

`tests/fixtures/COMMIT` has a file of every kind, a recovery folder that a killed process left, and
`expected.json`: what that version held in memory (`tests/fixtures/write_fixtures.py`). Formats
that the program only writes are read by libraries, and compared with what it writes today.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage

from app.document import Contents
from app.document.composite import composite
from app.document.geometry import Rect, Size
from app.document.storage.formats.options import ExportOptions, over_colour
from app.document.storage.formats.table import format_named
from app.document.storage.incoming import layers_from_bytes, open_as_document
from app.document.storage.journal import recover, unfinished
from app.document.storage.layout import read_layout
from app.document.storage.ora.file import load_project
from app.document.storage.ora.foreign import Opened
from app.session.settings import Settings, load_settings
from tests.app.document.pictures_in import (
    drawn,
    layers_of_pdf,
    layers_of_svg,
    pictures_in,
    printed,
)
from tests.fixtures.write_fixtures import described, layer_facts, pixel_digest

FIXTURES = Path(__file__).parents[2] / "fixtures"
VERSIONS = sorted(each.name for each in FIXTURES.iterdir() if (each / "expected.json").exists())
NEWEST_KINDS = {"shapes.svg", "shapes.pdf", "page.html"}
# A setting that went, and why: the wheel zooms by default since, and the option means the opposite.
GONE = {"wheel_zooms"}

every_version = pytest.mark.parametrize("version", VERSIONS)


@cache
def expected(version: str) -> dict[str, Any]:
    found = json.loads((FIXTURES / version / "expected.json").read_text(encoding="utf-8"))
    return dict(found)


@cache
def project(version: str) -> Opened:
    return load_project(FIXTURES / version / "project.ora")


def assert_is_document(contents: Contents, version: str) -> None:
    """Everything is as it was in memory when the files were written."""
    found = json.loads(json.dumps(described(contents)))
    for key, value in expected(version).items():
        if key == "settings":
            assert value.items() <= found[key].items()
        elif key not in ("user_settings", "view"):
            assert found[key] == value, key


def visible_pixels(version: str) -> np.ndarray:
    """(h, w, 4) uint8 of the whole picture, checked against what the version itself painted."""
    contents = project(version).contents
    pixels = composite(contents.layers, contents.canvas.rect)
    assert pixel_digest(pixels) == expected(version)["composite"]
    return pixels


def test_there_are_fixtures_of_two_versions() -> None:
    assert len(VERSIONS) >= 2
    assert any((FIXTURES / each / "shapes.svg").exists() for each in VERSIONS)


# ---- files that the program reads ----


@every_version
def test_a_project_opens_with_everything(version: str) -> None:
    opened = project(version)
    assert (opened.messages, opened.lost, opened.is_project) == ((), (), True)
    assert_is_document(opened.contents, version)
    view = json.loads(json.dumps(asdict(opened.view)))
    assert view == expected(version)["view"]
    layers = opened.contents.layers
    assert len([each for each in layers if each.record]) == 3
    assert opened.contents.detached and any(each.candidates for each in layers)


@every_version
def test_a_copy_for_sharing_opens_with_layers_alone(version: str) -> None:
    contents = load_project(FIXTURES / version / "shared.ora").contents
    wanted = expected(version)["layers"]
    found = [layer_facts(layer) for layer in contents.layers]
    for key in ("visible", "opacity", "blend"):
        assert [each[key] for each in found] == [each[key] for each in wanted]
    for layer, before in zip(found, wanted, strict=True):
        assert layer["name"] in (before["name"], (before["record"] or {}).get("word"))
    # Boxes are trimmed to what is seen, so the picture as a whole is compared.
    pixels = composite(contents.layers, contents.canvas.rect)
    assert pixel_digest(pixels) == expected(version)["composite"]
    assert not contents.prompt and not any(layer.record for layer in contents.layers)


@every_version
def test_a_crashed_window_is_recovered(version: str, tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / version / "work", tmp_path / "work")
    (left,) = unfinished(tmp_path / "work")
    assert left.is_readable and not left.info.is_clean
    recovered = recover(left.folder)
    assert (recovered.messages, recovered.is_damaged) == ((), False)
    assert_is_document(recovered.contents, version)


@every_version
def test_settings_are_read(version: str) -> None:
    settings, trouble = load_settings(FIXTURES / version / "settings.json")
    assert not trouble
    found = asdict(settings)
    wanted = expected(version)["user_settings"]
    assert {name: found[name] for name in wanted.keys() - GONE} == {
        name: value for name, value in wanted.items() if name not in GONE
    }
    usual = asdict(Settings())
    assert all(found[name] != usual[name] for name in wanted.keys() - GONE)


@every_version
@pytest.mark.parametrize("name", ["layout.json", "recipe.json", "picture.png"])
def test_a_layout_has_boxes_names_and_seeds(version: str, name: str) -> None:
    layout = read_layout(FIXTURES / version / name, canvas=Size(32, 32), grid=32)
    contents = project(version).contents
    assert (layout.canvas, layout.background) == (contents.canvas, True)
    assert layout.prompt == expected(version)["prompt"]
    layers = list(contents.foregrounds)
    if name != "layout.json":  # recipes are of what is seen, and repeat the seeds of records
        layers = [layer for layer in layers if layer.visible and layer.kind != "imported"]
    regions = [layer.region(32, contents.canvas) for layer in layers]
    assert [box.rect for box in layout.boxes] == regions
    assert [box.name for box in layout.boxes] == [layer.name for layer in layers]
    seeds = [layer.seed for layer in layers]
    if name != "layout.json":
        seeds = [(layer.record or {}).get("seed", layer.seed) for layer in layers]
    assert [box.seed for box in layout.boxes] == seeds


@every_version
def test_layers_on_the_clipboard_are_read(version: str) -> None:
    layers = layers_from_bytes((FIXTURES / version / "clipboard.bin").read_bytes())
    wanted = [each for each in expected(version)["layers"] if not each["is_background"]]
    found = json.loads(json.dumps([layer_facts(layer) for layer in layers]))
    for key in ("name", "kind", "box", "visible", "locked", "opacity", "blend", "seed", "record"):
        assert [each[key] for each in found] == [each[key] for each in wanted]
    assert [each["pixels"] for each in found] == [each["pixels"] for each in wanted]


@every_version
@pytest.mark.parametrize("name", ["picture.png", "picture.webp", "picture.tif"])
def test_a_flat_picture_opens_with_every_pixel(version: str, name: str) -> None:
    (layer,) = open_as_document(FIXTURES / version / name, 32).contents.foregrounds
    assert layer.pixels is not None
    assert np.array_equal(layer.pixels, visible_pixels(version))


@every_version
def test_a_jpeg_opens_as_the_picture_over_white(version: str) -> None:
    opened = open_as_document(FIXTURES / version / "picture.jpg", 32)
    (layer,) = opened.contents.foregrounds
    assert layer.pixels is not None
    over_white = over_colour(visible_pixels(version), (255, 255, 255))
    assert np.abs(layer.pixels.astype(int) - over_white).mean() < 3


# ---- files that the program only writes ----


def psd_layers(path: Path) -> list[Any]:
    layers = [
        (each.name, each.offset, each.is_visible(), each.opacity, str(each.blend_mode))
        for each in PSDImage.open(path)
    ]
    return [*layers, *_digests(path)]


def tiff_pages(path: Path) -> list[Any]:
    with Image.open(path) as picture:
        names = []
        for page in range(getattr(picture, "n_frames", 1)):
            picture.seek(page)
            tags: Any = picture
            names.append(str(tags.tag_v2.get(285)))  # PageName
    return [*names, *_digests(path)]


def manifest_and_pictures(path: Path) -> list[Any]:
    if path.is_dir():
        files = {each.name: each.read_bytes() for each in path.iterdir()}
    else:
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files["manifest.json"])
    assert {each["file"] for each in manifest["layers"]} - {None} < files.keys()
    for layer in manifest["layers"]:  # older versions kept boxes on their grid of 32
        box = Rect.from_box(layer["box"])
        layer["box"] = box.snapped_outward(32, Size(*manifest["canvas"])).to_box()
    return [sorted(files), *manifest["layers"], *_digests(path)]


def _digests(path: Path) -> list[str]:
    """Of every picture in a file, whatever their order."""
    return sorted(pixel_digest(picture) for picture in pictures_in(path))


def svg_layers(path: Path) -> list[Any]:
    text = path.read_text(encoding="utf-8")
    pictures = {"": drawn(text), **layers_of_svg(text)}
    return [(name, pixel_digest(picture)) for name, picture in pictures.items()]


def pdf_layers(path: Path) -> list[Any]:
    data = path.read_bytes()
    pictures = {"": printed(data), **layers_of_pdf(data)}
    return [(name, pixel_digest(picture)) for name, picture in pictures.items()]


def html_pictures(path: Path) -> list[Any]:
    return [path.read_text(encoding="utf-8").count("<img"), *_digests(path)]


WRITTEN: dict[str, tuple[str, Callable[[Path], list[Any]]]] = {
    "layers.psd": ("psd", psd_layers),
    "pages.tif": ("tiff", tiff_pages),
    "layers.zip": ("zip", manifest_and_pictures),
    "layers": ("folder", manifest_and_pictures),
    "shapes.svg": ("svg", svg_layers),
    "shapes.pdf": ("pdf", pdf_layers),
    "page.html": ("html", html_pictures),
}


def written_fixtures() -> list[Any]:
    """Version, name of the export, and the fixture to compare it with."""
    cases = []
    for version in VERSIONS:
        for name in WRITTEN:
            then = FIXTURES / version / ("layers.zip" if name == "layers" else name)
            if then.exists() or name not in NEWEST_KINDS:
                cases.append(pytest.param(version, name, then, id=f"{version}-{name}"))
    return cases


@pytest.mark.parametrize(("version", "name", "then"), written_fixtures())
def test_an_export_of_today_holds_what_it_held_then(
    version: str, name: str, then: Path, tmp_path: Path
) -> None:
    key, facts = WRITTEN[name]
    options = ExportOptions(pages=name == "pages.tif")
    format_named(key).write(project(version).contents, tmp_path / name, options, None)
    found, wanted = facts(tmp_path / name), facts(then)
    assert len(found) == len(wanted) >= 3
    for now, before in zip(found, wanted, strict=True):
        if isinstance(before, dict):  # an entry of a manifest, which may say more today
            now = {key: now[key] for key in before}
        assert now == before
