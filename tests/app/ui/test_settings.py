"""The page of settings: defaults, what they do at once, when they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QColorDialog, QComboBox, QSpinBox

from app.document.commands import AddBox, SetPrompt
from app.document.geometry import Rect, Size
from app.document.storage.ora.file import load_project
from app.session.settings import (
    Settings,
    chosen_canvas,
    load_settings,
    remember_file,
    save_settings,
)
from app.ui.dialogs.canvas_size import NewDialog
from app.ui.session import Session
from app.ui.window_state import SettingsKeeper
from tests.app.ui.helpers import draw_box


def opened(window: Any, action: str) -> Any:
    window.actions_[action].trigger()
    return window.dialogs.dialog


def test_the_own_matte_colour_is_a_setting(window: Any) -> None:
    """Chosen there too, named by its number; shown at once where it is what shows now."""
    dialog = opened(window, "settings")
    field = dialog.fields["matte_colour"]
    assert field.text() == "#808080"

    def choose(colour: str) -> None:
        field.click()
        asked = dialog.findChild(QColorDialog)
        asked.setCurrentColor(QColor(colour))
        asked.accept()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    choose("#123456")
    assert (window.settings.matte_colour, field.text()) == ("#123456", "#123456")
    assert "#123456" in field.accessibleName()
    assert window.view.decor.matte is None, "the checkerboard is what shows"
    window.view_controller._on_colour(QColor("#123456"))
    window.actions_["matte_own"].setChecked(True)
    choose("#abcdef")
    assert window.view.decor.matte == "#abcdef"
    dialog.close()


def test_a_setting_leaves_the_grid_of_the_key_alone(window: Any) -> None:
    """With the grid shown by Shift+G, another setting is no reason to hide it."""
    window.actions_["grid"].trigger()
    dialog = opened(window, "settings")
    dialog.fields["recent_count"].setValue(3)
    assert window.view.decor.show_grid
    dialog.fields["grid_shows"].activated.emit(2)
    assert not window.view.decor.show_grid
    dialog.close()


def test_settings_have_their_defaults_and_come_back(window: Any, tmp_path: Any) -> None:
    """Every setting of the page has a field, shows its default and survives a restart."""
    wanted = {
        "theme": ("dark", "light"),  # dark is the fixture's; the default is the system's
        "font_percent": (100, 110),
        "ask_before_replacing": (False, True),
        "recent_count": (10, 5),
        "threads": (0, 1),
        "low_priority": (True, False),
        "preview_every": (1, 4),
        "variations": (1, 2),
        "canvas": ("", "640x512"),
        "autosave_minutes": (0, 5),
        "cache_mb": (0, 512),
        "grid_shows": ("drags", "never"),
        "snap": (True, False),
        "wheel_scrolls": (False, True),
        "tab_moves_focus": (False, True),
        "keep_backup": (True, False),
        "candidates": (300, 200),
        "candidates_mb": (1024, 512),
        "recipe_in_exports": (True, False),
        "undo_steps": (1000, 500),
        "undo_mb": (512, 256),
        "undo_disk_mb": (2048, 1024),
    }
    dialog = opened(window, "settings")
    left: list[bool] = []
    window.dialogs.settings_left.connect(lambda: left.append(True))
    for name, (default, other) in wanted.items():
        field = dialog.fields[name]
        if isinstance(field, QComboBox):
            assert field.currentData() == default, name
            field.activated.emit(field.findData(other))
        elif isinstance(field, QSpinBox):
            assert field.value() == default, name
            field.setValue(other)
        else:
            assert field.isChecked() == default, name
            field.setChecked(other)
    assert left == []
    dialog.close()
    assert left == [True], "what was changed is written now, not when the program ends"
    dialog = opened(window, "settings")
    dialog.fields["font_percent"].setValue(100)
    dialog.close()
    save_settings(tmp_path / "settings.json", window.settings)
    read, trouble = load_settings(tmp_path / "settings.json")
    assert trouble == ""
    for name, (_, other) in wanted.items():
        assert getattr(read, name) == (100 if name == "font_percent" else other), name


def test_new_pictures_have_the_size_that_was_chosen(window: Any, qtbot: Any, qloop: Any) -> None:
    """The dialog of New begins with it, the next window as well; a size that is none is ignored."""
    dialog = opened(window, "settings")
    field = dialog.fields["canvas"]
    assert field.itemText(0) == "Automatic"
    field.activated.emit(field.findData("640x512"))
    dialog.close()
    window.actions_["new"].trigger()
    (asked,) = window.findChildren(NewDialog)
    assert asked.size_chosen == Size(640, 512)
    asked.reject()
    assert Session(qloop, Mock(), window.settings).document.canvas == Size(640, 512)
    for text in ("", "640", "0x512", "640x99999", "wide"):
        assert chosen_canvas(Settings(canvas=text)) is None


def test_the_file_is_saved_some_minutes_after_a_change(
    window: Any, qtbot: Any, tmp_path: Path
) -> None:
    """Off by default; a picture without a file is left to Save; the timer then rests."""
    timer = window.autosave.timer
    draw_box(window, 64, 64, 192, 192)
    path = tmp_path / "beach.ora"
    window.files.write(path)
    qtbot.waitUntil(lambda: window.session.undo.is_clean)
    draw_box(window, 256, 256, 384, 384)
    assert not timer.isActive(), "off"
    dialog = opened(window, "settings")
    assert dialog.fields["autosave_minutes"].text() == "Off"
    dialog.fields["autosave_minutes"].setValue(5)
    dialog.close()
    assert timer.isActive() and timer.interval() == 5 * 60_000
    timer.timeout.emit()
    qtbot.waitUntil(lambda: window.session.undo.is_clean)
    assert not timer.isActive()
    assert len(load_project(path).contents.foregrounds) == 2
    window.actions_["undo"].trigger()
    assert timer.isActive()
    window.actions_["redo"].trigger()
    assert not timer.isActive()
    window.session.path = None
    window.session.path_changed.emit()
    draw_box(window, 64, 256, 192, 384)
    assert not timer.isActive()


def test_a_prompt_that_was_used_and_a_file_that_was_opened_survive_a_crash(
    window, qtbot, tmp_path
) -> None:
    """Nothing is closed here; the file is read as after a crash."""
    path = tmp_path / "settings.json"
    keeper = SettingsKeeper(path, window.settings, window.session, window)
    keeper.save()
    assert not path.exists(), "nothing is new yet"
    window.session.push(AddBox(Rect(64, 64, 128, 128), above=None))
    window.session.push(SetPrompt("a red kite over a hill"))
    window.actions_["generate"].trigger()
    qtbot.waitUntil(path.exists)
    settings, trouble = load_settings(path)
    assert settings.prompts[0] == "a red kite over a hill"
    assert trouble is None or not trouble
    remember_file(window.settings, tmp_path / "kite.ora")
    window.session.path_changed.emit()
    qtbot.waitUntil(lambda: bool(load_settings(path)[0].recent))
    assert load_settings(path)[0].recent == [str(tmp_path / "kite.ora")]
