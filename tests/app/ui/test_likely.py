"""What Generate does in each state of the document, and which presses belong together."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from app.document.contents import Contents, new_contents
from app.document.geometry import Rect, Size
from app.document.layer import Layer
from app.document.pixels import Pixels
from app.session.jobs import plan
from app.ui.likely import (
    QUICK_S,
    Likely,
    Press,
    Presses,
    button_texts,
    is_finished,
    likely,
    user_state,
    what_it_does,
    why_held,
)

PROMPT = "a cake and a rabbit on a beach"


def painted(layer: Layer, kind: str = "generated", word: str = "") -> Layer:
    """The layer with pixels."""
    from dataclasses import replace

    image = Pixels.of(np.full((layer.rect.height, layer.rect.width, 4), 255, np.uint8))
    record = {"prompt": PROMPT, "word": word, "box": list(layer.rect.to_box())}
    return replace(layer, image=image, kind=kind, record=record)  # type: ignore[arg-type]


def picture(*kinds: str, background: str = "finished", prompt: str = PROMPT) -> Contents:
    """A picture with a layer per kind: "empty", "finished", "hidden", "locked", "imported"."""
    from dataclasses import replace

    boxes = [Rect(64 * place, 0, 64, 64) for place in range(len(kinds))]
    contents = new_contents(Size(512, 512), 32, boxes=boxes, prompt=prompt)
    words = ["cake", "rabbit", *("cake",) * len(kinds)]
    layers = []
    for layer, kind, word in zip(contents.foregrounds, kinds, words, strict=False):
        if kind == "imported":
            layers.append(painted(layer, "imported"))
        elif kind != "empty":
            done = painted(layer, word=word)
            layers.append(replace(done, visible=kind != "hidden", locked=kind == "locked"))
    ground = [] if background == "empty" else [painted(contents.background, word="beach")]
    return contents.with_layers([*layers, *ground])


def ids(contents: Contents, *places: int) -> frozenset[int]:
    return frozenset(contents.foregrounds[place].id for place in places)


def test_nothing_is_finished_so_everything_is_painted() -> None:
    """The first picture: background and boxes, whatever is selected."""
    contents = picture("empty", "empty", background="empty")
    for chosen in (frozenset[int](), ids(contents, 0), ids(contents, 0, 1)):
        assert likely(contents, chosen) == Likely("picture")
    assert what_it_does(contents, Likely("picture")) == "Generate"
    assert button_texts(contents, Likely("picture"))[0] == "Generate · 3 layers"


@pytest.mark.parametrize(("count", "text"), [(1, "Fill 1 box"), (3, "Fill 3 boxes")])
def test_new_boxes_in_a_finished_picture_are_filled(count: int, text: str) -> None:
    """Eight finished layers stay as they are, whether the new box is selected or nothing is."""
    contents = picture(*["finished"] * 8, *["empty"] * count)
    for chosen in (frozenset[int](), ids(contents, 8)):
        choice = likely(contents, chosen)
        targets = plan(contents, choice.scope, choice.ids).targets
        assert [layer.has_pixels for layer in targets] == [False] * count
        assert what_it_does(contents, choice) == text


def test_what_is_selected_is_repainted_under_its_word() -> None:
    """The word of the record where there is one, else the layer's name."""
    contents = picture("finished", "finished", "empty")
    choice = likely(contents, ids(contents, 0))
    assert choice == Likely("selected", ids(contents, 0))
    assert what_it_does(contents, choice) == "Repaint 'cake'"
    both = likely(contents, ids(contents, 0, 1))
    assert what_it_does(contents, both) == "Repaint 2 layers"
    ground = likely(contents, frozenset({contents.background.id}))
    assert what_it_does(contents, ground) == "Repaint the background", "not 'beach', its scene"
    bare = contents.with_layers([painted(contents.foregrounds[0])])
    assert what_it_does(bare, likely(bare, ids(bare, 0))) == "Repaint 'Layer 1'"


def test_a_long_name_is_cut_on_the_button() -> None:
    from dataclasses import replace

    contents = picture("finished")
    layer = replace(painted(contents.foregrounds[0]), name="The old castle above the lake")
    contents = contents.with_layers([layer])
    assert what_it_does(contents, likely(contents, {layer.id})) == "Repaint 'The old castle…'"


def test_a_selection_with_an_empty_box_fills_the_boxes() -> None:
    contents = picture("finished", "empty")
    assert likely(contents, ids(contents, 0, 1)) == Likely("empty")


