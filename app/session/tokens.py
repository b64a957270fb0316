"""Tokens of picture servers: in the system's keyring, by the address that they belong to.

Where the system has no keyring that keeps secrets safe, a token is kept for this run only. None is
ever written to a file or a log. Keyrings may wait for the user to unlock them, so nothing here is
called on the UI thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger(__name__)

SERVICE = "Layerloom"
# Below this the package `keyring` does not recommend a back end: files without encryption, and
# back ends that keep nothing.
_LEAST_PRIORITY = 1
MOST_TOKEN_CHARS = 4096


class Ring(Protocol):
    """What is used of a back end of `keyring`."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


def system_ring() -> Ring | None:
    """The system's keyring; None = there is none, or it does not keep secrets safe."""
    # Imported here: a program without connections neither loads it nor asks the system for it.
    import keyring

    try:
        found = keyring.get_keyring()
        # Several back ends may stand behind one, in the order in which they are asked.
        first = next(iter(getattr(found, "backends", [found])), found)
        is_safe = first.priority >= _LEAST_PRIORITY
    except Exception as error:  # each back end has its own errors
        logger.warning("the keyring cannot be used: %s", type(error).__name__)
        return None
    ring: Ring = first
    return ring if is_safe else None


def token_trouble(text: str) -> str:
    """Why a text can be no token, as a sentence; "" = it can. Blanks around it do not count."""
    token = text.strip()
    if len(token) > MOST_TOKEN_CHARS:
        return f"A token has at most {MOST_TOKEN_CHARS} characters."
    if not all("!" <= char <= "~" for char in token):
        return "A token has no blanks and no letters outside ASCII. Copy it again."
    return ""


class Tokens:
    """Reads and keeps tokens; callable from any thread, and may block.

    Args:
        ring_of: finds the keyring, at the first use.
    """

    def __init__(self, ring_of: Callable[[], Ring | None] = system_ring) -> None:
        self._ring_of = ring_of
        self._lock = threading.Lock()
        self._ring: Ring | None = None
        self._is_found = False
        self._of_this_run: dict[str, str] = {}

    @property
    def is_lasting(self) -> bool:
        """Whether tokens outlive the program."""
        with self._lock:
            return self._found() is not None

    def get(self, address: str) -> str | None:
        """The token of an address in its one spelling; None = it has none."""
        with self._lock:
            if address in self._of_this_run:
                return self._of_this_run[address]
            ring = self._found()
            try:
                return None if ring is None else ring.get_password(SERVICE, address) or None
            except Exception as error:
                self._give_up(error)
                return None

    def keep(self, address: str, token: str) -> bool:
        """Keep the token of an address; False: for this run only, the keyring did not take it."""
        with self._lock:
            ring = self._found()
            try:
                if ring is not None:
                    ring.set_password(SERVICE, address, token.strip())
                    self._of_this_run.pop(address, None)
                    return True
            except Exception as error:
                self._give_up(error)
            self._of_this_run[address] = token.strip()
            return False

    def forget(self, address: str) -> None:
        """Delete the token of an address, if it has one."""
        with self._lock:
            self._of_this_run.pop(address, None)
            ring = self._found()
            try:
                if ring is not None and ring.get_password(SERVICE, address) is not None:
                    ring.delete_password(SERVICE, address)
            except Exception as error:
                self._give_up(error)

    def _found(self) -> Ring | None:
        if not self._is_found:
            self._ring, self._is_found = self._ring_of(), True
        return self._ring

    def _give_up(self, error: Exception) -> None:
        """It was locked, denied or broken: tokens stay in memory until the program ends."""
        # Only the kind of error: its text may quote what was handed over.
        logger.warning("the keyring failed: %s", type(error).__name__)
        self._ring = None
