"""A request's entries on the token grid."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from engine.api import LayerRequest
from engine.layout import region_ids


@dataclass(frozen=True, slots=True)
class Region:
    """An entry of a request: where it stands in the layer list, and its tokens."""

    request: LayerRequest
    index: int  # in the layer list: RoPE's first axis
    scale: int  # grid cells between the tokens' centres
    size: tuple[int, int]  # (h, w) tokens

    @property
    def count(self) -> int:
        return self.size[0] * self.size[1]

    def ids(self, token_px: int) -> Tensor:
        """(count, 3) positions where the region lies."""
        return region_ids(self.index, self.request.box, token_px, self.scale, self.size)
