"""PSD by psd-tools: every layer at its place with its looks, and our composite as merged picture.

8-bit RGBA, RLE. Empty boxes are left out; seeds, prompts and candidates have no place in a PSD.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image
from psd_tools import PSDImage
from psd_tools.api.numpy_io import encode_image_data
from psd_tools.constants import BlendMode

from app.document.blends import BLENDS
from app.document.composite import composite
from app.document.contents import Contents
from app.document.layer import Layer
from app.document.storage.errors import StorageError
from app.document.storage.formats.options import ExportOptions, Made
from app.document.words import shown_name

MODES = {
    mode: BlendMode["LINEAR_DODGE" if mode == "add" else mode.upper().replace("-", "_")]
    for mode in ("normal", *BLENDS)
}


class _Image(PSDImage):
    """A PSD whose merged picture is ours.

    psd-tools would paint one by other formulas, which takes several times as long as all the rest.
    It asks for the picture through this private method; a test checks that it still does.
    """

    merged: np.ndarray

    def take(self, merged: np.ndarray) -> None:
        """The merged picture, (h, w, 4) uint8; its fourth channel is its transparency."""
        self.merged = merged
        # Written as the sign of the number of layers; without it readers see an extra channel.
        self._merged_alpha = True

    def _update_preview(self) -> None:
        colour = self.merged[..., :3].astype(np.float32) / 255.0
        alpha = self.merged[..., 3:].astype(np.float32) / 255.0
        planes = encode_image_data(self, colour, alpha)
        self._record.image_data.set_data(planes, self._record.header)


def psd(contents: Contents, options: ExportOptions) -> Made:
    """All layers with pixels, hidden ones as hidden."""
    layers = [layer for layer in contents.layers if layer.has_pixels]
    image = _Image.new("RGBA", (contents.canvas.width, contents.canvas.height))
    image.take(composite(contents.layers, contents.canvas.rect))
    for layer in layers:
        _add(image, layer)
    image.mark_updated()  # also without a layer there is a merged picture to write
    stream = io.BytesIO()
    image.save(stream)
    return Made(stream.getvalue(), lambda new: _verify(new, layers))


def _add(image: PSDImage, layer: Layer) -> None:
    assert layer.pixels is not None  # only such layers were taken
    made = image.create_pixel_layer(
        Image.fromarray(layer.pixels, "RGBA"),
        top=layer.rect.y,
        left=layer.rect.x,
        opacity=int(255 * layer.opacity + 0.5),
        blend_mode=MODES.get(layer.blend, BlendMode.NORMAL),
    )
    made.name = shown_name(layer)  # the setter alone writes the Unicode name
    made.visible = layer.visible


def _verify(path: Path, layers: list[Layer]) -> None:
    found = list(PSDImage.open(path))
    if len(found) != len(layers):
        raise StorageError("The written layers do not read back.")
    for made, layer in zip(found, layers, strict=True):
        box = (layer.rect.x, layer.rect.y, layer.rect.width, layer.rect.height)
        if (made.left, made.top, made.width, made.height) != box:
            raise StorageError(f"'{layer.name}' does not read back at its place.")
        picture = made.topil()
        assert layer.pixels is not None
        if picture is None or not np.array_equal(np.asarray(picture), layer.pixels):
            raise StorageError(f"'{layer.name}' does not read back as it is.")
