"""REL3: undo leads back to every former state, and so do files and the journal.

A walk does, undoes and redoes random commands; the model is a list of content hashes. Now and then
the document goes through a file or a work folder and must be the same.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from random import Random

from app.benchmarks.reliability.figure import Figure
from app.benchmarks.reliability.walk import random_command, start
from app.document import Document
from app.document.commands import Command
from app.document.contents import content_hash
from app.document.storage.journal import WorkFolder, WorkInfo, recover
from app.document.storage.ora.file import load_project, write_ora


def undo(count: int, seed: int, steps: int = 200) -> Figure:
    """`count` walks of `steps` steps each."""
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
