"""What a hand does: presses, drags and keys at canvas places."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


def at(window: Any, x: float, y: float) -> QPoint:
    """The viewport point of a canvas place."""
    return window.view.to_view().map(QPointF(x, y)).toPoint()


def click(window: Any, x: float, y: float, modifiers: Any = NONE) -> None:
    QTest.mouseClick(window.view.viewport(), LEFT, modifiers, at(window, x, y))


def press_and_move(
    window: Any, start: tuple[float, float], end: tuple[float, float], modifiers: Any = NONE
) -> None:
    """Press and move in a few steps; the button stays down."""
    port = window.view.viewport()
    QTest.mousePress(port, LEFT, modifiers, at(window, *start))
    for part in (0.25, 0.5, 0.75, 1.0):
        x = start[0] + (end[0] - start[0]) * part
        y = start[1] + (end[1] - start[1]) * part
        move(window, x, y, modifiers)


def move(window: Any, x: float, y: float, modifiers: Any = NONE) -> None:
    """Move with the left button down; QTest's own move sends no buttons."""
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    port = window.view.viewport()
    local = QPointF(at(window, x, y))
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        local,
        QPointF(port.mapToGlobal(local.toPoint())),
        Qt.MouseButton.NoButton,
        LEFT,
        modifiers,
    )
    QApplication.sendEvent(port, event)


def drag(
    window: Any, start: tuple[float, float], end: tuple[float, float], modifiers: Any = NONE
) -> None:
    press_and_move(window, start, end, modifiers)
    QTest.mouseRelease(window.view.viewport(), LEFT, modifiers, at(window, *end))


def draw_box(window: Any, x0: float, y0: float, x1: float, y1: float) -> None:
    """With the box tool, as a user would."""
    window.actions_["tool_box"].trigger()
    drag(window, (x0, y0), (x1, y1))


def wheel(window: Any, modifiers: Any = NONE) -> None:
    """One notch away from the user, over the middle of the canvas."""
    port = window.view.viewport()
    middle = port.rect().center()
    event = QWheelEvent(
        QPointF(middle),
        QPointF(port.mapToGlobal(middle)),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(port, event)


def key(window: Any, key: Any, modifiers: Any = NONE, widget: Any = None) -> None:
    """A key in the focused widget, or in the given one after focusing it."""
    if widget is not None:
        widget.setFocus()
    QTest.keyClick(widget or window.focusWidget(), key, modifiers)


def generate(window: Any, qtbot: Any, action: str = "generate_all") -> None:
    """Ask for a job, the whole picture if nothing else is said, and let the fake finish it."""
    before = window.session.undo.index
    count = len(window.engine.requests)
    window.actions_[action].trigger()
    assert len(window.engine.requests) == count + 1
    window.engine.begin(steps=2)
    window.engine.finish()
    qtbot.waitUntil(lambda: window.session.undo.index > before)


def shown(window: Any) -> Any:
    """The window as it is at the end of this turn of the event loop."""
    window.store.flush()
    return window


def later(window: Any, seconds: float = 2.0) -> None:
    """Let the next press of Generate come that much later: it does not belong to the last one."""
    presses = window.generation.presses
    before = presses.clock
    presses.clock = lambda: before() + seconds


def hashes(window: Any) -> dict[str, str | None]:
    """Pixel hash of every layer by name."""
    return {layer.name: layer.pixel_hash for layer in window.session.document.layers}
