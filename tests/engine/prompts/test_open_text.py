"""Prompts for models that draw anything: things with all that is said of them, place, style."""

from __future__ import annotations

import pytest

from app.session.prompt_summary import summarise
from engine import check_pin, check_prompt, place_one, suggest_layouts
from engine.prompts.grammar import is_plural_word, singular
from engine.prompts.open_text import MOST_PHRASE, OpenPrompt, read_open_prompt, thing_of
from engine.prompts.result import PromptObject
from tests.app.session.test_engine_choice import REMOTE_INFO

Things = list[tuple[str, str, int | None]]  # noun, phrase, count

PROMPTS: dict[str, tuple[Things, str, str]] = {
    "a big red dragon with golden wings perched on a stone tower, next to a knight in shining "
    "armour, at sunset, oil painting, highly detailed": (
        [
            ("dragon", "big red dragon with golden wings perched", 1),
            ("tower", "stone tower", 1),
            ("knight", "knight in shining armour", 1),
        ],
        "at sunset",
        "oil painting, highly detailed",
    ),
    "two samurai fighting a giant octopus in a stormy sea, ukiyo-e style": (
        [("samurai", "samurai", 2), ("octopus", "giant octopus", 1)],
        "stormy sea",
        "ukiyo-e style",
    ),
    "A watercolor painting of a fox, three mushrooms and an old lantern in a misty autumn forest": (
        [("fox", "fox", 1), ("mushroom", "mushroom", 3), ("lantern", "old lantern", 1)],
        "misty autumn forest",
        "watercolor painting",
    ),
    "an astronaut riding a horse on the moon": (
        [("astronaut", "astronaut", 1), ("horse", "horse", 1)],
        "moon",
        "",
    ),
    "photo of two children wearing yellow raincoats, shallow depth of field": (
        [("child", "child wearing yellow raincoats", 2)],
        "",
        "photo, shallow depth of field",
    ),
    "a katana, a kimono and 2 paper fans, in a dojo": (
        [("katana", "katana", 1), ("kimono", "kimono", 1), ("fan", "paper fan", 2)],
        "dojo",
        "",
    ),
    "several goblins and wolves": ([("goblin", "goblin", None), ("wolf", "wolf", None)], "", ""),
    "a red dog and a fluffy dog. The dog barks.": (
        [("dog", "red dog", 1), ("dog", "fluffy dog", 1)],
        "",
        "",
    ),
    'a sign that says "OPEN" above a shop door': (
        [("sign", 'sign that says "OPEN"', 1), ("door", "shop door", 1)],
        "",
        "",
    ),
    "a bowl of cherries": ([("cherry", "bowl of cherries", 1)], "", ""),
    "a cute robot, plain white background": ([("robot", "cute robot", 1)], "white background", ""),
    "three cats 🐱 and a dragon --ar 16:9": (
        [("cat", "cat", 3), ("dragon", "dragon", 1)],
        "",
        "",
    ),
    "a hamster in a space suit in the style of Van Gogh": (
        [("mouse", "hamster in a space suit", 1)],
        "",
        "in the style of Van Gogh",
    ),
    "Vintage travel poster: a lighthouse on a cliff": (
        [("lighthouse", "lighthouse", 1)],
        "cliff",
        "Vintage travel poster",
    ),
    "In a cathedral, a gargoyle": ([("gargoyle", "gargoyle", 1)], "cathedral", ""),
    "Two kids flying kites on the beach while a dog barks, children's book illustration": (
        [("kid", "kid flying kites", 2), ("dog", "dog barks", 1)],
        "on the beach",
        "children's book illustration",
    ),
    "an old fisherman in a yellow raincoat, stormy night, oil on canvas": (
        [("fisherman", "old fisherman in a yellow raincoat", 1)],
        "stormy night",
        "oil on canvas",
    ),
    "a robot serving drinks to aliens in a bar": (
        [("robot", "robot serving drinks", 1), ("alien", "alien", None)],
        "bar",
        "",
    ),
    "two bowls of cherries, cherry blossom tree, planet Saturn in the background": (
        [
            ("bowl", "bowl of cherries", 2),
            ("tree", "cherry blossom tree", 1),
            ("planet", "planet Saturn", 1),
        ],
        "",
        "",
    ),
    "wolf howling at the moon": ([("wolf", "wolf howling", 1), ("moon", "moon", 1)], "", ""),
    "a wooden sailboat with torn red sails and three seagulls over a stormy sea, oil painting": (
        [("sailboat", "wooden sailboat with torn red sails", 1), ("seagull", "seagull", 3)],
        "stormy sea",
        "oil painting",
    ),
    "portrait of an old fisherman holding a lantern, foggy harbour in the background": (
        [("fisherman", "old fisherman", 1), ("lantern", "lantern", 1)],
        "foggy harbour",
        "",
    ),
    "two astronauts playing chess on the moon": (
        [("astronaut", "astronaut playing chess", 2)],
        "moon",
        "",
    ),
    "a neon sign, a red and blue parrot": (
        [("neon sign", "neon sign", 1), ("parrot", "red and blue parrot", 1)],
        "",
        "",
    ),
    "дракон": ([("дракон", "дракон", 1)], "", ""),
    "sunset": ([], "sunset", ""),
    "": ([], "", ""),
}


