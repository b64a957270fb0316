"""The menus: what has to stand where, and what the new entries do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from app.document.composite import composite
from app.document.geometry import Rect
from app.document.storage.pictures import read_picture
from app.session.settings import Settings, load_settings, remember_file, save_settings
from tests.app.painted import fill
from tests.app.ui.helpers import at, draw_box, generate, key, shown

# Each menu with its entries, in order.
TABLE = {
    "File": "New, Open, Open Recent, Examples, "
    "Save, Save As, Save Numbered Copy, Save Copy for Sharing, "
    "Revert to Saved, Import Picture as Layer, Import Layout, Export, Export Again, Export Layout, "
    "Recover, Quit",
    "Edit": "Undo, Redo, Cut, Copy, Copy Merged, Copy As, Paste, Paste in Place, "
    "Paste Layout Text, Duplicate, Delete, Canvas Size, Settings",
    "Select": "All, None, Layer Above, Layer Below, Last Selected, Outdated, Layers Here",
    "Layer": "New Box, Repaint Selected, Mark as Current, Rename, Hide, Solo, "
    "Lock, Arrange, Align, Distribute, Blend Mode, Opacity, Copy As, Pin Seed, Background On",
    "Generate": "Generate, Fill Empty Boxes, Repaint Selected, Repaint Outdated, Paint Everything, "
    "Queue Next, Stop, Stop All, Next Result, Previous Result, Accept Result, Discard Result, "
    "Compare, Prompt History, Restart Engine",
    "View": "Zoom In, Zoom Out, Fit, 100 %, Zoom to Selection, Grid, Snap, Box Outlines, "
    "Preview While Generating, "
    "Transparency Colour, Panels, Hide Panels, Full Screen, Theme, Reset Layout",
    "Help": "Help, Keyboard Shortcuts, Examples, See the Things, Copy Diagnostics, "
    "Open Log Folder, Art and Licences, About Layerloom",
}


def plain(text: str) -> str:
    return text.replace("&", "").rstrip("…")


def texts(menu: QMenu) -> list[str]:
    return [plain(action.text()) for action in menu.actions() if not action.isSeparator()]


def menu_named(window: Any, *path: str) -> QMenu:
    actions = shown(window).menuBar().actions()
    for name in path:
        found = next(action for action in actions if plain(action.text()) == name)
        actions = found.menu().actions()
    return found.menu()


def all_menus(menu: QMenu) -> list[QMenu]:
    below = [all_menus(action.menu()) for action in menu.actions() if action.menu()]
    return [menu, *(each for found in below for each in found)]


@pytest.mark.parametrize("name", TABLE)
def test_the_menu_bar_is_the_tables(window: Any, name: str) -> None:
    """Section 3.2: every entry of the table, in its order; ours may stand between.

    What a job would make and take stands behind its name, in brackets (3.1).
    """
    shown = [text.partition(" (")[0] for text in texts(menu_named(window, name))]
    wanted = TABLE[name].split(", ")
    assert [text for text in shown if text in wanted] == wanted


def test_mnemonics_are_apart(window: Any) -> None:
    """Section 3.2: none of the bar's letters aligns layers; no menu has a letter twice."""

    def letters(texts: list[str]) -> list[str]:
        bare = [text.replace("&&", "") for text in texts]
        return [text[text.index("&") + 1].lower() for text in bare if "&" in text]

    bar = letters([action.text() for action in window.menuBar().actions()])
    assert bar == list("fetlgip")
    assert not set(bar) & set("adwshv")
    for action in window.menuBar().actions():
        for menu in all_menus(action.menu()):
            found = letters([each.text() for each in menu.actions()])
            assert len(found) == len(set(found)), (menu.title(), sorted(found))


