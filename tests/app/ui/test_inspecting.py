"""The inspector's tabs Record and Advanced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication

from app.document.commands import DuplicateLayers, Placement, PlacePixels
from app.ui.dialogs.canvas_size import CanvasSizeDialog
from app.ui.dialogs.export_dialog import ExportDialog
from app.ui.panels.layer_rows import StateRole
from tests.app.ui.helpers import draw_box, generate


def test_the_record_of_a_layer(window: Any, qtbot: Any) -> None:
    """All that the same bytes depend on; copied as text; kept by duplicate and undo."""
    window.prompt.field.setPlainText("a red balloon")
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    layer = window.session.document.foregrounds[0]
    window.session.selection.set([layer.id])
    text = window.record.text.toPlainText()
    for part in ("Prompt: a red balloon", f"Seed: {layer.record['seed']}", "Device: cpu", "fake"):
        assert part in text
    assert layer.pixel_hash[:16] in text
    for part in (
        "Steps: 12", "Guidance: 3.0", "Threads: 1", "Precision: fp32", "Model: fake ffffffffffff",
        "torch 0", "layerloom ", "Region: 128 × 128 at 64, 64", "Canvas: 512 × 512",
    ):  # fmt: skip
        assert part in text
    window.record.copy.click()
    assert QApplication.clipboard().text() == text
    generate(window, qtbot, "regenerate")
    assert window.record.text.toPlainText() != text
    window.actions_["undo"].trigger()
    assert window.record.text.toPlainText() == text
    copies = DuplicateLayers([layer.id])
    window.session.push(copies)
    window.session.selection.set(copies.new_ids)
    assert "a red balloon" in window.record.text.toPlainText()
    window.prompt.field.setPlainText("something else")
    window.record.use.click()
    assert window.session.document.prompt == "a red balloon"


def test_without_a_selection_the_inspector_shows_the_picture(
    window: Any, qtbot: Any, tmp_path: Path
) -> None:
    """Canvas, background, layers, prompt, model and file; the buttons do what the actions do."""

    def shown() -> dict[str, str]:
        assert window.picture_page.isVisible()
        return {name: fact.text() for name, fact in window.picture_page.facts.items()}

    assert shown() == {
        "size": "512 × 512 px",
        "background": "Not painted",
        "layers": "0 of 50",
        "prompt": "None yet",
        "model": "fake",
        "file": "Not saved yet",
    }
    draw_box(window, 64, 64, 192, 192)
    assert not window.picture_page.isVisible()
    window.session.selection.clear()
    window.prompt.field.setPlainText("a red balloon " * 20)
    assert shown()["layers"] == "1 of 50, 1 not painted"
    assert shown()["prompt"].startswith("a red balloon a red") and shown()["prompt"].endswith("…")
    generate(window, qtbot)
    window.session.selection.clear()
    path = tmp_path / "beach.ora"
    window.files.write(path)
    qtbot.waitUntil(lambda: window.session.path == path)
    facts = shown()
    assert (facts["background"], facts["layers"]) == ("Painted", "1 of 50")
    name, _, size = facts["file"].partition(" · ")
    assert name == "beach.ora"
    assert size == QLocale().formattedDataSize(path.stat().st_size, 1)
    window.actions_["background"].trigger()
    assert shown()["background"] == "Off (transparent)"
    canvas, export = window.picture_page.buttons
    assert (canvas.text(), export.text()) == ("Change…", "Export…")
    canvas.click()
    (dialog,) = window.findChildren(CanvasSizeDialog)
    dialog.reject()
    asked: list[bool] = []
    window.actions_["export"].triggered.connect(lambda: asked.append(True))
    export.click()
    assert asked
    (dialog,) = window.findChildren(ExportDialog)
    dialog.reject()


def test_a_layer_without_a_record_says_so(window: Any) -> None:
    """Empty states of the tab."""
    assert window.record.text.toPlainText() == "Click a layer to see its settings."
    draw_box(window, 64, 64, 192, 192)
    assert window.record.text.toPlainText() == "This layer was not generated here."
    assert not window.record.copy.isEnabled()


def test_steps_and_guidance_are_commands(window: Any) -> None:
    """The model's defaults, own values, Reset; all in the one undo stack."""
    page = window.advanced
    assert "12" in page.steps.text()
    window.inspector_tabs.setCurrentWidget(page)
    for field in (page.steps, page.guidance):  # the style sheet must leave room for the text
        assert field.lineEdit().width() > 40
    assert not page.reset.isEnabled()
    page.steps.setValue(20)
    page.guidance.setValue(4.5)
    settings = window.session.document.settings
    assert (settings.steps, settings.cfg_scale) == (20, 4.5)
    draw_box(window, 64, 64, 192, 192)
    window.actions_["generate"].trigger()
    assert (window.engine.last.steps, window.engine.last.cfg_scale) == (20, 4.5)
    window.session.bridge.stop()
    page.reset.click()
    assert window.session.document.settings.steps is None
    assert page.steps.value() == 0
    window.actions_["undo"].trigger()
    assert page.steps.value() == 20


