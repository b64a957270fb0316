"""Theme, icons, names and keys: what a person needs to read, reach and hear the window."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QStyle,
    QStyleOptionButton,
    QTableView,
    QWidget,
)

from app.document.storage.formats.table import FORMATS
from app.session.settings import resources_folder
from app.ui.action_table import SPECS
from app.ui.dialogs.export_dialog import ExportDialog
from app.ui.theme import DARK, LIGHT, MARGIN, Colours, contrast, style_sheet
from app.ui.theme.icons import icon
from tests.app.ui.helpers import draw_box, later

ICON_NAMES = {path.stem for path in (resources_folder() / "icons").glob("*.svg")}
THEMES = pytest.mark.parametrize("colours", [DARK, LIGHT], ids=["dark", "light"])


@THEMES
def test_text_and_signs_are_readable(colours: Colours) -> None:
    """Text at least 4.5:1, edges at least 3:1, on every ground they stand on."""
    grounds = (colours.window, colours.panel, colours.field, colours.raised)
    for text in (colours.text, colours.secondary):
        for ground in grounds:
            assert contrast(text, ground) >= 4.5, (text, ground)
    for sign in (colours.accent, colours.outdated, colours.error, colours.done, colours.staged):
        for ground in (colours.window, colours.panel):
            assert contrast(sign, ground) >= 4.5, (sign, ground)
    for ground in (colours.window, colours.panel):
        assert contrast(colours.edge, ground) >= 3.0
    for fill in (colours.accent, colours.accent_hover, colours.accent_pressed):
        assert contrast(colours.on_accent, fill) >= 4.5


@THEMES
def test_chrome_is_neutral(colours: Colours) -> None:
    """Chrome is grey (R = G = B), so that the picture is judged fairly."""
    for name in ("window", "panel", "field", "surround", "raised", "hover", "pressed", "hairline"):
        red, green, blue = re.findall("..", getattr(colours, name)[1:])
        assert red == green == blue, name


@THEMES
def test_style_sheet_names_only_known_colours(colours: Colours) -> None:
    """Every @name of the sheet is a colour, and none is left over."""
    sheet = (resources_folder() / "style.qss").read_text(encoding="utf-8")
    assert set(re.findall(r"@(\w+)", sheet)) <= set(Colours.__slots__)
    assert "@" not in style_sheet(colours)


def test_actions_have_text_tip_and_their_own_keys(window: Any) -> None:
    """No key twice (canvas keys may not meet window keys either); icons exist."""
    keys: Counter[str] = Counter()
    for spec in SPECS:
        action = window.actions_[spec.name]
        assert action.text()
        assert spec.tip.endswith(".")
        assert spec.text.replace("&", "").rstrip("…") not in (spec.tip, spec.tip.rstrip("."))
        for sequence in action.shortcuts():
            assert not sequence.isEmpty(), spec.name
            keys[sequence.toString()] += 1
        assert spec.icon == "" or spec.icon in ICON_NAMES
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_action_is_in_a_menu_or_the_tool_column(window: Any) -> None:
    """Each action can be found without knowing its key."""
    found: set[str] = set()

    def walk(menu: Any) -> None:
        for action in menu.actions():
            found.add(action.objectName())
            if action.menu() is not None:
                walk(action.menu())

    walk(window.menuBar())
    assert {spec.name for spec in SPECS} <= found


def test_no_default_key_uses_ctrl_alt_or_only_signs(window: Any) -> None:
    """3.3 rules 2 and 3: AltGr types letters; a sign alone is never the only key."""
    signs = set("[]\\/';,.-=+0123456789")
    for spec in SPECS:
        for key in spec.keys:
            assert not ("Ctrl" in key and "Alt" in key), spec.name
        if spec.keys:
            assert any(key.split("+")[-1] not in signs or key == "Ctrl++" for key in spec.keys) or (
                spec.name in ("zoom_in", "zoom_out", "settings")
            ), spec.name
    assert QKeySequence("Ins").toString() == "Ins"


def test_every_control_has_an_accessible_name(window: Any) -> None:
    """What takes focus or clicks has a name for screen readers."""
    missing = []
    for widget in window.findChildren(QWidget):
        if widget.objectName().startswith("qt_") or not isinstance(
            widget, (QAbstractButton, QLineEdit, QAbstractSpinBox, QAbstractScrollArea)
        ):
            continue
        if isinstance(widget.parent(), QAbstractSpinBox):
            continue  # the spin box speaks for its field
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        if not (widget.accessibleName() or text):
            missing.append(f"{type(widget).__name__} {widget.objectName()!r}")
    assert not missing


DIALOGS = "new settings find_command show_jobs prompt_history canvas_size copy_diagnostics help"
DIALOGS += " licences help_keys about export"


@pytest.mark.parametrize("action", DIALOGS.split())
def test_dialogs_speak_and_can_be_hit(window: Any, action: str) -> None:
    """Every control of a dialog has a name and is 24 px high; Esc closes it."""
    window.settings.prompts = ["a dog"]
    window.actions_[action].trigger()
    dialog = next(each for each in window.findChildren(QDialog) if each.isVisible())
    assert dialog.windowTitle()
    kinds = (QAbstractButton, QLineEdit, QAbstractSpinBox, QAbstractScrollArea, QComboBox)
    tabs = getattr(dialog, "tabs", None)
    for page in range(1 if tabs is None else tabs.count()):
        if tabs is not None:
            tabs.setCurrentIndex(page)
        for widget in dialog.findChildren(QWidget):
            if not (isinstance(widget, kinds) and widget.isVisible()):
                continue
            if widget.objectName().startswith("qt_"):
                continue
            if isinstance(widget.parent(), (QAbstractSpinBox, QComboBox, QTableView)):
                continue  # the parent speaks for its part
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            assert widget.accessibleName() or text, (type(widget).__name__, widget.objectName())
            assert widget.height() >= 24, widget.accessibleName() or text
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_f6_goes_round_the_panels(window: Any, qtbot: Any) -> None:
    """Prompt, tools, canvas, inspector, layers and back, by key alone."""
    window.actions_["new_box"].trigger()
    window.prompt.field.setFocus()
    panes = [window.tools, window.view, window.inspector_tabs, window.layers, window.prompt]
    for pane in panes:
        window.actions_["next_pane"].trigger()
        focus = window.focusWidget()
        assert pane is focus or pane.isAncestorOf(focus), (pane, focus)
    window.actions_["previous_pane"].trigger()
    assert window.layers.isAncestorOf(window.focusWidget())


def test_rows_speak(window: Any) -> None:
    """A row reads name, place, visibility, state."""
    window.actions_["new_box"].trigger()
    model = window.layers.model
    spoken = model.data(model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Layer 1, layer 1 of 2, visible, Not painted"


def test_labels_say_what_they_show(window: Any) -> None:
    """A name for readers never takes the place of the text that is seen."""
    window.actions_["new_box"].trigger()
    tokens = window.advanced.tokens
    assert tokens.accessibleName() == f"Tokens: {tokens.text()}"
    assert window.status.engine.accessibleName() == "Engine: Ready"
    assert window.layers.count.accessibleName() == "Number of layers: 1 of 50"
    for label in window.findChildren(QLabel):
        if label.isVisible() and label.text() and label.accessibleName():
            assert label.text() in label.accessibleName()


def test_messages_and_jobs_are_announced_once(window: Any, qtbot: Any) -> None:
    """Start, end and failure, accept, messages; progress at most every 10 %."""
    said: list[str] = []
    window.messages_controller.say = said.append
    draw_box(window, 64, 64, 192, 192)
    window.actions_["generate"].trigger()
    for step in range(1, 13):
        window.engine.begin(steps=step)
        qtbot.waitUntil(lambda n=step: window.session.bridge.current.part >= n / 13)
    window.engine.finish()
    qtbot.waitUntil(lambda: window.session.bridge.current is None)
    assert said[0] == "Generating the picture."
    assert said[-1] == "Finished the picture."
    percents = said[1:-1]
    assert all(text.endswith("0 %") for text in percents)
    assert len(percents) == len(set(percents))
    said.clear()
    later(window)
    window.actions_["generate_all"].trigger()
    window.engine.begin()
    window.engine.fail()
    qtbot.waitUntil(lambda: window.messages.isVisible())
    assert len(said) == 2
    assert "failed" in said[1]
    said.clear()
    window.session.note("Seed 4 copied.")
    assert said == ["Seed 4 copied."]


def test_a_status_message_stands_where_the_panels_text_does(window: Any) -> None:
    """12 px from the window's edge, like every other text, and gone after a while."""
    window.status.say("Saved.")
    label = window.status.message
    assert label.text() == "Saved."
    assert label.mapTo(window, label.contentsRect().topLeft()).x() == MARGIN
    engine, option = window.status.engine, QStyleOptionButton()
    engine.initStyleOption(option)
    contents = engine.style().subElementRect(
        QStyle.SubElement.SE_PushButtonContents, option, engine
    )
    right = engine.mapTo(window, contents.topRight()).x()
    assert window.width() - 1 - right == MARGIN
    assert window.status._timer.isActive()
    window.status._timer.timeout.emit()
    assert label.text() == ""
    window.status.say_nothing()


