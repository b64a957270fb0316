"""The recovery dialog: what earlier windows left unsaved, one row each.

Asks only; nothing is read or deleted here. Esc and Later leave everything for the next start.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QWidget

from app.document.storage.journal import Unfinished
from app.document.storage.journal.recovery import MAX_ATTEMPTS
from app.ui.text import moment, tr
from app.ui.widgets.buttons import text_button
from app.ui.widgets.forms import fill, form_column, named, note
from app.ui.widgets.images import to_qimage

PICTURE = 72
_EACH = Qt.ItemDataRole.UserRole


class RecoveryDialog(QDialog):
    """One row per work folder."""

    recover_asked = Signal(object)  # unfinished: open it; the dialog has closed
    discard_asked = Signal(object)  # unfinished: delete it, after a second question
    pictures_asked = Signal(object)  # unfinished: write its pictures as PNG

    def __init__(self, parent: QWidget, found: Sequence[Unfinished]) -> None:
        super().__init__(parent)
        heading = QLabel(tr("This work was not saved when the program ended."))
        heading.setWordWrap(True)
        self.list = named(QListWidget(), tr("Unsaved work"))
        self.list.setIconSize(QSize(PICTURE, PICTURE))
        self.list.setSpacing(2)
        self.hint = note()
        self.recover_button = text_button(tr("Recover"), self._on_recover)
        self.recover_button.setObjectName("generate")
        self.recover_button.setDefault(True)
        self.pictures_button = text_button(
            tr("Save Pictures as PNG…"), lambda: self._emit(self.pictures_asked)
        )
        self.discard_button = text_button(tr("Discard…"), lambda: self._emit(self.discard_asked))
        self.later_button = text_button(tr("Later"), self.reject)
        more = (self.discard_button, self.pictures_button)
        buttons = fill(QHBoxLayout(), *more, None, self.later_button, self.recover_button)
        layout = form_column(self, tr("Recover unsaved work"))
        layout.addWidget(heading)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.hint)
        layout.addLayout(buttons)
        self.resize(560, 400)
        for each in found:
            self._add(each)
        self.list.currentItemChanged.connect(self._refresh)
        self.list.itemActivated.connect(self._on_recover)
        self.list.setCurrentRow(0)
        self._refresh()

    @property
    def current(self) -> Unfinished | None:
        item = self.list.currentItem()
        return None if item is None else item.data(_EACH)

    def show_picture(self, folder: Path, picture: object) -> None:
        """The composite of a row, (h, w, 4) uint8, when it was read."""
        if not isinstance(picture, np.ndarray):
            return
        for row in range(self.list.count()):
            item = self.list.item(row)
            if item.data(_EACH).folder == folder:
                image = to_qimage(picture).scaled(
                    PICTURE,
                    PICTURE,
                    Qt.AspectRatioMode.KeepAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                )
                pixmap = QPixmap.fromImage(image)
                icon = QIcon(pixmap)
                icon.addPixmap(pixmap, QIcon.Mode.Selected)  # else Qt tints it
                item.setIcon(icon)

    def remove(self, each: Unfinished) -> None:
        """A row is gone; without rows the dialog closes."""
        for row in reversed(range(self.list.count())):
            if self.list.item(row).data(_EACH).folder == each.folder:
                self.list.takeItem(row)
        if self.list.count() == 0:
            self.reject()

    def _add(self, each: Unfinished) -> None:
        item = QListWidgetItem(describe(each))
        item.setData(_EACH, each)
        blank = QPixmap(PICTURE, PICTURE)
        blank.fill(Qt.GlobalColor.transparent)
        item.setIcon(QIcon(blank))
        self.list.addItem(item)

    def _refresh(self) -> None:
        each = self.current
        can = each is not None and each.is_readable and each.attempts < MAX_ATTEMPTS
        self.recover_button.setEnabled(can)
        self.discard_button.setEnabled(each is not None)
        self.pictures_button.setEnabled(each is not None)
        self.pictures_button.setVisible(each is not None and not can)
        self.hint.setText("" if each is None else _hint(each))

    def _on_recover(self) -> None:
        each = self.current
        if each is not None and self.recover_button.isEnabled():
            self.accept()
            self.recover_asked.emit(each)

    def _emit(self, signal: object) -> None:
        each = self.current
        if each is not None:
            signal.emit(each)  # type: ignore[attr-defined]  # PySide types bound signals loosely


def describe(each: Unfinished) -> str:
    """A row's text: name, time, what is in it."""
    name = each.name or tr("Untitled")
    when = moment(each.changed_at)
    if not each.is_readable:
        return tr("{0}\nchanged {1}\ncannot be read").format(name, when)
    holds = tr("{0}, {1}").format(
        tr("1 layer") if each.layers == 1 else tr("%n layers", each.layers),
        tr("1 result") if each.candidates == 1 else tr("%n results", each.candidates),
    )
    return tr("{0}\nchanged {1}\n{2}").format(name, when, holds)


def _hint(each: Unfinished) -> str:
    if not each.is_readable:
        return tr("This work cannot be opened, but its pictures may still be readable.")
    if each.attempts >= MAX_ATTEMPTS:
        return tr("Recovering this failed three times. Its pictures can be saved as PNG.")
    if each.is_old:
        return tr("This work has not changed for 30 days. Discard it if you do not need it.")
    return ""
