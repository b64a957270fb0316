"""Which icon of which art set serves which drawing of a noun in a look. Tables only, no pixels.

The first drawing (0) is the icon of `concepts.tsv` in the look's usual set, unless a row of
`drawings.tsv` names another; the rows with the numbers 1 to 3 are further drawings. Stages before
`FIRST_STAGE_WITH_DRAWINGS` know first drawings only.

Columns of drawings.tsv: noun, look, drawing, set, icon.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from engine.training.concepts import LOOKS, Concepts
from engine.training.seed_choices import DRAWINGS, FIRST_STAGE_WITH_CODES

FIRST_STAGE_WITH_DRAWINGS = FIRST_STAGE_WITH_CODES
MOST_DRAWINGS = DRAWINGS  # of a noun in a look
# The set has the names of the coloured one, which concepts.tsv lists.
ICON_COLUMNS = {"fluent-emoji-high-contrast": "fluent-emoji-flat"}


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture of a noun in a look.

    Attributes:
        noun: its name.
        number: 0 to `MOST_DRAWINGS` - 1.
        art_set: key of `sprites.PACKAGES`.
        icon: its name in that set.
    """

    noun: str
    look: str
    number: int
    art_set: str
    icon: str

    @property
    def key(self) -> str:
        """Its name in a pack of sprites: "noun|look", and "noun|look|2" for a further drawing."""
        first = f"{self.noun}|{self.look}"
        return f"{first}|{self.number}" if self.number else first


def icon_names() -> dict[str, dict[str, str]]:
    """label -> set -> icon name, from the concept table beside this file."""
    return {row["label"]: row for row in _rows("concepts.tsv")}


def listed_drawings() -> tuple[Drawing, ...]:
    """The rows of drawings.tsv, in their order."""
    return tuple(
        Drawing(row["noun"], row["look"], int(row["drawing"]), row["set"], row["icon"])
        for row in _rows("drawings.tsv")
    )


def drawings_of(concepts: Concepts) -> tuple[Drawing, ...]:
    """All drawings of a stage: look by look, noun by noun, in the order of their numbers."""
    names = icon_names()
    listed: dict[tuple[str, str], list[Drawing]] = {}
    if concepts.stage >= FIRST_STAGE_WITH_DRAWINGS:
        for drawing in listed_drawings():
            listed.setdefault((drawing.noun, drawing.look), []).append(drawing)
    result: list[Drawing] = []
    for look in concepts.looks:
        usual = LOOKS[look]
        column = ICON_COLUMNS.get(usual, usual)
        for noun in concepts.nouns:
            if look in noun.without:
                continue
            drawings = {0: Drawing(noun.name, look, 0, usual, names[noun.label][column])}
            drawings |= {entry.number: entry for entry in listed.get((noun.name, look), [])}
            result += [drawings[number] for number in sorted(drawings)]
    return tuple(result)


def _rows(name: str) -> list[dict[str, str]]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))
