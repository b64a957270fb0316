"""The document stands alone: importing all of it brings neither Qt nor torch nor the engine."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import app.document, app.document.commands, app.document.composite
import app.document.storage.ora.file, app.document.storage.layout
import app.document.storage.formats.layer_files
found = {name.split(".")[0] for name in sys.modules}
print(sorted(found & {"PySide6", "shiboken6", "torch", "engine", "qasync"}))
"""


def test_a_fresh_interpreter_loads_no_window_and_no_model() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
