"""Context layers: the finished layers of a request, encoded through the region token cache.

Shapes: M tokens of all context layers, L context layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from engine.cache import Key, PixelHashes, RegionTokenCache
from engine.layout import Region
from engine.models.art.assignment import layer_features
from engine.models.art.attention import KeyValue, KeyValueBuffer, rotate
from engine.models.art.positions import ids_of, inner_coordinates, region_ids
from engine.models.checkpoint import Model
from engine.pixels import resample, to_premultiplied


@dataclass(frozen=True, slots=True)
class ContextLayers:
    """Keys rotated to where the layers are, a buffer per block; and (1, L, F) `layer_features`."""

    keys: list[KeyValueBuffer]
    features: Tensor


class ContextEncoder:
    """Finished layers -> keys and values; cached layers are not encoded again."""

    def __init__(self, model: Model, cache: RegionTokenCache, device: torch.device) -> None:
        self.model, self.cache, self.device = model, cache, device
        self._hashes = PixelHashes()

    def read(
        self, context: Sequence[Region], room: int, check: Callable[[], None]
    ) -> ContextLayers | None:
        """All finished layers of a request; None where there are none.

        Those of the last request are kept joined: repeated edits of a layer ask for the same.
        `room` is for the tokens of the longest pass; `check` is called before each layer and may
        raise.
        """
        if not context:
            return None
        stored, wanted = [], []
        for region in context:
            check()
            key = self._key(region)
            stored.append(self.cache.get(key, partial(self._compute, region)))
            wanted.append((key, region.index, region.request.box))
        known = self.cache.joined((room, wanted))
        if isinstance(known, ContextLayers):
            return known
        art, token_px = self.model.art, self.model.autoencoder.token_px
        ids = torch.cat([ids_of(region, token_px) for region in context])[None].to(self.device)
        # All blocks in one operation: block by block took 5 % of an edit of ten layers.
        keys = rotate(torch.cat([entry.k for entry in stored], dim=2), art.rotations(ids))
        values = torch.cat([entry.v for entry in stored], dim=2)  # (blocks, heads, M, head_dim)
        features = torch.stack([layer_features(entry.v) for entry in stored])[None]
        k, v = _with_room(keys, room), _with_room(values, room)
        blocks, length = len(keys), keys.shape[2]
        buffers = [KeyValueBuffer(k[i : i + 1], v[i : i + 1], length) for i in range(blocks)]
        joined = ContextLayers(buffers, features)
        size = k.nbytes + v.nbytes + features.nbytes
        self.cache.keep_joined((room, wanted), joined, size)
        return joined

    def entry(self, region: Region) -> KeyValue:
        """The cache's entry of one finished layer; computed where it is missing."""
        return self.cache.get(self._key(region), partial(self._compute, region))

    def _key(self, region: Region) -> Key:
        pixels = region.request.pixels
        assert pixels is not None
        return (self.model.file_hash, self._hashes.of(pixels), *region.size, region.scale)

    def _compute(self, region: Region) -> KeyValue:
        """One layer through the network, at the origin: its place does not matter."""
        pixels = region.request.pixels
        assert pixels is not None
        rgba = to_premultiplied(pixels)
        h, w = region.size
        token_px = self.model.autoencoder.token_px
        rgba = resample(rgba, (h * token_px, w * token_px))
        tensor = torch.from_numpy(rgba).movedim(-1, 0).to(self.device)
        tokens = self.model.autoencoder.encode([tensor])[None]  # (1, n, C)
        step = token_px * region.scale
        ids = region_ids(0, (0, 0, w * step, h * step), token_px, region.scale, region.size)
        inner = inner_coordinates(h, w)
        stored = self.model.art.encode_context(
            tokens, ids[None].to(self.device), inner[None].to(self.device)
        )
        # Copies, because views would keep the queries in memory, uncounted.
        return KeyValue(torch.cat([kv.k for kv in stored]), torch.cat([kv.v for kv in stored]))


def _with_room(x: Tensor, room: int) -> Tensor:
    """(blocks, heads, M, head_dim) -> (blocks, heads, M + room, head_dim), the end not yet set."""
    blocks, heads, length, head_dim = x.shape
    buffer = x.new_empty(blocks, heads, length + room, head_dim)
    buffer[:, :, :length] = x
    return buffer
