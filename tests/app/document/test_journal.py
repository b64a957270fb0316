"""The journal: what was noted is found again after a crash, whatever happened to the files."""

from __future__ import annotations

import errno
import os
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from app.document import Document, Rect, new_contents
from app.document.commands import (
    AddBox,
    DeleteLayers,
    MoveLayers,
    Rename,
    ReplaceDocument,
    SetPrompt,
)
from app.document.contents import content_hash
from app.document.errors import UserError
from app.document.storage.atomic import Disk, Stamp
from app.document.storage.errors import StorageError
from app.document.storage.journal import Keeper, WorkFolder, WorkInfo, recover, unfinished
from app.document.storage.journal import folder as folder_module
from app.document.storage.journal.folder import FolderLock
from app.document.storage.journal.records import (
    applied,
    difference,
    document_out,
    frame,
    parse_frames,
)
from app.document.storage.journal.recovery import discard, finish, in_use, save_pictures
from app.document.storage.pictures import read_picture
from tests.app.document.examples import UndoStack, design, fill, picture, run, small_document
from tests.app.document.test_atomic import FailingDisk, TornStream
from tests.reliability.random_edits import random_command

DIRTY = WorkInfo(is_clean=False)


def abandoned(folder: WorkFolder) -> Path:
    """As after kill -9: the lock is free and nothing was tidied."""
    folder.close(remove=False)
    return folder.path


def kept(root: Path, document: Document, steps: int = 0, seed: int = 0) -> WorkFolder:
    """A folder with a checkpoint and so many records."""
    folder = WorkFolder.create(root)
    folder.keep(document.contents, DIRTY)
    source = random.Random(seed)
    for _ in range(steps):
        random_command(document, source)
        folder.keep(document.contents, DIRTY)
    return folder


@pytest.mark.parametrize("seed", range(6))
def test_every_state_comes_back(tmp_path: Path, seed: int) -> None:
    """Pixels, candidates, prompt, order and numbers, after any commands."""
    document = design()
    folder = kept(tmp_path, document, 25, seed)
    found = recover(abandoned(folder))
    assert content_hash(found.contents) == document.content_hash()
    assert (found.messages, found.is_damaged, found.info) == ((), False, DIRTY)


def test_undo_and_other_documents_are_records_too(tmp_path: Path) -> None:
    """New and Open are records; undo of them brings the former document back."""
    document, folder = design(), WorkFolder.create(tmp_path)
    stack = UndoStack(document)
    folder.keep(document.contents, DIRTY)
    stack.push(ReplaceDocument(new_contents(boxes=[Rect(0, 0, 64, 64)], prompt="new")))
    info = WorkInfo("/pictures/new.ora", Stamp(5, 7), True)
    folder.keep(document.contents, info)
    path = folder.path
    copy = shutil.copytree(path, tmp_path / "copy")
    assert content_hash(recover(copy).contents) == document.content_hash()
    assert recover(copy).info == info
    stack.undo()
    folder.keep(document.contents, DIRTY)
    assert content_hash(recover(abandoned(folder)).contents) == design().content_hash()


def test_patches_rebuild_the_document() -> None:
    document = design()
    for seed in range(30):
        before = document.contents
        random_command(document, random.Random(seed))
        patch = difference(before, document.contents)
        assert applied(document_out(before), patch) == document_out(document.contents)
        assert difference(document.contents, document.contents) == {}


def test_keys_of_later_versions_come_and_go(tmp_path: Path) -> None:
    """Unknown keys are kept, here through a crash; another document has others."""
    document = design()
    folder = kept(tmp_path, document)
    plain, states = document.contents, []
    castle = replace(plain.foregrounds[0], extra={"later": 3})
    settings = replace(plain.settings, extra={"later": [1]})
    for contents in (replace(plain, settings=settings).with_layers([castle]), plain):
        folder.keep(contents, DIRTY)
        states.append(content_hash(recover(shutil.copytree(folder.path, tmp_path / "c")).contents))
        shutil.rmtree(tmp_path / "c")
        assert states[-1] == content_hash(contents)
    assert states[0] != states[1]
    folder.close(remove=True)


