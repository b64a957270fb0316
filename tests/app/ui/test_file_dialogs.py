"""File dialogs: where they start, what they remember, and icons that can be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QStandardPaths
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QToolButton

from app.session.settings import Settings
from app.ui import theme
from app.ui.dialogs import file_dialogs


def pictures_are(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda kind: str(folder))


def test_a_dialog_starts_in_the_last_folder_else_in_pictures_else_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last, pictures = tmp_path / "last", tmp_path / "Pictures"
    last.mkdir()
    pictures.mkdir()
    pictures_are(monkeypatch, pictures)
    assert file_dialogs.start_folder(Settings(last_folder=str(last))) == last
    assert file_dialogs.start_folder(Settings(last_folder=str(tmp_path / "gone"))) == pictures
    assert file_dialogs.start_folder(Settings()) == pictures
    pictures_are(monkeypatch, tmp_path / "none")
    assert file_dialogs.start_folder(Settings()) == Path.home()


@pytest.mark.parametrize(
    "action", ["open", "save_as", "import_picture", "import_layout", "export_layout"]
)
def test_every_dialog_starts_there_and_remembers_where_the_user_went(
    window: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    first, second = tmp_path / "Pictures", tmp_path / "elsewhere"
    first.mkdir()
    second.mkdir()
    pictures_are(monkeypatch, first)
    for name in ("open_path", "write"):
        monkeypatch.setattr(window.files, name, lambda *args, **kwargs: None)
    monkeypatch.setattr(window.session, "report", lambda *args, **kwargs: None)
    window.settings.last_folder = ""
    window.actions_[action].trigger()
    (dialog,) = window.findChildren(QFileDialog)
    assert Path(dialog.directory().path()) == first
    if dialog.fileMode() == QFileDialog.FileMode.ExistingFiles:
        dialog.filesSelected.emit([str(second / "picture.ora")])
    else:
        dialog.fileSelected.emit(str(second / "picture.ora"))
    dialog.reject()
    assert window.settings.last_folder == str(second)
    qtbot.waitUntil(lambda: not window.findChildren(QFileDialog))
    qtbot.waitUntil(lambda: not window.session.files.is_busy)


def test_a_folder_is_remembered_itself(window: Any, tmp_path: Path, qtbot: Any) -> None:
    chosen: list[Path] = []
    dialog = file_dialogs.ask_folder(window, window.settings, "Folder", chosen.append)
    dialog.fileSelected.emit(str(tmp_path))
    assert (chosen, window.settings.last_folder) == ([tmp_path], str(tmp_path))
    dialog.fileSelected.emit("")  # nothing chosen
    assert len(chosen) == 1
    dialog.reject()
    qtbot.waitUntil(lambda: not window.findChildren(QFileDialog))


@pytest.mark.parametrize("colours", [theme.DARK, theme.LIGHT], ids=lambda each: str(each.name))
@pytest.mark.parametrize("font_percent", [100, 200])
def test_tool_buttons_show_their_icons(
    window: Any, qtbot: Any, tmp_path: Path, colours: theme.Colours, font_percent: int
) -> None:
    app = QApplication.instance()
    theme.apply(app, colours, font_percent)  # type: ignore[arg-type]
    dialog = file_dialogs.ask_open(window, window.settings, "Open", "All (*)", lambda path: None)
    QApplication.processEvents()
    for name in file_dialogs.BUTTON_ICONS:
        button = dialog.findChild(QToolButton, name)
        button.setEnabled(True)
        picture = button.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        values = np.frombuffer(picture.constBits(), np.uint8).reshape(
            picture.height(), picture.width(), 4
        )
        inner = values[5:-5, 5:-5, :3].astype(int)
        drawn = np.abs(inner - inner[0, 0]).max(axis=2) > 60
        assert drawn.sum() >= 15, name
    dialog.reject()
    qtbot.waitUntil(lambda: not window.findChildren(QFileDialog))
    theme.apply(app, theme.DARK)  # type: ignore[arg-type]
