"""The strip of results lies over the canvas; nothing lies over a result that is looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPixmap, QTransform
from PySide6.QtWidgets import QStyleOptionViewItem

from app.document.commands import SetCanvas, SetSettings
from app.document.contents import Settings
from app.document.geometry import Size
from app.ui.canvas.overlay_model import OverlayModel
from app.ui.panels.candidate_strip import ChoiceDelegate
from app.ui.widgets.images import to_array
from tests.app.ui.helpers import draw_box, generate, key
from tests.app.ui.test_candidates import castle_with


def look(window: Any) -> tuple[Any, ...]:
    """Where the canvas is on the screen: transform, scroll, size, place in the window."""
    view = window.view
    transform: QTransform = view.viewportTransform()
    return (
        tuple(getattr(transform, f"m{row}{column}")() for row in "123" for column in "123"),
        view.horizontalScrollBar().value(),
        view.verticalScrollBar().value(),
        view.size().toTuple(),
        view.mapTo(window, view.rect().topLeft()).toTuple(),
    )


@pytest.mark.parametrize("size", [(900, 600), (1024, 640), (1440, 900)])
@pytest.mark.parametrize("zoomed", [False, True])
def test_showing_and_hiding_the_strip_moves_nothing(
    window: Any, qtbot: Any, size: tuple[int, int], zoomed: bool
) -> None:
    """Nor do results that come in, another selection, a look at a result, or a discard."""
    window.resize(*size)
    layer = castle_with(window, qtbot)
    window.stage.show_place(0)
    other = window.session.document.foregrounds[1]
    if zoomed:
        window.view.navigation.set_zoom(1.7, QPointF(20, 30))
    window.session.selection.set([other.id])
    qtbot.wait(20)
    assert not window.strip.isVisible()
    before = look(window)
    for ids, shown in (([layer.id], True), ([], False), ([layer.id], True), ([other.id], False)):
        window.session.selection.set(ids)
        qtbot.wait(20)
        assert window.strip.isVisible() == shown
        assert look(window) == before
    window.session.selection.set([layer.id])
    for _ in range(4):
        key(window, Qt.Key.Key_N, widget=window.view)
        assert look(window) == before
    generate(window, qtbot, "generate_all") if zoomed else window.actions_["discard_all"].trigger()
    qtbot.wait(20)
    assert look(window) == before


def test_the_strip_does_not_cover_the_whole_canvas_in_view(window: Any, qtbot: Any) -> None:
    """Fit leaves its corner free, for pictures of every shape."""
    castle_with(window, qtbot)
    strip = window.strip
    for width, height in ((512, 512), (768, 512), (1024, 256), (256, 1024)):
        window.session.push(SetCanvas(Size(width, height), 0, 0))
        for size in ((900, 600), (1024, 640), (1440, 900)):
            window.resize(*size)
            qtbot.wait(20)
            window.actions_["zoom_fit"].trigger()
            corner = window.view.to_view().map(QPointF(width, height))
            left = strip.mapTo(window, strip.rect().topLeft()).x()
            right = window.view.viewport().mapTo(window, corner.toPoint()).x()
            assert strip.isVisible()
            assert right <= left, (width, height, size)


def test_the_strip_is_low_enough_and_at_the_edge(window: Any, qtbot: Any) -> None:
    """In the lower corner at the end of a line, and never higher than the canvas."""
    castle_with(window, qtbot, 8)
    for size in ((900, 600), (1440, 900)):
        window.resize(*size)
        qtbot.wait(20)
        strip, view = window.strip.geometry(), window.view.geometry()
        assert view.contains(strip)
        assert strip.bottomRight() == view.bottomRight()
        assert window.strip.list.height() >= window.strip.list.minimumSizeHint().height()


def test_the_present_picture_is_called_current(window: Any, qtbot: Any) -> None:
    """After a job: the new pixels are current, the old ones have a number."""
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    old = window.session.document.foregrounds[0].pixel_hash
    generate(window, qtbot, "regenerate")
    (choice,) = window.stage.choices
    assert choice.first.pixel_hash == old
    rows = window.strip.list.model()
    said = [rows.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(2)]
    assert said[0] == "Current picture."
    assert said[1].startswith("Result 1 of 1.")
    assert window.compare._name(0) == "Current"
    assert window.compare._name(1).startswith("Result 1 · seed")


def cells(window: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What stands below the pictures."""
    drawn: list[str] = []

    class Reading(QPainter):
        def drawText(self, *args: Any) -> None:  # type: ignore[override]
            drawn.append(args[-1])

    delegate: ChoiceDelegate = window.strip.list.itemDelegate()
    picture = QPixmap(200, 200)
    painter = Reading(picture)
    for row in range(window.strip.list.model().rowCount()):
        option = QStyleOptionViewItem()
        option.font = window.font()
        option.rect = picture.rect()
        delegate.paint(painter, option, window.strip.list.model().index(row, 0))
    painter.end()
    return drawn


