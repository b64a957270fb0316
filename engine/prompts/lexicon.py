"""Words of a vocabulary, and the part that every other word plays: the tables behind the reader.

The tables hold the words of every stage; a `Lexicon` keeps what its model's vocabulary has. The
first available name counts where a table lists several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from engine.prompts.grammar import plural
from engine.prompts.result import Vocabulary
from engine.prompts.tables import (
    all_roles,
    count_of,
    is_abstract,
    number_of,
    parts_of,
    parts_of_speech,
    rows_of,
    split,
    word_table,
)
from engine.words import WordTable, tokenize

Kind = Literal["noun", "background", "role", "near"]
MOST_WORDS = 6  # of a phrase
SHORTEST, LONGEST = 4, 24  # letters of a corrected word; shorter ones have too many neighbours
# Endings of words that are no nouns where no table has them: "pooping", "seamless".
VERBAL = ("ing", "ed")
ALWAYS_ADJECTIVAL = ("less", "esque", "istic")
ADJECTIVAL = ("less", "ful", "ish", "istic", "esque", "able", "ous", "ly", "like", "most")
LEAST_ELSE = 5  # letters of words that stand for no thing: "sevral" is "several"
LONG, LONGER = 6, 7  # letters of both, and of one, from which on two edits are allowed
ALIKE = str.maketrans("kqzj", "ccsg")  # first letters that sound alike
MOST_ENTRIES = 8192
NEAR_ENOUGH = 0.45  # cosine of word vectors from which on a noun is suggested
# Bare plurals of these are one drawing: "grapes", "boots".
ONE_DRAWING = frozenset({"boot", "high heel", "shoe", "cherry", "dice", "water drop"})


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word or phrase may mean."""

    kind: Kind  # which table it is from
    name: str  # the noun, the background, the role, or the nearest noun ("" = none)
    is_plural: bool = False  # the phrase is the plural of its noun
    is_phrase: bool = False  # a background's whole phrase with its preposition


@dataclass(frozen=True, slots=True)
class Entry:
    """All that the tables say of one phrase."""

    # noun, background, near: what it means in the vocabulary, or None
    noun: Meaning | None
    background: Meaning | None
    near: Meaning | None
    roles: frozenset[str]  # of `roles.tsv`
    parts: str  # letters of its parts of speech; "n" for a phrase of several words
    count: int | None  # the number that it names
    # colour, look: of the vocabulary, or None
    colour: str | None
    look: str | None
    letter: str = ""  # `class_of`
    is_abstract: bool = False  # a noun that names no visible thing


_SIMPLE = (
    ("negation", "G"),
    ("open", "K"),
    ("one", "K"),
    ("determiner", "D"),
    ("auxiliary", "X"),
    ("pronoun", "R"),
    ("conjunction", "J"),
    ("preposition", "P"),
)


def class_of(entry: Entry, word: str) -> str:
    """What a phrase may do in a noun phrase, by itself.

    N noun of the vocabulary, B background, U other noun, H heading noun, K count, C colour,
    S size, L look, F filler (adjectives and adverbs among them), D determiner, P preposition,
    J conjunction, R pronoun, X auxiliary, G negation.
    """
    if entry.noun is not None:
        return "N"
    if entry.background is not None:
        return "B"
    if entry.look is not None:
        return "L"
    if entry.colour is not None:
        return "C"
    if not entry.roles.isdisjoint(("big", "small")):
        return "S"
    if entry.count is not None:
        return "K"
    for role, letter in _SIMPLE:
        if role in entry.roles:
            return letter
    if entry.near is not None:
        return "U"
    if "heading" in entry.roles:
        return "H"
    if "filler" in entry.roles and "people" not in entry.roles:
        return "F"
    is_noun_or_verb = "n" in entry.parts or "v" in entry.parts
    return "U" if word[0].isalpha() and is_noun_or_verb else "F"


