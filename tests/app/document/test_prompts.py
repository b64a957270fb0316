"""Prompt history: in the document, in its file and its journal; it depends on no picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.document import Document, Rect
from app.document.commands import AddCandidates, Command, DeleteLayers, DiscardCandidates
from app.document.layer import Candidate
from app.document.pixels import Pixels
from app.document.storage.journal.records import applied, difference, document_out
from app.document.storage.ora.file import load_project, save_project
from app.document.storage.ora.project import json_bytes
from app.document.storage.ora.project_reading import ProjectError, read_project
from app.document.words import MAX_PROMPTS, remembered, together
from tests.app.document.examples import add_box, picture, run, small_document


def offer(document: Document, layer_id: int, prompt: str) -> Command:
    """A result for the layer that waits in the strip."""
    rect = document.layer(layer_id).rect
    pixels = Pixels.of(picture(rect.width, rect.height, len(prompt)))
    item = Candidate(pixels, {"seed": 1, "prompt": prompt}, rect)
    return run(document, AddCandidates({layer_id: item}))


def test_the_last_two_hundred_distinct_ones() -> None:
    """PR3: newest first, one place each, white space collapsed, the oldest goes."""
    history: tuple[str, ...] = ()
    for count in range(201):
        history = remembered(history, f"prompt {count}")
    assert (len(history), history[0], history[-1]) == (MAX_PROMPTS, "prompt 200", "prompt 1")
    assert remembered(("b", "a"), " a\n ") == ("a", "b")
    assert remembered(("a",), "  ") == ("a",)
    assert together(["a", "b"], ["c", "b", "d"]) == ["a", "b", "c", "d"]


def test_what_was_generated_with_is_kept_and_undone_with_it() -> None:
    """PR3, UN1: part of the result's own step; discarding or deleting the picture leaves it."""
    document = small_document()
    box = add_box(document, Rect(0, 0, 32, 32))
    first, before = document.contents, document.content_hash()
    command = offer(document, box, "a castle")
    assert list(document.contents.prompts) == ["a castle"]
    command.undo(document)
    assert document.contents == first
    assert document.content_hash() == before
    command.do(document)
    offer(document, box, "a dog")
    hashes = [item.pixel_hash for item in document.layer(box).candidates]
    run(document, DiscardCandidates({box: hashes}))
    run(document, DeleteLayers([box]))
    assert list(document.contents.prompts) == ["a dog", "a castle"]


def test_the_history_is_in_the_file_and_in_the_journal(tmp_path: Path) -> None:
    """PR3, 4.1: "prompt, prompt history, settings"; a copy for sharing has none of it."""
    document = small_document()
    box = add_box(document, Rect(0, 0, 32, 32))
    start = document.contents
    offer(document, box, "a castle")
    path = tmp_path / "a.ora"
    save_project(document.contents, path)
    assert load_project(path).contents.prompts == ("a castle",)
    save_project(document.contents, path, for_sharing=True)
    assert load_project(path).contents.prompts == ()
    patch = difference(start, document.contents)
    read = read_project(json_bytes(applied(document_out(start), patch)))
    assert read.base.prompts == ("a castle",)


def test_files_of_before_the_history_open_and_wrong_ones_do_not() -> None:
    """SV5, REL6: no history is an empty one; anything but at most 200 texts is damage."""
    whole = document_out(small_document().contents)
    del whole["prompt_history"]
    assert read_project(json.dumps(whole).encode()).base.prompts == ()
    for wrong in ("a castle", [4], ["a"] * 201, ["a" * 4001], None):
        with pytest.raises(ProjectError):
            read_project(json.dumps({**whole, "prompt_history": wrong}).encode())
