"""Prompts: varied plain English for a list of things, a look and a background.

Words and grammar only: the caller decides which things are named, and in which order. Every choice
comes from the caller's random generator. `OovWords` adds words from outside the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

import numpy as np

from engine.prompts.grammar import NUMBER_WORDS, SIZE_WORDS, plural, with_article
from engine.prompts.result import SizeWord
from engine.training.data.concepts import (
    BACKGROUNDS_BY_NAME,
    LOOK_FRAMES,
    LOOK_WORDS,
    Concepts,
    Noun,
    concepts_of,
    data_rows,
)
from engine.words import tokenize

Choice = TypeVar("Choice")

SYNONYM_SHARE = 0.2
MARK = "\ue000"  # private use: follows each mention of a marked prompt
SCENERY_MARK = "\ue001"  # follows the words for the background


@cache
def phrases(kind: str) -> tuple[str, ...]:
    """Texts of `phrases.tsv`: "look" and "plain" templates, "vague", "more" and "transparent"."""
    return tuple(row["text"] for row in data_rows("phrases.tsv") if row["kind"] == kind)


@dataclass(frozen=True, slots=True)
class Mention:
    """One part of a prompt: "a big blue car", "two cats"."""

    noun: Noun
    count: int = 1
    colour: str | None = None
    size: SizeWord | None = None
    things: tuple[int, ...] = ()  # the caller's numbers of what is mentioned


def pick(rng: np.random.Generator, options: Sequence[Choice]) -> Choice:
    """One of `options`; ten times faster than rng.choice, which matters for scenes."""
    return options[int(rng.random() * len(options))]


def mention_words(rng: np.random.Generator, mention: Mention, *, article: bool = True) -> str:
    noun = mention.noun
    words = noun.name
    if noun.synonyms and rng.random() < SYNONYM_SHARE:
        words = pick(rng, noun.synonyms)
    if mention.count > 1:
        words = plural(words)
    if mention.colour is not None:
        words = f"{mention.colour} {words}"
    if mention.size is not None:
        words = f"{pick(rng, SIZE_WORDS[mention.size])} {words}"
    if mention.count > 1:
        in_words = mention.count < len(NUMBER_WORDS) and rng.random() < 0.88
        number = NUMBER_WORDS[mention.count] if in_words else str(mention.count)
        return f"{number} {words}"
    if not article:
        return words
    if noun.name in ("sun", "moon") and mention.size is None and rng.random() < 0.5:
        return f"the {words}"
    return with_article(words)


def join_words(rng: np.random.Generator, parts: Sequence[str]) -> str:
    """Join the parts of an enumeration, in their order, in one of the usual ways."""
    if len(parts) == 1:
        return parts[0]
    draw = rng.random()
    if len(parts) == 2:
        if draw < 0.6:
            link = " and "
        else:
            link = pick(rng, (" with ", " beside ", " next to ", " near ", ", ", " plus "))
        return parts[0] + link + parts[1]
    if draw < 0.55:
        return ", ".join(parts[:-1]) + " and " + parts[-1]
    if draw < 0.75:
        return ", ".join(parts[:-1]) + ", and " + parts[-1]
    if draw < 0.85:
        return ", ".join(parts)
    if draw < 0.95 or len(parts) > 4:
        return parts[0] + " with " + ", ".join(parts[1:-1]) + " and " + parts[-1]
    return " and ".join(parts)


def add_background(
    rng: np.random.Generator, text: str, name: str, *, telegraphic: bool, mark: str = ""
) -> str:
    """Name the background somewhere around `text`, which may be empty; `mark` follows the name."""
    background = BACKGROUNDS_BY_NAME[name]
    words = name if rng.random() < 0.7 else pick(rng, background.synonyms)
    # A plain colour has the word in its name.
    whole = words + mark if words.endswith("background") else f"{words}{mark} background"
    words += mark
    if not text:
        return words if rng.random() < 0.5 else whole
    if telegraphic:
        return f"{text}, {words}" if rng.random() < 0.7 else f"{words}, {text}"
    draw = rng.random()
    if draw < 0.7:
        phrase = background.phrases[0] if rng.random() < 0.3 else pick(rng, background.phrases)
        phrase += mark
        if draw < 0.5:
            return f"{text} {phrase}"
        return f"{text}, {phrase}" if draw < 0.6 else f"{phrase}, {text}"
    if draw < 0.8:
        return f"{text}, {whole}"
    if draw < 0.9:
        return f"{text} with {with_article(whole)}"
    return f"{text} on {with_article(whole)}"


def add_look(rng: np.random.Generator, text: str, look: str | None) -> str:
    """Name the look around `text`; None leaves it open."""
    if look is None:
        if rng.random() < 0.75:
            return text
        return pick(rng, phrases("plain")).format(text=text)
    if rng.random() < 0.3:
        return pick(rng, LOOK_FRAMES[look]).format(text)
    words = look if rng.random() < 0.6 else pick(rng, LOOK_WORDS[look])
    template = pick(rng, phrases("look"))
    return template.format(look=words, a_look=with_article(words), text=text)


def write_prompt(
    rng: np.random.Generator,
    mentions: Sequence[Mention],
    *,
    # look, background: None leaves it open
    look: str | None = None,
    background: str | None = None,
    transparent: bool = False,  # say at times that there is no background
    more: bool = False,  # end with "and other things"; the picture holds more than is named
    vague: bool = False,  # without mentions, say "a few things" rather than the background alone
    # put marks behind each mention and the background; `take_marks` removes them
    marked: bool = False,
    telegraphic: bool = False,  # a plain list without articles, as one prompt in eight is anyway
) -> str:
    """One prompt that says each mention once, in this order; empty when there is nothing to say."""
    telegraphic = rng.random() < 0.12 or telegraphic
    mark = MARK if marked else ""
    parts = [mention_words(rng, mention, article=not telegraphic) + mark for mention in mentions]
    if parts and more:
        parts.append(pick(rng, phrases("more")))
    if not parts and vague:
        parts.append(pick(rng, phrases("vague")))
    if not parts:
        text = ""
    elif telegraphic:
        text = ", ".join(parts)
    else:
        text = join_words(rng, parts)
    if background is not None:
        scenery_mark = SCENERY_MARK if marked else ""
        text = add_background(rng, text, background, telegraphic=telegraphic, mark=scenery_mark)
    elif transparent and text and rng.random() < 0.12:
        text = f"{text}, {pick(rng, phrases('transparent'))}"
    if not text:
        return text
    text = add_look(rng, text, look)
    if rng.random() < 0.25:
        text = text[0].upper() + text[1:]
        return text + "." if rng.random() < 0.5 else text
    return text


def take_marks(marked: str) -> tuple[str, list[int], int]:
    """The prompt without marks, where in it each mention ends, and where the background's does.

    Positions are in characters; the background's is 0 where the prompt does not name it.
    """
    plain: list[str] = []
    ends, scenery = [], 0
    for char in marked:
        if char == MARK:
            ends.append(len(plain))
        elif char == SCENERY_MARK:
            scenery = len(plain)
        else:
            plain.append(char)
    return "".join(plain), ends, scenery


# ---- words outside the vocabulary ----

NEAR_SHARE = 0.6  # of the prompts with such a word: it stands for a thing


class OovWords:
    """Words outside the vocabulary, for training prompts; the table is `oov_words.tsv`.

    A word that is close to a noun stands for it ("a spaniel" shows a dog); one that means none of
    them is named among the things of the picture and shown by nothing. Without such prompts a model
    never meets a word without a trained vector of its own. The word table alone cannot tell: there
    a beehive is a bee, and a foxglove a fox.
    """

    def __init__(self, concepts: Concepts) -> None:
        rows = {row["noun"]: row["words"].split("|") for row in data_rows("oov_words.tsv")}
        names = set(concepts.noun_names)
        # Such a word of an early stage may be a noun of a later one.
        known = {
            word
            for noun in concepts.nouns
            for form in (noun.name, *noun.synonyms)
            for word in tokenize(form)
        }
        rows = {noun: [w for w in words if w not in known] for noun, words in rows.items()}
        self.far = rows.pop("")
        self.near = {noun: words for noun, words in rows.items() if noun in names and words}

    def mix_in(self, rng: np.random.Generator, mentions: Sequence[Mention]) -> list[Mention]:
        """The mentions with one such word: in the place of a noun, or among the others."""
        result = list(mentions)
        named = [i for i, mention in enumerate(result) if mention.noun.name in self.near]
        if named and rng.random() < NEAR_SHARE:
            index = pick(rng, named)
            word = pick(rng, self.near[result[index].noun.name])
            noun = replace(result[index].noun, name=word, synonyms=())
            result[index] = replace(result[index], noun=noun)
        else:
            far = Mention(Noun(pick(rng, self.far), "", (), "any", 1))
            result.insert(int(rng.random() * (len(result) + 1)), far)
        return result


@cache
def oov_words_of(stage: int) -> OovWords:
    """The words outside the vocabulary of a stage. Raises ValueError: there is no such stage."""
    return OovWords(concepts_of(stage))
