"""REL6: damaged and hostile input is refused with a message, quickly, and the file is untouched."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from random import Random

from app.benchmarks.reliability.figure import Figure
from app.benchmarks.reliability.inputs import KINDS
from app.benchmarks.reliability.memory import peak_mb, start_peak
from app.benchmarks.reliability.mutations import mutated
from app.document.errors import UserError

MAX_SECONDS = 2.0
MAX_MB = 512.0
_SHARED = 100  # so many inputs are damages of the same original


def damage(kind: str, count: int, seed: int) -> Figure:
    """`count` mutated inputs of one kind.

    The time is that of the thread: on a machine with other work a second on the clock says nothing.
    """
    figure = Figure(f"REL6 {kind}", "inputs")
    make, read = KINDS[kind]
    original: bytes | None = None
    start_peak()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "input")
        for number in range(seed, seed + count):
            if original is None or number % _SHARED == 0:
                original = make(Random(f"{kind}:{number // _SHARED}"))
            data = mutated(original, Random(f"{kind}:{number}"))
            _read_one(figure, f"{kind}, seed {number}", path, data, read)
            if kind != "settings" and path.read_bytes() != data:
                figure.fail(f"{kind}, seed {number}: the file was changed")
            figure.runs += 1
    grown = peak_mb()
    figure.peak("at most {:.0f} MB more", grown)
    if grown > MAX_MB:
        figure.fail(f"{kind}, seeds from {seed}: {grown:.0f} MB were needed")
    return figure


def _read_one(figure: Figure, where: str, path: Path, data: bytes, read) -> None:  # type: ignore[no-untyped-def]
    path.write_bytes(data)
    began = time.thread_time()
    try:
        read(path)
        figure.count("readable all the same")
    except UserError as error:
        if not error.what.strip():
            figure.fail(f"{where}: a message without words")
    except Exception as error:  # exactly what must not happen
        figure.fail(f"{where}: {type(error).__name__}: {error}")
    took = time.thread_time() - began
    figure.peak("slowest {:.2f} s", took)
    if took > MAX_SECONDS:
        figure.fail(f"{where}: {took:.1f} s")
