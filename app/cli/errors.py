"""Why a command of `layerloom` ends early."""

from __future__ import annotations

from app.document.errors import UserError


class ArgumentProblem(UserError):
    """The arguments cannot be followed: a file that does not exist, a layer without that name."""


class Interrupted(Exception):
    """The user pressed Ctrl+C; the job has ended and nothing of it is kept."""
