"""Exporting: pictures, shapes, layouts and copies of the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from app.document.contents import Contents
from app.document.storage.atomic import write_bytes
from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.table import Format, format_named
from app.document.storage.layout import format_layout
from app.document.storage.names import numbered_copy, safe_name
from app.document.storage.ora.file import save_project
from app.document.words import shown_name
from app.ui.actions import Actions
from app.ui.controllers import Controller
from app.ui.dialogs import file_dialogs
from app.ui.dialogs.export_dialog import ExportDialog
from app.ui.session import Session
from app.ui.text import tr
from app.ui.views import Views


class ExportController(Controller):
    """Connects export and copies of the file."""

    def __init__(self, session: Session, actions: Actions, views: Views) -> None:
        super().__init__(session, actions, views)
        actions.connect(
            export=self.export,
            export_again=self.export_again,
            export_svg=self.export_svg,
            save_numbered=self.save_numbered,
            save_sharing=self.save_for_sharing,
            export_layout=self.export_layout,
        )

    def export(self) -> None:
        session = self._session
        ExportDialog(
            self._window,
            session.document.contents,
            session.selection.ids,
            session.settings.export_format,
            session.settings.export_options,
            self._ask_where,
        ).open()

    def export_svg(self) -> None:
        """The selected layer alone, without the recipe of the whole picture."""
        layer = next((each for each in self._session.selection.layers() if each.has_pixels), None)
        if layer is None:
            return
        form = format_named("svg")
        options = ExportOptions(layer_id=layer.id, with_recipe=False)
        settings = self._session.settings
        suggested = str(file_dialogs.start_folder(settings) / f"{safe_name(shown_name(layer))}.svg")
        done = partial(self.write, form, options)
        title, kind = tr("Export Layer as SVG"), f"{tr(form.title)} (*.svg)"
        file_dialogs.ask_save(self._window, settings, title, suggested, kind, "svg", done)

    def export_again(self) -> None:
        """The same format, options and name once more."""
        if self._session.last_export is not None:
            self.write(*self._session.last_export)

    def save_numbered(self) -> None:
        """`beach_001.ora`, the next free number; the open document keeps its name."""
        path = self._session.path
        if path is not None:
            self._save_copy(lambda: numbered_copy(path), for_sharing=False)

    def save_for_sharing(self) -> None:
        """An OpenRaster without prompt, seeds, records and candidates."""
        kind = tr("OpenRaster (*.ora)")
        suggested = self._suggested(".ora", tr("{0} for sharing"))

        def done(path: Path) -> None:
            if not self._is_own_file(path):
                self._save_copy(lambda: path, for_sharing=True)

        title = tr("Save Copy for Sharing")
        settings = self._session.settings
        file_dialogs.ask_save(self._window, settings, title, suggested, kind, "ora", done)

    def write(
        self, form: Format, options: ExportOptions, path: Path, contents: Contents | None = None
    ) -> None:
        """Write in the background; `contents` instead of the document is not for Export Again."""
        if self._is_own_file(path):
            return
        shown = contents or self._session.document.contents
        self._session.settings.last_folder = str(path.parent)

        def work() -> str:
            form.export(shown, path, options)
            return form.report(shown, options)

        def done(report: str) -> None:
            if contents is None:
                self._session.last_export = (form, options, path)
                self._session.exported.emit()
            note = tr("Exported '{0}'.").format(path.name)
            self._session.note(f"{note} {report}" if report else note)

        self._session.work(work, done)

    def export_layout(self) -> None:
        text = format_layout(self._session.document.contents)
        kind = tr("Layout (*.json)")

        def done(path: Path) -> None:
            note = tr("Exported '{0}'.").format(path.name)
            self._session.work(
                lambda: write_bytes(path, text.encode()),
                lambda _: self._session.note(note),
            )

        title = tr("Export Layout")
        suggested, settings = self._suggested(".json"), self._session.settings
        file_dialogs.ask_save(self._window, settings, title, suggested, kind, "json", done)

    def _ask_where(self, form: Format, options: ExportOptions, chosen: dict[str, Any]) -> None:
        settings = self._session.settings
        settings.export_format = form.key
        settings.export_options = {**settings.export_options, form.key: chosen}
        done = partial(self.write, form, options)
        suffixes = form.suffixes or form.in_one_file  # a page is one file: nothing to put together
        if not suffixes:
            title = tr("Export into an empty folder")
            file_dialogs.ask_folder(self._window, settings, title, done)
            return
        endings = " ".join(f"*{suffix}" for suffix in suffixes)
        kind = f"{tr(form.title)} ({endings})"
        suffix = suffixes[0]
        title, suggested = tr("Export"), self._suggested(suffix)
        file_dialogs.ask_save(self._window, settings, title, suggested, kind, suffix[1:], done)

    def _is_own_file(self, path: Path) -> bool:
        """Whether this is the open project: an export over it could lose prompts and seeds."""
        own = self._session.path
        if own is None or path.resolve() != own.resolve():
            return False
        self._session.tell(
            "warning",
            tr("'{0}' is the file of this picture.").format(path.name),
            tr("Nothing was exported and the file is untouched."),
            tr("Use Save, or choose another name."),
        )
        return True

    def _save_copy(self, name: Callable[[], Path], *, for_sharing: bool) -> None:
        contents: Contents = self._session.document.contents

        def work() -> Path:
            path = name()
            save_project(contents, path, for_sharing=for_sharing)
            return path

        def done(path: Path) -> None:
            self._session.note(tr("Saved a copy as '{0}'.").format(path.name))

        self._session.work(work, done)

    def _suggested(self, suffix: str, pattern: str = "{0}") -> str:
        session = self._session
        path = session.path or file_dialogs.start_folder(session.settings) / tr("Untitled")
        return str(path.with_name(pattern.format(path.stem) + suffix))
