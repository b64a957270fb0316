"""Layer ids: a set of layers of one document that is no part of it; ids that are gone drop out.

What selection and solo have in common.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from app.document.document import Document


class LayerIds(QObject):
    """Ids of layers, in no order that matters.

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
        """Take exactly these, as far as the document has them."""
        wanted = frozenset(ids) & frozenset(layer.id for layer in self._document.layers)
        if wanted != self._ids:
            self._ids = wanted
            self.changed.emit()

    def clear(self) -> None:
        """Take none."""
        self.set(())

    def _on_layer_removed(self, layer_id: int) -> None:
        if layer_id in self._ids:
            self._ids -= {layer_id}
            self.changed.emit()
