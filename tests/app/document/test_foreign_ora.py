"""OpenRaster files as other programs spell, pack and fill them: what opens, and what is said."""

from __future__ import annotations

import io
import random
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from pyora import Project

from app.document import Rect
from app.document.composite import composite
from app.document.contents import content_hash
from app.document.storage.errors import StorageError
from app.document.storage.incoming import read_layers
from app.document.storage.ora.file import (
    is_ora,
    load_project,
    readable_layers,
    save_project,
    ways_out,
    with_recipes_of,
)
from app.document.storage.ora.foreign import (
    Opened,
)
from app.document.storage.png import is_srgb, without_srgb_profile
from tests.app.document.examples import plain
from tests.app.document.foreign_ora import (
    HEIGHT,
    WIDTH,
    Node,
    blob,
    ground_layer,
    members_of_tree,
    png_of,
    premultiplied,
    rendered,
    write_ora,
)
from tests.app.document.test_ora import bomb, members_of, rich, saved

CANVAS = Rect(0, 0, WIDTH, HEIGHT)
UNTOUCHED = "Nothing was opened and the file is untouched."
Members = dict[str, bytes]


def two() -> list[Node]:
    """A layer called "Été 1" above an opaque ground."""
    source = random.Random(4)
    return [Node("Été 1", blob(source, is_opaque=True), 4, 4), ground_layer(source)]


def shows(found: Opened, nodes: list[Node]) -> bool:
    shown = premultiplied(composite(found.contents.layers, CANVAS))
    return bool(np.abs(shown - rendered(nodes)).max() * 255 <= 1)


def with_stack(change: Callable[[str], str]) -> Members:
    members = members_of_tree(two())
    members["stack.xml"] = change(members["stack.xml"].decode()).encode()
    return members


def renamed(spell: Callable[[str], str]) -> Members:
    return {spell(name): data for name, data in members_of_tree(two()).items()}


# ---- names of members ----

SPELLINGS: dict[str, Callable[[str], str]] = {
    "absolute": lambda name: f"/{name}" if name.startswith("data") else name,
    "all absolute": lambda name: f"/{name}",
    "dot": lambda name: f"./{name}",
    "dots inside": lambda name: name.replace("/", "/./"),
    "double slashes": lambda name: name.replace("/", "//"),
    "backslash": lambda name: name.replace("/", "\\"),
    "percent": lambda name: name.replace(" ", "%20"),
    "percent with letters": lambda name: name.replace("Été 1", "%C3%89t%C3%A9%201"),
    "around a corner": lambda name: f"x/../{name}",
    "capitals": str.upper,
    "small letters": str.lower,
    "in a folder": lambda name: f"My picture/{name}",
    "in two folders": lambda name: f"a/b c/{name}",
    "in a folder, absolute": lambda name: f"/My picture/{name}",
    "in a folder, backslashes": lambda name: f"My picture\\{name}".replace("/", "\\"),
    "in a folder with capitals": lambda name: f"My picture/{name.upper()}",
    "decomposed letters": lambda name: unicodedata.normalize("NFD", name),
    "code page": lambda name: name.encode().decode("cp437"),
}


@pytest.mark.parametrize("kind", [kind for kind in SPELLINGS if "corner" not in kind])
def test_members_are_found_however_they_are_spelled(tmp_path: Path, kind: str) -> None:
    found = load_project(write_ora(tmp_path / "a.ora", renamed(SPELLINGS[kind])))
    assert shows(found, two())
    assert found.lost == ()
    assert [layer.name for layer in found.contents.layers] == ["ground", "Été 1"]


@pytest.mark.parametrize("kind", [kind for kind in SPELLINGS if "in " not in kind])
def test_layers_may_spell_them_otherwise_too(tmp_path: Path, kind: str) -> None:
    name = "data/Été 1.png"
    members = with_stack(lambda text: text.replace(name, SPELLINGS[kind](name)))
    found = load_project(write_ora(tmp_path / "a.ora", members))
    assert shows(found, two())
    assert found.lost == ()


def test_a_project_of_ours_in_a_folder_is_one(tmp_path: Path) -> None:
    """Packed again by hand, with what a Mac adds."""
    document = rich()
    members = members_of(saved(document, tmp_path))
    inside = {f"beach/{name}": data for name, data in members.items()}
    inside["__MACOSX/beach/._stack.xml"] = b"\0\5\26\7"
    found = load_project(write_ora(tmp_path / "again.ora", inside))
    assert found.is_project and found.messages == ()
    assert content_hash(found.contents) == document.content_hash()


