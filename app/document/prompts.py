"""Prompt history: the last distinct prompts that pictures were made with. Pure.

It is kept in the document and in the user's settings, and depends on no picture: discarding one
leaves its prompt here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.document.contents import MAX_PROMPT

MAX_PROMPTS = 200


def remembered(known: Sequence[str], prompt: str) -> tuple[str, ...]:
    """The history with one more prompt, newest first; the same prompt has one place only."""
    text = " ".join(prompt.split())
    if not text:
        return tuple(known)
    return (text, *(each for each in known if each != text))[:MAX_PROMPTS]


def remembered_from(known: Sequence[str], records: Iterable[Any]) -> tuple[str, ...]:
    """The history after these results came in."""
    history = tuple(known)
    for record in records:
        prompt = (record or {}).get("prompt")
        if isinstance(prompt, str) and len(prompt) <= MAX_PROMPT:
            history = remembered(history, prompt)
    return history


def together(first: Sequence[str], then: Sequence[str]) -> list[str]:
    """Two histories as one, `first` before the rest of `then`."""
    return list(dict.fromkeys([*first, *then]))[:MAX_PROMPTS]
