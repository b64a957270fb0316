"""Reading of prompts as very different people type them: one row per kind of wording.

Columns of kinds.tsv: kind, prompt, things, undrawable, negated, background, as `natural.tsv` has
them. A thing is "name*count:colour"; the count "+" means an unnamed number.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.prompt_check import check_prompt as check_shipped
from engine.prompts.lexicon import lexicon_of
from engine.prompts.parser import check_prompt
from engine.training.data.concepts import concepts_of

HERE = Path(__file__).resolve()
LEXICON = lexicon_of(concepts_of(3).vocabulary)
Thing = tuple[str, int | None, str | None]


def rows() -> list[dict[str, str]]:
    with HERE.with_name("kinds.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def thing(text: str) -> Thing:
    front, _, colour = text.partition(":")
    name, _, count = front.partition("*")
    return name, None if count == "+" else int(count or 1), colour or None


def words(field: str) -> list[str]:
    return [word for word in field.split(";") if word]


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['kind']}: {row['prompt'][:40]}")
def test_each_kind_of_wording_is_read_as_meant(row: dict[str, str]) -> None:
    check = check_prompt(row["prompt"], LEXICON)
    found = [(each.noun, each.count, each.colour) for each in check.objects]
    assert found == [thing(each) for each in words(row["things"])]
    assert [each.typed for each in check.undrawable] == words(row["undrawable"])
    assert [each.typed for each in check.negated] == words(row["negated"])
    assert (check.background.name if check.background else "") == row["background"]


def test_a_prompt_is_read_alike_in_every_process() -> None:
    """The order of a set of words differs between processes; a reading must not."""
    prompts = ["a carot", "a tabel", "a frgo", "a snak and a crwon", "two mousse", "a ligth"]
    source = (
        "import sys\n"
        "from engine.prompt_check import check_prompt\n"
        "print([check_prompt(prompt) for prompt in sys.argv[1:]])\n"
    )
    other = subprocess.run(
        [sys.executable, "-c", source, *prompts],
        cwd=HERE.parents[3],
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == str([check_shipped(prompt) for prompt in prompts])
