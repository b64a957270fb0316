"""What goes to other programs and comes from them by drags and the clipboard.

Out: a picture, shapes and files, made when another program asks for them; inside the window the
same drag reorders, and nothing is written. In: files, a picture's bytes, addresses, text. Nothing
is downloaded: of a picture on the web only its data counts, where the browser sends it.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMetaType, QMimeData, QUrl
from PySide6.QtGui import QImage

from app.document import Layer, Rect, UserError
from app.document.composite import composite
from app.document.storage.atomic import write_bytes
from app.document.storage.names import unique_names
from app.document.storage.png import encode_png
from app.document.words import shown_name
from app.ui.text import tr

logger = logging.getLogger(__name__)

PNG, SVG, FILES = "image/png", "image/svg+xml", "text/uri-list"
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


def layers_as_svg(layers: Sequence[Layer]) -> bytes:
    """One layer as it is, several as they look together, cut to what they cover; bottom first."""
    # The tracer is loaded only where shapes are wanted.
    from app.document.storage.formats.svg import layers_svg

    return layers_svg(layers).encode()


class _MadeOnDemand(QMimeData):
    """Formats that are set, and others that are made once a program asks for them."""

    def __init__(self, makers: Mapping[str, Callable[[], object]]) -> None:
        super().__init__()
        self._makers = makers
        self._made: dict[str, object] = {}

    def formats(self) -> list[str]:
        return [*super().formats(), *self._makers]

    def hasFormat(self, mimetype: str) -> bool:
        return mimetype in self.formats()

    def retrieveData(self, mimetype: str, preferred: QMetaType | QMetaType.Type) -> object:
        if mimetype not in self._makers:
            return super().retrieveData(mimetype, preferred)
        if mimetype not in self._made:
            self._made[mimetype] = self._makers[mimetype]()
        return self._made[mimetype]


class ShapesData(_MadeOnDemand):
    """The content of a copy of layers, bottom first: SVG besides what is set."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__({SVG: lambda: QByteArray(layers_as_svg(layers))} if layers else {})


class LayerDrag(_MadeOnDemand):
    """A drag of layers, topmost first: a picture, shapes, and files for which `folder` is asked."""

    def __init__(self, layers: Sequence[Layer], folder: Callable[[], Path]) -> None:
        shown = [layer for layer in reversed(layers) if layer.pixels is not None]
        makers: dict[str, Callable[[], object]] = {
            PNG: lambda: QByteArray(_picture(shown)),
            SVG: lambda: QByteArray(layers_as_svg(shown)),
            FILES: lambda: _files(shown, folder()),
        }
        super().__init__(makers if shown else {})

    def retrieveData(self, mimetype: str, preferred: QMetaType | QMetaType.Type) -> object:
        """Qt override: where making fails, the other program receives nothing."""
        try:
            data = super().retrieveData(mimetype, preferred)
        except (OSError, UserError) as error:
            logger.warning("a layer could not be dragged out: %s", error)
            return QByteArray()
        # Qt's own `urls()` asks for a list; what goes to another program is text.
        if mimetype != FILES or QMetaType(preferred).id() == QMetaType.Type.QVariantList.value:
            return data
        assert isinstance(data, list)
        return QByteArray(b"".join(bytes(url.toEncoded().data()) + b"\r\n" for url in data))


def _picture(layers: Sequence[Layer]) -> bytes:
    """One layer as it is, several as they look together, cut to what they cover."""
    if len(layers) == 1:
        return encode_png(_pixels(layers[0]))
    left, top = min(layer.rect.x for layer in layers), min(layer.rect.y for layer in layers)
    right = max(layer.rect.right for layer in layers)
    bottom = max(layer.rect.bottom for layer in layers)
    return encode_png(composite(layers, Rect(left, top, right - left, bottom - top)))


def _files(layers: Sequence[Layer], folder: Path) -> list[QUrl]:
    folder.mkdir(parents=True, exist_ok=True)
    names = unique_names(shown_name(layer) for layer in layers)
    paths = [folder / f"{name}.png" for name in names]
    for path, layer in zip(paths, layers, strict=True):
        write_bytes(path, encode_png(_pixels(layer)))
    return [QUrl.fromLocalFile(str(path)) for path in paths]


def _pixels(layer: Layer) -> np.ndarray:
    assert layer.pixels is not None  # `LayerDrag` leaves the others out
    return layer.pixels


@dataclass(frozen=True, slots=True)
class Offered:
    """What was found, each in the order in which it came."""

    files: tuple[Path, ...]  # local files that exist
    pictures: tuple[bytes, ...]  # encoded pictures, from the data itself or from `data:` addresses
    refused: tuple[str, ...]  # one sentence for each thing that cannot be taken


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
