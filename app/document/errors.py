"""Errors of the document that a user may read: what happened, what was kept, what to do.

Independent of windows and languages; the parts are whole sentences.
"""

from __future__ import annotations


class UserError(Exception):
    """An error in whole sentences: what happened, what was kept, what the user can do next."""

    def __init__(self, what: str, kept: str = "Nothing was changed.", advice: str = "") -> None:
        super().__init__(" ".join(part for part in (what, kept, advice) if part))
        self.what = what
        self.kept = kept
        self.advice = advice


class DocumentError(UserError):
    """A command cannot be done: the document stays exactly as it was."""


class LimitError(DocumentError):
    """A stated limit would be passed, such as the number of layers."""
