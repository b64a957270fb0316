"""Rows about a window that rests: processor time in each of its states (UI16)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

from app.benchmarks.ui.display import has_xvfb, xvfb
from app.benchmarks.ui.process import child
from app.benchmarks.ui.table import Row

MOST_CPU = 0.02  # of a core


def idle() -> Iterator[Row]:
    """UI16: each main state offscreen and on xcb; of the dialogs the one that costs most.

    Where there is no Xvfb, xcb has one row that says so.
    """
    for platform in ("offscreen", "xcb") if sys.platform == "linux" else ("offscreen",):
        if platform == "xcb" and not has_xvfb():
            yield Row("UI16", "idle on xcb", "no Xvfb here", "≤ 2 %", None)
            continue
        with ExitStack() as stack:
            environment = {"QT_QPA_PLATFORM": platform}
            if platform == "xcb":
                environment["DISPLAY"] = stack.enter_context(xvfb())
            for state, part in child("idle_window", **environment).items():
                yield _row(f"idle, {state}", platform, part)
            dialogs: Mapping[str, float] = child("idle_dialogs", **environment)
            worst = max(dialogs, key=dialogs.__getitem__)
            what = f"idle, {len(dialogs)} dialogs, most: {worst.removeprefix('dialog ')}"
            yield _row(what, platform, dialogs[worst])


def _row(what: str, platform: str, part: float) -> Row:
    return Row("UI16", f"{what}, {platform}", f"{part:.1%}", "≤ 2 %", part <= MOST_CPU)
