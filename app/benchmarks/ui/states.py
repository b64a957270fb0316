"""The states in which a window rests, one after the other. Measures nothing.

Each dialog belongs to them: every action whose text ends in dots opens one, so a new dialog is
visited without a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QDialog, QTabWidget, QWidget

from app.benchmarks.ui.desk import Desk, filled, model_info
from app.document.commands import AddCandidates, AddLayers, Placement
from app.document.geometry import Rect
from app.document.layer import Layer, new_layer_id
from engine import Event, GenerateRequest, StateChanged

# Dialogs without dots in their action's text: they ask nothing.
_PAGES = ("help", "help_keys", "help_model", "licences", "about")
_THINGS = 6
_RESULTS = 4


class StillEngine:
    """Loads for as long as it is wanted, and never answers a job."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit

    def start(self) -> None:
        self._emit(StateChanged(state="loading"))

    def get_ready(self) -> None:
        """The model is there."""
        self._emit(StateChanged(state="ready", info=model_info()))

    def submit(self, request: GenerateRequest) -> None:
        pass

    def cancel(self, job_id: int | None = None) -> None:
        pass

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        return True


def rest(seconds: float) -> None:
    """Let Qt run as it does in the program: it sleeps until something happens."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def walk() -> Iterator[tuple[str, QWidget]]:
    """Bring one window from state to state.

    Yields:
        the state's name, and the window that is on top in it.
    """
    engines: list[StillEngine] = []

    def make(emit: Callable[[Event], None]) -> StillEngine:
        engines.append(StillEngine(emit))
        return engines[-1]

    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    with Desk(make_engine=make, first_run_done=False) as desk:
        window = desk.window
        yield "loading, first start", window
        window.messages.close_button.click()
        window.actions_["generate"].trigger()
        yield "loading, a job waits", window
        window.actions_["stop_all"].trigger()
        engines[-1].get_ready()
        desk.settle()
        yield "empty", window
        window.prompt.field.setFocus()
        yield "empty, caret in the prompt", window
        window.resize(1024, 640)
        yield "empty, small window", window
        window.resize(1400, 900)
        window.view.setFocus()
        _draw_boxes(desk)
        yield "boxes drawn", window
        window.session.replace(filled(_THINGS, mixed=True), "Bench", None)
        desk.settle()
        yield "finished picture", window
        window.session.selection.set([window.session.document.foregrounds[0].id])
        yield "one layer selected", window
        window.session.selection.set([each.id for each in window.session.document.foregrounds])
        yield "all layers selected", window
        _add_results(desk)
        yield "candidates shown", window
        window.actions_["compare"].trigger()
        yield "comparing", window
        window.actions_["compare"].trigger()
        window.actions_["hide_panels"].trigger()
        yield "panels hidden", window
        window.actions_["hide_panels"].trigger()
        window.actions_["grid"].trigger()
        yield "grid shown", window
        yield from _dialogs(desk)
        window.session.undo.stack.resetClean()
        window.close()
        yield from _dialog(desk, "unsaved changes")
        window.showMinimized()
        yield "minimised", window
        window.hide()
        yield "hidden", window
        window.showNormal()
        yield "shown again", window


def _draw_boxes(desk: Desk) -> None:
    boxes = [
        Layer(id=new_layer_id(), number=0, name=f"Box {place}", rect=Rect(160 * place, 64, 128, 192))
        for place in range(_THINGS)
    ]
    desk.window.session.push(AddLayers(boxes))
    desk.settle()


def _add_results(desk: Desk) -> None:
    """Candidates of the topmost layer, which is selected then."""
    session = desk.window.session
    layer = session.document.foregrounds[-1]
    shape = (layer.rect.height, layer.rect.width, 4)
    for seed in range(_RESULTS):
        pixels = np.random.default_rng(seed).integers(0, 255, shape, np.uint8)
        made = Placement(layer.id, pixels, layer.rect, {"seed": seed}).as_candidate()
        session.push(AddCandidates({layer.id: made}))
    session.selection.set([layer.id])
    desk.settle()


def _dialogs(desk: Desk) -> Iterator[tuple[str, QWidget]]:
    """Each dialog that an action opens; of those with tabs, each tab."""
    actions = desk.window.actions_
    for action in sorted(actions, key=QAction.objectName):
        name = action.objectName()
        if (action.text().endswith("…") or name in _PAGES) and action.isEnabled():
            action.trigger()
            yield from _dialog(desk, name)


def _dialog(desk: Desk, name: str) -> Iterator[tuple[str, QWidget]]:
    """The dialog that is open now, if one is; closed afterwards."""
    desk.app.processEvents()
    for dialog in open_dialogs():
        pages = dialog.findChild(QTabWidget)
        for place in range(pages.count() if pages is not None else 1):
            if pages is not None:
                pages.setCurrentIndex(place)
            yield f"dialog {name}" + (f", page {place + 1}" if place else ""), dialog
        dialog.reject()
    desk.app.processEvents()


def open_dialogs() -> list[QDialog]:
    """The dialogs on the screen."""
    return [
        widget
        for widget in QApplication.topLevelWidgets()
        if isinstance(widget, QDialog) and widget.isVisible()
    ]


