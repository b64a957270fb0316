"""Sentences about jobs, whole ones: what a language does to a name depends on the words around."""

from __future__ import annotations

from PySide6.QtCore import QLocale

from app.session.jobs import Job
from app.ui.text import tr

_MOST_NAMES = 3


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