def test_a_project_of_ours_with_a_group_of_others(tmp_path: Path) -> None:
    """Krita's user put a layer into a group: the layer is known again, the group is not kept."""
    document = rich()
    path = saved(document, tmp_path)
    members = members_of(path)
    text = members["stack.xml"].decode()
    start = text.index('<layer name="Castle"')
    end = text.index("/>", start) + 2
    castle = text[start:end].replace("svg:soft-light", "svg:src-over")
    grouped = f'<stack name="G" opacity="0.5">{castle}</stack>'
    members["stack.xml"] = (text[:start] + grouped + text[end:]).encode()
    found = load_project(write_ora(path, members))
    assert found.is_project
    was, layer = document.foregrounds[0], found.contents.foregrounds[0]
    assert (layer.pixel_hash, layer.record, len(layer.candidates)) == (
        was.pixel_hash,
        was.record,
        len(was.candidates),
    )
    assert layer.opacity == round(was.opacity / 2, 4)
    assert found.messages == (
        "Another program saved this file.",
        "1 group was taken apart into its layers, which look the same.",
    )
    assert found.lost == found.messages[1:]


def test_which_of_two_is_meant(tmp_path: Path) -> None:
    """The exact name wins; where two could be meant, neither is."""
    members = members_of_tree(two())
    other = png_of(plain(4, 4, (1, 2, 3, 255)))
    members["DATA/ground.png"] = other
    assert shows(load_project(write_ora(tmp_path / "a.ora", members)), two())
    members["Data/Ground.png"] = members.pop("data/ground.png")
    found = load_project(write_ora(tmp_path / "b.ora", members))
    assert "'ground' ('data/ground.png' is not in the file)" in found.lost[0]


def test_pyora_and_back(tmp_path: Path) -> None:
    """What pyora writes, with a group in it."""
    source = random.Random(6)
    project = Project.new(WIDTH, HEIGHT)
    nodes = [Node("in", blob(source), 3, 5), Node("red", blob(source), 8, 2), ground_layer(source)]
    for node in reversed(nodes):
        path = f"/grp/{node.name}" if node.name == "in" else f"/{node.name}"
        if node.name == "in":
            project.add_group("/grp")
        image = Image.fromarray(node.pixels, "RGBA")
        project.add_layer(image, path, offsets=(node.x, node.y))
    project.save(str(tmp_path / "theirs.ora"))
    assert any(name.startswith("/data") for name in members_of(tmp_path / "theirs.ora"))
    found = load_project(tmp_path / "theirs.ora")
    assert shows(found, nodes)
    assert [layer.name for layer in found.contents.layers] == ["ground", "red", "in"]


def test_our_project_saved_again_by_pyora(tmp_path: Path) -> None:
    """Its own data is gone, its layers are not; the backup has the rest."""
    document = rich()
    path = saved(document, tmp_path)
    save_project(document.contents, path)
    again = Project.load(str(path))
    again.save(str(path))
    found = load_project(path)
    assert not found.is_project
    assert [layer.name for layer in found.contents.layers] == [
        layer.name for layer in document.layers
    ]
    ways = ways_out(path)
    assert ways.backup is not None
    back = with_recipes_of(path, ways.backup)
    assert back.contents.prompt == document.prompt
    assert [layer.seed for layer in back.contents.layers] == [
        layer.seed for layer in document.layers
    ]


@pytest.mark.parametrize("name", ["../evil", "..\\evil", "a/../../evil", "C:/evil"])
def test_names_that_lead_out_are_still_refused(tmp_path: Path, name: str) -> None:
    members = {**members_of_tree(two()), name: b""}
    with pytest.raises(StorageError, match="is damaged at"):
        load_project(write_ora(tmp_path / "a.ora", members))


# ---- numbers and words of stack.xml ----


@pytest.mark.parametrize(
    ("text", "opacity"),
    [("0,5", 0.5), (" 0.5 ", 0.5), (".5", 0.5), (",5", 0.5), ("50%", 0.5), ("5e-1", 0.5),
     ("+0.5", 0.5), ("", 1.0), ("  ", 1.0), ("1", 1.0), ("7", 1.0), ("-1", 0.0)],
)  # fmt: skip
def test_opacity_as_it_is_written(tmp_path: Path, text: str, opacity: float) -> None:
    members = with_stack(lambda xml: xml.replace('opacity="1.0"', f'opacity="{text}"', 1))
    found = load_project(write_ora(tmp_path / "a.ora", members))
    assert found.contents.layers[-1].opacity == opacity
    assert found.lost == ()