def test_every_action_has_a_place_in_the_menus(window: Any) -> None:
    """Text, tooltip, menu place; nothing is reachable by a key alone."""
    placed = set()
    for action in window.menuBar().actions():
        for menu in all_menus(action.menu()):
            placed.update(each.objectName() for each in menu.actions())
            assert all(each.toolTip() for each in menu.actions() if not each.isSeparator())
    assert {action.objectName() for action in window.actions_} <= placed


def test_context_menus_hold_what_the_page_lists(window: Any, qtbot: Any) -> None:
    """Section 3.4: layer, canvas and candidate."""
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    layer = texts(window.layers_controller.menu)
    assert layer[0].startswith("Repaint Selected (1 layer")
    wanted = (
        "Mark as Current, Compare, Rename, Duplicate, Delete, Hide, Solo, Lock, Arrange, "
        "Blend Mode, Copy, Copy As, Seed, New Box Here, Layers Here"
    )
    assert set(wanted.split(", ")) <= set(layer)
    canvas = texts(window.layers_controller.canvas_menu)
    wanted = "Paste in Place, New Box Here, Select All, Fit Canvas, Next Transparency Colour, "
    wanted += "Show Grid, Show Background"
    assert set(wanted.split(", ")) <= {text.partition("\t")[0] for text in canvas}
    generate(window, qtbot)
    menu = window.candidates.menu_for(1)
    assert texts(menu) == [
        *("Use", "Compare", "Copy Seed", "Use Prompt", "Export PNG", "Delete"),
    ]
    menu.deleteLater()


def test_blend_modes_in_the_menu(window: Any) -> None:
    """Twelve, the layer's own is ticked; one step for all that are selected."""
    draw_box(window, 64, 64, 192, 192)
    draw_box(window, 256, 64, 384, 192)
    fill(window.session.document)
    window.session.selection.set([layer.id for layer in window.session.document.foregrounds])
    menu = menu_named(window, "Layer", "Blend Mode")
    modes = [action for action in menu.actions() if action.isCheckable()]
    assert len(modes) == 12
    assert [plain(action.text()) for action in modes if action.isChecked()] == ["Normal"]
    steps = window.session.undo.count
    next(action for action in modes if plain(action.text()) == "Soft Light").trigger()
    assert {layer.blend for layer in window.session.document.foregrounds} == {"soft-light"}
    assert window.session.undo.count == steps + 1
    shown(window)
    assert [plain(action.text()) for action in modes if action.isChecked()] == ["Soft Light"]
    window.session.selection.set([])
    shown(window)
    assert not any(action.isChecked() or action.isEnabled() for action in modes)


def test_opacity_in_the_menu(window: Any) -> None:
    """Two choices from the menu are two steps."""
    draw_box(window, 64, 64, 192, 192)
    menu = menu_named(window, "Layer", "Opacity")
    assert texts(menu) == [f"{percent} %" for percent in range(100, 0, -10)]
    steps = window.session.undo.count
    for name in ("30 %", "70 %"):
        next(action for action in menu.actions() if action.text() == name).trigger()
    assert window.session.document.foregrounds[0].opacity == 0.7
    assert window.session.undo.count == steps + 2
    assert [action.text() for action in menu.actions() if action.isChecked()] == ["70 %"]


def test_layers_here_by_pointer_and_by_key(window: Any) -> None:
    """Under the pointer's last place on the canvas; a row's menu means its layer."""
    for _ in range(2):
        window.session.selection.set([])
        draw_box(window, 64, 64, 192, 192)
    draw_box(window, 320, 320, 448, 448)
    fill(window.session.document)
    low, high, aside = window.session.document.foregrounds
    here = window.live.here
    QTest.mouseMove(window.view.viewport(), at(window, 128, 128))
    window.view.pointer_moved.emit(128, 128)
    window.view.pointer_moved.emit(-1, -1)  # on its way to the menu bar
    here.aboutToShow.emit()
    assert texts(here) == [high.name, low.name, "Background"]
    here.actions()[1].trigger()
    assert window.session.selection.ids == {low.id}
    window.session.selection.set([aside.id])
    window.layers_controller.here.place = None
    here.aboutToShow.emit()
    assert texts(here) == [aside.name, "Background"]
    assert [action.isChecked() for action in here.actions()] == [True, False]


