"""Words of a prompt, and the table that was shipped for them."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from engine.errors import WeightsError
from engine.training.data.word_table import choose_words, quantise, reduce
from engine.words import (
    MAX_WORDS,
    WordTable,
    load_word_table,
    read_word_table,
    tokenize,
    unknown_words,
)


def write_table(path: Path, words: str, rows: int, dims: int = 128) -> Path:
    vectors = np.ones((rows, dims), np.int8)
    save_file({"vectors": vectors, "scales": np.ones(rows, np.float32)}, path, {"words": words})
    return path


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("A red balloon, a dog!", ["a", "red", "balloon", "a", "dog"]),
        ("3D 3-d 3 d", ["3d", "3d", "3d"]),
        ("3 dogs and 3dogs", ["three", "dogs", "and", "three", "dogs"]),
        ("the dog's fir-tree", ["the", "dog", "fir", "tree"]),
        ("don’t", ["dont"]),
        ("a café\nin 1990", ["a", "cafe", "in", "1990"]),
        ("", []),
        ("собака", ["собака"]),
    ],
)
def test_tokenize_splits_into_plain_words(prompt: str, words: list[str]) -> None:
    assert tokenize(prompt) == words


@given(st.text(max_size=1000))
def test_tokenize_takes_any_text(prompt: str) -> None:
    words = tokenize(prompt)
    assert len(words) <= MAX_WORDS
    assert all(word and word == word.lower() for word in words)


def test_the_shipped_table_has_the_words_that_pictures_need() -> None:
    table = load_word_table()
    assert 20_000 < len(table.words) == len(set(table.words)) < 25_000
    assert table.vectors.shape == (len(table.words), 128)
    assert table.vectors.dtype == np.float32
    known = "a and with under the of on in at balloon castle doughnut donut snowman sailboat"
    known += " helicopter tulip 3d flat glossy one two ten twenty"
    assert [word for word in known.split() if word not in table.words] == []


@pytest.mark.parametrize(
    ("word", "row_of"),
    [
        ("dog", "dog"),
        ("snowflakes", "snowflake"),
        ("sailboats", "sailboat"),
        ("houseplants", "houseplant"),
        ("dragonflies", "dragonfly"),
        ("walruses", "walrus"),
        ("zzz", None),
        ("", None),
    ],
)
def test_index_finds_plurals(word: str, row_of: str | None) -> None:
    table = load_word_table()
    expected = None if row_of is None else table.words.index(row_of)
    found = table.index(word)
    assert found is expected or (found is not None and table.words[found] in (row_of, word))


def test_index_tries_plurals_before_stems() -> None:
    words = ["box", "horse", "fly", "leaf", "hop", "glow", "bake"]
    table = WordTable(words, np.zeros((len(words), 128), np.float32))

    def found(word: str) -> str | None:
        index = table.index(word)
        return None if index is None else words[index]

    inputs = ["boxes", "horses", "flies", "leaves", "hopping", "glowing", "baked", "baker"]
    assert [found(word) for word in inputs] == [
        *("box", "horse", "fly", "leaf", "hop", "glow", "bake", "bake")
    ]
    assert [found(word) for word in ("bed", "red", "sing", "s", "es", "ing")] == [None] * 6


def test_neighbours_mean_something() -> None:
    """The figures of the first trial: dog/puppy .72, dog/car .27, castle/pizza .01."""
    table = load_word_table()

    def similarity(first: str, second: str) -> float:
        rows = table.index(first), table.index(second)
        assert None not in rows
        x, y = (table.vectors[row or 0] for row in rows)
        return float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))

    assert similarity("dog", "puppy") == pytest.approx(0.72, abs=0.05)
    assert similarity("dog", "car") == pytest.approx(0.27, abs=0.05)
    assert similarity("ship", "sailboat") == pytest.approx(0.48, abs=0.05)
    assert similarity("bird", "eagle") == pytest.approx(0.54, abs=0.05)
    assert similarity("castle", "pizza") == pytest.approx(0.01, abs=0.05)


def test_unknown_words_come_in_order_and_once() -> None:
    assert unknown_words("a zzqx dog, blorp and ZZQX 1990") == ("zzqx", "blorp", "1990")
    assert unknown_words("three dogs under the sunset") == ()


def test_the_shipped_table_is_read_once_by_all_threads() -> None:
    found: list[WordTable] = []
    threads = [Thread(target=lambda: found.append(load_word_table())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(table) for table in found}) == 1
    with pytest.raises(ValueError, match="read-only"):
        found[0].vectors[0] = 0


def test_a_missing_or_damaged_table_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="missing"):
        read_word_table(tmp_path / "none.safetensors")
    good = write_table(tmp_path / "good.safetensors", "a\nb", 2)
    assert read_word_table(good).index("b") == 1
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(good.read_bytes()[:-40])
    with pytest.raises(WeightsError, match="damaged"):
        read_word_table(cut)
    other = tmp_path / "other.safetensors"
    save_file({"weight": np.zeros(3, np.float32)}, other)
    with pytest.raises(WeightsError, match="damaged"):
        read_word_table(other)
    with pytest.raises(WeightsError, match="2 words"):
        read_word_table(write_table(tmp_path / "three.safetensors", "a\nb", 3))
    with pytest.raises(WeightsError, match="vectors of shape"):
        read_word_table(write_table(tmp_path / "narrow.safetensors", "a\nb", 2, dims=64))


def test_making_the_table_keeps_what_vectors_mean(tmp_path: Path) -> None:
    """Centring, SVD and int8 leave the angles between centred vectors nearly alone."""
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(20, 384)).astype(np.float32)
    vectors = rng.normal(size=(200, 20)).astype(np.float32) @ basis + 3
    table, scales = quantise(reduce(vectors))
    restored = table.astype(np.float32) * scales[:, None]
    centred = vectors - vectors.mean(0)
    assert table.shape == (200, 128)
    np.testing.assert_allclose(
        restored @ restored.T, centred @ centred.T, atol=0.03 * np.abs(centred @ centred.T).max()
    )


def test_chosen_words_are_whole_and_unique(tmp_path: Path) -> None:
    concepts = tmp_path / "concepts.tsv"
    concepts.write_text("label\tkeywords\nfir tree\tdog|zonkey\n", encoding="utf-8")
    words = choose_words(["[CLS]", "dog", "##gy", "b", "42", "sun"], concepts)
    assert words[:5] == ["dog", "sun", "a", "i", "3d"]
    assert len(words) == len(set(words))
    assert {"zonkey", "tree", "snowmobile"} < set(words)
    assert not {"b", "42", "##gy", "[CLS]"} & set(words)
