"""What the small model is taught: nouns, looks, colours and backgrounds, with the words for each.

Plain data. Knows nothing of pixels, scenes or the network. `Noun.label` names a row of
`concepts.tsv` beside this file, which names the icon of every art set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Band = Literal["sky", "ground", "any"]


@dataclass(frozen=True, slots=True)
class Noun:
    """One thing that can stand in a box.

    Attributes:
        name: the usual word in prompts, and the key of its sprites.
        label: row of `concepts.tsv`.
        synonyms: other everyday words; no word means two nouns.
        band: where it belongs: upper half, lower half, anywhere.
        size: typical size beside the others, 1 small to 3 large.
        colourable: mostly one saturated colour, so that a shift of its hue gives "a blue car".
        natural: colour words that are true of it in every look when its hue is not shifted.
    """

    name: str
    label: str
    synonyms: tuple[str, ...]
    band: Band
    size: int
    colourable: bool = False
    natural: tuple[str, ...] = ()


NOUNS: tuple[Noun, ...] = (
    Noun("sun", "sun", ("shining sun",), "sky", 2, natural=("yellow", "golden")),
    Noun("moon", "crescent moon", ("crescent moon", "crescent"), "sky", 2),
    Noun("star", "star", ("golden star",), "sky", 1, natural=("yellow",)),
    Noun("cloud", "cloud", ("fluffy cloud",), "sky", 2, natural=("white",)),
    Noun("rainbow", "rainbow", ("colourful rainbow",), "sky", 3),
    Noun("balloon", "balloon", ("party balloon",), "sky", 1, True),
    Noun("bird", "bird", ("songbird",), "sky", 1, True),
    Noun("airplane", "airplane", ("plane", "aeroplane", "jet"), "sky", 2),
    Noun("rocket", "rocket", ("spaceship", "space rocket"), "sky", 2),
    Noun("butterfly", "butterfly", (), "any", 1, True),
    Noun("helicopter", "helicopter", ("chopper",), "sky", 2),
    Noun("house", "house", ("home", "cottage"), "ground", 3),
    Noun("castle", "castle", ("fortress", "palace"), "ground", 3),
    Noun("tree", "deciduous tree", ("leafy tree", "oak"), "ground", 3, natural=("green",)),
    Noun("fir tree", "evergreen tree", ("pine", "pine tree"), "ground", 3, natural=("green",)),
    Noun("palm tree", "palm tree", ("palm", "coconut tree"), "ground", 3),
    Noun("mountain", "snow-capped mountain", ("peak", "mountain peak"), "ground", 3),
    Noun("tent", "tent", ("camping tent",), "ground", 2),
    Noun("sailboat", "sailboat", ("sailing boat", "yacht"), "ground", 2),
    Noun("car", "automobile", ("automobile",), "ground", 2, True),
    Noun("bus", "bus", ("coach",), "ground", 2, True),
    Noun("tractor", "tractor", ("farm tractor",), "ground", 2, True),
    Noun("snowman", "snowman without snow", ("snow man",), "ground", 2, natural=("white",)),
    Noun("cactus", "cactus", ("desert cactus",), "ground", 2, natural=("green",)),
    Noun("mushroom", "mushroom", ("toadstool",), "ground", 1, True),
    Noun("sunflower", "sunflower", ("sun flower",), "ground", 2, natural=("yellow",)),
    Noun("tulip", "tulip", ("tulip flower",), "ground", 1, True),
    Noun("rose", "rose", ("rose flower",), "ground", 1, True),
    Noun("dog", "dog", ("puppy", "hound"), "ground", 2),
    Noun("cat", "cat", ("kitten", "kitty"), "ground", 2),
    Noun("rabbit", "rabbit", ("bunny", "hare"), "ground", 2),
    Noun("pig", "pig", ("piglet", "piggy"), "ground", 2, natural=("pink",)),
    Noun("elephant", "elephant", (), "ground", 3),
    Noun("penguin", "penguin", (), "ground", 2),
    Noun("fox", "fox", (), "ground", 2, natural=("orange",)),
    Noun("lion", "lion", (), "ground", 2),
    Noun("panda", "panda", ("panda bear",), "ground", 2),
    Noun("frog", "frog", ("toad",), "ground", 1, natural=("green",)),
    Noun("fish", "fish", ("sea fish",), "any", 1, True),
    Noun("duck", "duck", ("mallard",), "ground", 2),
    Noun("apple", "red apple", ("ripe apple",), "any", 1, True),
    Noun("strawberry", "strawberry", ("ripe strawberry",), "any", 1, natural=("red",)),
    Noun("watermelon", "watermelon", ("slice of watermelon", "melon"), "any", 1),
    Noun("burger", "hamburger", ("hamburger", "cheeseburger"), "any", 1),
    Noun("cake", "birthday cake", ("birthday cake",), "any", 2),
    Noun("doughnut", "doughnut", ("donut",), "any", 1),
    Noun("pizza", "pizza", ("slice of pizza",), "any", 1),
    Noun("gift", "wrapped gift", ("present", "gift box"), "any", 1, True),
    Noun("umbrella", "umbrella", ("parasol",), "any", 2, True),
    Noun("guitar", "guitar", ("electric guitar",), "any", 2, True),
    Noun("crown", "crown", ("golden crown",), "any", 1, natural=("golden",)),
    Noun("book", "closed book", ("closed book",), "any", 1, True),
)
BY_NAME: dict[str, Noun] = {noun.name: noun for noun in NOUNS}

# Look -> the art set that it is learned from.
LOOKS: dict[str, str] = {"flat": "fluent-emoji-flat", "glossy": "noto", "3d": "fluent-3d"}
# Look -> adjectives before "illustration", "picture" or "style"; no word means two looks.
LOOK_WORDS: dict[str, tuple[str, ...]] = {
    "flat": ("flat", "flat vector", "flat design", "simple flat"),
    "glossy": ("glossy", "cartoon", "shiny", "glossy cartoon"),
    "3d": ("3d", "clay", "3d clay", "rendered 3d"),
}
# Look -> whole frames around a description that only this look allows.
LOOK_FRAMES: dict[str, tuple[str, ...]] = {
    "flat": ("flat vector art of {}", "{}, flat vector", "{}, flat"),
    "glossy": ("a cartoon of {}", "cartoon: {}", "{}, glossy"),
    "3d": ("3d render of {}", "a 3d render of {}", "{}, 3d render", "{} in 3d"),
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


BACKGROUNDS: tuple[Background, ...] = (
    Background(
        "blue sky",
        ("clear sky", "sunny sky", "daytime sky"),
        (
            "under a blue sky",
            "under a clear blue sky",
            "against a blue sky",
            "in front of a blue sky",
            "on a sunny day",
            "on a bright day",
        ),
    ),
    Background(
        "sunset",
        ("evening sky", "sunset sky", "dusk"),
        (
            "at sunset",
            "at dusk",
            "in front of a sunset",
            "under an evening sky",
            "in the evening",
            "in the evening light",
        ),
    ),
    Background(
        "night sky",
        ("starry night", "night", "dark night sky"),
        (
            "under a night sky",
            "at night",
            "in the night",
            "under a starry night sky",
            "in front of a night sky",
            "at midnight",
        ),
    ),
    Background(
        "green hills",
        ("meadow", "grassy hills", "green fields"),
        (
            "on green hills",
            "in front of green hills",
            "in a meadow",
            "in a green meadow",
            "on the grass",
            "in the countryside",
        ),
    ),
    Background(
        "beach",
        ("sandy beach", "seaside", "sea and sand"),
        (
            "on a beach",
            "on the beach",
            "at the beach",
            "at the seaside",
            "by the sea",
            "on the sand",
        ),
    ),
    Background(
        "snow",
        ("snowy field", "winter landscape", "winter"),
        (
            "in the snow",
            "in snow",
            "on a snowy field",
            "in winter",
            "in a winter landscape",
            "on a snowy day",
        ),
    ),
)
BACKGROUNDS_BY_NAME: dict[str, Background] = {entry.name: entry for entry in BACKGROUNDS}
