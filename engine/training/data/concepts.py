"""What the model learns: nouns, looks, colours, backgrounds, their words, and their drawings.

Plain data, most of it in `nouns.tsv` and `backgrounds.tsv` of `resources/words`. The vocabulary
grows in stages, each of which contains the one before. A model file and a run belong to one stage;
everything that composes, judges or evaluates takes the `Concepts` of that stage.

Columns of nouns.tsv: stage, name, label, synonyms, band, size, colourable, natural, without, never,
and for stages from `FIRST_WITH_DRAWINGS` on main_colour, not_colours, untrue; several words in one
field are divided by "|". In these stages a noun has several drawings, and sprites are recoloured by
`pixels.recolour_main`. So main_colour (looks whose art has one clear main colour) and not_colours
(colours that some drawing cannot show) replace colourable and never, and the natural colours are
those without the ones in untrue, which do not hold for all drawings.

The first drawing (0) of a noun in a look is the icon of `concepts.tsv` in the look's usual set,
unless a row of `drawings.tsv` names another. Its rows with the numbers 1 to 3 are further drawings.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal, cast

import numpy as np

from engine.paths import resource_path
from engine.prompts.result import Vocabulary

Band = Literal["sky", "ground", "any"]


@dataclass(frozen=True, slots=True)
class Noun:
    """One thing that can stand in a box."""

    name: str  # the usual word in prompts, and the key of its sprites
    label: str  # row of `concepts.tsv`, which names its icon in every art set
    synonyms: tuple[str, ...]
    band: Band
    size: int  # typical size among the others, 1 small to 3 large
    # mostly one saturated colour, so that a shift of it gives "a blue car"
    colourable: bool = False
    # colour words that are true of it in every coloured look when nothing is shifted
    natural: tuple[str, ...] = ()
    # looks that have no fitting art of it; nothing asks for those pairs
    without: tuple[str, ...] = ()
    # looks in which a shift of its main colour misses what people mean by its colour (the wheels of
    # a tractor), and colours in which it looks wrong
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Background:
    """A named kind of background; a phrase is how a sentence ends (or begins) with it."""

    name: str
    synonyms: tuple[str, ...]
    phrases: tuple[str, ...]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def data_rows(name: str) -> list[dict[str, str]]:
    """The rows of a table in this folder."""
    return _rows(Path(__file__).with_name(name))


def _words(field: str) -> tuple[str, ...]:
    return tuple(field.split("|")) if field else ()


_LOOKS = {row["look"]: row for row in data_rows("looks.tsv")}
LOOKS = {look: row["set"] for look, row in _LOOKS.items()}  # the art set that each is learned from
COLOURLESS_LOOKS = frozenset({"ink"})  # black on white: no colour is shifted or named
# Adjectives before "illustration", "picture" or "style"; no word means two looks.
LOOK_WORDS = {look: _words(row["words"]) for look, row in _LOOKS.items()}
# Whole frames around a description that only this look allows.
LOOK_FRAMES = {look: _words(row["frames"]) for look, row in _LOOKS.items()}

_COLOURS = {row["colour"]: row["hue"] for row in data_rows("colours.tsv")}
COLOURS = {colour: float(hue) for colour, hue in _COLOURS.items() if hue}  # in degrees
NEUTRALS = tuple(colour for colour, hue in _COLOURS.items() if not hue)  # no turn of the hue


@dataclass(frozen=True, slots=True, eq=False)
class Concepts:
    """The vocabulary of one stage."""

    stage: int
    nouns: tuple[Noun, ...]
    looks: tuple[str, ...]
    colours: tuple[str, ...]
    backgrounds: tuple[Background, ...]

    @property
    def noun_names(self) -> tuple[str, ...]:
        return tuple(noun.name for noun in self.nouns)

    @property
    def background_names(self) -> tuple[str, ...]:
        return tuple(background.name for background in self.backgrounds)

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.noun_names, self.looks, self.colours, self.background_names)

    def colours_of(self, noun: Noun, look: str) -> tuple[str, ...]:
        """The colours that a thing may be given in a look; none where that looks wrong."""
        if not noun.colourable or look in COLOURLESS_LOOKS or look in noun.never:
            return ()
        return tuple(colour for colour in self.colours if colour not in noun.never)


def _noun(row: dict[str, str]) -> Noun:
    """A noun of the stages before `FIRST_WITH_DRAWINGS`."""
    return Noun(
        name=row["name"],
        label=row["label"],
        synonyms=_words(row["synonyms"]),
        band=cast(Band, row["band"]),
        size=int(row["size"]),
        colourable=row["colourable"] == "yes",
        natural=_words(row["natural"]),
        without=_words(row["without"]),
        never=_words(row["never"]),
    )


def _noun_with_main_colour(row: dict[str, str]) -> Noun:
    """A noun of the stages from `FIRST_WITH_DRAWINGS` on."""
    noun, looks = _noun(row), _words(row["main_colour"])
    unfit = tuple(look for look in LOOKS if look not in looks and look not in COLOURLESS_LOOKS)
    return replace(
        noun,
        colourable=bool(looks),
        natural=tuple(word for word in noun.natural if word not in _words(row["untrue"])),
        never=(*unfit, *_words(row["not_colours"])) if looks else (),
    )


STAGES = (3, 4)
FIRST_WITH_DRAWINGS = 4  # the first stage in which a noun has several drawings


@cache
def concepts_of(stage: int) -> Concepts:
    """The vocabulary of a stage. Raises ValueError: there is no such stage."""
    if stage not in STAGES:
        raise ValueError(f"there is no stage {stage} of the vocabulary, only {STAGES}")
    read = _noun_with_main_colour if stage >= FIRST_WITH_DRAWINGS else _noun
    nouns, backgrounds = (
        [row for row in _rows(resource_path("words", name)) if int(row["stage"]) <= stage]
        for name in ("nouns.tsv", "backgrounds.tsv")
    )
    return Concepts(
        stage,
        tuple(read(row) for row in nouns),
        tuple(LOOKS),
        (*COLOURS, *NEUTRALS),
        tuple(
            Background(row["name"], _words(row["synonyms"]), _words(row["phrases"]))
            for row in backgrounds
        ),
    )


FIRST = concepts_of(STAGES[0])
_LAST = concepts_of(STAGES[-1])
# Of every stage: a name means the same in all of them.
BY_NAME: dict[str, Noun] = {noun.name: noun for noun in _LAST.nouns}
BACKGROUNDS_BY_NAME: dict[str, Background] = {entry.name: entry for entry in _LAST.backgrounds}


def stage_path(path: Path, stage: int) -> Path:
    """Where files of a stage are by default: "runs/a.b" becomes "runs/a-3.b" for stage 3."""
    return path.with_name(f"{path.stem}-{stage}{path.suffix}")


# ---- what a seed decides ----

# A prediction at pure noise is the mean of all that a prompt may mean, and the mean of many
# landscapes is a smear. So that each seed means one picture, a background's tokens receive a few
# signs, drawn from its seed at run time (`engine.sampling.region_choice`). In training the signs
# say which drawing the picture has, and which background where the prompt names none. From
# `FIRST_WITH_DRAWINGS` on, two of the signs name the drawing of a foreground as well.
CHOICES = 4  # signs
DRAWING_BITS = 2
DRAWINGS = 2**DRAWING_BITS  # of each background, and of a noun in a look at most
OPEN_BITS = CHOICES - DRAWING_BITS
Choice = tuple[int, ...]  # CHOICES times -1 or 1; 0 = left open
# What goes with any object in stages with drawings: neither night nor evening by chance. The first
# and the last are where earlier stages have them, so that a grown model keeps them.
OPEN_BACKGROUNDS = ("blue sky", "pastel background", "blue background", "green hills")


def open_backgrounds(concepts: Concepts) -> tuple[str, ...]:
    """Those that a picture may have whose prompt names none, one for each pair of signs."""
    if concepts.stage >= FIRST_WITH_DRAWINGS:
        return OPEN_BACKGROUNDS
    return concepts.background_names[: 2**OPEN_BITS]


def background_choice(
    drawing: int, name: str | None, concepts: Concepts, rng: np.random.Generator
) -> Choice:
    """The signs that go with a drawing, 0 to DRAWINGS - 1, of a background.

    `name` is one of `open_backgrounds`; None = the prompt says it, and the signs for it are any.
    """
    names = open_backgrounds(concepts)
    number = int(rng.integers(len(names))) if name is None else names.index(name)
    return _signs(drawing, DRAWING_BITS) + _signs(number, OPEN_BITS)


def thing_codes(concepts: Concepts) -> int:
    """How many codes name the drawings of an object; 0 where there is one drawing of each."""
    return DRAWINGS if concepts.stage >= FIRST_WITH_DRAWINGS else 0


def thing_choice(code: int) -> Choice:
    """The signs that go with a foreground of this code, 0 to DRAWINGS - 1 (`sampling.thing_code`).

    The first sign decides about the mirror image at run time and stays open.
    """
    return (0, *_signs(code, DRAWING_BITS), 0)


def _signs(number: int, bits: int) -> Choice:
    return tuple(1 if number >> bit & 1 else -1 for bit in range(bits))


# ---- drawings ----

# The set has the names of the coloured one, which concepts.tsv lists.
ICON_COLUMNS = {"fluent-emoji-high-contrast": "fluent-emoji-flat"}


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture of a noun in a look: an icon of an art set in `packages.tsv`."""

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


def drawings_of(concepts: Concepts) -> tuple[Drawing, ...]:
    """All drawings of a stage: look by look, noun by noun, in the order of their numbers."""
    icons = {row["label"]: row for row in data_rows("concepts.tsv")}
    listed: dict[tuple[str, str], list[Drawing]] = {}
    if concepts.stage >= FIRST_WITH_DRAWINGS:
        for row in data_rows("drawings.tsv"):
            key = row["noun"], row["look"]
            drawing = Drawing(*key, int(row["drawing"]), row["set"], row["icon"])
            listed.setdefault(key, []).append(drawing)
    result: list[Drawing] = []
    for look in concepts.looks:
        usual = LOOKS[look]
        column = ICON_COLUMNS.get(usual, usual)
        for noun in concepts.nouns:
            if look in noun.without:
                continue
            drawings = {0: Drawing(noun.name, look, 0, usual, icons[noun.label][column])}
            drawings |= {entry.number: entry for entry in listed.get((noun.name, look), [])}
            result += [drawings[number] for number in sorted(drawings)]
    return tuple(result)
