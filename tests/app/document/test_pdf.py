"""PDF exports, read back by pypdf and shown by pdfium."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pypdf import PdfReader

from app.document import Contents, Rect
from app.document.blends import BLEND_MODES
from app.document.commands import SetBlend
from app.document.composite import composite
from app.document.document import Document
from app.document.pixels import Pixels
from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.pdf import MODES, pdf_of
from app.document.storage.formats.table import format_named, losses
from tests.app.document.examples import picture, plain
from tests.app.document.flat_examples import beach, flat_layer
from tests.app.document.pictures_in import embedded_pictures, layers_of_pdf, printed
from tests.app.document.test_vectors import likeness

OPTIONS = ExportOptions()


@cache
def shared() -> Contents:
    """The beach, which no test changes."""
    return beach()


@cache
def data() -> bytes:
    return pdf_of(shared(), OPTIONS)


def root_of(pdf: bytes) -> Any:
    return PdfReader(io.BytesIO(pdf)).trailer["/Root"]


def names(groups: Any) -> list[str]:
    return [str(each.get_object()["/Name"]) for each in groups]


def test_layers_are_optional_content() -> None:
    """Name, order, eye, lock, opacity and mode of every layer; readers list the top one first."""
    properties = root_of(data())["/OCProperties"]
    assert names(properties["/OCGs"]) == ["Background", "castle", "crab", "tent"]
    usual = properties["/D"]
    assert names(usual["/Order"]) == ["tent", "crab", "castle", "Background"]
    assert names(usual["/OFF"]) == ["tent"] and names(usual["/Locked"]) == ["crab"]
    assert names(usual["/ON"]) == ["Background", "castle", "crab"]
    page: Any = PdfReader(io.BytesIO(data())).pages[0]
    assert [float(each) for each in page["/MediaBox"]] == [0, 0, 384, 384]
    states = page["/Resources"]["/ExtGState"]
    assert (states["/G2"]["/BM"], float(states["/G2"]["/ca"])) == ("/Multiply", 0.5)
    assert (states["/G1"]["/BM"], float(states["/G1"]["/ca"])) == ("/Normal", 1)


def test_every_layer_looks_like_its_pixels() -> None:
    """At least 32 dB on the canvas, alpha included; also the picture as a whole."""
    whole = composite(shared().layers, shared().canvas.rect)
    assert likeness(printed(data()), whole) >= 35
    for layer, found in zip(shared().layers, layers_of_pdf(data()).values(), strict=True):
        shown = replace(layer, visible=True)  # opacity and mode stand in the page
        assert likeness(found, composite([shown], shared().canvas.rect)) >= 32, layer.name


def test_generated_layers_hold_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    for background, pictures in ((False, 1), (True, 0)):
        options = ExportOptions(vector_background=background)
        format_named("pdf").write(shared(), path, options, None)
        assert embedded_pictures(path) == pictures
        assert path.stat().st_size < 300_000


def test_modes_are_those_of_the_compositor() -> None:
    """pdfium blends every mode as we do, but for Add: PDF has none, and the table says so."""
    contents = beach()
    ground, above = plain(32, 32, (200, 120, 40, 255)), plain(32, 32, (60, 180, 90, 255))
    assert set(BLEND_MODES) - MODES.keys() == {"add"}
    place = Rect(0, 0, 32, 32)
    background = replace(contents.background, image=Pixels.of(ground), rect=place)
    for mode in MODES:
        layer = replace(contents.foregrounds[0], image=Pixels.of(above), rect=place, blend=mode)
        both = replace(contents, background=background, foregrounds=(layer,))
        expected = composite(both.layers, Rect(4, 4, 1, 1))[0, 0].astype(int)
        assert np.abs(printed(pdf_of(both, OPTIONS))[4, 4] - expected).max() <= 3, mode
    document = Document(contents)
    SetBlend([contents.foregrounds[0].id], "add").do(document)
    assert losses(document.contents, format_named("pdf"), OPTIONS)["blend"]
    assert not losses(contents, format_named("pdf"), OPTIONS)["blend"]


def test_imported_pictures_are_embedded_as_they_are() -> None:
    contents = beach()
    imported = replace(
        contents.foregrounds[0],
        name="Été (層) \\",
        kind="imported",
        image=Pixels.of(picture(40, 30, 3)),
        rect=Rect(-10, 400, 40, 30),
    )
    contents = replace(contents, foregrounds=(imported,), background_on=False)
    pdf = pdf_of(contents, OPTIONS)
    assert names(root_of(pdf)["/OCProperties"]["/OCGs"]) == ["Été (層) \\"]
    expected = composite(contents.layers, contents.canvas.rect)
    assert likeness(printed(pdf), expected) >= 32


def test_one_layer_alone_and_a_part() -> None:
    crab = shared().foregrounds[1]
    found = printed(pdf_of(shared(), ExportOptions(layer_id=crab.id)))
    assert found.shape == (64, 96, 4) and likeness(found, flat_layer("crab")) >= 32
    rect = Rect(340, 370, 120, 90)
    part = printed(pdf_of(shared(), ExportOptions(rect=rect)))
    assert part.shape == (90, 120, 4)
    assert likeness(part, composite(shared().layers, rect)) >= 32


def test_the_recipe_is_metadata() -> None:
    reader: Any = PdfReader(io.BytesIO(data()))
    assert reader.metadata["/Title"] == "a castle on a beach"
    assert b"layerloom:Recipe" in reader.trailer["/Root"]["/Metadata"].get_data()
    bare: Any = PdfReader(io.BytesIO(pdf_of(shared(), ExportOptions(with_recipe=False))))
    assert "/Title" not in bare.metadata
    assert b"trainedAlgorithmicMedia" in bare.trailer["/Root"]["/Metadata"].get_data()


def test_an_empty_picture_is_a_pdf() -> None:
    contents = replace(beach(), foregrounds=(), background_on=False)
    assert not printed(pdf_of(contents, OPTIONS)).any()
