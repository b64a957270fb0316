"""Generating through the window with a scripted engine: requests, results, Stop, failures."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Qt

from app.document.commands import DeleteLayers, MoveLayers, SetLocked, SetVisible
from app.document.contents import seed_for
from app.testing import model_info
from app.ui.panels.layer_rows import StateRole
from tests.app.painted import fill
from tests.app.ui.helpers import draw_box, generate, hashes, key, later, shown

CTRL = Qt.KeyboardModifier.ControlModifier


def two_boxes(window: Any) -> None:
    draw_box(window, 64, 64, 192, 192)
    draw_box(window, 256, 256, 448, 448)


def test_generate_asks_for_the_whole_picture(window: Any, qtbot: Any) -> None:
    """Targets are all visible, unlocked layers and the background, with their seeds."""
    two_boxes(window)
    key(window, Qt.Key.Key_P, widget=window.view)
    qtbot.keyClicks(window.prompt.field, "a red  balloon")
    key(window, Qt.Key.Key_Return, CTRL, widget=window.prompt.field)
    request = window.engine.last
    assert request.prompt == "a red balloon"
    assert [layer.kind for layer in request.layers] == ["background", "foreground", "foreground"]
    assert all(layer.is_target for layer in request.layers)
    assert request.layers[1].box == (64, 64, 192, 192)
    job = window.session.bridge.current
    for layer, asked in zip(window.session.document.layers, request.layers, strict=True):
        assert asked.seed == seed_for(layer, job.picture_seed)


def test_results_are_one_undo_step_with_records(window: Any, qtbot: Any) -> None:
    """Accepting a picture is one step; each layer has pixels, rect and record."""
    two_boxes(window)
    steps = window.session.undo.index
    generate(window, qtbot)
    assert window.session.undo.index == steps + 1
    assert window.session.undo.undo_text == "Generate Picture"
    for layer in window.session.document.layers:
        assert layer.kind == "generated"
        assert layer.record["result"] == layer.pixel_hash
    assert window.view.mouse.tool_name == "select"
    window.actions_["undo"].trigger()
    assert not any(layer.has_pixels for layer in window.session.document.layers)
    window.actions_["redo"].trigger()
    assert all(layer.has_pixels for layer in window.session.document.layers)


def test_fixed_seed_asks_for_the_same_noise(window: Any, qtbot: Any) -> None:
    """Fixed uses the number, Random draws another one per job."""
    two_boxes(window)
    later(window)
    window.actions_["generate"].trigger()
    later(window)
    window.actions_["generate"].trigger()
    first, second = (tuple(x.seed for x in r.layers) for r in window.engine.requests[-2:])
    assert first != second
    window.prompt.seed.mode.click()
    window.prompt.seed.field.setText("7")
    window.prompt.seed.field.editingFinished.emit()
    assert window.session.document.settings.seed == 7
    later(window)
    window.actions_["generate"].trigger()
    later(window)
    window.actions_["generate"].trigger()
    first, second = (tuple(x.seed for x in r.layers) for r in window.engine.requests[-2:])
    assert first == second


def test_progress_and_previews_in_place(window: Any, qtbot: Any) -> None:
    """ "Painting 5 of 11 · 4.2 s left"; previews never enter the document."""
    two_boxes(window)
    height = window.prompt.height()
    window.actions_["generate"].trigger()
    window.engine.begin(steps=5)
    qtbot.waitUntil(lambda: "Painting 5 of 11" in window.prompt.progress_text.text())
    assert "4.2 s left" in window.prompt.progress_text.text()
    assert window.prompt.height() == height
    ids = [layer.id for layer in window.session.document.layers]
    qtbot.waitUntil(lambda: all(window.scene.has_preview(layer_id) for layer_id in ids))
    assert not any(layer.has_pixels for layer in window.session.document.layers)
    assert not window.scene.is_settled
    states = {
        window.layers.model.data(window.layers.model.index(row), StateRole).text for row in range(3)
    }
    assert states == {"Generating"}


def test_stop_leaves_everything_as_it_was(window: Any, qtbot: Any) -> None:
    """Acknowledged at once; previews vanish; picture and undo stack are as before."""
    two_boxes(window)
    before = window.session.document.content_hash()
    steps = window.session.undo.count
    assert not shown(window).prompt.stop.isEnabled()
    window.actions_["generate"].trigger()
    window.engine.begin(steps=5)
    qtbot.waitUntil(lambda: window.scene.has_preview(window.session.document.background_id))
    assert shown(window).prompt.stop.isEnabled()
    window.prompt.stop.click()
    job = window.engine.last.job_id
    assert window.engine.cancelled[-1] == job
    assert window.session.bridge.current is None
    assert not window.scene.has_preview(window.session.document.background_id)
    # Late events of the finished job change nothing.
    window.engine.preview()
    window.engine.finish()
    window.engine.end_cancelled()
    qtbot.wait(80)
    assert window.session.document.content_hash() == before
    assert window.session.undo.count == steps
    assert not shown(window).prompt.stop.isEnabled()


def test_escape_stops_then_clears_the_selection(window: Any, qtbot: Any) -> None:
    """Escape works in steps: stop the running job, then clear the selection."""
    two_boxes(window)
    window.actions_["generate"].trigger()
    key(window, Qt.Key.Key_Escape, widget=window.view)
    assert window.session.bridge.current is None
    assert len(window.session.selection) == 1
    key(window, Qt.Key.Key_Escape, widget=window.view)
    assert len(window.session.selection) == 0


def test_generating_again_replaces_the_running_job(window: Any, qtbot: Any) -> None:
    """Queue mode replace: the first job is cancelled, its result is dropped."""
    two_boxes(window)
    window.actions_["generate"].trigger()
    first = window.engine.last
    later(window)
    window.actions_["generate"].trigger()
    assert window.engine.cancelled == [first.job_id]
    window.engine.finish(first)
    qtbot.wait(50)
    assert not any(layer.has_pixels for layer in window.session.document.layers)
    window.engine.finish()
    qtbot.waitUntil(lambda: all(x.has_pixels for x in window.session.document.layers))


def test_regenerate_touches_only_the_selection(window: Any, qtbot: Any) -> None:
    """Every other layer has the same pixel hash; context pixels fit their regions."""
    two_boxes(window)
    generate(window, qtbot)
    before = hashes(window)
    layer = window.session.document.foregrounds[0]
    window.session.selection.set([layer.id])
    generate(window, qtbot, "regenerate")
    request = window.engine.last
    assert [x.is_target for x in request.layers] == [False, True, False]
    for context in (request.layers[0], request.layers[2]):
        x0, y0, x1, y1 = context.box
        assert context.pixels.shape == (y1 - y0, x1 - x0, 4)
    after = hashes(window)
    assert after["Layer 1"] != before["Layer 1"]
    assert {k: v for k, v in after.items() if k != "Layer 1"} == {
        k: v for k, v in before.items() if k != "Layer 1"
    }
    assert window.session.document.foregrounds[0].name == layer.name
    assert window.session.undo.undo_text == "Repaint 'Layer 1'"


def test_context_off_the_grid_stays_where_it_is(window: Any, qtbot: Any) -> None:
    """A moved layer's context is cut to the canvas; the engine pads it to its grid."""
    two_boxes(window)
    generate(window, qtbot)
    first, second = window.session.document.foregrounds
    window.session.push(MoveLayers([first.id], 5, -70))
    window.session.selection.set([second.id])
    window.actions_["regenerate"].trigger()
    context = window.engine.last.layers[1]
    assert context.box == (69, 0, 197, 122)
    moved = window.session.document.foregrounds[0]
    assert np.array_equal(context.pixels, moved.pixels[6:128])


