"""Exports: PNG with its recipe, folder and zip with a manifest, and file names."""

from __future__ import annotations

import errno
import io
import json
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.document import Document
from app.document.commands import Rename, SetBackground, SetOpacity, SetVisible
from app.document.pixels import clean_rgba, resampled
from app.document.storage.atomic import Disk
from app.document.storage.errors import StorageError
from app.document.storage.formats.layer_files import export_folder, export_zip
from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.table import format_named
from app.document.storage.names import safe_name, unique_names
from tests.app.document.examples import add_box, composite_of, design, fill, run


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.mode == "RGBA"
        return np.asarray(image)


def test_a_folder_holds_every_layer_and_what_it_is(tmp_path: Path) -> None:
    """Cropped, bottom first, without opacity; empty boxes have no file."""
    document = design()
    castle = document.foregrounds[0]
    run(document, SetOpacity([castle.id], 0.25))
    run(document, SetVisible([castle.id], False))
    folder = tmp_path / "new" / "out"
    manifest = export_folder(
        document.contents, folder, ExportOptions(facts={"seconds": 1.5, "version": "no"})
    )
    assert sorted(path.name for path in folder.iterdir()) == [
        "00-Background.png",
        "01-Castle.png",
        "composite.png",
        "manifest.json",
    ]
    assert np.array_equal(pixels_of(folder / "01-Castle.png"), castle.pixels)  # type: ignore[arg-type]
    assert np.array_equal(pixels_of(folder / "composite.png"), composite_of(document))
    assert json.loads((folder / "manifest.json").read_text("utf-8")) == manifest
    assert (manifest["seconds"], manifest["version"], manifest["canvas"]) == (1.5, 1, [96, 64])
    background, entry, empty = manifest["layers"]
    assert entry == {
        "file": "01-Castle.png",
        "number": 1,
        "name": "Castle",
        "kind": "generated",
        "is_background": False,
        "x": 0,
        "y": 0,
        "w": 48,
        "h": 32,
        "z": 1,
        "visible": False,
        "opacity": 0.25,
        "blend": "normal",
        "box": [0, 0, 48, 32],
        "seed": 3,
        "prompt": "a castle",
        "sha256": castle.pixel_hash,
        "word": "castle",
        "left_empty": None,
    }
    assert background["is_background"]
    assert (empty["file"], empty["sha256"], empty["kind"]) == (None, None, "box")


def test_the_same_document_gives_the_same_bytes(tmp_path: Path) -> None:
    contents = design().contents
    for name in ("a", "b"):
        export_folder(contents, tmp_path / name)
        export_zip(contents, tmp_path / f"{name}.zip")
        format_named("png").export(contents, tmp_path / f"{name}.png", ExportOptions())
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_without_a_background_the_first_layer_is_01(tmp_path: Path) -> None:
    document = design()
    run(document, SetBackground(False))
    manifest = export_folder(document.contents, tmp_path / "out")
    assert [entry["file"] for entry in manifest["layers"]] == ["01-Castle.png", None]


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    """Old files are never mixed in."""
    (tmp_path / "old.txt").write_text("old")
    with pytest.raises(StorageError, match=r"is not empty: 'old\.txt'\. Nothing was exp"):
        export_folder(design().contents, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]
    with pytest.raises(StorageError, match="cannot be used"):
        export_folder(design().contents, tmp_path / "old.txt")


@pytest.mark.parametrize("fail_at", [1, 2, 3, 4])
def test_a_failing_export_leaves_no_half(tmp_path: Path, fail_at: int) -> None:
    class FullDisk(Disk):
        def __init__(self) -> None:
            self.count = 0

        def sync(self, stream: BinaryIO) -> None:
            self.count += 1
            if self.count == fail_at:
                raise OSError(errno.ENOSPC, "full")
            super().sync(stream)

    with pytest.raises(StorageError, match="the disk is full"):
        export_folder(design().contents, tmp_path / "a" / "b", disk=FullDisk())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_new", [True, False])