@pytest.mark.parametrize("key", [form.key for form in FORMATS])
def test_names_in_forms_stand_on_the_line_of_their_fields(window: Any, key: str) -> None:
    """In the export dialog the text of a name and that of its field share a line."""
    dialog = ExportDialog(
        window, window.session.document.contents, (), key, {}, lambda *chosen: None
    )
    dialog.open()
    form, rows = dialog.findChild(QFormLayout), 0
    roles = (QFormLayout.ItemRole.LabelRole, QFormLayout.ItemRole.FieldRole)
    for row in range(form.rowCount()):
        name, field = (form.itemAt(row, role) for role in roles)
        if name is None or not name.widget().isVisible() or not name.widget().text():
            continue
        rows += 1
        middles = [item.widget().geometry().center().y() for item in (name, field)]
        assert abs(middles[0] - middles[1]) <= 1, name.widget().text()
    assert rows >= 1
    dialog.close()


def test_buttons_are_large_enough(window: Any) -> None:
    """Targets at least 24 x 24 logical pixels, main buttons 32 high."""
    for button in window.findChildren(QAbstractButton):
        if button.isVisible() and not button.objectName().startswith("qt_"):
            assert button.width() >= 24, button.accessibleName()
            assert button.height() >= 24, button.accessibleName()
    for button in (window.prompt.generate, window.prompt.stop):
        assert button.height() >= 32


