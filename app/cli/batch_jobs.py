"""The lines of a batch, and the file of its results: what is asked, what is done already."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from app.cli.arguments import MAX_SEED, MAX_STEPS
from app.cli.source import ArgumentProblem
from app.document.contents import MAX_PROMPT
from app.document.storage.errors import StorageError, advice_on, cause_of

RESULTS = "results.jsonl"
_ID = re.compile(r"[\w][\w .-]{0,99}")
_MOST_LINE = 1 << 20  # characters
# Of a job; "boxes", "layout", "canvas" and "background" as in a layout file.
_KEYS = frozenset("id prompt layout boxes canvas background seed steps shows spare_boxes".split())


class BadLine(ValueError):
    """A line that is no job; says why as half a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJob:
    """One line.

    Attributes:
        id: names its files; unique in the batch.
        layout: text of a layout; "" = boxes are suggested for the prompt.
        canvas: of the suggested boxes, (width, height) pixels; None = the model's first one.
        mark: hash of all that decides the picture, so that a changed line is made again.
    """

    id: str
    line: int
    prompt: str
    layout: str = ""
    canvas: tuple[int, int] | None = None
    seed: int = 0
    steps: int | None = None
    shows: tuple[tuple[int, str], ...] = ()
    background: bool | None = None
    repeats: bool = False
    mark: str = ""


def read_jobs(text: str, folder: Path) -> Iterator[BatchJob | tuple[int, str]]:
    """Each line's job, or its number and why it is none; empty lines are passed over.

    Args:
        folder: in which layouts lie that a line names.
    """
    taken: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            job = _job(line, number, folder)
            other = taken.setdefault(job.id.casefold(), number)
            if other != number:
                raise BadLine(f"the id '{job.id}' is that of line {other}, too")
        except BadLine as error:
            yield number, str(error)
        else:
            yield job


def _job(line: str, number: int, folder: Path) -> BatchJob:
    if len(line) > _MOST_LINE:
        raise BadLine(f"it has more than {_MOST_LINE:,} characters")
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLine(f"it is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise BadLine("it is no JSON object")
    if unknown := sorted(data.keys() - _KEYS):
        raise BadLine(f"nothing is known of {', '.join(map(repr, unknown))}")
    prompt = _value(data, "prompt", str, "")
    if len(prompt) > MAX_PROMPT:
        raise BadLine(f"the prompt has more than {MAX_PROMPT:,} characters")
    name = str(data.get("id", number))
    if not _ID.fullmatch(name) or name.endswith((".", " ")):
        raise BadLine(f"the id {name!r} cannot name a file")
    if name.casefold() == Path(RESULTS).stem:
        raise BadLine(f"the id {name!r} is that of the list of results")
    layout = _layout(data, folder)
    if not (prompt.strip() or layout):
        raise BadLine("it has neither a prompt nor a layout")
    steps = _number(data, "steps", 1, MAX_STEPS)
    job = BatchJob(
        id=name,
        line=number,
        prompt=prompt,
        layout=layout,
        canvas=None if layout or "canvas" not in data else _canvas(data["canvas"]),
        seed=_number(data, "seed", 0, MAX_SEED) or 0,
        steps=steps,
        shows=_shows(data),
        background=_value(data, "background", bool, None),
        repeats=_repeats(data),
    )
    return replace(job, mark=_mark(job))


def _mark(job: BatchJob) -> str:
    values = asdict(replace(job, id="", line=0))
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _value(data: dict[str, Any], key: str, kind: type, usual: Any) -> Any:
    value = data.get(key, usual)
    if value is not usual and not isinstance(value, kind):
        raise BadLine(f"'{key}' is no {'text' if kind is str else 'true or false'}")
    return value


def _number(data: dict[str, Any], key: str, low: int, high: int) -> int | None:
    value = data.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadLine(f"'{key}' is no whole number from {low} to {high}")
    return value


def _repeats(data: dict[str, Any]) -> bool:
    spare = data.get("spare_boxes", "empty")
    if spare not in ("empty", "repeat"):
        raise BadLine("'spare_boxes' is neither empty nor repeat")
    return bool(spare == "repeat")


def _shows(data: dict[str, Any]) -> tuple[tuple[int, str], ...]:
    shows = data.get("shows", {})
    if not isinstance(shows, dict) or not all(
        key.isdecimal() and isinstance(word, str) for key, word in shows.items()
    ):
        raise BadLine("'shows' is no object of box numbers and words")
    return tuple((int(key), " ".join(word.split())) for key, word in shows.items())


def _layout(data: dict[str, Any], folder: Path) -> str:
    """The text of the layout: that of the file, or what the line itself says; "" = neither."""
    if "layout" in data and "boxes" in data:
        raise BadLine("it has a layout and boxes; one of them is enough")
    if "boxes" in data:
        return json.dumps({key: data[key] for key in ("canvas", "boxes") if key in data})
    if "layout" not in data:
        return ""
    name = data["layout"]
    if not isinstance(name, str) or not name or "\0" in name:
        raise BadLine("'layout' is no name of a file")
    if "canvas" in data:
        raise BadLine("the canvas is that of the layout's file")
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = cause_of(error) if isinstance(error, OSError) else "it is no text"
        raise BadLine(f"the layout '{name}' cannot be read: {why}") from error


def _canvas(value: Any) -> tuple[int, int]:
    is_size = isinstance(value, list) and len(value) == 2
    if not is_size or not all(type(side) is int and 1 <= side <= 8192 for side in value):
        raise BadLine("'canvas' is no width and height of 1 to 8192 pixels")
    return value[0], value[1]


class Results:
    """The file with one line per job that has ended; a later line of a job replaces earlier ones.

    Args:
        folder: of the batch, which must exist.
        say: what else happens to each line.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._path = folder / RESULTS
        self._folder = folder
        self._say = say
        self._done = dict(self._read())

    def is_done(self, job: BatchJob, file: str) -> bool:
        """Whether an earlier run made exactly this, and its file is still there."""
        return self._done.get(job.id) == (job.mark, file) and os.path.exists(self._folder / file)

    def add(self, result: dict[str, Any]) -> None:
        """Write a line, to the disk before anything else follows.

        Raises:
            StorageError: it cannot be written.
        """
        line = json.dumps(result, ensure_ascii=False)
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(
                f"'{self._path}' cannot be written: {cause_of(error)}.",
                "Pictures that are made stay where they are.",
                advice_on(error),
            ) from error
        self._say(line)

    def _read(self) -> Iterator[tuple[str, tuple[str, str]]]:
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        except OSError as error:
            raise ArgumentProblem(
                f"'{self._path}' cannot be read: {cause_of(error)}.",
                "Nothing was made.",
                advice_on(error),
            ) from error
        if text and not text.endswith("\n"):  # cut off by a crash; the next line is one of its own
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n")
        for line in text.splitlines():
            try:
                row = json.loads(line)
                if row["state"] == "done":
                    yield str(row["id"]), (str(row["mark"]), str(row["file"]))
            except (ValueError, TypeError, KeyError):
                continue  # a line that was cut off: its job is made again