def test_the_menu_key_opens_the_menu_on_the_canvas(window: Any, monkeypatch: Any) -> None:
    """Menu key and Shift+F10 are about what is selected; without, about the canvas."""
    opened: list[QMenu] = []
    monkeypatch.setattr("PySide6.QtWidgets.QMenu.popup", lambda menu, *_: opened.append(menu))

    def press() -> None:
        reason = QContextMenuEvent.Reason.Keyboard
        event = QContextMenuEvent(reason, QPoint(), QPoint())
        QApplication.sendEvent(window.view.viewport(), event)

    draw_box(window, 64, 64, 192, 192)
    press()
    window.session.selection.set([])
    press()
    assert opened == [window.layers_controller.menu, window.layers_controller.canvas_menu]


def test_a_new_box_here(window: Any, monkeypatch: Any) -> None:
    """Section 3.4, canvas menu: around the place that was clicked, on the grid, inside."""
    monkeypatch.setattr("PySide6.QtWidgets.QMenu.popup", lambda *_: None)
    port = window.view.viewport()
    QTest.mouseClick(port, Qt.MouseButton.RightButton, pos=at(window, 128, 384))
    window.layers_controller.new_box_here.trigger()
    rect = window.session.document.foregrounds[0].rect
    assert rect.contains_point(128, 384)
    assert abs(rect.centre[0] - 128) <= 32
    assert abs(rect.centre[1] - 384) <= 32
    QTest.mouseClick(port, Qt.MouseButton.RightButton, pos=at(window, 508, 4))
    window.layers_controller.new_box_here.trigger()
    newest = max(window.session.document.foregrounds, key=lambda layer: layer.number)
    assert (newest.rect.right, newest.rect.y) == (512, 0)


def test_paste_layout_whatever_else_is_there(window: Any) -> None:
    """One step; text that is no layout is refused whole, with the message for layouts."""
    window.actions_["paste_layout"].trigger()
    QApplication.clipboard().setText("[[0, 0, 64, 64], [64, 64, 128, 128]]")
    steps = window.session.undo.count
    window.actions_["paste_layout"].trigger()
    assert [layer.rect for layer in window.session.document.foregrounds] == [
        Rect(0, 0, 64, 64),
        Rect(64, 64, 64, 64),
    ]
    assert window.session.undo.count == steps + 1
    QApplication.clipboard().setText("a red balloon")
    window.actions_["paste_layout"].trigger()
    assert window.session.undo.count == steps + 1
    assert window.messages.isVisible()


def test_a_layers_recipe_is_copied(window: Any, qtbot: Any) -> None:
    """Prompt, seed, place and model as text; a layer that was not generated has none."""
    draw_box(window, 64, 64, 192, 192)
    assert not window.actions_["copy_record"].isEnabled()
    window.prompt.field.setPlainText("a red dog")
    generate(window, qtbot)
    layer = window.session.document.foregrounds[0]
    window.session.selection.set([layer.id])
    window.actions_["copy_record"].trigger()
    text = QApplication.clipboard().text()
    assert "a red dog" in text
    assert f"Seed: {layer.record['seed']}" in text
    assert "128 × 128 at 64, 64" in text


