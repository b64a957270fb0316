"""Undo and redo of every command, in any order: a state machine that knows hashes only.

A second listener keeps the ids of layers by events alone; they must always agree.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import app.document.commands as commands
from app.document import Document, Rect, Size, UserError, new_contents
from app.document.candidates import original_of
from app.document.commands import Command, Placement
from app.document.commands.base import OnLayers
from app.document.contents import Settings, content_hash
from app.document.layer import Layer
from app.document.storage.incoming import picture_layer
from app.document.storage.journal import WorkFolder, WorkInfo, recover
from app.document.storage.ora.file import load_project, write_ora
from tests.app.document.examples import UndoStack, picture

numbers = st.integers(-80, 160)
rects = st.builds(Rect, numbers, numbers, st.integers(1, 90), st.integers(1, 90))
sizes = st.builds(Size, st.sampled_from([16, 48, 96]), st.sampled_from([16, 64]))
opacities = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))
# Any text at all, lone surrogates and control characters included.
texts = st.one_of(
    st.text(max_size=12), st.sampled_from(["\ud800", "a\x00b", "\ufffe", "<&>\"'", "a\r\nb", "層"])
)
gestures = st.one_of(st.none(), st.integers(1, 2))
seeds = st.one_of(st.none(), st.integers(0, 2**32 - 1))
records = st.one_of(st.none(), st.fixed_dictionaries({"seed": st.integers(0, 9), "prompt": texts}))
plain_settings = st.builds(
    Settings,
    steps=st.one_of(st.none(), st.integers(1, 50)),
    cfg_scale=st.one_of(st.none(), st.floats(0, 20)),
    clean_colours=st.sampled_from(["automatic", "on", "off"]),
    seed_mode=st.sampled_from(["random", "fixed"]),
    seed=st.integers(0, 2**32 - 1),
    variations=st.integers(1, 8),
)


def some(document: Document) -> st.SearchStrategy[list[int]]:
    """Ids of one or more layers; now and then of the background or of none."""
    ids = [layer.id for layer in document.foregrounds] or [document.background_id]
    mostly = st.lists(st.sampled_from(ids), min_size=1, max_size=3, unique=True)
    return st.one_of(mostly, mostly, st.just([document.background_id]), st.just([10**9]))


def one(document: Document) -> st.SearchStrategy[int]:
    return some(document).map(lambda ids: ids[0])


def placements(document: Document) -> st.SearchStrategy[list[Placement]]:
    def place(layer_id: int, seed: int, record: dict | None) -> Placement:
        try:
            rect = document.layer(layer_id).region(document.grid, document.canvas)
        except UserError:
            rect = Rect(0, 0, 16, 16)
        return Placement(layer_id, picture(rect.width, rect.height, seed), rect, record)

    single = st.builds(place, one(document), st.integers(0, 3), records)
    return st.lists(single, min_size=1, max_size=3)


def several(document: Document) -> st.SearchStrategy[dict[int, str]]:
    known = {
        layer.id: [item.pixel_hash for item in layer.candidates]
        for layer in document.layers
        if layer.candidates
    }
    if not known:
        return st.just({document.background_id: "none"})
    chosen = st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=3, unique=True)
    return chosen.flatmap(
        lambda ids: st.fixed_dictionaries({key: st.sampled_from(known[key]) for key in ids})
    )


def fresh(document: Document) -> st.SearchStrategy[Command]:
    def build(placed: list[Placement], gesture: int | None) -> Command:
        found = {item.layer_id: item.as_candidate() for item in placed}
        return commands.AddCandidates(found, gesture=gesture)

    return st.builds(build, placements(document), gestures)


def imported(document: Document) -> st.SearchStrategy[list[Layer]]:
    return st.builds(
        lambda pixels, name, centre: [
            picture_layer(pixels, name, document.canvas, centre=centre, fit=False)
        ],
        st.builds(picture, st.integers(1, 40), st.integers(1, 40), st.integers(0, 3)),
        texts,
        st.one_of(st.none(), st.tuples(numbers, numbers)),
    )


def place_of(document: Document) -> st.SearchStrategy[int | None]:
    return st.one_of(st.none(), one(document))


FACTORIES: dict[type[Command], Callable[[Document], st.SearchStrategy[Command]]] = {
    commands.AddCandidates: fresh,
    commands.AddBox: lambda d: st.builds(commands.AddBox, rects, place_of(d), texts),
    commands.AddLayers: lambda d: st.builds(
        commands.AddLayers,
        st.one_of(
            some(d).map(lambda ids: [layer for layer in d.layers if layer.id in ids]),
            imported(d),
        ),
        place_of(d),
    ),
    commands.DeleteLayers: lambda d: st.builds(commands.DeleteLayers, some(d)),
    commands.DiscardCandidates: lambda d: several(d).map(
        lambda chosen: commands.DiscardCandidates({key: [value] for key, value in chosen.items()})
    ),
    commands.DuplicateLayers: lambda d: st.builds(commands.DuplicateLayers, some(d)),
    commands.KeepAsIs: lambda d: st.builds(commands.KeepAsIs, some(d)),
    commands.MoveLayers: lambda d: st.builds(
        commands.MoveLayers, some(d), numbers, numbers, gestures
    ),
    commands.PlaceBoxes: lambda d: st.builds(
        commands.PlaceBoxes, st.lists(st.tuples(rects, texts), max_size=3), st.booleans()
    ),
    commands.PlacePixels: lambda d: st.builds(commands.PlacePixels, placements(d)),
    commands.Rename: lambda d: st.builds(commands.Rename, one(d), texts),
    commands.Reorder: lambda d: st.builds(commands.Reorder, some(d), place_of(d)),
    commands.ReplaceDocument: lambda d: st.builds(
        lambda size, boxes, text: commands.ReplaceDocument(
            new_contents(size, 16, boxes=boxes, prompt=text.encode("utf-8", "replace").decode())
        ),
        sizes,
        st.lists(rects, max_size=3),
        texts,
    ),
    commands.SetBackground: lambda d: st.builds(commands.SetBackground, st.booleans()),
    commands.SetBlend: lambda d: st.builds(
        commands.SetBlend, some(d), st.one_of(st.sampled_from(["normal", "multiply"]), texts)
    ),
    commands.SetCanvas: lambda d: st.builds(commands.SetCanvas, sizes, numbers, numbers),
    commands.SetLocked: lambda d: st.builds(commands.SetLocked, some(d), st.booleans()),
    commands.SetOpacity: lambda d: st.builds(commands.SetOpacity, some(d), opacities, gestures),
    commands.SetPrompt: lambda d: st.builds(commands.SetPrompt, texts, gestures),
    commands.SetRect: lambda d: st.builds(commands.SetRect, one(d), rects, gestures),
    commands.SetRects: lambda d: some(d).flatmap(
        lambda ids: st.builds(
            commands.SetRects, st.fixed_dictionaries(dict.fromkeys(ids, rects)), st.just("Align")
        )
    ),
    commands.SetSeed: lambda d: st.builds(commands.SetSeed, one(d), seeds),
    commands.SetShows: lambda d: st.builds(
        commands.SetShows,
        some(d).flatmap(lambda ids: st.fixed_dictionaries(dict.fromkeys(ids, texts))),
        st.none() | texts,
        st.booleans(),
    ),
    commands.SetSettings: lambda d: st.builds(commands.SetSettings, plain_settings, gestures),
    commands.SetVisible: lambda d: st.builds(commands.SetVisible, some(d), st.booleans()),
    commands.UseCandidates: lambda d: several(d).map(commands.UseCandidates),
}


def test_every_command_is_in_the_machine() -> None:
    """A new command class must be added above, or undo of it is not proved."""

    def below(kind: type[Command]) -> set[type[Command]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    ours = {kind for kind in below(Command) if kind.__module__.startswith("app.")}
    assert ours - {Command, OnLayers} == set(FACTORIES)


# What takes pictures away on purpose.
_LOSING = (commands.DeleteLayers, commands.ReplaceDocument, commands.DiscardCandidates)


class Mirror:
    """Ids of layers that follow the events: `changed` adds, `layer_removed` and `reset` remove."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.ids = {layer.id for layer in document.layers}
        document.events.changed.connect(self._add)
        document.events.layer_removed.connect(lambda layer_id: self.ids.remove(layer_id))
        document.events.reset.connect(lambda: self.ids.clear())

    def _add(self, revision: int) -> None:
        self.ids.update(layer.id for layer in self._document.layers)


