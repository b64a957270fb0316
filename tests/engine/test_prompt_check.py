"""Reading of prompts: the role of each word, against the shipped vocabulary and a larger one."""

from __future__ import annotations

import pytest

from engine import check_prompt as check_shipped
from engine.prompts.lexicon import Lexicon, lexicon_of
from engine.prompts.parser import check_prompt
from engine.prompts.result import PromptCheck, Vocabulary
from engine.prompts.tables import rows_of, split
from engine.prompts.tokens import MAX_READ
from engine.training.data.concepts import STAGES, Concepts, concepts_of
from engine.words import tokenize


def lexicon(stage: int) -> Lexicon:
    known: Concepts = concepts_of(stage)
    return lexicon_of(known.vocabulary)


def read(prompt: str, stage: int = 3) -> PromptCheck:
    return check_prompt(prompt, lexicon(stage))


def things(prompt: str, stage: int = 3) -> list[tuple[str, int | None]]:
    return [(thing.noun, thing.count) for thing in read(prompt, stage).objects]


def undrawable(prompt: str, stage: int = 3) -> list[str]:
    return [each.typed for each in read(prompt, stage).undrawable]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("two sheep and a goose", [("sheep", 2), ("duck", 1)]),
        ("a red sports car next to a fire truck", [("car", 1), ("fire engine", 1)]),
        ("three ice creams, a hot dog", [("ice cream", 3), ("hot dog", 1)]),
        ("a chocolate cake and a mountain bike", [("cake", 1), ("bicycle", 1)]),
        ("a lion cub", [("lion", 1)]),
        ("a bee flying over a running horse", [("bee", 1), ("horse", 1)]),
        ("an owl watches two frogs", [("owl", 1), ("frog", 2)]),
        ("dogs play with a football", [("dog", None), ("football", 1)]),
        ("a couple of pears and a dozen lemons", [("pear", 2), ("lemon", 12)]),
        ("lots of stars", [("star", None)]),
        ("a fox. The fox is red.", [("fox", 1)]),
        ("a red rose and a white rose", [("rose", 1), ("rose", 1)]),
        ("a pig and a pig", [("pig", 2)]),
        ("a bowl of cherries", [("cherry", 1)]),
        ("a bouquet of roses", [("bouquet", 1)]),
        ("a shoe in front of a church", [("shoe", 1), ("church", 1)]),
        ("a four year old penguin", [("penguin", 1)]),
        ("the wolf in sheep's clothing", [("wolf", 1)]),
        ("whale 🐳, 🦊🦊 🍦", [("whale", 1), ("fox", 2), ("ice cream", 1)]),
        ("a whale and 🦊 on the beach 🏖️", [("whale", 1), ("fox", 1)]),
        ("an elephant calf and a tiger cub", [("elephant", 1), ("tiger", 1)]),
        ("a frog prince and a bear family", [("frog", 1), ("bear", None)]),
        ("a bell on a church tower", [("bell", 1), ("tower", 1)]),
        ("a fire-breathing dragon, a star-shaped cookie", [("dragon", 1), ("cookie", 1)]),
        ("a three-tier cake with twenty-one candles", [("cake", 1), ("candle", 21)]),
        ("a horse's head", [("horse", 1)]),
        ("a tiger head and a piece of cake", [("tiger", 1), ("cake", 1)]),
        ("my dog Max and my cat Luna", [("dog", 1), ("cat", 1)]),
        ("I'd like 2x apple, a heart shaped balloon", [("apple", 2), ("balloon", 1)]),
        ("dog cat moon", [("dog", 1), ("cat", 1), ("moon", 1)]),
        ("a T-shirt and a jack-o'-lantern", [("shirt", 1), ("pumpkin", 1)]),
        ("", []),
    ],
)
def test_things_and_their_numbers(prompt: str, expected: list[tuple[str, int | None]]) -> None:
    assert things(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("birthday card with a cake", ["cake"]),
        ("children's book page: an owl and a fox", ["owl", "fox"]),
        ("sticker sheet, pizza and taco", ["pizza", "taco"]),
        ("Happy new year! a clover and a pig", ["clover", "pig"]),
        ("coffee shop logo", ["coffee cup"]),  # nothing else is named
        ("coffee shop logo with a croissant", ["croissant"]),
    ],
)
def test_a_heading_is_drawn_only_where_nothing_else_is_named(
    prompt: str, expected: list[str]
) -> None:
    assert [thing.noun for thing in read(prompt).objects] == expected


