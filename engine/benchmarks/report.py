"""What a bench returns, and how it becomes markdown, CSV, plots and a page of the documentation.

Every cell says what it is: measured (median and spread), computed, missing with its reason, or a
plain label. Plots are SVG files, light and dark; matplotlib, which draws them, is an extra.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import os
import platform
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, is_dataclass
from pathlib import Path

import psutil
import torch

from engine.benchmarks.measure import Computed, Measured, Missing
from engine.pipeline import LayerPipeline
from engine.training.eval.report import markdown_table

Cell = str | int | Measured | Computed | Missing
CSV_HEAD = ("table", "row", "column", "kind", "value", "low", "high", "runs")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first `labels` columns name the row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    labels: int = 1

    def markdown(self) -> str:
        return f"**{self.title}**\n\n{markdown_table(self.columns, self.rows)}"


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over the number of layers, which is the first cell of each row; label -> column."""

    name: str
    title: str
    y: str
    rows: Sequence[Sequence[Cell]]
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Section:
    """The result of one bench."""

    name: str
    title: str
    text: str
    tables: Sequence[Table]
    plots: Sequence[Plot] = field(default=())

    def markdown(self, measured_on: str, plots: str | None = None) -> str:
        """The bench as markdown.

        `measured_on` is a paragraph; `plots` the folder of the SVG files as seen from the text, if
        any.
        """
        parts = [f"## {self.title}", self.text, measured_on]
        parts += [table.markdown() for table in self.tables]
        for plot in self.plots if plots is not None else ():
            path = f"{plots}/{plot.name}" if plots else plot.name
            parts.append(
                f'<picture><source media="(prefers-color-scheme: dark)" srcset="{path}-dark.svg">'
                f'<img alt="{plot.title}" src="{path}-light.svg"></picture>'
            )
        return "\n\n".join(parts) + "\n"

    def csv(self) -> str:
        """Every number, one per line."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(CSV_HEAD)
        for table in self.tables:
            for row in table.rows:
                name = " / ".join(str(cell) for cell in row[: table.labels])
                for column, cell in zip(table.columns[table.labels :], row[table.labels :]):
                    is_number = is_dataclass(cell)
                    kind = type(cell).__name__.lower() if is_number else "given"
                    values = astuple(cell) if is_number else (cell,)
                    padding = [""] * (4 - len(values))
                    writer.writerow([table.title, name, column, kind, *values, *padding])
        return out.getvalue()


# ---- plots ----

# Colours that differ in lightness too, for readers who are colour-blind (Okabe and Ito).
THEMES = {
    "light": ("#ffffff", "#24292f", "#d0d7de", ["#0072b2", "#d55e00", "#009e73", "#aa4499"]),
    "dark": ("#0d1117", "#e6edf3", "#30363d", ["#56b4e9", "#e69f00", "#2fbf8f", "#d98cc8"]),
}
MARKS = "os^D"


def can_plot() -> bool:
    return importlib.util.find_spec("matplotlib") is not None


def draw(plot: Plot, folder: Path) -> list[Path]:
    """Write `NAME-light.svg` and `NAME-dark.svg`; returns their paths."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullFormatter

    paths = []
    for theme, (back, ink, faint, colours) in THEMES.items():
        style = {
            **dict.fromkeys(("figure.facecolor", "axes.facecolor", "legend.facecolor"), back),
            **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), ink),
            **dict.fromkeys(("axes.edgecolor", "grid.color", "legend.edgecolor"), faint),
            "axes.grid": True,
            "axes.titlesize": 11,
            "legend.fontsize": 9,
            # The same numbers give the same file: no date, no random ids; text stays text.
            "svg.hashsalt": "layerloom",
            "svg.fonttype": "none",
        }
        with matplotlib.rc_context(style):
            figure = Figure(figsize=(7, 4), layout="constrained")
            axes = figure.add_subplot(title=plot.title, xlabel="layers", ylabel=plot.y)
            axes.set(xscale="log", yscale="log")
            for (label, column), colour, mark in zip(plot.lines.items(), colours, MARKS):
                cells = [(row[0], row[column]) for row in plot.rows]
                known = [(x, c) for x, c in cells if isinstance(c, Measured | Computed)]
                ys = [c.median if isinstance(c, Measured) else c.value for _, c in known]
                axes.plot([x for x, _ in known], ys, color=colour, marker=mark, label=label)
                for x, c in known:
                    if isinstance(c, Measured):
                        axes.vlines(x, c.low, c.high, color=colour, linewidth=4, alpha=0.4)
            xs = [row[0] for row in plot.rows]
            axes.set_xticks(xs, labels=[str(x) for x in xs])
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
            axes.legend()
            paths.append(folder / f"{plot.name}-{theme}.svg")
            figure.savefig(paths[-1], format="svg", metadata={"Date": None})
    return paths


# ---- the machine ----

ROOT = Path(__file__).resolve().parent.parent.parent


def processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return f"{found[1].strip() if found else 'processor'} ({platform.machine()})"


def commit() -> str:
    """Short hash of the checkout, with a word on changes that are not in it."""

    def git(*args: str) -> str:
        command = ["git", "-C", str(ROOT), *args]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "engine", "resources/model")
        return git("rev-parse", "--short", "HEAD") + (" with local changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def describe(generator: LayerPipeline, command: str) -> str:
    info, memory = generator.info, psutil.virtual_memory().total / 1e9
    facts = [
        f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GB",
        f"{platform.system()}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"kernels {torch.backends.cpu.get_cpu_capability()}",
        f"{info.device}, {info.precision}, {info.threads} threads",
        f"commit {commit()}",
        f"model {info.name} ({info.file_hash[:12]}, {info.parameters / 1e6:.1f} M parameters)",
        time.strftime("%Y-%m-%d", time.gmtime()),
        f"load average before the start {psutil.getloadavg()[0]:.1f}",
    ]
    return f"*Measured with `{command}` on: {'; '.join(facts)}.*"
