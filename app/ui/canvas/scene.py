"""The canvas scene: keeps one item per layer in step with the document.

Shows what is not in the document yet as well: previews, a drag in progress, a box being drawn.
While nothing of that is going on, the exact composite is computed off the UI thread and shown
instead of the items, so that the settled picture is what export would write.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QGraphicsScene

from app.document.composite import composite
from app.document.document import Document
from app.document.geometry import Box, Rect
from app.document.layer import Layer
from app.ui.background import Background
from app.ui.canvas.region_item import LayerItem, PictureItem
from app.ui.images import to_qimage
from app.ui.solo import Solo

SETTLE_MS = 60
PICK_ALPHA = 13  # 5 % of 255
_SETTLED_Z = 1_000_000


class CanvasScene(QGraphicsScene):
    """Items for the document's layers.

    Signals:
        changed_on_screen(): anything that the view draws over the items may be different.
        settled(): the exact composite is on the screen.
    """

    changed_on_screen = Signal()
    settled = Signal()

    def __init__(
        self,
        document: Document,
        pictures: Background,
        solo: Solo | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.document = document
        self._solo = Solo(document, self) if solo is None else solo
        self._pictures = pictures
        self._items: dict[int, LayerItem] = {}
        self._images: dict[int, tuple[str, QImage]] = {}
        self._previews: dict[int, tuple[Box, QImage]] = {}
        self._moved: dict[int, Rect] = {}
        self._seen: object = None
        self._whole = PictureItem()
        self._whole.setZValue(_SETTLED_Z)
        self._whole.is_muted = True
        self.addItem(self._whole)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.timeout.connect(self._settle)
        document.events.changed.connect(self._on_changed)
        self._solo.changed.connect(self._on_solo)
        self._on_changed(document.revision)

    # ---- what is shown ----

    @property
    def is_settled(self) -> bool:
        """Whether the screen shows exactly what export would write."""
        return not self._whole.is_muted

    @property
    def settled_image(self) -> QImage:
        """The composite of the canvas as it was last computed."""
        return self._whole.image

    def shows(self, layer: Layer) -> bool:
        """Whether the layer is on the screen: its eye, or solo."""
        return self._solo.shows(layer)

    def rect_of(self, layer: Layer) -> Rect:
        """Where the layer is on the screen: the drag in progress counts."""
        return self._moved.get(layer.id, layer.rect)

    def has_preview(self, layer_id: int) -> bool:
        """Whether a rough picture of the layer is being shown."""
        return layer_id in self._previews

    def image_of(self, layer: Layer) -> QImage | None:
        """The layer's pixels for Qt, converted once."""
        if layer.pixels is None or layer.pixel_hash is None:
            return None
        known = self._images.get(layer.id)
        if known is None or known[0] != layer.pixel_hash:
            known = (layer.pixel_hash, to_qimage(layer.pixels))
            self._images[layer.id] = known
        return known[1]

    # ---- things that are not in the document ----

    def show_moved(self, rects: dict[int, Rect]) -> None:
        """Show layers elsewhere during a drag; an empty dict ends it."""
        before = set(self._moved)
        self._moved = dict(rects)
        for layer in self.document.layers:
            if layer.id in before or layer.id in rects:
                self._place(layer)
        self._unsettle()

    def show_preview(self, layer_id: int, box: Box, rgba: np.ndarray) -> None:
        """A rough picture of a target, stretched over its box."""
        if layer_id not in self._items:
            return
        self._previews[layer_id] = (box, to_qimage(rgba))
        self._place(self.document.layer(layer_id))
        self._unsettle()

    def clear_previews(self) -> None:
        """Show what the document has again."""
        if not self._previews:
            return
        ids, self._previews = list(self._previews), {}
        for layer_id in ids:
            if self.document.has_layer(layer_id):
                self._place(self.document.layer(layer_id))
        self._unsettle()

    # ---- picking ----

    def layers_at(self, x: float, y: float, *, any_alpha: bool = False) -> list[Layer]:
        """Visible, unlocked layers under a point, topmost first.

        Those that show something there (alpha above 5 %) come before those whose rectangle alone
        holds the point; with `any_alpha` the order is by height only.
        """
        column, row = int(np.floor(x)), int(np.floor(y))
        seen: list[Layer] = []
        framed: list[Layer] = []
        for layer in reversed(self.document.layers):
            if not self.shows(layer) or layer.locked or not layer.rect.contains_point(column, row):
                continue
            pixels = layer.pixels
            shows = (
                pixels is None or pixels[row - layer.rect.y, column - layer.rect.x, 3] >= PICK_ALPHA
            )
            (seen if shows or any_alpha else framed).append(layer)
        # The background's rectangle is everywhere: a frame in front of it is the better guess.
        if seen and seen[0].is_background:
            return framed + seen
        return seen + framed

    def layers_touching(self, rect: Rect) -> list[Layer]:
        """Visible, unlocked foreground layers that a marquee touches."""
        return [
            layer
            for layer in self.document.foregrounds
            if self.shows(layer) and not layer.locked and layer.rect.intersect(rect) is not None
        ]

    # ---- keeping in step ----

    def _on_changed(self, revision: int) -> None:
        shown = self._what_is_seen()
        if shown == self._seen:
            self.changed_on_screen.emit()  # names and locks are in the overlay
            return
        self._seen = shown
        layers = self.document.layers
        canvas = self.document.canvas
        present = {layer.id for layer in layers}
        for layer_id in [key for key in self._items if key not in present]:
            self.removeItem(self._items.pop(layer_id))
            self._images.pop(layer_id, None)
            self._previews.pop(layer_id, None)
        for height, layer in enumerate(layers):
            item = self._items.get(layer.id)
            if item is None:
                item = self._items[layer.id] = LayerItem(layer.id)
                self.addItem(item)
            item.setZValue(height)
            self._place(layer)
        self.setSceneRect(0, 0, canvas.width, canvas.height)
        self._unsettle()

    def _place(self, layer: Layer) -> None:
        item = self._items[layer.id]
        item.setVisible(self.shows(layer))
        item.setOpacity(layer.opacity)
        clip = self.document.canvas.rect
        preview = self._previews.get(layer.id)
        if preview is not None:
            box, image = preview
            item.show_image(image, Rect.from_box(box), clip)
        else:
            item.show_image(self.image_of(layer) or QImage(), self.rect_of(layer), clip)

    def _unsettle(self) -> None:
        self._show_whole(False)
        self._timer.start()
        self.changed_on_screen.emit()

    def _settle(self) -> None:
        if self._moved or self._previews:
            return  # the end of the drag or of the job starts the timer again
        canvas, seen = self.document.canvas, self._seen
        layers = self._shown_layers()

        def done(rgba: np.ndarray) -> None:
            self._on_composite(rgba, seen)

        self._pictures.run(lambda: composite(layers, canvas.rect), done, lambda error: None)

    def _on_composite(self, rgba: np.ndarray, seen: object) -> None:
        if seen != self._seen or self._moved or self._previews:
            return
        rect = self.document.canvas.rect
        self._whole.show_image(to_qimage(rgba), rect, rect)
        self._show_whole(True)
        self.settled.emit()

    def _show_whole(self, shown: bool) -> None:
        self._whole.is_muted = not shown
        for item in self._items.values():
            item.is_muted = shown
        self.update()

    def _shown_layers(self) -> list[Layer]:
        """The layers as the screen shows them: solo counts, the document does not know it."""
        return [replace(layer, visible=self.shows(layer)) for layer in self.document.layers]

    def _what_is_seen(self) -> object:
        """Everything that the composite depends on: typing a prompt must not paint it again."""
        return (
            self.document.canvas,
            tuple(
                (
                    layer.id,
                    layer.pixel_hash,
                    layer.rect,
                    self.shows(layer),
                    layer.opacity,
                    layer.blend,
                )
                for layer in self.document.layers
            ),
        )

    def _on_solo(self) -> None:
        self._on_changed(self.document.revision)