def test_a_candidate_as_png(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Section 3.4: its own pixels with its own recipe; a picture's candidate as whole canvas."""
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    generate(window, qtbot)
    document, before = window.session.document, window.session.document.content_hash()
    layer = document.foregrounds[0]
    window.session.selection.set([layer.id])
    choice = window.stage.choices[0]
    path = tmp_path / "one.png"
    window.candidates.write(choice, path)
    qtbot.waitUntil(path.exists)
    qtbot.waitUntil(lambda: not window.session.files.is_busy)
    assert np.array_equal(read_picture(path).pixels, layer.candidates[0].image.array)
    assert not np.array_equal(read_picture(path).pixels, layer.pixels)
    window.session.selection.set([])
    path = tmp_path / "all.png"
    window.candidates.write(window.stage.choices[0], path)
    qtbot.waitUntil(lambda: path.exists() and not window.session.files.is_busy)
    shown = read_picture(path).pixels
    assert shown.shape == (512, 512, 4)
    assert not np.array_equal(shown, composite(document.layers, document.canvas.rect))
    assert document.content_hash() == before
    assert not window.actions_["export_again"].isEnabled()


def test_delete_in_the_menu_means_the_selected_ones(window: Any, qtbot: Any) -> None:
    """Multi-select delete; a right click outside the selection means that one alone."""
    draw_box(window, 64, 64, 192, 192)
    for _ in range(4):
        generate(window, qtbot)
    window.session.selection.set([window.session.document.foregrounds[0].id])
    strip = window.strip.list
    assert len(window.stage.choices) == 3
    model, chosen = strip.model(), strip.selectionModel()
    chosen.clearSelection()
    for row in (1, 2):
        chosen.select(model.index(row, 0), chosen.SelectionFlag.Select)
    menu = window.candidates.menu_for(2)
    menu.actions()[-1].trigger()
    assert len(window.stage.choices) == 1
    window.actions_["undo"].trigger()
    assert len(window.stage.choices) == 3
    other = window.candidates.menu_for(3)
    other.actions()[-1].trigger()
    assert len(window.stage.choices) == 2
    menu.deleteLater()
    other.deleteLater()


def test_recent_files(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Newest first; one that is gone is grey and says so; Clear List forgets."""
    paths = [tmp_path / "one.ora", tmp_path / "two & three.ora"]
    for path in paths:
        window.files.write(path)
        qtbot.waitUntil(lambda path=path: window.session.path == path)
    menu = window.live.recent
    menu.aboutToShow.emit()
    assert [plain(text) for text in texts(menu)] == ["two  three.ora", "one.ora", "Clear List"]
    paths[0].unlink()
    menu.aboutToShow.emit()
    qtbot.waitUntil(lambda: not menu.actions()[1].isEnabled())
    assert "not there any more" in menu.actions()[1].toolTip()
    assert menu.actions()[0].isEnabled()
    window.files._start_new(window.session.document.canvas)
    draw_box(window, 64, 64, 192, 192)
    window.session.undo.mark_saved()
    menu.actions()[0].trigger()
    qtbot.waitUntil(lambda: window.session.path == paths[1])
    window.actions_["clear_recent"].trigger()
    assert window.settings.recent == []
    assert texts(menu) == ["No files yet", "Clear List"]
    assert not window.actions_["clear_recent"].isEnabled()
    assert paths[1].exists()


def test_recent_files_have_a_bound(tmp_path: Path) -> None:
    """As many as the setting says, kept in the settings file; 0 = none."""
    settings = Settings(recent_count=2)
    for name in ("a", "b", "c", "b"):
        remember_file(settings, tmp_path / name)
    assert settings.recent == [str(tmp_path / "b"), str(tmp_path / "c")]
    save_settings(tmp_path / "s.json", settings)
    assert load_settings(tmp_path / "s.json")[0].recent == settings.recent
    (tmp_path / "s.json").write_text(json.dumps({"recent": ["x", 4], "recent_count": 99}))
    assert load_settings(tmp_path / "s.json")[0].recent == ["x"]
    settings.recent_count = 0
    remember_file(settings, tmp_path / "d")
    assert settings.recent == []


def test_help_is_one_page_with_the_keys_of_this_user(window: Any) -> None:
    """F1: the handbook names the keys that work now and leaves no brace."""
    window.settings.keys = {"regenerate": ["F9"]}
    window.dialogs.apply_keys()
    key(window, Qt.Key.Key_F1, widget=window.view)
    page = window.dialogs.page
    text = page.text.toPlainText()
    assert "Select a layer and press F9." in text
    assert "{" not in text
    assert "–" not in text
    page.close()


def test_question_mark_lists_the_keys_but_types_in_the_prompt(window: Any, qtbot: Any) -> None:
    """Ctrl+F1, Ctrl+/ and ?; rule 1: a sign never fires while somebody types."""
    opened: list[bool] = []
    window.actions_["help_keys"].triggered.disconnect()
    window.actions_["help_keys"].triggered.connect(lambda: opened.append(True))
    window.prompt.field.setFocus()
    qtbot.keyClicks(window.prompt.field, "why?")
    assert window.session.document.prompt == "why?"
    assert not opened
    window.view.setFocus()
    QTest.keyClick(window.view, Qt.Key.Key_Question)
    assert opened == [True]


def test_art_and_licences(window: Any) -> None:
    """Whose art the model learned from, by name and licence, without a network."""
    window.actions_["licences"].trigger()
    text = window.dialogs.page.text.toPlainText()
    for name in ("Noto Emoji", "Apache-2.0", "Twemoji", "CC BY 4.0"):
        assert name in text
    window.dialogs.page.close()


HIGHEST_MENU = 860  # of a screen of 900 px, without panels of the desktop
NEEDED_ONLY = ("trim_candidates", "raise_bound", "restart_engine")


@pytest.mark.parametrize("font_percent", [100, 125])
def test_every_menu_fits_a_screen_of_900_pixels(window: Any, font_percent: int) -> None:
    window.settings.font_percent = font_percent
    window.view_controller.apply_theme()
    menus = [menu for action in window.menuBar().actions() for menu in all_menus(action.menu())]
    menus += [
        *all_menus(window.layers_controller.menu),
        *all_menus(window.layers_controller.canvas_menu),
    ]
    for menu in menus:
        menu.ensurePolished()
        assert menu.sizeHint().height() <= HIGHEST_MENU, (menu.title(), texts(menu))
    if font_percent == 100:
        assert window.layers_controller.menu.sizeHint().height() <= 700
    window.settings.font_percent = 100
    window.view_controller.apply_theme()


def test_hide_and_lock_say_what_they_would_do(window: Any) -> None:
    draw_box(window, 64, 64, 192, 192)
    actions = window.actions_
    for name, before, after in (
        ("toggle_visible", "Hide", "Show"),
        ("toggle_locked", "Lock", "Unlock"),
    ):
        assert plain(actions[name].text()) == before
        actions[name].trigger()
        assert plain(actions[name].text()) == after
        actions[name].trigger()
        assert plain(actions[name].text()) == before


def test_the_canvas_menu_does_what_it_says(window: Any) -> None:
    draw_box(window, 64, 64, 192, 192)
    window.session.selection.clear()
    entries = {each.objectName(): each for each in window.layers_controller.canvas_menu.actions()}
    entries["select_all"].trigger()
    assert len(window.session.selection.ids) == 1
    assert not entries["grid"].isChecked()
    entries["grid"].trigger()
    assert window.actions_["grid"].isChecked() and entries["grid"].isChecked()
    entries["background"].trigger()
    assert window.session.document.background is None
    assert not entries["background"].isChecked()


def test_entries_for_trouble_show_only_in_trouble(window: Any) -> None:
    for name in NEEDED_ONLY:
        assert not window.actions_[name].isVisible(), name
    window.session.bridge.pace.silence_changed.emit("quiet", 9.0)
    assert window.actions_["restart_engine"].isVisible()
    window.session.bridge.pace.silence_changed.emit("", 0.0)
    assert not window.actions_["restart_engine"].isVisible()
    window.settings.candidates = -1
    window.store.mark("room")
    assert window.actions_["trim_candidates"].isVisible()
    assert window.actions_["raise_bound"].isVisible()
    window.settings.candidates = 300
    window.store.mark("room")
    assert not window.actions_["raise_bound"].isVisible()