def test_what_did_not_change_is_not_written(tmp_path: Path) -> None:
    """A record of a move is small, whatever the pixels weigh."""
    document = design()
    folder = kept(tmp_path, document)
    journal = next(folder.path.glob("journal-*"))
    blobs = set((folder.path / "blobs").iterdir())
    assert not folder.keep(document.contents, DIRTY)
    assert journal.stat().st_size == 0
    run(document, MoveLayers([document.foregrounds[0].id], 5, 5))
    assert folder.keep(document.contents, DIRTY)
    assert 0 < journal.stat().st_size < 200
    assert set((folder.path / "blobs").iterdir()) == blobs
    abandoned(folder)


def test_checkpoints_keep_the_pair_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new checkpoint after some records; unneeded pairs and pictures go."""
    monkeypatch.setattr(folder_module, "MAX_RECORDS", 3)
    document = small_document()
    folder = kept(tmp_path, document)
    for number in range(12):
        run(document, Rename(document.background_id, f"Sky {number}"))
        if number == 0:
            fill(document, document.background_id, 1)
        if number == 2:
            run(document, ReplaceDocument(new_contents()))
        folder.keep(document.contents, DIRTY)
    names = sorted(path.name for path in folder.path.iterdir())
    assert names == [
        "base-000004",
        "base-000005",
        "blobs",
        "journal-000004",
        "journal-000005",
        "lock",
    ]
    assert list((folder.path / "blobs").iterdir()) == []  # the picture left with its document
    path = abandoned(folder)
    expected = document.content_hash()
    assert content_hash(recover(path).contents) == expected
    # A bad checkpoint falls back to the pair before, and loses nothing.
    (path / "base-000005").write_bytes(b"LLj1 damaged")
    found = recover(path)
    assert content_hash(found.contents) == expected
    assert not found.is_damaged
    (path / "base-000004").unlink()
    with pytest.raises(StorageError, match="cannot be read"):
        recover(path)
    assert (path / "base-000005").exists()


@pytest.mark.parametrize(
    ("name", "limit"), [("MAX_RECORDS", 2), ("MAX_JOURNAL_BYTES", 100), ("MAX_AGE_S", 0.0)]
)
def test_when_a_checkpoint_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, limit: float
) -> None:
    """After 200 records, 4 MB or 5 minutes, whichever is first."""
    limits = {"MAX_RECORDS": 200, "MAX_JOURNAL_BYTES": 4_000_000, "MAX_AGE_S": 300.0}
    assert {key: getattr(folder_module, key) for key in limits} == limits
    document = small_document()
    folder = kept(tmp_path, document)
    for number in range(3):
        run(document, Rename(document.background_id, f"Sky {number}"))
        folder.keep(document.contents, DIRTY)
    assert (folder.path / "base-000001").exists() and not (folder.path / "base-000002").exists()
    monkeypatch.setattr(folder_module, name, limit)
    run(document, Rename(document.background_id, "Night"))
    folder.keep(document.contents, DIRTY)
    assert (folder.path / "base-000002").exists()
    assert content_hash(recover(abandoned(folder)).contents) == document.content_hash()


@pytest.mark.parametrize("seed", range(8))
def test_a_torn_journal_reads_up_to_the_tear(tmp_path: Path, seed: int) -> None:
    """Cut anywhere, every whole record before the cut counts."""
    document = small_document()
    folder = WorkFolder.create(tmp_path)
    folder.keep(document.contents, DIRTY)
    states = [document.content_hash()]
    ends = [0]
    journal = next(folder.path.glob("journal-*"))
    for number in range(6):
        run(document, SetPrompt(f"prompt {number}"))
        folder.keep(document.contents, DIRTY)
        states.append(document.content_hash())
        ends.append(journal.stat().st_size)
    path = abandoned(folder)
    data = journal.read_bytes()
    cut = random.Random(seed).randrange(len(data))
    journal.write_bytes(data[:cut])
    found = recover(path)
    whole = max(place for place, end in enumerate(ends) if end <= cut)
    assert content_hash(found.contents) == states[whole]
    assert found.is_damaged == (cut not in ends)
    assert bool(found.messages) == found.is_damaged
    assert journal.read_bytes() == data[:cut]
    finish(path, is_damaged=True)
    assert unfinished(tmp_path) == []
    assert (tmp_path / f"{path.name}.damaged" / journal.name).read_bytes() == data[:cut]


@pytest.mark.parametrize("seed", range(40))
def test_damaged_folders_give_a_state_or_a_sentence(tmp_path: Path, seed: int) -> None:
    """Bits, bytes and lengths of every file; never an exception of another kind."""
    source = random.Random(seed)
    path = abandoned(kept(tmp_path, design(), 4, seed))
    files = [each for each in path.rglob("*") if each.is_file() and each.name != "lock"]
    for _ in range(source.randint(1, 3)):
        target = source.choice(files)
        data = bytearray(target.read_bytes())
        if not data:
            continue
        if source.random() < 0.3:
            del data[source.randrange(len(data)) :]
        else:
            data[source.randrange(len(data))] ^= 1 << source.randrange(8)
        target.write_bytes(bytes(data))
    (listed,) = unfinished(tmp_path)
    try:
        found = recover(path)
        Document(found.contents).content_hash()
    except UserError as error:
        text = f"{error.what} {error.kept} {error.advice}"
        if "cannot be read" not in text or "discard it" not in text:
            raise
        assert not listed.is_readable
    assert path.exists()


def test_records_that_fit_nothing_end_the_replay(tmp_path: Path) -> None:
    """Checksums are right, values are not."""
    for number, record in enumerate(
        [
            {"order": [5]},
            {"layers": []},
            {"layers": {"0": None}},
            {"layers": {"1": {"number": 1}}},
            {"drop": ["prompt"]},
            {"edits": {"9": {"name": "x"}}},
            {"edits": {"1": {"number": 2}}},
            {"edits": {"1": 5}},
            {"edits": []},
            {"edits": {"1": {"rect": [0, 0, 0, 0]}}},
            {"drop": ["layers"]},
            {"set": {"layers": 7}},
            {"set": {"canvas": [0, 0]}},
            {"set": {"canvas": [1e9, "x"]}},
        ]
    ):
        document = design()
        path = abandoned(kept(tmp_path / str(number), document))
        journal = next(path.glob("journal-*"))
        journal.write_bytes(frame(record))
        found = recover(path)
        assert found.is_damaged, record
        assert content_hash(found.contents) == document.content_hash()
    assert parse_frames(b"").values == ()
    assert parse_frames(b"LLj1\xff\xff\xff\xff1234").is_damaged


def test_folders_of_the_living_are_left_alone(tmp_path: Path) -> None:
    """Two programs at once use two work folders; neither offers the other's."""
    document = design()
    folder = WorkFolder.create(tmp_path)
    folder.keep(document.contents, WorkInfo("/x/beach.ora", None, False))
    other = kept(tmp_path, document)
    assert folder.path != other.path
    assert unfinished(tmp_path) == []
    assert in_use(tmp_path, Path("/x/beach.ora"))
    assert not in_use(tmp_path, Path("/x/other.ora"))
    with pytest.raises(StorageError, match="Another window"):
        recover(folder.path)
    abandoned(folder)
    assert not in_use(tmp_path, Path("/x/beach.ora"))
    (left,) = unfinished(tmp_path)
    assert (left.folder, left.name) == (folder.path, "beach.ora")
    assert (left.layers, left.candidates) == (3, 1)
    assert left.attempts == 0 and not left.is_old
    recover(folder.path)
    assert unfinished(tmp_path)[0].attempts == 1
    discard(folder.path)
    abandoned(other)
    assert [each.folder for each in unfinished(tmp_path)] == [other.path]


