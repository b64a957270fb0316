"""Settings, keys, Find Command, job list, prompt history, canvas size, diagnostics."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QMenu, QPushButton

from app.document.geometry import Rect, Size
from app.session.settings import (
    Settings,
    choose_recovery_folder,
    load_settings,
    remember_prompt,
    save_settings,
)
from app.ui.dialogs.command_keys import KeyEditor, rank
from app.ui.dialogs.export_dialog import ExportDialog
from app.ui.key_presets import PRESETS, conflicts, keys_for
from tests.app.painted import fill
from tests.app.ui.helpers import draw_box, generate, key, later, shown

CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def opened(window: Any, action: str) -> Any:
    window.actions_[action].trigger()
    return window.dialogs.dialog


@pytest.mark.parametrize("preset", PRESETS)
def test_no_preset_has_a_key_twice(preset: str) -> None:
    """One key, one action, in every preset and over all scopes."""
    keys = keys_for(preset, {})
    native = {name: [QKeySequence(key).toString() for key in found] for name, found in keys.items()}
    assert conflicts(native) == {}
    assert all(all(found) for found in native.values()), "Qt does not know one of the sequences"


def test_another_preset_acts_at_once(window: Any) -> None:
    """Choosing Photoshop changes what the keys do, and is remembered."""
    dialog = opened(window, "settings")
    editor = dialog.findChild(KeyEditor)
    editor.preset.setCurrentText("Photoshop")
    editor.preset.activated.emit(1)
    assert window.settings.key_preset == "Photoshop"
    keys = [key.toString() for key in window.actions_["select_none"].shortcuts()]
    assert keys == ["Ctrl+D", "Ctrl+Shift+A"]
    dialog.close()


def test_a_taken_key_is_named_and_refused(window: Any) -> None:
    """Conflict check, assign, reset."""
    dialog = opened(window, "settings")
    editor = dialog.findChild(KeyEditor)
    editor.select("solo")
    editor.field.setKeySequence(QKeySequence("Ctrl+S"))
    assert "Save" in editor.note.text()
    assert not editor.assign.isEnabled()
    editor.field.setKeySequence(QKeySequence("Shift+S"))
    assert editor.assign.isEnabled()
    editor.assign.click()
    assert window.settings.keys["solo"] == ["Shift+S", "S"]
    assert window.actions_["solo"].shortcut().toString() == "Shift+S"
    assert "Shift+S" in window.actions_["solo"].toolTip()
    editor.select("solo")
    editor.reset.click()
    assert window.settings.keys == {}
    assert window.actions_["solo"].shortcut().toString() == "S"
    editor.search.setText("ctrl+j")
    shown = [row for row in range(editor.table.rowCount()) if not editor.table.isRowHidden(row)]
    assert [editor.table.item(row, 0).text() for row in shown] == ["Duplicate"]
    dialog.close()


def test_settings_act_at_once(window: Any) -> None:
    """Theme, font size, wheel, previews."""
    dialog = opened(window, "settings")
    before = QApplication.font().pointSizeF()
    dialog.fields["font_percent"].setValue(150)
    assert QApplication.font().pointSizeF() == pytest.approx(before * 1.5)
    dialog.fields["font_percent"].setValue(100)
    assert QApplication.font().pointSizeF() == pytest.approx(before)
    dialog.fields["theme"].activated.emit(2)
    assert window.settings.theme == "light"
    assert window.view.navigation.wheel_zooms
    dialog.fields["wheel_scrolls"].setChecked(True)
    assert not window.view.navigation.wheel_zooms
    dialog.fields["preview_every"].setValue(0)
    assert not window.actions_["show_previews"].isChecked()
    dialog.close()
    draw_box(window, 64, 64, 128, 128)
    window.actions_["generate"].trigger()
    assert window.engine.last.preview_every == 0


def test_variations_of_new_pictures(window: Any, qtbot: Any) -> None:
    """Counts for the next new picture; the open one keeps its own number."""
    dialog = opened(window, "settings")
    dialog.fields["variations"].setValue(3)
    dialog.close()
    assert window.session.document.settings.variations == 1
    window.files._start_new(Size(512, 512))
    assert window.session.document.settings.variations == 3
    assert window.prompt.variations.value() == 3
    window.actions_["undo"].trigger()
    assert window.session.document.settings.variations == 1


def test_recipe_switch_of_all_formats(window: Any) -> None:
    """What is set here is how the export dialog opens; other choices stay."""
    window.settings.export_options = {"png": {"scale": 2}}
    dialog = opened(window, "settings")
    dialog.fields["recipe_in_exports"].setChecked(False)
    dialog.close()
    contents, settings = window.session.document.contents, window.settings
    for expected in (False, True):
        export = ExportDialog(
            window, contents, (), "png", settings.export_options, lambda *chosen: None
        )
        assert export.boxes["recipe"].isChecked() is expected
        assert export.options.with_recipe is expected
        assert export.options.scale == 2
        export.deleteLater()
        dialog = opened(window, "settings")
        dialog.fields["recipe_in_exports"].setChecked(True)
        dialog.close()


def test_settings_survive_the_file(tmp_path: Any) -> None:
    """Keys, prompts and times too; values out of range fall back to their defaults."""
    path = tmp_path / "settings.json"
    settings = Settings(keys={"solo": ["F4"]}, prompts=["a dog"], font_percent=150)
    settings.costs["x"] = {"steps": [[1.0, 2.0, 3.0]]}
    save_settings(path, settings)
    assert load_settings(path) == (settings, "")
    path.write_text(
        '{"font_percent": 9000, "keys": {"a": 3}, "prompts": ["a", 4], "grid_shows": "now"}'
    )
    read, trouble = load_settings(path)
    assert trouble == ""
    assert (read.font_percent, read.keys, read.prompts) == (100, {}, ["a"])
    assert read.grid_shows == "drags"


def test_find_command_runs_what_fits(window: Any) -> None:
    """Every action without a mouse, by a part of its name."""
    draw_box(window, 64, 64, 128, 128)
    dialog = opened(window, "find_command")
    dialog.field.setText("zoom 100")
    assert dialog.list.item(0).text().startswith("Zoom to 100 %")
    key(window, Qt.Key.Key_Return, widget=dialog.field)
    assert window.view.navigation.zoom == pytest.approx(1.0)
    dialog = opened(window, "find_command")
    dialog.field.setText("compare")
    assert "there are no results" in dialog.reason.text()
    key(window, Qt.Key.Key_Return, widget=dialog.field)
    assert dialog.isVisible()
    dialog.field.setText("qqqq")
    assert dialog.list.count() == 0
    dialog.close()
    assert rank("dup", "Duplicate", "") < rank("copy", "Duplicate", "Makes a copy.")


def test_the_job_list(window: Any, qtbot: Any) -> None:
    """Running, waiting, finished; targets, seed, seconds; stop one, clear."""
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    later(window)
    window.actions_["generate"].trigger()
    window.actions_["generate_next"].trigger()
    dialog = opened(window, "show_jobs")
    texts = [dialog.table.item(row, 1).text() for row in range(3)]
    assert texts == ["Waiting", "Waiting", "Finished"]
    window.engine.begin(steps=6)
    qtbot.waitUntil(lambda: dialog.table.item(1, 1).text() == "Running, 50 %")
    assert dialog.table.item(1, 2).text() == str(window.session.bridge.current.picture_seed)
    assert dialog.table.item(2, 3).text() == "1.5 s"
    dialog.table.setCurrentCell(0, 0)
    dialog.stop.click()
    assert dialog.table.rowCount() == 2, "a stopped job without results has no row"
    assert [dialog.table.item(row, 1).text() for row in range(2)] == ["Running, 50 %", "Finished"]
    dialog.clear.click()
    assert dialog.table.rowCount() == 1
    window.actions_["stop_all"].trigger()
    dialog.close()


def test_the_job_list_stops_all_and_shows_what_failed(window: Any, qtbot: Any) -> None:
    """ "Failed" stays in the list; Stop All ends the running and the waiting ones."""
    draw_box(window, 64, 64, 192, 192)
    window.actions_["generate"].trigger()
    dialog = opened(window, "show_jobs")
    window.engine.begin()
    window.engine.fail()
    qtbot.waitUntil(lambda: dialog.table.item(0, 1).text() == "Failed")
    assert not dialog.stop_all.isEnabled()
    menu = dialog.menu_for(next(iter(window.session.bridge.jobs)))
    assert [action.isEnabled() for action in menu.actions()] == [False, True, True]
    window.messages.dismiss()
    menu.actions()[1].trigger()
    assert "failed" in window.messages.text.text()
    menu.actions()[2].trigger()
    assert "RuntimeError" in QApplication.clipboard().text()
    menu.deleteLater()
    later(window)
    window.actions_["generate"].trigger()
    window.actions_["generate_next"].trigger()
    assert dialog.table.rowCount() == 3
    assert dialog.stop_all.isEnabled()
    window.engine.begin()
    qtbot.waitUntil(lambda: window.session.bridge.state == "generating")
    dialog.stop_all.click()

    def texts() -> list[str]:
        table = dialog.table
        return sorted(table.item(row, 1).text() for row in range(table.rowCount()))

    assert texts() == ["Failed", "Stopping"]
    window.engine.end_cancelled()
    qtbot.waitUntil(lambda: texts() == ["Failed"])
    assert not dialog.stop_all.isEnabled()
    assert len(window.engine.requests) == 2  # the waiting one never began
    dialog.close()


def test_the_empty_job_list_says_so(window: Any) -> None:
    dialog = opened(window, "show_jobs")
    assert dialog._pages.currentWidget().text() == "No jobs."
    dialog.close()


def test_prompt_history(window: Any, qtbot: Any) -> None:
    """Distinct prompts that were used; Alt+Up and Alt+Down walk, one step each."""
    draw_box(window, 64, 64, 192, 192)
    field = window.prompt.field
    for text in ("a dog", "a castle", "a dog"):
        field.setPlainText(text)
        generate(window, qtbot)
    assert window.settings.prompts == ["a dog", "a castle"]
    field.setPlainText("")
    key(window, Qt.Key.Key_Up, ALT, widget=field)
    assert window.session.document.prompt == "a dog"
    key(window, Qt.Key.Key_Up, ALT, widget=field)
    assert window.session.document.prompt == "a castle"
    key(window, Qt.Key.Key_Down, ALT, widget=field)
    assert window.session.document.prompt == "a dog"
    window.actions_["undo"].trigger()
    assert window.session.document.prompt == "a castle"
    dialog = opened(window, "prompt_history")
    dialog.list.itemActivated.emit(dialog.list.item(0))
    assert window.session.document.prompt == "a dog"


def test_the_document_brings_its_own_prompts(window: Any, qtbot: Any, tmp_path: Any) -> None:
    """Opened by somebody else, a file offers what it was made with, before one's own."""
    draw_box(window, 64, 64, 192, 192)
    window.prompt.field.setPlainText("a dog")
    generate(window, qtbot)
    window.files.write(tmp_path / "a.ora")
    qtbot.waitUntil(lambda: window.session.path is not None)
    window.settings.prompts = ["a castle"]
    window.files._start_new(Size(512, 512))
    assert window.prompt_controller.prompts() == ["a castle"]
    window.files.open_path(tmp_path / "a.ora")
    qtbot.waitUntil(lambda: window.session.path is not None)
    assert window.prompt_controller.prompts() == ["a dog", "a castle"]
    for expected in ("a dog", "a castle"):
        key(window, Qt.Key.Key_Up, ALT, widget=window.prompt.field)
        assert window.session.document.prompt == expected


