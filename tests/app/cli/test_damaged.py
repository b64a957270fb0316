"""Damaged files on the command line: exit code 1 with a message, and the file is as it was.

In this process, because a child per case takes a second; `app.cli.main` is all that a child runs.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from app import cli
from app.document.errors import UserError
from app.document.storage.ora.file import load_project
from tests.reliability.damage import KINDS, mutated

CASES = 24  # of each kind; 480 once, by hand


def damaged(kind: str, folder: Path) -> list[Path]:
    """Files that no longer open, each with another damage."""
    make, _ = KINDS[kind]
    whole = make(Random(kind))
    found = []
    for number in range(CASES):
        path = folder / f"{kind}-{number}.ora"
        path.write_bytes(mutated(whole, Random(f"{kind}:{number}")))
        try:
            load_project(path)
        except UserError:
            found.append(path)
    return found


@pytest.mark.parametrize("kind", ["project", "foreign"])
@pytest.mark.parametrize("command", ["verify", "export"])
def test_each_refusal_has_a_message(
    kind: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = damaged(kind, tmp_path)
    assert len(paths) >= CASES // 4, "the damage does too little to test anything"
    out = tmp_path / "out"
    out.mkdir()
    for path in paths:
        before = path.read_bytes()
        arguments = ["--out", str(out / "a.png")] if command == "export" else []
        assert cli.main([command, str(path), *arguments]) == cli.FAILED, path.name
        said = capsys.readouterr().err
        assert path.name in said, said
        assert "Traceback" not in said and "went wrong" not in said, said
        assert path.read_bytes() == before
    assert list(out.iterdir()) == []
    assert len(list(tmp_path.iterdir())) == CASES + 1


def test_a_recipe_that_is_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, _ = KINDS["recipe"]
    whole = make(Random("recipe"))
    for number in range(CASES):
        path = tmp_path / f"recipe-{number}.json"
        data = mutated(whole, Random(f"recipe:{number}"))
        path.write_bytes(data)
        code = cli.main(["verify", str(path)])
        said = capsys.readouterr().err
        assert code in (cli.OK, cli.FAILED)
        assert code == cli.OK or said.strip(), "a refusal without a message"
        assert "Traceback" not in said and "went wrong" not in said, said
        assert path.read_bytes() == data
