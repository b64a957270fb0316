"""Pictures as they arrive from a server: decoded under limits, checked, and cropped.

A server can send anything, and a fault in a graph shows only in the pixels: a cut-out without
transparency, the mask upside down, a checkerboard painted where transparency should be.
"""

from __future__ import annotations

import io
import logging
import warnings

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from engine.pixels import resample, to_bytes, to_premultiplied
from engine.remote.api import PictureJob, RemoteError

logger = logging.getLogger(__name__)

MAX_SIDE = 8192  # pixels, the limit for picture files too (`app.document.contents.MAX_SIDE`)
FORMATS = ("PNG", "WEBP", "JPEG")
SEEN_ALPHA = 8  # from here on a pixel counts as visible, of 255
_SOLID_ALPHA = 250
_SAME_SHAPE = 1.05  # proportions that differ by no more are taken as those that were asked for
_OPAQUE_SHARE = 0.995  # of the pixels: no cut-out
_HOLES_SHARE = 0.02  # of the pixels: an opaque picture has holes
_CELLS = range(4, 33)  # px: sides of a checkerboard's squares
_TRY_AGAIN = "Try again with another seed, or choose another model."


def decode(data: bytes, name: str = "The picture") -> np.ndarray:
    """The bytes of a PNG, WebP or JPEG as (h, w, 4) uint8, straight alpha, sRGB.

    Raises:
        RemoteError: of kind "picture": they are no picture, damaged, or larger than 8192 each way.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own limit: the size is checked here
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check_size(image.size, name)
                image.load()
                return np.asarray(_in_srgb(image)).copy()
    except UnidentifiedImageError as error:
        raise RemoteError(
            "picture",
            f"{name} that came is no PNG, WebP or JPEG ({len(data):,} bytes).",
            "Check that the output node of the graph saves pictures, and try again.",
        ) from error
    except Image.DecompressionBombError as error:
        raise RemoteError(
            "picture",
            f"{name} that came is larger than {MAX_SIDE:,} pixels each way.",
            "Ask the server for smaller pictures.",
        ) from error
    except RemoteError:
        raise
    except Exception as error:  # Pillow raises many kinds for damaged data
        raise RemoteError(
            "picture", f"{name} that came is damaged: {error}.", "Try again."
        ) from error


def checked(rgba: np.ndarray, job: PictureJob) -> np.ndarray:
    """A picture that came for a job, as (job.height, job.width, 4); the pixels may be resampled.

    Raises:
        RemoteError: of kind "picture": it is not what the job asked for.
    """
    _check_shape(rgba, job)
    rgba = _resized(rgba, job)
    if not job.alpha:
        return _opaque(rgba)
    _check_cutout(rgba)
    return rgba


def crop_to_alpha(rgba: np.ndarray) -> np.ndarray:
    """The smallest part of (h, w, 4) with all visible pixels; (1, 1, 4) where none is visible."""
    seen = rgba[..., 3] >= SEEN_ALPHA
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    if not len(rows):
        return np.zeros((1, 1, 4), np.uint8)
    return rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()


def encode(rgba: np.ndarray) -> bytes:
    """(h, w, 4) uint8 as PNG, for a request."""
    stream = io.BytesIO()
    Image.fromarray(rgba).save(stream, "PNG", compress_level=4)
    return stream.getvalue()


def _check_size(size: tuple[int, int], name: str) -> None:
    if max(size) > MAX_SIDE:
        raise RemoteError(
            "picture",
            f"{name} that came is {size[0]:,} × {size[1]:,}; the limit is {MAX_SIDE:,} each way.",
            "Ask the server for smaller pictures.",
        )


def _in_srgb(image: Image.Image) -> Image.Image:
    """RGBA; a colour profile that cannot be read is left out."""
    profile = image.info.get("icc_profile")
    rgba = image.convert("RGBA")
    if not profile or image.mode not in ("RGB", "RGBA"):
        return rgba
    try:
        colour = ImageCms.profileToProfile(
            rgba.convert("RGB"),
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
        )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
        logger.info("colour profile left out: %s", error)
        return rgba
    if colour is None:
        return rgba
    colour.putalpha(rgba.getchannel("A"))
    return colour


def _check_shape(rgba: np.ndarray, job: PictureJob) -> None:
    height, width = rgba.shape[:2]
    stretch = (width / height) / (job.width / job.height)
    if max(stretch, 1 / stretch) > _SAME_SHAPE:
        raise RemoteError(
            "picture",
            f"The picture that came is {width} × {height}; {job.width} × {job.height} was asked "
            "for.",
            "Choose a model that takes sizes freely, or name the width and height inputs of your "
            "graph.",
        )


def _resized(rgba: np.ndarray, job: PictureJob) -> np.ndarray:
    if rgba.shape[:2] == (job.height, job.width):
        return rgba
    return to_bytes(resample(to_premultiplied(rgba), (job.height, job.width)))


def _opaque(rgba: np.ndarray) -> np.ndarray:
    """A background: its few translucent pixels made solid."""
    if (rgba[..., 3] < _SOLID_ALPHA).mean() > _HOLES_SHARE:
        raise RemoteError(
            "picture",
            "An opaque background was asked for, and the picture that came has transparent parts.",
            _TRY_AGAIN,
        )
    solid = rgba.copy()
    solid[..., 3] = 255
    return solid


def _check_cutout(rgba: np.ndarray) -> None:
    alpha = rgba[..., 3]
    if not (alpha >= SEEN_ALPHA).any():
        raise RemoteError("picture", "The picture that came is empty.", _TRY_AGAIN)
    if (alpha >= _SOLID_ALPHA).mean() > _OPAQUE_SHARE:
        if has_checkerboard(rgba):
            raise RemoteError(
                "picture",
                "A cut-out was asked for, and a checkerboard is painted where the picture should "
                "be transparent.",
                "This model does not draw transparency: choose one that does, or a graph with a "
                "background-removal node.",
            )
        raise RemoteError(
            "picture",
            "A cut-out was asked for, and the picture that came is opaque everywhere.",
            "Choose a model that draws transparency, or a graph with a background-removal node.",
        )
    if _is_inverted(alpha):
        raise RemoteError(
            "picture",
            "The mask of the picture that came is inverted: the surroundings are opaque, and the "
            "thing is cut out of them.",
            "In a graph of your own, put an InvertMask node before JoinImageWithAlpha, or take it "
            "out.",
        )


def _is_inverted(alpha: np.ndarray) -> bool:
    """Whether the border is opaque and the middle transparent."""
    height, width = alpha.shape
    edge = max(min(height, width) // 32, 1)
    border = np.concatenate(
        [
            alpha[:edge].ravel(),
            alpha[-edge:].ravel(),
            alpha[:, :edge].ravel(),
            alpha[:, -edge:].ravel(),
        ]
    )
    middle = alpha[height // 3 : -(height // 3) or None, width // 3 : -(width // 3) or None]
    return bool(
        (border >= _SOLID_ALPHA).mean() > 0.95
        and (middle < SEEN_ALPHA).mean() > 0.5
        and (alpha < SEEN_ALPHA).mean() > 0.03
    )


def has_checkerboard(rgba: np.ndarray) -> bool:
    """Whether the border of the picture shows grey squares of two shades in turn.

    Looks at the upper and the left edge, a 16th of the picture deep: on a checkerboard a pixel
    differs from that one square further, and equals that two squares further.
    """
    deep = max(min(rgba.shape[:2]) // 16, 8)
    top, left = rgba[:deep, :, :3], rgba[:, :deep, :3].transpose(1, 0, 2)
    return _alternates(top) and _alternates(left)


def _alternates(band: np.ndarray) -> bool:
    """Whether (h, w, 3) uint8 is grey and changes between two shades along w."""
    colour = band.astype(np.int16)
    if (np.ptp(colour, axis=2) > 12).mean() > 0.1:
        return False
    grey = colour.mean(2)
    dark, light = np.percentile(grey, [25, 75])
    if light - dark < 8:
        return False
    close = np.minimum(np.abs(grey - dark), np.abs(grey - light)) < (light - dark) / 4
    if close.mean() < 0.85:
        return False
    is_light = grey > (dark + light) / 2
    for cell in _CELLS:
        if 4 * cell > is_light.shape[1]:
            break
        differs = (is_light[:, cell:] != is_light[:, :-cell]).mean()
        equals = (is_light[:, 2 * cell :] == is_light[:, : -2 * cell]).mean()
        if differs > 0.85 and equals > 0.85:
            return True
    return False
