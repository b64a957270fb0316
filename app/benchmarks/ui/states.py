"""The states in which a window rests, one after the other. Measures nothing.

Each dialog belongs to them: every action whose text ends in dots opens one, so a new dialog is
visited without a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QTabWidget, QToolTip, QWidget

from app.benchmarks.window import INFO, Desk, filled
from app.document.commands import AddCandidates, AddLayers, Placement, SetPrompt
from app.document.geometry import Rect
from app.document.layer import Layer, new_layer_id
from app.session.settings import Settings
from app.testing import LOADING, FakeEngine
from app.ui.dialogs.connection_dialog import ConnectionDialog
from app.ui.dialogs.hiding_dialog import HidingDialog
from app.ui.dialogs.recovery_dialog import RecoveryDialog
from app.ui.frames import bring_forward
from engine import Event

# Dialogs without dots in their action's text: they ask nothing.
_PAGES = ("help", "help_keys", "licences", "about")
_THINGS = 6
_RESULTS = 4


# Sizes of the window, logical pixels: texts wrap and parts vanish at some of them.
_SIZES = ((900, 600), (1024, 640), (1280, 720), (2200, 1300), (1400, 900))
# What a platform, a style or a parent sends to any widget at any time. A handler that answers with
# a change of its own is led back to itself.
_SENT = (
    *("LayoutRequest", "Polish", "FontChange", "ApplicationFontChange", "StyleChange"),
    *("PaletteChange", "ApplicationPaletteChange", "ThemeChange", "LanguageChange"),
    *("LayoutDirectionChange", "DevicePixelRatioChange", "ActivationChange", "EnabledChange"),
)


def rest(seconds: float) -> None:
    """Let Qt run as it does in the program: it sleeps until something happens."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


@dataclass(frozen=True, slots=True)
class State:
    """One state that the window is in now, with what is on top.

    `is_main` is False for one of many of a kind, which are watched for a shorter time.
    """

    name: str
    top: QWidget
    is_main: bool = True


def window_states(work_root: Path) -> Iterator[State]:
    """Bring a window from state to state; `work_root` is an empty folder for recovery files."""
    engines: list[FakeEngine] = []

    def make(emit: Callable[[Event], None]) -> FakeEngine:
        engines.append(FakeEngine(emit, info=INFO, opening=(LOADING,)))
        return engines[-1]

    settings = Settings(theme="dark")
    with Desk(make_engine=make, settings=settings, work_root=work_root) as desk:
        window = desk.window
        yield State("loading, first start", window)
        window.messages.close_button.click()
        window.actions_["generate"].trigger()
        yield State("loading, a job waits", window)
        window.actions_["stop_all"].trigger()
        engines[-1].get_ready()
        desk.settle()
        yield State("empty", window)
        window.prompt.field.setFocus()
        yield State("empty, caret in the prompt", window)
        window.view.setFocus()
        for width, height in _SIZES:
            window.resize(width, height)
            yield State(f"empty, {width} x {height}", window, is_main=False)
        yield from _sent(desk, "empty")
        _draw_boxes(desk)
        yield State("boxes drawn", window)
        window.actions_["pane_things"].trigger()
        yield State("panel of things", window)
        window.session.push(SetPrompt("a dog and a castle"))
        desk.settle()
        window.actions_["suggest_layout"].trigger()
        yield State("layout suggested", window, is_main=False)
        window.session.replace(filled(_THINGS, mixed=True), "Bench", None)
        desk.settle()
        yield State("finished picture", window)
        window.session.selection.clear()
        bring_forward(window.inspector)
        yield State("page of the picture", window)
        window.session.selection.set([window.session.document.foregrounds[0].id])
        yield State("one layer selected", window, is_main=False)
        window.session.selection.set([each.id for each in window.session.document.foregrounds])
        yield State("all layers selected", window, is_main=False)
        _add_results(desk)
        yield State("candidates shown", window)
        yield from _sent(desk, "candidates")
        window.actions_["compare"].trigger()
        yield State("comparing", window)
        window.actions_["compare"].trigger()
        yield from _looks(desk)
        window.showMinimized()
        yield State("minimised", window)
        window.hide()
        yield State("hidden", window)
        window.showNormal()
        yield State("shown again", window, is_main=False)


