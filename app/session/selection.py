"""What a window notes about layers outside of the document: selection, solo, and timestamps.

No undo step and no part of a file. Ids of layers that are gone drop out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from psygnal import Signal

from app.document import Document, Layer
from app.document.document import emit


class LayerIds:
    """A set of layers of one document. Its event `changed` comes with other ids than before."""

    changed = Signal()

    def __init__(self, document: Document) -> None:
        self._document = document
        self._ids: frozenset[int] = frozenset()
        document.events.layer_removed.connect(self._on_layer_removed)
        document.events.reset.connect(self.clear)

    @property
    def ids(self) -> frozenset[int]:
        return self._ids

    def __contains__(self, layer_id: int) -> bool:
        return layer_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def set(self, ids: Iterable[int]) -> None:
        """Take exactly these, as far as the document has them."""
        wanted = frozenset(ids) & frozenset(layer.id for layer in self._document.layers)
        if wanted != self._ids:
            self._ids = wanted
            emit(self.changed)

    def clear(self) -> None:
        self.set(())

    def _on_layer_removed(self, layer_id: int) -> None:
        if layer_id in self._ids:
            self._ids -= {layer_id}
            emit(self.changed)


class Selection(LayerIds):
    """Which layers are selected, the same for canvas, list and menus."""

    def layers(self) -> list[Layer]:
        return [layer for layer in self._document.layers if layer.id in self._ids]

    def foregrounds(self) -> list[Layer]:
        """The selected layers without the background, bottom to top."""
        return [layer for layer in self.layers() if not layer.is_background]

    def single(self) -> Layer | None:
        layers = self.layers()
        return layers[0] if len(layers) == 1 else None

    def top(self) -> Layer | None:
        layers = self.layers()
        return layers[-1] if layers else None

    def step(self, towards_front: bool) -> None:
        """Select the next layer up or down; from nothing, the top or the bottom one."""
        layers = self._document.layers
        if not layers:
            return
        if not self._ids:
            self.set([layers[-1 if towards_front else 0].id])
            return
        places = [index for index, layer in enumerate(layers) if layer.id in self._ids]
        place = places[-1] + 1 if towards_front else places[0] - 1
        self.set([layers[min(max(place, 0), len(layers) - 1)].id])


class Solo(LayerIds):
    """Which layers the canvas shows alone; none = as the eyes say. Export ignores it."""

    def toggle(self, ids: Iterable[int]) -> None:
        wanted = frozenset(ids)
        self.set(() if wanted == self.ids else wanted)

    def turn(self, ids: Iterable[int], shown: bool) -> None:
        """Add layers to what is shown alone, or take them out; without the last one solo ends."""
        self.set(self.ids | frozenset(ids) if shown else self.ids - frozenset(ids))

    def shows(self, layer: Layer) -> bool:
        """Whether the canvas shows the layer now."""
        return layer.id in self.ids if self.ids else layer.visible


class LayerTimestamps:
    """When each layer's pixels became what they are, as far as this window saw it."""

    def __init__(self, document: Document, now: Callable[[], datetime] = datetime.now) -> None:
        self._document = document
        self._now = now
        self._known: dict[int, tuple[str | None, datetime]] = {}
        document.events.layers_changed.connect(self._follow)
        document.events.reset.connect(self._on_reset)
        self._follow()

    def of(self, layer_id: int) -> datetime | None:
        """When the layer got its present pixels, or was opened; None where it has none."""
        pixel_hash, since = self._known.get(layer_id, (None, None))
        return None if pixel_hash is None else since

    def _on_reset(self) -> None:
        self._known.clear()
        self._follow()

    def _follow(self) -> None:
        present = {layer.id: layer.pixel_hash for layer in self._document.layers}
        now = self._now()
        for layer_id, pixel_hash in present.items():
            if layer_id not in self._known or self._known[layer_id][0] != pixel_hash:
                self._known[layer_id] = (pixel_hash, now)
        for layer_id in set(self._known) - set(present):
            del self._known[layer_id]
