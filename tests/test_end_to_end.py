"""The whole way with real networks: boxes and a prompt in, layers out, one layer anew, verified.

A tiny model with random weights stands in for the shipped one, so the pixels mean nothing, but
every part is real: command line, worker thread, torch, files. The last test takes the shipped
model and the very commands of the README.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli import main
from engine.model_files import default_path
from engine.models.checkpoint import save_model
from engine.paths import resource_path
from tests.engine.tiny import tiny_model

LAYOUT = resource_path("examples", "three-boxes.json")


@pytest.fixture(scope="module")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file of random numbers."""
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save_model(path, tiny_model())
    return path


def layerloom(*arguments: object) -> str:
    """Run the installed command without a display; returns stdout."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    done = subprocess.run(
        [sys.executable, "-m", "app", *map(str, arguments), "--threads", "1"],
        env={name: value for name, value in os.environ.items() if name not in hidden},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def layerloom_here(*arguments: object) -> str:
    """Run the command in this process, which has loaded torch; returns stdout."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*map(str, arguments), "--threads", "1"])
    assert code == 0, err.getvalue()
    return out.getvalue()


def layers_of(folder: Path) -> dict[int, bytes]:
    """The bytes of each layer's PNG by number; checks that it has exactly its box's size."""
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    files = {}
    for layer in told["layers"]:
        x0, y0, x1, y1 = layer["box"]
        with Image.open(folder / layer["file"]) as image:
            assert image.size == (x1 - x0, y1 - y0)
            assert image.mode == "RGBA"
        files[layer["number"]] = (folder / layer["file"]).read_bytes()
    return files


def whole_way(
    layerloom: Callable[..., str], folder: Path, *more: object, spare_boxes: str = "empty"
) -> None:
    """generate, the same again, regenerate layer 2, verify both from their records."""
    one, again, other = folder / "a", folder / "again", folder / "b"
    prompt = json.loads(LAYOUT.read_text(encoding="utf-8"))["prompt"]
    make = ("generate", "--prompt", prompt, "--layout", LAYOUT, "--seed", 1, *more)
    make += ("--spare-boxes", spare_boxes)
    layerloom(*make, "--out", one)
    layerloom(*make, "--out", again)
    before = layers_of(one)
    assert before.keys() == {0, 1, 2, 3}
    for name in ("composite.png", "design.ora"):
        assert (one / name).read_bytes() == (again / name).read_bytes()
    layerloom("regenerate", one / "design.ora", "--layer", 2, "--seed", 9, "--out", other, *more)
    after = layers_of(other)
    assert {number for number in before if before[number] != after[number]} == {2}
    assert layerloom("verify", other / "design.ora", "--regenerate", *more).count("exactly") == 4


def test_whole_way_with_a_tiny_model(tiny_file: Path, tmp_path: Path) -> None:
    """Everything is real but the training."""
    # The model has words for two of the three things.
    whole_way(layerloom_here, tmp_path, "--model", tiny_file, spare_boxes="repeat")
    with Image.open(tmp_path / "a" / "composite.png") as image:
        assert np.asarray(image).std() > 0


@pytest.mark.slow
@pytest.mark.skipif(not default_path().exists(), reason="no model is shipped with this checkout")
def test_whole_way_with_the_shipped_model(tmp_path: Path) -> None:
    """The README's two commands, and something is to be seen in every box."""
    whole_way(layerloom, tmp_path)
    for number, path in enumerate(sorted((tmp_path / "a").glob("0*.png"))):
        with Image.open(path) as image:
            alpha = np.asarray(image)[..., 3]
        assert alpha.mean() > 255 * 0.02, f"layer {number} is empty"


def test_the_manifest_says_what_became_of_the_prompt(tiny_file: Path, tmp_path: Path) -> None:
    """In the words as typed; boxes left empty are boxes again, or repeat things where asked."""
    prompt = "a dog and a sofa, no castle"
    common = ("--prompt", prompt, "--layout", LAYOUT, "--model", tiny_file, "--steps", 1)
    layerloom_here("generate", *common, "--size", "512x512", "--out", tmp_path / "a")
    told = json.loads((tmp_path / "a" / "manifest.json").read_text(encoding="utf-8"))
    assert told["words"]["drawn"] == [{"word": "dog", "count": 1}]
    assert [each["word"] for each in told["words"]["not_drawn"]] == ["sofa"]
    assert told["words"]["negated"] == ["castle"]
    assert [each["count"] for each in told["words"]["boxes_left_empty"]] == [2]
    boxes = [layer for layer in told["layers"] if layer["kind"] == "box"]
    assert len(boxes) == 2
    assert all(box["file"] is None and box["left_empty"] for box in boxes)
    layerloom_here("verify", tmp_path / "a" / "design.ora", "--regenerate", "--model", tiny_file)
    layerloom_here("generate", *common, "--spare-boxes", "repeat", "--out", tmp_path / "b")
    told = json.loads((tmp_path / "b" / "manifest.json").read_text(encoding="utf-8"))
    assert told["words"]["drawn"] == [{"word": "dog", "count": 3}]
