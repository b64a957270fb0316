"""Dialogs: settings, keys, Find Command, jobs, prompts, canvas size, and all of the menu Help."""

from __future__ import annotations

from importlib import metadata

from PySide6.QtCore import QMimeData, QUrl, Signal
from PySide6.QtGui import QAccessible, QDesktopServices, QKeySequence
from PySide6.QtWidgets import QApplication, QDialog

from app.document.commands import Placement, SetCanvas
from app.document.composite import composite
from app.document.geometry import Size, round_to
from app.document.storage.formats.table import FORMATS
from app.session.jobs import Job
from app.session.settings import Settings, log_path, resources_folder
from app.ui.actions import Actions
from app.ui.controllers import Controller
from app.ui.controllers.engines import EnginesController
from app.ui.controllers.files import Autosave
from app.ui.controllers.prompt import PromptController
from app.ui.controllers.view import ViewController
from app.ui.dialogs.canvas_size import CanvasSizeDialog, presets, trained_sizes
from app.ui.dialogs.command_keys import FindDialog, KeyEditor, show_keys
from app.ui.dialogs.copy_diagnostics import DiagnosticsDialog, diagnostics
from app.ui.dialogs.engines_page import EnginesPage
from app.ui.dialogs.handbook import PageDialog, handbook, show_text
from app.ui.dialogs.history_dialog import HistoryDialog
from app.ui.dialogs.job_list import JobPictures, JobsDialog
from app.ui.dialogs.settings_dialog import SettingsDialog
from app.ui.key_presets import keys_for, without_tab
from app.ui.session import Session
from app.ui.text import tr
from app.ui.views import Views
from app.ui.widgets.images import to_qimage


class DialogsController(Controller):
    """Opens the dialogs and acts on their answers."""

    settings_left = Signal()  # the dialog was closed; what it changed is worth keeping

    def __init__(
        self,
        session: Session,
        actions: Actions,
        views: Views,
        view: ViewController,
        prompt: PromptController,
        autosave: Autosave,
        engines: EnginesController,
    ) -> None:
        super().__init__(session, actions, views)
        self._view = view
        self._prompt = prompt
        self._autosave = autosave
        self._engines = engines
        # Small pictures of what the jobs made.
        self.job_pictures = JobPictures(session.pictures, self)
        self.dialog: QDialog | None = None  # the last one that was opened
        self.page: PageDialog | None = None  # the open page of the help; None = closed
        actions.connect(
            settings=self.show_settings,
            engines=self.show_engines,
            find_command=self.find,
            show_jobs=self.show_jobs,
            prompt_history=self.show_history,
            canvas_size=self.ask_canvas,
            copy_diagnostics=self.show_diagnostics,
            help=self.show_handbook,
            licences=self.show_licences,
            help_keys=self.show_keys,
            open_logs=self.open_logs,
            about=self.show_about,
        )
        session.results_arrived.connect(self._on_results)
        session.undo.set_limit(session.settings.undo_steps)
        self._apply_undo()
        views.layers.set_thumbnail_side(session.settings.thumbnail_px)
        self.apply_keys()
        self._apply_canvas()

    def show_settings(self) -> SettingsDialog:
        session = self._session
        keys = KeyEditor(self._session.settings, self._actions, self.apply_keys)
        dialog = SettingsDialog(
            self._window,
            self._session.settings,
            self._on_setting,
            self._measure_again,
            keys,
            presets(*trained_sizes(self._session.bridge.info)),
            EnginesPage(session.servers, session.settings, self._engines.use, session.note),
        )
        dialog.finished.connect(self.settings_left)
        self._open(dialog)
        return dialog

    def _measure_again(self) -> None:
        bridge = self._session.bridge
        bridge.pace.measure_again()
        if bridge.is_remote:
            self._session.note(tr("A server is not measured: its next job gives new times."))

    def show_engines(self) -> None:
        """The page of the settings on which connections are set up."""
        self.show_settings().show_engines()

    def find(self) -> None:
        self._open(FindDialog(self._window, self._actions))

    def show_jobs(self) -> None:
        """What runs, waits and has ended, next to the work: it blocks nothing."""
        shown = [each for each in self._window.findChildren(JobsDialog) if each.isVisible()]
        session = self._session
        new = None if shown else JobsDialog(self._window, session.bridge, self.job_pictures)
        self.dialog = new or shown[0]
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def show_history(self) -> None:
        self._open(HistoryDialog(self._window, self._prompt.prompts(), self._prompt.take))

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

    def show_handbook(self) -> None:
        """One page from the first box to the file, with the keys of this user."""
        native = QKeySequence.SequenceFormat.NativeText
        text = handbook(lambda name: self._actions[name].shortcut().toString(native))
        self._open_page(PageDialog(self._window, tr("Help"), text))

    def show_licences(self) -> None:
        """Whose art the model learned from; a copy of what the package carries."""
        text = licences_text()
        if not text:
            text = tr("The file THIRD_PARTY_ART.md is missing. Install the package again.")
        self._open_page(PageDialog(self._window, tr("Art and Licences"), text))

    def show_keys(self) -> None:
        show_keys(self._window, self._actions.key_list())

    def open_logs(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_path().parent)))

    def show_about(self) -> None:
        text = tr(
            "<p><b>Layerloom</b></p><p>Draw boxes, type one prompt, get a picture in layers.</p>"
            "<p>Apache-2.0. Icons: Lucide (ISC). Help ▸ Art and Licences names those whose art "
            "the model learned from.</p>"
        )
        show_text(self._window, tr("About Layerloom"), text)

    def _open(self, dialog: QDialog) -> None:
        self.dialog = dialog
        dialog.open()

    def _on_results(self, job: Job, results: list[Placement]) -> None:
        self.job_pictures.take(job.id, results)

    def _set_canvas(self, size: Size) -> None:
        document = self._session.document
        dx = round_to((size.width - document.canvas.width) // 2, document.grid)
        dy = round_to((size.height - document.canvas.height) // 2, document.grid)
        self._session.push(SetCanvas(size, dx, dy))

    def _on_setting(self, name: str) -> None:
        settings: Settings = self._session.settings
        if name in ("theme", "font_percent"):
            self._actions[f"theme_{settings.theme}"].setChecked(True)
            self._view.apply_theme()
        elif name == "thumbnail_px":
            self._views.layers.set_thumbnail_side(settings.thumbnail_px)
        elif name in ("undo_mb", "undo_disk_mb"):
            self._apply_undo()
        elif name == "autosave_minutes":
            self._autosave.restart()
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
                self._views.view.decor.matte = settings.matte_colour
                self._views.view.viewport().update()
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
        self._views.view.decor.grid_in_drags = settings.grid_shows != "never"
        self._views.view.navigation.wheel_zooms = not settings.wheel_scrolls

    def _open_page(self, page: PageDialog) -> None:
        self.page = page
        page.open()


def licences_text() -> str:
    """`THIRD_PARTY_ART.md` of the checkout or of the installed package; "" where there is none."""
    name = "THIRD_PARTY_ART.md"
    try:
        return (resources_folder().parent / name).read_text(encoding="utf-8")
    except OSError:
        pass
    try:
        return metadata.distribution("layerloom").read_text(f"licenses/{name}") or ""
    except metadata.PackageNotFoundError:
        return ""
