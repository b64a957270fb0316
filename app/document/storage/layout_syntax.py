"""Layouts as text, first half: from JSON or a Python literal to plain values.

Text is parsed as data and never run. An error says the line and the column.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

from app.document.storage.errors import StorageError

MAX_TEXT = 1_000_000

_NEITHER = "The text is neither JSON nor a list of boxes"
# What only Python writes; then its parser knows better where the text is wrong.
_PYTHON = re.compile(r"\(|'|\b(?:None|True|False)\b")


def refused(what: str, advice: str = "Correct it and try again.") -> StorageError:
    """A layout that is not taken; nothing of it is used."""
    return StorageError(what, "No box was changed.", advice)


def parsed(text: str) -> Any:
    """The value that the text writes, as JSON or as a Python literal.

    Raises:
        StorageError: it is neither; says the line and the column, both counted from 1.
    """
    if len(text) > MAX_TEXT:
        raise refused("The text is too long for a layout.", "Check that it is the right one.")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise refused(f"{_NEITHER}: it is nested too deeply.") from error
    except ValueError as error:  # perhaps a Python literal
        as_json = error
    stripped = text.strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in foreign text are no news
            return ast.literal_eval(stripped)
    except SyntaxError as error:
        where = _python_place(text, error) if _PYTHON.search(text) else _json_place(text, as_json)
        raise refused(f"{_NEITHER}{where}.") from error
    except ValueError as error:  # a call, a name, a comprehension
        raise refused(f"{_NEITHER}{_json_place(text, as_json)}.") from error
    except (TypeError, MemoryError, RecursionError) as error:
        raise refused(f"{_NEITHER}.") from error


def _json_place(text: str, error: ValueError) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return ""
    line, column = error.lineno, error.colno
    if text[error.pos :].startswith(("//", "/*", "#")):
        return f": line {line}, column {column}: JSON has no comments"
    reason = error.msg.removesuffix(" at").removesuffix(" starting at")
    return f": line {line}, column {column}: {reason[:1].lower()}{reason[1:]}"


def _python_place(text: str, error: SyntaxError) -> str:
    """The place in the whole text; the parser saw it without the white space around it."""
    before = text[: len(text) - len(text.lstrip())]
    line, column = error.lineno or 1, error.offset or 1
    if line == 1:
        column += len(before) - (before.rfind("\n") + 1)
    line += before.count("\n")
    return f": line {line}, column {column}: {error.msg.split('. ')[0]}"
