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
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from engine.benchmarks.measure import Computed, Measured, Missing
from engine.pipeline import LayerPipeline

Cell = str | int | Measured | Computed | Missing
CSV_HEAD = ("table", "row", "column", "kind", "value", "low", "high", "runs")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first `labels` columns name the row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    labels: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot: (x, y) points."""

    label: str
    points: Sequence[tuple[float, Cell]]


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over a common x axis."""

    name: str
    title: str
    x: str
    y: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Section:
    """The result of one bench."""

    name: str
    title: str
    text: str
    tables: Sequence[Table]
    plots: Sequence[Plot] = field(default=())


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    magnitude = abs(value)
    for limit, digits in ((100, 0), (10, 1), (1, 2), (0.1, 3)):
        if magnitude >= limit:
            return f"{value:,.{digits}f}"
    return f"{value:.4f}" if value else "0"


def cell_text(cell: Cell) -> str:
    """ "1.23 (1.20–1.31)", "4.50 (computed)" or "– (why)"."""
    if isinstance(cell, Measured):
        if cell.runs == 1:
            return number(cell.median)
        return f"{number(cell.median)} ({number(cell.low)}–{number(cell.high)})"
    if isinstance(cell, Computed):
        return f"{number(cell.value)} (computed)"
    if isinstance(cell, Missing):
        return f"– ({cell.why})"
    return str(cell)


def value_of(cell: Cell) -> float | None:
    """The number in a cell, however it came about; None for labels and gaps."""
    if isinstance(cell, Measured):
        return cell.median
    return cell.value if isinstance(cell, Computed) else None


def table_markdown(table: Table) -> str:
    """A title line and the table."""
    lines = [f"**{table.title}**", "", "| " + " | ".join(table.columns) + " |"]
    lines.append("| " + " | ".join("---" for _ in table.columns) + " |")
    lines += ["| " + " | ".join(cell_text(cell) for cell in row) + " |" for row in table.rows]
    return "\n".join(lines)


def section_markdown(
    section: Section, measured_on: str, plots: str | None = None, level: int = 2
) -> str:
    """One bench as markdown.

    Args:
        measured_on: machine, commit, model and command, one paragraph.
        plots: folder of the SVG files as seen from the text; None = there are none.
        level: of the heading.
    """
    parts = [f"{'#' * level} {section.title}", section.text, measured_on]
    parts += [table_markdown(table) for table in section.tables]
    for plot in section.plots if plots is not None else ():
        path = f"{plots}/{plot.name}" if plots else plot.name
        parts.append(
            f'<picture><source media="(prefers-color-scheme: dark)" srcset="{path}-dark.svg">'
            f'<img alt="{plot.title}" src="{path}-light.svg"></picture>'
        )
    return "\n\n".join(parts) + "\n"


def section_csv(section: Section) -> str:
    """Every number of a section, one per line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for table in section.tables:
        for row in table.rows:
            name = " / ".join(cell_text(cell) for cell in row[: table.labels])
            for column, cell in zip(table.columns[table.labels :], row[table.labels :]):
                writer.writerow([table.title, name, column, *_csv_cell(cell)])
    return out.getvalue()


def _csv_cell(cell: Cell) -> list[object]:
    if isinstance(cell, Measured):
        return ["measured", cell.median, cell.low, cell.high, cell.runs]
    if isinstance(cell, Computed):
        return ["computed", cell.value, "", "", ""]
    if isinstance(cell, Missing):
        return ["missing", cell.why, "", "", ""]
    return ["given", cell, "", "", ""]


def update_page(page: Path, name: str, text: str) -> None:
    """Put `text` between the markers of the section `name` of a page.

    Raises:
        ValueError: the page lacks the markers; it stays as it was.
    """
    before, after = around_markers(page, name)
    begin, end = _markers(name)
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")


def around_markers(page: Path, name: str) -> tuple[str, str]:
    """The text before and after a section of a page.

    Raises:
        ValueError: the page lacks the markers.
    """
    begin, end = _markers(name)
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} has no '{begin}' … '{end}'; nothing was written into it")
    return before, after


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- bench:{name}:begin -->", f"<!-- bench:{name}:end -->"


# ---- plots ----

# Colours that differ in lightness too, for readers who are colour-blind (Okabe and Ito).
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


# ---- the machine ----

ROOT = Path(__file__).resolve().parent.parent.parent


def processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return f"{found[1].strip() if found else 'processor'} ({platform.machine()})"


def memory_gb() -> float | None:
    """Memory of the machine in 10^9 bytes."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (ValueError, OSError, AttributeError):
        return None


def commit() -> str:
    """Short hash of the checkout, with a word on changes that are not in it."""
    try:
        git = ["git", "-C", str(ROOT)]
        short = subprocess.run([*git, "rev-parse", "--short", "HEAD"],
                               capture_output=True, text=True, check=True)  # fmt: skip
        changed = subprocess.run([*git, "status", "--porcelain", "--", "engine", "resources/model"],
                                 capture_output=True, text=True, check=True)  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return short.stdout.strip() + (" with local changes" if changed.stdout.strip() else "")


def describe(generator: LayerPipeline, command: str) -> str:
    """One paragraph for every table."""
    info = generator.info
    memory = memory_gb()
    facts = [
        f"{processor()}, {os.cpu_count()} cores" + (f", {memory:.0f} GB" if memory else ""),
        f"{platform.system()}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"kernels {torch.backends.cpu.get_cpu_capability()}",
        f"{info.device}, {info.precision}, {info.threads} threads",
        f"commit {commit()}",
        f"model {info.name} ({info.file_hash[:12]}, {info.parameters / 1e6:.1f} M parameters)",
        time.strftime("%Y-%m-%d", time.gmtime()),
    ]
    try:
        facts.append(f"load average before the start {os.getloadavg()[0]:.1f}")
    except OSError:
        pass
    return f"*Measured with `{command}` on: {'; '.join(facts)}.*"
