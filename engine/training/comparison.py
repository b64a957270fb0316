"""Variants at an equal budget: a finished one is kept and not trained again; one table at the end.

Shared by `train ablations` and `train joint-decoder`. Knows neither models nor data.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch


def is_kept(path: Path, asked: dict) -> bool:
    """Whether a variant's file is there.

    Raises:
        ValueError: it is, and was made with another budget than `asked`.
    """
    if not path.exists():
        return False
    kept = json.loads(path.read_text(encoding="utf-8"))["budget"]
    if kept != asked:
        raise ValueError(f"{path} was made with {kept}: use another --out, or delete it")
    return True


def keep(path: Path, result: dict) -> None:
    """Write a variant's file, whole or not at all."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(result, indent=1), encoding="utf-8")
    os.replace(temporary, path)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " --- |" * (len(head) - 1)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows)]


def measured_by(command: str) -> list[str]:
    """The command, and the machine."""
    where = f"{platform.machine()}, {platform.system()}, torch {torch.__version__}"
    return [f"`{command}`", f"{where}, {torch.get_num_threads()} thread(s)."]


def budget_notes(budgets: Iterable[dict]) -> list[str]:
    """What each variant got, and a warning where that differs."""
    texts = sorted({json.dumps(budget, sort_keys=True) for budget in budgets})
    notes = [f"Budget of each variant: {'; '.join(texts)}."]
    if len(texts) > 1:
        notes.append("**Budgets differ: these rows cannot be compared.**")
    return notes
