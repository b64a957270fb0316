"""Layers carry their word into other programs; XMP is a packet that any parser reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage

from app.document.contents import Contents, default_name, new_contents
from app.document.geometry import Rect
from app.document.layer import Layer, new_layer_id
from app.document.pixels import Pixels
from app.document.storage.formats.html import page_of
from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.table import format_named
from app.document.storage.ora.file import load_project, save_project
from app.document.storage.recipe import xmp_of
from app.document.words import shown_name

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def layer(number: int, name: str, word: object, *, has_pixels: bool = True) -> Layer:
    pixels = np.full((32, 32, 4), 40 * number + 15, np.uint8)
    return Layer(
        id=new_layer_id(),
        number=number,
        name=name,
        rect=Rect(32 * number, 32, 32, 32),
        kind="generated" if has_pixels else "box",
        image=Pixels.of(pixels) if has_pixels else None,
        record={"word": word, "prompt": "a cat", "seed": 3} if has_pixels else None,
    )


def picture(*layers: Layer, prompt: str = "a cat") -> Contents:
    return replace(new_contents(), foregrounds=layers, prompt=prompt)


@pytest.mark.parametrize(
    ("name", "word", "called"),
    [
        (default_name(2), "cat", "cat"),
        ("", "cat", "cat"),
        ("My cat", "dog", "My cat"),
        (default_name(2), None, "Layer 2"),
        (default_name(2), "", "Layer 2"),
        (default_name(2), 7, "Layer 2"),
        (default_name(2), " fir\n tree\x00 ", "fir tree"),
        (default_name(2), "x" * 500, "x" * 200),
        (default_name(3), "cat", "Layer 3"),  # typed by the user, as it is not this layer's own
        (default_name(2), "日 & <b>", "日 & <b>"),
    ],
)
def test_what_a_layer_is_called(tmp_path: Path, name: str, word: object, called: str) -> None:
    contents = picture(layer(2, name, word))
    assert shown_name(contents.foregrounds[0]) == called
    format_named("psd").export(contents, tmp_path / "a.psd", ExportOptions())
    (made,) = [each for each in PSDImage.open(tmp_path / "a.psd") if each.name != "Background"]
    assert made.name == called
    save_project(contents, tmp_path / "a.ora", for_sharing=True)
    assert load_project(tmp_path / "a.ora").contents.foregrounds[0].name == called
    page = ElementTree.fromstring(
        page_of(contents, ExportOptions(), {each.id: "a.png" for each in contents.layers})
        .partition("<body>")[2]
        .partition("</body>")[0]
        .replace(" hidden>", ">")
        .replace('">\n</div>', '"/></div>')
    )
    assert page.find("img").get("alt") == called  # type: ignore[union-attr]


def test_boxes_without_pixels_and_the_background_keep_their_names() -> None:
    assert shown_name(layer(4, default_name(4), "cat", has_pixels=False)) == "Layer 4"
    assert shown_name(layer(0, "Background", "sky")) == "Background"


def test_a_project_that_another_program_saved_keeps_the_names_of_its_layers(
    tmp_path: Path,
) -> None:
    """The word in stack.xml is not taken for a name that somebody typed; another one is."""
    contents = picture(layer(1, default_name(1), "cat"), layer(2, default_name(2), "dog"))
    path = tmp_path / "a.ora"
    save_project(contents, path)
    with ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    stack = members["stack.xml"].decode()
    assert 'name="cat"' in stack and 'name="dog"' in stack
    for renamed, names in (("dog", ["Layer 1", "Layer 2"]), ("Rex", ["Layer 1", "Rex"])):
        members["stack.xml"] = stack.replace('name="dog"', f'name="{renamed}"').encode() + b"\n"
        with ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        opened = load_project(path).contents
        assert [each.name for each in opened.foregrounds] == names
        assert [(each.record or {})["word"] for each in opened.foregrounds] == ["cat", "dog"]


PROMPTS = [
    "a cat",
    "quotes \" and ' and ]]> and ?> and <b> & &amp;",
    "emoji 🎈 and \U0010fffd",
    "lines\nand\ttabs",
    "control \x00 \x0b \x1f and \ufffe \uffff",
    "日本語 עברית",
    "?xpacket end='w'?" * 3,
]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("with_recipe", [False, True])
def test_xmp_is_a_packet_that_a_parser_reads(
    tmp_path: Path, prompt: str, with_recipe: bool
) -> None:
    contents = picture(layer(1, default_name(1), "cat"), prompt=prompt)
    for key, name in (("webp", "a.webp"), ("jpeg", "a.jpg")):
        form = format_named(key)
        form.export(contents, tmp_path / name, ExportOptions(with_recipe=with_recipe))
        with Image.open(tmp_path / name) as image:
            data: bytes = image.info["xmp"]
        assert data.startswith(b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>')
        assert data.endswith(b'<?xpacket end="r"?>')
        (inner,) = ElementTree.fromstring(data).iter(f"{RDF}Description")
        recipes = [value for key, value in inner.items() if key.endswith("}Recipe")]
        assert len(recipes) == with_recipe
        if with_recipe:
            assert json.loads(recipes[0])["layers"][-1]["record"]["word"] == "cat"
            (said,) = inner.iter(f"{RDF}li")
            kept = "".join(each for each in prompt if each not in "\x00\x0b\x1f\ufffe\uffff")
            assert said.text == kept
            assert "🎈" not in prompt or "🎈" in kept


def test_nothing_to_say_is_no_packet() -> None:
    assert xmp_of(new_contents(), with_recipe=False) == ""
