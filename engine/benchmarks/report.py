"""What a bench hands back, and how it becomes markdown, CSV and a page of the documentation.

Every cell says what it is: measured (median and spread), computed, missing with its reason, or a
plain label. Knows no model and no clock.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.benchmarks.measure import Computed, Measured, Missing

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
    """What stands before and after a section of a page.

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
