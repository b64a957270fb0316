"""What goes out, read back by programs that are not ours."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage
from pyora import Project

from app.document import Contents, Document, Layer, Rect, Size, new_contents
from app.document.blends import BLEND_MODES
from app.document.commands import (
    AddBox,
    Rename,
    SetBackground,
    SetBlend,
    SetOpacity,
    SetPrompt,
    SetVisible,
)
from app.document.composite import composite
from app.document.pixels import Pixels
from app.document.storage import png
from app.document.storage.errors import StorageError
from app.document.storage.formats.flat import Page, tiff_file
from app.document.storage.formats.layer_files import MANIFEST
from app.document.storage.formats.options import ExportOptions, over_colour
from app.document.storage.formats.psd import MODES
from app.document.storage.formats.table import (
    FEATURES,
    FORMATS,
    format_for,
    format_named,
    losses,
)
from tests.app.document.examples import (
    composite_of,
    design,
    fill,
    import_picture,
    picture,
    plain,
    run,
    small_document,
)
from tests.app.document.test_atomic import FailingDisk, error_of

NAMES = (
    "Été",
    "層",
    "x" * 200,
    "same",
    "same",
    "a/b:c",
    "CON",
    'quote " <b>&amp;',
    "100 % #1?",
)
OPTIONS = ExportOptions()


@cache
def fifty() -> Contents:
    """Fifty layers: odd names, all twelve modes, offsets −300 to canvas + 300, some hidden."""
    document = Document(new_contents(Size(160, 128), 32, prompt='"<a castle>" & é\n層'))
    fill(document, document.background_id, 1)
    for number in range(50):
        side = 8 + number % 23
        import_picture(document, picture(side, 40 - number % 17, number), "x")
        layer = document.foregrounds[-1]
        run(document, Rename(layer.id, NAMES[number % len(NAMES)]))
        offset = (-300 + 15 * number, 428 - 14 * number)
        moved = replace(layer, rect=Rect(*offset, layer.rect.width, layer.rect.height))
        document._change(document.contents.with_layers([replace(moved, name=NAMES[number % 9])]))
        run(document, SetBlend([layer.id], BLEND_MODES[number % 12]))
        run(document, SetOpacity([layer.id], 1.0 if number % 3 else 0.3))
        run(document, SetVisible([layer.id], number % 7 != 0))
    return document.contents


@cache
def normal() -> Contents:
    """Normal layers only, half transparent, overlapping."""
    document = Document(new_contents(Size(96, 64), 32, background=False))
    for number in range(4):
        import_picture(document, picture(50, 40, number), f"L{number}", (20 * number, 30))
        run(document, SetOpacity([document.foregrounds[-1].id], 1 - 0.2 * number))
    return document.contents


def opaque() -> Contents:
    """The same without opacity, which ImageMagick works into the pixels of a layer."""
    layers = tuple(replace(layer, opacity=1.0) for layer in normal().foregrounds)
    return replace(normal(), foregrounds=layers)


def single() -> Contents:
    """One layer, half outside."""
    return replace(normal(), foregrounds=normal().foregrounds[:1])


def empty() -> Contents:
    return Document(new_contents(Size(64, 32), 32, background=False)).contents


def write(key: str, contents: Contents, path: Path, options: ExportOptions = OPTIONS) -> Path:
    format_named(key).export(contents, path, options)
    return path


def opened(path: Path) -> Any:
    """Pillow's picture with what only some formats have, such as pages and tags."""
    return Image.open(path)


def pixels_of(layer: Layer) -> np.ndarray:
    assert layer.pixels is not None
    return layer.pixels


def premultiplied(pixels: np.ndarray) -> np.ndarray:
    """Colour as it counts in a composite, 0 to 255."""
    wide = pixels.astype(np.float64)
    return np.concatenate([wide[..., :3] * wide[..., 3:] / 255.0, wide[..., 3:]], axis=2)


def assert_close(found: np.ndarray, expected: np.ndarray, within: float = 1.0) -> None:
    """Equal as composites, within so many of 255."""
    assert np.abs(premultiplied(found) - premultiplied(expected)).max() <= within


# ---- PSD ----