def test_clean_colours_is_a_command_and_reaches_the_engine_and_the_record(
    window: Any, qtbot: Any
) -> None:
    """Automatic at first; undone like its neighbours; the record says how it came out."""
    choice = window.advanced.clean_colours
    assert choice.currentData() == "automatic"
    choice.setCurrentIndex(choice.findData("off"))
    choice.activated.emit(choice.currentIndex())
    assert window.session.document.settings.clean_colours == "off"
    assert window.advanced.reset.isEnabled()
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    assert window.engine.last.clean_colours == "off"
    (made,) = window.session.document.foregrounds
    assert made.record["clean_colours"] is False
    window.session.selection.set([made.id])
    assert "Clean colours: off" in window.record.text.toPlainText()
    window.advanced.reset.click()
    assert window.session.document.settings.clean_colours == choice.currentData() == "automatic"
    window.actions_["undo"].trigger()
    assert choice.currentData() == "off"


def test_the_inspector_says_since_when_pixels_are_the_same(window: Any, qtbot: Any) -> None:
    """A neighbour's time stays when another layer is repainted."""
    for left in (64, 256):
        window.session.selection.clear()
        draw_box(window, left, 64, left + 128, 192)
    generate(window, qtbot)
    one, two = window.session.document.foregrounds
    since = window.inspector_controller.since
    first = since.of(two.id)
    assert first is not None
    window.session.selection.set([one.id])
    generate(window, qtbot, "regenerate")
    assert since.of(two.id) == first
    assert since.of(one.id) > first
    window.session.selection.set([two.id])
    window.inspector_tabs.setCurrentWidget(window.record)
    assert "unchanged since" in window.record.since.text()
    assert window.record.since.isVisible()


def test_the_hash_is_shown_whole_and_copied(window: Any, qtbot: Any) -> None:
    """Hidden at first; 64 digits; a neighbour's stay the same when a layer is repainted."""
    for left in (64, 256):
        window.session.selection.clear()
        draw_box(window, left, 64, left + 128, 192)
    generate(window, qtbot)
    one, two = window.session.document.foregrounds
    window.inspector_tabs.setCurrentWidget(window.record)
    page = window.record
    window.session.selection.set([two.id])
    assert page.hash_button.isVisible()
    assert not page.hash.isVisible()
    page.hash_button.click()
    assert page.hash.isVisible()
    assert page.hash.isReadOnly()
    assert page.hash.text() == two.pixel_hash
    assert len(page.hash.text()) == 64
    window.session.selection.set([one.id])
    former = page.hash.text()
    assert former == one.pixel_hash
    generate(window, qtbot, "regenerate")
    assert page.hash.text() == window.session.document.layer(one.id).pixel_hash != former
    window.session.selection.set([two.id])
    page.copy_hash.click()
    assert QApplication.clipboard().text() == two.pixel_hash
    page.hash_button.click()
    assert not page.hash.isVisible()


def test_without_pixels_there_is_no_hash(window: Any) -> None:
    """An empty box has nothing to compare."""
    draw_box(window, 64, 64, 192, 192)
    window.inspector_tabs.setCurrentWidget(window.record)
    window.record.hash_button.setChecked(True)
    assert window.record.isVisible()
    assert not window.record.hash_button.isVisible()
    assert not window.record.hash.isVisible()


@pytest.mark.parametrize(("opaque", "is_empty"), [(81, True), (82, False)])
def test_where_an_empty_result_begins(window: Any, qtbot: Any, opaque: int, is_empty: bool) -> None:
    """Of 128 x 128 pixels that a job made, half a percent is 81.92; what has more is there."""
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    layer = window.session.document.foregrounds[0]
    pixels = np.zeros((128, 128, 4), np.uint8)
    pixels.reshape(-1, 4)[:opaque] = (200, 30, 30, 255)
    window.session.push(PlacePixels([Placement(layer.id, pixels, layer.rect, layer.record)]))
    made = window.session.document.layer(layer.id)
    assert made.kind == "generated"
    window.session.selection.set([layer.id])
    model, row = window.layers.model, window.inspector.state
    state = model.data(model.index_of(layer.id), StateRole).text
    assert (state == "Empty: try another seed") is is_empty
    assert row.retry.isVisible() is is_empty
    assert ("Empty" in row.text.text()) is is_empty
