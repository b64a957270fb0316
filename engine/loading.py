"""Loading: which share of the work up to a ready model is done. Counts work, not time.

Three stages follow each other: Python imports torch, the model file is read, the networks are
built. Each reports the part of its own work that is done.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Literal

Stage = Literal["imports", "file", "networks"]
StageReport = Callable[[Stage, float], None]

# Which part of the time each stage takes (measured on a CPU; the order is the order of work).
SHARES: dict[Stage, float] = {"imports": 0.75, "file": 0.05, "networks": 0.2}
# Modules that are imported on the way to `engine.pipeline` (counted with torch 2.13).
MODULES = 930
STEP = 0.02  # smaller advances are not reported


def silent(stage: Stage, part: float) -> None:
    """Report nothing."""


class Loading:
    """Adds the stages up.

    Args:
        report: called with the part of all work that is done, 0 to 1, which never falls; on the
            thread that loads.
    """

    def __init__(self, report: Callable[[float], None]) -> None:
        self._report = report
        self._done = 0.0

    def reached(self, stage: Stage, part: float) -> None:
        """So much of this stage is done, 0 to 1; all stages before it are."""
        names = list(SHARES)
        before = sum(SHARES[name] for name in names[: names.index(stage)])
        done = before + SHARES[stage] * min(1.0, part)
        if done >= self._done + STEP:
            self._done = done
            self._report(done)

    @contextmanager
    def imports(self) -> Iterator[None]:
        """Count what this thread imports for as long as the context lasts."""
        counter = _ImportCounter(lambda count: self.reached("imports", count / MODULES))
        # Lists of their own: another thread may be walking through the present one, and would
        # pass over a finder if the list became shorter.
        sys.meta_path = [counter, *sys.meta_path]
        try:
            yield
        finally:
            sys.meta_path = [each for each in sys.meta_path if each is not counter]
        self.reached("imports", 1.0)


class _ImportCounter:
    """Stands first among the finders of modules. Finds none, and counts what is looked for."""

    def __init__(self, report: Callable[[int], None]) -> None:
        self._report = report
        self._thread = threading.get_ident()
        self._count = 0

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Python's question for a module that is not imported yet."""
        if threading.get_ident() == self._thread:
            self._count += 1
            self._report(self._count)
        return None
