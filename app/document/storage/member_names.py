"""Which member of a zip a name means: programs spell names in many ways, and only the file knows.

Names only; nothing is ever unpacked to a path, so no spelling can lead out of a folder.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from urllib.parse import unquote


class MemberNames:
    """Finds members as they are named elsewhere in the file.

    Taken for the same: a leading slash, `./`, backslashes, `%20` for a space, composed and
    decomposed letters, UTF-8 read as the code page of DOS, and at last capitals. When everything
    lies in one folder, names count from there.

    Args:
        names: of all members, as the archive has them.
        anchor: the member whose folder is the root, such as "stack.xml".
    """

    def __init__(self, names: Iterable[str], anchor: str) -> None:
        self._exact = {name for name in names if not name.endswith(("/", "\\"))}
        self._by_key: defaultdict[str, list[str]] = defaultdict(list)
        self._by_loose_key: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(self._exact):
            for key in dict.fromkeys(_spellings(name)):
                self._by_key[key].append(name)
                self._by_loose_key[key.casefold()].append(name)
        self._root = ""
        if self.find(anchor) is None:
            self._root = self._folder_of(anchor)

    def find(self, name: str) -> str | None:
        """The member that is meant; None when there is none, or when it could be several."""
        if name in self._exact:
            return name
        for key in _spellings(name):
            for place in dict.fromkeys((self._root + key, key)):
                if found := self._only(place):
                    return found
        return None

    def _only(self, key: str) -> str | None:
        for table, wanted in ((self._by_key, key), (self._by_loose_key, key.casefold())):
            found = dict.fromkeys(table.get(wanted, ()))
            if len(found) == 1:
                return next(iter(found))
        return None

    def _folder_of(self, anchor: str) -> str:
        """The one folder that has the anchor, with a slash at its end; "" without such a one."""
        ending = f"/{anchor.casefold()}"
        keys = (key for key in self._by_key if key.casefold().endswith(ending))
        folders = {key[: -len(anchor)] for key in keys}
        return folders.pop() if len(folders) == 1 else ""


def _spellings(name: str) -> Iterator[str]:
    """The name without what does not count, as it is, then as if it had been written otherwise."""
    yield _plain(name)
    if "%" in name:
        yield _plain(unquote(name))
    if not name.isascii():
        try:
            yield _plain(name.encode("cp437").decode("utf-8"))
        except UnicodeError:
            pass


def _plain(name: str) -> str:
    parts: list[str] = []
    for part in name.replace("\\", "/").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return unicodedata.normalize("NFC", "/".join(parts))
