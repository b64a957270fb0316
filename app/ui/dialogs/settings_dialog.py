"""The settings dialog: what the program remembers about the user. Changes act at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QTabWidget,
    QWidget,
)

from app.session.settings import RANGES, Settings, choose_recovery_folder, chosen_canvas, work_path
from app.ui.dialogs.canvas_size import SizePreset
from app.ui.dialogs.command_keys import KeyEditor
from app.ui.dialogs.engines_page import EnginesPage
from app.ui.dialogs.file_dialogs import ask_folder
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, MARGIN, UNIT
from app.ui.widgets.buttons import close_only, text_button
from app.ui.widgets.fields import DropDown
from app.ui.widgets.forms import dialog_column, enable, field_name, fill, form_layout, named, note


class SettingsDialog(QDialog):
    """Tabs of fields; `changed` is called with the name of each setting, which is in place then."""

    def __init__(
        self,
        parent: QWidget,
        settings: Settings,
        changed: Callable[[str], None],
        measure: Callable[[], None],
        keys: KeyEditor,
        sizes: Sequence[SizePreset],
        engines: EnginesPage,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._changed = changed
        self._sizes = sizes
        self.fields: dict[str, QWidget] = {}
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.addTab(self._general(), tr("General"))
        self.tabs.addTab(self._generation(measure), tr("Generation"))
        self.engines = engines
        self.tabs.addTab(engines, tr("Engines"))
        self.tabs.addTab(self._canvas(), tr("Canvas"))
        self.tabs.addTab(keys, tr("Keys"))
        self.tabs.addTab(self._files(), tr("Files"))
        self.tabs.addTab(self._undo(), tr("Undo"))
        layout = dialog_column(self, tr("Settings"))
        layout.addWidget(self.tabs, 1)
        layout.addWidget(close_only(self))
        self.resize(600, 520)

    def show_engines(self) -> None:
        """Bring the page of engines to the front."""
        self.tabs.setCurrentWidget(self.engines)
        self.engines.list.setFocus()

    # ---- pages ----

    def _general(self) -> QWidget:
        page, form = _page()
        themes = {"system": tr("System"), "dark": tr("Dark"), "light": tr("Light")}
        self._choice(form, "theme", tr("Theme"), themes)
        self._number(form, "font_percent", tr("Font size"), " %", 10)
        sizes = {24: tr("Small"), 40: tr("Medium"), 64: tr("Large"), 0: tr("None")}
        self._choice(form, "thumbnail_px", tr("Thumbnail size"), sizes)
        self._choice(form, "canvas", tr("Size of new pictures"), self._size_names())
        self._number(form, "recent_count", tr("Recent files"), "", 1, zero=tr("None"))
        self._check(
            form,
            "ask_before_replacing",
            tr("Ask before replacing pixels"),
            tr("Results always wait in the strip until you take them."),
        )
        return page

    def _size_names(self) -> dict[str, str]:
        """What can be chosen, by the value of the setting; the present value is always there."""
        names = {"": tr("Automatic")}
        names |= {f"{each.size.width}x{each.size.height}": each.text for each in self._sizes}
        now = chosen_canvas(self._settings)
        if now is not None:
            names.setdefault(self._settings.canvas, f"{now.width} × {now.height}")
        return names

    def _generation(self, measure: Callable[[], None]) -> QWidget:
        page, form = _page()
        automatic = tr("Automatic")
        self._number(form, "threads", tr("Threads"), "", 1, zero=automatic)
        self._check(
            form,
            "low_priority",
            tr("Generate at low priority"),
            tr("Other programs come first. Takes effect after a restart."),
        )
        preview = tr("Steps between previews")
        self._number(form, "preview_every", preview, "", 1, zero=tr("Off"))
        self._number(form, "variations", tr("Results per job in new pictures"), "", 1)
        self._number(form, "cache_mb", tr("Cache"), " MB", 256, zero=automatic)
        tip = tr("Times some short jobs, for the seconds on buttons and next to boxes.")
        again = text_button(tr("Measure Again"), measure, tip)
        form.addRow(field_name(tr("Predicted times")), again)
        form.addRow(
            note(
                tr(
                    "The cache makes repainting a single layer faster. "
                    "Threads, priority and cache take effect after a restart."
                )
            )
        )
        return page

    def _canvas(self) -> QWidget:
        page, form = _page()
        shows = {"always": tr("Always"), "drags": tr("While drawing"), "never": tr("Never")}
        self._choice(form, "grid_shows", tr("Grid"), shows)
        self._check(
            form,
            "snap",
            tr("Snap to the grid"),
            tr("Hold Ctrl while dragging to place layers freely."),
        )
        self._check(
            form,
            "wheel_scrolls",
            tr("Mouse wheel scrolls"),
            tr("Ctrl+wheel then zooms. Otherwise the wheel zooms and Ctrl+wheel scrolls."),
        )
        self._check(
            form,
            "tab_moves_focus",
            tr("Tab moves focus everywhere"),
            tr("Otherwise Tab on the canvas hides the panels. Screen readers turn this on."),
        )
        self._colour(
            form,
            "matte_colour",
            tr("Transparency colour"),
            tr("What View ▸ Transparency Colour ▸ Custom shows behind transparent places."),
        )
        return page

    def _files(self) -> QWidget:
        page, form = _page()
        self._number(form, "candidates", tr("Results per picture"), "", 50)
        self._number(form, "candidates_mb", tr("Memory for results"), " MB", 256)
        form.addRow(note(tr("Above that, the program asks before it deletes the oldest ones.")))
        self._check(
            form,
            "recipe_in_exports",
            tr("Store prompt and settings in exported files"),
            tr("Sets this option of the Export dialog for every format that has it."),
        )
        self._check(
            form,
            "keep_backup",
            tr("Keep a backup when saving"),
            tr("The previous version stays next to the file, with ~ after its name."),
        )
        minutes = tr("Save changes automatically after")
        self._number(form, "autosave_minutes", minutes, tr(" min"), 1, zero=tr("Off"))
        form.addRow(
            note(
                tr(
                    "For pictures that have a file. Unsaved work is always kept in the recovery "
                    "folder within a second."
                )
            )
        )
        self._recovery(form)
        return page

    def _recovery(self, form: QFormLayout) -> None:
        shown = named(QLineEdit(), tr("Recovery folder"), height=CONTROL_HEIGHT)
        shown.setReadOnly(True)

        def show() -> None:
            shown.setText(str(work_path(self._settings)))
            shown.setCursorPosition(0)
            enable(
                reset,
                tr("Keeps unsaved work in this user's own folder again."),
                "" if self._settings.recovery_folder else tr("it is the default folder"),
            )

        def take(folder: str) -> None:
            choose_recovery_folder(self._settings, folder)
            self._changed("recovery_folder")
            show()

        def ask() -> None:
            start = self._settings.recovery_folder or str(Path.home())
            title = tr("Recovery Folder")
            ask_folder(self, self._settings, title, lambda folder: take(str(folder)), start=start)

        tip = tr("Keeps unsaved work in another folder. Takes effect after a restart.")
        reset = text_button(tr("Default"), lambda: take(""))
        row = fill(QHBoxLayout(), (shown, 1), text_button(tr("Choose…"), ask, tip), reset)
        self.fields["recovery_folder"] = shown
        self.reset_recovery = reset
        show()
        form.addRow(field_name(tr("Recovery folder")), row)
        form.addRow(
            note(tr("Takes effect after a restart. Work in the old folder is still offered."))
        )

    def _undo(self) -> QWidget:
        page, form = _page()
        self._number(form, "undo_steps", tr("Steps"), "", 100)
        self._number(form, "undo_mb", tr("Memory for undo"), " MB", 64)
        disk = tr("Extra undo space on disk")
        self._number(form, "undo_disk_mb", disk, " MB", 256, zero=tr("Off"))
        form.addRow(note(tr("The oldest steps are removed first; results in the strip never are.")))
        return page

    # ---- fields ----

    def _choice(self, form: QFormLayout, key: str, text: str, options: Mapping[Any, str]) -> None:
        field = DropDown("", [(name, value) for value, name in options.items()])
        field.view().setAccessibleName(text)
        field.setCurrentIndex(max(0, field.findData(getattr(self._settings, key))))
        field.activated.connect(lambda place: self._set(key, field.itemData(place)))
        self._add(form, key, text, field)

    def _number(
        self, form: QFormLayout, key: str, text: str, suffix: str, step: int, *, zero: str = ""
    ) -> None:
        """A whole number; `zero` is what its lowest value, 0, means in words."""
        low, high = RANGES[key]
        field = QSpinBox()
        field.setSpecialValueText(zero)
        field.setRange(low, min(high, os.cpu_count() or 2) if key == "threads" else high)
        field.setSingleStep(step)
        field.setSuffix(suffix)
        field.setKeyboardTracking(False)
        field.lineEdit().setTextMargins(UNIT + 2, 0, 0, 0)
        field.setValue(getattr(self._settings, key))
        field.valueChanged.connect(lambda value: self._set(key, value))
        self._add(form, key, text, field)

    def _check(self, form: QFormLayout, key: str, text: str, tip: str) -> None:
        field = named(QCheckBox(text), text, tip, height=24)
        field.setChecked(getattr(self._settings, key))
        field.toggled.connect(lambda value: self._set(key, value))
        self.fields[key] = field
        form.addRow("", field)

    def _colour(self, form: QFormLayout, key: str, text: str, tip: str) -> None:
        field = QPushButton()
        field.setToolTip(tip)
        field.setAutoDefault(False)

        def show() -> None:
            name = getattr(self._settings, key)
            patch = QPixmap(field.iconSize())
            patch.fill(QColor(name))
            field.setIcon(QIcon(patch))
            field.setText(name.upper())  # a colour is never shown by its look alone
            field.setAccessibleName(f"{text}: {field.text()}")

        def take(colour: QColor) -> None:
            self._set(key, colour.name())
            show()

        def ask() -> None:
            dialog = QColorDialog(QColor(getattr(self._settings, key)), self)
            dialog.setWindowTitle(text)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.colorSelected.connect(take)
            dialog.open()

        field.clicked.connect(ask)
        self._add(form, key, text, field)
        show()

    def _add(self, form: QFormLayout, key: str, text: str, field: QWidget) -> None:
        self.fields[key] = named(field, text, height=CONTROL_HEIGHT)
        form.addRow(field_name(text), field)

    def _set(self, key: str, value: object) -> None:
        setattr(self._settings, key, value)
        self._changed(key)


def _page() -> tuple[QWidget, QFormLayout]:
    page = QWidget()
    form = form_layout(page)
    form.setContentsMargins(MARGIN, 2 * MARGIN, MARGIN, MARGIN)
    return page, form