@pytest.mark.parametrize(
    ("prompt", "drawn", "excluded"),
    [
        ("a house without trees, a dog", ["house", "dog"], ["trees"]),
        ("a house without trees and a dog", ["house", "dog"], ["trees"]),
        ("no clouds or birds, a castle", ["castle"], ["clouds", "birds"]),
        ("a car, not a bus", ["car"], ["bus"]),
        ("a tent but no fire", ["tent"], ["fire"]),
    ],
)
def test_what_is_excluded_is_not_drawn(prompt: str, drawn: list[str], excluded: list[str]) -> None:
    check = read(prompt)
    assert [thing.noun for thing in check.objects] == drawn
    assert [word.typed for word in check.negated] == excluded
    assert not check.undrawable


def test_colours_sizes_backgrounds_and_looks_belong_to_what_they_stand_with() -> None:
    check = read("A big red and yellow balloon, a car that is blue, at the seaside, line art")
    balloon, car = check.objects
    assert (balloon.colour, balloon.size) == ("red", "big")
    assert (car.colour, car.size) == ("blue", None)
    assert check.background is not None
    assert (check.background.name, check.look) == ("beach", "ink")
    assert read("a cat in a white room").background is not None
    assert read("a beach ball").background is None


def test_words_of_a_later_vocabulary_are_drawn_with_it_alone() -> None:
    prompt = "a robot and a teddy bear in the kitchen"
    assert things(prompt) == [("bear", 1)]
    assert undrawable(prompt) == ["robot"]
    assert things(prompt, 4) == [("robot", 1), ("teddy bear", 1)]
    assert [check.background.name for stage in (3, 4)
            if (check := read(prompt, stage)).background] == ["room", "kitchen"]  # fmt: skip


@pytest.mark.parametrize(
    ("prompt", "typed", "nearest"),
    [
        ("a sofa and a cat", "sofa", "bed"),
        ("pumpkin pie", "pumpkin pie", "cake"),
        ("a cat with a spider web", "spider web", "spider"),
        ("a blorfik", "blorfik", None),
        ("собака", "собака", None),
    ],
)
def test_what_cannot_be_drawn_is_reported_with_the_nearest_thing(
    prompt: str, typed: str, nearest: str | None
) -> None:
    (found,) = read(prompt).undrawable
    assert (found.typed, prompt[slice(*found.span)]) == (typed, typed)
    if nearest is not None:
        assert found.nearest in (nearest, "pumpkin")


def test_a_further_background_is_no_thing_that_cannot_be_drawn() -> None:
    check = read("a crab on the beach in the city")
    assert check.background is not None
    assert (check.background.name, check.undrawable) == ("beach", ())
    assert [each.typed for each in check.further_backgrounds] == ["in the city"]
    (night,) = read("a dog at the beach under a night sky").further_backgrounds
    assert night.name == "night sky"
    assert read("a bird in the sky over a beach").further_backgrounds == ()


def test_text_in_quotation_marks_is_reported_as_text() -> None:
    check = read('a balloon with the words "Big Dog"')
    assert [thing.noun for thing in check.objects] == ["balloon"]
    assert [each.typed for each in check.undrawable] == ["Big Dog"]
    assert things('"a dog and a cat"') == [("dog", 1), ("cat", 1)]


def test_misspelt_words_are_read_as_the_nearest_and_reported() -> None:
    check = read("a pengiun, an umbrela and a qwertzlump")
    assert [thing.noun for thing in check.objects] == ["penguin", "umbrella"]
    found = {each.typed: each.suggestion for each in check.misspelt}
    assert found == {"pengiun": "penguin", "umbrela": "umbrella"}
    assert [thing.typed for thing in check.objects] == ["pengiun", "umbrela"]
    assert undrawable("a barn and a menu") == ["barn"], "words of the language are not corrected"


