"""Values out of a file that may say anything: each is what it should be, or an error names it.

Plain values only; knows neither layers nor JSON text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MAX_OFFSET = 1_000_000


class ProjectError(ValueError):
    """The data is no project of ours; the text names the place."""


def optional(item: dict[str, Any], key: str, read: Callable[[str], Any]) -> Any:
    """What `read(key)` gives, or None when the key is missing or null."""
    return None if item.get(key) is None else read(key)


def bounded(value: Any, low: int, high: int, key: str) -> int:
    """A whole number from low to high."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ProjectError(f"{key} is {str(value)[:40]!r}")
    return value


def whole(item: dict[str, Any], key: str, low: int, high: int) -> int:
    """The whole number at a key, from low to high."""
    return bounded(item.get(key), low, high, key)


def whole_numbers(item: dict[str, Any], key: str, count: int) -> list[int]:
    """A list of so many whole numbers, none further out than any canvas."""
    values = items(item, key, count, count)
    return [bounded(value, -MAX_OFFSET, MAX_OFFSET, key) for value in values]


def real(item: dict[str, Any], key: str, low: float, high: float) -> float:
    """The number at a key, from low to high; never NaN."""
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ProjectError(f"{key} is {str(value)[:40]!r}")
    return float(value)


def text(item: dict[str, Any], key: str, longest: int) -> str:
    """The text at a key, at most so long, without lone surrogates."""
    value = item.get(key)
    if not isinstance(value, str) or len(value) > longest:
        raise ProjectError(key)
    return value.encode("utf-8", "replace").decode("utf-8")


def flag(item: dict[str, Any], key: str) -> bool:
    """True or false at a key."""
    value = item.get(key)
    if not isinstance(value, bool):
        raise ProjectError(key)
    return value


def items(item: dict[str, Any], key: str, shortest: int, longest: int) -> list[Any]:
    """The list at a key, of a length from shortest to longest."""
    value = item.get(key)
    if not isinstance(value, list) or not shortest <= len(value) <= longest:
        raise ProjectError(key)
    return value


def mapping(item: dict[str, Any], key: str) -> dict[str, Any]:
    """The object at a key."""
    value = item.get(key)
    if not isinstance(value, dict):
        raise ProjectError(key)
    return value
