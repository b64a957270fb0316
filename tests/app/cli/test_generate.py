"""`layerloom generate`, `regenerate`, `export`, `info` and `verify` as child processes.

The engine is a scripted one (`child.py`); the files are real and read back by Pillow and
zipfile, not by our own readers.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import cli
from app.cli.source import ArgumentProblem, find_layers
from app.document.contents import new_contents
from app.document.geometry import Rect, Size
from tests.app.cli.child import scripted

ROOT = Path(__file__).resolve().parents[3]
CHILD = Path(__file__).with_name("child.py")
LAYOUT = ROOT / "resources" / "examples" / "three-boxes.json"
PROMPT = "a red dog"
BOXES = {1: (256, 224, 480, 448), 2: (96, 352, 224, 480), 3: (64, 32, 192, 192)}


def layerloom(*arguments: object, script: str = "normal") -> subprocess.CompletedProcess[str]:
    """Run the command in this process; only what concerns processes starts a child."""
    out, err = io.StringIO(), io.StringIO()
    texts = [str(each) for each in arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main(texts, engine_factory=partial(scripted, script))
        except SystemExit as left:  # argparse leaves so
            code = int(left.code or 0)
    return subprocess.CompletedProcess(texts, code, out.getvalue(), err.getvalue())


def layerloom_in_a_child(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a child that has no display."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return subprocess.run(
        [sys.executable, str(CHILD), "normal", *map(str, arguments)],
        env={name: value for name, value in os.environ.items() if name not in hidden},
        capture_output=True,
        text=True,
        timeout=120,
    )


def arguments_of(out: Path) -> tuple[object, ...]:
    """A picture of three boxes, written to `out`."""
    return "generate", "--prompt", PROMPT, "--layout", LAYOUT, "--seed", 1, "--out", out


def generate(out: Path, *more: object, script: str = "normal") -> None:
    done = layerloom(*arguments_of(out), *more, script=script)
    assert done.returncode == 0, done.stderr


def rgba(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.mode == "RGBA"
        return np.asarray(image)


def pixel_hash(pixels: np.ndarray) -> str:
    """The manifest's sha256, computed from its description."""
    height, width = pixels.shape[:2]
    sizes = width.to_bytes(4, "little") + height.to_bytes(4, "little")
    return hashlib.sha256(sizes + pixels.tobytes()).hexdigest()


