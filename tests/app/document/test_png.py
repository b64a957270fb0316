"""PNG bytes and pictures of other kinds coming in."""

from __future__ import annotations

import gc
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from app.document import Document, Size
from app.document.commands import Rename
from app.document.pixels import Pixels, clean_rgba, fitted
from app.document.storage import png
from app.document.storage.errors import StorageError
from app.document.storage.ora.file import load_project, save_project
from app.document.storage.pictures import read_picture
from app.document.storage.png import EncodedPictures, PngError, decode_png, encode_png, png_size
from tests.app.document.examples import design, picture, plain, run


def test_pixels_come_back_bit_identical() -> None:
    pixels = decode_png(encode_png(picture(33, 17)))
    assert np.array_equal(decode_png(encode_png(pixels, small=True)), pixels)
    assert encode_png(pixels) == encode_png(pixels.copy())
    assert png_size(encode_png(pixels)) == Size(33, 17)


def test_a_cut_png_is_refused_or_complete() -> None:
    """Never half a picture: only checksums and the end mark may be missing."""
    data = encode_png(picture(6, 5))
    refused = 0
    for end in range(len(data)):
        try:
            assert np.array_equal(decode_png(data[:end]), decode_png(data))
        except PngError:
            refused += 1
    assert refused >= len(data) - 24


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP", "GIF", "JPEG"])
def test_pictures_of_all_kinds(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "cat"
    mode = "RGBA" if kind in ("PNG", "WEBP", "TIFF") else "RGB"
    image = Image.new(mode, (12, 8), (200, 30, 40))
    image.save(path, kind, **({"lossless": True} if kind == "WEBP" else {}))
    pixels = read_picture(path).pixels
    assert pixels.shape == (8, 12, 4)
    assert np.abs(pixels[4, 4].astype(int) - (200, 30, 40, 255)).max() <= 4


def test_alpha_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    pixels = plain(8, 8, (10, 20, 30, 128))
    Image.fromarray(pixels, "RGBA").save(path, "WEBP", lossless=True)
    assert np.array_equal(read_picture(path).pixels, pixels)


def test_pictures_are_turned_as_the_camera_says(tmp_path: Path) -> None:
    """EXIF 6: the first row is the right side."""
    path = tmp_path / "a.jpg"
    image = Image.new("RGB", (40, 20), (255, 255, 255))
    image.paste((0, 0, 0), (0, 0, 40, 8))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(path, "JPEG", exif=exif)
    pixels = read_picture(path).pixels
    assert pixels.shape == (40, 20, 4)
    assert pixels[20, 18, 0] < 60
    assert pixels[20, 2, 0] > 200


def test_profiles_are_converted(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (4, 4), (90, 120, 150)).save(path, icc_profile=profile)
    assert np.abs(read_picture(path).pixels[0, 0].astype(int) - (90, 120, 150, 255)).max() <= 1
    Image.new("RGB", (4, 4), (90, 120, 150)).save(path, icc_profile=b"broken")
    assert read_picture(path).pixels[0, 0].tolist() == [90, 120, 150, 255]


def test_large_pictures_are_scaled_to_fit(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (400, 100)).save(path)
    assert fitted(read_picture(path).pixels, 96, 64).shape == (24, 96, 4)
    assert fitted(read_picture(path).pixels, 800, 800).shape == (100, 400, 4)


def test_refusals_say_why(tmp_path: Path) -> None:
    path = tmp_path / "notes.pdf"
    path.write_bytes(b"%PDF-1.4")
    with pytest.raises(StorageError, match=r"'notes.pdf' is not a kind of file that .* reads"):
        read_picture(path)
    Image.new("1", (9000, 4)).save(tmp_path / "wide.png")
    with pytest.raises(StorageError, match="The picture is 9,000 × 4; the limit is 8,192"):
        read_picture(tmp_path / "wide.png")
    stream = io.BytesIO()
    Image.fromarray(picture(64, 64)).save(stream, "PNG")
    path.write_bytes(stream.getvalue()[:5000])
    with pytest.raises(StorageError, match="is damaged"):
        read_picture(path)
    with pytest.raises(StorageError, match="does not exist"):
        read_picture(tmp_path / "none.png")


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (300, 1), (33, 17)])
def test_fast_pngs_are_read_by_another_reader(size: tuple[int, int]) -> None:
    pixels = clean_rgba(picture(*size))
    with Image.open(io.BytesIO(encode_png(pixels))) as image:
        image.verify()
    with Image.open(io.BytesIO(encode_png(pixels))) as image:
        assert (image.mode, image.size, image.info.get("srgb")) == ("RGBA", size, 0)
        assert np.array_equal(np.asarray(image), pixels)


def test_a_picture_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counting(pixels: np.ndarray) -> bytes:
        calls.append(1)
        return encode_png(pixels)

    monkeypatch.setattr(png, "encode_png", counting)
    pictures = EncodedPictures()
    image = Pixels.of(picture(20, 10))
    first = pictures.png(image)
    assert pictures.png(Pixels.of(picture(20, 10))) is first  # equal pixels are one object
    assert len(calls) == 1


def test_kept_bytes_stay_within_the_budget_and_go_with_the_picture() -> None:
    images = [Pixels.of(picture(32, 32, seed)) for seed in range(6)]
    one = len(encode_png(images[0].array))
    pictures = EncodedPictures(3 * one + one // 2)
    first = pictures.png(images[0])
    for image in images[1:]:
        assert pictures.png(images[0]) is first  # used again and again: never thrown out
        pictures.png(image)
        assert pictures.kept_bytes <= 3 * one + one // 2
    del image
    images.clear()
    gc.collect()
    assert pictures.kept_bytes == 0
    assert len(EncodedPictures(1).png(Pixels.of(picture(8, 8))).data) > 1  # larger than allowed


def test_a_second_save_encodes_only_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unchanged layers cost nothing, and the file is the same as one written from nothing."""
    document: Document = design()
    save_project(document.contents, tmp_path / "a.ora")
    calls: list[int] = []

    def counting(pixels: np.ndarray) -> bytes:
        calls.append(1)
        return encode_png(pixels)

    monkeypatch.setattr(png, "encode_png", counting)
    run(document, Rename(document.foregrounds[0].id, "Tower"))
    save_project(document.contents, tmp_path / "a.ora")
    assert calls == []
    monkeypatch.setattr("app.document.storage.ora.archive.encoded_pictures", EncodedPictures())
    save_project(document.contents, tmp_path / "b.ora")
    assert (tmp_path / "a.ora").read_bytes() == (tmp_path / "b.ora").read_bytes()
    assert load_project(tmp_path / "a.ora").messages == ()