@pytest.mark.parametrize("contents", [empty, single, fifty, normal], ids=["0", "1", "50", "normal"])
def test_psd_by_psd_tools(tmp_path: Path, contents: Any) -> None:
    """Name, place, eye, opacity, mode and pixels of every layer; our composite on top."""
    contents = contents()
    image = PSDImage.open(write("psd", contents, tmp_path / "a.psd"))
    layers = [layer for layer in contents.layers if layer.has_pixels]
    assert (image.width, image.height) == (
        contents.canvas.width,
        contents.canvas.height,
    )
    assert [each.name for each in image] == [layer.name for layer in layers]
    for found, layer in zip(image, layers, strict=True):
        assert (found.left, found.top) == (layer.rect.x, layer.rect.y)
        assert found.visible == layer.visible
        assert found.opacity == int(255 * layer.opacity + 0.5)
        assert found.blend_mode == MODES[layer.blend]
        assert np.array_equal(np.asarray(found.topil()), layer.pixels)
    merged = np.asarray(image.topil().convert("RGBA"))
    assert_close(merged, composite(contents.layers, contents.canvas.rect))


def magick(*arguments: str | Path) -> bytes:
    """ImageMagick's answer; the test is skipped where it is not installed."""
    program = shutil.which("identify")
    folder = Path(program).parent if program else None
    convert = None if folder is None else shutil.which("convert", path=str(folder))
    if convert is None:
        pytest.skip("ImageMagick is not installed")
    done = subprocess.run(
        [convert, *map(str, arguments)], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout


def magick_pixels(source: str, size: tuple[int, int]) -> np.ndarray:
    raw = magick(source, "-depth", "8", "rgba:-")
    return np.frombuffer(raw, np.uint8).reshape(size[1], size[0], 4)


def test_psd_by_imagemagick(tmp_path: Path) -> None:
    """A reader that shares no line with psd-tools sees the same pixels."""
    contents = opaque()
    path = write("psd", contents, tmp_path / "a.psd")
    listed = magick(path, "-format", "%s %w %h %X %Y\\n", "info:-").decode().split("\n")
    assert len([line for line in listed if line.strip()]) == 1 + len(contents.layers)
    for place, layer in enumerate(contents.layers, start=1):
        size = (layer.rect.width, layer.rect.height)
        found = magick_pixels(f"{path}[{place}]", size)
        expected = pixels_of(layer)
        assert np.array_equal(found[found[..., 3] > 0], expected[expected[..., 3] > 0])
        assert f"{place} {size[0]} {size[1]} {layer.rect.x:+d} {layer.rect.y:+d}" in listed
    merged = magick_pixels(f"{path}[0]", (96, 64))
    assert_close(merged, composite(contents.layers, contents.canvas.rect))


def test_fifty_psd_layers_by_imagemagick(tmp_path: Path) -> None:
    """Fifty layers of all modes; ImageMagick works opacity into alpha, colours stay."""
    contents = fifty()
    path = write("psd", contents, tmp_path / "a.psd")
    listed = magick(path, "-format", "%s %w %h %X %Y\\n", "info:-").decode().split("\n")
    for place, layer in enumerate(contents.layers, start=1):
        rect = layer.rect
        assert f"{place} {rect.width} {rect.height} {rect.x:+d} {rect.y:+d}" in listed
    for place in (1, 2, 7, 26, 50):
        layer = contents.layers[place - 1]
        found = magick_pixels(f"{path}[{place}]", (layer.rect.width, layer.rect.height))
        seen = found[..., 3] > 0
        assert np.array_equal(found[seen][:, :3], pixels_of(layer)[seen][:, :3])
        alpha = pixels_of(layer)[..., 3] * (int(255 * layer.opacity + 0.5) / 255)
        assert np.abs(found[..., 3] - alpha).max() <= 1


def test_psd_may_leave_hidden_layers_out(tmp_path: Path) -> None:
    contents = fifty()
    options = ExportOptions(hidden=False)
    image = PSDImage.open(write("psd", contents, tmp_path / "a.psd", options))
    assert len(image) == sum(1 for layer in contents.layers if layer.visible)
    assert all(each.visible for each in image)


def test_a_mode_that_psd_lacks_is_normal(tmp_path: Path) -> None:
    """And the table of losses says so."""
    document = design()
    run(document, SetBlend([document.foregrounds[0].id], "krita:greater"))
    image = PSDImage.open(write("psd", document.contents, tmp_path / "a.psd"))
    assert image[1].blend_mode == MODES["normal"]
    assert losses(document.contents, format_named("psd"), OPTIONS)["foreign blend"]


# ---- OpenRaster ----


@pytest.mark.parametrize("contents", [empty, single, fifty, normal], ids=["0", "1", "50", "normal"])
def test_ora_by_pyora(tmp_path: Path, contents: Any) -> None:
    """Another OpenRaster reader sees every layer, and our composite."""
    contents = contents()
    path = write("ora", contents, tmp_path / "a.ora")
    project = Project.load(str(path))
    assert project.dimensions == (contents.canvas.width, contents.canvas.height)
    found = list(project.children)
    assert sorted(each.name for each in found) == sorted(layer.name for layer in contents.layers)
    with zipfile.ZipFile(path) as archive:
        stack = ElementTree.fromstring(archive.read("stack.xml"))
    order = [each.get("name") for each in stack.iter("layer")]
    assert order == [layer.name for layer in reversed(contents.layers)]
    by_place = {each.get("src"): each for each in stack.iter("layer")}
    for layer in contents.layers:
        each = by_place[f"data/L{layer.number:04d}.png"]
        assert (int(each.get("x")), int(each.get("y"))) == (layer.rect.x, layer.rect.y)
        assert (each.get("visibility") == "visible") == layer.visible
        assert abs(float(each.get("opacity")) - layer.opacity) < 1e-4
        if layer.has_pixels:
            with (
                zipfile.ZipFile(path) as archive,
                archive.open(each.get("src")) as stream,
            ):
                assert np.array_equal(np.asarray(Image.open(stream)), layer.pixels)
    pictures = {each.name: each for each in found}
    for layer in contents.layers:
        if [other.name for other in contents.layers].count(layer.name) == 1 and layer.has_pixels:
            raw = np.asarray(pictures[layer.name].get_image_data(raw=True))
            assert np.array_equal(raw, layer.pixels)
            assert pictures[layer.name].offsets == (layer.rect.x, layer.rect.y)
    merged = np.asarray(project.get_image_data(use_original=True))
    assert np.array_equal(merged, composite(contents.layers, contents.canvas.rect))


def test_pyora_paints_the_same_picture(tmp_path: Path) -> None:
    """Another compositor is within 1 of 255 for Normal layers, rounding per layer aside."""
    contents = opaque()
    project = Project.load(str(write("ora", contents, tmp_path / "a.ora")))
    painted = np.asarray(project.get_image_data(use_original=False).convert("RGBA"))
    assert_close(painted, composite(contents.layers, contents.canvas.rect))


def test_ora_for_sharing_has_no_prompt(tmp_path: Path) -> None:
    path = write("ora", fifty(), tmp_path / "a.ora", ExportOptions(with_recipe=False))
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if name.startswith("layerloom/")]
        assert all(b"castle" not in archive.read(name) for name in archive.namelist())


