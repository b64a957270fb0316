"""A process that opens the real window, says when it was first painted, and closes it again.

Run by `layerloom bench engine --only start` as `python -m app.benchmarks.window_start`. Writes one
line: the system's clock in seconds, and the event's name. The user's own settings, log and work
folder are left alone.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from app.ui import application
from app.ui.main_window import MainWindow


class TimedWindow(MainWindow):
    """Closes itself after it was painted once."""

    painted = False

    def paintEvent(self, event: Any) -> None:
        """Qt override."""
        super().paintEvent(event)
        if not self.painted:
            self.painted = True
            sys.stdout.write(f"{time.time():.6f} window shown\n")
            sys.stdout.flush()
            asyncio.get_event_loop().call_soon(self.close)


def main() -> int:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        own = {
            "MainWindow": TimedWindow,
            "settings_path": lambda: folder / "settings.json",
            "log_path": lambda: folder / "layerloom.log",
            "work_path": lambda settings: folder / "work",
        }
        for name, value in own.items():
            setattr(application, name, value)
        return application.run_gui(None)


if __name__ == "__main__":
    sys.exit(main())
