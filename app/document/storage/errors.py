"""Errors of files: what happened, what was kept, what to do."""

from __future__ import annotations

import errno
from pathlib import Path

from app.document.errors import UserError
from app.document.storage.names import shown_name


class StorageError(UserError):
    """A file cannot be read or written; `str(error)` is the whole message for people."""


class NewerFormatError(StorageError):
    """The file was written by a newer version; its layers may still open as pictures."""


class MemberError(StorageError):
    """A part that cannot be used, while others may open; `reason` names it, to end a sentence."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(
            f"'{file}' cannot be opened: {reason}.", "Nothing was opened and the file is untouched."
        )
        self.reason = reason


class ChangedOnDiskError(StorageError):
    """Another program wrote the file at `changed_at`, seconds since 1970; it stays."""

    def __init__(self, name: str, changed_at: float) -> None:
        super().__init__(
            f"'{name}' was changed by another program.",
            "Nothing was overwritten.",
            "Save under another name, or overwrite it.",
        )
        self.changed_at = changed_at


def damaged(name: str, where: str, backup: bool = False, detail: str = "") -> StorageError:
    """The file `name` cannot be understood at `where`; `detail` says why, if that is known."""
    advice = f"Open the backup '{name}~'." if backup else "Open another copy of it."
    why = f": {detail}" if detail else ""
    return StorageError(
        f"'{name}' is damaged at '{where}'{why}.",
        "Nothing was opened and the file is untouched.",
        advice,
    )


def cause_of(error: OSError, needs_bytes: int | None = None) -> str:
    """The cause of a failed file operation in plain words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        needs = "" if needs_bytes is None else f" (needs {megabytes(needs_bytes)})"
        return f"the disk is full{needs}"
    causes = {
        errno.EACCES: "there is no permission",
        errno.EPERM: "there is no permission",
        errno.EROFS: "the disk is read-only",
        errno.ENOENT: "the folder or file does not exist",
        errno.ENOTDIR: "a part of the path is not a folder",
        errno.EISDIR: "there is a folder of this name",
        errno.EIO: "the disk reports an error",
        errno.ENAMETOOLONG: "the name is too long",
        errno.EBUSY: "the file is in use",
        errno.EFBIG: "the file is too large for this disk",
        errno.ELOOP: "its links form a loop",
        errno.EMFILE: "too many files are open",
        errno.ENFILE: "too many files are open",
        errno.EILSEQ: "the disk does not take this name",
        errno.ENXIO: "it is not a file",
        errno.ENODEV: "the drive is not there",
        errno.ETIMEDOUT: "the drive does not answer",
        errno.ESTALE: "the drive does not answer",
    }
    return causes.get(error.errno or 0, error.strerror or str(error) or type(error).__name__)


def advice_on(error: OSError) -> str:
    """What to do about a file that cannot be written."""
    match error.errno:
        case errno.ENAMETOOLONG | errno.EILSEQ:
            return "Choose a shorter or simpler name."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "Choose a folder where you have write permission."
        case errno.ENOENT | errno.ENOTDIR | errno.EISDIR | errno.ELOOP:
            return "Choose another name."
        case _:
            return "Free up disk space, or save somewhere else."


def not_saved(
    path: Path, error: OSError, needs_bytes: int | None = None, *, had_old: bool
) -> StorageError:
    kept = "The old file is unchanged" if had_old else "Nothing was written"
    return StorageError(
        f"'{shown_name(path.name)}' could not be saved: {cause_of(error, needs_bytes)}.",
        f"{kept} and your work is still open.",
        advice_on(error),
    )


def not_opened(path: Path, error: OSError) -> StorageError:
    """Reading `path` failed before its contents were looked at."""
    return StorageError(
        f"'{shown_name(path.name)}' could not be opened: {cause_of(error)}.",
        "Nothing was changed.",
        "Check the file and its folder.",
    )


def megabytes(count: int) -> str:
    """A size for people, rounded up: "24 MB"."""
    return f"{max(1, -(-count // 1_000_000)):,} MB"
