"""Files that do not open as they should: their backup, their readable layers, their recipes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.document.contents import content_hash
from app.document.storage.atomic import backup_path
from app.document.storage.errors import NewerFormatError, StorageError
from app.document.storage.names import numbered_copy
from app.document.storage.ora.file import (
    load_project,
    readable_layers,
    save_project,
    ways_out,
    with_recipes_of,
)
from app.document.storage.png import encode_png
from tests.app.document.examples import plain
from tests.app.document.test_ora import Members, members_of, rich, saved, write_members


def rewritten(path: Path) -> Members:
    """What a program leaves that knows nothing of us: layers only."""
    return {
        name: data for name, data in members_of(path).items() if not name.startswith("layerloom/")
    }


def test_recipes_come_back_from_the_backup(tmp_path: Path) -> None:
    """Another program dropped our data; the backup still has it."""
    document = rich()
    path = saved(document, tmp_path)
    save_project(document.contents, path)  # now the backup has everything too
    write_members(path, rewritten(path))
    assert not load_project(path).is_project
    ways = ways_out(path)
    assert ways.backup == backup_path(path)
    assert abs(ways.saved_at - backup_path(path).stat().st_mtime) < 0.01
    opened = with_recipes_of(path, ways.backup)
    assert opened.is_project
    assert content_hash(opened.contents) == document.content_hash()
    assert opened.stamp is not None


def test_what_the_other_program_painted_stays(tmp_path: Path) -> None:
    """The file's own pixels win; candidates of the painted layer are kept."""
    document = rich()
    castle = document.foregrounds[0]
    path = saved(document, tmp_path)
    save_project(document.contents, path)
    members = rewritten(path)
    members["data/L0001.png"] = encode_png(plain(48, 32, (9, 8, 7, 255)))
    write_members(path, members)
    opened = with_recipes_of(path, backup_path(path))
    painted = opened.contents.foregrounds[0]
    assert painted.pixels is not None and tuple(painted.pixels[0, 0]) == (9, 8, 7, 255)
    assert painted.record is not None and painted.record["edited_outside"] is True
    assert [item.pixel_hash for item in painted.candidates] == [
        item.pixel_hash for item in castle.candidates
    ]
    assert opened.contents.prompt == document.prompt
    assert "1 layer no longer match" in opened.messages[0]


def test_a_backup_without_our_data_is_none(tmp_path: Path) -> None:
    path = saved(rich(), tmp_path)
    assert ways_out(path).backup is None
    write_members(backup_path(path), rewritten(path))
    assert ways_out(path).backup is None
    backup_path(path).write_bytes(b"PK damaged")
    assert ways_out(path).backup is None


def test_readable_layers_open_as_a_copy(tmp_path: Path) -> None:
    """One PNG is unreadable; the others come, the lost one is named."""
    document = rich()
    path = saved(document, tmp_path)
    members = members_of(path)
    members["data/L0001.png"] = b"broken"
    write_members(path, members)
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"data/L0001\.png"):
        load_project(path)
    opened = readable_layers(path)
    assert ways_out(path).layers == len(opened.contents.layers) == len(document.layers) - 1
    assert "left out: 'Castle'" in opened.messages[0]
    assert opened.stamp is None
    assert path.read_bytes() == before


def test_nothing_readable_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.ora"
    stack = b'<image w="32" h="32"><stack><layer src="a.png"/></stack></image>'
    write_members(path, {"stack.xml": stack, "a.png": b"x"})
    with pytest.raises(StorageError, match="all of its layers"):
        readable_layers(path)
    assert ways_out(path).layers == 0
    assert ways_out(tmp_path / "none.ora").layers == 0


def test_layers_of_a_newer_file_open_as_a_copy(tmp_path: Path) -> None:
    """Refused, and the way around it."""
    path = saved(rich(), tmp_path)
    members = members_of(path)
    data = json.loads(members["layerloom/document.json"])
    members["layerloom/document.json"] = json.dumps(
        {**data, "version": 9, "reads_from": 9}
    ).encode()
    write_members(path, members)
    with pytest.raises(NewerFormatError):
        load_project(path)
    assert ways_out(path).layers > 0
    assert len(readable_layers(path).contents.layers) == ways_out(path).layers


def test_numbered_copies_count_on(tmp_path: Path) -> None:
    path = tmp_path / "beach.ora"
    assert numbered_copy(path).name == "beach_001.ora"
    (tmp_path / "beach_001.ora").touch()
    (tmp_path / "beach_007.ora").touch()
    (tmp_path / "beach_009.png").touch()
    (tmp_path / "my beach_012.ora").touch()
    assert numbered_copy(path).name == "beach_008.ora"
    assert numbered_copy(tmp_path / "beach_007.ora").name == "beach_008.ora"
    assert numbered_copy(tmp_path / "beach_1000.ora").name == "beach_008.ora"
    assert numbered_copy(tmp_path / "none" / "a.ora").name == "a_001.ora"
