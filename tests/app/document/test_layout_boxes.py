"""Layouts as other programs write them: every form gives the same boxes, faults are named."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from app.document import Size
from app.document.storage.errors import StorageError
from app.document.storage.layout import Layout, parse_layout

CANVAS = Size(640, 384)
GRID = 32
Box = tuple[int, int, int, int]
Write = Callable[[list[Any]], str]


def parsed(text: str, canvas: Size = CANVAS, grid: int = GRID) -> Layout:
    return parse_layout(text, canvas=canvas, grid=grid)


def boxes_of(layout: Layout) -> list[Box]:
    return [box.rect.to_box() for box in layout.boxes]


def refusal(text: str, canvas: Size = CANVAS) -> str:
    with pytest.raises(StorageError) as caught:
        parsed(text, canvas)
    assert "No box was changed." in str(caught.value)
    return str(caught.value)


# ---- the forms ----


def as_objects(keys: str) -> Write:
    names = keys.split()
    return lambda boxes: json.dumps(
        {"boxes": [dict(zip(names, box, strict=True)) for box in boxes]}
    )


def planned(boxes: list[Any], whole: tuple[float, float], *, centred: bool = True) -> str:
    """As ART's planner writes: layer 0 is the whole picture, x and y are centres."""
    entries = []
    for layer, (x0, y0, x1, y1) in enumerate([(0, 0, *whole), *boxes]):
        width, height = x1 - x0, y1 - y0
        x, y = (x0 + width / 2, y0 + height / 2) if centred else (x0, y0)
        entries.append({"layer": layer, "x": x, "y": y, "width": width, "height": height})
    return json.dumps({"wholecaption": "a dog", "layout": entries[::-1]})  # by layer, not by place


FORMS: dict[str, Write] = {
    "JSON list": json.dumps,
    "Python tuples": lambda boxes: str([tuple(box) for box in boxes]),
    "list in a list": lambda boxes: str([[tuple(box) for box in boxes]]),
    "object": lambda boxes: json.dumps({"boxes": boxes}),
    "box": lambda boxes: json.dumps({"boxes": [{"box": box} for box in boxes]}),
    "x0": as_objects("x0 y0 x1 y1"),
    "x2": as_objects("x1 y1 x2 y2"),
    "left": as_objects("left top right bottom"),
    "xmin": as_objects("xmin ymin xmax ymax"),
    "null between": lambda boxes: json.dumps([each for box in boxes for each in (box, None)]),
}


def random_boxes(rng: random.Random, canvas: Size = CANVAS) -> list[Box]:
    """1 to 6 boxes that lie on the canvas at least in part, the first not at its corner."""
    found = []
    for _ in range(rng.randint(1, 6)):
        x0, y0 = rng.randrange(3, canvas.width - 20), rng.randrange(3, canvas.height - 20)
        found.append((x0, y0, x0 + rng.randrange(9, 400), y0 + rng.randrange(9, 400)))
    return found


