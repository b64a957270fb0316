"""What the small model is taught: nouns, looks, colours and backgrounds, with the words for each.

Plain data, most of it in `nouns.tsv` and `backgrounds.tsv` of `resources/words`. Knows nothing of
pixels, scenes or the network. The vocabulary grows in stages, each of which holds the one before;
a model file and a run say which stage they were trained for, and everything that composes, judges
or evaluates takes the `Concepts` of that stage. Without a word it is the first.

Columns of nouns.tsv: stage, name, label, synonyms, band, size, colourable, natural, without, never,
and for stages from `FIRST_WITH_MAIN_COLOURS` on main_colour, not_colours, untrue; several words in
one field are divided by "|". In these stages sprites are recoloured by `main_colour`, and a noun
has several drawings, so main_colour (looks whose art has one clear main colour) and not_colours
(colours that some drawing cannot show) replace colourable and never, and the natural colours are
those without the ones in untrue, which do not hold for all drawings.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal, cast

from engine.paths import resource_path

Band = Literal["sky", "ground", "any"]


@dataclass(frozen=True, slots=True)
class Noun:
    """One thing that can stand in a box.

    Attributes:
        name: the usual word in prompts, and the key of its sprites.
        label: row of `concepts.tsv`, which names its icon in every art set.
        synonyms: other everyday words; no word means two nouns.
        band: where it belongs: upper half, lower half, anywhere.
        size: typical size beside the others, 1 small to 3 large.
        colourable: mostly one saturated colour, so that a shift of it gives "a blue car".
        natural: colour words that are true of it in every coloured look when nothing is shifted.
        without: looks that have no fitting art of it; nothing asks for those pairs.
        never: looks in which a shift of its main colour misses what people mean by its colour (the
            wheels of a tractor), and colours in which it looks wrong.
    """

    name: str
    label: str
    synonyms: tuple[str, ...]
    band: Band
    size: int
    colourable: bool = False
    natural: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Background:
    """A named kind of background.

    Attributes:
        name: the usual words in prompts, and what the drawing function is asked for.
        synonyms: other words that may stand before "background".
        phrases: how a sentence ends (or begins) with it.
    """

    name: str
    synonyms: tuple[str, ...]
    phrases: tuple[str, ...]


# Look -> the art set that it is learned from.
LOOKS: dict[str, str] = {
    "flat": "fluent-emoji-flat",
    "glossy": "noto",
    "3d": "fluent-3d",
    "bold": "twemoji",
    "ink": "fluent-emoji-high-contrast",
}
COLOURLESS_LOOKS = frozenset({"ink"})  # black on white: no colour is shifted or named
# Look -> adjectives before "illustration", "picture" or "style"; no word means two looks.
LOOK_WORDS: dict[str, tuple[str, ...]] = {
    "flat": ("flat", "flat vector", "flat design", "simple flat"),
    "glossy": ("glossy", "cartoon", "shiny", "glossy cartoon"),
    "3d": ("3d", "clay", "3d clay", "rendered 3d"),
    "bold": ("bold", "bold graphic", "comic", "poster"),
    "ink": ("ink", "line art", "ink line art", "pen and ink"),
}
# Look -> whole frames around a description that only this look allows.
LOOK_FRAMES: dict[str, tuple[str, ...]] = {
    "flat": ("flat vector art of {}", "{}, flat vector", "{}, flat"),
    "glossy": ("a cartoon of {}", "cartoon: {}", "{}, glossy"),
    "3d": ("3d render of {}", "a 3d render of {}", "{}, 3d render", "{} in 3d"),
    "bold": ("a bold drawing of {}", "bold graphic of {}", "{}, bold", "comic: {}"),
    "ink": ("line art of {}", "an ink drawing of {}", "{}, line art", "{} in ink"),
}

# Colour -> hue in degrees of a shifted sprite.
COLOURS: dict[str, float] = {
    "red": 0.0,
    "orange": 28.0,
    "yellow": 50.0,
    "green": 130.0,
    "blue": 215.0,
    "purple": 275.0,
    "pink": 328.0,
}
# Colours that no turn of the hue gives; `pixels.NEUTRAL_TONES` has their tones.
NEUTRALS = ("black", "white", "grey", "brown")


@dataclass(frozen=True, slots=True, eq=False)
class Concepts:
    """The vocabulary of one stage.

    Attributes:
        looks, colours: names, in the order in which they came.
    """

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

    def colours_of(self, noun: Noun, look: str) -> tuple[str, ...]:
        """The colours that a thing may be given in a look; none where that looks wrong."""
        if not noun.colourable or look in COLOURLESS_LOOKS or look in noun.never:
            return ()
        return tuple(colour for colour in self.colours if colour not in noun.never)


def _rows(name: str) -> list[dict[str, str]]:
    with resource_path("words", name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _words(field: str) -> tuple[str, ...]:
    return tuple(field.split("|")) if field else ()


def _noun(row: dict[str, str]) -> Noun:
    """A noun as stages before `FIRST_WITH_MAIN_COLOURS` know it."""
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
    """A noun as stages from `FIRST_WITH_MAIN_COLOURS` on know it."""
    noun, looks = _noun(row), _words(row["main_colour"])
    unfit = tuple(look for look in LOOKS if look not in looks and look not in COLOURLESS_LOOKS)
    return replace(
        noun,
        colourable=bool(looks),
        natural=tuple(word for word in noun.natural if word not in _words(row["untrue"])),
        never=(*unfit, *_words(row["not_colours"])) if looks else (),
    )


def _background(row: dict[str, str]) -> Background:
    return Background(row["name"], _words(row["synonyms"]), _words(row["phrases"]))


# How many of the looks and colours each stage has; nouns and backgrounds say it in their tables.
NUM_LOOKS = {1: 3, 2: 4, 3: 5, 4: 5}
NUM_COLOURS = {1: 7, 2: 11, 3: 11, 4: 11}
STAGES = tuple(NUM_LOOKS)
FIRST_WITH_MAIN_COLOURS = 4


@cache
def concepts_of(stage: int) -> Concepts:
    """The vocabulary of a stage, 1 to 4.

    Raises:
        ValueError: there is no such stage.
    """
    if stage not in STAGES:
        raise ValueError(f"there is no stage {stage} of the vocabulary, only {STAGES}")
    read = _noun_with_main_colour if stage >= FIRST_WITH_MAIN_COLOURS else _noun
    nouns = tuple(read(row) for row in _rows("nouns.tsv") if int(row["stage"]) <= stage)
    if stage == 1:
        # Models of the first stage are compared on its scenes, which knew no exceptions.
        nouns = tuple(replace(noun, without=(), never=()) for noun in nouns)
    return Concepts(
        stage,
        nouns,
        tuple(LOOKS)[: NUM_LOOKS[stage]],
        (*COLOURS, *NEUTRALS)[: NUM_COLOURS[stage]],
        tuple(_background(row) for row in _rows("backgrounds.tsv") if int(row["stage"]) <= stage),
    )


def new_nouns(stage: int) -> tuple[Noun, ...]:
    """The nouns that the stage before does not have; all of them for the first."""
    known = {noun.name for noun in concepts_of(stage - 1).nouns} if stage > 1 else set()
    return tuple(noun for noun in concepts_of(stage).nouns if noun.name not in known)


FIRST = concepts_of(1)
NOUNS, BACKGROUNDS = FIRST.nouns, FIRST.backgrounds
_LAST = concepts_of(STAGES[-1])
# Of every stage: a name means the same in all of them.
BY_NAME: dict[str, Noun] = {noun.name: noun for noun in _LAST.nouns}
BACKGROUNDS_BY_NAME: dict[str, Background] = {entry.name: entry for entry in _LAST.backgrounds}


def stage_path(path: Path, stage: int) -> Path:
    """Where files of a stage stand by default: "runs/a.b" becomes "runs/a-2.b" for stage 2."""
    return path if stage == 1 else path.with_name(f"{path.stem}-{stage}{path.suffix}")
