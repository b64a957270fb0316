"""What comes in as layers: pictures of each kind, OpenRaster, layers from the clipboard."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.document import Document, LimitError, Rect, Size
from app.document.commands import AddLayers, SetRect
from app.document.layer import Layer
from app.document.storage.errors import StorageError
from app.document.storage.incoming import (
    cascaded,
    layers_from_bytes,
    layers_of_layout,
    layers_to_bytes,
    open_as_document,
    picture_document,
    picture_layer,
    read_layers,
)
from app.document.storage.layout import parse_layout
from app.document.storage.ora.file import save_project
from app.document.storage.pictures import picture_of
from tests.app.document.examples import design, picture, plain, run, small_document
from tests.app.document.test_ora import rich, write_members

CANVAS = Size(96, 64)


def stored(path: Path, pixels: np.ndarray, **options: object) -> Path:
    image = Image.fromarray(pixels)
    if path.suffix in (".jpg", ".bmp"):
        image = image.convert("RGB")
    image.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".gif", ".bmp", ".jpg"])
def test_every_kind_of_picture_becomes_a_layer(tmp_path: Path, suffix: str) -> None:
    """Named after the file, in the middle, kind imported."""
    options = {"lossless": True} if suffix == ".webp" else {}
    path = stored(tmp_path / f"sun set{suffix}", plain(20, 10, (200, 60, 20, 255)), **options)
    (layer,) = read_layers(path, CANVAS, 16).layers
    assert (layer.name, layer.kind, layer.rect) == ("sun set", "imported", Rect(38, 27, 20, 10))
    assert layer.pixels is not None and layer.record is None and layer.candidates == ()
    assert np.abs(layer.pixels[..., :3].astype(int) - (200, 60, 20)).max() <= 3


def test_rotation_in_exif_is_applied(tmp_path: Path) -> None:
    pixels = plain(20, 10, (200, 0, 0, 255))
    pixels[:, :10] = (0, 0, 200, 255)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    path = stored(tmp_path / "turned.png", pixels, exif=exif)
    (layer,) = read_layers(path, CANVAS, 16).layers
    assert layer.rect.size == Size(10, 20)
    assert layer.pixels is not None
    assert tuple(layer.pixels[0, 0]) == (0, 0, 200, 255)
    assert tuple(layer.pixels[19, 0]) == (200, 0, 0, 255)


def test_larger_than_the_canvas_is_scaled_and_keeps_its_source(tmp_path: Path) -> None:
    """Scaled down to fit; the original size comes back without a loss."""
    pixels = picture(384, 128)
    (layer,) = read_layers(stored(tmp_path / "a.png", pixels), CANVAS, 16).layers
    assert layer.rect == Rect(0, 16, 96, 32)
    document = small_document()
    command = AddLayers([layer], text="Import 'a'")
    run(document, command)
    assert command.label == "Import 'a'"
    (layer_id,) = command.new_ids
    run(document, SetRect(layer_id, Rect(-100, 0, 384, 128)))
    shown = document.layer(layer_id)
    assert shown.pixels is not None
    cleaned = pixels * (pixels[..., 3:] > 0)
    assert np.array_equal(shown.pixels, cleaned)


def test_too_large_or_unknown_is_refused(tmp_path: Path) -> None:
    """Nothing is added, the text names the limit and the kinds."""
    large = stored(tmp_path / "large.png", plain(8193, 2, (1, 2, 3, 255)))
    with pytest.raises(StorageError, match=r"8,193 × 2; the limit is 8,192 each way\. Nothing"):
        read_layers(large, CANVAS, 16)
    with pytest.raises(LimitError, match="Nothing was added"):
        picture_layer(np.zeros((2, 8193, 4), np.uint8), "x", CANVAS)
    with pytest.raises(LimitError, match="Nothing was added"):
        picture_document(np.zeros((2, 8193, 4), np.uint8), "x", 16)
    notes = tmp_path / "notes.pdf"
    notes.write_bytes(b"%PDF-1.4")
    with pytest.raises(
        StorageError, match=r"'notes.pdf' is not a kind of file that .* reads: it is a PDF"
    ):
        read_layers(notes, CANVAS, 16)
    assert notes.read_bytes() == b"%PDF-1.4"


def test_ora_comes_in_as_layers(tmp_path: Path) -> None:
    """All layers of another file, at their places, background included; one undo step."""
    other = rich()
    save_project(other.contents, tmp_path / "other.ora")
    incoming = read_layers(tmp_path / "other.ora", CANVAS, 16)
    document = design()
    before = document.content_hash()
    count = len(document.foregrounds)
    command = AddLayers(incoming.layers)
    run(document, command)
    added = document.foregrounds[count:]
    assert [layer.name for layer in added] == [layer.name for layer in other.layers]
    assert [layer.pixel_hash for layer in added] == [layer.pixel_hash for layer in other.layers]
    assert [layer.record for layer in added] == [layer.record for layer in other.layers]
    assert [layer.id for layer in added] == command.new_ids
    assert len({layer.number for layer in document.layers}) == len(document.layers)
    assert not any(layer.is_background for layer in added)
    command.undo(document)
    assert document.content_hash() == before


def test_foreign_ora_comes_in_as_pictures(tmp_path: Path) -> None:
    stack = b'<image w="32" h="32"><stack><layer name="a" src="a.png" x="5"/></stack></image>'
    pixels = plain(8, 8, (1, 2, 3, 255))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    write_members(tmp_path / "x.ora", {"stack.xml": stack, "a.png": stream.getvalue()})
    incoming = read_layers(tmp_path / "x.ora", CANVAS, 16)
    (layer,) = incoming.layers
    assert (layer.kind, layer.rect) == ("imported", Rect(5, 0, 8, 8))
    assert incoming.messages


def test_a_picture_opens_as_a_document(tmp_path: Path) -> None:
    """A canvas of its size, rounded up to the grid; the picture as its layer."""
    path = stored(tmp_path / "photo.png", picture(70, 33))
    opened = open_as_document(path, 16)
    assert opened.contents.canvas == Size(80, 48)
    assert not opened.contents.background_on
    (layer,) = opened.contents.foregrounds
    assert (layer.rect, layer.name, layer.number) == (Rect(0, 0, 70, 33), "photo", 1)
    Document(opened.contents).content_hash()
    save_project(opened.contents, tmp_path / "photo.ora")
    assert open_as_document(tmp_path / "photo.ora", 16).is_project


def test_layers_travel_by_clipboard() -> None:
    """Everything that belongs to a layer, into another window."""
    document = rich()
    data = layers_to_bytes(document.contents, document.layers)
    found = layers_from_bytes(data)

    def facts(layer: Layer) -> tuple[object, ...]:
        return (
            layer.name,
            layer.kind,
            layer.rect,
            layer.pixel_hash,
            layer.opacity,
            layer.blend,
            layer.seed,
            layer.record,
            layer.visible,
            layer.locked,
            [(item.pixel_hash, item.record) for item in layer.candidates],
        )

    assert [facts(layer) for layer in found] == [facts(layer) for layer in document.layers]
    for bad in (b"", b"PK", data[: len(data) // 2]):
        with pytest.raises(StorageError, match="the clipboard"):
            layers_from_bytes(bad)


def test_pictures_of_the_clipboard() -> None:
    stream = io.BytesIO()
    Image.fromarray(plain(8, 4, (9, 8, 7, 128))).save(stream, "PNG")
    pixels = picture_of(stream.getvalue(), "Pasted").pixels
    layer = picture_layer(pixels, "Pasted", CANVAS, centre=(10, 20))
    assert (layer.name, layer.rect) == ("Pasted", Rect(6, 18, 8, 4))
    with pytest.raises(StorageError, match="'Pasted' is not a kind of file that Layerloom reads"):
        picture_of(b"no picture", "Pasted")


def test_boxes_of_a_layout_are_added() -> None:
    """On the present canvas, clamped, one step."""
    layout = parse_layout("[(16, 0, 40, 40), None, (64, 0, 200, 20)]", canvas=CANVAS, grid=16)
    document = design()
    count = len(document.foregrounds)
    run(document, AddLayers(layers_of_layout(layout)))
    added = document.foregrounds[count:]
    assert [layer.rect for layer in added] == [Rect(16, 0, 32, 48), Rect(64, 0, 32, 32)]
    assert [layer.kind for layer in added] == ["box", "box"]
    assert [layer.name for layer in added] == [f"Layer {layer.number}" for layer in added]
    with pytest.raises(LimitError):
        run(document, AddLayers(layers_of_layout(layout) * 100))


def test_several_files_cascade() -> None:
    assert [cascaded((10, 20), place, 16) for place in range(3)] == [(10, 20), (26, 36), (42, 52)]


@pytest.mark.parametrize("seed", range(60))
def test_damaged_pictures_come_in_or_are_refused(tmp_path: Path, seed: int) -> None:
    """Bits, cuts and swapped parts of each kind; only our own errors."""
    source = random.Random(seed)
    suffix, options = source.choice(
        [(".png", {}), (".webp", {}), (".jpg", {}), (".tif", {}), (".gif", {}), (".bmp", {})]
    )
    path = stored(tmp_path / f"a{suffix}", picture(24, 16, seed), **options)
    data = bytearray(path.read_bytes())
    for _ in range(source.randint(1, 8)):
        at = source.randrange(len(data))
        match source.randrange(3):
            case 0:
                data[at] ^= 1 << source.randrange(8)
            case 1:
                del data[at : at + source.randrange(1, 20)]
            case 2:
                data[at : at + 4] = source.randbytes(4)
        if not data:
            break
    path.write_bytes(bytes(data))
    try:
        (layer,) = read_layers(path, CANVAS, 16).layers
        assert layer.has_pixels
    except StorageError as error:
        if "Nothing was added" not in str(error):
            raise
    assert path.read_bytes() == bytes(data)