def things_of(found: OpenPrompt) -> Things:
    return [(each.noun, each.phrase, each.count) for each in found.check.objects]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_prompt_is_taken_apart(prompt: str) -> None:
    things, background, style = PROMPTS[prompt]
    found = read_open_prompt(prompt)
    assert things_of(found) == things
    assert (found.background.removeprefix("plain "), found.style) == (background, style)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_what_is_shown_stands_in_the_prompt(prompt: str) -> None:
    """The window marks these words, and replaces them where the user chooses another thing."""
    for thing in read_open_prompt(prompt).check.objects:
        for start, stop in thing.spans:
            assert 0 <= start < stop <= len(prompt)
        start, stop = thing.spans[0]
        assert prompt[start:stop].strip() == thing.typed or not thing.typed.isascii()


def test_what_the_prompt_excludes() -> None:
    found = read_open_prompt("an old woman with a scarf, no hat, without any birds")
    assert things_of(found) == [("woman", "old woman with a scarf", 1)]
    assert found.excluded == "hat, birds"


def test_words_are_read_as_they_are_spelled() -> None:
    """A model may know any name: none is taken for a misspelt word of the built-in model."""
    found = read_open_prompt("a catana and a Balrog")
    assert [each.phrase for each in found.check.objects] == ["catana", "Balrog"]
    assert not found.check.misspelt and not found.check.undrawable


def test_the_same_thing_again_is_one_more_or_the_same() -> None:
    assert things_of(read_open_prompt("a golem and a golem")) == [("golem", "golem", 2)]
    assert things_of(read_open_prompt("a golem. The golem is old")) == [("golem", "golem", 1)]
    assert things_of(read_open_prompt("golems, and one golem")) == [("golem", "golem", None)]


@pytest.mark.parametrize(
    ("word", "one"),
    [
        ("dragons", "dragon"),
        ("ponies", "pony"),
        ("witches", "witch"),
        ("knives", "knife"),
        ("children", "child"),
        ("boxes", "box"),
        ("octopus", "octopus"),
        ("glass", "glass"),
        ("scissors", "scissors"),
        ("samurai", "samurai"),
    ],
)
def test_singulars(word: str, one: str) -> None:
    assert singular(word) == one
    assert is_plural_word(word) == (word != one)


def test_any_text_is_read() -> None:
    for text in ("a", ",,,", '"', "of of of", "no", "the", "🚀" * 300, "a katana " * 400, "\n\t"):
        found = read_open_prompt(text)
        assert all(each.phrase and len(each.phrase) <= MOST_PHRASE for each in found.check.objects)
    assert read_open_prompt("a katana " * 400).check.unread > 0


# ---- what the window asks ----


def test_pins_take_any_text_and_name_their_thing() -> None:
    assert check_pin("big red dragon with wings", REMOTE_INFO).noun == "dragon"
    assert check_pin(" Balrog of Moria ", REMOTE_INFO).noun == thing_of("Balrog of Moria")
    assert check_pin("a golem and an elf", REMOTE_INFO).noun == "a golem and an elf"


def test_missing_and_spare_boxes_are_counted() -> None:
    check = check_prompt("a red dragon, two golems and an elf", REMOTE_INFO)
    pinned = check_pin("small dragon with wings", REMOTE_INFO).noun
    found = summarise(check, [pinned, None, None])
    assert found.wanted == 4 and found.spare == 0
    assert [(each.typed, each.count) for each in found.missing] == [("elf", 1)]
    assert summarise(check, [None] * 6).spare == 2


def test_layouts_have_a_box_for_each_phrase() -> None:
    check = check_prompt("a red dragon with wings, two golems, in a cave", REMOTE_INFO)
    layout, *_ = suggest_layouts(check, (1024, 768), step=16)
    assert sorted(each.shows for each in layout.things) == [
        "golem", "golem", "red dragon with wings",
    ]  # fmt: skip
    for each in layout.things:
        x0, y0, x1, y1 = each.box
        assert 0 <= x0 < x1 <= 1024 and 0 <= y0 < y1 <= 768
    more = PromptObject("elf", "elf", (), phrase="elf with a bow")
    assert place_one(more, (1024, 768), [each.box for each in layout.things]).shows == (
        "elf with a bow"
    )