# ---- flat pictures ----


@pytest.mark.parametrize("key", ["png", "webp", "tiff"])
@pytest.mark.parametrize("contents", [empty, fifty], ids=["0", "50"])
def test_lossless_pictures_by_pillow_and_imagemagick(
    tmp_path: Path, key: str, contents: Any
) -> None:
    """WebP, TIFF: the composite, every pixel."""
    contents = contents()
    path = write(key, contents, tmp_path / f"a{format_named(key).suffixes[0]}")
    expected = composite(contents.layers, contents.canvas.rect)
    with opened(path) as image:
        assert image.mode == "RGBA"
        assert np.array_equal(np.asarray(image), expected)
    found = magick_pixels(str(path), (expected.shape[1], expected.shape[0]))
    assert np.array_equal(found[..., 3], expected[..., 3])
    assert np.array_equal(found[found[..., 3] > 0], expected[expected[..., 3] > 0])


def test_jpeg_is_opaque_and_near(tmp_path: Path) -> None:
    """JPEG: over a colour, 4:4:4."""
    document = small_document()
    run(document, SetBackground(False))
    import_picture(document, plain(48, 32, (200, 30, 40, 255)), "red")
    options = ExportOptions(over=(10, 120, 200))
    path = write("jpeg", document.contents, tmp_path / "a.jpg", options)
    expected = over_colour(composite_of(document), (10, 120, 200))
    with opened(path) as image:
        assert image.mode == "RGB"
        assert image.layer[0][1:3] == image.layer[1][1:3] == (1, 1)  # no chroma subsampling
        assert np.abs(np.asarray(image).astype(int) - expected[..., :3]).max() <= 12


