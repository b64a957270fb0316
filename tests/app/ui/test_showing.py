"""Opacity, blend, align, solo, matte, seeds and signs: the hands of an image editor."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.document.commands import (
    Rename,
    SetLocked,
    SetPrompt,
    SetSeed,
    SetSettings,
    SetVisible,
)
from app.document.contents import Settings
from app.document.geometry import Rect, Size
from app.ui.panels.layer_rows import RowParts, StateRole
from app.ui.widgets.images import to_array
from tests.app.document.examples import composite_of
from tests.app.painted import fill
from tests.app.ui.helpers import LEFT, NONE, at, drag, draw_box, generate, key

SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier
CTRL = Qt.KeyboardModifier.ControlModifier


def filled(window: Any) -> list[Any]:
    """Two layers with pixels; returns them, bottom first."""
    draw_box(window, 64, 64, 192, 192)
    draw_box(window, 256, 256, 448, 384)
    fill(window.session.document)
    window.actions_["tool_select"].trigger()
    window.session.selection.set([])
    return list(window.session.document.foregrounds)


def test_digits_set_the_opacity(window: Any) -> None:
    """5 is 50 %, two digits are exact and one step, 0 is 100 %; all selected at once."""
    layers = filled(window)
    window.session.selection.set([layer.id for layer in layers])
    steps = window.session.undo.count
    key(window, Qt.Key.Key_4, widget=window.view)
    assert [layer.opacity for layer in window.session.document.foregrounds] == [0.4, 0.4]
    key(window, Qt.Key.Key_2, widget=window.layers.list)
    assert window.session.document.foregrounds[0].opacity == 0.42
    assert window.session.undo.count == steps + 1
    QTest.qWait(650)
    key(window, Qt.Key.Key_0, widget=window.view)
    assert window.session.document.foregrounds[0].opacity == 1.0
    window.prompt.field.setFocus()
    QTest.keyClick(window.prompt.field, Qt.Key.Key_3)
    assert window.session.document.foregrounds[0].opacity == 1.0


def test_a_drag_of_the_opacity_slider_is_one_step(window: Any) -> None:
    """Merged by gesture; Ctrl+Z brings back what was before the drag."""
    layers = filled(window)
    window.session.selection.set([layers[0].id])
    bar = window.layers.looks
    steps = window.session.undo.count
    bar.slider.setSliderDown(True)
    for percent in (90, 60, 35):
        bar.slider.setValue(percent)
    bar.slider.setSliderDown(False)
    assert window.session.document.layer(layers[0].id).opacity == 0.35
    assert bar.field.value() == 35
    assert window.session.undo.count == steps + 1
    window.actions_["undo"].trigger()
    assert bar.slider.value() == 100
    bar.field.selectAll()
    QTest.keyClicks(bar.field.lineEdit(), "37")
    QTest.keyClick(bar.field, Qt.Key.Key_Return)
    assert window.session.document.layer(layers[0].id).opacity == 0.37
    assert (bar.slider.minimum(), bar.slider.maximum(), bar.slider.value()) == (0, 100, 37)


def test_blend_modes_by_bar_and_key(window: Any) -> None:
    """Twelve modes; the bar and B act on all selected layers in one step."""
    layers = filled(window)
    window.session.selection.set([layer.id for layer in layers])
    bar = window.layers.looks
    assert bar.blend.count() == 12
    bar.blend.activated.emit(bar.blend.findData("screen"))
    assert {layer.blend for layer in window.session.document.foregrounds} == {"screen"}
    key(window, Qt.Key.Key_B, widget=window.view)
    assert {layer.blend for layer in window.session.document.foregrounds} == {"overlay"}
    key(window, Qt.Key.Key_B, SHIFT, widget=window.view)
    assert bar.blend.currentData() == "screen"


def test_a_locked_layer_keeps_its_looks(window: Any) -> None:
    """The bar is off and says why, as is all that would change it; the rest stays free."""
    layers = filled(window)
    window.session.push(SetLocked([layers[0].id], True))
    window.session.selection.set([layers[0].id])
    assert not window.layers.looks.slider.isEnabled()
    assert "locked" in window.layers.looks.slider.toolTip()
    for name in ("align_left", "blend_next", "opacity_50", "delete", "cut", "regenerate"):
        assert not window.actions_[name].isEnabled(), name
    for name in ("rename", "toggle_visible", "raise", "copy"):
        assert window.actions_[name].isEnabled(), name
    window.session.push(SetLocked([layers[0].id], False))
    assert window.actions_["cut"].isEnabled()


def test_align_by_key(window: Any) -> None:
    """Alt+A and its siblings; one layer to the canvas; one undo step."""
    layers = filled(window)
    window.session.selection.set([layers[0].id])
    key(window, Qt.Key.Key_D, ALT, widget=window.view)
    assert window.session.document.layer(layers[0].id).rect.right == 512
    assert window.session.undo.undo_text == "Align 'Layer 1'"
    window.session.selection.set([layer.id for layer in layers])
    key(window, Qt.Key.Key_W, ALT, widget=window.view)
    assert {layer.rect.y for layer in window.session.document.foregrounds} == {64}
    assert window.session.undo.undo_text == "Align 2 layers"
    assert not window.actions_["distribute_h"].isEnabled()
    window.actions_["undo"].trigger()
    assert [layer.rect for layer in window.session.document.foregrounds][1] == layers[1].rect


def test_align_and_distribute_leave_the_size_of_a_box(window: Any) -> None:
    """An empty box goes to the nearest cell; it does not grow where the middle is off it."""
    for left in (0, 96, 416):
        window.session.selection.set([])
        draw_box(window, left, 64, left + 96, 160)
    document = window.session.document
    window.session.selection.set([document.foregrounds[0].id])
    key(window, Qt.Key.Key_H, ALT, widget=window.view)
    rect = document.foregrounds[0].rect
    assert rect.size == Size(96, 96)
    assert abs(rect.centre[0] - 256) <= 16
    window.actions_["undo"].trigger()
    window.session.selection.set([layer.id for layer in document.foregrounds])
    steps = window.session.undo.index
    window.actions_["distribute_h"].trigger()
    assert [layer.rect.size for layer in document.foregrounds] == [Size(96, 96)] * 3
    assert abs(document.foregrounds[1].rect.centre[0] - 256) <= 16
    assert window.session.undo.index == steps + 1


def test_solo_is_view_state(window: Any, qtbot: Any) -> None:
    """S shows one layer alone; the document, its undo and the export know nothing of it."""
    layers = filled(window)
    window.session.selection.set([layers[0].id])
    before = window.session.document.content_hash()
    steps = window.session.undo.count
    key(window, Qt.Key.Key_S, widget=window.view)
    document = window.session.document
    shown = [layer.id for layer in document.layers if window.scene.shows(layer)]
    assert shown == [layers[0].id]
    qtbot.waitUntil(lambda: window.scene.is_settled)
    alone = to_array(window.scene._item.image)
    assert alone[320, 350, 3] == 0
    assert document.content_hash() == before
    assert window.session.undo.count == steps
    assert composite_of(document)[320, 350, 3] == 255
    window.actions_["generate_all"].trigger()
    assert {each.layer_id for each in window.engine.last.layers if each.is_target} == {
        layer.id for layer in document.layers
    }
    window.session.bridge.stop()
    window.view.setFocus()
    key(window, Qt.Key.Key_S, widget=window.view)
    assert all(window.scene.shows(layer) for layer in document.layers)


def test_alt_click_on_an_eye_is_solo(window: Any) -> None:
    """Only that layer, whatever is selected; again restores exactly what was."""
    layers = filled(window)
    document, rows = window.session.document, window.layers.list
    window.session.push(SetVisible([layers[0].id], False))
    window.session.selection.set([layer.id for layer in layers])
    index = window.layers.model.index_of(layers[1].id)
    eye = RowParts.of(rows.visualRect(index)).eye.center()
    QTest.mouseClick(rows.viewport(), LEFT, ALT, eye)
    assert window.solo.ids == {layers[1].id}
    assert window.session.document.layer(layers[1].id).visible
    QTest.mouseClick(rows.viewport(), LEFT, ALT, eye)
    assert not window.solo
    shown = [layer.id for layer in document.layers if window.scene.shows(layer)]
    assert shown == [document.background_id, layers[1].id], "what was hidden is hidden"


def test_an_eye_means_solo_while_there_is_solo(window: Any) -> None:
    """A click joins a layer or takes it out; no step, and the former set comes back exactly.

    It used to change the saved eye, which nobody could see before solo ended.
    """
    layers = filled(window)
    document, rows = window.session.document, window.layers.list
    before, steps = document.content_hash(), window.session.undo.count

    def click_eye(layer: Any, modifiers: Any = NONE) -> set[int]:
        index = window.layers.model.index_of(layer.id)
        eye = RowParts.of(rows.visualRect(index)).eye.center()
        QTest.mouseClick(rows.viewport(), LEFT, modifiers, eye)
        return {each.id for each in document.layers if window.scene.shows(each)}

    assert click_eye(layers[1], ALT) == {layers[1].id}
    assert click_eye(layers[0]) == {layers[0].id, layers[1].id}
    assert click_eye(layers[1]) == {layers[0].id}
    assert click_eye(layers[0]) == {each.id for each in document.layers}, "solo has ended"
    assert not window.solo
    assert (document.content_hash(), window.session.undo.count) == (before, steps)
    assert layers[0].id not in click_eye(layers[0]), "and an eye is an eye again"
    assert window.session.undo.count == steps + 1


def test_matte_steps_through_its_colours(window: Any) -> None:
    """M: black, white, magenta, checkerboard; view only."""
    draw_box(window, 64, 64, 128, 128)
    window.actions_["background"].trigger()
    before = window.session.document.content_hash()
    place = at(window, 400, 400)
    seen = []
    for _ in range(4):
        key(window, Qt.Key.Key_M, widget=window.view)
        seen.append(window.view.grab().toImage().pixelColor(place).name())
    assert seen[:3] == ["#000000", "#ffffff", "#ff00ff"]
    assert window.view.decor.matte is None
    assert window.actions_["matte_none"].isChecked()
    assert window.session.document.content_hash() == before


def test_handles_resize_a_picture_from_its_original(window: Any) -> None:
    """Corners keep the aspect, Shift frees, Ctrl lets go of the grid; one step."""
    layer = filled(window)[1]
    window.session.selection.set([layer.id])
    steps = window.session.undo.count
    drag(window, (448, 384), (352, 320))
    now = window.session.document.layer(layer.id)
    assert now.rect == Rect(256, 256, 96, 64)
    assert now.pixels.shape == (64, 96, 4)
    assert window.session.undo.count == steps + 1
    drag(window, (352, 320), (448, 320), SHIFT)
    assert window.session.document.layer(layer.id).rect == Rect(256, 256, 192, 64)
    window.actions_["undo"].trigger()
    window.actions_["undo"].trigger()
    assert window.session.document.layer(layer.id).pixel_hash == layer.pixel_hash


def test_alt_arrows_size_a_picture(window: Any) -> None:
    """Every handle has a key; a pixel at a time, Shift ten."""
    layer = filled(window)[0]
    window.session.selection.set([layer.id])
    key(window, Qt.Key.Key_Right, ALT, widget=window.view)
    key(window, Qt.Key.Key_Down, ALT | SHIFT, widget=window.view)
    assert window.session.document.layer(layer.id).rect.size.height == layer.rect.height + 10
    assert window.session.document.layer(layer.id).rect.size.width == layer.rect.width + 1


def test_snap_can_be_switched_off(window: Any) -> None:
    """View > Snap; remembered."""
    layer = filled(window)[0]
    window.actions_["snap"].trigger()
    assert window.settings.snap is False
    drag(window, (120, 120), (137, 129))
    rect = window.session.document.layer(layer.id).rect
    assert rect.x % 32 or rect.y % 32


def test_ctrl_right_click_lists_the_layers_here(window: Any, monkeypatch: Any) -> None:
    """Topmost first; choosing one selects it."""
    layers = filled(window)
    monkeypatch.setattr("PySide6.QtWidgets.QMenu.popup", lambda *_: None)
    QTest.mouseClick(window.view.viewport(), Qt.MouseButton.RightButton, CTRL, at(window, 352, 320))
    menu = window.live.here
    assert [action.text() for action in menu.actions()] == ["Layer 2", "Background"]
    menu.actions()[0].trigger()
    assert window.session.selection.ids == {layers[1].id}


def test_seeds_are_copied_pinned_and_used(window: Any, qtbot: Any) -> None:
    """A pinned seed survives rename and reorder, and the next job uses it."""
    draw_box(window, 256, 256, 384, 384)
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    layer = window.session.document.foregrounds[1]
    window.session.selection.set([layer.id])
    seed = layer.record["seed"]
    window.actions_["copy_seed"].trigger()
    assert QApplication.clipboard().text() == str(seed)
    window.actions_["pin_seed"].trigger()
    assert window.session.document.layer(layer.id).seed == seed
    assert window.actions_["pin_seed"].text() == "Un&pin Seed"
    # With a whole picture the seed alone does not keep a layer as it is.
    assert (
        "may still change a little with the layers around it"
        in window.actions_["pin_seed"].toolTip()
    )
    window.session.push(Rename(layer.id, "Castle"))
    window.actions_["lower"].trigger()
    assert window.session.document.foregrounds[0].id == layer.id
    assert window.session.document.foregrounds[0].seed == seed
    window.actions_["regenerate"].trigger()
    assert [x.seed for x in window.engine.last.layers if x.is_target] == [seed]
    window.session.bridge.stop()
    assert "its seed is pinned" in window.actions_["use_seed"].toolTip()
    window.actions_["generate"].trigger()
    asked = {x.layer_id: x.seed for x in window.engine.last.layers}
    assert asked[layer.id] == seed, "pinned, in whole pictures too"
    window.session.bridge.stop()
    window.actions_["pin_seed"].trigger()
    assert window.session.document.layer(layer.id).seed is None


def test_a_seed_is_used_for_the_next_job_alone(window: Any, qtbot: Any) -> None:
    """The layer's own noise once more, whatever the picture's seed; no step, no pin.

    It used to become the picture's seed, which gives the layer another seed than the row showed.
    """
    draw_box(window, 256, 256, 384, 384)
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    document = window.session.document
    other, layer = document.foregrounds
    seed, before = layer.record["seed"], document.content_hash()
    steps = window.session.undo.count

    def asked(action: str) -> dict[int, int]:
        window.actions_[action].trigger()
        found = {x.layer_id: x.seed for x in window.engine.last.layers if x.is_target}
        window.session.bridge.stop()
        return found

    window.session.selection.set([layer.id])
    window.actions_["use_seed"].trigger()
    assert window.actions_["use_seed"].isChecked()
    assert window.inspector.seed.placeholderText() == f"next: {seed}"
    assert (document.content_hash(), window.session.undo.count) == (before, steps)
    window.session.selection.set([other.id])
    assert not window.actions_["use_seed"].isChecked()
    assert asked("regenerate").keys() == {other.id}, "a job without the layer leaves it for later"
    whole = asked("generate_all")
    assert whole[layer.id] == seed
    assert whole[other.id] != other.record["seed"], "the others are drawn anew"
    window.session.selection.set([layer.id])
    assert not window.actions_["use_seed"].isChecked()
    assert window.inspector.seed.placeholderText() == "automatic"
    assert asked("regenerate") != {layer.id: seed}, "once"
    window.actions_["use_seed"].trigger()
    window.actions_["use_seed"].trigger()
    assert asked("regenerate") != {layer.id: seed}, "the same again takes the wish back"
    window.actions_["use_seed"].trigger()
    window.inspector.retry_asked.emit()
    (tried,) = (x.seed for x in window.engine.last.layers if x.is_target)
    assert tried != seed, "another seed is what is asked for then"
    window.session.bridge.stop()


def test_the_inspector_tells_present_and_next_seed_apart(window: Any, qtbot: Any) -> None:
    """What the pixels were made with, and what the next job would use.

    Section 0: an empty box is marked "Not painted".
    """
    draw_box(window, 64, 64, 192, 192)
    layer = window.session.document.foregrounds[0]
    window.session.selection.set([layer.id])
    page, model = window.inspector, window.layers.model
    assert page.made_with.text() == "–"
    assert model.data(model.index_of(layer.id), StateRole).text == "Not painted"
    assert page.state.text.text() == "Not painted"
    generate(window, qtbot)
    made = window.session.document.layer(layer.id).record["seed"]
    assert page.made_with.text() == str(made)
    assert (page.seed.text(), page.seed.placeholderText()) == ("", "automatic")
    window.session.push(SetSettings(Settings(seed_mode="fixed", seed=7)))
    wanted = page.seed.placeholderText()
    window.actions_["regenerate"].trigger()
    (seed,) = (x.seed for x in window.engine.last.layers if x.is_target)
    assert wanted == f"next: {seed}"
    assert seed != made
    window.session.bridge.stop()
    window.session.push(SetSeed(layer.id, 11))
    assert page.seed.text() == "11"
    assert page.made_with.text() == str(made), "the present pixels are the same"


def test_keep_as_is_clears_the_sign(window: Any) -> None:
    """Badge, Select Outdated, Mark as Current in one step."""
    layers = filled(window)
    fill(window.session.document, word="dog")
    layers = list(window.session.document.foregrounds)
    window.session.push(SetPrompt("something else"))
    model = window.layers.model
    assert (
        model.data(model.index_of(layers[0].id), StateRole).text == "Word no longer in the prompt"
    )
    window.actions_["select_outdated"].trigger()
    assert {layer.id for layer in layers} <= window.session.selection.ids
    window.actions_["keep_as_is"].trigger()
    assert model.data(model.index_of(layers[0].id), StateRole).text == "Up to date"
    assert not window.actions_["keep_as_is"].isEnabled()


def test_an_empty_result_says_so(window: Any) -> None:
    """Less than half a percent of alpha: a sign and what to do."""
    import numpy as np

    from app.document.commands import Placement, PlacePixels, SetSeed

    layer = filled(window)[0]
    nothing = np.zeros((layer.rect.height, layer.rect.width, 4), np.uint8)
    window.session.push(PlacePixels([Placement(layer.id, nothing, layer.rect, {"prompt": ""})]))
    model = window.layers.model
    assert model.data(model.index_of(layer.id), StateRole).text == "Empty: try another seed"
    window.session.push(SetSeed(layer.id, 7))
    window.session.selection.set([layer.id])
    row = window.inspector.state
    assert row.retry.isVisible()
    row.retry.click()
    asked = next(item for item in window.engine.last.layers if item.layer_id == layer.id)
    assert asked.is_target
    assert asked.seed != 7, "the pinned seed would give the same again"


def test_q_switches_between_two_selections(window: Any) -> None:
    """Last selected."""
    one, two = filled(window)
    window.session.selection.set([one.id])
    window.session.selection.set([two.id])
    key(window, Qt.Key.Key_Q, widget=window.view)
    assert window.session.selection.ids == {one.id}
    key(window, Qt.Key.Key_Q, widget=window.view)
    assert window.session.selection.ids == {two.id}


def test_tab_hides_and_brings_back_the_panels(window: Any) -> None:
    """Exactly the former panels come back."""
    docks = (window.layers, window.inspector)
    window.actions_["hide_panels"].trigger()
    assert not any(dock.isVisible() for dock in docks)
    window.actions_["hide_panels"].trigger()
    assert all(dock.isVisible() for dock in docks)


def test_the_middle_of_the_canvas_catches(window: Any) -> None:
    """Within six screen pixels the middle wins over the grid line."""
    layer = filled(window)[0]
    drag(window, (120, 120), (120 + 128 + 1, 120))
    assert window.session.document.layer(layer.id).rect.centre[0] == 256