def test_the_last_two_hundred_prompts_are_kept() -> None:
    """The oldest goes; one that is used again comes to the front and takes no second place."""
    settings = Settings()
    for count in range(201):
        remember_prompt(settings, f"prompt {count}")
    assert len(settings.prompts) == 200
    assert (settings.prompts[0], settings.prompts[-1]) == ("prompt 200", "prompt 1")
    remember_prompt(settings, "prompt 1")
    assert len(settings.prompts) == 200
    assert (settings.prompts[0], settings.prompts[-1]) == ("prompt 1", "prompt 2")


def test_shift_enter_generates(window: Any) -> None:
    """In the prompt, as Ctrl+Enter does."""
    draw_box(window, 64, 64, 192, 192)
    key(window, Qt.Key.Key_Return, SHIFT, widget=window.prompt.field)
    assert len(window.engine.requests) == 1


def test_canvas_size_keeps_the_pixels(window: Any) -> None:
    """One step; what is there keeps its bytes and the middle, on the grid."""
    draw_box(window, 64, 64, 192, 192)
    fill(window.session.document)
    layer = window.session.document.foregrounds[0]
    dialog = opened(window, "canvas_size")
    assert dialog.windowTitle() == "Canvas Size"
    assert "Change Size" in [each.text() for each in dialog.findChildren(QPushButton)]
    presets = [dialog.preset.itemText(place) for place in range(dialog.preset.count())]
    assert presets[0] == "Square, sticker · 512 × 512 (1:1)"
    assert (presets[1], presets[-1]) == ("Print · 640 × 512 (5:4)", "Custom size")
    assert (dialog.preset.currentIndex(), dialog.warning.text()) == (0, "")
    dialog.width_field.setValue(704)
    assert dialog.preset.currentText() == "Custom size"
    assert "not trained for this size" in dialog.warning.text()
    dialog.width_field.setValue(640)
    dialog.height_field.setValue(512)
    dialog.accept()
    document = window.session.document
    assert document.canvas == Size(640, 512)
    assert document.layer(layer.id).rect == Rect(128, 64, 128, 128)
    assert document.layer(layer.id).pixel_hash == layer.pixel_hash
    window.actions_["undo"].trigger()
    assert document.canvas == Size(512, 512)


