"""Ready for translation: no text outside tr(), none that is cut when longer."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt, QTranslator
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QTabBar,
    QWidget,
)

from app.session.jobs import Message
from app.ui.panels.layer_rows import RowParts
from app.ui.theme import MIN_POINTS
from tests.app.ui.helpers import draw_box, generate

ROOT = Path(__file__).resolve().parents[3] / "app" / "ui"
# Calls that put their first text on the screen or into a reader's mouth.
SHOWS = frozenset(
    "setText setToolTip setWindowTitle setAccessibleName setPlaceholderText setTitle addTab "
    "setInformativeText setHorizontalHeaderLabels QLabel QPushButton QCheckBox QMenu StatusLabel "
    "note say addMenu field_name text_button Choice ReadingTable".split()
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
    """A literal on the screen could never be translated."""
    found = [each for path in sorted(ROOT.rglob("*.py")) for each in literals(path)]
    assert not found


class Longer(QTranslator):
    """A language 40 % longer than English, with accents; signs for values stay."""

    def translate(
        self, context: str, source: str, disambiguation: str | None = None, n: int = -1
    ) -> str:
        """Qt override."""
        if not source:
            return ""
        changed = source.translate(str.maketrans("aeiouAEIOU", "áéîöüÅÉÎÖÜ"))
        return changed + "ü" * max(1, round(0.4 * len(source)))

    def isEmpty(self) -> bool:
        """Qt override."""
        return False


def cut(window: Any) -> list[str]:
    """Texts that have less room than they take: across, and up and down."""
    found = []

    def look(widget: QWidget, text: str, wide: int, high: int) -> None:
        if wide > widget.width() + 1 or high > widget.height() + 1:
            found.append(f"{text!r}: {widget.width()} x {widget.height()} of {wide} x {high} px")

    for widget in window.findChildren(QWidget):
        if not widget.isVisible():
            continue
        high = widget.fontMetrics().height()
        if isinstance(widget, QAbstractSpinBox):
            line = widget.lineEdit()
            look(line, line.text(), widget.fontMetrics().horizontalAdvance(line.text()) + 12, high)
        elif isinstance(widget, QLineEdit):
            look(widget, widget.text(), 0, high)
        elif isinstance(widget, QComboBox):
            look(widget, widget.currentText(), widget.minimumSizeHint().width(), high)
        elif isinstance(widget, QTabBar):
            look(widget, widget.tabText(0), widget.sizeHint().width(), high)
        elif isinstance(widget, QLabel) and widget.wordWrap():
            look(widget, widget.text(), 0, widget.heightForWidth(widget.width()))
        elif isinstance(widget, (QLabel, QPushButton, QCheckBox)) and widget.text():
            shrinks = widget.sizePolicy().horizontalPolicy() == QSizePolicy.Policy.Ignored
            hint = widget.minimumSizeHint()
            look(widget, widget.text(), 0 if shrinks else hint.width(), high)
    return found


@pytest.fixture
def longer(qapp: Any) -> Iterator[None]:
    """Every text of a window that is made after this is longer."""
    translator = Longer(qapp)
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


def test_nothing_is_cut_in_a_longer_language(longer: None, window: Any, qtbot: Any) -> None:
    """In the smallest window, 40 % longer than English."""
    window.resize(900, 600)
    window.actions_["new_box"].trigger()
    qtbot.wait(50)
    assert "ü" in window.prompt.generate.text()
    found = cut(window)
    assert not found, "; ".join(found)


@pytest.fixture
def sized(window: Any) -> Iterator[Any]:
    """Sets the font size setting, in per cent, as the settings dialog does."""

    def resize(percent: int) -> None:
        window.settings.font_percent = percent
        window.view_controller.apply_theme()

    yield resize
    resize(100)


def everything(window: Any, qtbot: Any) -> Iterator[str]:
    """Brings the smallest window into each of its states: empty, with a box, results, a message."""
    window.resize(900, 600)
    qtbot.wait(30)
    yield "empty"
    draw_box(window, 64, 64, 192, 192)
    for page in range(window.inspector_tabs.count()):
        window.inspector_tabs.setCurrentIndex(page)
        qtbot.wait(30)
        yield window.inspector_tabs.tabText(page)
    generate(window, qtbot)
    window.inspector_tabs.setCurrentIndex(1)
    window.record.hash_button.setChecked(True)
    window.session.selection.set([window.session.document.foregrounds[0].id])
    generate(window, qtbot, "regenerate")
    window.show_message(
        Message(kind="error", what="A.", kept="B.", advice="C.", details="D", action="stop")
    )
    qtbot.wait(30)
    assert window.strip.isVisible()
    yield "strip"


def nothing_is_cut(window: Any, qtbot: Any, where: str) -> None:
    """Once the layouts have come to rest."""

    def look() -> None:
        found = cut(window)
        assert not found, where + ": " + "; ".join(found)

    qtbot.waitUntil(look)


class Screen:
    """One of usual size; that of the offscreen platform is narrower than the smallest window."""

    def availableSize(self) -> QSize:
        """As Qt's."""
        return QSize(1920, 1080)