@pytest.mark.parametrize(
    ("text", "place"), [("", 0), (" 8 ", 8), ("8,0", 8), ("8.4", 8), ("8px", 8), ("-3", -3)]
)
def test_offsets_as_they_are_written(tmp_path: Path, text: str, place: int) -> None:
    members = with_stack(lambda xml: xml.replace('x="4"', f'x="{text}"', 1))
    found = load_project(write_ora(tmp_path / "a.ora", members))
    assert found.contents.layers[-1].rect.x == place
    assert found.lost == ()


@pytest.mark.parametrize("text", ["abc", "nan", "inf", "1e999", "0x5", "1.2.3", "0,5,5", "1e7"])
@pytest.mark.parametrize("key", ["x", "y"])
def test_what_is_no_number_is_named(tmp_path: Path, key: str, text: str) -> None:
    """The attribute, the layer and what was used instead."""
    members = with_stack(lambda xml: xml.replace(f'{key}="4"', f'{key}="{text}"', 1))
    found = load_project(write_ora(tmp_path / "a.ora", members))
    assert found.lost == (
        f"'{key}' of 'Été 1' is '{text}', which is no number that can be used; 0 was used.",
    )
    assert getattr(found.contents.layers[-1].rect, key) == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (' w="32"', "", "the canvas size 'w' is missing"),
        (' h="32"', ' h=""', "the canvas size 'h' is missing"),
        (' h="32"', ' h="tall"', "the canvas size 'h' is 'tall'"),
        (' h="32"', ' h="0"', "the canvas size 'h' is '0'"),
        ("</stack>", "", "mismatched tag"),
        ("<image", "<!DOCTYPE image><image", "it declares a document type or entities"),
        ("<image", "<picture/><image", "it begins with 'picture'"),
    ],
)
def test_a_broken_stack_is_damaged_for_a_reason(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = write_ora(tmp_path / "a.ora", with_stack(lambda xml: xml.replace(old, new, 1)))
    with pytest.raises(StorageError) as caught:
        load_project(path)
    assert str(caught.value).startswith(f"'a.ora' is damaged at 'stack.xml': {said}")
    assert UNTOUCHED in str(caught.value)


def test_a_canvas_with_a_comma_opens(tmp_path: Path) -> None:
    members = with_stack(lambda xml: xml.replace('w="32" h="32"', 'w="32,0" h=" 32.0 "'))
    assert shows(load_project(write_ora(tmp_path / "a.ora", members)), two())


@pytest.mark.parametrize(
    "inside",
    [
        '<filter type="blur"><params/><stack><layer src="data/ground.png"/></stack></filter>',
        '<text x="1" y="1">hello <b>you</b></text>',
        '<annotation><layer src="data/ground.png"/></annotation>',
        "<metadata/><filter><filter><stack><stack/></stack></filter></filter>",
    ],
)
def test_other_elements_are_left_out_and_named(tmp_path: Path, inside: str) -> None:
    """Also with a stack of their own in them."""
    members = with_stack(lambda xml: xml.replace("<stack>", f"<stack>{inside}", 1))
    found = load_project(write_ora(tmp_path / "a.ora", members))
    assert shows(found, two())
    (told,) = found.lost
    assert told.startswith("Left out, because only layers are read: 1 '")
    assert told in found.messages


# ---- limits ----


@pytest.mark.parametrize("count", [201, 202, 1500])
def test_too_many_layers(tmp_path: Path, count: int) -> None:
    layers = "".join(f'<layer src="data/ground.png" name="{n}"/>' for n in range(count))
    members = with_stack(lambda xml: xml.replace("</stack>", f"{layers[: -0 or None]}</stack>"))
    with pytest.raises(StorageError) as caught:
        load_project(write_ora(tmp_path / "a.ora", members))
    assert f"'a.ora' has {count + 2:,} layers; this program opens up to 200." in str(caught.value)
    assert UNTOUCHED in str(caught.value)


@pytest.mark.parametrize(("width", "height"), [(9000, 64), (64, 8193), (999999999, 9)])
def test_too_large_a_canvas(tmp_path: Path, width: int, height: int) -> None:
    size = f'w="{width}" h="{height}"'
    members = with_stack(lambda xml: xml.replace('w="32" h="32"', size))
    with pytest.raises(StorageError) as caught:
        load_project(write_ora(tmp_path / "a.ora", members))
    assert str(caught.value).startswith(
        f"'a.ora' has a canvas of {width:,} × {height:,}; this program opens up to 8,192 each way."
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_encodings_of_the_stack(tmp_path: Path, encoding: str) -> None:
    said = encoding.removesuffix("-sig")
    head = f'<?xml version="1.0" encoding="{said}"?>'
    members = members_of_tree(two())
    members["stack.xml"] = (head + members["stack.xml"].decode()).encode(encoding)
    assert shows(load_project(write_ora(tmp_path / "a.ora", members)), two())


def test_a_prefix_for_the_namespace(tmp_path: Path) -> None:
    def prefixed(text: str) -> str:
        for tag in ("image", "stack", "layer"):
            text = text.replace(f"<{tag}", f"<ora:{tag}").replace(f"</{tag}", f"</ora:{tag}")
        return text.replace("<ora:image", '<ora:image xmlns:ora="x:y"')

    assert shows(load_project(write_ora(tmp_path / "a.ora", with_stack(prefixed))), two())


def test_too_deep_groups(tmp_path: Path) -> None:
    members = with_stack(lambda xml: xml.replace("<stack>", "<stack>" * 70, 1))
    with pytest.raises(StorageError, match="has groups nested more than 64 deep"):
        load_project(write_ora(tmp_path / "a.ora", members))


# ---- layers that are left out ----

SVG = b'<?xml version="1.0"?>\n<!-- made by hand -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'


def in_format(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, kind)
    return stream.getvalue()


ODD_LAYERS: dict[str, tuple[bytes | None, str]] = {
    "svg": (SVG, "is an SVG drawing, and only PNG is read"),
    "svg alone": (b"<svg/>", "is an SVG drawing, and only PNG is read"),
    "jpeg": (in_format("JPEG"), "is a JPEG picture, and only PNG is read"),
    "webp": (in_format("WEBP"), "is a WebP picture, and only PNG is read"),
    "gif": (in_format("GIF"), "is a GIF picture, and only PNG is read"),
    "tiff": (in_format("TIFF"), "is a TIFF picture, and only PNG is read"),
    "bmp": (in_format("BMP"), "is a BMP picture, and only PNG is read"),
    "missing": (None, "is not in the file"),
    "wide": (bomb(9000, 8), "is 9,000 × 8 pixels; the limit is 8,192 each way"),
    "huge": (bomb(2**31 - 1, 2**31 - 1), "the limit is 8,192 each way"),
}


@pytest.mark.parametrize(("data", "said"), ODD_LAYERS.values(), ids=ODD_LAYERS.keys())
def test_the_other_layers_open(tmp_path: Path, data: bytes | None, said: str) -> None:
    members = members_of_tree(two())
    del members["data/Été 1.png"]
    if data is not None:
        members["data/Été 1.png"] = data
    path = write_ora(tmp_path / "a.ora", members)
    found = load_project(path)
    assert shows(found, two()[1:])
    (told,) = found.lost
    assert told.startswith("Not read and left out: 'Été 1' ('data/Été 1.png' ") and said in told
    assert told in found.messages
    incoming = read_layers(path, found.contents.canvas, 32)
    assert [layer.name for layer in incoming.layers] == ["ground"]
    assert told in incoming.messages


@pytest.mark.parametrize("src", ["", ' src=""', ' src="  "'])
def test_a_layer_without_a_picture_is_left_out(tmp_path: Path, src: str) -> None:
    extra = f'<stack opacity="0.5"><layer name="None"{src}/></stack>'
    members = with_stack(lambda xml: xml.replace("<stack>", f"<stack>{extra}", 1))
    found = load_project(write_ora(tmp_path / "a.ora", members))
    assert shows(found, two())
    assert "Not read and left out: 'None' (the file names no picture for it)." in found.lost


def test_nothing_but_odd_layers(tmp_path: Path) -> None:
    """The merged picture opens in their place; without one, all reasons are named."""
    members = {**members_of_tree(two()), "data/Été 1.png": SVG}
    del members["data/ground.png"]
    found = load_project(write_ora(tmp_path / "a.ora", members))
    assert shows(found, two())
    assert found.lost[0].startswith("Only its merged picture could be opened.")
    del members["mergedimage.png"]
    with pytest.raises(StorageError) as caught:
        load_project(write_ora(tmp_path / "b.ora", members))
    for part in ("has no layer that can be opened", "an SVG drawing", "is not in", UNTOUCHED):
        assert part in str(caught.value)


def test_a_lost_picture_of_our_own_project_is_damage(tmp_path: Path) -> None:
    """Then the backup has more than the rest of the file."""
    path = saved(rich(), tmp_path)
    members = members_of(path)
    del members["data/L0001.png"]
    write_ora(path, members)
    said = r"is damaged at 'data/L0001\.png': it is not in the file"
    with pytest.raises(StorageError, match=said):
        load_project(path)
    assert "'Castle'" in readable_layers(path).messages[0]


def test_a_damaged_layer_is_still_damage_and_the_rest_a_copy(tmp_path: Path) -> None:
    members = members_of_tree(two())
    members["data/Été 1.png"] = members["data/Été 1.png"][:-30]
    path = write_ora(tmp_path / "a.ora", members)
    with pytest.raises(StorageError, match=r"is damaged at 'data/Été 1\.png'"):
        load_project(path)
    assert ways_out(path).layers == 1
    assert "'Été 1'" in readable_layers(path).lost[0]


# ---- what is no OpenRaster, or packed otherwise ----


@pytest.mark.parametrize(
    "kind", ["application/zip", "application/x-krita", "image/png", "a\0b", ""]
)
def test_a_foreign_type_with_the_right_layers_opens(tmp_path: Path, kind: str) -> None:
    members = {**members_of_tree(two()), "mimetype": kind.encode()}
    found = load_project(write_ora(tmp_path / "a.ora", members))
    assert shows(found, two())
    assert "has the layers of an OpenRaster file, which opened." in found.messages[0]
    assert kind == "a\0b" or kind in found.messages[0]


def test_a_type_that_cannot_be_read_does_not_matter(tmp_path: Path) -> None:
    path = write_ora(tmp_path / "a.ora", members_of_tree(two()))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"image/openraster", b"image/openrastes", 1))
    found = load_project(path)
    assert shows(found, two())
    assert "a type that cannot be read" in found.messages[0]