def test_diagnostics_hold_no_prompt(window: Any, monkeypatch: Any, tmp_path: Any) -> None:
    """Versions, device and log; prompt and picture only where they were ticked."""
    log = tmp_path / "layerloom.log"
    lines = [f"line {count}" for count in range(300)]
    log.write_text("\n".join([*lines, "generated a very secret castle", "an older secret dog"]))
    monkeypatch.setattr("app.ui.dialogs.copy_diagnostics.log_path", lambda: log)
    window.settings.prompts = ["an older secret dog"]
    window.prompt.field.setPlainText("a very secret castle")
    dialog = opened(window, "copy_diagnostics")
    dialog.copy_button.click()
    data = QApplication.clipboard().mimeData()
    text = data.text()
    assert not data.hasImage()
    assert "Python" in text
    assert "fake" in text
    assert "secret" not in text
    assert text.splitlines()[-200:] == lines[-200:]
    dialog = opened(window, "copy_diagnostics")
    dialog.prompt.setChecked(True)
    dialog.picture.setChecked(True)
    assert "a very secret castle" in dialog.shown.toPlainText()
    dialog.reject()
    assert QApplication.clipboard().text() == text
    dialog = opened(window, "copy_diagnostics")
    dialog.prompt.setChecked(True)
    dialog.picture.setChecked(True)
    dialog.copy_button.click()
    data = QApplication.clipboard().mimeData()
    assert "prompt: a very secret castle" in data.text()
    assert data.imageData().width() == 512