def test_hidden_is_neither_and_locked_is_context(window: Any, qtbot: Any) -> None:
    """Hidden layers are neither target nor context; locked ones context."""
    two_boxes(window)
    fill(window.session.document)
    first, second = window.session.document.foregrounds
    window.session.push(SetVisible([first.id], False))
    window.session.push(SetLocked([second.id], True))
    window.actions_["generate"].trigger()
    layers = window.engine.last.layers
    assert [(x.layer_id, x.is_target) for x in layers] == [
        (window.session.document.background_id, True),
        (second.id, False),
    ]
    window.session.selection.set([first.id, second.id])
    assert not window.actions_["regenerate"].isEnabled()
    assert "Disabled" in window.actions_["regenerate"].toolTip()


def test_add_a_box_to_a_finished_picture(window: Any, qtbot: Any) -> None:
    """A new box plus Ctrl+R fills only the box; layers with pixels are context."""
    two_boxes(window)
    generate(window, qtbot)
    before = hashes(window)
    draw_box(window, 320, 32, 448, 160)
    window.view.setFocus()
    key(window, Qt.Key.Key_R, CTRL, widget=window.view)
    request = window.engine.last
    assert [x.is_target for x in request.layers] == [False, False, False, True]
    window.engine.begin()
    window.engine.finish()
    qtbot.waitUntil(lambda: window.session.document.foregrounds[2].has_pixels)
    after = hashes(window)
    assert {name: after[name] for name in before} == before


