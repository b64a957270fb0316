"""The project file: read by others, read again by us, changed by others, and damaged."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from app.document import Document, Rect, Size, new_contents
from app.document.commands import (
    MoveLayers,
    Placement,
    PlacePixels,
    SetBackground,
    SetBlend,
    SetLocked,
    SetOpacity,
    SetPrompt,
    SetSeed,
    SetVisible,
)
from app.document.contents import content_hash
from app.document.pixels import clean_rgba
from app.document.storage.errors import NewerFormatError, StorageError
from app.document.storage.ora import archive
from app.document.storage.ora.file import load_project, readable_layers, save_project
from app.document.storage.ora.project import View
from app.document.storage.png import encode_png
from tests.app.document.examples import (
    add_box,
    composite_of,
    design,
    fill,
    import_picture,
    picture,
    plain,
    run,
)

Members = dict[str, bytes]


def rich() -> Document:
    """A document that uses everything a file can hold."""
    document = design()
    castle, empty = (layer.id for layer in document.foregrounds)
    run(document, SetPrompt('a castle & "two" <dogs>\non a beach'))
    run(document, SetOpacity([castle], 0.3333))
    run(document, SetBlend([castle], "soft-light"))
    run(document, MoveLayers([castle], -20, 7))
    run(document, SetSeed(empty, 2**32 - 1))
    import_picture(document, picture(20, 10, 5), "a/b<c>")
    run(document, SetVisible([document.foregrounds[2].id], False))
    run(document, PlacePixels([Placement(-1, picture(16, 16, 6), Rect(0, 0, 16, 16), {"n": 1})]))
    run(document, SetLocked([castle], True))
    return document


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def write_members(path: Path, members: Members) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)


def saved(document: Document, folder: Path) -> Path:
    path = folder / "beach.ora"
    save_project(document.contents, path)
    return path


def changed(document: Document, folder: Path, change: Callable[[Members], None]) -> Path:
    """The saved file after another program changed it."""
    path = saved(document, folder)
    members = members_of(path)
    change(members)
    write_members(path, members)
    return path


def edit_stack(members: Members, edit: Callable[[ElementTree.Element], None]) -> None:
    root = ElementTree.fromstring(members["stack.xml"])
    edit(root)
    members["stack.xml"] = ElementTree.tostring(root)


# ---- written by us, read by others ----


def test_other_programs_can_read_it(tmp_path: Path) -> None:
    """With zipfile, ElementTree and Pillow as the other program."""
    document = rich()
    path = saved(document, tmp_path)
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        first = file.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert file.read("mimetype") == b"image/openraster"
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert all(info.filename.isascii() for info in file.infolist())
        root = ElementTree.fromstring(file.read("stack.xml"))
        assert root.tag == "image"
        assert (root.get("w"), root.get("h")) == ("96", "64")
        (stack,) = root
        assert len(stack) == len(document.layers)
        for element, layer in zip(stack, reversed(document.layers), strict=True):
            assert element.get("name") == layer.name
            assert (element.get("x"), element.get("y")) == (str(layer.rect.x), str(layer.rect.y))
            assert float(element.get("opacity", "")) == layer.opacity
            assert element.get("visibility") == ("visible" if layer.visible else "hidden")
            assert element.get("edit-locked") == ("true" if layer.locked else "false")
            image = Image.open(io.BytesIO(file.read(element.get("src", ""))))
            assert image.mode == "RGBA"
            assert image.size == (layer.rect.width, layer.rect.height)
            pixels = np.asarray(image)
            assert np.array_equal(pixels, layer.pixels) if layer.has_pixels else not pixels.any()
        operators = [element.get("composite-op") for element in stack]
        assert operators == ["svg:src-over", "svg:src-over", "svg:soft-light", "svg:src-over"]
        merged = np.asarray(Image.open(io.BytesIO(file.read("mergedimage.png"))))
        assert np.array_equal(merged, composite_of(document))
        thumbnail = Image.open(io.BytesIO(file.read("Thumbnails/thumbnail.png")))
        assert thumbnail.size == (96, 64)
        assert b"sRGB" in file.read("mergedimage.png")


def test_thumbnails_fit_and_keep_the_shape(tmp_path: Path) -> None:
    document = Document(new_contents(Size(1024, 512), 32))
    path = saved(document, tmp_path)
    data = members_of(path)["Thumbnails/thumbnail.png"]
    assert Image.open(io.BytesIO(data)).size == (256, 128)


def test_sharing_leaves_out_our_data(tmp_path: Path) -> None:
    path = tmp_path / "shared.ora"
    save_project(rich().contents, path, for_sharing=True)
    assert not any(name.startswith("layerloom/") for name in members_of(path))
    assert b"castle &" not in b"".join(members_of(path).values())
    opened = load_project(path)
    assert not opened.is_project
    assert opened.contents.prompt == ""


# ---- written by us, read by us ----


@pytest.mark.parametrize("make", [Document, design, rich])
def test_saving_loading_saving_gives_the_same_bytes(
    tmp_path: Path, make: Callable[[], Document]
) -> None:
    document = make()
    path = saved(document, tmp_path)
    opened = load_project(path)
    assert opened.messages == ()
    assert opened.is_project
    assert content_hash(opened.contents) == document.content_hash()
    save_project(opened.contents, tmp_path / "again.ora")
    assert (tmp_path / "again.ora").read_bytes() == path.read_bytes()


def test_a_background_that_is_off_keeps_its_pixels(tmp_path: Path) -> None:
    document = design()
    run(document, SetBackground(False))
    path = saved(document, tmp_path)
    assert "data/L0000.png" not in members_of(path)
    opened = load_project(path)
    assert content_hash(opened.contents) == document.content_hash()
    assert opened.contents.background.pixel_hash is not None


def test_equal_pixels_are_stored_once(tmp_path: Path) -> None:
    """Candidates that some layer shows need no blob."""
    document = design()
    castle = document.foregrounds[0]
    copy = add_box(document, castle.rect)
    assert castle.pixels is not None
    run(document, PlacePixels([Placement(copy, castle.candidates[0].pixels, castle.rect)]))
    names = members_of(saved(document, tmp_path))
    assert not any(name.startswith("layerloom/blobs/") for name in names)
    reread = load_project(tmp_path / "beach.ora").contents
    assert reread.foregrounds[2].image is reread.foregrounds[0].candidates[0].image


def test_keys_of_later_versions_are_written_back(tmp_path: Path) -> None:
    def add_key(members: Members) -> None:
        data = json.loads(members["layerloom/document.json"])
        data["later"] = {"kept": [1, 2]}
        data["settings"]["later"] = "kept"
        data["layers"][1]["later"] = 3
        members["layerloom/document.json"] = json.dumps(data).encode()

    opened = load_project(changed(design(), tmp_path, add_key))
    save_project(opened.contents, tmp_path / "again.ora")
    data = json.loads(members_of(tmp_path / "again.ora")["layerloom/document.json"])
    assert data["later"] == {"kept": [1, 2]}
    assert data["settings"]["later"] == "kept"
    assert [layer.get("later") for layer in data["layers"]] == [None, 3, None]


def test_a_view_is_kept_and_none_that_cannot_be_one(tmp_path: Path) -> None:
    """It is no part of the document, and no reason to refuse one."""
    document, path = design(), tmp_path / "beach.ora"
    view = View(zoom=1.5, centre=(-7, 30), selected=(0, 2))
    save_project(document.contents, path, view=view)
    opened = load_project(path)
    assert opened.view == view
    assert content_hash(opened.contents) == document.content_hash()
    save_project(opened.contents, tmp_path / "again.ora", view=opened.view)
    assert (tmp_path / "again.ora").read_bytes() == path.read_bytes()
    members = members_of(path)
    whole = json.loads(members["layerloom/document.json"])
    for wrong in (None, [], {}, {**whole["view"], "zoom": 0}, {**whole["view"], "centre": [1]}):
        members["layerloom/document.json"] = json.dumps({**whole, "view": wrong}).encode()
        write_members(path, members)
        opened = load_project(path)
        assert opened.view is None and opened.messages == ()
        assert content_hash(opened.contents) == document.content_hash()


def test_a_newer_format_is_refused_and_its_layers_still_open(tmp_path: Path) -> None:

    def newer(members: Members) -> None:
        data = json.loads(members["layerloom/document.json"])
        data.update(version=3, reads_from=3)
        members["layerloom/document.json"] = json.dumps(data).encode()

    path = changed(design(), tmp_path, newer)
    with pytest.raises(NewerFormatError, match=r"newer Layerloom \(format 3, this one reads up"):
        load_project(path)
    opened = readable_layers(path)
    assert [layer.name for layer in opened.contents.layers] == ["Background", "Castle", "Été 層"]
    assert opened.messages[0].startswith("Its layers opened as pictures")


def test_opening_never_writes(tmp_path: Path) -> None:
    path = saved(design(), tmp_path)
    before = (path.read_bytes(), path.stat().st_mtime_ns, sorted(tmp_path.iterdir()))
    load_project(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(tmp_path.iterdir())) == before


# ---- changed by others ----


def test_looks_of_another_program_win(tmp_path: Path) -> None:
    """Order, names, offsets, opacity, eyes; recipes and candidates stay."""

    def rework(root: ElementTree.Element) -> None:
        stack = root[0]
        top, castle = stack[0], stack[1]
        castle.set("x", "11")
        castle.set("opacity", "0.5")
        castle.set("visibility", "hidden")
        castle.set("name", "Tower")
        del castle.attrib["edit-locked"]
        stack.remove(top)
        stack.insert(1, top)

    document = design()
    was = document.foregrounds[0]
    opened = load_project(changed(document, tmp_path, lambda m: edit_stack(m, rework)))
    empty, castle = opened.contents.foregrounds
    assert (empty.name, empty.kind) == ("Été 層", "box")
    assert (castle.name, castle.rect.x, castle.opacity) == ("Tower", 11, 0.5)
    assert not castle.visible
    assert (castle.pixel_hash, castle.record) == (was.pixel_hash, was.record)
    assert len(castle.candidates) == 1
    assert "Another program saved this file" in opened.messages[0]
    assert opened.contents.background.pixel_hash == document.layers[0].pixel_hash


def test_padding_to_the_canvas_is_seen_through(tmp_path: Path) -> None:
    """Krita pads every layer to the canvas: place, pixels and recipe come back."""

    def pad(members: Members) -> None:
        def rework(root: ElementTree.Element) -> None:
            for element in root[0]:
                name = element.get("src", "")
                image = Image.open(io.BytesIO(members[name]))
                padded = Image.new("RGBA", (96, 64))
                padded.paste(image, (int(element.get("x", "0")), int(element.get("y", "0"))))
                stream = io.BytesIO()
                padded.save(stream, "PNG")
                members[name] = stream.getvalue()
                element.set("x", "0")
                element.set("y", "0")

        edit_stack(members, rework)

    document = design()
    opened = load_project(changed(document, tmp_path, pad))
    assert content_hash(opened.contents) == document.content_hash()


def test_painted_layers_keep_candidates_and_lose_the_match(tmp_path: Path) -> None:
    painted = plain(48, 32, (1, 2, 3, 255))

    def paint(members: Members) -> None:
        members["data/L0001.png"] = encode_png(painted)

    opened = load_project(changed(design(), tmp_path, paint))
    castle = opened.contents.foregrounds[0]
    assert castle.pixels is not None
    assert np.array_equal(castle.pixels, painted)
    assert castle.record == {
        "seed": 3,
        "prompt": "a castle",
        "word": "castle",
        "edited_outside": True,
    }
    assert len(castle.candidates) == 1
    assert "recipes of 1 layer no longer match" in opened.messages[0]


def test_new_and_vanished_layers(tmp_path: Path) -> None:
    """New ones are pictures; candidates of vanished ones are kept without a layer."""

    def rework(members: Members) -> None:
        members["data/new.png"] = encode_png(plain(5, 5, (1, 1, 1, 255)))

        def edit(root: ElementTree.Element) -> None:
            root[0].remove(root[0][1])
            ElementTree.SubElement(root[0], "layer", src="data/new.png", name="New", x="3", y="4")

        edit_stack(members, edit)

    opened = load_project(changed(design(), tmp_path, rework))
    # The new one is lowest, so the former background is no background any more.
    new = opened.contents.foregrounds[0]
    assert (new.name, new.kind, new.rect) == ("New", "imported", Rect(3, 4, 5, 5))
    assert len(opened.contents.detached) == 1
    assert "new" in opened.messages[0]
    numbers = [layer.number for layer in opened.contents.layers]
    assert len(set(numbers)) == len(numbers)


def test_lost_candidates_are_counted_once(tmp_path: Path) -> None:
    """A program that drops our blobs and paints: every lost candidate is told of."""

    def drop(members: Members) -> None:
        for name in [name for name in members if name.startswith("layerloom/blobs/")]:
            del members[name]
        members["data/L0002.png"] = encode_png(plain(32, 32, (1, 2, 3, 255)))

    document = design()
    fill(document, document.background_id, 30)
    opened = load_project(changed(document, tmp_path, drop))
    assert opened.messages == (
        "Another program saved this file. All layers are here; recipes of 1 layer no longer match "
        "and 2 results could not be found.",
    )
    assert opened.contents.background_on
    assert opened.contents.foregrounds[1].kind == "imported"


def test_files_of_others_open_as_pictures(tmp_path: Path) -> None:
    """Absent: trimmed, offset corrected, opaque lowest layer becomes the background."""
    opaque = plain(100, 60, (7, 7, 7, 255))
    padded = np.zeros((60, 100, 4), np.uint8)
    padded[10:20, 30:50] = (9, 9, 9, 128)
    path = tmp_path / "krita.ora"
    write_members(
        path,
        {
            "mimetype": b"image/openraster",
            "stack.xml": b"""<image w="100" h="60"><stack opacity="0.5" x="1" y="2">
                <layer name="Group child" src="a.png" x="4" y="5" opacity="0.5"
                       composite-op="krita:dissolve"/>
                </stack><stack visibility="hidden"><layer name="In hidden" src="a.png"/></stack>
                <layer name="Empty" src="e.png" x="8" y="8"/>
                <layer name="Full empty" src="f.png"/>
                <layer name="Dodge" src="a.png" composite-op="krita:linear_dodge"/>
                <layer name="Ground" src="g.png" opacity="1.00000"/></image>""",
            "a.png": encode_png(padded),
            "e.png": encode_png(np.zeros((10, 10, 4), np.uint8)),
            "f.png": encode_png(np.zeros((60, 100, 4), np.uint8)),
            "g.png": encode_png(opaque),
        },
    )
    opened = load_project(path, grid=16)
    contents = opened.contents
    assert contents.canvas == Size(112, 64)
    assert contents.background_on
    assert contents.background.rect == Rect(0, 0, 100, 60)
    assert [layer.name for layer in contents.foregrounds] == [
        "Dodge",
        "Empty",
        "In hidden",
        "Group child",
    ]
    dodge, empty, hidden, child = contents.foregrounds
    assert dodge.blend == "add"  # Krita's name for a PSD's Add
    assert (empty.kind, empty.rect) == ("box", Rect(0, 0, 32, 32))
    assert not hidden.visible
    assert (child.rect, child.opacity) == (Rect(35, 17, 20, 10), 0.25)
    assert child.blend == "krita:dissolve"
    told = " ".join(opened.messages)
    assert "'Group child' (krita:dissolve)" in told
    assert "112 × 64" in told
    save_project(contents, tmp_path / "again.ora")
    assert b'composite-op="krita:dissolve"' in members_of(tmp_path / "again.ora")["stack.xml"]


def test_a_file_without_layers_opens_its_merged_picture(tmp_path: Path) -> None:
    path = tmp_path / "flat.ora"
    stack = b'<image w="32" h="32"><stack/></image>'
    merged = encode_png(plain(32, 32, (5, 5, 5, 200)))
    write_members(path, {"stack.xml": stack, "mergedimage.png": merged})
    (layer,) = load_project(path).contents.foregrounds
    assert (layer.name, layer.rect) == ("flat", Rect(0, 0, 32, 32))


def test_two_layers_may_share_one_picture(tmp_path: Path) -> None:
    path = tmp_path / "twice.ora"
    stack = b'<image w="32" h="32"><stack><layer src="a.png"/><layer src="a.png"/></stack></image>'
    write_members(path, {"stack.xml": stack, "a.png": encode_png(picture(8, 8))})
    assert len(load_project(path).contents.foregrounds) == 2


# ---- damaged and hostile ----


def bomb(width: int, height: int) -> bytes:
    """A PNG that declares a size and has nothing behind it."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


