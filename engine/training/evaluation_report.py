"""The evaluation's report: one markdown table and one JSON of the same numbers.

Knows names and rates only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.training.metrics import Rate, Scores

BEGIN, END = "<!-- evaluation:begin -->", "<!-- evaluation:end -->"


def rate_text(rate: Rate | None) -> str:
    """ "61.3 % (57-65, n 512)"; a dash where nothing was counted."""
    if rate is None or rate.share is None:
        return "–"
    low, high = rate.interval() or (0.0, 0.0)
    return f"{100 * rate.share:.1f} % ({100 * low:.0f}–{100 * high:.0f}, n {rate.total})"


def rates_table(columns: Mapping[str, Scores]) -> str:
    """Markdown: one row per metric, one column per source."""
    names = dict.fromkeys(name for scores in columns.values() for name in scores)
    lines = ["| | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    for name in names:
        cells = [rate_text(scores.get(name)) for scores in columns.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def numbers_table(title: str, values: Mapping[str, float | str]) -> str:
    """Markdown: name and value."""
    lines = [f"| {title} | |", "| --- | --- |"]
    for name, value in values.items():
        lines.append(f"| {name} | {value if isinstance(value, str) else f'{value:.2f}'} |")
    return "\n".join(lines)


def as_json(value: Any) -> Any:
    """Rates as objects, infinities as None, everything else as it is."""
    if isinstance(value, Rate):
        return {"hits": round(value.hits, 3), "total": value.total, "share": value.share}
    if isinstance(value, Mapping):
        return {key: as_json(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [as_json(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_report(folder: Path, sections: Sequence[str], numbers: Mapping[str, Any]) -> str:
    """Write `report.md` and `report.json` into a folder; returns the markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join(sections) + "\n"
    (folder / "report.md").write_text(text, encoding="utf-8")
    content = json.dumps(as_json(numbers), indent=1, sort_keys=True) + "\n"
    (folder / "report.json").write_text(content, encoding="utf-8")
    return text


def update_card(card: Path, text: str) -> None:
    """Put `text` between the two markers of a model card.

    Raises:
        ValueError: the card lacks the markers; it stays as it was.
    """
    content = card.read_text(encoding="utf-8")
    before, begin, rest = content.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{card} has no '{BEGIN}' … '{END}'; nothing was written into it")
    card.write_text(f"{before}{BEGIN}\n\n{text.strip()}\n\n{END}{after}", encoding="utf-8")
