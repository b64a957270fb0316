"""Pictures as they arrive: decoding under limits, checks, cropping."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from app.document.contents import MAX_SIDE as FILE_SIDE
from engine.remote import RemoteError, crop_to_alpha
from engine.remote.pictures import MAX_SIDE, checked, decode, encode, has_checkerboard
from tests.engine.remote.fake_server import drawn
from tests.engine.remote.watching import a_job


def test_the_limit_is_that_of_files() -> None:
    assert MAX_SIDE == FILE_SIDE


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_pixels_arrive_as_they_are(kind: str) -> None:
    ramp = np.zeros((16, 256, 4), np.uint8)
    ramp[..., 0], ramp[..., 3] = 200, np.arange(256)
    ramp[:, 0] = 0
    stream = io.BytesIO()
    Image.fromarray(ramp).save(stream, kind, lossless=True, exact=True)
    assert np.array_equal(decode(stream.getvalue()), ramp)
    assert np.array_equal(decode(encode(ramp)), ramp)


def test_grey_and_palette_pictures_become_rgba() -> None:
    for mode in ("L", "P", "RGB", "LA", "1"):
        stream = io.BytesIO()
        Image.new("RGB", (8, 4), (255, 255, 255)).convert(mode).save(stream, "PNG")
        picture = decode(stream.getvalue())
        assert picture.shape == (4, 8, 4) and (picture == 255).all(), mode


def test_a_colour_profile_is_applied() -> None:
    stream = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    plain = Image.new("RGB", (8, 8), (10, 200, 30))
    plain.save(stream, "PNG", icc_profile=profile)  # of another kind: left out
    assert decode(stream.getvalue())[0, 0].tolist() == [10, 200, 30, 255]
    stream = io.BytesIO()
    plain.save(stream, "PNG", icc_profile=ImageCms.ImageCmsProfile(
        ImageCms.createProfile("sRGB")).tobytes())  # fmt: skip
    assert np.abs(decode(stream.getvalue())[0, 0].astype(int) - [10, 200, 30, 255]).max() <= 1


def wide_png(side: int) -> bytes:
    """The head of a PNG, `side` pixels each way, with next to no data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"0"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no PNG, WebP or JPEG"),
        (b"", "no PNG, WebP or JPEG"),
        (encode(drawn(32, 32, 1))[:-200], "damaged"),
        (wide_png(20_000), "larger than 8,192"),
        (wide_png(8200), "8,200 × 8,200; the limit is 8,192"),
    ],
)
def test_what_is_no_usable_picture_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(RemoteError, match=words) as caught:
        decode(data)
    assert caught.value.kind == "picture"


def test_another_size_of_the_same_shape_is_resampled() -> None:
    job = a_job(width=64, height=96)
    made = checked(drawn(128, 192, 5), job)
    assert made.shape == (96, 64, 4)
    seen = drawn(64, 96, 5)[..., 3] > 0
    assert ((made[..., 3] > 127) == seen).mean() > 0.98
    with pytest.raises(RemoteError, match="96 × 64; 64 × 96"):
        checked(drawn(96, 64, 5), job)


def test_things_at_the_border_and_rings_are_no_faults() -> None:
    """Cut-outs that touch the border on two sides, and a frame with a small hole."""
    job = a_job(width=64, height=64)
    wall = np.full((64, 64, 4), 120, np.uint8)
    wall[..., 3] = 0
    wall[20:, :, 3] = 255
    assert np.array_equal(checked(wall, job), wall)
    y, x = np.mgrid[:64, :64]
    far = np.hypot(x - 32, y - 32)
    ring = wall.copy()
    ring[..., 3] = np.where((far < 30) & (far > 14), 255, 0)
    assert np.array_equal(checked(ring, job), ring)


def test_an_almost_opaque_background_is_made_solid() -> None:
    picture = drawn(64, 64, 2, alpha=False)
    picture[:1, :10, 3] = 90
    made = checked(picture, a_job(width=64, height=64, alpha=False))
    assert (made[..., 3] == 255).all() and np.array_equal(made[..., :3], picture[..., :3])


@pytest.mark.parametrize("cell", [4, 8, 10, 16, 32])
@pytest.mark.parametrize("noise", [0, 3])
def test_a_painted_checkerboard_is_recognised(cell: int, noise: int) -> None:
    picture = drawn(256, 320, 5, fault=f"checkerboard{cell}")
    rough = np.random.default_rng(1).integers(-noise, noise + 1, picture.shape[:2])
    picture[..., :3] = (picture[..., :3] + rough[..., None]).clip(0, 255)
    assert has_checkerboard(picture[3:, 5:])


def test_other_opaque_pictures_have_no_checkerboard() -> None:
    random = np.random.default_rng(2)
    noise = random.integers(0, 256, (256, 256, 4), np.uint8)
    stripes = drawn(256, 256, 1, alpha=False)
    stripes[..., :3] = np.where((np.arange(256) // 8 % 2)[None, :, None], 204, 255)
    plain = np.full((256, 256, 4), 255, np.uint8)
    for picture in (noise, stripes, plain, drawn(256, 256, 3, alpha=False)):
        assert not has_checkerboard(picture)


def test_cropping_keeps_each_visible_pixel() -> None:
    picture = np.zeros((40, 50, 4), np.uint8)
    picture[10:20, 5:30] = 200
    picture[0, 0, 3] = 3  # too faint to be seen
    assert np.array_equal(crop_to_alpha(picture), picture[10:20, 5:30])
    assert crop_to_alpha(np.zeros((8, 8, 4), np.uint8)).shape == (1, 1, 4)
