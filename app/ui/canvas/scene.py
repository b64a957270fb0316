"""The canvas scene: one picture of the layers, in step with the document.

Shows what is not in the document yet as well: previews, candidates, a drag in progress. While
nothing of that is going on, the exact composite is computed off the UI thread and shown instead
of Qt's quick painting, so that the settled picture is what export would write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, QRect, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QGraphicsScene

from app.document import Box, Candidate, Document, Layer, Rect
from app.document.composite import Compositor
from app.session.selection import Solo
from app.ui.background import Worker
from app.ui.canvas.item import CanvasItem
from app.ui.canvas.live import InteractiveCompositor, LiveLayer
from app.ui.canvas.sharp import SharpPicture
from app.ui.widgets.images import to_qimage, wrapped

SETTLE_MS = 30
PICK_ALPHA = 13  # 5 % of 255


class CanvasScene(QGraphicsScene):
    """Items for the document's layers."""

    changed_on_screen = Signal()  # anything that the view draws over the items may be different
    settled = Signal()  # the exact composite is on the screen

    def __init__(
        self,
        document: Document,
        pictures: Worker,
        solo: Solo | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.document = document
        self._solo = Solo(document) if solo is None else solo
        self._pictures = pictures
        self._images: dict[int, tuple[str, QImage]] = {}
        self._previews: dict[int, tuple[Box, QImage]] = {}
        self._frozen: dict[int, tuple[Box, QImage]] = {}
        self._moved: dict[int, Rect] = {}
        self.moves_copies = False  # the drag in progress leaves the layers where they are
        self._staged: dict[int, Candidate] = {}
        self._seen: object = None
        self._live = InteractiveCompositor()
        self._sharp = SharpPicture(pictures, self._resting_layers, self)
        self._item = CanvasItem(self._sharp.paint)
        self._sharp.made.connect(self._item.update)
        self.addItem(self._item)
        self._is_settled = False
        self._compositor = Compositor()
        # Where the screen may differ from the exact picture; None = everywhere.
        self._inexact: QRect | None = None
        self._timer = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._timer.timeout.connect(self._settle)
        document.events.changed.connect(self._on_changed)
        self._solo.changed.connect(self._on_changed)
        self._on_changed()

    @property
    def is_settled(self) -> bool:
        """Whether the screen shows exactly what export would write."""
        return self._is_settled

    def shows(self, layer: Layer) -> bool:
        """Whether the layer is on the screen: its eye, or solo."""
        return self._solo.shows(layer)

    def rect_of(self, layer: Layer) -> Rect:
        """Where the layer is on the screen: the drag in progress counts."""
        if layer.id in self._moved:
            return self._moved[layer.id]
        staged = self._staged.get(layer.id)
        if staged is None:
            return layer.rect
        return staged.rect if layer.is_background else staged.rect.centred_on(layer.rect)

    @property
    def staged_ids(self) -> frozenset[int]:
        return frozenset(self._staged)

    def has_preview(self, layer_id: int) -> bool:
        return layer_id in self._previews

    def show_moved(self, rects: dict[int, Rect], *, copies: bool = False) -> None:
        """Show layers, or copies of them, elsewhere during a drag; an empty dict ends it."""
        if rects or self._moved:
            self._moved, self.moves_copies = dict(rects), copies
            self._unsettle()

    def show_preview(self, layer_id: int, box: Box, rgba: np.ndarray) -> None:
        """A rough picture of a target, stretched over its box."""
        if self.document.has_layer(layer_id):
            self._previews[layer_id] = (box, to_qimage(rgba))
            # During a drag previews wait for its end.
            if not self._moved:
                self._unsettle()

    def clear_previews(self) -> None:
        if self._previews:
            self._previews = {}
            self._unsettle()

    def show_staged(self, candidates: Mapping[int, Candidate]) -> None:
        """Show candidates in the places of their layers; an empty mapping ends it."""
        if candidates or self._staged:
            self._staged = dict(candidates)
            self._unsettle()

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

    def _on_changed(self) -> None:
        shown = self._what_is_seen()
        if shown == self._seen:
            self.changed_on_screen.emit()  # names and locks are in the overlay
            return
        self._seen = shown
        canvas = self.document.canvas
        present = {layer.id for layer in self.document.layers}
        for known in (self._images, self._previews, self._frozen, self._staged, self._moved):
            for layer_id in [key for key in known if key not in present]:
                del known[layer_id]
        self.setSceneRect(0, 0, canvas.width, canvas.height)
        self._unsettle()

    def _entries(self) -> list[LiveLayer]:
        entries = []
        for layer in self.document.layers:
            if self.shows(layer) and (entry := self._entry(layer)) is not None:
                if self.moves_copies and layer.id in self._moved:  # no layer has such a key
                    entries.append(replace(entry, key=-entry.key, rect=layer.rect))
                entries.append(entry)
        return entries

    def _entry(self, layer: Layer) -> LiveLayer | None:
        staged, preview = self._staged.get(layer.id), self._frozen.get(layer.id)
        token: object = layer.image
        image, rect = None, self.rect_of(layer)
        if staged is not None:
            token, image = staged.image, wrapped(staged.pixels)
        elif preview is not None:
            box, image = preview
            token, rect = image.cacheKey(), Rect.from_box(box)
        else:
            image = self._image_of(layer)
        if image is None:
            return None
        return LiveLayer(layer.id, token, image, rect, layer.opacity, layer.blend)

    def _image_of(self, layer: Layer) -> QImage | None:
        """The layer's pixels for Qt; a converted copy only of those that move."""
        if layer.pixels is None or layer.pixel_hash is None:
            return None
        if layer.id not in self._moved:
            return wrapped(layer.pixels)
        known = self._images.get(layer.id)
        if known is None or known[0] != layer.pixel_hash:
            known = self._images[layer.id] = (layer.pixel_hash, to_qimage(layer.pixels))
        return known[1]

    def _unsettle(self) -> None:
        """Show the live picture, painted again only where it is different."""
        moving = set(self._moved) or {*self._previews, *self._staged}
        if not self._moved:
            self._images.clear()
            self._frozen = dict(self._previews)
        canvas = self.document.canvas
        dirty = self._live.show(self._entries(), canvas, moving)
        if self._inexact is not None:
            self._inexact = self._inexact.united(dirty)
        self._is_settled = False
        self._item.is_rough = bool(self._moved)
        self._item.show_image(self._live.image, dirty)
        self._timer.start()
        self.changed_on_screen.emit()

    def _settle(self) -> None:
        if self._moved or self._previews or self._staged:
            return  # the end of the drag or of the job starts the timer again
        canvas, seen = self.document.canvas, self._seen
        layers = self._shown_layers()

        def paint() -> QImage:  # converted here as well, to spare the UI thread
            return to_qimage(self._compositor.composite(layers, canvas.rect))

        def done(image: QImage) -> None:
            self._on_composite(image, seen)

        self._pictures.run(paint, done)

    def _on_composite(self, image: QImage, seen: object) -> None:
        if seen != self._seen or self._moved or self._previews or self._staged:
            return
        self._is_settled = True
        self._item.is_rough = False
        self._item.show_image(image, self._inexact)
        self._live.adopt(image)
        self._inexact = QRect()
        self.settled.emit()

    def _shown_layers(self) -> list[Layer]:
        """The layers as the screen shows them: solo counts, which is no part of the document."""
        return [replace(layer, visible=self.shows(layer)) for layer in self.document.layers]

    def _resting_layers(self) -> list[Layer] | None:
        return self._shown_layers() if self._is_settled else None

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
