"""Pixels and layers: hashing, sharing, regions, names."""

from __future__ import annotations

import gc
import hashlib
import weakref
from dataclasses import replace

import numpy as np
import pytest

from app.document.geometry import Rect, Size
from app.document.layer import Layer, clean_name, new_layer_id, plain_record
from app.document.pixels import Pixels
from tests.app.document.examples import picture, plain


def layer_of(pixels: np.ndarray, x: int = 0, y: int = 0) -> Layer:
    image = Pixels.of(pixels)
    return Layer(
        id=new_layer_id(),
        number=1,
        name="",
        rect=Rect(x, y, image.width, image.height),
        image=image,
    )


def test_colour_is_black_where_nothing_is_seen() -> None:
    given = picture(7, 5)
    kept = Pixels.of(given).array
    seen = given[..., 3] > 0
    assert np.array_equal(kept[seen], given[seen])
    assert not kept[~seen].any()


def test_the_hash_covers_size_and_bytes() -> None:
    pixels = plain(2, 3, (1, 2, 3, 4))
    head = (2).to_bytes(4, "little") + (3).to_bytes(4, "little")
    assert Pixels.of(pixels).hash == hashlib.sha256(head + pixels.tobytes()).hexdigest()
    assert Pixels.of(plain(3, 2, (1, 2, 3, 4))).hash != Pixels.of(pixels).hash


def test_equal_pixels_exist_once_and_cannot_be_written() -> None:
    one, other = Pixels.of(picture(8, 8)), Pixels.of(picture(8, 8))
    assert one is other
    with pytest.raises(ValueError, match="read-only"):
        one.array[0, 0, 0] = 1
    assert one.array.base is None or not one.array.base.flags.writeable


def test_the_caller_may_go_on_writing_into_its_own_array() -> None:
    given = picture(8, 8)
    kept = Pixels.of(given)
    before = kept.array.copy()
    given[:] = 0
    assert np.array_equal(kept.array, before)


def test_pixels_are_freed_with_the_last_layer() -> None:
    layer = layer_of(picture(8, 8, 77))
    watched = weakref.ref(layer.image)
    del layer
    gc.collect()
    assert watched() is None


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((4, 4), np.uint8),
        np.zeros((0, 4, 4), np.uint8),
        np.zeros((4, 4, 4), np.float32),
    ],
)
def test_other_arrays_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="pixels must be"):
        Pixels.of(bad)


def test_strided_pixels_are_taken_as_they_look() -> None:
    wide = picture(16, 8)
    assert Pixels.of(wide[::2, ::-1]).hash == Pixels.of(wide[::2, ::-1].copy()).hash


def test_region_and_its_pixels() -> None:
    layer = layer_of(plain(20, 20, (9, 8, 7, 255)), x=10, y=-5)
    region = layer.region(16, Size(64, 64))
    assert region == Rect(0, 0, 32, 16)
    padded = layer.region_pixels(16, Size(64, 64))
    assert padded is not None
    assert padded.shape == (16, 32, 4)
    assert (padded[:15, 10:30] == (9, 8, 7, 255)).all()
    assert not padded[15].any()
    assert not padded[:, :10].any()


def test_a_background_always_takes_the_whole_canvas() -> None:
    layer = replace(layer_of(picture(16, 16)), is_background=True)
    assert layer.region(16, Size(64, 48)) == Rect(0, 0, 64, 48)


def test_pixels_and_rect_must_agree() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        replace(layer_of(picture(8, 8)), rect=Rect(0, 0, 8, 9))


@pytest.mark.parametrize(("opacity", "seed"), [(1.5, None), (-0.1, None), (1.0, -1), (1.0, 2**32)])
def test_values_out_of_range_are_refused(opacity: float, seed: int | None) -> None:
    with pytest.raises(ValueError, match=r"must be 0 to"):
        replace(layer_of(picture(8, 8)), opacity=opacity, seed=seed)


def test_records_are_copied_and_plain() -> None:
    record = {"seed": 1, "box": [1, 2]}
    kept = plain_record(record)
    record["box"].append(3)  # type: ignore[attr-defined]
    assert kept == {"seed": 1, "box": [1, 2]}
    for bad in ({"x": float("nan")}, {"x": object()}):
        with pytest.raises(ValueError):  # noqa: PT011  # the text is json's
            plain_record(bad)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  two\n words\t", "two words"),
        ("bell\x07\x00", "bell"),
        ("\ud800x\ufffe", "x"),
        ("Été 層 🏰", "Été 層 🏰"),
        ("x" * 300, "x" * 200),
        ("\x1c\x85", ""),
    ],
)
def test_names_are_one_clean_line(text: str, name: str) -> None:
    assert clean_name(text) == name
