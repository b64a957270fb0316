"""File dialogs: which file to open, where to save, which folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QToolButton, QWidget

from app.session.settings import Settings
from app.ui.theme import ICON_SMALL, current_colours
from app.ui.theme.icons import icon

# Qt's name of each tool button, and our outline for it.
BUTTON_ICONS = {
    "backButton": "arrow-left",
    "forwardButton": "arrow-right",
    "toParentButton": "arrow-up",
    "newFolderButton": "folder-plus",
    "listModeButton": "layout-grid",
    "detailModeButton": "list",
}


def start_folder(settings: Settings) -> Path:
    """The folder that was used last; where it is gone or none was, Pictures, else home."""
    pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    for name in (settings.last_folder, pictures):
        if name and os.path.isdir(name):
            return Path(name)
    return Path.home()


def ask_open(
    parent: QWidget, settings: Settings, title: str, kinds: str, done: Callable[[Path], None]
) -> QFileDialog:
    """Which file to read; `kinds` as in "Pictures (*.png *.webp);;Layouts (*.json)"."""
    dialog = _dialog(parent, settings, title, kinds)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return _show(dialog, settings, lambda paths: done(paths[0]))


def ask_several(
    parent: QWidget,
    settings: Settings,
    title: str,
    kinds: str,
    done: Callable[[Sequence[Path]], None],
) -> QFileDialog:
    dialog = _dialog(parent, settings, title, kinds)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    return _show(dialog, settings, done)


def ask_save(
    parent: QWidget,
    settings: Settings,
    title: str,
    suggested: Path | str,
    kind: str,
    suffix: str,
    done: Callable[[Path], None],
) -> QFileDialog:
    """Where to write; the suffix, without a dot, is added when none is typed."""
    dialog = _dialog(parent, settings, title, kind)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(suffix)
    if Path(suggested).is_absolute():
        dialog.setDirectory(str(Path(suggested).parent))
    dialog.selectFile(Path(suggested).name)
    return _show(dialog, settings, lambda paths: done(paths[0]))


def ask_folder(
    parent: QWidget,
    settings: Settings,
    title: str,
    done: Callable[[Path], None],
    *,
    start: str = "",
) -> QFileDialog:
    """Which folder to write into; one with `start` holds no pictures, and is not remembered."""
    dialog = _dialog(parent, settings, title, "")
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    if start:
        dialog.setDirectory(start)
    return _show(dialog, None if start else settings, lambda paths: done(paths[0]))


def dress(dialog: QFileDialog) -> None:
    """Put the program's icons on Qt's tool buttons; the system's own dialog has none of them."""
    for name, outline in BUTTON_ICONS.items():
        button = dialog.findChild(QToolButton, name)
        if button is not None:
            button.setIcon(icon(outline, current_colours()))
            button.setIconSize(QSize(ICON_SMALL, ICON_SMALL))


def _dialog(parent: QWidget, settings: Settings, title: str, kinds: str) -> QFileDialog:
    dialog = QFileDialog(parent, title, str(start_folder(settings)), kinds)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog


def _show(
    dialog: QFileDialog, settings: Settings | None, done: Callable[[list[Path]], None]
) -> QFileDialog:
    is_folder = dialog.fileMode() == QFileDialog.FileMode.Directory

    def chosen(names: list[str]) -> None:
        paths = [Path(name) for name in names if name]
        if not paths:
            return
        if settings is not None:
            settings.last_folder = str(paths[0] if is_folder else paths[0].parent)
        done(paths)

    if dialog.fileMode() == QFileDialog.FileMode.ExistingFiles:
        dialog.filesSelected.connect(chosen)
    else:
        dialog.fileSelected.connect(lambda name: chosen([name]))
    dialog.open()
    dress(dialog)
    return dialog
