"""Sentences about jobs are whole in every language (section 6)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QLocale

from app.ui.job_text import job_text


def said(scope: str, *names: str) -> str:
    job: Any = SimpleNamespace(scope=scope, names=dict(enumerate(names)))
    return job_text(job, "Finished the picture.", "Finished {0}.", "Finished %n layers.")


@pytest.fixture(params=["en_US", "de_DE"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield request.param
    QLocale.setDefault(before)


def test_names_are_listed_and_many_are_counted(language: str) -> None:
    """Section 6: whole sentences, names joined as the user's language joins them."""
    joined = {"en_US": "and", "de_DE": "und"}[language]
    assert said("picture", "Background", "Castle") == "Finished the picture."
    assert said("layers", "Castle") == "Finished 'Castle'."
    assert said("layers", "A", "B") == f"Finished 'A' {joined} 'B'."
    assert said("layers", "A", "B", "C", "D") == "Finished 4 layers."
