"""Sentences about jobs are whole in every language."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QLocale

from app.session.jobs import Job
from app.ui.dialogs.job_list import row_title
from app.ui.text import job_text


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
    """Whole sentences, names joined as the user's language joins them."""
    joined = {"en_US": "and", "de_DE": "und"}[language]
    assert said("picture", "Background", "Castle") == "Finished the picture."
    assert said("layers", "Castle") == "Finished 'Castle'."
    assert said("layers", "A", "B") == f"Finished 'A' {joined} 'B'."
    assert said("layers", "A", "B", "C", "D") == "Finished 4 layers."


@pytest.mark.parametrize(
    ("scope", "prompt", "names", "title"),
    [
        ("picture", "a cat and a dog", ["Layer 1"], "a cat and a dog"),
        ("picture", "", ["Layer 1"], "Picture without prompt"),
        ("picture", " \n ", [], "Picture without prompt"),
        (
            "picture",
            "a birthday card with a big chocolate cake with candles",
            ["Layer 1"],
            "a birthday card with a big chocolate…",
        ),
        ("picture", "x" * 90, [], "x" * 40 + "…"),
        ("selected", "a blue gift", ["gift"], "'gift': a blue gift"),
        ("selected", "", ["gift"], "'gift'"),
    ],
)
def test_a_row_of_the_job_list_has_the_first_words_of_the_prompt(
    scope: Any, prompt: str, names: list[str], title: str
) -> None:
    job = Job(
        id=1,
        scope=scope,
        target_ids=tuple(range(len(names))),
        names=dict(enumerate(names)),
        picture_seed=1,
        prompt=prompt,
    )
    assert row_title(job) == title
