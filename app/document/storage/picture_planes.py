"""Decoded pictures before they become RGBA: colour, alpha and profile apart, in 8 bits a channel.

Uses Pillow's images and colour profiles; independent of file formats.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

from app.document.pixels import clean_rgba

_ORIENTATION = 0x0112

_COLOUR_MODES = ("L", "RGB", "CMYK", "LAB")
_GREY_DEPTH = 65535


def orientation_of(image: Image.Image) -> int:
    """EXIF's orientation, 1 to 8; 1 where there is none or it cannot be read.

    Only this tag is read: writing the others back, as a library's own turning does, fails for a
    picture with one odd tag.
    """
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # the reader of a damaged EXIF raises many kinds; the picture is all right
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


@dataclass(frozen=True, slots=True)
class Planes:
    """One decoded picture.

    Attributes:
        colour: mode L, RGB, CMYK or LAB, not premultiplied.
        alpha: (h, w) uint8; None = opaque.
        profile: an ICC profile; b"" = none.
        orientation: EXIF's number, 1 to 8.
        notes: sentences for the user.
    """

    colour: Image.Image
    alpha: np.ndarray | None = None
    profile: bytes = b""
    orientation: int = 1
    notes: tuple[str, ...] = ()

    def to_rgba(self) -> np.ndarray:
        """(h, w, 4) uint8, sRGB, straight alpha, turned upright, read-only."""
        colour = np.asarray(_to_srgb(self.colour, self.profile))
        height, width = colour.shape[:2]
        alpha = self.alpha if self.alpha is not None else np.full((height, width), 255, np.uint8)
        return clean_rgba(_upright(np.dstack([colour, alpha]), self.orientation))


def planes_of(image: Image.Image, *, profile: bytes = b"", orientation: int = 1) -> Planes:
    """What Pillow decoded; its transparent colour or palette becomes alpha.

    Raises:
        ValueError: a mode that has no meaning as a picture.
    """
    image = _straight(_eight_bit(image))
    alpha = None
    if image.mode in ("LA", "RGBA"):
        alpha = np.asarray(image.getchannel("A"))
        image = image.convert("L" if image.mode == "LA" else "RGB")
    elif image.mode in ("P", "PA") or "transparency" in image.info:
        shown = image.convert("RGBA")
        alpha = np.asarray(shown.getchannel("A"))
        image = shown.convert("RGB") if image.mode not in ("L", "1") else image.convert("L")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode not in _COLOUR_MODES:
        image = image.convert("RGB")
    return Planes(image, alpha, profile, orientation)


def scaled(values: np.ndarray, highest: int) -> np.ndarray:
    """Whole numbers from 0 to `highest` as uint8 from 0 to 255, rounded; lower ones become 0."""
    if highest == 255 and values.dtype == np.uint8:
        return values
    ratio = np.float64(255.0 / highest)
    return (values.astype(np.float64).clip(0, highest) * ratio + 0.5).astype(np.uint8)


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit and floating grey as 8 bit; Pillow would cut the values instead of scaling them."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        return Image.fromarray(scaled(np.asarray(image), _GREY_DEPTH), "L")
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image)).clip(0, 255)
        return Image.fromarray(values.astype(np.uint8), "L")
    return image


def _straight(image: Image.Image) -> Image.Image:
    """Associated alpha divided out; LAB and others stay."""
    return (
        image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode]) if image.mode[-1] == "a" else image
    )


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """RGB of mode L, RGB, CMYK or LAB; a profile that does not fit or is broken has no effect."""
    if image.mode == "LAB":
        return _converted(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    # A grey picture may have an RGB profile; a picture in colour has no use for a grey one.
    tries = (image, image.convert("RGB")) if image.mode == "L" else (image,)
    for source in tries if profile else ():
        try:
            return _converted(source, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
        except (ImageCms.PyCMSError, OSError, ValueError, struct.error):
            continue
    return image.convert("RGB")


def _converted(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    if converted is None:
        raise ValueError("the colours could not be converted")
    return converted


def _upright(rgba: np.ndarray, orientation: int) -> np.ndarray:
    """As EXIF's orientation says; numbers that it does not have change nothing."""
    if orientation >= 5:
        rgba = rgba.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        rgba = rgba[:, ::-1]
    if orientation in (3, 4, 7, 8):
        rgba = rgba[::-1]
    return np.ascontiguousarray(rgba)
