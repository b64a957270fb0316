"""Decoded pictures before they become RGBA: colour, alpha and profile apart, in 8 bits a channel.

By Pillow with its colour profiles; TIFF whose values are not 8-bit whole numbers by tifffile.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

from app.document.contents import MAX_SIDE
from app.document.geometry import Size
from app.document.pixels import clean_rgba

_ORIENTATION = 0x0112

_COLOUR_MODES = ("L", "RGB", "CMYK", "LAB")
_GREY_DEPTH = 65535

# of TIFF
_MAX_DECODED = 2 * 1024**3
_MAX_SAMPLES = 8
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _LAB = 0, 1, 2, 3, 5, 8
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _LAB: 3}
_ASSOCIATED, _STRAIGHT = 1, 2
_PROFILE = 34675
_UNSIGNED = 1
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_REDUCED = 1


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
    """One decoded picture."""

    colour: Image.Image  # mode L, RGB, CMYK or LAB, not premultiplied
    alpha: np.ndarray | None = None  # (h, w) uint8; None = opaque
    profile: bytes = b""  # an ICC profile; b"" = none
    orientation: int = 1  # EXIF's number, 1 to 8
    notes: tuple[str, ...] = ()  # sentences for the user

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


# ---- TIFF whose values are not 8-bit whole numbers ----


class UnsupportedPictureError(ValueError):
    """A whole picture of a kind that is not read; the text says which."""


def tiff_notes(data: bytes) -> tuple[str, ...]:
    """A sentence when the file has further pages; its reduced copies do not count."""
    from tifffile import TiffFile

    try:
        with TiffFile(io.BytesIO(data)) as file:
            for page in file.pages[1:64]:
                kind = page.tags.get(254) if hasattr(page, "tags") else None
                if kind is None or not int(kind.value) & _REDUCED:
                    return ("It has more than one page, and only the first was read.",)
    except Exception:  # further pages that are damaged do not matter
        return ()
    return ()


def deep_tiff_size(data: bytes) -> Size | None:
    """The size of the first page, if its values are such that Pillow cuts or does not read them."""
    if not data.startswith(_MAGIC):
        return None
    from tifffile import TiffFile

    try:
        with TiffFile(io.BytesIO(data)) as file:
            page = file.pages.first
            if page.bitspersample in (1, 2, 4, 8) and page.sampleformat == _UNSIGNED:
                return None
            return Size(page.imagewidth, page.imagelength)
    except Exception:  # damaged: Pillow says so
        return None


def tiff_planes(data: bytes) -> Planes:
    """The first page.

    Raises:
        UnsupportedPictureError: a kind of TIFF that is not read.
        Exception: of many kinds, when it is damaged.
    """
    from tifffile import TiffFile

    with TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        photometric = int(page.photometric)
        colours = _COLOURS.get(photometric)
        samples = page.samplesperpixel
        if colours is None or not colours <= samples <= _MAX_SAMPLES or page.imagedepth != 1:
            raise UnsupportedPictureError(
                f"a TIFF of {samples} channels ({getattr(page.photometric, 'name', '?')})"
            )
        if page.imagewidth * page.imagelength > MAX_SIDE**2 or page.nbytes > _MAX_DECODED:
            raise UnsupportedPictureError(
                f"a TIFF of {page.imagewidth:,} × {page.imagelength:,} with "
                f"{page.bitspersample} bits a channel"
            )
        values = np.asarray(page.asarray())
        if int(page.planarconfig) == 2 and samples > 1:
            values = np.moveaxis(values.reshape(samples, page.imagelength, page.imagewidth), 0, 2)
        values = values.reshape(page.imagelength, page.imagewidth, samples)
        extra = int(page.extrasamples[0]) if page.extrasamples else 0
        if photometric == _PALETTE:
            if page.colormap is None:
                raise UnsupportedPictureError("a TIFF palette without colours")
            colours, values = 3, _looked_up(values, page.colormap)
        bits = 16 if page.colormap is not None else page.bitspersample
        values, notes = _as_unit(values, bits, is_lab=photometric == _LAB)
        alpha = None
        colour = values[..., :colours]
        if samples > colours and extra in (_ASSOCIATED, _STRAIGHT):
            opacity = values[..., colours]
            alpha = _bytes(opacity)
            if extra == _ASSOCIATED:
                shown = opacity[..., None]
                colour = np.divide(colour, shown, out=np.zeros_like(colour), where=shown > 0)
        if photometric == _WHITE_IS_ZERO:
            colour = 1 - colour
        eight = _bytes(colour.clip(0, 1))
        image = _image(eight, is_lab=photometric == _LAB)
        profile, turned = page.tags.get(_PROFILE), page.tags.get(_ORIENTATION)
        return Planes(
            image,
            alpha,
            bytes(profile.value) if profile is not None else b"",
            int(turned.value) if turned is not None else 1,
            notes,
        )


def _as_unit(values: np.ndarray, bits: int, *, is_lab: bool) -> tuple[np.ndarray, tuple[str, ...]]:
    """Samples of any kind as floats from 0 to 1, and sentences for the user."""
    if is_lab:
        return _lab_as_unit(values).clip(0, 1), ()
    if values.dtype.kind == "f":
        values, notes = _unit(values)
        return values.clip(0, 1), notes
    highest = _highest(values, bits)
    values = values.astype(np.float64 if highest > 65535 else np.float32)
    return (values / highest).clip(0, 1), ()


def _image(eight: np.ndarray, *, is_lab: bool) -> Image.Image:
    """(h, w, 1, 3 or 4) uint8 as mode L, RGB, LAB or CMYK."""
    if is_lab:
        return Image.merge("LAB", [Image.fromarray(eight[..., c], "L") for c in range(3)])
    if eight.shape[-1] == 1:
        return Image.fromarray(eight[..., 0], "L")
    return Image.fromarray(eight, "RGB" if eight.shape[-1] == 3 else "CMYK")


def _looked_up(index: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """(h, w, 1 and more) and (3, n) uint16 -> (h, w, 3 and more) uint16; further samples stay."""
    colour = palette[:, np.minimum(index[..., 0], palette.shape[1] - 1)]
    return np.concatenate([np.moveaxis(colour, 0, 2), index[..., 1:]], axis=-1)


def _lab_as_unit(values: np.ndarray) -> np.ndarray:
    """CIELAB and further samples -> 0 to 1, as Pillow's LAB: L* of 100, a* and b* from -128 on.

    Whole numbers have L* without a sign, a* and b* with one, scaled to the sample's bits (TIFF 6.0,
    section 23); floats have plain values.
    """
    if values.dtype.kind == "f":
        light, colour, rest = values[..., :1] / 100, values[..., 1:3], values[..., 3:]
    else:
        bits = values.dtype.itemsize * 8
        unsigned, signed = np.dtype(f"u{bits // 8}"), np.dtype(f"i{bits // 8}")
        highest = (1 << bits) - 1
        light = values[..., :1].astype(unsigned) / highest
        colour = values[..., 1:3].astype(unsigned).view(signed) / (1 << (bits - 8))
        rest = values[..., 3:].astype(unsigned) / highest
    return np.concatenate([light, (colour + 128) / 255, rest], axis=-1).astype(np.float32)


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray((values * 255 + 0.5).astype(np.uint8))


def _highest(values: np.ndarray, bits: int) -> int:
    """The number that means white. 32 bits are often a container for 16."""
    if values.dtype.kind == "i":
        bits -= 1
    if bits > 16 and values.size and int(values.max()) <= 65535:
        return 65535
    return (1 << bits) - 1


def _unit(values: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Floats with white at 1, and a sentence when brighter values are cut."""
    values = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    # Some programs store floats from 0 to 255: hardly a value of theirs is near 1.
    if values.size and float(values.mean()) > 2:
        values = values / np.float32(255 if float(values.max()) <= 255 else 65535)
    if values.size and float(values.max()) > 1:
        return values, ("It has values above white, and they were cut.",)
    return values, ()
