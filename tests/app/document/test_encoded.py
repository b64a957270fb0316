"""Pictures are encoded once, and what is written fast is a PNG like any other."""

from __future__ import annotations

import gc
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.document import Document
from app.document.commands import Rename
from app.document.pixels import Pixels, clean_rgba
from app.document.storage import png
from app.document.storage.ora.file import load_project, save_project
from app.document.storage.png import EncodedPictures, encode_png
from tests.app.document.examples import design, picture, run


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
    """SV1: unchanged layers cost nothing, and the file is the same as one written from nothing."""
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
