"""A display without a screen: Xvfb, so that a real window system can be measured anywhere."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator

_SCREEN = "2400x1400x24"
_END_LIMIT_S = 5.0


def has_xvfb() -> bool:
    """Whether Xvfb is installed."""
    return shutil.which("Xvfb") is not None


@contextlib.contextmanager
def xvfb() -> Iterator[str]:
    """Run Xvfb; yields its display, such as ":99", once it takes windows.

    Raises:
        FileNotFoundError: it is not installed.
        OSError: it did not start.
    """
    # It chooses a free number itself and writes it when it is ready.
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp"]
    try:
        server = subprocess.Popen(
            command,
            pass_fds=(writing,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            number = answer.readline().strip()
        if not number:
            raise OSError("Xvfb ended before it had a display")
        yield f":{number}"
    finally:
        server.terminate()
        try:
            server.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
