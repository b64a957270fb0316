"""Words outside the vocabulary have a vector, are in no stage, and mean what they should."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from engine.training.data.concepts import BY_NAME, STAGES, concepts_of
from engine.training.data.prompts import Mention, oov_words_of
from engine.training.data.scenes import SceneSettings, compose
from engine.words import load_word_table, tokenize


@pytest.mark.parametrize("stage", STAGES)
def test_every_such_word_has_a_vector_and_none_is_in_the_vocabulary(stage: int) -> None:
    table, strangers = load_word_table(), oov_words_of(stage)
    known = {
        table.index(word)
        for noun in concepts_of(stage).nouns
        for form in (noun.name, *noun.synonyms)
        for word in tokenize(form)
    }
    words = [*strangers.far, *(word for near in strangers.near.values() for word in near)]
    assert max(Counter(words).values()) == 1
    assert set(strangers.near) <= set(concepts_of(stage).noun_names)
    for word in words:
        # A word without a vector has no text token that a region could point at.
        assert table.index(word) is not None, word
        assert table.index(word) not in known, word


def test_a_word_stands_for_a_thing_or_is_named_as_well() -> None:
    rng = np.random.default_rng(0)
    strangers = oov_words_of(3)
    mentions = [Mention(BY_NAME["dog"], things=(0,)), Mention(BY_NAME["sun"], things=(1,))]
    replaced = 0
    for _ in range(200):
        mixed = strangers.mix_in(rng, mentions)
        shown = [mention.things for mention in mixed if mention.things]
        assert shown == [(0,), (1,)]
        if len(mixed) == 2:
            replaced += 1
            assert mixed[0].noun.name in strangers.near["dog"]
        else:
            assert len(mixed) == 3
    assert 80 < replaced < 160


def test_scenes_say_where_a_word_stands_for_a_thing() -> None:
    strangers = oov_words_of(3)
    known = {word for words in strangers.near.values() for word in words}
    rng = np.random.default_rng(1)
    seen = 0
    for _ in range(400):
        scene = compose(rng, SceneSettings(stranger_share=1.0))
        for thing, end in zip(scene.things, scene.said_at, strict=True):
            word = tokenize(scene.prompt[:end])[-1:] if end else []
            if word and word[0] in known:
                seen += 1
                assert word[0] in strangers.near[thing.noun]
    assert seen > 60
