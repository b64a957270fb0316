"""The menu of examples: what lies in `resources/examples`, by its own names.

First finished pictures, so that the first click shows what comes of a layout; then the layouts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from app.settings import resources_folder
from app.ui.text import tr


def fill_examples(menu: QMenu, open_example: Callable[[Path], None]) -> None:
    """One action for each example."""
    folder = resources_folder() / "examples"
    for path in sorted(folder.glob("*.ora")):
        name = example_name(path.with_suffix(".json"))
        tip = tr("Opens the picture that the model painted from this layout, as a new one.")
        _add(menu, tr("{0}, finished").format(name), tip, path, open_example)
    menu.addSeparator()
    for path in sorted(folder.glob("*.json")):
        tip = tr("Opens this layout and its prompt as a new picture.")
        _add(menu, example_name(path), tip, path, open_example)
    menu.setEnabled(bool(menu.actions()))


def _add(
    menu: QMenu, name: str, tip: str, path: Path, open_example: Callable[[Path], None]
) -> None:
    action = QAction(name, menu)
    action.setToolTip(tip)
    action.triggered.connect(lambda: open_example(path))
    menu.addAction(action)


def example_name(path: Path) -> str:
    """The example's own name, else one made from its file's."""
    try:
        name = json.loads(path.read_text(encoding="utf-8")).get("name", "")
    except (OSError, ValueError, AttributeError):
        name = ""
    return str(name) or path.stem.replace("-", " ").capitalize()