def test_the_watchdog_speaks_beside_stop(window: Any) -> None:
    """After five seconds a text, after a minute a restart that works."""
    draw_box(window, 64, 64, 192, 192)
    window.actions_["generate"].trigger()
    pace = window.session.bridge.pace
    pace.silence_changed.emit("quiet", 7.4)
    assert "No progress for 7 s" in window.prompt.progress_text.text()
    pace.silence_changed.emit("hung", 60.0)
    assert window.messages.isVisible()
    assert "has not answered for 60 s" in window.messages.text.text()
    window.messages.action_button.click()
    assert len(window.engines) == 2
    assert window.session.bridge.current is None
    assert not window.messages.isVisible()


def test_costs_stand_where_one_looks(window: Any, qtbot: Any) -> None:
    """On the button, and nowhere else."""
    from engine import WorkEstimate

    draw_box(window, 64, 64, 192, 192)
    assert "≈" not in shown(window).prompt.generate.text()
    pace = window.session.bridge.pace
    pace.costs.add_job(WorkEstimate(100, 100, 12, 10_000), [0.1] * 5, 0.1, 0.2)
    pace.costs.add_job(WorkEstimate(200, 200, 12, 20_000), [0.2] * 5, 0.2, 0.4)
    pace.costs_changed.emit()
    window.prompt.field.setPlainText("a dog")
    assert "≈" in shown(window).prompt.generate.text()
    one, two = shown(window).prompt.generate.text(), None
    window.prompt.variations.setValue(4)
    two = shown(window).prompt.generate.text()
    assert one != two


