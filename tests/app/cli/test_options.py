"""Every option of `layerloom export` in every format: the output follows it, or exit 2 says why."""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import cli
from app.cli.arguments import build_parser
from app.cli.files import FLAGS
from app.document import Rect, Size, new_contents
from app.document.contents import Contents
from app.document.layer import Candidate
from app.document.pixels import Pixels
from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.table import CHOICES, FORMATS, Choice, asked_choices, format_named
from app.document.storage.ora.file import load_project, save_project
from tests.app.document.examples import plain
from tests.app.document.pictures_in import embedded_pictures, files_in, mentions, pictures_in, shows

PROMPT, WORDS = "a zebrawood quokka, 夜の塔", ("zebrawood", "quokka", "夜の塔")
SEED = 3141592653
VISIBLE, HIDDEN, GROUND = (20, 160, 60), (250, 10, 130), (240, 240, 230)
SECRET = "Käfer Geheim"
# Format, and the name that it is asked for by. HTML is a folder or one file.
TARGETS = [(form.key, f"a{form.suffixes[0] if form.suffixes else ''}") for form in FORMATS]
TARGETS += [("html", "a.html")]
ARGUMENTS: dict[Choice, list[str]] = {
    "part": ["--layer", "1"],
    "scale": ["--scale", "2"],
    "colour": ["--over", "#0050f0"],
    "no_background": ["--no-background"],
    "quality": ["--quality", "5"],
    "recipe": ["--no-recipe"],
    "hidden": ["--no-hidden"],
    "canvas_sized": ["--canvas-sized"],
    "pages": ["--pages"],
    "parallax": ["--parallax"],
    "background": ["--vector-background"],
}