def test_webp_with_quality_is_smaller(tmp_path: Path) -> None:
    lossless = write("webp", fifty(), tmp_path / "a.webp")
    lossy = write("webp", fifty(), tmp_path / "b.webp", ExportOptions(quality=50))
    assert lossy.stat().st_size < lossless.stat().st_size
    with Image.open(lossy) as image:
        assert image.size == (160, 128)


@pytest.mark.parametrize("key", ["png", "webp", "tiff", "jpeg"])
def test_options_of_flat_pictures(tmp_path: Path, key: str) -> None:
    """Part of the canvas, one layer, larger, over a colour."""
    contents = design().contents
    castle = contents.foregrounds[0]
    suffix = format_named(key).suffixes[0]
    cases = {
        "part": (ExportOptions(rect=Rect(8, 4, 20, 10)), (20, 10)),
        "layer": (
            ExportOptions(layer_id=castle.id),
            (castle.rect.width, castle.rect.height),
        ),
        "scale": (ExportOptions(scale=2), (192, 128)),
        "over": (ExportOptions(over=(255, 0, 255)), (96, 64)),
    }
    for name, (options, size) in cases.items():
        path = write(key, contents, tmp_path / f"{name}{suffix}", options)
        with opened(path) as image:
            assert image.size == size
            if name == "over":
                assert np.asarray(image.convert("RGBA"))[..., 3].min() == 255
            if name == "layer" and key != "jpeg":
                assert np.array_equal(np.asarray(image), castle.pixels)
    for options in (
        ExportOptions(layer_id=contents.foregrounds[1].id),
        ExportOptions(scale=4),
    ):
        large = contents
        if options.scale == 4:
            canvas = Size(4096, 16)
            large = new_contents(canvas, 16)
        with pytest.raises(StorageError, match="Nothing was exported"):
            write(key, large, tmp_path / f"refused{suffix}", options)
        assert not (tmp_path / f"refused{suffix}").exists()


def test_over_colour_rounds_half_up() -> None:
    pixels = np.array([[[255, 0, 100, 128], [9, 9, 9, 0], [7, 8, 9, 255]]], np.uint8)
    mixed = over_colour(pixels, (0, 255, 50))
    exact = 255 * 128 / 255, 255 * 127 / 255, (100 * 128 + 50 * 127) / 255
    assert mixed[0, 0].tolist() == [*(int(value + 0.5) for value in exact), 255]
    assert mixed[0, 1].tolist() == [0, 255, 50, 255]
    assert mixed[0, 2].tolist() == [7, 8, 9, 255]


def test_recipes_in_pictures_and_without(tmp_path: Path) -> None:
    """Prompt and recipe where they are wanted, nothing of them where not."""
    contents = fifty()
    for key, suffix in (
        ("png", "png"),
        ("webp", "webp"),
        ("tiff", "tif"),
        ("jpeg", "jpg"),
    ):
        on = write(key, contents, tmp_path / f"on.{suffix}")
        off = write(key, contents, tmp_path / f"off.{suffix}", ExportOptions(with_recipe=False))
        assert b"castle" in on.read_bytes() or key == "png"
        assert b"castle" not in off.read_bytes()
        assert b"DigitalSourceType" in off.read_bytes()
    with opened(tmp_path / "on.tif") as image:
        recipe = json.loads(image.tag_v2[270])
        assert recipe["format"] == "layerloom-recipe" and recipe["prompt"] == contents.prompt
    with opened(tmp_path / "on.png") as image:
        assert json.loads(image.text["layerloom"]) == recipe
        assert image.text["Description"] == contents.prompt
    with Image.open(tmp_path / "on.webp") as image:
        xmp = ElementTree.fromstring(image.info["xmp"])
    (inner,) = xmp.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    assert json.loads(inner.get("{https://layerloom.invalid/ns/1.0/}Recipe")) == recipe
    (said,) = xmp.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li")
    assert said.text == contents.prompt


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (1200, 501)])
def test_tiff_strips_by_pillow_and_imagemagick(tmp_path: Path, size: tuple[int, int]) -> None:
    """Our own writer: one strip or several, odd sizes, alpha that is not premultiplied."""
    pixels = picture(*size)
    path = tmp_path / "a.tif"
    path.write_bytes(tiff_file([Page(pixels, "層", (5, 7))]))
    with opened(path) as image:
        assert (image.mode, image.size) == ("RGBA", size)
        assert np.array_equal(np.asarray(image), pixels)
        assert image.info["dpi"] == (72, 72)
    found = magick_pixels(str(path), size)
    assert np.array_equal(found[..., 3], pixels[..., 3])
    seen = pixels[..., 3] > 0
    assert np.array_equal(found[seen], pixels[seen])


