"""What a drag or the clipboard offers: files, folders, a picture's bytes, addresses, text.

Nothing is downloaded: of a picture on the web only its data counts, where the browser sends it.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QBuffer, QIODevice, QMimeData, QUrl
from PySide6.QtGui import QImage

from app.ui.text import tr

LAYOUT_SUFFIXES = (".json", ".txt")
# Encoded pictures, best first: their bytes still have the colour profile.
_PICTURE_TYPES = (
    "image/png",
    "image/webp",
    "image/tiff",
    "image/jpeg",
    "image/gif",
    "image/bmp",
    "image/x-bmp",
)


@dataclass(frozen=True, slots=True)
class Offered:
    """What was found, each in the order in which it came.

    Attributes:
        files: local files that exist.
        pictures: encoded pictures, from the data itself or from `data:` addresses.
        refused: one sentence for each thing that cannot be taken.
    """

    files: tuple[Path, ...]
    pictures: tuple[bytes, ...]
    refused: tuple[str, ...]


def offered_by(data: QMimeData) -> Offered:
    """Look through all that is offered; local files come before the same picture's data."""
    files: list[Path] = []
    pictures: list[bytes] = []
    refused: list[str] = []
    remote: list[str] = []
    for url in data.urls():
        if url.isLocalFile():
            path = Path(url.toLocalFile())
            if os.path.isfile(path):
                files.append(path)
            elif os.path.isdir(path):
                refused.append(
                    tr("'{0}' is a folder. Choose the pictures inside it.").format(path.name)
                )
            else:
                refused.append(tr("'{0}' is not there.").format(path.name))
        elif url.scheme() == "data":
            picture = _picture_in(url)
            if picture:
                pictures.append(picture)
            else:
                refused.append(tr("The dropped address contains no picture."))
        else:
            remote.append(url.host() or url.scheme() or url.toString())
    if not files and not pictures:
        picture = _picture_bytes(data)
        if picture:
            pictures.append(picture)
            remote.clear()  # the address of the same picture
    refused += [
        tr("A picture from '{0}' was not downloaded. Save it as a file, then add the file.").format(
            host
        )
        for host in dict.fromkeys(remote)
    ]
    return Offered(tuple(files), tuple(pictures), tuple(refused))


def can_be_offered(data: QMimeData) -> bool:
    """Whether a drag is worth an answer; asks for no data, which could take long."""
    return data.hasUrls() or data.hasImage() or any(map(data.hasFormat, _PICTURE_TYPES))


def _picture_bytes(data: QMimeData) -> bytes:
    for kind in _PICTURE_TYPES:
        found = bytes(data.data(kind).data()) if data.hasFormat(kind) else b""
        if found:
            return found
    image = data.imageData() if data.hasImage() else None
    if not isinstance(image, QImage) or image.isNull():
        return b""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def _picture_in(url: QUrl) -> bytes:
    """The bytes of `data:image/png;base64,…`; b"" where it holds no picture."""
    head, comma, body = bytes(url.toEncoded().data()).decode("ascii", "replace").partition(",")
    kind = head.removeprefix("data:")
    if not comma or not kind.lower().startswith("image/"):
        return b""
    plain = unquote_to_bytes(body)
    if not kind.lower().endswith(";base64"):
        return plain
    try:
        return base64.b64decode(plain, validate=False)
    except (binascii.Error, ValueError):
        return b""
