"""The window as a whole: a later one looks like the first, a closed one waits for nothing."""

from __future__ import annotations

import threading
from typing import Any

from PySide6.QtWidgets import QApplication, QWidget

from app.session.settings import Settings
from app.testing import FakeEngine
from app.ui.background import Worker
from app.ui.main_window import MainWindow

Places = list[tuple[str, str, tuple[int, int, int, int]]]


def places(qtbot: Any, qloop: Any) -> Places:
    """Type, name and geometry of every visible widget of a new window."""
    window: Any = MainWindow(qloop, FakeEngine, Settings(theme="dark", first_run_done=True))
    window.resize(1024, 640)
    window.show()
    qtbot.waitExposed(window)
    qtbot.wait(50)
    found = [
        (type(each).__name__, each.objectName(), each.geometry().getRect())
        for each in window.findChildren(QWidget)
        if each.isVisible()
    ]
    window.close()
    window.session.shutdown()
    window.deleteLater()
    return found


def test_a_later_window_has_the_places_of_the_first(qtbot: Any, qloop: Any, qapp: Any) -> None:
    """Widgets made under the style sheet are matched with it before they have their names."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    app.setStyleSheet("")
    first = places(qtbot, qloop)
    assert app.styleSheet()
    assert ("QToolBar", "promptToolBar") in [each[:2] for each in first]
    assert places(qtbot, qloop) == first


def test_a_closed_worker_ends_work_that_checks(qloop: Any) -> None:
    worker, begun = Worker(qloop), threading.Event()
    ended = []

    def work() -> None:
        begun.set()
        while True:
            worker.check()

    worker.run(work, ended.append, ended.append)
    assert begun.wait(10)
    worker.shutdown()  # would wait for ever
    assert ended == []
