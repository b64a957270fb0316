"""Groups and masks of other programs look as their author saw them."""

from __future__ import annotations

import random
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyora import Project

from app.document.composite import composite
from app.document.contents import content_hash
from app.document.geometry import Rect
from app.document.storage.ora.file import load_project, save_project
from app.document.storage.ora.foreign import Opened
from tests.app.document.foreign_ora import (
    BLENDING,
    HEIGHT,
    MASKS,
    WIDTH,
    Node,
    blob,
    ground_layer,
    members_of_tree,
    premultiplied,
    rendered,
    stack_xml,
    tree,
    write_ora,
)

CANVAS = Rect(0, 0, WIDTH, HEIGHT)


def opened(folder: Path, nodes: list[Node]) -> Opened:
    return load_project(write_ora(folder / "theirs.ora", members_of_tree(nodes)))


def off(found: Opened, nodes: list[Node]) -> float:
    """By how much the picture is off at most, of 255."""
    shown = premultiplied(composite(found.contents.layers, CANVAS))
    return float(np.abs(shown - rendered(nodes)).max() * 255)


def names(found: Opened) -> list[str]:
    return [layer.name for layer in found.contents.layers]


def three(top: Node) -> list[Node]:
    """A layer or group above two others that overlap it."""
    source = random.Random(7)
    return [top, Node("middle", blob(source), 4, 4), ground_layer(source)]


def group(count: int = 2, **looks: Any) -> Node:
    """A group of layers in one place."""
    source = random.Random(3)
    children = [Node(f"child {n}", blob(source), 3, 3) for n in range(count)]
    return Node("The group", children=children, **looks)


# ---- as their author saw them ----


@pytest.mark.parametrize("op", ["src-over", *BLENDING, *MASKS])
def test_trees_with_one_operator(tmp_path: Path, op: str) -> None:
    source = random.Random(op)
    for number in range(4):
        nodes = tree(source, (op,))
        nodes += [ground_layer(source)] * (number % 2)
        assert off(opened(tmp_path, nodes), nodes) <= 1.5


@pytest.mark.parametrize("seed", range(24))
def test_trees_with_all_operators(tmp_path: Path, seed: int) -> None:
    """Groups in groups, isolated or not, hidden ones, masks, all modes, all opacities."""
    source = random.Random(seed)
    nodes = tree(source, (*BLENDING, *MASKS), depth=4)
    nodes += [ground_layer(source)] * (seed % 2)
    assert off(opened(tmp_path, nodes), nodes) <= 1.5


@pytest.mark.parametrize("op", ["src-over", "multiply", "screen", "hue", "dst-out"])
def test_our_reference_agrees_with_pyora(tmp_path: Path, op: str) -> None:
    """So that the renderer of the tests is not wrong in the same way as ours."""
    nodes = three(group(op=op, isolation="isolate"))
    path = write_ora(tmp_path / "theirs.ora", members_of_tree(nodes))
    theirs = premultiplied(np.asarray(Project.load(path).get_image_data(use_original=False)))
    # It weighs luminosity by other numbers.
    assert np.abs(theirs - rendered(nodes)).max() * 255 <= (8 if op == "hue" else 1)


def test_a_tree_is_not_one_tile(tmp_path: Path) -> None:
    """Large pictures are painted in parts: the edges between them do not show."""
    source = random.Random(1)
    rng = np.random.default_rng(1)
    wide = rng.integers(0, 256, (300, 600, 4), dtype=np.uint8)
    nodes = [group(opacity=0.5), Node("mask", blob(source), 270, 250, op="dst-out")]
    nodes[0].children.append(Node("wide", wide, -20, -10))
    nodes += [Node("below", wide[::-1].copy(), 5, 5)]
    image = f'<image w="512" h="288">{stack_xml(nodes).decode().split(">", 1)[1]}'
    members = {**members_of_tree(nodes), "stack.xml": image.encode()}
    found = load_project(write_ora(tmp_path / "wide.ora", members))
    shown = premultiplied(composite(found.contents.layers, Rect(0, 0, 512, 288)))
    assert np.abs(shown - rendered(nodes, 512, 288)).max() * 255 <= 1.5


# ---- what becomes of the layers ----


@pytest.mark.parametrize(
    "looks", [{"opacity": 0.5}, {"op": "multiply"}, {"op": "hue", "opacity": 0.3}]
)
def test_a_group_that_needs_it_becomes_one_layer(tmp_path: Path, looks: dict[str, Any]) -> None:
    found = opened(tmp_path, three(group(**looks)))
    assert names(found) == ["ground", "middle", "The group"]
    layer = found.contents.layers[-1]
    assert (layer.opacity, layer.blend) == (looks.get("opacity", 1.0), looks.get("op", "normal"))
    assert "Group 'The group' was merged into one layer" in " ".join(found.messages)
    assert found.lost == (
        "Group 'The group' was merged into one layer, to look as before: this "
        "program has no groups.",
    )


@pytest.mark.parametrize("isolation", [None, "auto", "isolate"])
def test_a_group_without_looks_is_taken_apart(tmp_path: Path, isolation: str | None) -> None:
    found = opened(tmp_path, three(group(isolation=isolation)))
    assert names(found) == ["ground", "middle", "child 1", "child 0"]
    assert found.lost == ("1 group was taken apart into its layers, which look the same.",)