class CommandMachine(RuleBasedStateMachine):
    """Does, undoes and redoes; keeps the hash after each step and nothing else."""

    @initialize()
    def start(self) -> None:
        self.document = Document(new_contents(Size(96, 64), 16, boxes=[Rect(0, 0, 40, 40)]), 16)
        self.stack = UndoStack(self.document)
        self.hashes = [self.document.content_hash()]
        self.mirror = Mirror(self.document)
        self.folder = tempfile.TemporaryDirectory()
        self.work = WorkFolder.create(Path(self.folder.name))

    @rule(kind=st.sampled_from(sorted(FACTORIES, key=lambda kind: kind.__name__)), data=st.data())
    def do(self, kind: type[Command], data: st.DataObject) -> None:
        command = data.draw(FACTORIES[kind](self.document))
        before, undone = self.document.content_hash(), list(self.stack.undone)
        pictures = pictures_of(self.document)
        try:
            self.stack.push(command)
        except UserError:
            assert self.document.content_hash() == before
            self.stack.undone = undone
            return
        if kind not in _LOSING:
            assert pictures <= pictures_of(self.document)  # no command loses a picture
        place = len(self.stack.done)
        self.hashes[place:] = [self.document.content_hash()]

    @precondition(lambda self: self.stack.done)
    @rule()
    def undo(self) -> None:
        self.stack.undo()

    @precondition(lambda self: self.stack.undone)
    @rule()
    def redo(self) -> None:
        self.stack.redo()

    @rule()
    def save_and_load(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "design.ora")
            with path.open("wb") as stream:
                write_ora(self.document.contents, stream)
            opened = load_project(path)
            assert opened.messages == ()
            assert content_hash(opened.contents) == self.document.content_hash()
            again = io.BytesIO()
            write_ora(opened.contents, again)
            assert again.getvalue() == path.read_bytes()

    @rule()
    def crash_and_recover(self) -> None:
        """The journal leads to the same document as the commands did."""
        dirty = WorkInfo(is_clean=False)
        self.work.keep(self.document.contents, dirty)
        with tempfile.TemporaryDirectory() as folder:
            copy = shutil.copytree(self.work.path, Path(folder, "copy"))
            recovered = recover(copy)
        assert (recovered.messages, recovered.info) == ((), dirty)
        assert content_hash(recovered.contents) == self.document.content_hash()

    @invariant()
    def the_hash_is_that_of_this_step(self) -> None:
        if hasattr(self, "stack"):
            assert self.document.content_hash() == self.hashes[len(self.stack.done)]

    @invariant()
    def events_told_everything(self) -> None:
        if hasattr(self, "mirror"):
            assert self.mirror.ids == {layer.id for layer in self.document.layers}

    @invariant()
    def the_document_is_sound(self) -> None:
        if not hasattr(self, "document"):
            return
        document = self.document
        numbers = [layer.number for layer in document.foregrounds]
        assert len(set(numbers)) == len(numbers) <= 199
        assert all(0 < number < document.contents.next_number for number in numbers)
        assert not any(layer.is_background for layer in document.foregrounds)
        for layer in document.layers:
            if layer.pixels is None:
                assert layer.kind == "box"
                assert layer.rect == layer.region(document.grid, document.canvas)
            else:
                assert layer.kind != "box"
                assert layer.pixels.shape == (layer.rect.height, layer.rect.width, 4)
                assert not layer.pixels[layer.pixels[..., 3] == 0].any()
                assert not layer.pixels.flags.writeable

    def teardown(self) -> None:
        if not hasattr(self, "stack"):
            return
        self.work.close(remove=True)
        self.folder.cleanup()
        while self.stack.undone:
            self.stack.redo()
        last = self.document.content_hash()
        while self.stack.done:
            self.stack.undo()
            assert self.document.content_hash() == self.hashes[len(self.stack.done)]
        assert self.document.content_hash() == self.hashes[0]
        while self.stack.undone:
            self.stack.redo()
        assert self.document.content_hash() == last