def test_saved_work_is_not_offered(tmp_path: Path) -> None:
    """Nothing unsaved, nothing to recover."""
    folder = WorkFolder.create(tmp_path)
    folder.keep(design().contents, WorkInfo("/x/beach.ora", None, True))
    path = abandoned(folder)
    assert unfinished(tmp_path) == []
    assert not path.exists()
    assert unfinished(tmp_path / "none") == []


def test_a_folder_goes_when_nobody_holds_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows removes no open file: a folder removed under its lock left an empty one there."""
    folder = WorkFolder.create(tmp_path)
    folder.keep(design().contents, WorkInfo("/x/beach.ora", None, True))
    abandoned(folder)
    WorkFolder.create(tmp_path).close(remove=False)  # nothing was ever kept in it
    remove = shutil.rmtree

    def checked(path: Path, **how: bool) -> None:
        if (path / "lock").exists():
            lock = FolderLock.take(path)
            assert lock is not None
            lock.release()
        remove(path, **how)

    monkeypatch.setattr(shutil, "rmtree", checked)
    assert unfinished(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_pictures_can_be_taken_out(tmp_path: Path) -> None:
    """The way out when recovery fails again and again."""
    path = abandoned(kept(tmp_path, design()))
    (path / "blobs" / "broken.png").write_bytes(b"x")
    count = save_pictures(path, tmp_path / "out")
    assert count == len(list((tmp_path / "out").iterdir())) == 3
    for saved in (tmp_path / "out").iterdir():
        assert read_picture(saved).pixels.shape[2] == 4
    with pytest.raises(StorageError, match="untouched"):
        save_pictures(path, tmp_path / "out")


# ---- faults ----


def test_every_failing_call_keeps_what_was_kept(tmp_path: Path) -> None:
    """For all n the n-th file call fails; no state before it is lost."""
    reference = FailingDisk()
    _three_states(tmp_path / "reference", reference)
    assert len(reference.calls) > 10
    for number in range(1, len(reference.calls) + 1):
        root = tmp_path / str(number)
        disk = FailingDisk(number, random.Random(number).choice([errno.ENOSPC, errno.EIO]))
        states, last = _three_states(root, disk)
        found = recover(next(root.iterdir()))
        assert content_hash(found.contents) in states[states.index(last) :], number


def _three_states(root: Path, disk: Disk) -> tuple[list[str], str]:
    """All states, and the last that was kept; after a failure it goes on as the keeper does."""
    document, folder = small_document(), WorkFolder.create(root, disk=disk)
    states, last = [], ""
    for number in range(3):
        fill(document, document.background_id, number)
        states.append(document.content_hash())
        for _ in range(2):
            try:
                folder.keep(document.contents, DIRTY)
                last = states[-1]
                break
            except StorageError as error:
                if "not being kept" not in error.what:
                    raise
    abandoned(folder)
    return states, last


@pytest.mark.parametrize("fail_at", range(1, 5))
def test_a_torn_record_costs_only_itself(tmp_path: Path, fail_at: int) -> None:
    """Half a record stands in the journal; the next state begins a new pair."""

    class TornDisk(Disk):
        def extend(self, path: Path) -> BinaryIO:
            stream: Any = TornStream(super().extend(path), fail_at, errno.ENOSPC)
            return stream

    document, folder = small_document(), WorkFolder.create(tmp_path, disk=TornDisk())
    folder.keep(document.contents, DIRTY)
    failures = 0
    for number in range(4):
        run(document, SetPrompt(f"prompt {number}"))
        before = content_hash(recover(shutil.copytree(folder.path, tmp_path / "copy")).contents)
        shutil.rmtree(tmp_path / "copy")
        try:
            folder.keep(document.contents, DIRTY)
        except StorageError:
            failures += 1
            torn = recover(shutil.copytree(folder.path, tmp_path / "copy"))
            shutil.rmtree(tmp_path / "copy")
            assert content_hash(torn.contents) == before
            folder.keep(document.contents, DIRTY)
        copy = shutil.copytree(folder.path, tmp_path / "copy")
        assert content_hash(recover(copy).contents) == document.content_hash()
        shutil.rmtree(copy)
    assert failures == 4 // fail_at
    abandoned(folder)


def test_a_full_disk_is_told_once_and_ends(tmp_path: Path) -> None:
    """Events mark its begin and its end; the state is kept after that."""

    class FullDisk(Disk):
        is_full = True

        def create(self, path: Path, mode: int) -> BinaryIO:
            if self.is_full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().create(path, mode)

    told: list[StorageError | None] = []
    disk = FullDisk()
    keeper = Keeper(tmp_path, told.append, delay_s=0.0, disk=disk)
    document = design()
    keeper.note(document.contents, DIRTY)
    assert not keeper.flush()
    keeper.note(document.contents, DIRTY)
    assert not keeper.flush()
    assert [error is None for error in told] == [False]
    assert "the disk is full" in str(told[0]) and "Ctrl+S" in str(told[0])
    disk.is_full = False
    keeper.close(remove=False)  # a last try
    assert told[-1] is None
    (found,) = unfinished(tmp_path)
    assert content_hash(recover(found.folder).contents) == document.content_hash()


def test_the_keeper_writes_the_newest_state(tmp_path: Path) -> None:
    """Many states in a row become few records, the last one is never left out."""
    document = small_document()
    keeper = Keeper(tmp_path, delay_s=0.0)
    for number in range(50):
        run(document, SetPrompt(f"{number}"))
        keeper.note(document.contents, DIRTY)
    assert keeper.flush()
    folder = keeper.folder
    assert folder is not None
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert recover(copy).contents.prompt == "49"
    shutil.rmtree(copy)
    run(document, AddBox(Rect(0, 0, 16, 16)))
    keeper.note(document.contents, DIRTY)
    keeper.close(remove=False)  # what was noted is written first
    assert content_hash(recover(folder).contents) == document.content_hash()
    run(document, DeleteLayers([document.foregrounds[0].id]))


def test_a_clean_end_leaves_nothing(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, delay_s=0.0)
    keeper.note(design().contents, WorkInfo())
    assert keeper.flush()
    keeper.close(remove=True)
    assert list(tmp_path.iterdir()) == []
    keeper = Keeper(tmp_path / "never")
    keeper.close(remove=False)
    assert not (tmp_path / "never").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="not being kept"):
        WorkFolder.create(tmp_path / "file" / "work")


def test_records_hold_any_text(tmp_path: Path) -> None:
    document = small_document()
    folder = WorkFolder.create(tmp_path)
    folder.keep(document.contents, DIRTY)
    for text in ("層 \ud800 é", "a\x00b\n", "\u2028"):
        run(document, SetPrompt(text))
        folder.keep(document.contents, DIRTY)
    assert content_hash(recover(abandoned(folder)).contents) == document.content_hash()
    assert picture(2, 2).shape == (2, 2, 4)


@pytest.mark.parametrize("size", [1, 40, 255, 3000])
def test_the_file_may_have_any_name(tmp_path: Path, size: int) -> None:
    """Also bytes that are not UTF-8; the journal's own names do not depend on it."""
    for seed in range(5):
        data = bytes(random.Random(seed).choices(range(1, 256), k=size))
        info = WorkInfo(os.fsdecode(b"/pictures/" + data + b".ora"), None, False)
        folder = WorkFolder.create(tmp_path)
        folder.keep(design().contents, info)
        assert recover(abandoned(folder)).info == info