def test_edits_count_as_people_make_them() -> None:
    words = Lexicon(Vocabulary(("castle", "cactus", "boat", "penguin")))
    assert words.nearest_spelling("pengiun") == "penguin"  # two letters exchanged: one edit
    assert words.nearest_spelling("castel") == "castle"
    assert [words.nearest_spelling(each) for each in ("boaat", "bot", "coat")] == [
        "boat",
        None,
        "boat",
    ]
    assert words.nearest_spelling("baot") == "boat"
    assert words.nearest_spelling("baotz") is None  # two edits, and "boat" is short
    assert words.nearest_spelling("penquinn") == "penguin"  # two edits of a longer word


def test_joiners_and_soft_hyphens_split_nothing() -> None:
    assert things("a do\u00adg and a c\u200dat") == [("dog", 1), ("cat", 1)]
    assert undrawable("a dog, 👨\u200d👩\u200d👧") == ["👨\u200d👩\u200d👧"]


def test_every_word_has_a_role_and_its_place() -> None:
    prompt = "No birds: two tiny blue fish, a sofa, very nice, glossy, under the sea"
    words = read(prompt).words
    assert all(prompt[slice(*word.span)] == word.typed for word in words)
    roles = {word.typed: word.role for word in words}
    assert roles["birds"] == "negated"
    assert (roles["two"], roles["tiny"], roles["blue"]) == ("count", "size", "colour")
    assert (roles["fish"], roles["sofa"], roles["nice"]) == ("object", "undrawable", "filler")
    assert (roles["glossy"], roles["under the sea"]) == ("look", "background")


def test_words_after_the_last_that_is_read_are_counted() -> None:
    prompt = "a cat, " * (MAX_READ // 2) + "a dog and a castle"
    check = read(prompt)
    assert check.objects[0].count == MAX_READ // 2
    assert [thing.noun for thing in check.objects] == ["cat"]
    assert check.unread == 5
    assert check.unread_span is not None
    assert prompt[slice(*check.unread_span)].strip(" ,") == "a dog and a castle"


@pytest.mark.parametrize(
    "prompt",
    [
        "x" * 1_000_000,
        "a dog, " * 150_000,
        "1" * 20_000,
        "\x00\x07\x1b[31m\u202e",
        "🦊" * 5000,
        "\n\t \r",
        "'" * 99,
    ],
)
def test_any_text_is_read(prompt: str) -> None:
    check = read(prompt)
    assert len(check.words) <= MAX_READ
    assert all(thing.noun in ("dog", "fox") for thing in check.objects)


def test_one_word_hundreds_of_times_is_one_thing() -> None:
    assert things("cat " * 300) == [("cat", MAX_READ)]
    assert read("cat " * 300).unread == 300 - MAX_READ


@pytest.mark.parametrize("stage", STAGES)
def test_every_word_that_training_uses_is_understood(stage: int) -> None:
    known = concepts_of(stage)
    words = lexicon(stage)
    for noun in known.nouns:
        for form in (noun.name, *noun.synonyms):
            meaning = words.meanings(tuple(tokenize(form))).get("noun")
            assert meaning is not None, form
            assert meaning.name == noun.name, form
    for background in known.backgrounds:
        for form in (background.name, *background.phrases):
            meaning = words.meanings(tuple(tokenize(form))).get("background")
            assert meaning is not None, form
            assert meaning.name == background.name, form


def test_the_tables_name_nouns_and_backgrounds_of_the_vocabulary() -> None:
    known = concepts_of(STAGES[-1])
    for table in ("kinds", "near"):
        nouns = {row["noun"] for row in rows_of(table)}
        nouns.discard("")  # phrases to which nothing is near
        assert nouns <= set(known.noun_names), table
    names = {name for row in rows_of("scenery") for name in split(row["names"])}
    assert names <= set(known.background_names)


def test_the_face_reads_with_the_shipped_vocabulary() -> None:
    assert check_shipped("a cat, a snowman") == read("a cat, a snowman")


@pytest.mark.parametrize("kind", ["photo", "picture", "drawing", "portrait", "close-up"])
def test_what_a_picture_is_of_is_reported_where_it_cannot_be_drawn(kind: str) -> None:
    found = read(f"a {kind} of a stapler and a cat")
    assert [each.typed for each in found.undrawable] == ["stapler"]
    assert [each.noun for each in found.objects] == ["cat"]