def test_nothing_is_cut_at_the_smallest_window(window: Any, qtbot: Any) -> None:
    """At 900 x 600 Generate, Stop and the lists are there in full."""
    window.resize(900, 600)
    qtbot.wait(20)
    for button in (window.prompt.generate, window.prompt.stop, window.prompt.more):
        assert window.rect().contains(button.mapTo(window, button.rect().bottomRight())), (
            button.text()
        )
        assert button.width() >= button.minimumSizeHint().width()
    assert window.view.width() > 300


@THEMES
def test_theme_changes_live(window: Any, colours: Colours) -> None:
    """View > Theme recolours everything at once, and is remembered."""
    window.actions_[f"theme_{colours.name}"].trigger()
    assert window.settings.theme == colours.name
    shot = window.grab().toImage()
    ratio = shot.devicePixelRatio()
    corner = window.prompt.mapTo(window, window.prompt.rect().topLeft())
    pixel = shot.pixelColor(round((corner.x() + 3) * ratio), round((corner.y() + 3) * ratio))
    assert pixel.name().upper() == colours.window


def test_icons_are_drawn_for_the_device_ratio(qapp: Any) -> None:
    """An icon at ratio 2 has real detail, not doubled pixels."""
    picture = icon("eye", DARK).pixmap(QSize(20, 20), 2.0, QIcon.Mode.Normal, QIcon.State.Off)
    assert picture.width() == 40
    image = picture.toImage()
    doubled = image.scaled(20, 20).scaled(40, 40)
    assert image != doubled


def test_lucide_licence_is_beside_its_icons() -> None:
    """The ISC licence asks for its text to travel with the work."""
    folder = Path("resources/icons")
    assert "ISC" in (folder / "LICENSE").read_text(encoding="utf-8")
    assert len(ICON_NAMES) >= 30