def stack_of(count: int = 1, src: str = "a.png") -> bytes:
    layers = f'<layer src="{src}"/>' * count
    return f'<image w="32" h="32"><stack>{layers}</stack></image>'.encode()


HOSTILE: dict[str, Members] = {
    "no stack": {"a.png": b""},
    "picture missing": {"stack.xml": stack_of()},
    "not a picture": {"stack.xml": stack_of(), "a.png": b"GIF89a" + b"\0" * 50},
    "huge picture": {"stack.xml": stack_of(), "a.png": bomb(2**31, 2**31)},
    "too wide": {"stack.xml": stack_of(), "a.png": bomb(8193, 1)},
    "empty picture": {"stack.xml": stack_of(), "a.png": bomb(8, 8)},
    "too many layers": {"stack.xml": stack_of(201), "a.png": encode_png(picture(4, 4))},
    "wrong type and nothing in it": {"mimetype": b"image/png", "stack.xml": stack_of(0)},
    "no xml": {"stack.xml": b"\xff\xfe\x00"},
    "entities": {
        "stack.xml": b'<!DOCTYPE i [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
        b'<image w="9" h="9"><stack name="&b;"/></image>'
    },
    "file entity": {
        "stack.xml": b'<!DOCTYPE i [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        b'<image w="9" h="9">&a;</image>'
    },
    "deep": {"stack.xml": b'<image w="9" h="9">' + b"<stack>" * 100_000},
    "huge canvas": {"stack.xml": b'<image w="999999999" h="9"><stack/></image>'},
    "no canvas": {"stack.xml": b"<image><stack/></image>"},
    "nan offset": {
        "stack.xml": b'<image w="9" h="9"><stack><layer src="a.png" x="nan"/></stack></image>'
    },
    "endless offset": {
        "stack.xml": b'<image w="9" h="9"><stack><layer src="a.png" x="1e99"/></stack></image>'
    },
    "upwards": {"../evil": b"", "stack.xml": stack_of(0)},
    "backslashes": {"..\\evil": b"", "stack.xml": stack_of(0)},
    "drive": {"C:/evil": b"", "stack.xml": stack_of(0)},
    "json depth": {"stack.xml": stack_of(0), "layerloom/document.json": b"[" * 100_000},
    "json bytes": {"stack.xml": stack_of(0), "layerloom/document.json": b"\xff\x00"},
    "json list": {"stack.xml": stack_of(0), "layerloom/document.json": b"[]"},
}


