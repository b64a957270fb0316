"""Coverage-guided fuzzing of the readers with atheris.

    python tests/fuzz_readers.py stack.xml -max_total_time=300

A kind is one of `tests.reliability.damage.KINDS`; the rest are options of libFuzzer. It
ends with the input in a file `crash-…` when a reader raises anything but our own errors, or takes
more than ten seconds. atheris is no dependency of the project: install it where this runs.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

try:
    import atheris
except ImportError:
    sys.exit("This tool needs atheris: pip install atheris. Nothing was run.")

with atheris.instrument_imports(include=["app.document"]):
    from app.document.errors import UserError
    from app.document.storage.ora.project import ProjectError, read_project
    from app.document.storage.ora.stack_xml import StackError, read_stack
    from app.document.storage.png import PngError, decode_png
    from tests.reliability.damage import KINDS, mutated

# Parts of a file that can be read without the rest: some hundred times faster than all of it.
PARTS: dict[str, Callable[[bytes], object]] = {
    "stack.xml": read_stack,
    "document.json": read_project,
    "layer.png": decode_png,
}
SEEDS = 40
LIMIT_S = 10


def main() -> None:
    names = [each for each in sys.argv[1:] if not each.startswith("-")]
    if len(names) != 1 or names[0] not in KINDS:
        sys.exit(f"Usage: fuzz_readers.py KIND [options]; KIND is one of {', '.join(KINDS)}")
    logging.disable(logging.CRITICAL)
    make, read = KINDS[names[0]]
    original = make(Random(0))
    with tempfile.TemporaryDirectory() as folder:
        corpus, path = Path(folder, "corpus"), Path(folder, "input")
        corpus.mkdir()
        Path(corpus, "0").write_bytes(original)
        for seed in range(1, SEEDS):
            Path(corpus, str(seed)).write_bytes(mutated(original, Random(seed))[: 1 << 16])

        def whole(data: bytes) -> object:
            path.write_bytes(data)
            return read(path)

        target = PARTS.get(names[0], whole)

        def one(data: bytes) -> None:
            try:
                target(data)
            except (UserError, StackError, ProjectError, PngError):
                return

        options = [each for each in sys.argv[1:] if each.startswith("-")]
        # libFuzzer ends the process itself, so nothing can follow.
        atheris.Setup([sys.argv[0], f"-timeout={LIMIT_S}", *options, str(corpus)], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