_CHILD = """
import sys
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
app = QApplication([])
from app.session.settings import Settings
from app.ui.main_window import MainWindow
from app.testing import FakeEngine
class Loop:
    def call_soon_threadsafe(self, f, *a): pass
    def call_later(self, d, f, *a): pass
for theme in sys.argv[1:]:
    window = MainWindow(Loop(), FakeEngine, Settings(theme=theme, first_run_done=True))
    window.show()
    app.processEvents()
    window.view.navigation.set_zoom(1.0)
    window.actions_["new_box"].trigger()
    app.processEvents()
    ratio = window.devicePixelRatioF()
    layer = window.session.document.foregrounds[0]
    assert abs(window.view.transform().m11() * ratio - 1) < 1e-6
    window.session.selection.clear()
    app.processEvents()
    image = window.view.grab().toImage()
    corner = window.view.to_view().map(QPointF(layer.rect.x, layer.rect.y))
    x, y = round(corner.x()), round(corner.y()) + 10
    def shade(device):
        return image.pixelColor(device, round(y * ratio)).value()
    edge = round(x * ratio)
    near = [shade(edge + d) for d in range(-1, 4)]
    # A dark line lies on the edge, a light one just inside; whole pixels at whole ratios.
    if ratio == round(ratio):
        assert shade(edge) < 110 < 180 < shade(round((x + 1) * ratio)), near
    else:
        assert min(near[:3]) < 110 < 180 < max(near[1:]), near
        assert near.index(min(near[:3])) < near.index(max(near[1:])), near
    assert window.prompt.height() < 160
    # UI3: a drag moves the layer by as many picture pixels as the hand moved.
    window.actions_["tool_select"].trigger()
    start = layer.rect
    middle = window.view.to_view().map(QPointF(*start.centre)).toPoint()
    away = middle + QPoint(round(64 / ratio), 0)
    port = window.view.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=middle)
    for step in (0.5, 1.0):
        at = QPointF(middle) + (QPointF(away) - QPointF(middle)) * step
        none = Qt.KeyboardModifier.NoModifier
        move = QMouseEvent(QEvent.Type.MouseMove, at, QPointF(port.mapToGlobal(at.toPoint())),
                           Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, none)
        app.sendEvent(port, move)
        app.processEvents()
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=away)
    now = window.session.document.foregrounds[0].rect
    assert (now.x - start.x, now.y - start.y) == (64, 0), (start, now)
    window.session.undo.mark_saved()
    window.close()
    window.session.shutdown()
    app.setStyleSheet("")
    print("ok", ratio, theme)
"""


@pytest.mark.parametrize(
    ("scale", "themes"),
    [*((s, "dark light") for s in ("1.0", "1.25", "1.5", "2.0")), ("3.0", "dark")],
)
def test_scale_factors(scale: str, themes: str) -> None:
    """Edges sit on their pixel at each scale, 100 % is one device pixel, drags arrive.

    One process per scale, with a window in each theme: a start costs more than a window.
    """
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": scale}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *themes.split()],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for theme in themes.split():
        assert f"ok {scale} {theme}" in done.stdout


@pytest.mark.parametrize("cost", ["≈ 1.8 s", "≈ 2 min 15 s"])
def test_the_button_never_shows_half_a_text(window: Any, cost: str) -> None:
    """Where the layers and the seconds have no room together, the seconds stay.

    Where nothing fits, the last text ends in dots. An ampersand of a name is no mnemonic.
    """
    with_cost = [f"Generate · 50 layers · {cost}", f"Generate · {cost}"]
    window.prompt.show_choice([*with_cost, "Generate · 50 layers", "Generate"])
    button = window.prompt.generate
    assert cost in button.text()
    window.prompt.show_choice([f"Repaint 'Bed & Breakfast in the Hills' · {cost}"])
    assert button.text().startswith("Repaint 'Bed && B") and button.text().endswith("…")
    window.prompt.show_choice([*with_cost, "Generate · 50 layers", "Generate"])
    assert button.fontMetrics().horizontalAdvance(button.text()) <= button.width() - 16
    assert button.accessibleName() == f"Generate · 50 layers · {cost}"
