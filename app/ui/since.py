"""Since: when each layer's pixels became what they are, as far as this window saw it.

Not part of the document: a change of the clock's time must not change a file. Knows no widget.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QObject

from app.document.document import Document


class Since(QObject):
    """Notes the time whenever a layer's pixel hash is another one.

    Args:
        now: the local time.
    """

    def __init__(
        self,
        document: Document,
        parent: QObject | None = None,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._now = now
        self._known: dict[int, tuple[str | None, datetime]] = {}
        document.events.changed.connect(self._on_changed)
        document.events.reset.connect(self._on_reset)
        self._on_changed(0)

    def of(self, layer_id: int) -> datetime | None:
        """When the layer got its present pixels, or was opened; None where it has none."""
        pixel_hash, since = self._known.get(layer_id, (None, None))
        return None if pixel_hash is None else since

    def _on_reset(self) -> None:
        self._known.clear()
        self._on_changed(0)

    def _on_changed(self, revision: int) -> None:
        present = {layer.id: layer.pixel_hash for layer in self._document.layers}
        now = self._now()
        for layer_id, pixel_hash in present.items():
            if layer_id not in self._known or self._known[layer_id][0] != pixel_hash:
                self._known[layer_id] = (pixel_hash, now)
        for layer_id in set(self._known) - set(present):
            del self._known[layer_id]
