"""Solo: show some layers alone for a moment. View state: no undo step, never saved (LY1).

Export and generation know nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from app.document.document import Document
from app.document.layer import Layer


class Solo(QObject):
    """Which layers are shown alone; none = everything as the eyes say.

    Signals:
        changed(): other layers than before.
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

    def __bool__(self) -> bool:
        return bool(self._ids)

    def toggle(self, ids: Iterable[int]) -> None:
        """Show only these; the same ones again bring the rest back."""
        wanted = frozenset(ids)
        self._set(frozenset() if wanted == self._ids else wanted)

    def clear(self) -> None:
        """Show what the eyes say."""
        self._set(frozenset())

    def shows(self, layer: Layer) -> bool:
        """Whether the canvas shows the layer now."""
        return layer.id in self._ids if self._ids else layer.visible

    def _set(self, ids: frozenset[int]) -> None:
        if ids != self._ids:
            self._ids = ids
            self.changed.emit()

    def _on_layer_removed(self, layer_id: int) -> None:
        self._set(self._ids - {layer_id})
