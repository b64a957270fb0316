"""What became of a prompt, in its words as typed: for people to read, and for the manifest."""

from __future__ import annotations

from collections import Counter
from typing import Any

from engine import Finished, Undrawable


def report_lines(finished: Finished) -> list[str]:
    """One line per kind of news; empty with the older reading of prompts."""
    check = finished.check
    if check is None:
        return []
    lines = []
    if drawn := _drawn(finished):
        lines.append(f"Drawn: {_counted(drawn)}.")
    if check.undrawable:
        lines.append("Not drawn: " + "; ".join(_why(each) for each in check.undrawable) + ".")
    if check.further_backgrounds:
        others = ", ".join(f"'{each.typed}'" for each in check.further_backgrounds)
        lines.append(f"A picture has one background; not used: {others}.")
    if finished.not_placed:
        missing = {each.typed: each.count for each in finished.not_placed}
        lines.append(f"No box left for: {_counted(missing)}.")
    if check.misspelt:
        read = ", ".join(f"'{each.typed}' as '{each.suggestion}'" for each in check.misspelt)
        lines.append(f"Misspelt, read: {read}.")
    if check.negated:
        lines.append("Left out, as asked: " + ", ".join(each.typed for each in check.negated) + ".")
    empty = _empty(finished)
    for why, count in empty.items():
        boxes = "1 box" if count == 1 else f"{count} boxes"
        lines.append(f"Left empty: {boxes}; {why}.")
    if check.unread:
        lines.append(f"Not read: the last {check.unread:,} words of the prompt.")
    return lines


def report_facts(finished: Finished) -> dict[str, Any]:
    """The same as plain JSON values."""
    check = finished.check
    if check is None:
        return {}
    return {
        "drawn": [{"word": word, "count": count} for word, count in _drawn(finished).items()],
        "background": None if check.background is None else check.background.typed,
        "look": check.look,
        "not_drawn": [
            {"word": each.typed, "why": each.reason, "nearest": each.nearest}
            for each in check.undrawable
        ],
        "backgrounds_not_used": [each.typed for each in check.further_backgrounds],
        "no_box_left": [{"word": each.typed, "count": each.count} for each in finished.not_placed],
        "misspelt": [
            {"word": each.typed, "suggestion": each.suggestion} for each in check.misspelt
        ],
        "negated": [each.typed for each in check.negated],
        "boxes_left_empty": [
            {"why": why, "count": count} for why, count in _empty(finished).items()
        ],
        "words_not_read": check.unread,
    }


def _drawn(finished: Finished) -> dict[str, int]:
    """The words that boxes show, and how many boxes each."""
    things = (r.word for r in finished.results if r.kind == "foreground" and r.left_empty is None)
    return dict(Counter(word for word in things if word))


def _empty(finished: Finished) -> dict[str, int]:
    """Why boxes stay empty, and how many of them."""
    return dict(Counter(each.left_empty for each in finished.results if each.left_empty))


def _counted(words: dict[str, int]) -> str:
    return ", ".join(
        f"'{word}'" if count == 1 else f"{count:,} × '{word}'" for word, count in words.items()
    )


def _why(each: Undrawable) -> str:
    nearest = "" if each.nearest is None else f", try '{each.nearest}'"
    return f"'{each.typed}' ({each.reason}{nearest})"
