"""Selection: which layers are selected, the same for canvas, list and menus.

Knows layer ids only.
"""

from __future__ import annotations

from app.document.layer import Layer
from app.ui.layer_ids import LayerIds


class Selection(LayerIds):
    """Selected layer ids."""

    def toggle(self, layer_id: int) -> None:
        """Add the layer, or take it out."""
        self.set(self._ids ^ {layer_id})

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
