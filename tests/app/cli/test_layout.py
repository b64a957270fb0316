"""`layerloom layout` and words for boxes on the command line."""

from __future__ import annotations

import json

import pytest

from app.cli.arguments import ARRANGEMENTS
from app.cli.main import main
from app.document import Size
from app.document.storage.layout import contents_of, parse_layout
from app.document.storage.ora.file import load_project
from app.document.words import word_of
from engine import composition

PROMPT = "a big red car, two dogs and the moon at night"


def answer(capsys, *arguments: str) -> tuple[int, str, str]:
    code = main(["layout", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_arrangements_are_those_of_the_engine() -> None:
    assert ARRANGEMENTS == composition.ARRANGEMENTS


def test_a_layout_has_a_box_for_every_thing(capsys) -> None:
    code, out, err = answer(capsys, "--prompt", PROMPT, "--size", "640x500")
    assert (code, err) == (0, "")
    contents = contents_of(parse_layout(out, canvas=Size(64, 64), grid=1))
    assert (contents.canvas, contents.prompt) == (Size(640, 512), PROMPT)
    words = sorted(layer.shows for layer in contents.foregrounds)
    assert words == ["dog", "dog", "moon", "red car"]
    assert answer(capsys, "--prompt", PROMPT, "--size", "640x500")[1] == out
    assert answer(capsys, "--prompt", PROMPT, "--size", "640x500", "--seed", "9")[1] != out


def test_another_arrangement_has_other_boxes(capsys) -> None:
    texts = {answer(capsys, "--prompt", "a cat, a pear and a cup", "--arrangement", name)[1]
             for name in ("scene", "centre", "rows")}  # fmt: skip
    assert len(texts) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--prompt", "a stapler"), "names nothing that this model draws"),
        (("--prompt", ""), "names nothing that this model draws"),
        (("--prompt", "x" * 21_000), "characters"),
        (("--prompt", "a cat", "--arrangement", "rows"), "does not suit"),
    ],
)
def test_a_layout_that_cannot_be_made_is_refused(capsys, arguments, said) -> None:
    code, out, err = answer(capsys, *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_words_without_a_box_are_reported(capsys) -> None:
    code, out, err = answer(capsys, "--prompt", "a cat and a stapler")
    assert code == 0
    assert len(json.loads(out)["boxes"]) == 1
    assert err == "No box for 'stapler': not among the things that this model draws.\n"


def test_a_box_shows_its_word_whatever_the_prompt_says(tmp_path, capsys) -> None:
    """With the shipped model, and again in a repaint of the file."""
    layout = tmp_path / "boxes.json"
    layout.write_text(json.dumps({
        "canvas": [256, 256], "background": False,
        "boxes": [{"box": [0, 0, 128, 128], "shows": "moon"}, [128, 0, 256, 128]],
    }))  # fmt: skip
    first, second = tmp_path / "first.ora", tmp_path / "second.ora"
    common = ("--quiet", "--steps", "1")
    code = main(["generate", "--layout", str(layout), "--prompt", "a dog", "--shows", "2=crown",
                 "--out", str(first), *common])  # fmt: skip
    assert code == 0, capsys.readouterr().err
    layers = load_project(first).contents.foregrounds
    assert [layer.shows for layer in layers] == ["moon", "crown"]
    assert [word_of(layer) for layer in layers] == ["moon", "crown"]
    code = main(["regenerate", str(first), "--layer", "2", "--shows", "2=star",
                 "--out", str(second), *common])  # fmt: skip
    assert code == 0, capsys.readouterr().err
    layers = load_project(second).contents.foregrounds
    assert [word_of(layer) for layer in layers] == ["moon", "star"]
    assert main(["verify", str(second), "--regenerate", "--quiet"]) == 0
    capsys.readouterr()
    code = main(["regenerate", str(first), "--layer", "2", "--shows", "2=stapler",
                 "--out", str(tmp_path / "third.ora"), *common])  # fmt: skip
    assert code != 0
    assert "cannot draw 'stapler'" in capsys.readouterr().err
    code = main(["regenerate", str(first), "--layer", "2", "--shows", "7=cat",
                 "--out", str(tmp_path / "third.ora"), *common])  # fmt: skip
    assert code == 2
    assert "no box 7" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["cat", "=cat", "x=cat", "-1=cat", "1.5=cat"])
def test_a_word_without_a_box_number_is_refused(text, capsys) -> None:
    arguments = ["generate", "--layout", "-", "--out", "x.png", f"--shows={text}"]
    assert main(arguments) == 2
    assert "2=sunflower" in capsys.readouterr().err
