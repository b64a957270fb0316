"""Layouts coming in as text (4.6): what is understood, what is refused whole, nothing is run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.document import Document, Rect, Size
from app.document.storage.errors import StorageError
from app.document.storage.layout import (
    Layout,
    contents_of,
    format_layout,
    parse_layout,
    read_layout,
)
from tests.app.document.examples import design

CANVAS = Size(512, 512)


def parsed(text: str, grid: int = 16) -> Layout:
    return parse_layout(text, canvas=CANVAS, grid=grid)


def boxes(layout: Layout) -> list[tuple[int, int, int, int]]:
    return [box.rect.to_box() for box in layout.boxes]


@pytest.mark.parametrize(
    "text",
    [
        "[[281, 203, 474, 397], [94, 22, 294, 406]]",
        "[(281, 203, 474, 397), (94, 22, 294, 406)]",
        "((281, 203, 474, 397), (94, 22, 294, 406),)",
        "\n [\n(281, 203, 474, 397), # a comment\n None, (94, 22, 294, 406)\n]\n",
        "[[281, 203, 474, 397], null, [94, 22, 294, 406]]",
        "[[281.0, 203.7, 473.1, 396.5], [94, 22.5, 293.9, 405.0001]]",
        '{"boxes": [[281, 203, 474, 397], {"box": [94, 22, 294, 406]}]}',
    ],
)
def test_plain_lists_go_on_the_present_canvas(text: str) -> None:
    layout = parsed(text)
    assert boxes(layout) == [(272, 192, 480, 400), (80, 16, 304, 416)]
    assert layout.canvas == CANVAS
    assert not layout.names_canvas
    assert layout.background is None


@pytest.mark.parametrize(("second", "background"), [("(0, 0, 640, 384)", True), ("None", False)])
def test_an_art_list_names_canvas_and_background(second: str, background: bool) -> None:
    """Entry 0 is the merged picture, entry 1 the background."""
    layout = parsed(f"[(0, 0, 640, 384), {second}, (600, 300, 700, 500)]")
    assert layout.canvas == Size(640, 384)
    assert layout.background is background
    assert boxes(layout) == [(592, 288, 640, 384)]  # clamped to the canvas, docs/art.md 1.3


def test_a_list_whose_second_entry_differs_has_foregrounds_only() -> None:
    layout = parsed("[(0, 0, 640, 384), (0, 0, 64, 64)]")
    assert not layout.names_canvas
    assert boxes(layout) == [(0, 0, 512, 384), (0, 0, 64, 64)]


def test_json_with_a_canvas() -> None:
    text = '{"canvas": [600, 300], "background": false, "prompt": "x", "boxes": [[0, 0, 9, 9]]}'
    layout = parsed(text, grid=32)
    assert layout.canvas == Size(608, 320)  # rounded up to the grid
    assert (layout.background, layout.prompt) == (False, "x")
    assert boxes(layout) == [(0, 0, 32, 32)]


def test_our_format_comes_back_as_it_was() -> None:
    contents = design().contents
    layout = parse_layout(format_layout(contents), canvas=CANVAS, grid=16)
    document = Document(contents_of(layout))
    assert document.canvas == contents.canvas
    assert [layer.name for layer in document.foregrounds] == ["Castle", "Été 層"]
    assert [layer.rect for layer in document.foregrounds] == [
        layer.region(16, contents.canvas) for layer in contents.foregrounds
    ]
    assert not any(layer.has_pixels for layer in document.layers)
    assert json.loads(format_layout(contents))["format"] == "layerloom-layout"


def test_names_seeds_and_defaults() -> None:
    text = (
        '{"boxes": [{"box": [0, 0, 8, 8], "name": "Castle\\u0000", "seed": 7},'
        ' [0, 0, 8, 8]], "background": false}'
    )
    contents = contents_of(parsed(text), prompt="a castle")
    assert [(layer.name, layer.seed) for layer in contents.foregrounds] == [
        ("Castle", 7),
        ("Layer 2", None),
    ]
    assert contents.prompt == "a castle"
    assert not contents.background_on


def test_an_empty_layout_is_allowed() -> None:
    """No box, one, and as many as a file holds."""
    assert boxes(parsed("[]")) == []
    assert len(parsed(str([(1, 0, 9, 9)] * 199)).boxes) == 199


def test_the_text_of_a_refused_box() -> None:
    with pytest.raises(StorageError) as caught:
        parsed("[(0, 0, 512, 512), (0, 0, 512, 512), (40, 40, 40, 90)]")
    assert str(caught.value) == (
        "Box 3 has no area, because x1 (40) is not right of x0 (40): (40, 40, 40, 90). "
        "No box was changed. Write the edges in the order left, top, right, bottom. "
        "If these are x, y, width and height, write x, y, x + width, y + height."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "neither JSON nor a list"),
        ("hello", "neither JSON nor a list"),
        ("__import__('os').getcwd()", "neither JSON nor a list"),
        ("[(0,0,9,9) for _ in 'ab']", "neither JSON nor a list"),
        ("[" * 5000, "neither JSON nor a list"),
        ("(" * 300 + ")" * 300, "neither JSON nor a list|a list of boxes"),
        ("7", "a list of boxes"),
        ('"text"', "a list of boxes"),
        ("{}", "no list of 'boxes'"),
        ('{"boxes": 3}', "no list of 'boxes'"),
        ("[(0, 0, 9)]", "Box 1 is not four numbers"),
        ("[(0, 0, 9, '9')]", "Box 1 is not four numbers"),
        ("[(0, 0, 9, True)]", "Box 1 is not four numbers"),
        ("[[0, 0, 9, NaN]]", "Box 1 is not four numbers"),
        ("[[0, 0, 9, Infinity]]", "Box 1 is not four numbers"),
        ("[(0, 0, 9, 1e999)]", "Box 1 is not four numbers"),
        ("[5]", "Box 1 is not four numbers"),
        ("[(9, 0, 0, 9)]", "Box 1 has no area, because x1"),
        ("[(600, 0, 700, 9)]", "Box 1 is outside the canvas of 512 × 512"),
        ("[(0, -50, 9, 0)]", "Box 1 is outside"),
        (str([(1, 0, 9, 9)] * 200), "200 boxes; at most 199"),
        (str([(0, 0, 9, 9)] * 202), "202 boxes; at most 201"),
        ('{"canvas": [512], "boxes": []}', "canvas must be two numbers"),
        ('{"canvas": [0, 512], "boxes": []}', "each side must be"),
        ('{"canvas": [9000, 512], "boxes": []}', "each side must be"),
        ('{"format": "other", "boxes": []}', "is no layout"),
        (
            '{"format": "layerloom-layout", "version": 2, "boxes": []}',
            r"newer Layerloom .* Update Layerloom\.",
        ),
        ('{"background": 1, "boxes": []}', "must be true or false"),
        ('{"prompt": 1, "boxes": []}', "'prompt' must be text"),
        ('{"boxes": [{"box": [0, 0, 9, 9], "seed": -1}]}', "seed of box 1"),
        ('{"boxes": [{"box": [0, 0, 9, 9], "name": 5}]}', "name of box 1"),
        ('{"boxes": [{}]}', "Box 1 has no 'box'"),
        ("1" * 2_000_000, "too long"),
    ],
)
def test_bad_layouts_are_refused_whole(text: str, message: str) -> None:
    with pytest.raises(StorageError, match=message) as caught:
        parsed(text)
    assert "No box was changed." in str(caught.value)


@settings(max_examples=60)
@given(st.text(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(
        st.sampled_from(["boxes", "box", "canvas", "seed", "name", "format", "version"]), inner
    ),
).map(lambda value: json.dumps(value)))  # fmt: skip
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        layout = parsed(text)
    except StorageError:
        return
    for box in layout.boxes:
        assert not any(edge % 16 for edge in box.rect.to_box())
        assert layout.canvas.rect.contains(box.rect)


def test_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "three.json"
    path.write_bytes(b"\xef\xbb\xbf[[0, 0, 16, 16]]")
    layout = read_layout(path, canvas=CANVAS, grid=16)
    assert layout.boxes[0].rect == Rect(0, 0, 16, 16)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(StorageError, match="not UTF-8"):
        read_layout(path, canvas=CANVAS, grid=16)
    with pytest.raises(StorageError, match="does not exist"):
        read_layout(tmp_path / "none.json", canvas=CANVAS, grid=16)