def seed_for(picture_seed: int, number: int) -> int:
    """As the README describes it."""
    digest = hashlib.sha256(f"{picture_seed}:{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder from a process of its own without a display; no test changes it."""
    out = tmp_path_factory.mktemp("made") / "a"
    done = layerloom_in_a_child(*arguments_of(out))
    assert done.returncode == 0, done.stderr
    return out


# ---- generate ----


def test_folder_holds_picture_layers_manifest_and_design(made: Path) -> None:
    """Composite, one cropped PNG per layer, manifest.json and design.ora."""
    told = manifest(made)
    files = {layer["file"] for layer in told["layers"]}
    present = {path.name for path in made.iterdir()}
    assert present == files | {"composite.png", "manifest.json", "design.ora"}
    assert rgba(made / "composite.png").shape == (512, 512, 4)
    assert told["prompt"] == PROMPT
    assert told["canvas"] == [512, 512]
    assert (told["steps"], told["guidance"]) == (4, 3.0)
    assert told["seconds"] >= 0
    assert told["model"]["hash"] == "f" * 64


def test_each_layer_is_its_box_with_its_seed_and_hash(made: Path) -> None:
    layers = {layer["number"]: layer for layer in manifest(made)["layers"]}
    assert layers.keys() == {0, 1, 2, 3}
    for number, layer in layers.items():
        pixels = rgba(made / layer["file"])
        x0, y0, x1, y1 = BOXES.get(number, (0, 0, 512, 512))
        assert layer["box"] == [x0, y0, x1, y1]
        assert pixels.shape == (y1 - y0, x1 - x0, 4)
        assert layer["kind"] == "generated"
        assert layer["seed"] == seed_for(1, number)
        assert layer["sha256"] == pixel_hash(pixels)


def test_same_arguments_give_the_same_bytes(made: Path, tmp_path: Path) -> None:
    """Only the seconds in the manifest may differ."""
    generate(tmp_path / "b")
    for path in made.iterdir():
        if path.name != "manifest.json":
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    one, other = manifest(made), manifest(tmp_path / "b")
    del one["seconds"], other["seconds"]
    assert one == other


def test_design_opens_as_open_raster(made: Path) -> None:
    with zipfile.ZipFile(made / "design.ora") as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "mimetype"
        assert archive.read("mimetype") == b"image/openraster"
        with Image.open(io.BytesIO(archive.read("mergedimage.png"))) as image:
            assert np.array_equal(np.asarray(image), rgba(made / "composite.png"))


def test_png_ora_and_zip_by_their_names(made: Path, tmp_path: Path) -> None:
    """The format follows the extension; folders on the way are made."""
    for name in ("deep/a.png", "a.ora", "a.zip"):
        generate(tmp_path / name)
    assert np.array_equal(rgba(tmp_path / "deep" / "a.png"), rgba(made / "composite.png"))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        told = json.loads(archive.read("manifest.json"))
        for layer in told["layers"]:
            with Image.open(io.BytesIO(archive.read(layer["file"]))) as image:
                assert np.array_equal(np.asarray(image), rgba(made / layer["file"]))
    assert (tmp_path / "a.ora").read_bytes() == (made / "design.ora").read_bytes()


def test_without_background_the_picture_is_transparent(tmp_path: Path) -> None:
    generate(tmp_path / "a", "--no-background")
    assert [layer["number"] for layer in manifest(tmp_path / "a")["layers"]] == [1, 2, 3]
    assert rgba(tmp_path / "a" / "composite.png")[0, 0, 3] == 0


def test_variations_have_following_seeds(made: Path, tmp_path: Path) -> None:
    generate(tmp_path / "a", "--variations", 2)
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"1", "2"}
    first = rgba(tmp_path / "a" / "1" / "composite.png")
    assert np.array_equal(first, rgba(made / "composite.png"))
    seeds = {each["number"]: each["seed"] for each in manifest(tmp_path / "a" / "2")["layers"]}
    assert seeds == {number: seed_for(2, number) for number in range(4)}


def test_options_reach_the_engine(tmp_path: Path) -> None:
    generate(
        tmp_path / "a", "--steps", 2, "--guidance", 1.5, "--threads", 3, "--clean-colours", "off"
    )
    told = manifest(tmp_path / "a")
    assert (told["steps"], told["guidance"], told["clean_colours"]) == (2, 1.5, False)


