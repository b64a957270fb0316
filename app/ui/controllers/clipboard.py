"""The clipboard: layers for this program, pictures for others, layouts, recipes as text."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial, reduce

from PySide6.QtCore import QByteArray, QMimeData
from PySide6.QtGui import QGuiApplication, QImage

from app.document import Contents, Layer, Rect, UserError
from app.document.commands import AddLayers, DeleteLayers
from app.document.composite import composite
from app.document.storage.incoming import (
    LAYERS_TYPE,
    layers_from_bytes,
    layers_to_bytes,
    picture_layer,
)
from app.document.storage.layout import format_layout
from app.document.storage.png import encode_png
from app.document.storage.recipe import recipe_of
from app.session.jobs import message_of
from app.ui.actions import Actions
from app.ui.controllers import Controller
from app.ui.controllers.importing import ImportController
from app.ui.mime_data import SVG, ShapesData, layers_as_svg, offered_by
from app.ui.session import Session
from app.ui.text import tr
from app.ui.views import Views
from app.ui.widgets.images import to_array, to_qimage

logger = logging.getLogger(__name__)

_PNG_TYPE = "image/png"


class ClipboardController(Controller):
    """Connects Cut, Copy and Paste of the canvas and the layer list."""

    def __init__(
        self, session: Session, actions: Actions, views: Views, importing: ImportController
    ) -> None:
        super().__init__(session, actions, views)
        self._importing = importing
        actions.connect(
            cut=self.cut,
            copy=self.copy,
            copy_merged=self.copy_merged,
            copy_svg=self.copy_svg,
            copy_layout=self.copy_layout,
            copy_recipe=self.copy_recipe,
            paste=self.paste,
            paste_layout=self.paste_layout,
            paste_in_place=partial(self.paste, in_place=True),
        )

    def cut(self) -> None:
        """Copy, then delete; undo brings the layers back."""
        layers = self._session.selection.foregrounds()
        if layers and self._session.push(DeleteLayers([layer.id for layer in layers])):
            self._put_layers(layers)

    def copy(self) -> None:
        """The selected layers: all of them for this program, one picture for others."""
        self._put_layers(self._session.selection.layers())

    def copy_merged(self) -> None:
        """The whole picture as export would write it."""
        document = self._session.document
        data = QMimeData()
        self._put_picture(data, document.contents, document.canvas.rect)
        QGuiApplication.clipboard().setMimeData(data)
        self._session.note(tr("The picture is on the clipboard."))

    def copy_svg(self) -> None:
        """The selected layers as SVG, for programs that paste pictures or text."""
        layers = [layer for layer in self._session.selection.layers() if layer.has_pixels]

        def done(svg: bytes) -> None:
            data = QMimeData()
            data.setData(SVG, QByteArray(svg))
            data.setText(svg.decode())
            QGuiApplication.clipboard().setMimeData(data)
            self._session.note(tr("The shapes are on the clipboard."))

        if layers:
            self._session.files.run(partial(layers_as_svg, layers), done, self._not_copied)

    def _not_copied(self, error: Exception) -> None:
        logger.warning("layers could not be copied as SVG", exc_info=error)
        self._session.tell(
            "warning",
            tr("The layers could not be copied as shapes."),
            tr("The clipboard did not change."),
            tr("Export the layer as SVG or PNG instead."),
        )

    def copy_layout(self) -> None:
        QGuiApplication.clipboard().setText(format_layout(self._session.document.contents))
        self._session.note(tr("The layout is on the clipboard."))

    def copy_recipe(self) -> None:
        recipe = recipe_of(self._session.document.contents)
        text = json.dumps(recipe, indent=1, sort_keys=True, ensure_ascii=False)
        QGuiApplication.clipboard().setText(text)
        self._session.note(tr("The recipe is on the clipboard."))

    def paste(self, in_place: bool = False) -> None:
        """The first that fits: our layers, files, a picture, a layout."""
        data = QGuiApplication.clipboard().mimeData()
        self._try(lambda: self._paste(data, in_place))

    def paste_layout(self) -> None:
        """The boxes that stand on the clipboard as text, whatever else is there."""
        text = QGuiApplication.clipboard().text()
        if text.strip():
            self._try(lambda: self._importing.add_layout_text(text))
        else:
            self._session.note(tr("There is no text on the clipboard."))

    def _try(self, work: Callable[[], object]) -> None:
        try:
            work()
        except UserError as error:
            self._session.notified.emit(message_of(error))

    def _paste(self, data: QMimeData, in_place: bool) -> None:
        if data.hasFormat(LAYERS_TYPE):
            layers = layers_from_bytes(bytes(data.data(LAYERS_TYPE).data()))
            self._session.add(AddLayers(self._placed(layers, in_place), text=tr("Paste")))
        elif data.hasUrls():
            self._importing.take(offered_by(data), self._middle())
        elif data.hasImage():
            image = data.imageData()
            if isinstance(image, QImage) and not image.isNull():
                canvas = self._session.document.canvas
                name = tr("Pasted")
                layer = picture_layer(to_array(image), name, canvas, centre=self._middle())
                self._session.add(AddLayers([layer], text=tr("Paste")))
        elif data.hasText():
            self._importing.add_layout_text(data.text())
        else:
            self._session.note(tr("The clipboard has nothing that can be pasted here."))

    def _placed(self, layers: Sequence[Layer], in_place: bool) -> Sequence[Layer]:
        """Where they were if that can be seen, else around the middle of what can."""
        if in_place or not layers:
            return layers
        union = reduce(Rect.united, (layer.rect for layer in layers))
        if self._seen().intersect(union) is not None:
            return layers
        x, y = self._middle()
        dx, dy = x - union.centre[0], y - union.centre[1]
        return [replace(layer, rect=layer.rect.translated(dx, dy)) for layer in layers]

    def _seen(self) -> Rect:
        """The part of the canvas plane that the view shows, canvas pixels."""
        inverse, _ = self._views.view.to_view().inverted()
        seen = inverse.mapRect(self._views.view.viewport().rect()).normalized()
        return Rect(seen.x(), seen.y(), max(1, seen.width()), max(1, seen.height()))

    def _middle(self) -> tuple[int, int]:
        """The middle of what is seen of the canvas, else of the canvas."""
        canvas = self._session.document.canvas.rect
        return (canvas.intersect(self._seen()) or canvas).centre

    def _put_layers(self, layers: Sequence[Layer]) -> None:
        if not layers:
            return
        contents = self._session.document.contents
        shown = [layer for layer in layers if layer.has_pixels]
        data = ShapesData(shown)
        data.setData(LAYERS_TYPE, QByteArray(layers_to_bytes(contents, layers)))
        if len(shown) == 1:  # the layer itself, not as it looks in the picture
            shown = [replace(shown[0], opacity=1.0, blend="normal", visible=True)]
        if shown:
            union = reduce(Rect.united, (layer.rect for layer in shown))
            part = replace(contents, background_on=False, foregrounds=tuple(shown))
            self._put_picture(data, part, union)
        QGuiApplication.clipboard().setMimeData(data)
        count = len(layers)
        one = tr("1 layer is on the clipboard.")
        self._session.note(one if count == 1 else tr("%n layers are on the clipboard.", count))

    def _put_picture(self, data: QMimeData, contents: Contents, rect: Rect) -> None:
        pixels = composite(contents.layers, rect)
        data.setData(_PNG_TYPE, QByteArray(encode_png(pixels)))
        data.setImageData(to_qimage(pixels))
