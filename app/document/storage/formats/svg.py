"""SVG: each layer a group that Inkscape shows as a layer, its fills as curves.

Layers that cannot be shapes are embedded as PNG. Nothing in the file points outside of it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from app.document.contents import Contents
from app.document.geometry import Rect, union
from app.document.layer import Layer, clean_name
from app.document.storage.errors import StorageError
from app.document.storage.formats.options import ExportOptions, Made
from app.document.storage.formats.shapes import (
    mix_blend_mode,
    shapes_of,
    short_number,
    written_layers,
)
from app.document.storage.png import encode_png
from app.document.storage.recipe import xmp_of
from app.document.vectors.curves import Curve
from app.document.vectors.tracing import Vectors, scale_of
from app.document.words import shown_name

_PARTS = 100  # of a pixel, that coordinates are rounded to
_NAMESPACES = (
    'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
    'xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"'
)
_GROUP = "{http://www.w3.org/2000/svg}g"


def svg(contents: Contents, options: ExportOptions) -> Made:
    """The layers, hidden ones as hidden."""
    count = len(written_layers(contents, options))

    def check(new: Path) -> None:
        if len(ElementTree.fromstring(new.read_bytes()).findall(_GROUP)) != count:
            raise StorageError("The written layers do not read back.")

    return Made(svg_of(contents, options).encode(), check)


def svg_of(contents: Contents, options: ExportOptions) -> str:
    """The SVG text for these contents, bottom layer first."""
    layers = written_layers(contents, options)
    is_alone = options.layer_id is not None
    rect = layers[0].rect if is_alone else options.rect or contents.canvas.rect
    return "".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            _opening(rect),
            *_about(contents, options),
            *(part for layer in layers for part in _group(layer, options, is_alone)),
            "</svg>\n",
        ]
    )


def layer_svg(layer: Layer) -> str:
    """One layer alone as SVG, without opacity, blend mode, prompt and records."""
    return layers_svg([layer])


def layers_svg(layers: Sequence[Layer]) -> str:
    """Layers as SVG, cut to what they cover, without prompt and records.

    Args:
        layers: with pixels, bottom first, at least one; a single one without opacity and mode.
    """
    rect = union(layer.rect for layer in layers)
    assert rect is not None  # there is at least one layer
    groups = (_group(layer, ExportOptions(), len(layers) == 1) for layer in layers)
    return "".join([_opening(rect), *chain.from_iterable(groups), "</svg>\n"])


def _opening(rect: Rect) -> str:
    return (
        f'<svg {_NAMESPACES} version="1.1" width="{rect.width}" height="{rect.height}" '
        f'viewBox="{rect.x} {rect.y} {rect.width} {rect.height}" style="isolation:isolate">\n'
    )


def _about(contents: Contents, options: ExportOptions) -> Iterator[str]:
    """Title and metadata: the prompt and the records where they are wanted."""
    title = clean_name(contents.prompt)
    if options.with_recipe and title:
        yield f"<title>{escape(title)}</title>\n"
    packet = xmp_of(contents, with_recipe=options.with_recipe)
    if packet:  # its markers are for files that are searched for it
        inner = packet[packet.index("?>") + 2 : packet.rindex("<?xpacket")]
        yield f"<metadata>{inner}</metadata>\n"


def _group(layer: Layer, options: ExportOptions, is_alone: bool) -> Iterator[str]:
    style = [f"display:{'inline' if layer.visible or is_alone else 'none'}"]
    opacity = ""
    if not is_alone:
        mode = mix_blend_mode(layer.blend)
        if mode:
            style.append(f"mix-blend-mode:{mode}")
        if layer.opacity < 1:
            opacity = f' opacity="{short_number(layer.opacity, 4)}"'
    vectors = shapes_of(layer, options).vectors
    place = f"translate({layer.rect.x} {layer.rect.y})"
    if vectors is not None and scale_of(layer, vectors) != (1, 1):
        across, down = scale_of(layer, vectors)
        place += f" scale({short_number(across, 6)} {short_number(down, 6)})"
    locked = ' sodipodi:insensitive="true"' if layer.locked else ""
    yield (
        f'<g id="layer-{layer.number}" inkscape:groupmode="layer" '
        f"inkscape:label={quoteattr(clean_name(shown_name(layer)))} "
        f'transform="{place}"{opacity}{locked} '
        f'style="{";".join(style)}">\n'
    )
    if vectors is None:
        yield _image(layer)
    else:
        yield from paths_of(vectors)
    yield "</g>\n"


def _image(layer: Layer) -> str:
    assert layer.pixels is not None  # only such layers are written
    data = b64encode(encode_png(layer.pixels, small=True)).decode()
    return (
        f'<image width="{layer.rect.width}" height="{layer.rect.height}" '
        f'preserveAspectRatio="none" xlink:href="data:image/png;base64,{data}"/>\n'
    )


def paths_of(vectors: Vectors) -> Iterator[str]:
    for shape in vectors.shapes:
        red, green, blue = shape.colour
        data = "".join(_subpath(curve) for curve in shape.curves)
        yield f'<path fill="#{red:02x}{green:02x}{blue:02x}" d="{data}"/>\n'


def _subpath(curve: Curve) -> str:
    """A closed curve in relative coordinates, which are short."""
    points = np.round(curve.nodes * _PARTS).astype(np.int64)
    starts = points[:, :1]
    ends = np.roll(starts, -1, axis=0)
    steps = (np.concatenate([points[:, 1:], ends], axis=1) - starts).reshape(-1, 6).tolist()
    x, y = starts[0, 0].tolist()
    text, last = [f"M{_part(x)}{_joined([y])}"], ""
    for straight, numbers in zip(curve.straight.tolist(), steps, strict=True):
        letter = "l" if straight else "c"
        numbers = numbers[4:] if straight else numbers
        if letter == last:
            text.append(_joined(numbers))
        else:
            text.append(letter + _joined(numbers).removeprefix(" "))
        last = letter
    return "".join(text) + "z"


def _joined(numbers: list[int]) -> str:
    """Numbers with a blank before each that has no sign."""
    return "".join(_part(each) if each < 0 else " " + _part(each) for each in numbers)


def _part(number: int) -> str:
    """Hundredths as a decimal number, without what it can do without."""
    whole, part = divmod(abs(number), _PARTS)
    sign = "-" if number < 0 else ""
    if not part:
        return f"{sign}{whole}"
    return f"{sign}{whole or ''}.{part:02d}".rstrip("0")