@pytest.mark.parametrize("percent", [100, 125, 150, 200])
def test_nothing_is_cut_in_a_longer_language_and_a_larger_font(
    longer: None, window: Any, sized: Any, qtbot: Any, percent: int
) -> None:
    """Both together, in the smallest window, on every page of the inspector.

    Up to 150 % that is 900 x 600; beyond, the window asks for what its texts need where the screen
    has it.
    """
    window.screen = Screen
    sized(percent)
    for where in everything(window, qtbot):
        nothing_is_cut(window, qtbot, where)
    if percent <= 150:
        assert (window.width(), window.height()) == (900, 600)
    button = window.prompt.generate
    assert button.fontMetrics().horizontalAdvance(button.text()) <= button.width() - 16


@pytest.mark.parametrize("percent", [80, 100, 150, 200])
def test_nothing_is_cut_at_any_font_size(window: Any, sized: Any, qtbot: Any, percent: int) -> None:
    """In the smallest window, in English; text is never below 9 points."""
    sized(percent)
    for where in everything(window, qtbot):
        nothing_is_cut(window, qtbot, where)
    points = [widget.font().pointSizeF() for widget in window.findChildren(QLabel)]
    assert min(points) >= MIN_POINTS
    assert QApplication.font().pointSizeF() >= MIN_POINTS


def test_what_shows_lines_of_text_grows_with_the_font(window: Any, sized: Any, qtbot: Any) -> None:
    """Two lines of prompt and two lines in a row, also when the font changes later."""
    draw_box(window, 64, 64, 192, 192)
    title, rows, before = window.card.title, window.layers.list, []
    for percent in (100, 200):
        sized(percent)
        qtbot.wait(30)
        line = window.prompt.field.fontMetrics().lineSpacing()
        assert window.prompt.field.height() >= 2 * line
        row = rows.visualRect(window.layers.model.index(0))
        parts = RowParts.of(
            row, window.layers.delegate.thumbnails.side, rows.fontMetrics().height()
        )
        assert row.contains(parts.name)
        assert row.contains(parts.state)
        assert parts.name.height() >= rows.fontMetrics().height()
        assert not parts.name.intersects(parts.state)
        before.append(title.font().pointSizeF())
    assert before[1] == pytest.approx(2 * before[0], rel=0.02)


def test_the_first_steps_fit_a_small_canvas(
    longer: None, window: Any, sized: Any, qtbot: Any
) -> None:
    """Texts wrap and the buttons stand below each other; none is out of reach."""
    sized(200)
    window.resize(900, 600)
    qtbot.wait(30)
    card = window.card
    assert card.isVisible()
    assert window.view.rect().contains(card.geometry())
    assert window.view.rect().contains(card.buttons.geometry())
    for button in (card.draw, card.examples, card.open):
        assert card.buttons.rect().contains(button.geometry())
    sized(100)
    window.resize(1280, 840)
    qtbot.wait(30)
    assert card.draw.y() == card.open.y()
    assert all(label.isVisible() for label in card.texts)


def test_the_wheel_scrolls_the_inspector_and_leaves_numbers_alone(window: Any) -> None:
    """Its page scrolls where it is low, so the wheel turns only a field with the focus."""
    draw_box(window, 64, 64, 192, 192)
    window.view.setFocus()
    field = window.inspector.fields["x"]
    before = field.value()

    def turn() -> None:
        middle = QPointF(field.rect().center())
        event = QWheelEvent(
            middle,
            QPointF(field.mapToGlobal(middle.toPoint())),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(field, event)

    turn()
    assert field.value() == before
    field.setFocus()
    turn()
    assert field.value() == before + window.session.document.grid


_CHILD = """
import sys
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication([])
from app.session.settings import Settings
from app.ui.main_window import MainWindow
from tests.app.ui.test_languages import Longer, cut
from app.testing import FakeEngine
class Loop:
    def call_soon_threadsafe(self, f, *a): pass
    def call_later(self, d, f, *a): pass
translator = Longer(app)
app.installTranslator(translator)
base = app.font().pointSizeF()
settings = Settings(theme="light", first_run_done=True, font_percent=int(sys.argv[1]))
window = MainWindow(Loop(), FakeEngine, settings)
window.resize(900, 600)
window.show()
for action in (None, "new_box"):
    if action:
        window.actions_[action].trigger()
    for page in range(window.inspector_tabs.count()):
        window.inspector_tabs.setCurrentIndex(page)
        for _ in range(4):
            app.processEvents()
        assert not cut(window), cut(window)
points = max(9.0, base * settings.font_percent / 100)
assert {round(label.font().pointSizeF(), 2) for label in window.layers.findChildren(QLabel)} == {
    round(points, 2)
}
window.session.undo.mark_saved()
window.close()
window.session.shutdown()
print("ok", window.devicePixelRatioF())
"""


@pytest.mark.parametrize("percent", [100, 150])
@pytest.mark.parametrize("scale", ["1.25", "1.5", "2.0"])
def test_nothing_is_cut_at_any_scale(scale: str, percent: int) -> None:
    """Scale, font size and a longer language together, from the first paint on."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(percent)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": scale},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"ok {scale}" in done.stdout
