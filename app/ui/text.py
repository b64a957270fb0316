"""Words and numbers on the screen: one translation context, numbers by locale, texts of jobs."""

from __future__ import annotations

import unicodedata

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from app.session.jobs import Job

CONTEXT = "Layerloom"
_MOST_NAMES = 3


def tr(text: str, count: int = -1) -> str:
    """The text in the user's language. `%n` in it becomes `count`, with the right plural."""
    translated = QCoreApplication.translate(CONTEXT, text, None, count)
    return translated.replace("%n", number(count)) if count >= 0 else translated


def number(value: int) -> str:
    """A whole number with the locale's separators, as for "1,240"."""
    return QLocale().toString(value)


def isolated(text: str) -> str:
    """Typed words inside a sentence: right-to-left ones do not turn what stands around them."""
    turns = any(unicodedata.bidirectional(char) in ("R", "AL") for char in text)
    return f"\u2068{text}\u2069" if turns else text


def count_text(layers: int, limit: int | None) -> str:
    """How many layers there are, and how many the model handles: "4 of 50"; "4" while it loads."""
    if limit is None:
        return number(layers)
    return tr("{0} of {1}").format(number(layers), number(limit))


def moment(seconds_since_1970: float) -> str:
    """Day and time, short, in the user's way of writing."""
    at = QDateTime.fromSecsSinceEpoch(int(seconds_since_1970))
    return QLocale().toString(at, QLocale.FormatType.ShortFormat)


def seconds(value: float) -> str:
    """A duration: "0.8 s" below ten seconds, "12 s", "2 min 5 s" above a minute."""
    if value < 9.95:
        return tr("{0} s").format(QLocale().toString(value, "f", 1))
    whole = round(value)
    if whole < 60:
        return tr("{0} s").format(number(whole))
    return tr("{0} min {1} s").format(number(whole // 60), number(whole % 60))


def job_text(job: Job, picture: str, few: str, many: str) -> str:
    """The sentence that fits what the job makes.

    Args:
        picture: for a whole picture, translated.
        few: for up to three layers, translated; `{0}` becomes their names.
        many: for more, the source text; `%n` becomes how many.
    """
    if job.scope == "picture":
        return picture
    names = [f"'{name}'" for name in job.names.values()]
    if len(names) > _MOST_NAMES:
        return tr(many, len(names))
    return few.format(QLocale().createSeparatedList(names))