def dialog_states(work_root: Path) -> Iterator[State]:
    """Open one dialog after the other; of those with tabs, each tab."""
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    with Desk(filled(_THINGS, mixed=True), work_root=work_root) as desk:
        window = desk.window
        window.session.selection.set([window.session.document.foregrounds[-1].id])
        for action in sorted(window.actions_, key=QAction.objectName):
            name = action.objectName()
            if (action.text().endswith("…") or name in _PAGES) and action.isEnabled():
                window.session.undo.mark_saved()  # or New and Open ask about changes
                action.trigger()
                yield from _dialog(desk, name)
        things = window.session.document.foregrounds
        order = [each.id for each in things]
        HidingDialog(window, things, order, _THINGS - 1, lambda ids: None).open()
        yield from _dialog(desk, "too many layers")
        servers, settings = window.session.servers, window.session.settings
        ConnectionDialog(window, servers, settings, None, lambda *chosen: None).open()
        yield from _dialog(desk, "connection")
        RecoveryDialog(window, []).open()
        yield from _dialog(desk, "recovery")
        window.session.undo.mark_unsaved()
        window.close()
        yield from _dialog(desk, "unsaved changes")


def open_dialogs() -> list[QDialog]:
    return [
        widget
        for widget in QApplication.topLevelWidgets()
        if isinstance(widget, QDialog) and widget.isVisible()
    ]


PARTS: dict[str, Callable[[Path], Iterator[State]]] = {
    "window": window_states,
    "dialogs": dialog_states,
}


def _looks(desk: Desk) -> Iterator[State]:
    """What one may switch on and off, and what covers the window for a while."""
    window = desk.window
    window.actions_["hide_panels"].trigger()
    yield State("panels hidden", window, is_main=False)
    window.actions_["hide_panels"].trigger()
    window.actions_["grid"].trigger()
    yield State("grid shown", window, is_main=False)
    for percent in (150, 100):
        window.settings.font_percent = percent
        window.view_controller.apply_theme()
        yield State(f"text at {percent} %", window, is_main=False)
    for theme in ("light", "dark"):
        window.actions_[f"theme_{theme}"].trigger()
        yield State(f"theme {theme}", window, is_main=False)
    menu = window.menuBar().findChildren(QMenu)[0]
    menu.popup(window.mapToGlobal(window.rect().topLeft()))
    yield State("menu open", window, is_main=False)
    menu.hide()
    QToolTip.showText(window.mapToGlobal(window.rect().center()), "tip", window)
    yield State("tooltip shown", window, is_main=False)
    QToolTip.hideText()


def _sent(desk: Desk, state: str) -> Iterator[State]:
    """After events that ask every widget to look again."""
    for kind in _SENT:
        for widget in desk.app.allWidgets():
            desk.app.postEvent(widget, QEvent(QEvent.Type[kind]))
    yield State(f"{state}, every change announced", desk.window, is_main=False)


def _draw_boxes(desk: Desk) -> None:
    rects = [Rect(160 * place, 64, 128, 192) for place in range(_THINGS)]
    boxes = [Layer(id=new_layer_id(), number=0, name="Box", rect=rect) for rect in rects]
    desk.window.session.push(AddLayers(boxes))
    desk.settle()


def _add_results(desk: Desk) -> None:
    session = desk.window.session
    layer = session.document.foregrounds[-1]
    shape = (layer.rect.height, layer.rect.width, 4)
    for seed in range(_RESULTS):
        pixels = np.random.default_rng(seed).integers(0, 255, shape, np.uint8)
        made = Placement(layer.id, pixels, layer.rect, {"seed": seed}).as_candidate()
        session.push(AddCandidates({layer.id: made}))
    session.selection.set([layer.id])
    desk.settle()


def _dialog(desk: Desk, name: str) -> Iterator[State]:
    """The dialog that is open now, if one is; closed afterwards."""
    desk.app.processEvents()
    for dialog in open_dialogs():
        pages = dialog.findChild(QTabWidget)
        for place in range(pages.count() if pages is not None else 1):
            if pages is not None:
                pages.setCurrentIndex(place)
            page = f", page {place + 1}" if place else ""
            yield State(f"dialog {name}{page}", dialog, is_main=not place)
        dialog.reject()
    desk.app.processEvents()
