"""Krita, GIMP and Chromium open what goes out; what they save or show is what was sent.

Skipped where they are not installed. What was seen with which version: docs/reliability.md.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage

from app.document import Contents, Layer, Rect
from app.document.composite import composite
from app.document.storage.formats.psd import MODES
from app.document.storage.ora.file import load_project, save_project
from app.document.storage.ora.project import trimmed
from tests.app.document.test_formats import (
    assert_close,
    fifty,
    opaque,
    pixels_of,
    premultiplied,
    write,
)

pytestmark = pytest.mark.slow

LIMIT_S = 300  # only against a program that waits for a click; they need seconds
HALF_STEP = 0.5 / 255 + 1e-4  # both keep opacity in 8 bit


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of its own, so that nobody's settings count and none are left."""
    return tmp_path_factory.mktemp("home")


def run(home: Path, command: Sequence[str | Path], **more: str) -> None:
    places = {"HOME": home, "XDG_CONFIG_HOME": home / "c", "XDG_DATA_HOME": home / "d"}
    environment = {**os.environ, **{key: str(value) for key, value in places.items()}, **more}
    done = subprocess.run(
        [str(each) for each in command],
        capture_output=True,
        check=False,
        timeout=LIMIT_S,
        env=environment,
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")


def by_krita(home: Path, source: Path, target: Path) -> Path:
    """Open and export without a screen."""
    if not shutil.which("krita") or not shutil.which("xvfb-run"):
        pytest.skip("Krita or xvfb is not installed")
    krita = ["krita", "--export", "--export-filename", str(target), str(source)]
    run(home, ["xvfb-run", "-a", *krita], QT_QPA_PLATFORM="xcb")
    assert target.exists()
    return target


def by_gimp(home: Path, source: Path, target: Path) -> Path:
    """Open a PSD and save it as one. GIMP of Debian 12 comes without its OpenRaster plug-in."""
    if not shutil.which("gimp"):
        pytest.skip("GIMP is not installed")
    script = f"""
        (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE "{source}" "in")))
               (layer (car (gimp-image-get-active-layer image))))
          (file-psd-save RUN-NONINTERACTIVE image layer "{target}" "out" 0 0))"""
    run(home, ["gimp", "-n", "-i", "-d", "-f", "-b", script, "-b", "(gimp-quit 0)"])
    assert target.exists()
    return target


def visible(layer: Layer) -> tuple[Rect, np.ndarray] | None:
    """What can be seen of it and where: a program may pad or cut transparent margins."""
    found = trimmed(pixels_of(layer))
    if found is None:
        return None
    place = (layer.rect.x + found.x, layer.rect.y + found.y)
    return Rect(*place, found.image.width, found.image.height), found.image.array


def assert_same_layers(found: Contents, sent: Contents, same_mode: Any = None) -> None:
    """Order, names, eyes, opacity, modes, places and every visible pixel."""
    assert found.canvas == sent.canvas
    assert [layer.name for layer in found.layers] == [layer.name for layer in sent.layers]
    for ours, theirs in zip(sent.layers, found.layers, strict=True):
        assert theirs.visible == ours.visible
        assert abs(theirs.opacity - ours.opacity) <= HALF_STEP
        assert theirs.blend == (same_mode or {}).get(ours.blend, ours.blend)
        (rect, pixels), (their_rect, their_pixels) = visible(ours), visible(theirs)
        assert their_rect == rect
        assert np.array_equal(their_pixels, pixels)


def test_krita_keeps_fifty_openraster_layers(tmp_path: Path, home: Path) -> None:
    """Odd names, twelve modes, offsets outside the canvas."""
    save_project(fifty(), tmp_path / "ours.ora")
    path = by_krita(home, tmp_path / "ours.ora", tmp_path / "theirs.ora")
    opened = load_project(path, grid=32)
    assert not opened.is_project
    assert "has no Layerloom data" in opened.messages[0]
    assert_same_layers(opened.contents, fifty())


def test_krita_keeps_fifty_psd_layers(tmp_path: Path, home: Path) -> None:
    """PSD's soft light is another formula than OpenRaster's, so Krita names it apart."""
    write("psd", fifty(), tmp_path / "ours.psd")
    path = by_krita(home, tmp_path / "ours.psd", tmp_path / "theirs.ora")
    other = {"soft-light": "krita:soft_light"}
    assert_same_layers(load_project(path, grid=32).contents, fifty(), other)


def test_krita_paints_the_same_picture(tmp_path: Path, home: Path) -> None:
    """Four Normal layers; Krita rounds to 8 bit after each, so within 2 of 255, not 1."""
    save_project(opaque(), tmp_path / "ours.ora")
    path = by_krita(home, tmp_path / "ours.ora", tmp_path / "theirs.ora")
    with zipfile.ZipFile(path) as archive, archive.open("mergedimage.png") as stream:
        painted = np.asarray(Image.open(stream).convert("RGBA"))
    assert_close(painted, composite(opaque().layers, opaque().canvas.rect), within=2)


def test_gimp_keeps_fifty_psd_layers(tmp_path: Path, home: Path) -> None:
    """GIMP's names are unique, so it numbers those that are not; all else is the same."""
    write("psd", fifty(), tmp_path / "ours.psd")
    image = PSDImage.open(by_gimp(home, tmp_path / "ours.psd", tmp_path / "theirs.psd"))
    assert (image.width, image.height) == (fifty().canvas.width, fifty().canvas.height)
    for found, layer in zip(image, fifty().layers, strict=True):
        assert found.name == layer.name or found.name.rpartition(" #")[0] == layer.name
        assert (found.left, found.top) == (layer.rect.x, layer.rect.y)
        assert found.visible == layer.visible
        assert abs(found.opacity - 255 * layer.opacity) <= 1
        assert found.blend_mode == MODES[layer.blend]
        theirs = premultiplied(np.asarray(found.topil()))
        assert np.array_equal(theirs, premultiplied(pixels_of(layer)))


@pytest.mark.parametrize("contents", [opaque, fifty], ids=["normal", "50"])
def test_chromium_paints_the_html_page(tmp_path: Path, home: Path, contents: Any) -> None:
    """HTML: the page as a browser paints it, transparent ground.

    It rounds premultiplied colour to 8 bit after each layer, so four Normal layers are within 3 of
    255. Of fifty layers with all modes single pixels of Color Dodge and Color Burn are far off
    (both jump where they divide by almost nothing); all but one in a hundred are within 1.
    """
    if not shutil.which("chromium"):
        pytest.skip("Chromium is not installed")
    sent = contents()
    page = write("html", sent, tmp_path / "page") / "index.html"
    options = ["headless=new", "no-sandbox", "disable-gpu", "hide-scrollbars"]
    options += ["force-device-scale-factor=1", "default-background-color=00000000"]
    options += [f"user-data-dir={home / 'chromium'}", "window-size=600,500"]
    options += [f"screenshot={tmp_path / 'seen.png'}"]
    run(home, ["chromium", *(f"--{each}" for each in options), page.as_uri()])
    with Image.open(tmp_path / "seen.png") as image:
        seen = np.asarray(image.convert("RGBA"))[: sent.canvas.height, : sent.canvas.width]
    off = np.abs(premultiplied(seen) - premultiplied(composite(sent.layers, sent.canvas.rect)))
    if contents is opaque:
        assert off.max() <= 3
    assert (off > 1).mean() < (0.03 if contents is opaque else 0.01)
    assert (off > 3).mean() < 0.002
