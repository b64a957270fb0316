"""Importing: pictures and layouts as layers, by dialog, by drop on the canvas, or from a paste."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF
from PySide6.QtGui import QDragEnterEvent, QDropEvent

from app.document.candidates import original_rects
from app.document.commands import AddLayers, ReplaceDocument, SetRects
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
from app.document.words import shown_name
from app.ui.actions import Actions
from app.ui.controllers import Controller
from app.ui.dialogs.file_dialogs import ask_open, ask_several
from app.ui.mime_data import LAYOUT_SUFFIXES, Offered, can_be_offered, offered_by
from app.ui.panels.layer_rows import MIME_ROWS
from app.ui.panels.things import THING_MIME
from app.ui.session import Session
from app.ui.text import tr
from app.ui.views import Views


class ImportController(Controller):
    """Connects import of pictures and layouts; watches the canvas for what is dropped on it."""

    def __init__(self, session: Session, actions: Actions, views: Views) -> None:
        super().__init__(session, actions, views)
        actions.connect(
            import_picture=self.import_pictures,
            import_layout=self.import_layout,
            original_size=self.original_size,
        )
        views.view.viewport().setAcceptDrops(True)
        views.view.viewport().installEventFilter(self)

    def import_pictures(self) -> None:
        endings = " ".join(f"*{suffix}" for suffix in (*PICTURE_SUFFIXES, ".ora"))
        ask_several(
            self._window,
            self._session.settings,
            tr("Import Pictures as Layers"),
            tr("Pictures ({0})").format(endings),
            self.add_files,
        )

    def import_layout(self) -> None:
        ask_open(
            self._window,
            self._session.settings,
            tr("Import Layout"),
            tr("Layouts and recipes (*.json *.txt *.png)"),
            self.add_layout_file,
        )

    def add_files(self, paths: Sequence[Path], centre: tuple[int, int] | None = None) -> None:
        """Pictures and OpenRaster files on top, in one step, cascading from `centre`."""
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
            if not self._session.add(AddLayers(layers, text=text)) and layers:
                return  # refused, with a message that says why
            self._show_news([message for each in found for message in each.messages])
            self._note_scaled(
                [x for x in layers if x.kind == "imported" and SOURCE in (x.record or {})]
            )

        self._session.work(read, done)

    def take(self, offered: Offered, centre: tuple[int, int] | None = None) -> bool:
        """Pictures around a place, layouts as boxes; False: nothing to take or refuse."""
        is_layout = {path: path.suffix.lower() in LAYOUT_SUFFIXES for path in offered.files}
        self.add_files([path for path in offered.files if not is_layout[path]], centre)
        for path in offered.files:
            if is_layout[path]:
                self._session.settings.last_folder = str(path.parent)
                self.add_layout_file(path)
        for picture in offered.pictures:
            self._add_picture(picture, centre)
        if offered.refused:
            self._session.tell("warning", " ".join(offered.refused))
        return bool(offered.files or offered.pictures or offered.refused)

    def _add_picture(self, data: bytes, centre: tuple[int, int] | None) -> None:
        document, name = self._session.document, tr("Dropped picture")
        canvas = document.canvas

        def done(picture: Picture) -> None:
            middle = centre or canvas.rect.centre
            layer = picture_layer(picture.pixels, name, canvas, centre=middle)
            if self._session.add(AddLayers([layer], text=name)):
                self._show_news(list(picture.notes))

        self._session.work(lambda: picture_of(data, name), done)

    def add_layout_file(self, path: Path) -> None:
        """The boxes of a layout, a recipe, or a picture that carries one."""
        document = self._session.document
        canvas, grid = document.canvas, document.grid
        self._session.work(
            lambda: read_layout(path, canvas=canvas, grid=grid),
            lambda layout: self.add_layout(layout, tr("Import Layout")),
        )

    def add_layout_text(self, text: str) -> None:
        """The boxes of a layout on the clipboard; StorageError when it is none."""
        document = self._session.document
        layout = parse_layout(text, canvas=document.canvas, grid=document.grid)
        self.add_layout(layout, tr("Paste Layout"))

    def add_layout(self, layout: Layout, text: str) -> None:
        """Boxes on top of what is there; a picture without pixels becomes the layout's own."""
        document = self._session.document
        is_blank = not any(layer.has_pixels for layer in document.layers)
        if is_blank and layout.names_canvas:
            prompt = document.prompt if layout.prompt is None else None
            contents = contents_of(layout, prompt=prompt, settings=document.settings)
            self._session.push(ReplaceDocument(contents, text))
        else:
            self._session.add(AddLayers(layers_of_layout(layout), text=text))

    def original_size(self) -> None:
        """Every pixel of the picture, around the same middle; one step."""
        rects = original_rects(self._session.selection.layers())
        if rects:
            self._session.push(SetRects(rects, tr("Original Size of")))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: files and pictures that are dropped on the canvas."""
        if isinstance(event, QDropEvent) and event.mimeData().hasFormat(THING_MIME):
            return False  # a thing of the panel; `ThingsController` makes its box
        if isinstance(event, QDragEnterEvent) and _is_foreign(event.mimeData()):
            event.acceptProposedAction()
            return True
        if event.type() == QEvent.Type.DragMove and isinstance(event, QDropEvent):
            event.acceptProposedAction()
            return True
        if event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            data = event.mimeData()
            if _is_foreign(data) and self.take_dropped(offered_by(data), event.position()):
                event.acceptProposedAction()
            return True
        return super().eventFilter(watched, event)

    def take_dropped(self, offered: Offered, at: QPointF) -> bool:
        """Around a place of the viewport; whether there was something to take or to refuse."""
        inverse, _ = self._views.view.to_view().inverted()
        place = inverse.map(at)
        return self.take(offered, (round(place.x()), round(place.y())))

    def _show_news(self, messages: Sequence[str]) -> None:
        if messages:
            self._session.tell("news", " ".join(messages))

    def _note_scaled(self, layers: list[Layer]) -> None:
        """Pictures that came in larger than the canvas: what was done, and the way back."""
        if not layers:
            return
        names = ", ".join(f"'{shown_name(layer)}'" for layer in layers)
        self._session.tell(
            "news",
            tr("Scaled down to fit the canvas: {0}.").format(names),
            tr("The full size is kept."),
            tr("Original Size shows every pixel."),
            action="original_size",
        )


def _is_foreign(data: QMimeData) -> bool:
    """Not our own rows: asking for their files would write them."""
    return not data.hasFormat(MIME_ROWS) and can_be_offered(data)
