"""Solo: show some layers alone for a moment. View state: no undo step, never saved.

Export and generation know nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.document.layer import Layer
from app.ui.layer_ids import LayerIds


class Solo(LayerIds):
    """Which layers are shown alone; none = everything as the eyes say."""

    def toggle(self, ids: Iterable[int]) -> None:
        """Show only these; the same ones again bring the rest back."""
        wanted = frozenset(ids)
        self.set(() if wanted == self.ids else wanted)

    def turn(self, ids: Iterable[int], shown: bool) -> None:
        """Add layers to what is shown alone, or take them out; without the last one solo ends."""
        self.set(self.ids | frozenset(ids) if shown else self.ids - frozenset(ids))

    def shows(self, layer: Layer) -> bool:
        """Whether the canvas shows the layer now."""
        return layer.id in self.ids if self.ids else layer.visible
