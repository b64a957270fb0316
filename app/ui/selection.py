"""Selection: which layers are selected, the same for canvas, list and menus.

Knows layer ids only; ids of layers that are gone drop out by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from app.document.document import Document
from app.document.layer import Layer


class Selection(QObject):
    """Selected layer ids, in no order that matters.

    Signals:
        changed(): other ids than before.
    """

    changed = Signal()

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
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
        """Select exactly these layers."""
        wanted = frozenset(ids)
        present = frozenset(layer.id for layer in self._document.layers)
        wanted &= present
        if wanted != self._ids:
            self._ids = wanted
            self.changed.emit()

    def toggle(self, layer_id: int) -> None:
        """Add the layer, or take it out."""
        self.set(self._ids ^ {layer_id})

    def clear(self) -> None:
        """Select nothing."""
        self.set(())

    def layers(self) -> list[Layer]:
        """The selected layers, bottom to top."""
        return [layer for layer in self._document.layers if layer.id in self._ids]

    def foregrounds(self) -> list[Layer]:
        """The selected layers without the background, bottom to top."""
        return [layer for layer in self.layers() if not layer.is_background]

    def single(self) -> Layer | None:
        """The selected layer when it is only one."""
        layers = self.layers()
        return layers[0] if len(layers) == 1 else None

    def top(self) -> Layer | None:
        """The topmost selected layer."""
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

    def _on_layer_removed(self, layer_id: int) -> None:
        if layer_id in self._ids:
            self._ids -= {layer_id}
            self.changed.emit()
