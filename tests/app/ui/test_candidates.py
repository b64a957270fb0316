"""Variations, the strip, looking and accepting, Compare: results that wait for the user."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.document.commands import (
    DeleteLayers,
    DuplicateLayers,
    MoveLayers,
    SetLocked,
    SetSettings,
    UseCandidates,
)
from app.document.contents import Settings
from app.document.storage.pictures import read_picture
from app.ui.panels.layer_rows import StateRole
from tests.app.ui.helpers import LEFT, NONE, at, draw_box, generate, hashes, key, shown

SHIFT = Qt.KeyboardModifier.ShiftModifier


def castle_with(window: Any, qtbot: Any, variations: int = 3) -> Any:
    """A finished picture whose layer 1 has that many new candidates; it is selected."""
    draw_box(window, 64, 64, 192, 192)
    draw_box(window, 256, 256, 384, 384)
    generate(window, qtbot)
    layer = window.session.document.foregrounds[0]
    window.session.selection.set([layer.id])
    window.session.push(SetSettings(Settings(variations=variations)))
    window.actions_["regenerate"].trigger()
    for count in range(1, variations + 1):
        window.engine.finish()
        qtbot.waitUntil(lambda n=count: len(window.stage.choices) == n)
    return window.session.document.layer(layer.id)


def test_variations_fill_the_strip_and_change_nothing(window: Any, qtbot: Any) -> None:
    """One step for all of them; the first shows itself in place, with a frame."""
    layer = castle_with(window, qtbot)
    assert window.strip.isVisible()
    assert window.strip.list.model().rowCount() == 4
    names = [
        window.strip.list.model().index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole)
        for row in range(4)
    ]
    assert names[0].startswith("Current")
    assert [name.split(".")[0] for name in names[1:]] == [f"Result {n} of 3" for n in (1, 2, 3)]
    # Newest first; the one that came first is still shown.
    assert window.stage.text == "Preview 3 of 3"
    assert window.scene.staged_ids == {layer.id}
    violet = QColor(window.view.decor.colours.staged).hue()
    assert 250 < violet < 290
    edge = window.view.grab().toImage()
    corner = at(window, 64, 128)
    seen = {edge.pixelColor(corner.x() + dx, corner.y()).hue() for dx in range(-3, 1)}
    assert any(abs(hue - violet) <= 3 for hue in seen), "a violet frame"
    assert layer.pixel_hash not in [item.pixel_hash for item in layer.candidates]
    assert window.session.undo.undo_text == "Results for 'Layer 1'"
    assert len(window.engine.requests) == 4
    model = window.layers.model
    assert model.data(model.index_of(layer.id), StateRole).text == "3 new"


def test_the_strip_folds_when_there_is_nothing(window: Any) -> None:
    """Nothing lies over the canvas before there are results."""
    draw_box(window, 64, 64, 192, 192)
    assert not window.strip.isVisible()
    assert not window.actions_["compare"].isEnabled()
    assert "no results" in window.actions_["compare"].toolTip()


def test_n_looks_and_enter_accepts(window: Any, qtbot: Any) -> None:
    """Looking is no step, accepting is one; other layers keep their bytes."""
    layer = castle_with(window, qtbot)
    others = {name: value for name, value in hashes(window).items() if name != layer.name}
    steps = window.session.undo.count
    key(window, Qt.Key.Key_N, widget=window.view)
    key(window, Qt.Key.Key_N, widget=window.view)
    assert window.session.undo.count == steps
    wanted = window.stage.chosen.first.pixel_hash
    key(window, Qt.Key.Key_Return, widget=window.view)
    now = window.session.document.layer(layer.id)
    assert now.pixel_hash == wanted
    assert window.session.undo.count == steps + 1
    assert layer.pixel_hash in [item.pixel_hash for item in now.candidates]
    assert {n: v for n, v in hashes(window).items() if n != layer.name} == others
    assert window.scene.staged_ids == frozenset()
    model = window.layers.model
    assert "new" not in model.data(model.index_of(layer.id), StateRole).text
    window.actions_["undo"].trigger()
    assert window.session.document.layer(layer.id).pixel_hash == layer.pixel_hash


def test_esc_shows_the_current_picture_and_then_clears_the_selection(
    window: Any, qtbot: Any
) -> None:
    """Esc ladder: the current picture comes before the selection."""
    castle_with(window, qtbot)
    key(window, Qt.Key.Key_Escape, widget=window.view)
    assert window.stage.place == 0
    assert len(window.session.selection) == 1
    key(window, Qt.Key.Key_Escape, widget=window.view)
    assert len(window.session.selection) == 0


def test_c_held_shows_before(window: Any, qtbot: Any) -> None:
    """For as long as the key is down."""
    layer = castle_with(window, qtbot)
    window.view.setFocus()
    QTest.keyPress(window.view, Qt.Key.Key_C)
    assert window.scene.staged_ids == frozenset()
    QTest.keyRelease(window.view, Qt.Key.Key_C)
    assert window.scene.staged_ids == {layer.id}


def test_the_strip_by_keyboard(window: Any, qtbot: Any) -> None:
    """F8, arrows show, Del discards one, Shift+Del all, Enter accepts."""
    layer = castle_with(window, qtbot, variations=4)
    rows = window.strip.list
    window.actions_["pane_candidates"].trigger()
    assert rows.hasFocus()
    window.stage.show_place(0)
    key(window, Qt.Key.Key_Right, widget=rows)
    assert window.stage.place == 1
    key(window, Qt.Key.Key_Right, widget=rows)
    gone = window.stage.chosen.first.pixel_hash
    key(window, Qt.Key.Key_Delete, widget=rows)
    left = [item.pixel_hash for item in window.session.document.layer(layer.id).candidates]
    assert gone not in left
    assert len(left) == 3
    window.actions_["undo"].trigger()
    assert len(window.stage.choices) == 4
    rows.setFocus()
    key(window, Qt.Key.Key_Right, widget=rows)
    wanted = window.stage.chosen.first.pixel_hash
    key(window, Qt.Key.Key_Return, widget=rows)
    assert window.session.document.layer(layer.id).pixel_hash == wanted
    window.actions_["discard_all"].trigger()
    assert window.session.document.layer(layer.id).candidates == ()
    assert not window.strip.isVisible()


def hover(widget: Any, point: Any) -> None:
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(point),
        QPointF(widget.mapToGlobal(point)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        NONE,
    )
    QApplication.sendEvent(widget, event)


def test_hover_shows_in_place_and_leaving_restores(window: Any, qtbot: Any) -> None:
    """After a rest; what was shown before comes back."""
    castle_with(window, qtbot)
    window.stage.show_place(0)
    rows = window.strip.list
    third = rows.visualRect(rows.model().index(3, 0)).center()
    hover(rows.viewport(), third)
    qtbot.waitUntil(lambda: window.stage.place == 3, timeout=1000)
    QApplication.sendEvent(rows, QEvent(QEvent.Type.Leave))
    assert window.stage.place == 0


def test_click_keeps_it_and_double_click_takes_it(window: Any, qtbot: Any) -> None:
    """By mouse alone."""
    layer = castle_with(window, qtbot)
    rows = window.strip.list
    place = rows.visualRect(rows.model().index(2, 0)).center()
    QTest.mouseClick(rows.viewport(), LEFT, NONE, place)
    assert window.stage.place == 2
    wanted = window.stage.chosen.first.pixel_hash
    QTest.mouseDClick(rows.viewport(), LEFT, NONE, place)
    assert window.session.document.layer(layer.id).pixel_hash == wanted


def test_compare_shows_whole_composites_and_a_click_accepts(window: Any, qtbot: Any) -> None:
    """The current picture and the results side by side, one zoom for all."""
    layer = castle_with(window, qtbot)
    key(window, Qt.Key.Key_C, SHIFT, widget=window.view)
    page = window.compare
    assert page.isVisible()
    assert page.count == 4
    qtbot.waitUntil(lambda: len(page.images) == 4, timeout=5000)
    sizes = {(image.width(), image.height()) for image in page.images.values()}
    assert sizes == {(512, 512)}
    assert len({image.pixelColor(120, 120).name() for image in page.images.values()}) > 1
    assert {image.pixelColor(500, 20).name() for image in page.images.values()} == {
        page.images[0].pixelColor(500, 20).name()
    }
    wanted = window.stage.choices[2].first.pixel_hash
    QTest.mouseClick(page, LEFT, NONE, page.tiles()[3].center().toPoint())
    assert not page.isVisible()
    assert window.session.document.layer(layer.id).pixel_hash == wanted


def test_compare_shows_eight_with_one_zoom(window: Any, qtbot: Any) -> None:
    """The current picture and up to eight results; wheel and drag move all of them alike."""
    castle_with(window, qtbot, 8)
    window.actions_["regenerate"].trigger()
    window.engine.finish()
    qtbot.waitUntil(lambda: len(window.stage.choices) > 8)
    window.session.bridge.stop()
    page = window.compare
    window.actions_["compare"].trigger()
    assert page.count == len(page.tiles()) == 9

    def middles() -> list[QPointF]:
        return [page._target(tile).center() - tile.center() for tile in page.tiles()]

    place = page.tiles()[0].center()
    wheel = QWheelEvent(
        place,
        QPointF(page.mapToGlobal(place.toPoint())),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(page, wheel)
    assert page.zoom > 1
    QTest.mousePress(page, LEFT, NONE, place.toPoint())
    QTest.mouseMove(page, place.toPoint() + QPoint(12, 8))
    QTest.mouseRelease(page, LEFT, NONE, place.toPoint() + QPoint(12, 8))
    assert page.isVisible(), "a drag is no choice"
    assert len({(round(each.x()), round(each.y())) for each in middles()}) == 1
    key(window, Qt.Key.Key_Escape, widget=page)


def test_compare_by_keyboard(window: Any, qtbot: Any) -> None:
    """Arrows choose, Enter takes, Esc leaves everything as it was."""
    layer = castle_with(window, qtbot)
    window.stage.show_place(0)
    page = window.compare
    window.actions_["compare"].trigger()
    key(window, Qt.Key.Key_Escape, widget=page)
    assert not page.isVisible()
    assert window.view.hasFocus()
    assert window.session.document.layer(layer.id).pixel_hash == layer.pixel_hash
    window.actions_["compare"].trigger()
    key(window, Qt.Key.Key_Right, widget=page)
    key(window, Qt.Key.Key_Return, widget=page)
    now = window.session.document.layer(layer.id)
    assert now.pixel_hash == layer.candidates[0].pixel_hash


def test_a_whole_picture_is_accepted_in_one_step(window: Any, qtbot: Any) -> None:
    """Nothing selected: the strip shows pictures, made together."""
    draw_box(window, 64, 64, 192, 192)
    window.session.selection.set([])
    window.session.push(SetSettings(Settings(variations=2)))
    window.actions_["generate"].trigger()
    for count in (1, 2):
        window.engine.finish()
        qtbot.waitUntil(lambda n=count: len(window.stage.choices) == n)
    assert [len(choice.candidates) for choice in window.stage.choices] == [2, 2]
    steps = window.session.undo.count
    window.stage.accept(2)
    assert all(layer.has_pixels for layer in window.session.document.layers)
    assert window.session.undo.count == steps + 1


def test_ask_before_replacing(window: Any, qtbot: Any) -> None:
    """With the setting even a single result waits."""
    window.settings.ask_before_replacing = True
    draw_box(window, 64, 64, 192, 192)
    window.actions_["generate"].trigger()
    window.engine.finish()
    layer = window.session.document.foregrounds[0]
    qtbot.waitUntil(lambda: bool(window.session.document.layer(layer.id).candidates))
    assert not window.session.document.layer(layer.id).has_pixels


def test_a_locked_layer_s_candidate_cannot_be_taken(window: Any, qtbot: Any) -> None:
    """The action says why."""
    layer = castle_with(window, qtbot)
    window.session.push(SetLocked([layer.id], True))
    window.stage.show_place(0)
    window.stage.show_place(1)
    assert not window.actions_["accept"].isEnabled()
    assert "locked" in window.actions_["accept"].toolTip()


def test_editing_goes_on_while_a_candidate_is_shown(window: Any, qtbot: Any) -> None:
    """A stage never blocks; the shown one follows the layer."""
    layer = castle_with(window, qtbot)
    rect = window.scene.rect_of(layer)
    window.session.push(MoveLayers([layer.id], 40, 8))
    now = window.session.document.layer(layer.id)
    assert window.scene.rect_of(now) == rect.translated(40, 8)
    assert window.stage.place > 0


@pytest.mark.parametrize("selected", [True, False])
def test_the_strip_follows_the_selection(window: Any, qtbot: Any, selected: bool) -> None:
    """Candidates of the selected layer, newest first."""
    layer = castle_with(window, qtbot)
    other = window.session.document.foregrounds[1]
    window.session.selection.set([layer.id] if selected else [other.id])
    assert len(window.stage.choices) == (3 if selected else 0)
    if selected:
        found = [choice.first.pixel_hash for choice in window.stage.choices]
        assert found == [item.pixel_hash for item in layer.candidates]


def test_a_candidate_says_how_many_layers_show_it(window: Any, qtbot: Any) -> None:
    """Seed, prompt and use count in the tooltip, which is the accessible text as well."""
    layer = castle_with(window, qtbot, 2)
    tip = Qt.ItemDataRole.ToolTipRole
    rows = window.strip.list.model()
    assert "Shown by" not in rows.index(1, 0).data(tip)
    taken = window.stage.choices[0]
    window.session.push(UseCandidates(taken.hashes))
    copies = DuplicateLayers([layer.id])
    window.session.push(copies)
    window.session.selection.set(copies.new_ids)
    assert window.stage.use_count(taken) == 2


def test_the_bound_of_the_settings_counts(window: Any, qtbot: Any) -> None:
    """The user's own bound; raising it takes the question away."""
    window.session.settings.candidates = 2
    castle_with(window, qtbot, 3)
    assert window.actions_["trim_candidates"].isEnabled()
    window.session.settings.candidates = 300
    window.store.mark("room")
    assert not window.actions_["trim_candidates"].isEnabled()