def test_a_file_that_reads_back_wrong_ends_the_export(tmp_path: Path, is_new: bool) -> None:
    """Read back as a save is (4.3); a disk that loses a byte says nothing itself."""

    class Forgets(Disk):
        def sync(self, stream: BinaryIO) -> None:
            super().sync(stream)
            stream.seek(-1, 2)
            stream.write(b"?")

    folder = tmp_path / "out"
    if not is_new:
        folder.mkdir()
    with pytest.raises(StorageError, match="did not read back"):
        export_folder(design().contents, folder, disk=Forgets())
    assert list(tmp_path.rglob("*")) == ([] if is_new else [folder])


def test_a_zip_holds_the_same_files(tmp_path: Path) -> None:
    contents = design().contents
    export_folder(contents, tmp_path / "out")
    export_zip(contents, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert sorted(names) == sorted(path.name for path in (tmp_path / "out").iterdir())
        for name in names:
            data = archive.read(name)
            if name.endswith(".png"):
                got = np.asarray(Image.open(io.BytesIO(data)))
                assert np.array_equal(got, pixels_of(tmp_path / "out" / name))
            else:
                assert data == (tmp_path / "out" / name).read_bytes()


def test_a_png_carries_its_recipe_or_not(tmp_path: Path) -> None:
    document = design()
    format_named("png").export(document.contents, tmp_path / "with.png", ExportOptions())
    format_named("png").export(
        document.contents, tmp_path / "without.png", ExportOptions(with_recipe=False)
    )
    with Image.open(tmp_path / "with.png") as image:
        texts = image.text  # type: ignore[attr-defined]
        assert np.array_equal(np.asarray(image), composite_of(document))
    recipe = json.loads(texts["layerloom"])
    assert recipe["layers"][1]["record"] == {"seed": 3, "prompt": "a castle", "word": "castle"}
    assert recipe["layers"][1]["pixels"] == document.foregrounds[0].pixel_hash
    assert "trainedAlgorithmicMedia" in texts["XML:com.adobe.xmp"]
    with Image.open(tmp_path / "without.png") as image:
        texts = image.text  # type: ignore[attr-defined]
        assert set(texts) == {"Software", "XML:com.adobe.xmp"}


def test_a_png_may_be_larger(tmp_path: Path) -> None:
    document = design()
    format_named("png").export(document.contents, tmp_path / "x2.png", ExportOptions(scale=2))
    assert pixels_of(tmp_path / "x2.png").shape == (128, 192, 4)


def test_enlarging_bleeds_no_hidden_colour() -> None:
    """Neither a transparent neighbour's colour nor Lanczos' overshoot may tint an edge."""
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, :4] = (200, 100, 50, 255)
    larger = resampled(clean_rgba(pixels), 32, 32, sharp=True)
    seen = larger[larger[..., 3] > 0]
    assert np.abs(seen[:, :3].astype(int) - (200, 100, 50)).max() <= 1


def test_names_of_any_kind_are_exported(tmp_path: Path) -> None:
    """ "Été", "層", 200 characters, duplicates."""
    document = Document()
    for name in ("Été", "層", "x" * 200, "same", "same", "a/b:c", "CON"):
        layer_id = add_box(document)
        fill(document, layer_id, 1)
        run(document, Rename(layer_id, name))
    manifest = export_folder(document.contents, tmp_path / "out")
    files = [entry["file"] for entry in manifest["layers"][1:]]
    assert files[:2] == ["01-Été.png", "02-層.png"]
    assert files[5] == "06-a_b_c.png"
    assert len(set(files)) == 7
    assert all((tmp_path / "out" / name).is_file() for name in files)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Castle", "Castle"),
        ('<>:"/\\|?*', "_________"),
        ("dot. ", "dot_"),
        ("...", "___"),
        ("", "_"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("e\u0301", "é"),
        ("a\x00b\u202ec", "a_b_c"),
        ("\ud800", "?".replace("?", "_")),
    ],
)
def test_safe_names(text: str, name: str) -> None:
    assert safe_name(text) == name


@given(st.lists(st.text(max_size=120), max_size=8))
def test_safe_names_are_safe_and_unique(texts: list[str]) -> None:
    names = unique_names(texts)
    assert len({name.casefold() for name in names}) == len(texts)
    for name in names:
        assert 0 < len(name.encode()) <= 80
        assert not set('<>:"/\\|?*\0') & set(name)
        assert name[-1] not in ". "
        assert name == safe_name(name)
