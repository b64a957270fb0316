"""What a model draws: things with categories, other words, pictures and proportions.

The pictures are tiles of one file that the model drew itself (`layerloom train things`); the table
next to it names the model file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from engine.api import ModelInfo
from engine.paths import resource_path
from engine.prompts.tables import rows_of, split

KINDS = ("things", "backgrounds", "looks")  # of tiles
OTHER = "objects"  # the category of what the tables do not have


@dataclass(frozen=True, slots=True)
class Thing:
    """One noun of the vocabulary.

    Attributes:
        synonyms: other words that draw it.
    """

    name: str
    category: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ThingPictures:
    """One picture with tiles, row by row: of things, backgrounds and looks."""

    path: Path
    columns: int  # tiles per row
    side: int  # pixels per side of a tile
    # numbers of the tiles by word
    things: Mapping[str, int]
    backgrounds: Mapping[str, int]
    looks: Mapping[str, int]  # one thing in each look


def list_things(info: ModelInfo) -> tuple[Thing, ...]:
    """The nouns of a model in the order of its vocabulary; none for one that draws any text."""
    if info.vocabulary is None:
        return ()
    rows = {row["name"]: row for row in rows_of("nouns")}
    further: dict[str, list[str]] = {}
    for row in rows_of("kinds"):
        further.setdefault(row["noun"], []).extend(split(row["words"]))
    found = []
    for name in info.vocabulary.nouns:
        row = rows.get(name, {"category": OTHER, "synonyms": ""})
        synonyms = (*split(row["synonyms"]), *further.get(name, ()))
        found.append(Thing(name, row["category"], synonyms))
    return tuple(found)


def thing_pictures(info: ModelInfo) -> ThingPictures | None:
    """The picture of things that this model file drew; None where there is none of this model."""
    table = _table()
    path = resource_path("things", "things.webp")
    if table["model"] != info.file_hash or not path.is_file():
        return None
    places = ({word: int(row["place"]) for word, row in table[kind].items()} for kind in KINDS)
    return ThingPictures(path, int(table["columns"]), int(table["tile"]), *places)


def aspect_of(noun: str) -> float:
    """Width over height of a thing as the shipped model draws it; 1 where that is not known."""
    return float(_table()["things"].get(noun, {}).get("aspect", 1.0))


@cache
def _table() -> dict[str, Any]:
    """things.json; empty where it is missing or damaged: the window then shows words alone."""
    try:
        table = json.loads(resource_path("things", "things.json").read_text("utf-8"))
        if all(isinstance(table[kind], dict) for kind in KINDS):
            return {each: table[each] for each in ("model", "columns", "tile", *KINDS)}
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return {"model": None, "columns": 1, "tile": 1, **{kind: {} for kind in KINDS}}
