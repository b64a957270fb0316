"""The menu of examples: the layouts in `resources/examples`, by their own names."""

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
    for path in sorted((resources_folder() / "examples").glob("*.json")):
        action = QAction(example_name(path), menu)
        action.setToolTip(tr("Opens this layout and its prompt as a new picture."))
        action.triggered.connect(lambda _=False, p=path: open_example(p))
        menu.addAction(action)
    menu.setEnabled(bool(menu.actions()))


def example_name(path: Path) -> str:
    """The example's own name, else one made from its file's."""
    try:
        name = json.loads(path.read_text(encoding="utf-8")).get("name", "")
    except (OSError, ValueError, AttributeError):
        name = ""
    return str(name) or path.stem.replace("-", " ").capitalize()