def test_one_layer_is_offered_at_its_lower_price(window: Any, qtbot: Any) -> None:
    """The button's list says layers and seconds of each job; one layer is cheaper.

    What is said are the cost model's seconds of just that job, with the other layers as context.
    """
    from app.session.estimates import Costs
    from app.ui.text import seconds
    from engine import WorkEstimate
    from tests.app.ui.helpers import generate

    draw_box(window, 64, 64, 192, 192)
    draw_box(window, 256, 256, 448, 448)
    window.prompt.field.setPlainText("a dog")
    window.engine.words = {layer.id: "dog" for layer in window.session.document.layers}
    generate(window, qtbot)
    bridge = window.session.bridge
    costs = bridge.pace.costs = Costs()  # without what the scripted job seemed to take
    costs.add_job(WorkEstimate(100, 100, 12, 10_000), [0.1] * 5, 0.1, 0.2)
    costs.add_job(WorkEstimate(400, 400, 12, 40_000), [0.5] * 5, 0.5, 0.8)
    layer = window.session.document.foregrounds[0]
    window.session.selection.set([layer.id])
    bridge.pace.costs_changed.emit()

    def price(scope: str) -> float:
        planned = bridge.plan(scope, window.session.selection.ids)
        value = bridge.seconds_for(planned.targets, planned.context)
        assert value is not None
        return value

    whole, alone = price("picture"), price("selected")
    assert alone < whole
    assert seconds(alone) != seconds(whole)
    menus = shown(window).prompt.findChildren(QMenu)
    listed = {action.text() for menu in menus for action in menu.actions()}
    assert f"Paint Ever&ything (3 layers, ≈ {seconds(whole)})" in listed
    assert f"R&epaint Selected (1 layer, ≈ {seconds(alone)})" in listed
    assert shown(window).prompt.generate.accessibleName() == f"Repaint 'dog' · ≈ {seconds(alone)}"
    window.session.selection.clear()
    assert seconds(whole) in shown(window).prompt.generate.accessibleName()

    draw_box(window, 320, 32, 448, 160)
    text = window.actions_["generate_empty"].text()
    assert text == f"&Fill Empty Boxes (1 layer, ≈ {seconds(price('empty'))})"
    window.prompt.field.setPlainText("a castle")
    text = window.actions_["generate_outdated"].text()
    assert text == f"Repaint &Outdated (3 layers, ≈ {seconds(price('outdated'))})"
    window.actions_["generate_empty"].trigger()
    (box,) = (x.id for x in window.session.document.layers if not x.has_pixels)
    assert [x.layer_id for x in window.engine.last.layers if x.is_target] == [box]
    window.actions_["generate_outdated"].trigger()
    made = {x.layer_id for x in window.engine.last.layers if x.is_target}
    assert made == {x.id for x in window.session.document.layers if x.has_pixels}
    bridge.stop_all()


def test_saving_without_a_backup(window: Any, qtbot: Any, tmp_path: Any) -> None:
    """Switched off, a save over one's own file leaves no second file next to it.

    A file of somebody else is always kept, and a damaged one is set aside as ever.
    """
    path = tmp_path / "a.ora"

    def save(name: str = "") -> None:
        draw_box(window, 64, 64, 128, 128)
        window.files.write(path, is_known=not name)
        qtbot.waitUntil(lambda: not window.session.files.is_busy)

    def beside() -> list[str]:
        return sorted(each.name for each in tmp_path.iterdir())

    dialog = opened(window, "settings")
    dialog.fields["keep_backup"].setChecked(False)
    dialog.close()
    save("as")
    save()
    assert beside() == ["a.ora"]
    save("as")
    assert beside() == ["a.ora", "a.ora~"]
    (tmp_path / "a.ora~").unlink()
    path.write_bytes(b"not a zip")
    window.session.stamp = None
    save()
    assert len(beside()) == 2
    assert "a.ora~" not in beside()


def test_the_recovery_folder_is_chosen_and_put_back(window: Any, tmp_path: Any) -> None:
    """A folder of the program below the chosen one, from the next start on."""
    dialog = opened(window, "settings")
    field = dialog.fields["recovery_folder"]
    default = field.text()
    assert not dialog.reset_recovery.isEnabled()
    choose_recovery_folder(window.settings, str(tmp_path))
    dialog.close()
    dialog = opened(window, "settings")
    assert dialog.fields["recovery_folder"].text() == str(tmp_path / "Layerloom" / "work")
    dialog.reset_recovery.click()
    assert dialog.fields["recovery_folder"].text() == default
    assert window.settings.former_recovery_folders == [str(tmp_path)]
    dialog.close()