def picture(*, is_background_hidden: bool = False, background_on: bool = True) -> Contents:
    """96 x 64 without colour at its right edge: a visible layer, a hidden one, an empty box."""
    contents = new_contents(
        Size(96, 64), 16, boxes=[Rect(0, 0, 32, 32), Rect(16, 16, 32, 32), Rect(64, 32, 16, 16)]
    )
    record = {"prompt": PROMPT, "seed": SEED, "word": "quokka", "layers": [], "number": 1}
    seen, hidden, box = contents.foregrounds
    ground = Pixels.of(plain(64, 64, (*GROUND, 255)))
    unused = Candidate(Pixels.of(plain(16, 16, (*HIDDEN, 250))), record, Rect(0, 0, 16, 16))
    background = replace(
        contents.background,
        name=SECRET if is_background_hidden else "Ground",
        rect=Rect(0, 0, 64, 64),
        kind="imported",
        visible=not is_background_hidden,
        image=Pixels.of(plain(64, 64, (*HIDDEN, 255))) if is_background_hidden else ground,
    )
    if not background_on:
        background = replace(background, image=Pixels.of(plain(64, 64, (*HIDDEN, 255))))
    return replace(
        contents,
        prompt=PROMPT,
        prompts=(PROMPT,),
        settings=replace(contents.settings, seed=SEED),
        background=background,
        background_on=background_on,
        foregrounds=(
            replace(
                seen,
                name="Leaf",
                kind="generated",
                image=Pixels.of(plain(32, 32, (*VISIBLE, 255))),
                record=record,
                seed=SEED,
            ),
            replace(
                hidden,
                name=SECRET,
                kind="generated",
                image=Pixels.of(plain(32, 32, (*HIDDEN, 255))),
                record=record,
                visible=False,
                candidates=(unused,),
            ),
            replace(box, seed=SEED),
        ),
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "in.ora"
    save_project(picture(), path)
    return path


def export(source: Path, out: Path, key: str, *arguments: str) -> int:
    named = ["--format", key] if key in ("html", "folder") else []
    return cli.main(["export", str(source), "--out", str(out), "--quiet", *named, *arguments])


def first(path: Path) -> np.ndarray:
    return pictures_in(path)[0]


def is_one_layer(path: Path, usual: Path) -> bool:
    return first(path).shape == (32, 32, 4) and shows(path, VISIBLE)


def is_twice_as_large(path: Path, usual: Path) -> bool:
    return first(path).shape == (128, 192, 4)


def is_over_blue(path: Path, usual: Path) -> bool:
    return shows(path, (0, 80, 240)) and not shows(usual, (0, 80, 240))


def has_large_layers(path: Path, usual: Path) -> bool:
    return {each.shape for each in pictures_in(path)} == {(64, 96, 4)}


def has_pages(path: Path, usual: Path) -> bool:
    with Image.open(path) as one, Image.open(usual) as other:
        return (getattr(one, "n_frames", 1), getattr(other, "n_frames", 1)) == (3, 1)


def is_coarse(path: Path, usual: Path) -> bool:
    return path.read_bytes() != usual.read_bytes() and not np.array_equal(first(path), first(usual))


def follows_pointer(path: Path, usual: Path) -> bool:
    (page,) = [data for name, data in files_in(path) if name.endswith(".html")]
    return b":hover" in page


def has_shapes_alone(path: Path, usual: Path) -> bool:
    return embedded_pictures(usual) == 1 and embedded_pictures(path) == 0


EFFECTS: dict[Choice, Callable[[Path, Path], bool]] = {
    "part": is_one_layer,
    "scale": is_twice_as_large,
    "colour": is_over_blue,
    "no_background": lambda path, usual: shows(usual, GROUND) and not shows(path, GROUND),
    "quality": is_coarse,
    "recipe": lambda path, _: not any(mentions(path, word) for word in (*WORDS, str(SEED))),
    "hidden": lambda path, _: not mentions(path, SECRET) and not shows(path, HIDDEN),
    "canvas_sized": has_large_layers,
    "pages": has_pages,
    "parallax": follows_pointer,
    "background": has_shapes_alone,
}


def test_every_option_is_in_the_tables() -> None:
    """A new option or choice has to be added here, or this fails."""
    assert set(FLAGS) == set(ARGUMENTS) == set(EFFECTS) == set(CHOICES)
    for choice, arguments in ARGUMENTS.items():
        assert arguments[0] == FLAGS[choice]
    (commands,) = [
        action
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    options = {
        text for action in commands.choices["export"]._actions for text in action.option_strings
    }
    assert options - {"-h", "--help", "--out", "--format", "--quiet", "--verbose"} == set(
        FLAGS.values()
    )


@pytest.mark.parametrize("choice", ARGUMENTS)
@pytest.mark.parametrize(("key", "name"), TARGETS)
def test_an_option_is_followed_or_refused(
    key: str,
    name: str,
    choice: Choice,
    source: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, usual = tmp_path / "out" / name, tmp_path / "usual" / name
    form = format_named(key)
    code = export(source, out, key, *ARGUMENTS[choice])
    told = capsys.readouterr().err
    if choice in form.choices or choice in ("recipe", "hidden"):
        assert code == 0, told
        assert export(source, usual, key) == 0
        assert EFFECTS[choice](out, usual)
        return
    assert code == 2
    assert FLAGS[choice] in told and f"format {key}" in told
    able = [each.key for each in FORMATS if choice in each.choices]
    assert f"choose a format with it: {', '.join(able)}." in told
    assert list(tmp_path.iterdir()) == []


def test_one_layer_alone_has_no_background(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.png"
    assert export(source, out, "png", "--layer", "1", "--no-background") == 2
    assert "Leave out --no-background or --layer." in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("choice", ["part", "scale", "colour"])
def test_pages_leave_no_room_for_one_picture(
    choice: Choice, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.tif"
    assert export(source, out, "tiff", "--pages", *ARGUMENTS[choice]) == 2
    assert f"Leave out {FLAGS[choice]} or --pages." in capsys.readouterr().err
    assert not out.exists()


def test_the_yardsticks_see_what_they_look_for(source: Path, tmp_path: Path) -> None:
    """Without the privacy options prompt, seed and hidden layer are found, packed or not."""
    for key, name in TARGETS:
        out = tmp_path / name
        assert export(source, out, key) == 0
        form = format_named(key)
        if "recipe" in form.choices:
            assert mentions(out, "quokka"), key
            assert mentions(out, str(SEED)) is ("seeds" in form.keeps), key
        if "hidden" in form.keeps:
            assert mentions(out, SECRET) and shows(out, HIDDEN), key
        if out.is_dir():
            for each in out.iterdir():
                each.unlink()
            out.rmdir()
    assert export(source, tmp_path / "p.tif", "tiff", "--pages") == 0
    assert mentions(tmp_path / "p.tif", SECRET) and shows(tmp_path / "p.tif", HIDDEN)


@pytest.mark.parametrize("more", [[], ["--no-recipe"]])
@pytest.mark.parametrize(("key", "name"), [*TARGETS, ("tiff", "pages.tif")])
@pytest.mark.parametrize("state", ["layer", "background", "background off"])
def test_nothing_hidden_is_left(
    key: str, name: str, more: list[str], state: str, tmp_path: Path
) -> None:
    """Neither name nor pixels of a hidden layer, its unused candidates, a hidden background."""
    source, out = tmp_path / "in.ora", tmp_path / "out" / name
    contents = picture(
        is_background_hidden=state == "background", background_on=state != "background off"
    )
    save_project(contents, source)
    assert load_project(source).contents.background.image is not None
    pages = ["--pages"] if name == "pages.tif" else []
    assert export(source, out, key, "--no-hidden", *pages, *more) == 0
    assert not mentions(out, SECRET) and not shows(out, HIDDEN)
    assert shows(out, VISIBLE)
    for found, data in files_in(out):
        if found.endswith((".ora", ".zip")) and data:
            assert not shows(out, HIDDEN)


def test_all_privacy_at_once_in_random_documents(tmp_path: Path) -> None:
    """Words, seeds and layers are made up; the options ask every format to leave all of it out."""
    for seed in range(3):
        rng = random.Random(seed)
        word = "".join(rng.choice("qxzjvwk") for _ in range(9))
        number = rng.randrange(10**9, 2**32)
        contents = picture()
        record = {"prompt": f"a {word}", "seed": number, "word": word}
        shown = replace(contents.foregrounds[0], record=record, seed=number)
        hidden = replace(contents.foregrounds[1], record=record, seed=number)
        contents = replace(
            contents,
            prompt=f"a {word}, a dog",
            prompts=(f"an old {word}",),
            settings=replace(contents.settings, seed=number),
            foregrounds=(shown, hidden),
        )
        source = tmp_path / f"{seed}.ora"
        save_project(contents, source)
        for key, name in TARGETS:
            out = tmp_path / str(seed) / key / name
            assert export(source, out, key, "--no-recipe", "--no-hidden") == 0
            for text in (word, str(number), SECRET):
                assert not mentions(out, text), (key, text)
            assert not shows(out, HIDDEN), key


def test_a_hidden_layer_alone_is_not_left_out_at_once(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.png"
    assert export(source, out, "png", "--layer", "2", "--no-hidden") == 2
    assert f"'{SECRET}' is hidden" in capsys.readouterr().err
    assert export(source, out, "png", "--layer", "2") == 0
    assert shows(out, HIDDEN)


def test_a_folder_keeps_its_project_file_to_the_options(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "a"
    assert cli.main(["export", str(source), "--out", str(out), "--quiet"]) == 0
    assert load_project(out / "design.ora").contents.prompt == PROMPT
    sized = tmp_path / "sized"
    arguments = ["--canvas-sized", "--no-recipe", "--no-hidden"]
    assert cli.main(["export", str(source), "--out", str(sized), "--quiet", *arguments]) == 0
    with Image.open(sized / "01-Leaf.png") as image:
        assert image.size == (96, 64)
    opened = load_project(sized / "design.ora")
    assert not opened.is_project
    assert SECRET not in [layer.name for layer in opened.contents.layers]


def test_html_is_an_ending(source: Path, tmp_path: Path) -> None:
    """One page that holds its pictures; a folder without the ending, or one that is there."""
    for name in ("a.html", "b.HTM"):
        assert cli.main(["export", str(source), "--out", str(tmp_path / name), "--quiet"]) == 0
        text = (tmp_path / name).read_text("utf-8")
        assert text.count("<img") == 3 and "./" not in text
        assert shows(tmp_path / name, VISIBLE)
    folder = tmp_path / "v1.html"
    folder.mkdir()
    assert export(source, folder, "html") == 0
    assert (folder / "index.html").exists()
    assert (
        cli.main(["export", str(source), "--out", str(tmp_path / "a.png"), "--format", "html"]) == 2
    )


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.key)
def test_a_name_of_another_format_is_refused(
    form: object, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--format png --out a.webp` wrote a PNG that no program calls one."""
    for other in FORMATS:
        if other is form or not other.suffixes:
            continue
        key = form.key  # type: ignore[attr-defined]
        out = tmp_path / f"a{other.suffixes[0]}"
        assert cli.main(["export", str(source), "--out", str(out), "--format", key]) == 2
        assert f"does not fit the format {key}" in capsys.readouterr().err


def test_what_is_asked_is_what_differs_from_the_usual() -> None:
    assert asked_choices(ExportOptions()) == frozenset()
    everything = ExportOptions(
        layer_id=1, scale=2, over=(0, 0, 0), with_recipe=False, quality=5, hidden=False,
        with_background=False, canvas_sized=True, pages=True, parallax=True, vector_background=True,
    )  # fmt: skip
    assert asked_choices(everything) == frozenset(CHOICES)


@pytest.mark.parametrize(
    "arguments",
    [["--model", "x"], ["--device", "cpu"], ["--threads", "2"]],
)
@pytest.mark.parametrize("command", ["info", "verify"])
def test_engine_options_need_an_engine(
    command: str, arguments: list[str], source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([command, str(source), *arguments]) == 2
    assert f"{arguments[0]} has no effect here" in capsys.readouterr().err
