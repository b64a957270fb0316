"""Ready for translation (PL6, section 6): no text outside tr(), none that is cut when longer."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QTranslator
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton, QSizePolicy

ROOT = Path(__file__).resolve().parents[3] / "app" / "ui"
# Calls that put their first text on the screen or into a reader's mouth.
SHOWS = frozenset(
    "setText setToolTip setWindowTitle setAccessibleName setPlaceholderText setTitle addTab "
    "setInformativeText setHorizontalHeaderLabels QLabel QPushButton QCheckBox QMenu Fact note say "
    "addMenu field_name".split()
)


def literals(path: Path) -> Iterator[str]:
    """Texts with words in them that go to the screen without tr()."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name not in SHOWS:
            continue
        for argument in node.args[:2]:
            parts = argument.elts if isinstance(argument, ast.List) else [argument]
            for part in parts:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    words = [word for word in part.value.split() if word.isalpha()]
                    if any(len(word) > 2 for word in words):
                        yield f"{path.name}:{part.lineno}: {part.value!r}"


def test_every_text_goes_through_tr() -> None:
    """Section 6: a literal on the screen could never be translated."""
    found = [each for path in sorted(ROOT.rglob("*.py")) for each in literals(path)]
    assert not found


class Longer(QTranslator):
    """A language 40 % longer than English, with accents; signs for values stay."""

    def translate(
        self, context: str, source: str, disambiguation: str | None = None, n: int = -1
    ) -> str:
        """Qt override."""
        changed = source.translate(str.maketrans("aeiouAEIOU", "áéîöüÅÉÎÖÜ"))
        return changed + "ü" * max(1, round(0.4 * len(source)))

    def isEmpty(self) -> bool:
        """Qt override."""
        return False


def cut(window: Any) -> list[str]:
    """Labels and buttons that have less room than their text takes."""
    found = []
    for kind in (QLabel, QPushButton, QCheckBox):
        for widget in window.findChildren(kind):
            may_shrink = widget.sizePolicy().horizontalPolicy() == QSizePolicy.Policy.Ignored
            wraps = isinstance(widget, QLabel) and widget.wordWrap()
            if not widget.isVisible() or not widget.text() or may_shrink or wraps:
                continue
            if widget.minimumSizeHint().width() > widget.width() + 1:
                found.append(f"{widget.text()!r}: {widget.width()} px")
    return found


@pytest.fixture
def longer(qapp: Any) -> Iterator[None]:
    """Every text of a window that is made after this is longer."""
    translator = Longer(qapp)
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


def test_nothing_is_cut_in_a_longer_language(longer: None, window: Any, qtbot: Any) -> None:
    """PL6: in the smallest window, 40 % longer than English."""
    window.resize(900, 600)
    window.actions_["new_box"].trigger()
    qtbot.wait(50)
    assert "ü" in window.prompt.generate.text()
    found = cut(window)
    assert not found, "; ".join(found)


def test_nothing_is_cut_at_a_large_font(window: Any, qtbot: Any) -> None:
    """PL6: in the smallest window at 150 %."""
    window.settings.font_percent = 150
    try:
        window.view_wiring.apply_theme()
        window.resize(900, 600)
        window.actions_["new_box"].trigger()
        qtbot.wait(50)
        found = cut(window)
        assert not found, "; ".join(found)
    finally:
        window.settings.font_percent = 100
        window.view_wiring.apply_theme()