def test_tiff_pages_hold_the_layers(tmp_path: Path) -> None:
    """TIFF: a page per layer with its name and place, cut to the canvas."""
    contents = fifty()
    path = write("tiff", contents, tmp_path / "a.tif", ExportOptions(pages=True))
    canvas = contents.canvas.rect
    inside = [each for each in contents.layers if each.has_pixels and each.rect.intersect(canvas)]
    with opened(path) as image:
        assert image.n_frames == len(inside) > 5
        for place, layer in enumerate(inside):
            image.seek(place)
            part = layer.rect.intersect(canvas) or canvas
            assert image.size == (part.width, part.height)
            x, y = part.x - layer.rect.x, part.y - layer.rect.y
            expected = pixels_of(layer)[y : y + part.height, x : x + part.width]
            assert np.array_equal(np.asarray(image), expected)
            at = [round(float(image.tag_v2[tag]) * 72) for tag in (286, 287)]
            assert at == [part.x, part.y]
            name = image.tag_v2[285]
            assert name.encode("latin-1").decode("utf-8") == layer.name
    listed = magick(path, "-format", "%w %h\\n", "info:-").decode().split()
    assert len(listed) == 2 * len(inside)
    with pytest.raises(StorageError, match="No layer has pixels"):
        write("tiff", empty(), tmp_path / "b.tif", ExportOptions(pages=True))


# ---- folders ----


def test_zip_and_folder_by_zipfile_and_pillow(tmp_path: Path) -> None:
    """Pixels without opacity; on request as large as the canvas."""
    contents = fifty()
    for sized in (False, True):
        options = ExportOptions(canvas_sized=sized)
        write("folder", contents, tmp_path / f"out{sized}", options)
        write("zip", contents, tmp_path / f"out{sized}.zip", options)
        manifest = json.loads((tmp_path / f"out{sized}" / MANIFEST).read_text("utf-8"))
        with zipfile.ZipFile(tmp_path / f"out{sized}.zip") as archive:
            assert json.loads(archive.read(MANIFEST)) == manifest
            for name in archive.namelist():
                assert archive.read(name) == (tmp_path / f"out{sized}" / name).read_bytes()
        for entry, layer in zip(manifest["layers"], contents.layers, strict=True):
            found = np.asarray(Image.open(tmp_path / f"out{sized}" / entry["file"]))
            assert found.shape == (entry["h"], entry["w"], 4)
            if not sized:
                assert np.array_equal(found, layer.pixels)
                continue
            assert (entry["x"], entry["y"]) == (0, 0)
            alone = replace(layer, visible=True, opacity=1.0, blend="normal")
            assert np.array_equal(found, composite([alone], contents.canvas.rect))


