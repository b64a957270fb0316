"""The orientation of a picture, whatever else its EXIF holds."""

from __future__ import annotations

from PIL import Image

_ORIENTATION = 0x0112


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