@pytest.mark.parametrize("members", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_are_refused_with_a_sentence(tmp_path: Path, members: Members) -> None:
    path = tmp_path / "evil.ora"
    write_members(path, members)
    with pytest.raises(StorageError) as caught:
        load_project(path)
    assert "'evil.ora'" in str(caught.value)
    assert "Nothing was opened and the file is untouched." in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.ora"
    path.write_bytes(data)
    with pytest.raises(StorageError, match="damaged"):
        load_project(path)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist"):
        load_project(tmp_path / "none.ora")
    with pytest.raises(StorageError, match="there is a folder of this name"):
        load_project(tmp_path)


def test_the_message_names_the_member_and_the_backup(tmp_path: Path) -> None:
    path = changed(design(), tmp_path, lambda m: m.update({"data/L0001.png": b"broken"}))
    with pytest.raises(StorageError, match=r"'beach.ora' is damaged at 'data/L0001.png'"):
        load_project(path)
    (tmp_path / "beach.ora~").write_bytes(b"")
    with pytest.raises(StorageError, match=r"Open the backup 'beach\.ora~'"):
        load_project(path)


def test_limits_hold_before_anything_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members, unpacked bytes, and pixels that only pictures declare."""
    path = saved(design(), tmp_path)
    load_project(path)
    for name, limit in (("MAX_MEMBERS", 5), ("MAX_UNPACKED", 20_000)):
        with monkeypatch.context() as patch:
            patch.setattr(archive, name, limit)
            with pytest.raises(StorageError, match="unpacks to more than this program reads"):
                load_project(path)
    # Small when packed, small as a PNG, large as pixels.
    flat = encode_png(plain(400, 400, (1, 1, 1, 255)))
    write_members(path, {"stack.xml": stack_of(), "a.png": flat})
    monkeypatch.setattr(archive, "MAX_UNPACKED", 400 * 400 * 4 - 1)
    assert len(flat) < 10_000
    with pytest.raises(StorageError, match="unpacks to more"):
        load_project(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    """Which of them another program reads is anybody's guess."""
    path = tmp_path / "x.ora"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("stack.xml", stack_of(0))
        file.writestr("stack.xml", stack_of(0))
    with pytest.raises(StorageError, match="two members of one name"):
        load_project(path)


def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    """A zip bomb declares little and holds much: no more than declared is ever unpacked."""
    path = tmp_path / "x.ora"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("stack.xml", stack_of(0) + b" " * 2_000_000)
    data = path.read_bytes()
    size = struct.pack("<I", len(stack_of(0)) + 2_000_000)
    path.write_bytes(data.replace(size, struct.pack("<I", 1000)))
    with pytest.raises(StorageError, match=r"damaged at 'stack\.xml'"):
        load_project(path)


def mutated(data: bytes, source: random.Random) -> bytes:
    """The bytes with one of several kinds of damage."""
    kind = source.randrange(5)
    place = source.randrange(len(data))
    if kind == 0:
        return data[:place]
    if kind == 1:
        flipped = data[place] ^ (1 << source.randrange(8))
        return data[:place] + bytes([flipped]) + data[place + 1 :]
    if kind == 2:
        end = min(len(data), place + source.randrange(1, 60))
        return data[:place] + source.randbytes(end - place) + data[end:]
    if kind == 3:
        return data[:place] + data[place + source.randrange(1, 60) :]
    return data[:place] + source.randbytes(source.randrange(1, 60)) + data[place:]


def opens_or_refuses(path: Path) -> None:
    """No other end is allowed; what opens is a sound document that can be saved."""
    before = path.read_bytes()
    try:
        opened = load_project(path)
    except StorageError as error:
        assert str(error)  # noqa: PT017  # any sentence will do
    else:
        Document(opened.contents).content_hash()
        save_project(opened.contents, path.with_name("again.ora"))
    assert path.read_bytes() == before


@pytest.mark.parametrize("seed", range(8))
def test_damaged_files_open_or_are_refused(tmp_path: Path, seed: int) -> None:
    """Damage to the file as a whole."""
    source = random.Random(seed)
    data = saved(rich(), tmp_path).read_bytes()
    path = tmp_path / "x.ora"
    for _ in range(30):
        path.write_bytes(mutated(data, source))
        opens_or_refuses(path)


@pytest.mark.parametrize("seed", range(8))
def test_damaged_members_open_or_are_refused(tmp_path: Path, seed: int) -> None:
    """Damage inside valid zips, where no checksum helps."""
    source = random.Random(seed)
    members = members_of(saved(rich(), tmp_path))
    path = tmp_path / "x.ora"
    for _ in range(20):
        name = source.choice([*members, "layerloom/document.json", "stack.xml"])
        write_members(path, {**members, name: mutated(members[name], source)})
        opens_or_refuses(path)


STRANGE: list[Any] = [
    None, True, -1, 0, 1.5, 10**400, "x", "", "\ud800", [], {}, [1], {"a": 1}, [0, 0, 0, 0],
    [10**9] * 4, [[]], ["a"] * 300,
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items if isinstance(value, dict | list) else ():
        found += [(*path, key)]
        if isinstance(item, dict | list):
            found += places(item, (*path, key))
    return found


def test_every_value_of_the_json_may_be_anything(tmp_path: Path) -> None:
    """Each value is replaced by each strange one, and each key dropped."""
    source = random.Random(1)
    members = members_of(saved(rich(), tmp_path))
    whole = json.loads(members["layerloom/document.json"])
    path = tmp_path / "x.ora"
    spots = sorted(set(places(whole)), key=str)
    for spot in source.sample(spots, min(len(spots), 100)):
        data = json.loads(members["layerloom/document.json"])
        parent = data
        for key in spot[:-1]:
            parent = parent[key]
        if source.random() < 0.2:
            del parent[spot[-1]]
        else:
            parent[spot[-1]] = source.choice(STRANGE)
        write_members(path, {**members, "layerloom/document.json": json.dumps(data).encode()})
        opens_or_refuses(path)


def test_pixels_come_back_clean_from_foreign_pngs(tmp_path: Path) -> None:
    """Other programs leave colour where alpha is 0; grey and 16-bit PNGs occur too."""
    dirty = picture(8, 8)
    stream = io.BytesIO()
    Image.fromarray(dirty, "RGBA").save(stream, "PNG")
    grey = io.BytesIO()
    Image.fromarray(np.full((8, 8), 40000, np.uint16)).save(grey, "PNG")
    path = tmp_path / "x.ora"
    stack = b'<image w="32" h="32"><stack><layer src="a"/><layer src="b"/></stack></image>'
    write_members(path, {"stack.xml": stack, "a": stream.getvalue(), "b": grey.getvalue()})
    below, above = load_project(path).contents.foregrounds
    assert above.pixels is not None
    assert below.pixels is not None
    rows = np.flatnonzero(dirty[..., 3].any(axis=1))
    expected = clean_rgba(dirty[rows[0] : rows[-1] + 1])
    assert np.array_equal(above.pixels, expected)
    assert below.pixels[0, 0].tolist() == [156, 156, 156, 255]


def test_fifty_layers_with_pixels(tmp_path: Path) -> None:
    document = Document(new_contents(Size(96, 64), 16, boxes=[Rect(0, 0, 32, 32)] * 50), 16)
    for layer in document.foregrounds:
        fill(document, layer.id, layer.number)
    path = saved(document, tmp_path)
    assert content_hash(load_project(path).contents) == document.content_hash()