def _may_be(word: str, other: str) -> bool:
    """Whether two edits may separate a word from what was meant: both are long and begin alike."""
    lengths = sorted((len(word), len(other)))
    begins = word[0].translate(ALIKE) == other[0].translate(ALIKE)
    return begins and lengths[0] >= LONG and lengths[1] >= LONGER


def _is_letter(word: str) -> bool:
    """Whether it is a single Latin letter, as in "a) a dog" and "the letter B"."""
    return len(word) == 1 and word.isascii()


@lru_cache(maxsize=128)
def _other_word(parts: str, is_alphabetic: bool, is_abstract: bool) -> Entry:
    """The entry of a word that is in no table of the vocabulary."""
    entry = Entry(None, None, None, frozenset(), parts, None, None, None, is_abstract=is_abstract)
    return replace(entry, letter=class_of(entry, "a" if is_alphabetic else "-"))


def _plurals(form: str) -> list[str]:
    """The plurals of a noun, without those that are words of grammar ("does")."""
    found = [plural(form), form + "es"] if form.endswith(("o", "i")) else [plural(form)]
    return [each for each in found if "auxiliary" not in all_roles().get((each,), ())]


class Lexicon:
    """The words of one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.nouns, self.looks = frozenset(vocabulary.nouns), frozenset(vocabulary.looks)
        self.colours = frozenset(vocabulary.colours)
        self.backgrounds = frozenset(vocabulary.backgrounds)
        self._meanings: dict[tuple[str, ...], dict[Kind, Meaning]] = {}
        self._roles: dict[tuple[str, ...], frozenset[str]] = all_roles()
        self._add_nouns()
        self._add_backgrounds()
        # Words alone come before parts of phrases: "carot" is no shopping cart.
        known = [word for words in sorted(self._meanings, key=len) for word in words]
        known += [word for words, roles in self._roles.items() for word in words
                  if roles & self.colours]  # fmt: skip
        self._spelled = [word for word in dict.fromkeys(known) if len(word) >= SHORTEST]
        self._corrections: dict[str, str | None] = {}
        self._add_near()
        others = {word for words in (*self._meanings, *self._roles) for word in words}
        others -= set(self._spelled)
        self._spelled_else = sorted(word for word in others if len(word) >= LEAST_ELSE)
        self._longest: dict[str, int] = {}
        for words in (*self._meanings, *self._roles):
            self._longest[words[0]] = max(len(words), self._longest.get(words[0], 1))
        self._entries: dict[tuple[str, ...], Entry] = {}
        self._vectors: tuple[list[str], np.ndarray] | None = None
        self._known = {word for words in (*self._meanings, *self._roles) for word in words}

    def meanings(self, words: tuple[str, ...]) -> dict[Kind, Meaning]:
        """What a phrase may mean; empty where it is in no table but `roles`."""
        return self._meanings.get(words, {})

    def roles(self, words: tuple[str, ...]) -> frozenset[str]:
        """The roles of a phrase in `roles.tsv`."""
        return self._roles.get(words, frozenset())

    def entry(self, words: tuple[str, ...]) -> Entry:
        """All that the tables say of a phrase; entries are kept."""
        kept = self._entries.get(words)
        if kept is None:
            kept = self._make_entry(words)
            if len(self._entries) < MOST_ENTRIES:
                self._entries[words] = kept
        return kept

    def _make_entry(self, words: tuple[str, ...]) -> Entry:
        meanings, roles = self.meanings(words), self.roles(words)
        is_word = len(words) == 1
        parts = self._parts_of(words[0]) if is_word else "n"
        count = (number_of(words[0]) if is_word else None) or count_of(roles)
        if not (meanings or roles or count):
            is_noun = words[0][0].isalpha() and not _is_letter(words[-1])
            return _other_word(parts, is_noun, is_abstract(words[-1]))
        entry = Entry(
            meanings.get("noun"),
            meanings.get("background"),
            meanings.get("near"),
            roles,
            parts,
            count,
            next((role for role in sorted(roles) if role in self.colours), None),
            next((look for look in sorted(self.looks) if f"{look} look" in roles), None),
        )
        return replace(entry, letter=class_of(entry, words[0]))

    def _parts_of(self, word: str) -> str:
        """The parts of speech of a word, by its ending where no table has it."""
        parts = parts_of(word)
        if parts == "n" and word.endswith(ALWAYS_ADJECTIVAL) and word not in self._known:
            return "a"
        is_noun_by_default = parts == "n" and word.endswith(VERBAL + ADJECTIVAL)
        if not is_noun_by_default or word in self._known or is_abstract(word):
            return parts
        table = word_table()
        row = None if table is None else table.index(word)
        if table is None or (row is not None and table.words[row] == word):
            return parts
        return "v" if word.endswith(VERBAL) else "a"

    def longest(self, word: str) -> int:
        """How many words the longest phrase has that begins with a word; 1 where none does."""
        return self._longest.get(word, 1)

    def has_word(self, word: str) -> bool:
        """Whether any table has the word, so that it is not misspelt."""
        if (
            word[0].isdigit()
            or number_of(word) is not None
            or word in self._known
            or word in parts_of_speech()
        ):
            return True
        if _is_letter(word) or is_abstract(word):
            return True
        table = word_table()
        return table is None or table.index(word) is not None

    def is_derived(self, word: str, *, has_stem: bool) -> bool:
        """Whether an unknown word's ending shows that it is no noun ("seamless"), and perhaps its
        stem.
        """
        if not word.isalpha() or self.entry((word,)).parts not in ("v", "a"):
            return False
        endings = [end for end in VERBAL + ADJECTIVAL if word.endswith(end)]
        stems = [word.removesuffix(end) for end in endings]
        return not has_stem or any(len(stem) > 2 and self.has_word(stem) for stem in stems)

    def nearest_spelling(self, word: str) -> str | None:
        """The word of the vocabulary that an unknown word is a misspelling of; kept.

        One edit separates both, two where both are long and begin alike; an edit is a letter too
        many, too few, wrong, or exchanged with its neighbour. Earlier words win among equals.
        """
        if not (SHORTEST <= len(word) <= LONGEST and word.isascii()):
            return None
        if word not in self._corrections:
            if len(self._corrections) >= MOST_ENTRIES:
                self._corrections.clear()
            self._corrections[word] = self._find_spelling(word)
        return self._corrections[word]

    def _find_spelling(self, word: str) -> str | None:
        # Its import takes 17 ms of a start, and only unknown words need it.
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        found = process.extract(
            word, self._spelled, scorer=OSA.distance, score_cutoff=2, limit=None
        )
        near = [
            (edits, other[0] != word[0], at)
            for other, edits, at in found
            if edits <= 1 or _may_be(word, other)
        ]
        if near:
            return self._spelled[min(near)[2]]
        other = process.extractOne(word, self._spelled_else, scorer=OSA.distance, score_cutoff=1)
        return None if other is None else other[0]

    def nearest_noun(self, words: Sequence[str]) -> str | None:
        """The noun that a phrase of other words means most nearly; None where none is near."""
        table = word_table()
        if table is None or not words:
            return None
        row = table.index(words[-1])
        if row is None:
            return None
        if self._vectors is None:
            self._vectors = self._noun_vectors(table)
        names, vectors = self._vectors
        if not names:
            return None
        vector = table.vectors[row]
        scores = vectors @ (vector / (np.linalg.norm(vector) + 1e-6))
        best = int(scores.argmax())
        return names[best] if scores[best] >= NEAR_ENOUGH else None

    def _noun_vectors(self, table: WordTable) -> tuple[list[str], np.ndarray]:
        names, rows = [], []
        for name in sorted(self.nouns):
            row = table.index(tokenize(name)[-1]) if len(tokenize(name)) == 1 else None
            if row is not None:
                names.append(name)
                rows.append(table.vectors[row])
        vectors = np.stack(rows) if rows else np.zeros((0, 1), np.float32)
        return names, vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-6)

    def _add(self, phrase: str, meaning: Meaning, *, replaces: bool = False) -> None:
        """The first meaning of a kind stays, unless the later one is to replace it."""
        words = tuple(tokenize(phrase))
        if 0 < len(words) <= MOST_WORDS:
            known = self._meanings.setdefault(words, {})
            known[meaning.kind] = meaning if replaces else known.get(meaning.kind, meaning)

    def _add_nouns(self) -> None:
        # A name comes before every synonym, a synonym before further kinds, and what is written
        # in a table before the plurals made of it.
        listed = [(row["name"], split(row["synonyms"])) for row in rows_of("nouns")]
        further = [(row["noun"], split(row["words"])) for row in rows_of("kinds")]
        forms_of = {name: {name, *forms} for name, forms in listed}
        rows = [(name, [name]) for name, _ in listed] + listed + further
        rows = [(name, list(forms)) for name, forms in rows if name in self.nouns]
        for name in sorted(self.nouns):  # a vocabulary may have nouns that no table has
            self._add(name, Meaning("noun", name))
        for name, forms in rows:
            # "pancakes" are one stack of pancakes.
            singular = forms_of[name] if " of " in name else forms_of[name].union(forms)
            plurals = {more for form in singular for more in _plurals(form)} - forms_of[name]
            for form in forms:
                if form not in plurals:
                    self._add(form, Meaning("noun", name))
        for name, forms in rows:
            many = name not in ONE_DRAWING and not name.startswith("pair of")
            for form in forms:
                # Among further kinds some are plurals already.
                if form in forms_of[name] or not form.endswith("s"):
                    for more in _plurals(form):
                        self._add(more, Meaning("noun", name, is_plural=many))

    def _add_backgrounds(self) -> None:
        for row in rows_of("backgrounds"):
            if row["name"] not in self.backgrounds:
                continue
            for form in (row["name"], *split(row["synonyms"])):
                self._add(form, Meaning("background", row["name"]))
                self._add(f"{form} background", Meaning("background", row["name"]))
            for phrase in split(row["phrases"]):
                self._add(phrase, Meaning("background", row["name"], is_phrase=True), replaces=True)
        for name in sorted(self.backgrounds):
            self._add(name, Meaning("background", name))
        for row in rows_of("scenery"):
            names = [name for name in split(row["names"]) if name in self.backgrounds]
            for form in split(row["words"]) if names else ():
                if "background" in names[0] and len(form.split()) == 1:
                    continue  # "white" alone is a colour
                self._add(form, Meaning("background", names[0]))
                self._add(f"{form} background", Meaning("background", names[0]))

    def _is_composed(self, words: tuple[str, ...]) -> bool:
        """Whether a phrase is read as a noun of the vocabulary: "tiger head", "piece of cake"."""
        if len(words) < 2:
            return False
        if words[-1:] in self._roles and self.roles(words[-1:]) & {"part", "young"}:
            return "noun" in self.meanings(words[:-1])
        return (
            words[1] == "of"
            and "container" in self.roles(words[:1])
            and "noun" in self.meanings(words[2:])
        )

    def _add_near(self) -> None:
        for row in rows_of("near"):
            for form in split(row["words"]):
                nearest = row["noun"] if row["noun"] in self.nouns else ""
                self._add(form, Meaning("near", nearest))
                if not form.endswith("s"):
                    for more in _plurals(form):
                        self._add(more, Meaning("near", nearest, is_plural=True))
        for row in rows_of("nouns"):  # things of later vocabularies
            if row["name"] not in self.nouns:
                for form in (row["name"], *split(row["synonyms"])):
                    if self._is_composed(tuple(tokenize(form))):
                        continue
                    self._add(form, Meaning("near", ""))
                    if not form.endswith("s"):
                        self._add(plural(form), Meaning("near", "", is_plural=True))


@lru_cache(maxsize=8)
def lexicon_of(vocabulary: Vocabulary) -> Lexicon:
    """The lexicon of a vocabulary; the last ones are kept."""
    return Lexicon(vocabulary)
