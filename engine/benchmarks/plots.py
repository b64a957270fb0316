"""A section's plots as SVG files, light and dark. Needs matplotlib, which is an extra.

Both axes are logarithmic. Computed points are hollow; measured ones are filled and carry their
spread.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from engine.benchmarks.measure import Computed, Measured
from engine.benchmarks.report import Plot, value_of

# Colours that differ in lightness too, for readers who do not tell red from green (Okabe and Ito).
LIGHT = {"back": "#ffffff", "ink": "#24292f", "faint": "#d0d7de",
         "lines": ["#0072b2", "#d55e00", "#009e73", "#aa4499", "#555555"]}  # fmt: skip
DARK = {"back": "#0d1117", "ink": "#e6edf3", "faint": "#30363d",
        "lines": ["#56b4e9", "#e69f00", "#2fbf8f", "#d98cc8", "#bbbbbb"]}  # fmt: skip
MARKS = "os^Dv"
MOST_TICKS = 8


def can_plot() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def draw(plot: Plot, folder: Path) -> list[Path]:
    """Write `NAME-light.svg` and `NAME-dark.svg`; returns their paths."""
    return [
        _draw(plot, folder / f"{plot.name}-{name}.svg", colours)
        for name, colours in (("light", LIGHT), ("dark", DARK))
    ]


def _draw(plot: Plot, path: Path, colours: dict[str, Any]) -> Path:
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullFormatter

    ink, faint = colours["ink"], colours["faint"]
    figure = Figure(figsize=(7, 4), facecolor=colours["back"], layout="constrained")
    axes = figure.add_subplot(facecolor=colours["back"])
    for i, line in enumerate(plot.lines):
        colour = colours["lines"][i % len(colours["lines"])]
        points = [(x, cell, value_of(cell)) for x, cell in line.points]
        known = [(x, cell, y) for x, cell, y in points if y is not None]
        axes.plot([x for x, _, _ in known], [y for _, _, y in known], color=colour,
                  linewidth=1.5, label=line.label)  # fmt: skip
        for x, cell, y in known:
            hollow = colours["back"] if isinstance(cell, Computed) else colour
            axes.plot([x], [y], MARKS[i % len(MARKS)], color=colour, markerfacecolor=hollow)
            if isinstance(cell, Measured) and cell.runs > 1:
                axes.plot([x, x], [cell.low, cell.high], color=colour, linewidth=4, alpha=0.4)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_minor_formatter(NullFormatter())
    xs = sorted({x for line in plot.lines for x, _ in line.points})
    if len(xs) <= MOST_TICKS:
        axes.set_xticks(xs, labels=[f"{x:g}" for x in xs])
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes.set_title(plot.title, color=ink, fontsize=11)
    axes.set_xlabel(plot.x, color=ink)
    axes.set_ylabel(plot.y, color=ink)
    axes.tick_params(colors=ink, which="both")
    axes.grid(visible=True, color=faint, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_color(faint)
    axes.legend(facecolor=colours["back"], edgecolor=faint, labelcolor=ink, fontsize=9)
    # The same numbers give the same file: no date, no random ids; text stays text.
    with matplotlib.rc_context({"svg.hashsalt": "layerloom", "svg.fonttype": "none"}):
        figure.savefig(path, format="svg", metadata={"Date": None})
    return path