def test_results_are_numbered(window: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    castle_with(window, qtbot, 3)
    assert cells(window, monkeypatch) == ["Current", "1", "2", "3"]


def pixels_in(window: Any, rect: tuple[int, int, int, int]) -> np.ndarray:
    """The screen inside a rectangle of canvas pixels, (h, w, 4)."""
    x0, y0, x1, y1 = rect
    corner = window.view.to_view().map(QPointF(x0, y0))
    far = window.view.to_view().map(QPointF(x1, y1))
    shot = to_array(window.view.viewport().grab().toImage())
    return shot[round(corner.y()) : round(far.y()), round(corner.x()) : round(far.x())]


def bare(window: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paint nothing over the picture."""
    monkeypatch.setattr(OverlayModel, "paint", lambda *_: None)
    window.view.viewport().update()


def test_nothing_covers_results_in_empty_boxes(
    window: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four results for boxes without pixels: no hatching, no name, no outline inside the canvas."""
    draw_box(window, 64, 64, 192, 192)
    draw_box(window, 160, 160, 448, 416)
    window.actions_["tool_select"].trigger()
    window.session.selection.clear()
    window.session.push(SetSettings(Settings(variations=4)))
    window.actions_["generate"].trigger()
    for count in range(1, 5):
        window.engine.finish()
        qtbot.waitUntil(lambda n=count: len(window.stage.choices) == n)
    assert len(window.scene.staged_ids) == 3
    window.view.setFocus()
    for place in (1, 3):
        window.stage.show_place(place)
        shown = pixels_in(window, (0, 0, 512, 512))
        with monkeypatch.context() as inner:
            bare(window, inner)
            assert np.array_equal(shown, pixels_in(window, (0, 0, 512, 512)))
    window.stage.show_place(0)
    covered = pixels_in(window, (0, 0, 512, 512))
    bare(window, monkeypatch)
    assert not np.array_equal(covered, pixels_in(window, (0, 0, 512, 512))), "boxes have a look"


def test_nothing_covers_a_result_of_one_layer(
    window: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No outline and no handles of its own, no hatching of a box that overlaps it, no grid."""
    castle_with(window, qtbot)
    layer = window.session.selection.single()
    draw_box(window, 128, 128, 288, 288)
    window.session.selection.set([layer.id])
    window.actions_["grid"].setChecked(True)
    window.stage.show_place(1)
    assert window.scene.staged_ids == {layer.id}
    assert window.view.decor.resizable() is None
    shown = pixels_in(window, (64, 64, 192, 192))
    beside = pixels_in(window, (200, 200, 280, 280))
    bare(window, monkeypatch)
    assert np.array_equal(shown, pixels_in(window, (64, 64, 192, 192)))
    assert not np.array_equal(beside, pixels_in(window, (200, 200, 280, 280)))


def test_the_strip_stays_away_while_results_are_compared(window: Any, qtbot: Any) -> None:
    castle_with(window, qtbot)
    window.actions_["compare"].trigger()
    assert window.compare.isVisible()
    assert not window.strip.isVisible()
    key(window, Qt.Key.Key_Escape, widget=window.compare)
    assert window.strip.isVisible()
    assert window.view.hasFocus()


def test_keys_of_the_canvas_do_not_reach_the_strip(window: Any, qtbot: Any) -> None:
    """Del in the strip discards a result, not the layer; arrows step and move nothing."""
    layer = castle_with(window, qtbot)
    rows = window.strip.list
    window.actions_["pane_candidates"].trigger()
    window.stage.show_place(1)
    for step in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left):
        key(window, step, widget=rows)
    assert window.session.document.layer(layer.id).rect == layer.rect
    assert window.stage.place == 2
    key(window, Qt.Key.Key_Delete, widget=rows)
    assert window.session.document.has_layer(layer.id)
    assert len(window.stage.choices) == 2