def test_a_target_that_moved_keeps_its_new_place(window: Any, qtbot: Any) -> None:
    """It was touched meanwhile, so the result waits; accepted, it follows."""
    two_boxes(window)
    generate(window, qtbot)
    layer = window.session.document.foregrounds[0]
    window.session.selection.set([layer.id])
    window.actions_["regenerate"].trigger()
    window.session.push(MoveLayers([layer.id], 37, 11))
    window.engine.finish()
    qtbot.waitUntil(lambda: bool(window.session.document.layer(layer.id).candidates))
    assert window.session.document.layer(layer.id).pixel_hash == layer.pixel_hash
    assert window.scene.staged_ids == {layer.id}
    window.actions_["accept"].trigger()
    now = window.session.document.layer(layer.id)
    assert now.pixel_hash != layer.pixel_hash
    assert now.rect == layer.rect.translated(37, 11)


def test_a_running_job_takes_no_document_action_away(window: Any, qtbot: Any) -> None:
    """What can be done to the document can be done while a job runs; undo goes on as well."""
    two_boxes(window)
    generate(window, qtbot)
    one, two = window.session.document.foregrounds
    window.session.selection.set([one.id])

    def enabled() -> set[str]:
        return {
            action.objectName() or action.text() for action in window.actions_ if action.isEnabled()
        }

    before = enabled()
    window.actions_["generate"].trigger()
    window.engine.begin(steps=3)
    qtbot.waitUntil(lambda: "Painting 3" in window.prompt.progress_text.text())
    assert before - enabled() == set()
    window.actions_["duplicate"].trigger()
    window.actions_["undo"].trigger()
    window.session.selection.set([one.id])
    window.actions_["delete"].trigger()
    window.session.push(MoveLayers([two.id], 8, 8))
    window.prompt.field.setPlainText("something else")
    window.actions_["undo"].trigger()
    assert window.session.bridge.current is not None, "it still runs"
    assert [layer.id for layer in window.session.document.foregrounds] == [two.id]
    window.session.bridge.stop()


def test_a_result_for_a_deleted_layer_is_detached(window: Any, qtbot: Any) -> None:
    """Never applied, kept with the document; a line says so; the other results wait."""
    two_boxes(window)
    window.actions_["generate"].trigger()
    gone, stays = window.session.document.foregrounds
    window.session.push(DeleteLayers([gone.id]))
    window.engine.finish()
    qtbot.waitUntil(lambda: bool(window.session.document.layer(stays.id).candidates))
    assert not window.session.document.has_layer(gone.id)
    assert "Layer 1" in window.status.message.text()
    (kept,) = window.session.document.contents.detached
    assert kept.rect == gone.rect
    window.session.selection.set([])
    window.actions_["candidate_next"].trigger()
    window.actions_["accept"].trigger()
    assert all(layer.has_pixels for layer in window.session.document.layers)


def test_a_failure_is_one_message_and_the_next_job_runs(window: Any, qtbot: Any) -> None:
    """The document is unchanged; details wait behind a button."""
    two_boxes(window)
    before = window.session.document.content_hash()
    window.actions_["generate"].trigger()
    window.engine.begin(steps=3)
    window.engine.fail()
    qtbot.waitUntil(lambda: window.messages.isVisible())
    text = window.messages.text.text()
    assert "failed" in text
    assert "RuntimeError" not in text
    assert not window.messages.details.isVisible()
    window.messages.details_button.click()
    assert "RuntimeError" in window.messages.details.toPlainText()
    assert window.messages.details.isVisible()
    assert window.session.document.content_hash() == before
    assert window.session.bridge.current is None
    generate(window, qtbot)
    assert all(layer.has_pixels for layer in window.session.document.layers)