def test_a_finished_picture_without_selection_is_painted_again() -> None:
    contents = picture("finished", "finished")
    choice = likely(contents)
    assert choice == Likely("picture")
    assert button_texts(contents, choice, "≈ 2 s") == (
        "Paint everything · 3 layers · ≈ 2 s",
        "Paint everything · ≈ 2 s",
        "Paint everything · 3 layers",
        "Paint everything",
    )


def test_only_the_layer_whose_word_has_gone_is_repainted() -> None:
    """The user changed one word of the sentence: the other layers and the background stay."""
    contents = picture("finished", "finished", prompt="a crown and a rabbit on a beach")
    choice = likely(contents)
    assert choice == Likely("outdated")
    assert plan(contents, "outdated").targets == (contents.foregrounds[0],)
    assert what_it_does(contents, choice) == "Repaint 'cake'"


def test_a_missing_background_is_painted_alone() -> None:
    contents = picture("finished", background="empty")
    choice = likely(contents)
    assert choice == Likely("selected", frozenset({contents.background.id}))
    assert what_it_does(contents, choice) == "Paint the background"


def test_an_empty_prompt_is_named() -> None:
    contents = picture("empty", background="empty", prompt=" \n")
    assert button_texts(contents, likely(contents))[0] == "Generate without prompt"
    contents = picture("finished", "empty", prompt="")
    assert button_texts(contents, Likely("empty"), "≈ 1 s") == (
        "Fill 1 box without prompt · ≈ 1 s",
        "Fill 1 box · ≈ 1 s",
        "Fill 1 box without prompt",
        "Fill 1 box",
    )


KINDS = ("empty", "finished", "hidden", "locked", "imported")


@pytest.mark.parametrize("background", ["empty", "finished"])
def test_no_state_repaints_more_than_it_must(background: str) -> None:
    """All pictures of three layers with all selections of one or none.

    Imported, hidden and locked layers are no targets. A finished layer is one only if it is
    selected, or outdated, or nothing is left to fill.
    """
    for kinds in product(KINDS, repeat=3):
        contents = picture(*kinds, background=background)
        for chosen in (frozenset[int](), *(ids(contents, place) for place in range(3))):
            choice = likely(contents, chosen)
            targets = plan(contents, choice.scope, choice.ids).targets
            assert not any(x.kind == "imported" or x.locked or not x.visible for x in targets)
            repainted = {layer.id for layer in targets if is_finished(layer)}
            if "empty" in kinds or background == "empty":
                assert repainted <= chosen, (kinds, chosen, choice)
            if any(is_finished(layer) for layer in contents.layers):
                has_target = any(
                    layer.visible and not layer.locked and layer.kind != "imported"
                    for layer in contents.layers
                )
                assert bool(targets) == has_target
            assert what_it_does(contents, choice)


def press(at: float, does: str = "Fill 1 box", state: object = 0, **more: Any) -> Press:
    return Press(at, does, state, **more)


def test_a_press_within_a_second_of_a_running_job_is_held() -> None:
    """The same request again: the job goes on. A later one, or another one, counts."""
    first = press(10.0)
    assert "Already generating" in why_held(first, press(10.9), is_running=True)
    assert not why_held(first, press(10.0 + QUICK_S), is_running=True)
    assert not why_held(first, press(10.1, state=1), is_running=True), "the user changed something"
    assert not why_held(first, press(10.1, "Repaint 'cake'"), is_running=True)
    assert not why_held(None, first, is_running=True)


def test_the_second_click_of_a_double_click_does_nothing_else() -> None:
    """The job ended between both: the button offers to repaint what has just been filled."""
    first, second = press(10.0), press(10.3, "Repaint 'cake'")
    assert "Repaint 'cake'" in why_held(first, second, is_running=False)
    assert not why_held(first, press(11.1, "Repaint 'cake'"), is_running=False)
    assert not why_held(first, press(10.3), is_running=False), "the same once more"
    chosen = press(10.3, "Repaint 'cake'", is_explicit=True)
    assert not why_held(first, chosen, is_running=False), "Ctrl+R says what it does"


def test_fifteen_quick_presses_are_one() -> None:
    """Each holds the next one, however long the row of clicks is."""
    now = [0.0]
    presses = Presses(lambda: now[0])
    counted = 0
    for _ in range(15):
        counted += not presses.why_held("Generate", 0, is_running=now[0] > 0)
        now[0] += 0.4
    assert counted == 1
    now[0] += 1.0
    assert not presses.why_held("Generate", 0, is_running=True)


def test_results_are_not_what_the_user_set_up() -> None:
    contents = picture("empty", background="empty")
    done = contents.with_layers([painted(contents.foregrounds[0])])
    assert user_state(contents, ()) == user_state(done, ())
    assert user_state(contents, ()) != user_state(contents, ids(contents, 0))
