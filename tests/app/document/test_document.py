"""The document: events, seeds, limits and ids."""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import numpy as np
import pytest

from app.document import Document, DocumentError, LimitError, Rect, Size, new_contents
from app.document.commands import (
    AddBox,
    AddLayers,
    Command,
    DeleteLayers,
    DuplicateLayers,
    MoveLayers,
    Rename,
    Reorder,
    ReplaceDocument,
    SetBackground,
    SetCanvas,
    SetPrompt,
    SetSettings,
)
from app.document.contents import Contents, Settings
from app.document.storage.incoming import picture_layer
from tests.app.document.examples import add_box, design, fill, run, small_document

NAMES = ("layer_removed prompt_changed settings_changed canvas_changed reset changed").split()


def listen(document: Document) -> list[tuple[Any, ...]]:
    """Every event of the document from now on, as (name, *arguments)."""
    heard: list[tuple[Any, ...]] = []

    def hear(name: str) -> None:
        getattr(document.events, name).connect(lambda *values: heard.append((name, *values)))

    for name in NAMES:
        hear(name)
    return heard


def test_a_new_document_has_a_background_and_nothing_else() -> None:
    document = Document()
    assert document.canvas == Size(512, 512)
    assert [layer.number for layer in document.layers] == [0]
    assert document.background is document.layers[0]
    assert document.foregrounds == ()


def test_each_command_tells_exactly_what_changed() -> None:
    document = small_document()
    heard = listen(document)
    layer_id = add_box(document)
    run(document, MoveLayers([layer_id], 16, 0))
    run(document, Rename(layer_id, "Castle"))
    run(document, SetPrompt("a castle"))
    run(document, SetSettings(Settings(steps=4)))
    run(document, SetCanvas(Size(128, 64)))
    run(document, SetBackground(False))
    run(document, DeleteLayers([layer_id]))
    background = document.background_id
    assert heard == [
        ("changed", 1),
        ("changed", 2),
        ("changed", 3),
        ("prompt_changed", "a castle"),
        ("changed", 4),
        ("settings_changed",),
        ("changed", 5),
        ("canvas_changed",),
        ("changed", 6),
        ("layer_removed", background),
        ("changed", 7),
        ("layer_removed", layer_id),
        ("changed", 8),
    ]


def test_pixels_and_order_are_one_event_each_and_undo_tells_again() -> None:
    document = small_document()
    first, second = add_box(document), add_box(document)
    heard = listen(document)
    fill(document, first, 1)
    command = run(document, Reorder([first], above=second))
    assert heard == [("changed", 3), ("changed", 4)]
    command.undo(document)
    assert heard[2:] == [("changed", 5)]


def test_another_document_is_one_reset() -> None:
    document = design()
    heard = listen(document)
    command = run(document, ReplaceDocument(new_contents(Size(64, 64), 16), "New"))
    assert [name for name, *_ in heard] == ["reset", "changed"]
    command.undo(document)
    assert [name for name, *_ in heard] == ["reset", "changed", "reset", "changed"]


def test_layers_changed_comes_with_layers_alone() -> None:
    """Words, settings and the canvas are no layers; another document has other layers."""
    document, count = small_document(), [0]

    def hear() -> None:
        count[0] += 1

    document.events.layers_changed.connect(hear)
    layer_id = add_box(document)
    run(document, Rename(layer_id, "Castle"))
    run(document, SetBackground(False))
    assert count == [3]
    run(document, SetPrompt("a castle"))
    run(document, SetSettings(Settings(steps=4)))
    assert count == [3]
    command = run(document, ReplaceDocument(new_contents(Size(64, 64), 16), "New"))
    command.undo(document)
    assert count == [5]


def test_a_command_that_changes_nothing_is_silent() -> None:
    document = design()
    heard = listen(document)
    command = run(document, SetPrompt(document.prompt))
    assert command.changes_nothing
    assert heard == []