def on_grid(box: Box, canvas: Size = CANVAS) -> Box:
    x0, y0, x1, y1 = box
    right, bottom = -(-x1 // GRID) * GRID, -(-y1 // GRID) * GRID
    return (
        x0 // GRID * GRID,
        y0 // GRID * GRID,
        min(right, canvas.width),
        min(bottom, canvas.height),
    )


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_boxes(form: str) -> None:
    for seed in range(20):
        boxes = random_boxes(random.Random(seed))
        layout = parsed(FORMS[form](boxes))
        assert boxes_of(layout) == [on_grid(box) for box in boxes], (form, seed)
        assert (layout.canvas, layout.names_canvas, layout.background) == (CANVAS, False, None)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("canvas", [Size(512, 512), Size(640, 384), Size(320, 1024)])
def test_shares_of_the_canvas_are_scaled(form: str, canvas: Size) -> None:
    """Numbers from 0 to 1 are no pixels; they never become one cell in the corner."""
    for seed in range(10):
        rng = random.Random(seed)
        pixels = [
            tuple(x * GRID for x in box)
            for box in random_boxes(
                rng, Size(canvas.width // GRID + 20, canvas.height // GRID + 20)
            )
        ]
        inside = [
            (x0, y0, min(x1, canvas.width), min(y1, canvas.height))
            for x0, y0, x1, y1 in pixels
            if x0 < canvas.width and y0 < canvas.height
        ]
        if not inside:
            continue
        shares = [
            [x0 / canvas.width, y0 / canvas.height, x1 / canvas.width, y1 / canvas.height]
            for x0, y0, x1, y1 in inside
        ]
        layout = parsed(FORMS[form](shares), canvas)
        assert boxes_of(layout) == inside, (form, seed)
        assert layout.canvas == canvas


def test_shares_with_a_canvas_of_their_own() -> None:
    boxes = [[0.25, 0.25, 0.5, 0.75], [0.5, 0, 1, 1]]
    layout = parsed(json.dumps({"canvas": [1024, 512], "boxes": boxes}))
    assert (layout.canvas, layout.names_canvas) == (Size(1024, 512), True)
    assert boxes_of(layout) == [(256, 128, 512, 384), (512, 0, 1024, 512)]
    layout = parsed(json.dumps({"canvas": [1, 1], "boxes": boxes}))
    assert (layout.canvas, layout.names_canvas) == (CANVAS, False)
    art = parsed(str([(0, 0, 1, 1), (0, 0, 1, 1), *boxes]))
    assert (art.canvas, art.names_canvas, art.background) == (CANVAS, False, True)
    assert boxes_of(art) == boxes_of(layout)
    assert parsed(str([(0, 0, 1, 1), None, *boxes])).background is False


def test_a_sample_of_art() -> None:
    """A Python literal with `layout` and `wholecaption`; merged picture, then background."""
    sample: dict[str, Any] = {
        "index": "reso512_7",
        "wholecaption": "A picnic card: a red balloon and a dog on a meadow.",
        "layout": [(0, 0, 512, 512), (0, 0, 512, 512), (0, 0, 512, 352), (144, 384, 368, 448)],
    }
    for text in (str(sample), json.dumps(sample), str([sample]), f"\n\n  {sample}\n"):
        layout = parsed(text)
        assert (layout.canvas, layout.names_canvas) == (Size(512, 512), True)
        assert layout.background is True
        assert boxes_of(layout) == [(0, 0, 512, 352), (128, 384, 384, 448)]
        assert layout.prompt == sample["wholecaption"]
    sample["layout"][1] = None
    assert parsed(str(sample)).background is False
    assert "2 layouts" in refusal(str([sample, sample]))


@pytest.mark.parametrize("centred", [True, False])
def test_the_output_of_a_planner(centred: bool) -> None:
    """Layer 0 shows whether x and y are the centre, as ART's planner writes, or the corner."""
    for seed in range(20):
        boxes = random_boxes(random.Random(seed))
        layout = parsed(planned(boxes, (640, 384), centred=centred), Size(512, 512))
        assert boxes_of(layout) == [on_grid(box) for box in boxes]
        assert (layout.canvas, layout.background) == (CANVAS, True)
        assert layout.prompt == "a dog"
    shares = [(0.25, 0.25, 0.5, 0.75)]
    layout = parsed(planned(shares, (1, 1), centred=centred), Size(512, 512))
    assert (layout.canvas, layout.names_canvas) == (Size(512, 512), False)
    assert boxes_of(layout) == [(128, 128, 256, 384)]


def test_several_layouts_are_not_one() -> None:
    first, second = [(8, 8, 90, 90), (3, 3, 90, 90)], [(1, 1, 50, 50)]
    assert "The text has 2 layouts" in refusal(str([first, second]))
    assert "The text has 3 layouts" in refusal(json.dumps([{"boxes": first}] * 3))
    assert boxes_of(parsed(str([first]))) == boxes_of(parsed(str(first)))


def test_half_a_character_is_no_crash() -> None:
    layout = parsed(
        '{"boxes": [{"box": [0, 0, 9, 9], "name": "\\ud83d"}], "prompt": "a \\ud800 dog"}'
    )
    assert layout.prompt == "a ? dog"
    layout.boxes[0].name.encode()


# ---- the faults ----


def spoilt(boxes: list[Box], place: int, box: Any) -> list[Any]:
    return [*boxes[:place], box, *boxes[place:]]


FAULTS: dict[str, tuple[Callable[[random.Random], Any], str]] = {
    "swapped in x": (lambda rng: (rng.randint(200, 400), 10, rng.randint(10, 200), 90), "x1 ("),
    "swapped in y": (lambda rng: (10, rng.randint(200, 300), 90, rng.randint(10, 200)), "y1 ("),
    "no width": (lambda rng: (40, 40, 40, 90), "x1 (40) is not right of x0 (40)"),
    "right of it": (lambda rng: (640 + rng.randrange(99), 0, 999, 90), "canvas of 640 ×"),
    "below it": (lambda rng: (0, 384 + rng.randrange(99), 90, 999), "outside the canvas"),
    "left of it": (lambda rng: (-90, 0, -rng.randrange(90), 90), "outside the canvas"),
    "above it": (lambda rng: (0, -90, 90, -rng.randrange(90)), "outside the canvas"),
    "three": (lambda rng: (1, 2, 3), "is not four numbers"),
    "text": (lambda rng: (0, 0, "90", 90), "is not four numbers"),
    "far": (lambda rng: (0, 0, 10 ** rng.randint(10, 40), 90), "has a number beyond 1,000,000,000"),
    "share": (lambda rng: (0.1, 0.1, 0.5, 0.5), "numbers from 0 to 1, other boxes have pixels"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("form", ["JSON list", "Python tuples", "object", "box"])
def test_the_message_names_box_and_fault(fault: str, form: str) -> None:
    make, text = FAULTS[fault]
    for seed in range(6):
        rng = random.Random(seed)
        boxes = random_boxes(rng)
        place = rng.randint(0, len(boxes))
        message = refusal(FORMS[form](spoilt(boxes, place, make(rng))))
        assert message.startswith(f"Box {place + 1} "), message
        assert text in message
        assert "empty after rounding" not in message


def test_sizes_in_place_of_edges_are_explained() -> None:
    message = refusal("[[300, 200, 100, 120], [32, 32, 160, 160]]")
    assert "If these are x, y, width and height, write x, y, x + width, y + height." in message
    assert "width and height" not in refusal("[[300, 200, 100, 120], [500, 32, 600, 160]]")


@pytest.mark.parametrize(
    ("entry", "texts"),
    [
        ({"bbox": [32, 32, 192, 192], "label": "dog"}, ["no 'box', only 'bbox', 'label'"]),
        ({"rect": [0, 0, 9, 9]}, ["no 'box', only 'rect'"]),
        ({"x": 1, "y": 2, "width": 30, "height": 40}, ["corner or its centre", '"box": [x0, y0']),
        ({}, ["no 'box', only nothing"]),
    ],
)  # fmt: skip
def test_other_keys_are_named(entry: dict[str, Any], texts: list[str]) -> None:
    for text in (json.dumps({"boxes": [[0, 0, 99, 99], entry]}), str([(0, 0, 99, 99), entry])):
        message = refusal(text)
        assert message.startswith("Box 2 has")
        assert all(text in message for text in texts), message
        assert "None" not in message


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{\n  // the canvas\n  "boxes": []\n}', "line 2, column 3: JSON allows no comments"),
        ('{"boxes": [[1, 2, 3, 4] /* dog */]}', "line 1, column 25: JSON allows no comments"),
        ('{"boxes": [[1, 2, 3, 4]]', "line 1, column 25: expecting ',' delimiter"),
        ('{\n"boxes" [[1, 2, 3, 4]]}', "line 2, column 9: expecting ':' delimiter"),
        ("{\n\n boxes: [[1, 2, 3, 4]]}", "line 3, column 2"),
        ("[\n (1, 2, 3, 4),\n (1, 2 3, 4),\n]", "line 3, column 6"),
        ("\n\n  [(1, 2 3, 4)]", "line 3, column 8"),
        ("   [(1, 2 3, 4)]", "line 1, column 9"),
    ],
)
def test_syntax_errors_say_line_and_column(text: str, place: str) -> None:
    message = refusal(text)
    assert "neither JSON nor a list of boxes" in message
    assert place in message, message


@pytest.mark.parametrize(
    "canvas", ["[99999999999, 512]", "[1e300, 512]", "[0, 512]", "[-5, 512]", "[8193, 9]",
               "[0.5, 512]", "[NaN, 512]", "[Infinity, 512]"],
)  # fmt: skip
def test_a_canvas_without_limits(canvas: str) -> None:
    message = refusal(f'{{"canvas": {canvas}, "boxes": [[0, 0, 99, 99]]}}')
    assert "each side must be 1 to 8,192" in message


def test_numbers_of_thousands_of_digits() -> None:
    huge = "0x" + "f" * 6000
    assert "beyond" in refusal(f"[(0, 0, {huge}, 9)]")
    assert "each side must be" in refusal(f"{{'canvas': ({huge}, 9), 'boxes': []}}")
    refusal("[[0, 0, 9, " + "9" * 6000 + "]]")


def test_versions() -> None:
    message = refusal('{"format": "layerloom-layout", "version": 7, "boxes": []}')
    assert message.endswith("Update Layerloom.")
    assert "'version' must be a whole number" in refusal('{"version": "7", "boxes": []}')


def test_what_has_no_boxes_says_what_it_has() -> None:
    assert "no list of 'boxes'; it has 'boxs', 'canvas'" in refusal(
        '{"boxs": [], "canvas": [512, 512]}'
    )
    assert "what is there is no list" in refusal('{"layout": "dog"}')
