"""The merged picture of an OpenRaster, which other programs and file managers show: is it right?"""

from __future__ import annotations

import numpy as np

from app.document.composite import composite
from app.document.contents import Contents
from app.document.geometry import Rect
from app.document.pixels import hash_of
from app.document.storage.archive import ArchiveReader
from app.document.storage.errors import StorageError
from app.document.storage.layer_pictures import MERGED

# Other programs round after each layer, so their picture may be off by this, of 255.
_OTHERS_ROUND = 3


def merged_picture_problem(archive: ArchiveReader, contents: Contents, *, is_ours: bool) -> str:
    """What is wrong with it, as a sentence; "" = nothing.

    Args:
        contents: what the file opened as.
        is_ours: the file has our own data, so the picture must be ours to the last bit.
    """
    if not archive.has(MERGED):
        return (
            f"The merged picture '{MERGED}' is missing, which other programs show. Open the file "
            "and save it again."
        )
    try:
        merged = archive.picture(MERGED)
    except StorageError as error:
        return f"The merged picture cannot be read: {error.what}"
    # The canvas of another program's file may have grown to the grid.
    theirs = Rect(0, 0, merged.width, merged.height)
    made = composite(contents.layers, contents.canvas.rect if is_ours else theirs)
    if merged.hash == hash_of(made):
        return ""
    if is_ours or _apart(merged.array, made) > _OTHERS_ROUND:
        return "The merged picture in it is not what its layers make."
    return ""


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """By how much two pictures of one size differ at most, of 255, premultiplied."""
    colours = [each[..., :3].astype(float) * each[..., 3:] / 255 for each in (a, b)]
    alpha = np.abs(a[..., 3].astype(int) - b[..., 3])
    return float(max(np.abs(colours[0] - colours[1]).max(), alpha.max()))
