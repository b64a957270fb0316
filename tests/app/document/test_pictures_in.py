"""Pictures of other programs come in as their authors saw them, whatever depth or tags they have.

Files are made here by independent writers (tifffile, Pillow, chunks by hand), so that members of a
kind that no report names are tried too.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from app.document.storage.errors import StorageError
from app.document.storage.pictures import Picture, picture_of

SIDE = 12
SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
PNG_KINDS = [
    *((GREY, depth) for depth in (1, 2, 4, 8, 16)),
    *((RGB, depth) for depth in (8, 16)),
    *((PALETTE, depth) for depth in (1, 2, 4, 8)),
    *((kind, depth) for kind in (GREY_ALPHA, RGBA) for depth in (8, 16)),
]
TURNED = np.s_[::-1, :]  # where orientation 4 puts the rows


def chunk(kind: bytes, data: bytes, *, broken: bool = False) -> bytes:
    check = zlib.crc32(kind + data) ^ (0xFF if broken else 0)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def png(kind: int, depth: int, values: np.ndarray, *extra: bytes) -> bytes:
    """(h, w, channels) whole numbers of `depth` bits; `extra` chunks stand before the pixels."""
    height, width = values.shape[:2]
    if depth == 16:
        rows = [row.astype(">u2").tobytes() for row in values]
    elif depth == 8:
        rows = [row.astype(np.uint8).tobytes() for row in values]
    else:
        bits = (values[..., 0, None] >> np.arange(depth - 1, -1, -1)) & 1
        rows = [np.packbits(row.reshape(-1).astype(np.uint8)).tobytes() for row in bits]
    packed = zlib.compress(b"".join(b"\0" + row for row in rows))
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    parts = (chunk(b"IHDR", head), *extra, chunk(b"IDAT", packed), chunk(b"IEND", b""))
    return SIGNATURE + b"".join(parts)


def ramp(kind: int, depth: int) -> np.ndarray:
    """(SIDE, SIDE, channels) values over the whole range of the depth."""
    highest = (1 << depth) - 1
    count = SIDE * SIDE * CHANNELS[kind]
    values = np.linspace(0, highest, count).round().astype(np.int64)
    return np.random.default_rng(3).permutation(values).reshape(SIDE, SIDE, CHANNELS[kind])


def colour_table(depth: int) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (1 << depth, 3))


def seen(kind: int, depth: int, values: np.ndarray) -> np.ndarray:
    """What `ramp` looks like: (h, w, 4) uint8 by the PNG specification."""
    shades = np.rint(values * (255 / ((1 << depth) - 1))).astype(np.uint8)
    alpha = np.full((SIDE, SIDE, 1), 255, np.uint8)
    if kind == PALETTE:
        return np.dstack([colour_table(depth)[values[..., 0]].astype(np.uint8), alpha])
    if kind in (GREY_ALPHA, RGBA):
        shades, alpha = shades[..., :-1], shades[..., -1:]
    colour = np.broadcast_to(shades, (SIDE, SIDE, 3)) if shades.shape[2] == 1 else shades
    return np.where(alpha > 0, np.dstack([colour, alpha]), 0).astype(np.uint8)


def table_chunk(kind: int, depth: int) -> tuple[bytes, ...]:
    if kind != PALETTE:
        return ()
    return (chunk(b"PLTE", colour_table(depth).astype(np.uint8).tobytes()),)


def read(data: bytes, name: str = "in.png") -> Picture:
    return picture_of(data, name)


def is_near(pixels: np.ndarray, expected: np.ndarray, within: int = 1) -> bool:
    return int(np.abs(pixels.astype(int) - expected.astype(int)).max()) <= within


# ---- PNG ----


@pytest.mark.parametrize(("kind", "depth"), PNG_KINDS)
def test_every_png_kind_has_its_colours(kind: int, depth: int) -> None:
    values = ramp(kind, depth)
    found = read(png(kind, depth, values, *table_chunk(kind, depth))).pixels
    assert is_near(found, seen(kind, depth, values))


@pytest.mark.parametrize(
    ("kind", "depth"), [each for each in PNG_KINDS if each[0] in (GREY, RGB, PALETTE)]
)
def test_the_transparent_colour_is_transparent_in_every_depth(kind: int, depth: int) -> None:
    values = ramp(kind, depth)
    key = values[5, 7]
    if kind == PALETTE:
        alphas = np.full(1 << depth, 255, np.uint8)
        alphas[key[0]] = 0
        mark = alphas.tobytes()
    else:
        mark = key.astype(">u2").tobytes()
    found = read(png(kind, depth, values, *table_chunk(kind, depth), chunk(b"tRNS", mark))).pixels
    expected = seen(kind, depth, values)
    expected[(values == key).all(axis=2)] = 0
    assert is_near(found, expected)
    assert found[5, 7, 3] == 0


def icc(kind: str) -> bytes:
    """A profile: "grey" of gamma 1, made by hand, or one of Pillow's own."""
    if kind != "grey":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile(kind)).tobytes()  # type: ignore[arg-type]
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, 256) + bytes(2)  # gamma 1.0
    white = b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061)
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"grey\0" + bytes(78)
    text += bytes(-len(text) % 4)
    tags = [(b"desc", text), (b"wtpt", white), (b"kTRC", curve)]
    start, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags:
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    size = start + len(body)
    head = struct.pack(">I", size) + bytes(4) + bytes((2, 0x40, 0, 0)) + b"mntrGRAYXYZ "
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


