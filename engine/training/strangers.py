"""Words outside the vocabulary, for training prompts: what the model should make of them.

A word that is close to a noun stands for it ("a spaniel" shows a dog); one that means none of them
is named beside the things of the picture and shown by nothing. Without such prompts a model never
meets a word that has no trained vector of its own. The words are data, in `strangers.tsv`: by the
word table alone a beehive is a bee, and a foxglove a fox.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from engine.training.concepts import Concepts, Noun, concepts_of
from engine.training.prompts import Mention, pick
from engine.words import tokenize

NEAR_SHARE = 0.6  # of the prompts with a stranger: it stands for a thing


class Strangers:
    """The words to draw from.

    Attributes:
        near: noun name -> words that stand for it.
        far: words that mean no noun of the stage.
    """

    def __init__(self, concepts: Concepts) -> None:
        with Path(__file__).with_name("strangers.tsv").open(encoding="utf-8", newline="") as file:
            rows = {
                row["noun"]: row["words"].split("|") for row in csv.DictReader(file, delimiter="\t")
            }
        names = set(concepts.noun_names)
        # A stranger of an early stage may be a noun of a later one.
        taught = {
            word
            for noun in concepts.nouns
            for form in (noun.name, *noun.synonyms)
            for word in tokenize(form)
        }
        rows = {noun: [w for w in words if w not in taught] for noun, words in rows.items()}
        self.far = rows.pop("")
        self.near = {noun: words for noun, words in rows.items() if noun in names and words}

    def mix_in(self, rng: np.random.Generator, mentions: Sequence[Mention]) -> list[Mention]:
        """The mentions with one stranger: in the place of a noun, or beside the others."""
        result = list(mentions)
        named = [i for i, mention in enumerate(result) if mention.noun.name in self.near]
        if named and rng.random() < NEAR_SHARE:
            index = pick(rng, named)
            word = pick(rng, self.near[result[index].noun.name])
            noun = replace(result[index].noun, name=word, synonyms=())
            result[index] = replace(result[index], noun=noun)
        else:
            stranger = Mention(Noun(pick(rng, self.far), "", (), "any", 1))
            result.insert(int(rng.random() * (len(result) + 1)), stranger)
        return result


@cache
def strangers_of(stage: int) -> Strangers:
    """The strangers of a stage. Raises ValueError: there is no such stage."""
    return Strangers(concepts_of(stage))
