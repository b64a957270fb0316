"""Random commands on a document, a walk that its seed repeats exactly; and REL3, undo on it.

Every command class has its maker here; a test fails when one is missing.

REL3: undo leads back to every former state, and so do files and the journal. A walk does, undoes
and redoes random commands; the model is a list of content hashes. Now and then the document goes
through a file or a work folder and must be the same.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np

from app.document import Document, Rect, Settings, Size, UserError, commands, new_contents
from app.document.blends import BLEND_MODES
from app.document.commands import Command, Placement
from app.document.contents import SeedMode, content_hash
from app.document.layer import Layer
from app.document.storage.incoming import picture_layer
from app.document.storage.journal import WorkFolder, WorkInfo, recover
from app.document.storage.ora.file import load_project, write_ora
from tests.reliability.figure import Figure

Make = Callable[[Document, Random], Command]

_NAMES = ("Castle", "Été", "層", "a/b:c", "CON", "<&>\"'", "x" * 200, "", "\ud800 \x00", "same")
_PROMPTS = ("", "a castle", "a red balloon\non a beach", "é" * 1000, "x" * 1001, "\ud83d")


def start(source: Random) -> Document:
    canvas = Size(16 * source.randint(1, 6), 16 * source.randint(1, 4))
    boxes = [rect(source) for _ in range(source.randint(0, 3))]
    return Document(new_contents(canvas, 16, boxes=boxes, prompt="a castle"), 16)


def random_command(document: Document, source: Random) -> Command:
    """Do one random command that the document accepts; refused ones must change nothing."""
    while True:
        kind = source.choice(list(MAKERS))
        before = document.contents
        command = MAKERS[kind](document, source)
        try:
            command.do(document)
        except UserError:
            if document.contents is not before:
                raise AssertionError(f"{kind.__name__} was refused and changed something") from None
            continue
        return command


def rect(source: Random) -> Rect:
    ranges = ((-60, 120), (-60, 90), (1, 80), (1, 60))
    return Rect(*(source.randint(low, high) for low, high in ranges))


def pixels(source: Random, width: int, height: int) -> np.ndarray:
    """One of a few pictures of a size, so that equal ones occur; all alphas, holes too."""
    rng = np.random.default_rng(source.randrange(6))
    array = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    array[::3, :, 3] = 0
    return array


def _one(document: Document, source: Random) -> int:
    ids = [layer.id for layer in document.foregrounds]
    return source.choice([*ids, document.background_id])


def _some(document: Document, source: Random) -> list[int]:
    ids = [layer.id for layer in document.foregrounds]
    return source.sample(ids, min(len(ids), source.randint(1, 3))) or [document.background_id]


def _placements(document: Document, source: Random) -> list[Placement]:
    result = []
    for layer_id in _some(document, source):
        region = document.layer(layer_id).region(document.grid, document.canvas)
        record = {"seed": source.randrange(99), "prompt": document.prompt}
        if source.random() < 0.1:
            layer_id = -1  # gone meanwhile
        array = pixels(source, region.width, region.height)
        result.append(Placement(layer_id, array, region, record))
    return result


def _known_candidate(document: Document, source: Random) -> dict[int, str]:
    known = [(layer.id, item.pixel_hash) for layer in document.layers for item in layer.candidates]
    return dict([source.choice(known or [(document.background_id, "none")])])


def _other_document(document: Document, source: Random) -> Command:
    # Rarely something else entirely: most of a walk should build on what is there.
    if source.random() < 0.8:
        return commands.SetPrompt(source.choice(_PROMPTS))
    return commands.ReplaceDocument(start(source).contents)


def _added(document: Document, source: Random) -> list[Layer]:
    if source.random() < 0.5:
        return [document.layer(layer_id) for layer_id in _some(document, source)]
    array = pixels(source, source.randint(1, 40), source.randint(1, 40))
    centre = (source.randint(-80, 160), source.randint(-80, 160))
    return [picture_layer(array, source.choice(_NAMES), document.canvas, centre=centre, fit=False)]


def _settings(document: Document, source: Random) -> Command:
    mode: SeedMode = source.choice(("random", "fixed"))
    steps = source.choice((None, 4, 20))
    seed = source.randrange(2**32)
    return commands.SetSettings(Settings(steps=steps, cfg_scale=3.5, seed_mode=mode, seed=seed))


MAKERS: dict[type[Command], Make] = {
    commands.AddCandidates: lambda d, s: commands.AddCandidates(
        {item.layer_id: item.as_candidate() for item in _placements(d, s)}
    ),
    commands.AddBox: lambda d, s: commands.AddBox(
        rect(s), s.choice((None, _one(d, s))), s.choice(_NAMES)
    ),
    commands.AddLayers: lambda d, s: commands.AddLayers(_added(d, s), s.choice((None, _one(d, s)))),
    commands.DeleteLayers: lambda d, s: commands.DeleteLayers(_some(d, s)),
    commands.DiscardCandidates: lambda d, s: commands.DiscardCandidates(
        {key: [value] for key, value in _known_candidate(d, s).items()}
    ),
    commands.DuplicateLayers: lambda d, s: commands.DuplicateLayers(_some(d, s)),
    commands.KeepAsIs: lambda d, s: commands.KeepAsIs(_some(d, s)),
    commands.MoveLayers: lambda d, s: commands.MoveLayers(
        _some(d, s), s.randint(-50, 50), s.randint(-50, 50)
    ),
    commands.PlaceBoxes: lambda d, s: commands.PlaceBoxes(
        [(rect(s), s.choice(("", "dog"))) for _ in range(s.randint(1, 3))], s.random() < 0.5
    ),
    commands.PlacePixels: lambda d, s: commands.PlacePixels(_placements(d, s)),
    commands.Rename: lambda d, s: commands.Rename(_one(d, s), s.choice(_NAMES)),
    commands.Reorder: lambda d, s: commands.Reorder(_some(d, s), s.choice((None, _one(d, s)))),
    commands.ReplaceDocument: _other_document,
    commands.SetBackground: lambda d, s: commands.SetBackground(s.random() < 0.7),
    commands.SetBlend: lambda d, s: commands.SetBlend(
        _some(d, s), s.choice((*BLEND_MODES, "krita:greater"))
    ),
    commands.SetCanvas: lambda d, s: commands.SetCanvas(
        Size(16 * s.randint(1, 6), 16 * s.randint(1, 4)), s.randint(-20, 20), s.randint(-20, 20)
    ),
    commands.SetLocked: lambda d, s: commands.SetLocked(_some(d, s), s.random() < 0.3),
    commands.SetOpacity: lambda d, s: commands.SetOpacity(_some(d, s), s.random()),
    commands.SetPrompt: lambda d, s: commands.SetPrompt(s.choice(_PROMPTS)),
    commands.SetRect: lambda d, s: commands.SetRect(_one(d, s), rect(s)),
    commands.SetRects: lambda d, s: commands.SetRects({_one(d, s): rect(s)}, "Align"),
    commands.SetSeed: lambda d, s: commands.SetSeed(
        _one(d, s), s.choice((None, s.randrange(2**32)))
    ),
    commands.SetShows: lambda d, s: commands.SetShows(
        {each: s.choice(("", "dog", "flat dog", "x" * 200)) for each in _some(d, s)},
        s.choice((None, "a cat")),
    ),
    commands.SetSettings: _settings,
    commands.SetVisible: lambda d, s: commands.SetVisible(_some(d, s), s.random() < 0.7),
    commands.UseCandidates: lambda d, s: commands.UseCandidates(_known_candidate(d, s)),
}


# ---- REL3 ----


def undo(count: int, seed: int, steps: int = 200) -> Figure:
    figure = Figure("REL3 undo", f"walks of {steps} steps")
    for number in range(seed, seed + count):
        try:
            _walk(number, steps)
        except Exception as error:  # whatever it is, the seed repeats it
            figure.fail(f"seed {number}: {type(error).__name__}: {error}")
        figure.runs += 1
    return figure


def _walk(seed: int, steps: int) -> None:
    source = Random(seed)
    document = start(source)
    done: list[Command] = []
    undone: list[Command] = []
    hashes = [document.content_hash()]
    with tempfile.TemporaryDirectory() as folder:
        journal = WorkFolder.create(Path(folder, "work"))
        try:
            journal.keep(document.contents, WorkInfo(is_clean=False))
            for _ in range(steps):
                chance = source.random()
                if chance < 0.25 and done:
                    undone.append(done.pop())
                    undone[-1].undo(document)
                elif chance < 0.4 and undone:
                    done.append(undone.pop())
                    done[-1].do(document)
                else:
                    done.append(random_command(document, source))
                    undone.clear()
                    hashes[len(done) :] = [document.content_hash()]
                _equal(document.content_hash(), hashes[len(done)], "after a step")
                if chance > 0.97:
                    _through_a_file(document, Path(folder, "design.ora"))
                if chance > 0.9:
                    journal.keep(document.contents, WorkInfo(is_clean=False))
            journal.keep(document.contents, WorkInfo(is_clean=False))
        finally:
            journal.close(remove=False)
        recovered = recover(journal.path)
        _equal(content_hash(recovered.contents), document.content_hash(), "after replay")
    while undone:
        done.append(undone.pop())
        done[-1].do(document)
    last = document.content_hash()
    for command in reversed(done):
        command.undo(document)
    _equal(document.content_hash(), hashes[0], "after undoing all")
    for command in done:
        command.do(document)
    _equal(document.content_hash(), last, "after redoing all")


def _through_a_file(document: Document, path: Path) -> None:
    with path.open("wb") as stream:
        write_ora(document.contents, stream)
    opened = load_project(path)
    _equal(content_hash(opened.contents), document.content_hash(), "after saving and loading")
    again = io.BytesIO()
    write_ora(opened.contents, again)
    if again.getvalue() != path.read_bytes():
        raise AssertionError("saving the loaded document gave other bytes")


def _equal(found: str, expected: str, when: str) -> None:
    if found != expected:
        raise AssertionError(f"another content hash {when}: {found[:12]}, not {expected[:12]}")
