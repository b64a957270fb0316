"""What comes in: pictures and layouts as layers, by dialog or by drop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.document.commands import AddLayers, ReplaceDocument
from app.document.layer import Layer
from app.document.staleness import SOURCE
from app.document.storage.incoming import (
    Incoming,
    cascaded,
    layers_of_layout,
    picture_layer,
    read_layers,
)
from app.document.storage.layout import Layout, contents_of, parse_layout, read_layout
from app.document.storage.pictures import PICTURE_SUFFIXES, Picture, picture_of
from app.session.jobs import Message
from app.ui.actions import Actions
from app.ui.canvas.view import CanvasView
from app.ui.dialogs.file_dialogs import ask_open, ask_several
from app.ui.mime_data import LAYOUT_SUFFIXES, Offered
from app.ui.session import Session
from app.ui.text import tr
from app.ui.wiring.dropping import Drops
from app.ui.wiring.files import FilesWiring


class ImportWiring(QObject):
    """Connects import of pictures and layouts, and files that are dropped on the canvas."""

    def __init__(
        self,
        session: Session,
        actions: Actions,
        window: QWidget,
        files: FilesWiring,
        view: CanvasView,
    ) -> None:
        super().__init__(window)
        self._session = session
        self._window = window
        self._files = files
        actions["import_picture"].triggered.connect(self.import_pictures)
        actions["import_layout"].triggered.connect(self.import_layout)
        # Told of pictures that were scaled down; they are selected then.
        self.tell_scaled: Callable[[list[Layer]], None] = lambda layers: None
        self.drops = Drops(self, view)

    def import_pictures(self) -> None:
        """Ask which files, and add them as layers."""
        endings = " ".join(f"*{suffix}" for suffix in (*PICTURE_SUFFIXES, ".ora"))
        ask_several(
            self._window,
            self._session.settings,
            tr("Import Pictures as Layers"),
            tr("Pictures ({0})").format(endings),
            self.add_files,
        )

    def import_layout(self) -> None:
        """Ask which file, and add or open its boxes."""
        ask_open(
            self._window,
            self._session.settings,
            tr("Import Layout"),
            tr("Layouts and recipes (*.json *.txt *.png)"),
            self.add_layout_file,
        )

    def add_files(self, paths: Sequence[Path], centre: tuple[int, int] | None = None) -> None:
        """Pictures and OpenRaster files as layers on top, all in one step.

        Args:
            centre: of the first picture, canvas pixels; the others cascade from there.
        """
        if not paths:
            return
        document = self._session.document
        canvas, grid = document.canvas, document.grid
        middle = centre or canvas.rect.centre
        self._session.settings.last_folder = str(paths[0].parent)

        def read() -> list[Incoming]:
            return [
                read_layers(path, canvas, grid, centre=cascaded(middle, place, grid))
                for place, path in enumerate(paths)
            ]

        def done(found: list[Incoming]) -> None:
            layers = [layer for each in found for layer in each.layers]
            text = tr("Import '{0}'").format(paths[0].stem) if len(paths) == 1 else tr("Import")
            if not self._add(AddLayers(layers, text=text)) and layers:
                return  # refused, with a message that says why
            self._tell([message for each in found for message in each.messages])
            self.tell_scaled([layer for layer in layers if _was_scaled(layer)])

        self._session.files.run(read, done, self._files.report)

    def take(self, offered: Offered, centre: tuple[int, int] | None = None) -> bool:
        """What was dropped or pasted: pictures around a place, layouts as boxes.

        What cannot be taken is said.

        Returns:
            whether there was anything to take or to refuse.
        """
        is_layout = {path: path.suffix.lower() in LAYOUT_SUFFIXES for path in offered.files}
        self.add_files([path for path in offered.files if not is_layout[path]], centre)
        for path in offered.files:
            if is_layout[path]:
                self._session.settings.last_folder = str(path.parent)
                self.add_layout_file(path)
        for picture in offered.pictures:
            self._add_picture(picture, centre)
        if offered.refused:
            what = " ".join(offered.refused)
            self._session.notified.emit(Message(kind="warning", what=what))
        return bool(offered.files or offered.pictures or offered.refused)

    def _add_picture(self, data: bytes, centre: tuple[int, int] | None) -> None:
        document, name = self._session.document, tr("Dropped picture")
        canvas = document.canvas

        def done(picture: Picture) -> None:
            middle = centre or canvas.rect.centre
            layer = picture_layer(picture.pixels, name, canvas, centre=middle)
            if self._add(AddLayers([layer], text=name)):
                self._tell(list(picture.notes))

        self._session.files.run(lambda: picture_of(data, name), done, self._files.report)

    def add_layout_file(self, path: Path) -> None:
        """The boxes of a layout, a recipe, or a picture that carries one."""
        document = self._session.document
        canvas, grid = document.canvas, document.grid
        self._session.files.run(
            lambda: read_layout(path, canvas=canvas, grid=grid),
            lambda layout: self.add_layout(layout, tr("Import Layout")),
            self._files.report,
        )

    def add_layout_text(self, text: str) -> None:
        """The boxes of a layout on the clipboard.

        Raises:
            StorageError: it is none.
        """
        document = self._session.document
        layout = parse_layout(text, canvas=document.canvas, grid=document.grid)
        self.add_layout(layout, tr("Paste Layout"))

    def add_layout(self, layout: Layout, text: str) -> None:
        """Boxes on top of what is there; a picture without pixels becomes the layout's own."""
        document = self._session.document
        is_blank = not any(layer.has_pixels for layer in document.layers)
        if is_blank and layout.names_canvas:
            prompt = document.prompt if layout.prompt is None else None
            contents = contents_of(layout, document.grid, prompt=prompt, settings=document.settings)
            self._session.push(ReplaceDocument(contents, text))
        else:
            self._add(AddLayers(layers_of_layout(layout), text=text))

    # ---- inside ----

    def _add(self, command: AddLayers) -> bool:
        """Add layers and select them; False when they were refused."""
        is_done = self._session.push(command)
        if is_done:
            self._session.selection.set(command.new_ids)
        return is_done

    def _tell(self, messages: Sequence[str]) -> None:
        if messages:
            self._session.notified.emit(Message(kind="news", what=" ".join(messages)))


def _was_scaled(layer: Layer) -> bool:
    """Whether it came in larger than the canvas."""
    return layer.kind == "imported" and SOURCE in (layer.record or {})
