"""Model files of a folder, listed from their headers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from engine import WeightsError, list_models
from engine.model_files import default_path
from engine.models.checkpoint import load_model

CARD = {"name": "Colours", "canvases": [[320, 240]], "credits": ["a licence"]}


def write(path: Path, **header: str) -> None:
    save_file({"a": np.zeros(1, np.float32)}, path, metadata=header)


def test_the_shipped_model_is_listed_as_it_loads() -> None:
    """The word table next to it is no model."""
    (listed,) = list_models()
    model = load_model()
    assert (listed.path, listed.problem) == (default_path(), "")
    assert (listed.name, listed.file_hash) == (model.card.name, model.file_hash)
    assert listed.vocabulary == model.card.vocabulary
    assert (listed.canvases, listed.licences) == (model.card.canvases, model.card.credits)
    assert listed.tasks == ("generate",)


def test_listing_does_not_load_torch() -> None:
    code = "import engine, sys; engine.list_models(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0


def test_each_file_is_listed_or_says_what_is_wrong(tmp_path: Path) -> None:
    write(tmp_path / "b.safetensors", card=json.dumps({**CARD, "tasks": ["restyle"]}))
    write(tmp_path / "c.safetensors", card="[]")
    write(tmp_path / "words.safetensors", words="[]")
    (tmp_path / "a.safetensors").write_bytes(b"not a model")
    (tmp_path / "notes.txt").write_text("nothing")
    damaged, colours, odd = list_models(tmp_path)
    assert damaged.name == "a" and "cannot be read" in damaged.problem
    assert (colours.name, colours.tasks, colours.problem) == ("Colours", ("restyle",), "")
    assert colours.vocabulary is None
    assert "its card cannot be read" in odd.problem


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        list_models(tmp_path / "none")
