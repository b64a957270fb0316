"""Taken by every Python process that a test starts: none of them reaches another machine.

`tests/conftest.py` puts this folder into `PYTHONPATH`, and Python imports a module of this name
before anything else. An audit hook cannot be taken off again, and the process ends at once: no
`except` can hide that something was tried.
"""

from __future__ import annotations

import os
import sys

ENDED = 97
LOG = "LAYERLOOM_TEST_SOCKETS"  # a file: there every socket of the internet's families is named
_HERE = ("127.0.0.1", "::1", "localhost", "", None)
_INTERNET = (2, 10, 23, 30)  # AF_INET, and AF_INET6 of Linux, Windows and macOS
_NAMES = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_ADDRESSES = ("socket.connect", "socket.sendto", "socket.bind")


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event == "socket.__new__" and args[1] in _INTERNET and (path := os.environ.get(LOG)):
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{sys.argv} {args[1:]}\n")
    if event in _NAMES:
        host = args[0]
    elif event in _ADDRESSES and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    if host not in _HERE:
        os.write(2, f"a child process reaches out: {event} {host!r}\n".encode())
        os._exit(ENDED)


sys.addaudithook(_watch)