OTHERS: dict[str, tuple[Members | bytes, str]] = {
    "krita": (
        {"mimetype": b"application/x-krita", "maindoc.xml": b"<DOC/>"},
        "is a Krita document, not an OpenRaster file: it has no 'stack.xml'.",
    ),
    "text": (
        {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<a/>"},
        "is of the type 'application/vnd.oasis.opendocument.text', not an OpenRaster file",
    ),
    "zip": ({"a.txt": b"x"}, "is a zip archive, not an OpenRaster file: it has no 'stack.xml'."),
    "no stack": (
        {"mimetype": b"image/openraster", "data/a.png": b""},
        "is damaged at 'stack.xml': it is not in the file.",
    ),
    "png": (in_format("PNG"), "is a PNG picture, not an OpenRaster file."),
    "jpeg": (in_format("JPEG"), "is a JPEG picture, not an OpenRaster file."),
    "webp": (in_format("WEBP"), "is a WebP picture, not an OpenRaster file."),
    "psd": (b"8BPS\0\1", "is a Photoshop file, not an OpenRaster file."),
    "xcf": (b"gimp xcf v011\0", "is a GIMP file, not an OpenRaster file."),
    "svg": (SVG, "is an SVG drawing, not an OpenRaster file."),
    "pdf": (b"%PDF-1.7", "is a PDF, not an OpenRaster file."),
    "page": (b"<!DOCTYPE html><p>404", "is an XML or HTML file, not an OpenRaster file."),
}


@pytest.mark.parametrize(("content", "said"), OTHERS.values(), ids=OTHERS.keys())
def test_other_files_are_called_what_they_are(
    tmp_path: Path, content: Members | bytes, said: str
) -> None:
    path = tmp_path / "a.ora"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        write_ora(path, content)
    with pytest.raises(StorageError) as caught:
        load_project(path)
    assert f"'a.ora' {said}" in str(caught.value)
    assert UNTOUCHED in str(caught.value)


def marked(path: Path, name: str, place: int, value: int) -> None:
    """Set a 16-bit field of a member in both headers; `place` is that of the local one."""
    with zipfile.ZipFile(path) as archive:
        local = archive.getinfo(name).header_offset
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\1\2")
    while data[central + 46 : central + 46 + len(name.encode())] != name.encode():
        central = data.index(b"PK\1\2", central + 4)
    for at in (local + place, central + place + 2):
        data[at : at + 2] = struct.pack("<H", struct.unpack_from("<H", data, at)[0] | value)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("name", ["stack.xml", "data/ground.png"])
@pytest.mark.parametrize(
    ("method", "told"), [(9, "Deflate64"), (93, "Zstandard"), (98, "PPMd"), (40, "method 40")]
)
def test_other_ways_of_packing_are_named(tmp_path: Path, name: str, method: int, told: str) -> None:
    path = write_ora(tmp_path / "a.ora", members_of_tree(two()))
    marked(path, name, 8, method)
    with pytest.raises(StorageError) as caught:
        load_project(path)
    said = f"'{name}' in 'a.ora' is packed in a way this program does not read ({told})."
    assert said in str(caught.value) and UNTOUCHED in str(caught.value)
    assert (ways_out(path).layers == 1) is (name == "data/ground.png")


@pytest.mark.parametrize("name", ["stack.xml", "data/ground.png"])
@pytest.mark.parametrize(("place", "value"), [(6, 1), (8, 99)], ids=["zip", "aes"])
def test_a_password_is_named(tmp_path: Path, name: str, place: int, value: int) -> None:
    path = write_ora(tmp_path / "a.ora", members_of_tree(two()))
    marked(path, name, place, value)
    with pytest.raises(StorageError) as caught:
        load_project(path)
    assert f"'a.ora' has a password: '{name}' in it is encrypted." in str(caught.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_usual_ways_of_packing_open(tmp_path: Path, method: int) -> None:
    path = tmp_path / "a.ora"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members_of_tree(two()).items():
            archive.writestr(name, data)
    assert shows(load_project(path), two())


# ---- colour profiles ----


def profile(kind: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(kind)).tobytes()


def wide_gamut() -> bytes:
    """sRGB's profile with red and green changed over: every reader must see the difference."""
    data = bytearray(profile("sRGB"))
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


def test_a_profile_in_a_layer_counts(tmp_path: Path) -> None:
    """As in a picture that is imported."""
    node = two()[0]
    members = members_of_tree([node])
    members["data/Été 1.png"] = png_of(node.pixels, icc_profile=wide_gamut())
    found = load_project(write_ora(tmp_path / "a.ora", members))
    (tmp_path / "a.png").write_bytes(members["data/Été 1.png"])
    canvas = found.contents.canvas
    (picture,) = read_layers(tmp_path / "a.png", canvas, 32).layers
    layer = found.contents.layers[0]
    assert np.array_equal(layer.pixels, picture.pixels)
    assert np.abs(layer.pixels.astype(int) - node.pixels).max() > 40


def test_a_profile_that_is_srgb_moves_nothing(tmp_path: Path) -> None:
    """Krita writes one into every layer; our layers must be known again by their pixels."""
    document = rich()
    path = saved(document, tmp_path)
    members = members_of(path)
    for name in [name for name in members if name.startswith("data/")]:
        with Image.open(io.BytesIO(members[name])) as image:
            pixels = np.asarray(image.convert("RGBA"))
        members[name] = png_of(pixels, icc_profile=profile("sRGB"))
    found = load_project(write_ora(path, members))
    assert found.messages == ()
    assert content_hash(found.contents) == document.content_hash()


def test_which_profiles_are_srgb() -> None:
    assert is_srgb(profile("sRGB"))
    assert not is_srgb(wide_gamut())
    assert not is_srgb(profile("LAB"))
    assert not is_srgb(b"no profile")
    whole = png_of(two()[0].pixels, icc_profile=profile("sRGB"))
    assert b"iCCP" in whole and b"iCCP" not in without_srgb_profile(whole)
    for data in (b"", whole[:50], whole[:20], png_of(two()[0].pixels, icc_profile=wide_gamut())):
        assert without_srgb_profile(data) == data
    bomb = zlib.compress(b"\0" * 9_000_000)
    chunk = struct.pack(">I", len(bomb) + 3) + b"iCCPa\0\0" + bomb + b"\0\0\0\0"
    assert without_srgb_profile(whole[:33] + chunk + whole[33:])[33:41] == chunk[:8]


# ---- the backup ----


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.ora", True), ("A.ORA", True), ("a.ora~", True), ("a.Ora~", True), ("a.ora~~", False),
     ("a.png", False), ("ora", False), ("a.ora.damaged", False)],
)  # fmt: skip
def test_names_of_openraster_files(name: str, expected: bool) -> None:
    assert is_ora(Path(name)) is expected


def test_the_backup_opens_and_imports(tmp_path: Path) -> None:
    path = write_ora(tmp_path / "a.ora~", members_of_tree(two()))
    found = load_project(path)
    assert shows(found, two())
    assert len(read_layers(path, found.contents.canvas, 32).layers) == 2