def test_a_plain_list_takes_the_size(tmp_path: Path) -> None:
    """The short spelling with a Python-like ART list that names no canvas."""
    boxes = tmp_path / "boxes.txt"
    boxes.write_text("[(0, 0, 64, 64), (100, 100, 200, 200)]")
    done = layerloom(
        "--headless", "--prompt", "a dog", "--boxes", boxes, "--size", "640x512", "--seed", 3,
        "--steps", 2, "--variations", 1, "--out", tmp_path / "o.png",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert rgba(tmp_path / "o.png").shape == (512, 640, 4)


@pytest.mark.parametrize("example", sorted(LAYOUT.parent.glob("*.json")), ids=lambda p: p.stem)
def test_examples_need_no_other_argument(example: Path, tmp_path: Path) -> None:
    done = layerloom("generate", "--layout", example, "--out", tmp_path / "a")
    assert done.returncode == 0, done.stderr
    told, asked = manifest(tmp_path / "a"), json.loads(example.read_text(encoding="utf-8"))
    assert told["prompt"] == asked["prompt"]
    assert told["canvas"] == asked["canvas"]
    assert [layer["box"] for layer in told["layers"][1:]] == asked["boxes"]


def test_progress_and_unknown_words_go_to_stderr(tmp_path: Path) -> None:
    done = layerloom(
        "generate", "--prompt", "a xylophone", "--layout", LAYOUT, "--out", tmp_path / "a"
    )
    assert not done.stdout
    assert "painting 4 of 4" in done.stderr
    assert "xylophone" in done.stderr
    quiet = layerloom(
        "generate", "--prompt", "a dog", "--layout", LAYOUT, "--out", tmp_path / "b", "--quiet"
    )
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


# ---- refusals and failures ----


@pytest.mark.parametrize(
    ("layout", "word"),
    [
        ("[[0, 0, 0, 64]]", "Box 1"),
        ("[[0, 0, 64]]", "Box 1"),
        ('{"canvas": [512, 512]}', "boxes"),
        ("not a layout", "neither"),
        ('{"canvas": [512, 512], "boxes": [[0, 0, NaN, 64]]}', "Box 1"),
        (json.dumps([[32, 0, 64, 64]] * 51), "51"),
        (None, "layout.json"),
    ],
)
def test_a_bad_layout_is_refused_whole(tmp_path: Path, layout: str | None, word: str) -> None:
    """What is wrong, that nothing was made, and exit code 2."""
    if layout is not None:
        (tmp_path / "layout.json").write_text(layout)
    done = layerloom(
        "generate", "--prompt", "a dog", "--layout", tmp_path / "layout.json",
        "--out", tmp_path / "a",
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert word in done.stderr
    assert "Nothing was made." in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "a").exists()


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("mine")
    done = layerloom("generate", "--prompt", "a", "--layout", LAYOUT, "--out", tmp_path)
    assert done.returncode == 2
    assert "not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]


def test_a_size_against_the_layout_is_refused(tmp_path: Path) -> None:
    done = layerloom(
        "generate", "--prompt", "a", "--layout", LAYOUT, "--size", "640x512",
        "--out", tmp_path / "a",
    )  # fmt: skip
    assert done.returncode == 2
    assert "512 x 512" in done.stderr


def test_nothing_to_make_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text('{"canvas": [512, 512], "boxes": []}')
    done = layerloom(
        "generate", "--prompt", "a", "--layout", empty, "--no-background", "--out", tmp_path / "a"
    )
    assert done.returncode == 1
    assert "nothing to make" in done.stderr


@pytest.mark.parametrize("script", ["fails", "memory", "broken", "dies"])
def test_a_failing_engine_gives_1_and_writes_nothing(tmp_path: Path, script: str) -> None:
    """What happened, what was kept, what to do; no traceback."""
    done = layerloom(
        "generate", "--prompt", "a", "--layout", LAYOUT, "--out", tmp_path / "a", script=script
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "Nothing was written." in last
    assert last.count(". ") >= 2
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")
def test_ctrl_c_stops_cleanly(tmp_path: Path) -> None:
    """Exit code 130, no file and no traceback; soon, not at the end of the job."""
    command = [
        sys.executable, str(CHILD), "slow", "generate", "--prompt", "a", "--layout", str(LAYOUT),
        "--steps", "200", "--out", str(tmp_path / "a"),
    ]  # fmt: skip
    child = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True,
        # A shell that starts the tests in the background has Ctrl+C ignored, and we inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert child.stderr is not None
    first = child.stderr.readline()  # the job runs
    assert "planning" in first
    child.send_signal(signal.SIGINT)
    _, rest = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "painting 200 of 200" not in rest, "it ran to its end"
    assert "Stopped" in rest
    assert "Traceback" not in rest
    assert not list(tmp_path.iterdir())


# ---- regenerate ----


@pytest.mark.parametrize("name", ["2", "Layer 2"])
def test_regenerate_changes_that_layer_and_no_byte_of_the_others(
    made: Path, tmp_path: Path, name: str
) -> None:
    """By number and by name."""
    done = layerloom(
        "regenerate", made / "design.ora", "--layer", name, "--seed", 9, "--out", tmp_path / "b"
    )
    assert done.returncode == 0, done.stderr
    for old, new in zip(manifest(made)["layers"], manifest(tmp_path / "b")["layers"], strict=True):
        before = (made / old["file"]).read_bytes()
        after = (tmp_path / "b" / new["file"]).read_bytes()
        assert (before == after) == (old["number"] != 2)
        if old["number"] == 2:
            assert new["seed"] == seed_for(9, 2)
            assert new["box"] == old["box"]
        else:
            assert new == old


def test_regenerate_keeps_the_old_pixels_in_the_file(made: Path, tmp_path: Path) -> None:
    """The replaced pixels stay as a candidate."""
    layerloom("regenerate", made / "design.ora", "--layer", 2, "--out", tmp_path / "b.ora")
    old = next(layer["sha256"] for layer in manifest(made)["layers"] if layer["number"] == 2)
    with zipfile.ZipFile(tmp_path / "b.ora") as archive:
        assert f"layerloom/blobs/{old}.png" in archive.namelist()


def test_regenerate_without_a_seed_goes_on_counting(made: Path, tmp_path: Path) -> None:
    """Without --seed another picture comes out each time, and the same one for the same file."""
    one, other = tmp_path / "one.ora", tmp_path / "other.ora"
    layerloom("regenerate", made / "design.ora", "--layer", 2, "--out", one)
    layerloom("regenerate", made / "design.ora", "--layer", 2, "--out", other)
    assert one.read_bytes() == other.read_bytes()
    layerloom("regenerate", one, "--layer", 2, "--out", tmp_path / "third")
    layers = {layer["number"]: layer for layer in manifest(tmp_path / "third")["layers"]}
    assert layers[2]["seed"] == seed_for(3, 2)


def test_regenerate_several_with_another_prompt(made: Path, tmp_path: Path) -> None:
    done = layerloom(
        "--open", made / "design.ora", "--regenerate", "1", "--regenerate", "Layer 3",
        "--prompt", "a blue dog", "--out", tmp_path / "b",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    prompts = {each["number"]: each["prompt"] for each in manifest(tmp_path / "b")["layers"]}
    assert prompts == {0: PROMPT, 1: "a blue dog", 2: PROMPT, 3: "a blue dog"}


def test_a_layer_is_found_by_the_word_that_it_shows() -> None:
    """As the window names it; a name and a number win over it."""
    contents = new_contents(Size(256, 256), 32, boxes=[Rect(0, 0, 64, 64)] * 4)
    layers = [replace(each, record={"word": "dog"}) for each in contents.foregrounds]
    layers[2] = replace(layers[2], name="dog")
    contents = contents.with_layers(layers)
    for asked, number in (("dog 2", 1), ("Dog 3", 2), ("dog", 3), ("4", 4), ("DOG 4", 4)):
        (found,) = find_layers(contents, [asked])
        assert found.number == number, asked
    with pytest.raises(ArgumentProblem) as problem:
        find_layers(contents, ["cat"])
    assert "2 ('Dog 3'), 3 ('dog'), 4 ('Dog 4')" in problem.value.advice


@pytest.mark.parametrize("name", ["7", "Castle", ""])
def test_an_unknown_layer_is_refused_and_the_known_are_named(
    made: Path, tmp_path: Path, name: str
) -> None:
    done = layerloom("regenerate", made / "design.ora", f"--layer={name}", "--out", tmp_path / "b")
    assert done.returncode == 2
    assert "2 ('Layer 2')" in done.stderr
    assert not (tmp_path / "b").exists()


# ---- export, info, verify ----


def test_export_gives_the_same_pixels_in_every_form(made: Path, tmp_path: Path) -> None:
    for name in ("a.png", "a.ora", "a.zip", "folder"):
        done = layerloom("export", made / "design.ora", "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
    assert np.array_equal(rgba(tmp_path / "a.png"), rgba(made / "composite.png"))
    assert (tmp_path / "a.ora").read_bytes() == (made / "design.ora").read_bytes()
    one, other = manifest(made), manifest(tmp_path / "folder")
    assert one["layers"] == other["layers"]
    assert one["model"] == other["model"]


def test_export_refuses_foreign_formats(made: Path, tmp_path: Path) -> None:
    done = layerloom("export", made / "design.ora", "--out", tmp_path / "a.kra")
    assert done.returncode == 2
    assert ".png, .psd, .svg, .pdf, .ora, .zip" in done.stderr


def test_info_on_the_model_and_on_files(made: Path) -> None:
    model = layerloom("info").stdout
    for text in ("torch", "scripted", "f" * 64, "things              3: dog", "colours"):
        assert text in model
    project = layerloom("info", made / "design.ora").stdout
    assert "Layer 2" in project
    assert str(seed_for(1, 2)) in project
    layout = layerloom("info", LAYOUT).stdout
    assert "512 x 512" in layout
    assert "boxes   3" in layout


def test_info_without_a_model_still_tells_versions() -> None:
    done = layerloom("info", script="broken")
    assert done.returncode == 1
    assert "torch" in done.stdout
    assert "damaged" in done.stderr


def test_verify_accepts_what_was_written(made: Path) -> None:
    assert layerloom("verify", made / "design.ora").returncode == 0
    done = layerloom("--verify", made / "design.ora")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("was reproduced exactly") == 4


def test_verify_runs_old_jobs_from_their_records(made: Path, tmp_path: Path) -> None:
    """After two regenerations each layer belongs to another job; candidates serve as context."""
    one, two = tmp_path / "one.ora", tmp_path / "two.ora"
    layerloom("regenerate", made / "design.ora", "--layer", 2, "--seed", 5, "--out", one)
    layerloom("regenerate", one, "--layer", 3, "--seed", 6, "--out", two)
    done = layerloom("verify", two, "--regenerate")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("was reproduced exactly") == 4


def test_a_record_says_whether_colours_were_cleaned_and_one_without_it_means_no(
    made: Path, tmp_path: Path
) -> None:
    """Regenerate keeps the file's choice; files of before there was one give their old pixels."""
    old, without, anew = tmp_path / "off", tmp_path / "old.ora", tmp_path / "anew.ora"
    generate(old, "--clean-colours", "off")
    rewrite_json(
        old / "design.ora", without, lambda text: text.replace('"clean_colours": false,', "")
    )
    done = layerloom("verify", without, "--regenerate")
    assert done.returncode == 0, done.stderr
    layerloom("regenerate", old / "design.ora", "--layer", 2, "--out", anew)
    with zipfile.ZipFile(anew) as file:
        document = json.loads(file.read("layerloom/document.json"))
    assert document["settings"]["clean_colours"] == "off"
    assert [each["record"]["clean_colours"] for each in document["layers"]] == [False] * 4
    lost = tmp_path / "lost.ora"
    rewrite_json(made / "design.ora", lost, lambda text: text.replace('"clean_colours": true,', ""))
    done = layerloom("verify", lost, "--regenerate")
    assert done.returncode == 1
    assert done.stderr.count("was not reproduced") == 3, "the background is the same either way"


def rewrite_json(path: Path, out: Path, change: Callable[[str], str]) -> None:
    """The project file with its JSON changed."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "layerloom/document.json":
                changed = change(data.decode()).encode()
                assert changed != data
                data = changed
            target.writestr(name, data)


def test_verify_tells_when_pixels_come_out_differently(made: Path) -> None:
    done = layerloom("verify", made / "design.ora", "--regenerate", script="drifts")
    assert done.returncode == 1
    assert "was not reproduced" in done.stderr
    other = layerloom(
        "verify", made / "design.ora", "--regenerate", "--threads", 5, script="drifts"
    )
    assert "threads was 1, is 5" in other.stderr


@pytest.mark.parametrize("part", ["data/L0002.png", "mergedimage.png", "stack.xml"])
def test_verify_finds_a_changed_member(made: Path, tmp_path: Path, part: str) -> None:
    bad = tmp_path / "bad.ora"
    with zipfile.ZipFile(made / "design.ora") as source, zipfile.ZipFile(bad, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == part and part.endswith(".png"):
                with Image.open(io.BytesIO(data)) as image:
                    size = image.size
                stream = io.BytesIO()
                Image.new("RGBA", size, (1, 2, 3, 255)).save(stream, "PNG")
                data = stream.getvalue()
            elif name == part:
                data = data.replace(b'opacity="1', b'opacity="0.5', 1)
                assert data != source.read(name)
            target.writestr(name, data)
    done = layerloom("verify", bad)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not done.stdout


@pytest.mark.parametrize("keep", [0, 10, 1000, -100])
def test_a_cut_file_is_one_message(made: Path, tmp_path: Path, keep: int) -> None:
    """Nothing is opened by halves and the file is untouched."""
    bad = tmp_path / "bad.ora"
    shutil.copy(made / "design.ora", bad)
    data = bad.read_bytes()[:keep]
    bad.write_bytes(data)
    for command in (["verify", bad], ["info", bad], ["export", bad, "--out", tmp_path / "a.png"]):
        done = layerloom(*command)
        assert done.returncode == 1
        assert "bad.ora" in done.stderr
        assert "Traceback" not in done.stderr
    assert bad.read_bytes() == data
    assert [path.name for path in tmp_path.iterdir()] == ["bad.ora"]


@pytest.mark.parametrize("command", ["verify", "info", "export", "regenerate"])
def test_a_missing_file_is_a_bad_argument(tmp_path: Path, command: str) -> None:
    more = {"export": ["--out", "a.png"], "regenerate": ["--layer", "1", "--out", "a.png"]}
    done = layerloom(command, tmp_path / "nowhere.ora", *more.get(command, []))
    assert done.returncode == 2
    assert "nowhere.ora" in done.stderr