def test_a_mode_in_a_group_counts_by_its_isolation(tmp_path: Path) -> None:
    """In an isolated group a mode acts on the group alone, otherwise on all that is below."""
    for isolation, count in (("auto", 4), ("isolate", 3)):
        nodes = three(group(isolation=isolation))
        nodes[0].children[0].op = "difference"
        found = opened(tmp_path, nodes)
        assert off(found, nodes) <= 1.5
        assert len(found.contents.layers) == count


def test_layers_that_are_apart_stay_layers(tmp_path: Path) -> None:
    """Where nothing overlaps, a group's opacity and mode are those of each layer."""
    small = np.full((8, 8, 4), (200, 100, 50, 255), np.uint8)
    apart = [Node("a", small, 0, 0, opacity=0.5), Node("b", small, 20, 20)]
    nodes = three(Node("g", children=apart, opacity=0.5, op="multiply"))
    found = opened(tmp_path, nodes)
    assert names(found)[-2:] == ["b", "a"]
    assert [layer.opacity for layer in found.contents.layers[-2:]] == [0.5, 0.25]
    assert {layer.blend for layer in found.contents.layers[-2:]} == {"multiply"}
    assert off(found, nodes) <= 1


def test_hidden_layers_of_a_merged_group_are_kept(tmp_path: Path) -> None:
    nodes = three(group(3, opacity=0.5))
    nodes[0].children[1].visible = False
    found = opened(tmp_path, nodes)
    assert names(found) == ["ground", "middle", "The group", "child 1"]
    assert not found.contents.layers[-1].visible
    assert off(found, nodes) <= 1.5


def test_a_hidden_group_is_one_hidden_layer(tmp_path: Path) -> None:
    """Shown, it looks as it would have."""
    nodes = three(group(opacity=0.5))
    nodes[0].visible = False
    found = opened(tmp_path, nodes)
    assert [layer.visible for layer in found.contents.layers] == [True, True, False]
    shown = [replace(layer, visible=True) for layer in found.contents.layers]
    nodes[0].visible = True
    assert (
        off(replace(found, contents=replace(found.contents, foregrounds=tuple(shown[1:]))), nodes)
        <= 1.5
    )


@pytest.mark.parametrize("op", MASKS)
def test_a_mask_is_named_with_what_it_took(tmp_path: Path, op: str) -> None:
    source = random.Random(5)
    nodes = three(Node("My mask", blob(source), 2, 2, op=op))
    nodes.insert(0, Node("above", blob(source), 1, 1))
    found = opened(tmp_path, nodes)
    assert off(found, nodes) <= 1.5
    assert f"'My mask' (svg:{op}) was merged with the 2 layers below it" in found.lost[0]
    assert names(found)[-1] == "above"
    assert len(names(found)) <= 2


@pytest.mark.parametrize("op", ["krita:dissolve", "mypaint:spectral-wgm", "svg:alpha-darken", "x"])
def test_other_operators_are_told_at_opening_and_kept(tmp_path: Path, op: str) -> None:
    members = members_of_tree(three(Node("Odd", blob(random.Random(2)), 2, 2, op="xor")))
    members["stack.xml"] = members["stack.xml"].replace(b"svg:xor", op.encode())
    found = load_project(write_ora(tmp_path / "a.ora", members))
    assert f"Painted as Normal, because their modes are unknown: 'Odd' ({op})." in found.messages
    assert found.contents.layers[-1].blend == op
    assert found.lost == ()
    save_project(found.contents, tmp_path / "again.ora")
    assert f'composite-op="{op}"'.encode() in stack_in(tmp_path / "again.ora")


@pytest.mark.parametrize("op", ["hue", "saturation", "color", "luminosity", "exclusion"])
def test_modes_off_the_menu_stay_modes(tmp_path: Path, op: str) -> None:
    """Kept as layers, written as they were read, and painted by every reader of the document."""
    nodes = three(Node("Tint", blob(random.Random(2)), 2, 2, op=op))
    found = opened(tmp_path, nodes)
    assert found.contents.layers[-1].blend == op
    assert found.lost == () and "Painted" not in " ".join(found.messages)
    save_project(found.contents, tmp_path / "again.ora")
    assert f'composite-op="svg:{op}"'.encode() in stack_in(tmp_path / "again.ora")
    again = load_project(tmp_path / "again.ora")
    assert content_hash(again.contents) == content_hash(found.contents)


def stack_in(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("stack.xml")


def test_what_has_no_name_is_called_by_its_picture(tmp_path: Path) -> None:
    source = random.Random(9)
    nodes = [Node("mask", blob(source), 3, 3, op="dst-out"), *three(group(opacity=0.5))]
    members = members_of_tree(nodes)
    text = members["stack.xml"].decode()
    for name in ("mask", "The group", "ground"):
        text = text.replace(f'name="{name}" ', "")
    found = load_project(write_ora(tmp_path / "a.ora", {**members, "stack.xml": text.encode()}))
    assert found.lost == (
        "A group without a name was merged into one layer, to look as before: this program has no "
        "groups.",
        "'data/mask.png' (svg:dst-out) was merged with the 3 layers below it into "
        "'data/ground.png', to look as before: this program has no such mode.",
    )
    assert off(found, nodes) <= 1.5