def test_the_bar_offers_to_delete_or_to_raise(window: Any, qtbot: Any) -> None:
    """Raise lets all of them stay and asks no more; it is no step of the document."""
    window.session.settings.candidates = 2
    layer = castle_with(window, qtbot, 3)
    bar = shown(window).messages
    assert bar.isVisible()
    assert bar.action_button.text() == "Delete 2 Oldest Unused Results"
    assert window.actions_["trim_candidates"].text() == "Delete 2 Oldest &Unused Results"
    assert bar.other_button.text() == "Keep More Results"
    steps = window.session.undo.count
    bar.other_button.click()
    assert not bar.isVisible()
    assert window.session.settings.candidates == 4
    assert window.session.undo.count == steps
    assert len(window.session.document.layer(layer.id).candidates) == 3
    assert not window.actions_["trim_candidates"].isEnabled()
    assert not window.actions_["raise_bound"].isEnabled()


def with_detached(window: Any, qtbot: Any) -> Any:
    """A result for a layer that was deleted meanwhile; the layer as it was."""
    draw_box(window, 64, 64, 192, 192)
    layer = window.session.document.foregrounds[0]
    window.session.selection.set([layer.id])
    window.actions_["regenerate"].trigger()
    window.session.push(DeleteLayers([layer.id]))
    window.engine.finish()
    qtbot.waitUntil(lambda: bool(window.session.document.contents.detached))
    return layer