class HtmlPage(HTMLParser):
    """The pictures of a page, and everything that would reach out of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        values = dict(attrs)
        self.addresses += [values[key] or "" for key in ("src", "href", "srcset") if key in values]
        if tag == "img":
            self.images.append(values)


def style_of(image: Mapping[str, str | None]) -> dict[str, str]:
    return dict(each.split(":") for each in (image["style"] or "").split(";"))


@pytest.mark.parametrize("parallax", [False, True])
def test_html_page(tmp_path: Path, parallax: bool) -> None:
    """HTML: places in per cent, modes, opacity, names; no script, nothing from outside."""
    from urllib.parse import unquote

    contents = fifty()
    folder = write("html", contents, tmp_path / "page", ExportOptions(parallax=parallax))
    text = (folder / "index.html").read_text("utf-8")
    page = HtmlPage(text)
    assert not page.tags & {"script", "iframe", "link", "object"}
    assert all(each.startswith("./") for each in page.addresses)
    assert "http" not in text and "url(" not in text and "@import" not in text
    assert len(page.images) == len(contents.layers)
    files = {path.name for path in folder.iterdir()} - {"index.html"}
    for image, layer in zip(page.images, contents.layers, strict=True):
        assert image["alt"] == layer.name
        assert ("hidden" in image) == (not layer.visible)
        style = style_of(image)
        assert abs(float(style["left"][:-1]) - 100 * layer.rect.x / 160) < 1e-4
        assert abs(float(style["height"][:-1]) - 100 * layer.rect.height / 128) < 1e-4
        expected = {"normal": None, "add": "plus-lighter"}.get(layer.blend, layer.blend)
        assert style.get("mix-blend-mode") == expected
        assert float(style.get("opacity", "1")) == pytest.approx(layer.opacity, abs=1e-4)
        name = unquote((image["src"] or "")[2:])
        files.discard(name)
        assert np.array_equal(np.asarray(Image.open(folder / name)), layer.pixels)
    assert files == set()
    assert (":hover" in text) == parallax
    plain_page = write("html", contents, tmp_path / "plain", ExportOptions(with_recipe=False))
    assert "castle" not in (plain_page / "index.html").read_text("utf-8")


# ---- all of them ----


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.key)
def test_every_failing_call_leaves_what_was_there(tmp_path: Path, form: Any) -> None:
    """For all n the n-th file call fails; a present file is the old one or the new one."""
    contents = design().contents
    reference = FailingDisk()
    target = tmp_path / f"a{form.suffixes[0] if form.suffixes else ''}"
    form.write(contents, target, OPTIONS, reference)
    after = snapshot(target)
    for number in range(1, len(reference.calls) + 1):
        for path in tmp_path.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if not form.is_folder:
            target.write_bytes(b"old")
        before = snapshot(target)
        disk = FailingDisk(number, errno.ENOSPC)
        refused = error_of(lambda: form.write(contents, target, OPTIONS, disk))  # noqa: B023
        assert snapshot(target) == (after if refused is None else before), (number, str(refused))
        hidden = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
        left = set(reference.calls[number - 1 : number])
        assert not hidden or left == {"remove"}


def snapshot(path: Path) -> dict[str, bytes] | bytes | None:
    if path.is_dir():
        return {each.name: each.read_bytes() for each in path.iterdir()}
    return path.read_bytes() if path.exists() else None


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.key)
def test_exports_are_repeatable(tmp_path: Path, form: Any, monkeypatch: Any) -> None:
    """The same document gives the same bytes, whatever was encoded before."""
    for name in ("one", "two"):
        monkeypatch.setattr(png, "encoded_pictures", png.EncodedPictures())
        form.write(fifty(), tmp_path / name, OPTIONS, None)
    assert snapshot(tmp_path / "one") == snapshot(tmp_path / "two")


def test_the_table_of_losses_tells_the_truth() -> None:
    """Only what the document has is listed; each format against what its files hold."""
    assert losses(empty(), format_named("png"), OPTIONS) == {}
    document = design()
    run(document, SetPrompt("a castle"))
    run(document, AddBox(Rect(0, 0, 16, 16)))
    listed = losses(document.contents, format_named("psd"), OPTIONS)
    assert listed == {
        "layers": False,
        "names": False,
        "transparency": False,
        "boxes": True,
        "prompt": True,
        "seeds": True,
        "candidates": True,
    }
    assert list(listed) == [each for each in FEATURES if each in listed]
    assert not any(losses(fifty(), format_named("ora"), OPTIONS).values())
    shared = losses(document.contents, format_named("ora"), ExportOptions(with_recipe=False))
    assert shared["prompt"] and shared["candidates"] and not shared["layers"]
    over = losses(document.contents, format_named("png"), ExportOptions(over=(0, 0, 0)))
    assert over["transparency"] and over["layers"] and not over["prompt"]
    pages = losses(fifty(), format_named("tiff"), ExportOptions(pages=True))
    assert not pages["layers"] and not pages["hidden"] and pages["blend"] and pages["outside"]


def test_formats_are_found_by_name() -> None:
    assert format_for(Path("a.PSD")) is format_named("psd")
    assert format_for(Path("a.jpeg")) is format_named("jpeg")
    assert format_for(Path("a.kra")) is None
    suffixes = [suffix for form in FORMATS for suffix in form.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert Pixels.of(picture(2, 2)).width == 2
