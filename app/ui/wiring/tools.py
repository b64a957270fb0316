"""The larger dialogs: settings, keys, Find Command, jobs, prompts, canvas size, diagnostics."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow

from app.document.commands import SetCanvas, SetPrompt
from app.document.composite import composite
from app.document.geometry import Size, round_to
from app.document.storage.formats.table import FORMATS
from app.document.words import together
from app.session.settings import Settings
from app.ui.actions import Actions
from app.ui.canvas.view import CanvasView
from app.ui.dialogs.canvas_size import CanvasSizeDialog, presets, trained_sizes
from app.ui.dialogs.command_keys import FindDialog, KeyEditor
from app.ui.dialogs.copy_diagnostics import DiagnosticsDialog, diagnostics
from app.ui.dialogs.job_list import JobsDialog
from app.ui.dialogs.prompt_words import HistoryDialog
from app.ui.dialogs.settings_dialog import SettingsDialog
from app.ui.key_presets import keys_for, without_tab
from app.ui.panels.layer_list import LayerPanel
from app.ui.panels.prompt_bar import PromptBar
from app.ui.session import Session
from app.ui.text import tr
from app.ui.widgets.images import to_qimage


class ToolsWiring(QObject):
    """Opens the dialogs and acts on what they say.

    Args:
        retheme: puts the chosen theme and font size on everything.

    Signals:
        settings_left(): the dialog was closed; what it changed is worth keeping.
        autosave_changed(): another interval was chosen.
    """

    settings_left = Signal()
    autosave_changed = Signal()

    def __init__(
        self,
        session: Session,
        actions: Actions,
        window: QMainWindow,
        view: CanvasView,
        bar: PromptBar,
        layers: LayerPanel,
        retheme: Callable[[], None],
    ) -> None:
        super().__init__(window)
        self._session = session
        self._actions = actions
        self._window = window
        self._view = view
        self._bar = bar
        self._layers = layers
        self._retheme = retheme
        self._walked = -1
        self.dialog: QDialog | None = None
        for name, slot in (
            ("settings", self.show_settings),
            ("find_command", self.find),
            ("show_jobs", self.show_jobs),
            ("prompt_history", self.show_history),
            ("canvas_size", self.ask_canvas),
            ("copy_diagnostics", self.show_diagnostics),
        ):
            actions[name].triggered.connect(slot)
        bar.field.history_asked.connect(self.walk_history)
        bar.field.edited.connect(self._on_typed)
        session.undo.set_limit(session.settings.undo_steps)
        self._apply_undo()
        layers.set_thumbnail_side(session.settings.thumbnail_px)
        self.apply_keys()
        self._apply_canvas()

    def show_settings(self) -> None:
        """Every setting; changes act at once."""
        keys = KeyEditor(self._session.settings, self._actions, self.apply_keys)
        dialog = SettingsDialog(
            self._window,
            self._session.settings,
            self._on_setting,
            self._session.bridge.pace.measure_again,
            keys,
            presets(*trained_sizes(self._session.bridge.info)),
        )
        dialog.finished.connect(self.settings_left)
        self._open(dialog)

    def find(self) -> None:
        """Any command by a part of its name."""
        self._open(FindDialog(self._window, self._actions))

    def show_jobs(self) -> None:
        """What runs, waits and has ended, beside the work: it blocks nothing."""
        shown = [each for each in self._window.findChildren(JobsDialog) if each.isVisible()]
        session = self._session
        new = None if shown else JobsDialog(self._window, session.bridge, session.job_pictures)
        self.dialog = new or shown[0]
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def show_history(self) -> None:
        """Prompts that were used."""
        self._open(HistoryDialog(self._window, self.prompts(), self._take_prompt))

    def prompts(self) -> list[str]:
        """The document's own history, then what this user wrote elsewhere."""
        return together(self._session.document.contents.prompts, self._session.settings.prompts)

    def walk_history(self, step: int) -> None:
        """Alt+Up goes back in the history, Alt+Down forth again."""
        prompts = self.prompts()
        place = min(max(self._walked + step, 0), len(prompts) - 1)
        if prompts and place != self._walked:
            self._take_prompt(prompts[place])
            self._walked = place

    def ask_canvas(self) -> None:
        """Another size of the canvas; what is there keeps the middle, on the grid."""
        document = self._session.document
        sizes, multiple = trained_sizes(self._session.bridge.info)
        if multiple % document.grid:
            multiple = document.grid
        self._open(
            CanvasSizeDialog(
                self._window,
                sizes,
                multiple,
                self._set_canvas,
                title=tr("Canvas Size"),
                verb=tr("Change Size"),
                now=document.canvas,
            )
        )

    def show_diagnostics(self) -> None:
        """What a report needs, to look at and to copy. Nothing is sent."""
        session = self._session
        self._open(
            DiagnosticsDialog(
                self._window,
                lambda with_prompt: diagnostics(session, with_prompt=with_prompt),
                self._copy_diagnostics,
            )
        )

    def _copy_diagnostics(self, text: str, with_picture: bool) -> None:
        data, document = QMimeData(), self._session.document
        data.setText(text)
        if with_picture:
            data.setImageData(to_qimage(composite(document.layers, document.canvas.rect)))
        QApplication.clipboard().setMimeData(data)
        self._session.note(tr("The diagnostics are on the clipboard."))

    def apply_keys(self) -> None:
        """Put preset and own keys on the actions."""
        settings = self._session.settings
        keys = keys_for(settings.key_preset, settings.keys)
        if settings.tab_moves_focus or QAccessible.isActive():
            keys = without_tab(keys)
        self._actions.set_keys(keys)

    def _open(self, dialog: QDialog) -> None:
        self.dialog = dialog
        dialog.open()

    def _take_prompt(self, prompt: str) -> None:
        self._bar.field.end_run()
        self._session.push(SetPrompt(prompt))
        self._walked = -1

    def _on_typed(self, text: str, gesture: int) -> None:
        self._walked = -1

    def _set_canvas(self, size: Size) -> None:
        document = self._session.document
        dx = round_to((size.width - document.canvas.width) // 2, document.grid)
        dy = round_to((size.height - document.canvas.height) // 2, document.grid)
        self._session.push(SetCanvas(size, dx, dy))

    def _on_setting(self, name: str) -> None:
        settings: Settings = self._session.settings
        if name in ("theme", "font_percent"):
            self._actions[f"theme_{settings.theme}"].setChecked(True)
            self._retheme()
        elif name == "thumbnail_px":
            self._layers.set_thumbnail_side(settings.thumbnail_px)
        elif name in ("undo_mb", "undo_disk_mb"):
            self._apply_undo()
        elif name == "autosave_minutes":
            self.autosave_changed.emit()
        elif name == "tab_moves_focus":
            self.apply_keys()
        elif name == "undo_steps":
            self._session.undo.set_limit(settings.undo_steps)
        elif name == "recipe_in_exports":
            known, wanted = settings.export_options, {"recipe": settings.recipe_in_exports}
            carriers = [form.key for form in FORMATS if "recipe" in form.choices]
            settings.export_options = known | {
                key: {**known.get(key, {}), **wanted} for key in carriers
            }
        elif name == "preview_every":
            self._actions["show_previews"].setChecked(settings.preview_every > 0)
        elif name == "matte_colour":
            if self._actions["matte_own"].isChecked():
                self._view.decor.matte = settings.matte_colour
                self._view.viewport().update()
        elif name in ("snap", "grid_shows", "wheel_scrolls"):  # others leave Shift+G's grid alone
            self._apply_canvas()

    def _apply_undo(self) -> None:
        settings, undo = self._session.settings, self._session.undo
        undo.max_pixel_bytes = settings.undo_mb << 20
        undo.max_disk_bytes = settings.undo_disk_mb << 20

    def _apply_canvas(self) -> None:
        settings = self._session.settings
        self._actions["snap"].setChecked(settings.snap)
        self._actions["grid"].setChecked(settings.grid_shows == "always")
        self._view.decor.grid_in_drags = settings.grid_shows != "never"
        self._view.navigation.wheel_zooms = not settings.wheel_scrolls