TestCommandMachine = CommandMachine.TestCase
TestCommandMachine.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def pictures_of(document: Document) -> set[tuple[int, str]]:
    """All pixels that the document holds, as (number of the layer or -1, hash).

    A resampled copy does not count: its original, which is a candidate, gives it again.
    """
    everything = (document.contents.background, *document.foregrounds)
    shown = {
        (layer.number, layer.pixel_hash)
        for layer in everything
        if layer.pixel_hash and original_of(layer) is None
    }
    kept = {(layer.number, item.pixel_hash) for layer in everything for item in layer.candidates}
    return shown | kept | {(-1, item.pixel_hash) for item in document.contents.detached}


def test_the_hash_sees_every_field() -> None:
    """Otherwise the machine above would prove little."""
    document = Document(new_contents(Size(96, 64), 16, boxes=[Rect(0, 0, 40, 40)]), 16)
    layer_id = document.foregrounds[0].id
    pixels = np.full((48, 48, 4), 200, np.uint8)
    steps: list[Command] = [
        commands.Rename(layer_id, "x"),
        commands.SetVisible([layer_id], False),
        commands.SetOpacity([layer_id], 0.5),
        commands.SetBlend([layer_id], "screen"),
        commands.SetSeed(layer_id, 1),
        commands.SetRect(layer_id, Rect(0, 0, 64, 16)),
        commands.PlacePixels([Placement(layer_id, pixels, Rect(0, 0, 48, 48))]),
        commands.PlacePixels([Placement(layer_id, pixels, Rect(0, 0, 48, 48), {"a": 1})]),
        commands.PlacePixels([Placement(-1, pixels, Rect(0, 0, 48, 48))]),
        commands.SetLocked([layer_id], True),
        commands.AddBox(Rect(0, 0, 8, 8)),
        commands.Reorder([layer_id], None),
        commands.SetPrompt("x"),
        commands.SetSettings(Settings(seed=5)),
        commands.SetSettings(Settings(seed=5, variations=4)),
        commands.SetCanvas(Size(64, 64)),
        commands.SetBackground(False),
    ]
    seen = {document.content_hash()}
    for step in steps:
        step.do(document)
        if not step.changes_nothing:
            assert document.content_hash() not in seen, step.label
            seen.add(document.content_hash())
    assert len(seen) == len(steps)
