"""Words that layers show: phrases and emoji are looked for in the prompt as they were typed."""

from __future__ import annotations

import pytest

from app.document.words import has_word


@pytest.mark.parametrize(
    ("prompt", "word", "expected"),
    [
        ("two ice creams and a dog", "ice cream", True),
        ("ice on a cream cake", "ice cream", True),
        ("an ice lolly", "ice cream", False),
        ("a 🐱 at night", "🐱", True),
        ("a dog at night", "🐱", False),
        ("a cat at the seaside", "seaside", True),
    ],
)
def test_a_phrase_needs_all_its_words(prompt: str, word: str, expected: bool) -> None:
    assert has_word(prompt, word) is expected
