"""PDF: one page, each layer an optional-content layer with its name, its fills as curves.

Every layer is a group of its own, so that opacity and blend mode count for the layer as a whole.
Layers that cannot be shapes are embedded as pictures without loss. Canvas pixels are 1/96 inch.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pydyf

from app.document.blends import BLENDS
from app.document.contents import Contents
from app.document.geometry import Rect
from app.document.layer import Layer, clean_name
from app.document.storage.formats.options import ExportOptions, Made
from app.document.storage.formats.shapes import shapes_of, short_number, written_layers
from app.document.storage.recipe import xmp_of
from app.document.vectors.curves import Curve
from app.document.vectors.tracing import Vectors, scale_of
from app.document.words import shown_name

# Add has no name in PDF.
MODES = {
    mode: "".join(part.title() for part in mode.split("-"))
    for mode in ("normal", *BLENDS)
    if mode != "add"
}
_POINT = 0.75  # of a canvas pixel, in points of 1/72 inch


def pdf(contents: Contents, options: ExportOptions) -> Made:
    """The layers, hidden ones as hidden."""
    return Made(pdf_of(contents, options))


def pdf_of(contents: Contents, options: ExportOptions) -> bytes:
    """The PDF file for these contents."""
    layers = written_layers(contents, options)
    is_alone = options.layer_id is not None
    rect = layers[0].rect if is_alone else options.rect or contents.canvas.rect
    pdf = pydyf.PDF()
    groups = []  # what a reader's list of layers shows
    for layer in layers:
        name = pydyf.String(clean_name(shown_name(layer)))
        groups.append(pydyf.Dictionary({"Type": "/OCG", "Name": name}))
        pdf.add_object(groups[-1])
    _add_page(pdf, rect, layers, groups, options)
    shown = [is_alone or layer.visible for layer in layers]
    pdf.catalog["OCProperties"] = _properties(layers, groups, shown)
    _add_about(pdf, contents, options)
    stream = io.BytesIO()
    pdf.write(stream, version=b"1.7", compress=True)
    return stream.getvalue()


def _properties(
    layers: list[Layer], groups: list[pydyf.Dictionary], shown: list[bool]
) -> pydyf.Dictionary:
    """All layers, the top one first, and which of them are seen or locked."""

    def chosen(wanted: list[bool]) -> pydyf.Array:
        both = zip(groups, wanted, strict=True)
        return pydyf.Array([group.reference for group, is_wanted in both if is_wanted])

    every = [True] * len(groups)
    usual = pydyf.Dictionary(
        {
            "Order": pydyf.Array(reversed(chosen(every))),
            "ON": chosen(shown),
            "OFF": chosen([not each for each in shown]),
            "Locked": chosen([layer.locked for layer in layers]),
        }
    )
    return pydyf.Dictionary({"OCGs": chosen(every), "D": usual})


def _add_page(
    pdf: pydyf.PDF,
    rect: Rect,
    layers: list[Layer],
    groups: list[pydyf.Dictionary],
    options: ExportOptions,
) -> None:
    """The page with all layers, bottom first; y runs downwards in them."""
    forms, states, names = ({}, {}, {})  # by the names that the page calls them by
    steps = [f"{_POINT} 0 0 -{_POINT} {-_POINT * rect.x} {_POINT * rect.bottom} cm"]
    for place, (layer, group) in enumerate(zip(layers, groups, strict=True)):
        form = _form(pdf, layer, options)
        pdf.add_object(form)
        forms[f"F{place}"], names[f"L{place}"] = form.reference, group.reference
        states[f"G{place}"] = _state(layer, is_alone=options.layer_id is not None)
        steps.append(
            f"/OC /L{place} BDC q /G{place} gs "
            f"1 0 0 1 {layer.rect.x} {layer.rect.y} cm /F{place} Do Q EMC"
        )
    content = pydyf.Stream([step.encode() for step in steps], compress=True)
    pdf.add_object(content)
    box = [0, 0, _POINT * rect.width, _POINT * rect.height]
    page = {
        "Type": "/Page",
        "Parent": pdf.pages.reference,
        "MediaBox": pydyf.Array(box),
        "Contents": content.reference,
        "Group": _transparency(),
        "Resources": pydyf.Dictionary(
            {
                "XObject": pydyf.Dictionary(forms),
                "ExtGState": pydyf.Dictionary(states),
                "Properties": pydyf.Dictionary(names),
            }
        ),
    }
    pdf.add_page(pydyf.Dictionary(page))


def _transparency() -> pydyf.Dictionary:
    """A group that is blended in red, green and blue, apart from what lies below."""
    return pydyf.Dictionary(
        {"Type": "/Group", "S": "/Transparency", "CS": "/DeviceRGB", "I": "true"}
    )


def _state(layer: Layer, *, is_alone: bool) -> pydyf.Dictionary:
    mode = "Normal" if is_alone else MODES.get(layer.blend, "Normal")
    opacity = "1" if is_alone else short_number(layer.opacity, 4)
    return pydyf.Dictionary({"Type": "/ExtGState", "BM": f"/{mode}", "ca": opacity})


def _form(pdf: pydyf.PDF, layer: Layer, options: ExportOptions) -> pydyf.Stream:
    """The layer as a picture of its own, its upper left corner at 0, 0."""
    width, height = layer.rect.width, layer.rect.height
    extra = {
        "Type": "/XObject",
        "Subtype": "/Form",
        "BBox": pydyf.Array([0, 0, width, height]),
        "Group": _transparency(),
    }
    vectors = shapes_of(layer, options).vectors
    if vectors is None:
        image = _image(pdf, layer)
        pdf.add_object(image)
        pictures = pydyf.Dictionary({"P": image.reference})
        extra["Resources"] = pydyf.Dictionary({"XObject": pictures})
        steps = [f"{width} 0 0 -{height} 0 {height} cm /P Do"]
    else:
        across, down = (short_number(each, 6) for each in scale_of(layer, vectors))
        steps = [f"{across} 0 0 {down} 0 0 cm", *_fills(vectors)]
    return pydyf.Stream([step.encode() for step in steps], extra, compress=True)


def _fills(vectors: Vectors) -> Iterator[str]:
    """Each shape with its colour, bottom to top."""
    for shape in vectors.shapes:
        yield " ".join(short_number(level / 255, 4) for level in shape.colour) + " rg"
        for curve in shape.curves:
            yield _outline(curve)
        yield "f"


def _outline(curve: Curve) -> str:
    ends = np.roll(curve.nodes[:, :1], -1, axis=0)
    points = np.concatenate([curve.nodes[:, 1:], ends], axis=1).reshape(-1, 6).tolist()
    x, y = curve.nodes[0, 0].tolist()
    steps = [f"{short_number(x, 2)} {short_number(y, 2)} m"]
    for straight, piece in zip(curve.straight.tolist(), points, strict=True):
        numbers = piece[4:] if straight else piece
        text = " ".join(short_number(each, 2) for each in numbers)
        steps.append(f"{text} {'l' if straight else 'c'}")
    return "\n".join([*steps, "h"])


def _image(pdf: pydyf.PDF, layer: Layer) -> pydyf.Stream:
    """The pixels, and their alpha as a mask where they are not opaque."""
    pixels = layer.pixels
    assert pixels is not None  # only such layers are written
    extra = _image_facts(layer, "/DeviceRGB")
    if (pixels[..., 3] < 255).any():
        mask = pydyf.Stream(
            [np.ascontiguousarray(pixels[..., 3]).tobytes()],
            _image_facts(layer, "/DeviceGray"),
            compress=True,
        )
        pdf.add_object(mask)
        extra["SMask"] = mask.reference
    return pydyf.Stream([np.ascontiguousarray(pixels[..., :3]).tobytes()], extra, compress=True)


def _image_facts(layer: Layer, colours: str) -> dict[str, object]:
    return {
        "Type": "/XObject",
        "Subtype": "/Image",
        "Width": layer.rect.width,
        "Height": layer.rect.height,
        "ColorSpace": colours,
        "BitsPerComponent": 8,
    }


def _add_about(pdf: pydyf.PDF, contents: Contents, options: ExportOptions) -> None:
    """Who wrote the file; the prompt and the records where they are wanted."""
    pdf.info["Producer"] = pydyf.String("Layerloom")
    title = clean_name(contents.prompt)
    if options.with_recipe and title:
        pdf.info["Title"] = pydyf.String(title)
    packet = xmp_of(contents, with_recipe=options.with_recipe)
    if packet:
        about = pydyf.Stream([packet.encode()], {"Type": "/Metadata", "Subtype": "/XML"})
        pdf.add_object(about)
        pdf.catalog["Metadata"] = about.reference