def test_detached_results_are_in_the_strip(window: Any, qtbot: Any) -> None:
    """With nothing selected they stand under "Detached"; nothing applies them."""
    layer = with_detached(window, qtbot)
    window.session.selection.set([])
    (choice,) = window.stage.choices
    assert choice.detached.rect == layer.rect
    assert window.strip.isVisible()
    rows = window.strip.list.model()
    assert "Detached" in rows.index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert not window.actions_["compare"].isEnabled()
    before = window.session.document.content_hash()
    window.actions_["candidate_next"].trigger()
    assert "Detached" in window.stage.text
    assert window.scene.staged_ids == set()
    assert not window.actions_["accept"].isEnabled()
    assert "was deleted" in window.actions_["accept"].toolTip()
    key(window, Qt.Key.Key_Return, widget=window.strip.list)
    assert window.session.document.content_hash() == before
    key(window, Qt.Key.Key_Delete, widget=window.strip.list)
    assert window.session.document.contents.detached == ()
    assert not window.strip.isVisible()
    window.actions_["undo"].trigger()
    assert window.session.document.content_hash() == before
    assert len(window.stage.choices) == 1


def test_a_detached_result_can_become_a_layer(window: Any, qtbot: Any, tmp_path: Any) -> None:
    """By its menu, as a step; its pixels, place and record come along."""
    layer = with_detached(window, qtbot)
    window.session.selection.set([])
    (item,) = window.session.document.contents.detached
    path = tmp_path / "gone.png"
    window.candidates.write(window.stage.choices[0], path)
    qtbot.waitUntil(lambda: path.exists() and not window.session.files.is_busy)
    assert np.array_equal(read_picture(path).pixels, item.pixels)
    menu = window.candidates.menu_for(1)
    assert menu.actions()[0].text() == "Add as &Layer"
    menu.actions()[0].trigger()
    menu.deleteLater()
    (made,) = window.session.document.foregrounds
    assert (made.rect, made.pixel_hash, made.record) == (layer.rect, item.pixel_hash, item.record)
    assert made.id != layer.id
    assert window.session.selection.ids == {made.id}
    assert window.session.document.contents.detached == (item,)


def test_the_inspector_says_what_the_row_says(window: Any, qtbot: Any) -> None:
    """ "3 new" in both as long as the results wait; one state after the answer."""
    layer = castle_with(window, qtbot, 3)
    model = window.layers.model

    def both() -> tuple[str, str]:
        return window.inspector.state.text.text(), model.data(
            model.index_of(layer.id), StateRole
        ).text

    assert both() == ("3 new", "3 new")
    window.stage.accept(1)
    assert both() == ("Up to date", "Up to date")
