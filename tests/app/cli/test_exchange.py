"""`layerloom export` in every format, and recipes: made, read, verified. Child processes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage

from app.cli.arguments import FORMAT_KEYS
from app.document.storage.formats.table import FORMATS
from tests.app.cli.test_generate import generate, layerloom, manifest, rgba


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated folder that no test changes."""
    out = tmp_path_factory.mktemp("made") / "a"
    generate(out)
    return out


def test_the_help_names_every_format() -> None:
    assert tuple(form.key for form in FORMATS) == FORMAT_KEYS


def test_every_format_by_its_ending(made: Path, tmp_path: Path) -> None:
    """Each format is written by one command and read by other programs."""
    composite = rgba(made / "composite.png")
    for name in ("a.png", "a.webp", "a.tif"):
        done = layerloom("export", made / "design.ora", "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert "does not keep: layers at their places" in done.stderr
        with Image.open(tmp_path / name) as image:  # WebP leaves alpha out where all is opaque
            assert np.array_equal(np.asarray(image.convert("RGBA")), composite)
    done = layerloom("export", made / "design.ora", "--out", tmp_path / "a.psd", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    layers = list(PSDImage.open(tmp_path / "a.psd"))
    told = [layer for layer in manifest(made)["layers"] if layer["file"]]
    for layer, entry in zip(layers, told, strict=True):
        assert (layer.name, layer.left, layer.top) == (entry["name"], entry["x"], entry["y"])
        assert np.array_equal(np.asarray(layer.topil()), rgba(made / entry["file"]))
    over = ["--over", "#00ff80", "--quality", 95, "--no-recipe"]
    done = layerloom("export", made / "design.ora", "--out", tmp_path / "a.jpg", *over)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.size == (512, 512)
    assert b"red dog" not in (tmp_path / "a.jpg").read_bytes()
    page = ["--format", "html", "--parallax"]
    done = layerloom("export", made / "design.ora", "--out", tmp_path / "page", *page)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page" / "index.html").read_text("utf-8").count("<img") == 4


def test_one_layer_larger(made: Path, tmp_path: Path) -> None:
    """One layer, twice as large."""
    out = tmp_path / "layer.png"
    done = layerloom(
        "export", made / "design.ora", "--out", out, "--layer", "3", "--scale", 2, "--quiet"
    )
    assert done.returncode == 0, done.stderr
    assert rgba(out).shape == (320, 256, 4)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--out", "page", "--format", "psd"], "ends in .psd"),
        (["--out", "a.psd", "--format", "html"], "needs a folder"),
        (["--out", "a.png", "--layer", "77"], "no layer"),
        (["--out", "a.png", "--over", "red"], "not a colour"),
        (["--out", "a.png", "--scale", "3"], "invalid choice"),
        (["--out", "a.webp", "--quality", "0"], "not in 1 to 100"),
        (["--out", "a.png", "--format", "kra"], "invalid choice"),
    ],
)
def test_bad_choices_are_bad_arguments(
    made: Path, tmp_path: Path, arguments: list[str], text: str
) -> None:
    """Exit 2, one message, nothing written."""
    where = [str(tmp_path / each) if each in ("page", "a.psd", "a.png", "a.webp") else each
             for each in arguments]  # fmt: skip
    done = layerloom("export", made / "design.ora", *where)
    assert done.returncode == 2, done.stderr
    assert text in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_makes_the_same_picture(made: Path, tmp_path: Path) -> None:
    """An exported PNG is a layout, seeds included."""
    png = tmp_path / "a.png"
    assert layerloom("export", made / "design.ora", "--out", png, "--quiet").returncode == 0
    done = layerloom("generate", "--layout", png, "--seed", 1, "--out", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert [layer["sha256"] for layer in manifest(tmp_path / "again")["layers"]] == [
        layer["sha256"] for layer in manifest(made)["layers"]
    ]
    info = layerloom("info", png)
    assert info.returncode == 0 and "boxes   3" in info.stdout


def test_a_recipe_is_verified(made: Path, tmp_path: Path) -> None:
    """Regenerate, compare hashes, say which of model, build, device, threads differ."""
    png = tmp_path / "a.png"
    layerloom("export", made / "design.ora", "--out", png, "--quiet")
    assert layerloom("verify", png).returncode == 0
    done = layerloom("--verify", png)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("was reproduced exactly") == 4
    with Image.open(png) as image:
        recipe = json.loads(image.text["layerloom"])  # type: ignore[attr-defined]
    recipe["layers"][1]["record"]["device"] = "abacus"
    recipe["layers"][1]["pixels"] = "0" * 64
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(recipe))
    done = layerloom("--verify", path)
    assert done.returncode == 1
    assert done.stdout.count("was reproduced exactly") == 3
    assert "was not reproduced" in done.stderr


def test_recipes_without_sense_are_told(made: Path, tmp_path: Path) -> None:
    """A message each, no traceback, the file as it was."""
    plain = tmp_path / "plain.png"
    done = layerloom("export", made / "design.ora", "--out", plain, "--no-recipe", "--quiet")
    assert done.returncode == 0
    cases: dict[str, bytes] = {
        "list.json": b"[[0, 0, 64, 64]]",
        "other.json": b'{"format": "other"}',
        "empty.json": b'{"format": "layerloom-recipe", "boxes": 3}',
        "odd.json": b'{"format": "layerloom-recipe", "layers": [{"number": 1, "kind": "generated",'
        b' "box": [0, 0, 64, 64], "record": {"layers": [{}]}}]}',
        "cut.png": plain.read_bytes()[:300],
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
    for path in sorted(tmp_path.iterdir()):
        before = path.read_bytes()
        done = layerloom("--verify", path)
        assert done.returncode == 1, (path.name, done.stderr)
        assert path.name in done.stderr or "layout" in done.stderr or "format" in done.stderr
        assert "Traceback" not in done.stderr and "went wrong" not in done.stderr, path.name
        assert path.read_bytes() == before
    assert layerloom("--verify", tmp_path / "none.json").returncode == 2