def test_out_of_memory_says_what_to_do(window: Any, qtbot: Any) -> None:
    two_boxes(window)
    window.actions_["generate"].trigger()
    window.engine.fail(kind="memory", message="There was not enough memory.")
    qtbot.waitUntil(lambda: window.messages.isVisible())
    assert "not enough memory for 3 layers" in window.messages.text.text()


def test_empty_prompt_may_be_generated(window: Any) -> None:
    """The button says so."""
    two_boxes(window)
    assert shown(window).prompt.generate.text() == "Generate without prompt"
    window.prompt.field.setPlainText("a dog")
    assert shown(window).prompt.generate.text() == "Generate · 3 layers"


def test_unknown_words_are_named(window: Any, qtbot: Any) -> None:
    """ "Not drawn by this model: …"; the bar keeps its height."""
    height = window.prompt.height()
    window.prompt.field.setFocus()
    qtbot.keyClicks(window.prompt.field, "a balloon and a qwerzhs")
    qtbot.waitUntil(lambda: "model: qwerzhs" in window.prompt.words.text(), timeout=5000)
    assert window.prompt.height() == height


def test_the_model_brings_its_grid(window: Any, qtbot: Any) -> None:
    """An untouched document takes over the token size that the model announces."""
    window.engine.get_ready(model_info(token_px=16, trained_canvases=((256, 256),)))
    qtbot.waitUntil(lambda: window.session.document.grid == 16)
    assert window.session.document.canvas.width == 256
    assert window.session.undo.is_clean


def test_a_canvas_that_does_not_fit_the_model_is_refused(window: Any, qtbot: Any) -> None:
    """What the model cannot do is said, nothing is started."""
    two_boxes(window)
    window.engine.get_ready(model_info(canvas_multiple=48))
    qtbot.waitUntil(lambda: window.session.bridge.info.canvas_multiple == 48)
    window.actions_["generate"].trigger()
    assert not window.engine.requests
    assert "48" in window.messages.text.text()


def test_the_advanced_page_counts_the_background_s_coarse_tokens(window: Any) -> None:
    """The background's tokens cover 2 x 2 cells where the model says so (64 = 2 x 32)."""
    cells = (512 // 64) ** 2
    assert window.advanced.tokens.text() == str(cells)


def test_unknown_words_are_underlined(window: Any, qtbot: Any) -> None:
    """Dotted, in place; where no word is known the line says that."""
    window.prompt.field.setPlainText("a balloon and a qwerzhs")
    qtbot.waitUntil(lambda: bool(window.prompt.field.extraSelections()), timeout=5000)
    (mark,) = window.prompt.field.extraSelections()
    assert mark.cursor.selectedText() == "qwerzhs"
    window.prompt.field.setPlainText("qwerzhs")
    qtbot.waitUntil(lambda: "none of these things" in window.prompt.words.text(), timeout=5000)
    window.prompt.field.setPlainText("a balloon")
    qtbot.waitUntil(lambda: not window.prompt.field.extraSelections(), timeout=5000)


def test_a_box_left_empty_says_why_and_can_be_filled_again(window: Any, qtbot: Any) -> None:
    """The box stays a box, with the reason in its record; undo and a later job work."""
    two_boxes(window)
    document = window.session.document
    lower, upper = document.foregrounds
    window.engine.left_empty = {upper.id: "all things have a box"}
    generate(window, qtbot)
    empty = document.layer(upper.id)
    assert (empty.kind, empty.has_pixels) == ("box", False)
    assert empty.record["left_empty"] == "all things have a box"
    assert document.layer(lower.id).has_pixels
    assert window.status.message.text() == "1 box stays empty: all things have a box."
    assert window.actions_["generate_empty"].isEnabled()
    window.actions_["undo"].trigger()
    assert document.layer(upper.id).record is None
    window.actions_["redo"].trigger()
    window.engine.left_empty = {}
    later(window)
    generate(window, qtbot, "generate_empty")
    filled = document.layer(upper.id)
    assert (filled.kind, "left_empty" in filled.record) == ("generated", False)


def test_a_thing_that_is_repainted_is_never_left_empty_for_want_of_things(
    window: Any, qtbot: Any
) -> None:
    """Whoever repaints one layer beside others wants to see something there."""
    two_boxes(window)
    generate(window, qtbot)
    assert window.engine.last.spare_boxes == "empty"
    later(window)
    window.session.selection.set([window.session.document.foregrounds[0].id])
    window.actions_["regenerate"].trigger()
    assert window.engine.last.spare_boxes == "repeat"
