"""OpenRaster files of other programs, and backups, on the command line: codes, texts, pixels."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import cli
from tests.app.document.examples import import_picture, picture, small_document
from tests.app.document.foreign_ora import (
    Node,
    blob,
    ground_layer,
    members_of_tree,
    premultiplied,
    rendered,
    write_ora,
)
from tests.app.document.test_foreign_ora import SVG, marked, two
from tests.app.document.test_ora import members_of, rich, saved


def grouped() -> list[Node]:
    source = random.Random(3)
    children = [Node(f"child {n}", blob(source), 3, 3) for n in range(2)]
    return [Node("Sky", children=children, opacity=0.5), ground_layer(source)]


def test_a_merged_group_is_exported_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_ora(tmp_path / "a.ora", members_of_tree(grouped()))
    assert cli.main(["export", str(path), "--out", str(tmp_path / "a.png")]) == cli.OK
    assert "Group 'Sky' was merged into one layer" in capsys.readouterr().err
    with Image.open(tmp_path / "a.png") as image:
        shown = premultiplied(np.asarray(image.convert("RGBA")))
    assert np.abs(shown - rendered(grouped())).max() * 255 <= 1.5


def test_a_layer_left_out_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    members = {**members_of_tree(two()), "data/Été 1.png": SVG}
    path = write_ora(tmp_path / "a.ora", members)
    for command in (["info", str(path)], ["export", str(path), "--out", str(tmp_path / "a.png")]):
        assert cli.main(command) == cli.OK
        said = "Not read and left out: 'Été 1' ('data/Été 1.png' is an SVG drawing"
        assert said in capsys.readouterr().err
    with Image.open(tmp_path / "a.png") as image:
        shown = premultiplied(np.asarray(image.convert("RGBA")))
    assert np.abs(shown - rendered(two()[1:])).max() * 255 <= 1


def test_the_original_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_ora(tmp_path / "a.ora", members_of_tree(grouped()))
    before = path.read_bytes()
    assert cli.main(["export", str(path), "--out", str(path)]) != cli.OK
    said = capsys.readouterr().err
    assert "'a.ora' contains parts that this program cannot save. Group 'Sky'" in said
    assert "Choose another name for --out." in said
    assert path.read_bytes() == before
    assert cli.main(["export", str(path), "--out", str(tmp_path / "b.ora")]) == cli.OK


def test_the_backup_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The messages about damage recommend it."""
    document = small_document()
    import_picture(document, picture(20, 10), "Castle")
    path = saved(document, tmp_path)
    backup = path.rename(tmp_path / "beach.ora~")
    assert cli.main(["info", str(backup)]) == cli.OK
    assert "Castle" in capsys.readouterr().out
    assert cli.main(["verify", str(backup)]) == cli.OK
    assert "all hashes are right" in capsys.readouterr().out
    assert cli.main(["export", str(backup), "--out", str(tmp_path / "a.png")]) == cli.OK


@pytest.mark.parametrize("is_ours", [True, False])
def test_verify_misses_the_merged_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], is_ours: bool
) -> None:
    members = members_of(saved(rich(), tmp_path)) if is_ours else members_of_tree(two())
    del members["mergedimage.png"]
    path = write_ora(tmp_path / "a.ora", members)
    assert cli.main(["verify", str(path)]) == cli.FAILED
    said = capsys.readouterr().err
    assert "The merged picture 'mergedimage.png' is missing" in said
    assert "damaged" not in said and "Nothing was opened" not in said


def test_verify_knows_a_merged_picture_by_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is rounded otherwise is right; one of other layers, or a damaged one, is not."""
    members = members_of_tree(grouped())
    path = write_ora(tmp_path / "a.ora", members)
    cli.main(["verify", str(path)])
    assert "merged picture" not in capsys.readouterr().err
    for data, told in (
        (members_of_tree(two())["mergedimage.png"], "is not what its layers make"),
        (b"x", "cannot be read"),
    ):
        write_ora(path, {**members, "mergedimage.png": data})
        assert cli.main(["verify", str(path)]) == cli.FAILED
        assert f"The merged picture {'in it ' if 'layers' in told else ''}{told}" in (
            capsys.readouterr().err
        )


@pytest.mark.parametrize("command", ["info", "verify", "export"])
def test_refusals_name_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    path = write_ora(tmp_path / "a.ora", members_of_tree(two()))
    marked(path, "data/ground.png", 8, 9)
    more = ["--out", str(tmp_path / "a.png")] if command == "export" else []
    assert cli.main([command, str(path), *more]) == cli.FAILED
    said = capsys.readouterr().err
    assert "is packed in a way this program does not read (Deflate64)" in said
    assert "damaged" not in said
    assert not (tmp_path / "a.png").exists()