@pytest.mark.parametrize("kind", [GREY, GREY_ALPHA])
@pytest.mark.parametrize("depth", [8, 16])
def test_profiles_of_grey_count_with_and_without_alpha(kind: int, depth: int) -> None:
    """Linear grey of one half is 188 in sRGB."""
    highest = (1 << depth) - 1
    values = np.full((SIDE, SIDE, CHANNELS[kind]), highest)
    values[..., 0] = highest // 2
    profile = chunk(b"iCCP", b"grey\0\0" + zlib.compress(icc("grey")))
    found = read(png(kind, depth, values, profile)).pixels
    assert is_near(found, np.array([188, 188, 188, 255]), within=2)


ODD_CHUNKS = {
    "profile, checksum": chunk(b"iCCP", b"a\0\0" + zlib.compress(icc("sRGB")), broken=True),
    "text, checksum": chunk(b"tEXt", b"Comment\0hello", broken=True),
    "own, checksum": chunk(b"prVt", b"123", broken=True),
    "gamma of two bytes": chunk(b"gAMA", b"\0\1"),
    "time of three bytes": chunk(b"tIME", b"\0\1\2"),
    "profile without data": chunk(b"iCCP", b"a\0\0"),
    "profile, no profile": chunk(b"iCCP", b"a\0\0" + zlib.compress(b"no profile" * 40)),
    "profile bomb": chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(1 << 26))),
    "text bomb": chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 26))),
    "text, wrong method": chunk(b"zTXt", b"a\0\7xyz"),
    "large text": chunk(b"tEXt", b"a\0" + b"x" * (1 << 21)),
    "damaged EXIF": chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff"),
}


@pytest.mark.parametrize("name", ODD_CHUNKS)
@pytest.mark.parametrize("kind", [RGB, GREY_ALPHA])
def test_metadata_makes_no_picture_unreadable(name: str, kind: int) -> None:
    values = ramp(kind, 8)
    found = read(png(kind, 8, values, ODD_CHUNKS[name])).pixels
    assert is_near(found, seen(kind, 8, values))


def test_a_wrong_checksum_of_the_pixels_is_damage() -> None:
    data = png(RGB, 8, ramp(RGB, 8))
    at = data.index(b"IDAT") + 8
    with pytest.raises(StorageError, match="damaged"):
        read(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])


# ---- TIFF ----