def test_listeners_see_the_finished_change() -> None:
    document = design()
    seen: list[tuple[int, str]] = []
    document.events.layer_removed.connect(
        lambda layer_id: seen.append((len(document.layers), document.prompt))
    )
    run(document, DeleteLayers([layer.id for layer in document.foregrounds]))
    assert seen == [(1, ""), (1, "")]


def test_a_failing_listener_cannot_harm_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command succeeded, so it must reach the undo stack; the error is still reported."""
    reported: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: reported.append(error))
    document = small_document()

    def fail(prompt: str) -> None:
        raise KeyError(prompt)

    document.events.prompt_changed.connect(fail)
    run(document, SetPrompt("x"))
    assert document.prompt == "x"
    assert [type(error) for error in reported] == [KeyError]


def test_seeds_depend_on_number_alone() -> None:
    """The first four bytes of SHA-256 of "S:number"; pinned seeds win."""
    document = small_document()
    one, two = add_box(document), add_box(document)
    expected = int.from_bytes(hashlib.sha256(b"7:2").digest()[:4], "big")
    assert document.seed_for(document.layer(two), 7) == expected
    run(document, Reorder([one], above=two))
    run(document, DeleteLayers([one]))
    assert document.seed_for(document.layer(two), 7) == expected
    background = document.layer(document.background_id)
    expected = int.from_bytes(hashlib.sha256(b"7:0").digest()[:4], "big")
    assert document.seed_for(background, 7) == expected


def test_a_document_takes_more_than_the_model_and_refuses_more_than_a_file() -> None:
    document = Document(new_contents(Size(96, 64), 16, boxes=[Rect(0, 0, 16, 16)] * 198), 16)
    AddBox(Rect(0, 0, 16, 16)).do(document)
    before = document.content_hash()
    for command in (
        AddBox(Rect(0, 0, 16, 16)),
        DuplicateLayers([document.foregrounds[0].id]),
    ):
        with pytest.raises(LimitError) as caught:
            command.do(document)
        assert str(caught.value) == (
            "A document holds up to 200 layers. The box was not added. Delete a layer first."
        )
    picture = picture_layer(np.full((8, 8, 4), 255, np.uint8), "sun", document.canvas)
    with pytest.raises(LimitError, match="The picture was not added"):
        AddLayers([picture]).do(document)
    assert document.content_hash() == before
    assert document.revision == 1


def test_ids_are_never_used_again_but_numbers_follow_undo() -> None:
    document = small_document()
    first = run(document, AddBox(Rect(0, 0, 16, 16)))
    first.undo(document)
    second = AddBox(Rect(0, 0, 16, 16))
    second.do(document)
    assert second.layer_id != first.layer_id  # type: ignore[attr-defined]
    assert document.layer(second.layer_id).number == 1
    run(document, DeleteLayers([second.layer_id]))
    assert document.layer(add_box(document)).number == 2


def test_looking_up_layers() -> None:
    document = design()
    castle = document.foregrounds[0]
    assert (castle.name, castle.number) == ("Castle", 1)
    assert document.index_of(castle.id) == 1
    assert document.has_layer(castle.id)
    with pytest.raises(DocumentError, match="no layer"):
        document.layer(-1)
    run(document, SetBackground(False))
    assert document.background is None
    assert not document.has_layer(document.background_id)
    assert document.layer(document.background_id).has_pixels
    assert document.index_of(castle.id) == 0


def test_a_failed_command_leaves_everything_alone() -> None:
    class Bad(Command):
        """Fails halfway."""

        def _apply(self, contents: Contents) -> Contents:
            raise DocumentError("No.")

        def _describe(self, contents: Contents) -> str:
            return "Bad"

    document = design()
    before, revision = document.content_hash(), document.revision
    command = Bad()
    with pytest.raises(DocumentError):
        command.do(document)
    with pytest.raises(RuntimeError, match="not done"):
        command.undo(document)
    assert (document.content_hash(), document.revision) == (before, revision)


def test_a_snapshot_does_not_change_with_the_document() -> None:
    document = design()
    snapshot, hash_before = document.contents, document.content_hash()
    run(document, DeleteLayers([layer.id for layer in document.foregrounds]))
    assert Document(snapshot).content_hash() == hash_before
