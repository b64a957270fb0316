"""Damage is what it says: hostile archives are sound archives with hostile members."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from random import Random

import pytest

from app.document.storage.errors import StorageError
from app.document.storage.ora.file import load_project, save_project
from tests.app.document.examples import design
from tests.reliability.damage import _with_odd_members


def test_a_crowd_is_added_to_what_was_there(tmp_path: Path) -> None:
    """The crowd is made once and shared; who has it keeps members of its own."""
    path = tmp_path / "a.ora"
    save_project(design().contents, path)
    original = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        own = {name: archive.read(name) for name in archive.namelist()}
    found = set()
    for seed in range(60):
        data = _with_odd_members(original, Random(seed))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            extra = [name for name in archive.namelist() if name.startswith("extra/")]
            if not extra:
                continue
            assert {name: archive.read(name) for name in own} == own
            assert len(archive.namelist()) == len(own) + len(extra)
        found.add(len(extra))
        path.write_bytes(data)
        if len(extra) > 10_000:
            with pytest.raises(StorageError, match="unpacks to more"):
                load_project(path)
        else:
            load_project(path)
    assert found == {3, 10_001}