def tiff(values: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def units(channels: int) -> np.ndarray:
    """(SIDE, SIDE, channels) from 0 to 1."""
    count = SIDE * SIDE * channels
    values = np.random.default_rng(5).permutation(np.linspace(0, 1, count))
    return values.reshape(SIDE, SIDE, channels)


def shown(unit: np.ndarray) -> np.ndarray:
    """(h, w, 1 or 3) from 0 to 1 as opaque RGBA."""
    colour = np.broadcast_to(np.rint(unit * 255), (*unit.shape[:2], 3))
    return np.dstack([colour, np.full(unit.shape[:2], 255)]).astype(np.uint8)


DTYPES = ("uint8", "uint16", "uint32", "float16", "float32", "float64")


def as_dtype(unit: np.ndarray, dtype: str) -> np.ndarray:
    if dtype.startswith("f"):
        return unit.astype(dtype)
    return np.rint(unit * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_tiffs_of_every_depth_keep_their_range(dtype: str, channels: int) -> None:
    unit = units(channels)
    photometric = "minisblack" if channels == 1 else "rgb"
    for order in "<>":
        data = tiff(as_dtype(unit, dtype), photometric=photometric, byteorder=order)
        assert is_near(read(data, "in.tif").pixels, shown(unit))


@pytest.mark.parametrize(
    ("dtype", "options"),
    [
        (dtype, options)
        for dtype in ("uint16", "float32")
        for options in (
            {"compression": "zlib"},
            {"compression": "zlib", "predictor": True},
            {"compression": "lzw"},
            {"tile": (16, 16)},
            {"rowsperstrip": 5},
            {"bigtiff": True},
        )
    ],
)
def test_tiffs_open_however_they_are_packed(dtype: str, options: dict[str, object]) -> None:
    unit = units(3)
    data = tiff(as_dtype(unit, dtype), photometric="rgb", **options)
    assert is_near(read(data, "in.tif").pixels, shown(unit))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_tiffs_with_a_plane_for_each_channel_open(dtype: str) -> None:
    unit = units(3)
    planes = np.ascontiguousarray(np.moveaxis(as_dtype(unit, dtype), 2, 0))
    data = tiff(planes, photometric="rgb", planarconfig="separate")
    assert is_near(read(data, "in.tif").pixels, shown(unit))


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_tiffs_of_odd_bits_keep_their_range(bits: int) -> None:
    """Rows of packed bits, written by hand: tifffile writes whole bytes only."""
    unit = units(1)
    values = np.rint(unit[..., 0] * ((1 << bits) - 1)).astype(np.int64)
    planes = ((values[..., None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8)
    rows = b"".join(np.packbits(row.reshape(-1)).tobytes() for row in planes)
    entries = [
        (256, 3, 1, SIDE), (257, 3, 1, SIDE), (258, 3, 1, bits), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 8), (277, 3, 1, 1), (278, 3, 1, SIDE), (279, 4, 1, len(rows)),
    ]  # fmt: skip
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    padded = rows + bytes(len(rows) % 2)
    data = b"II*\0" + struct.pack("<I", 8 + len(padded)) + padded
    data += struct.pack("<H", len(entries)) + table + bytes(4)
    assert is_near(read(data, "in.tif").pixels, shown(unit))


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "float32"])
@pytest.mark.parametrize("kind", ["assocalpha", "unassalpha"])
@pytest.mark.parametrize("channels", [1, 3])
def test_alpha_of_deep_tiffs_is_straight_or_divided_out(
    dtype: str, kind: str, channels: int
) -> None:
    unit = units(channels)
    alpha = 0.2 + 0.8 * units(1)
    stored = unit * alpha if kind == "assocalpha" else unit
    data = tiff(
        as_dtype(np.dstack([stored, alpha]), dtype),
        photometric="minisblack" if channels == 1 else "rgb",
        planarconfig="contig",
        extrasamples=[kind],
    )
    expected = shown(unit)
    expected[..., 3] = np.rint(alpha[..., 0] * 255)
    assert is_near(read(data, "in.tif").pixels, expected, within=3)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_palettes_of_tiffs_give_their_colours(dtype: str) -> None:
    highest = int(np.iinfo(dtype).max)
    index = np.random.default_rng(6).integers(0, highest + 1, (SIDE, SIDE)).astype(dtype)
    table = np.random.default_rng(7).integers(0, 65536, (3, highest + 1)).astype(np.uint16)
    data = tiff(index, photometric="palette", colormap=table)
    unit = np.moveaxis(table[:, index], 0, 2) / 65535
    assert is_near(read(data, "in.tif").pixels, shown(unit))


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_lab_of_deep_tiffs_gives_its_colours(dtype: str) -> None:
    """CIELAB (D50) and what sRGB calls it; 8 bits of a* and b* move a dark channel by up to 24."""
    named = {(54.29, 80.80, 69.89): (255, 0, 0), (29.57, 68.30, -112.03): (0, 0, 255)}
    named |= {(100.0, 0.0, 0.0): (255, 255, 255), (0.0, 0.0, 0.0): (0, 0, 0)}
    named |= {(53.39, 0.0, 0.0): (127, 127, 127)}
    for lab, rgb in named.items():
        pixels = np.tile(np.array(lab), (SIDE, SIDE, 1))
        if dtype == "uint16":
            light = np.rint(pixels[..., :1] * 655.35).astype(np.uint16)
            colour = np.rint(pixels[..., 1:] * 256).astype(np.int16).view(np.uint16)
            pixels = np.dstack([light, colour])
        data = tiff(pixels.astype(dtype), photometric="cielab")
        found = read(data, "in.tif").pixels
        assert is_near(found[..., :3], np.array(rgb), within=24 if lab[1] else 2), found[0, 0]


def test_further_pages_and_values_above_white_are_mentioned() -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        for _ in range(2):
            writer.write(as_dtype(units(3), "uint16"), photometric="rgb")
    assert any("more than one page" in note for note in read(stream.getvalue(), "in.tif").notes)
    bright = units(3).astype(np.float32)
    bright[0, 0] = 1.5
    notes = read(tiff(bright, photometric="rgb"), "in.tif").notes
    assert notes == ("'in.tif': it has values above white, and they were cut.",)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_damaged_tiffs_are_refused_with_their_name(dtype: str) -> None:
    whole = tiff(as_dtype(units(3), dtype), photometric="rgb", compression="zlib")
    for end in (9, len(whole) // 3, len(whole) - 40):
        with pytest.raises(StorageError, match=r"'in\.tif'"):
            read(whole[:end], "in.tif")


# ---- JPEG, BMP and the rest ----


def jpeg(exif: bytes) -> bytes:
    picture = Image.fromarray(np.full((16, 24, 3), 90, np.uint8))
    picture.paste((250, 250, 250), (0, 0, 24, 8))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=95, exif=b"Exif\0\0" + exif)
    return stream.getvalue()


def exif_of(entries: list[tuple[int, int, int, bytes]], tail: bytes = b"") -> bytes:
    """Big-endian; (tag, type, count, four bytes of value or offset)."""
    body = b"".join(struct.pack(">HHI", *entry[:3]) + entry[3] for entry in entries)
    return b"MM\0*\0\0\0\x08" + struct.pack(">H", len(entries)) + body + bytes(4) + tail


def odd_exifs() -> Iterator[tuple[str, bytes]]:
    upside_down = (274, 3, 1, b"\0\x03\0\0")
    far = struct.pack(">I", 60_000)
    yield "unknown type", exif_of([upside_down, (282, 99, 1, far)])
    yield "offset behind the end", exif_of([upside_down, (271, 2, 400, far)])
    yield "count of billions", exif_of([upside_down, (282, 5, 2**31, far)])
    yield "resolution of zero", exif_of([upside_down, (282, 5, 1, far)], bytes(8))
    yield "text as a number", exif_of([upside_down, (296, 2, 1, b"a\0\0\0")])
    yield "sub-directory of itself", exif_of([upside_down, (34665, 4, 1, struct.pack(">I", 8))])
    yield "orientation as a long", exif_of([(274, 4, 1, struct.pack(">I", 3))])


@pytest.mark.parametrize(("name", "exif"), list(odd_exifs()), ids=lambda each: str(each)[:24])
def test_odd_tags_cost_no_photo_and_no_turn(name: str, exif: bytes) -> None:
    found = read(jpeg(exif), "in.jpg").pixels
    assert found.shape == (16, 24, 4), name
    assert found[12, 4, 0] > 200 > found[3, 4, 0], "turned by half"


def bmp(bits: int, masks: tuple[int, ...], pixel: bytes) -> bytes:
    """Version 4 or 5 header with channel masks; every pixel is `pixel`."""
    rows = b"".join(pixel * SIDE + bytes(-len(pixel) * SIDE % 4) for _ in range(SIDE))
    head = struct.pack("<IiiHHIIiiII", 108, SIDE, SIDE, 1, bits, 3, len(rows), 2835, 2835, 0, 0)
    head += struct.pack("<4I", *masks) + b"BGRs" + bytes(36 + 12)
    return b"BM" + struct.pack("<IHHI", 14 + 108 + len(rows), 0, 0, 14 + 108) + head + rows


def test_alpha_of_zero_everywhere_in_a_bmp_is_opaque() -> None:
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    found = read(bmp(32, masks, bytes((10, 20, 30, 0))), "in.bmp").pixels
    assert is_near(found, np.array([30, 20, 10, 255]))


@pytest.mark.parametrize(
    "masks",
    [
        (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
        (0xFF00, 0xFF, 0xFF0000, 0xFF000000),
        (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000),
    ],
)
def test_bmps_of_odd_masks_open_or_are_called_unsupported(masks: tuple[int, ...]) -> None:
    data = bmp(32, masks, bytes((10, 20, 30, 255)))
    value = int.from_bytes(bytes((10, 20, 30, 255)), "little")
    expected = np.rint(np.array([(value & mask) / mask * 255 for mask in masks]))
    found = pixels_or_refusal(data, "in.bmp")
    if isinstance(found, str):
        assert "not supported" in found
    else:
        assert is_near(found[0, 0], expected)


def pixels_or_refusal(data: bytes, name: str) -> np.ndarray | str:
    try:
        return read(data, name).pixels
    except StorageError as error:
        return str(error)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"8BPS\0\1" + bytes(40), "a Photoshop file"),
        (b"gimp xcf v011" + bytes(40), "a GIMP file"),
        (b"%PDF-1.7\n" + bytes(40), "a PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"\xff\x0a" + bytes(40), "a JPEG XL picture"),
    ],
)
def test_refusals_name_the_kind_that_was_found(head: bytes, kind: str) -> None:
    with pytest.raises(StorageError) as caught:
        read(head, "in.png")
    assert kind in str(caught.value)
    assert "'in.png'" in str(caught.value)
    assert "PNG, WebP, JPEG" in str(caught.value)
