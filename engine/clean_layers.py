"""The finished layers of a request as the transformer reads them, through the region token cache.

Shapes: M clean tokens of all finished layers, L finished layers, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from engine.cache import Key, PixelHashes, RegionTokenCache
from engine.layout import inner_coordinates, region_ids
from engine.model.packing import KeyValue, KeyValueBuffer
from engine.model.recogniser import layer_features
from engine.model.rope import rotate
from engine.pixels import resample, to_premultiplied
from engine.regions import Region
from engine.weights import Model


@dataclass(frozen=True, slots=True)
class CleanLayers:
    """Keys rotated to where the layers are, a buffer per block; and (1, L, F) `layer_features`."""

    keys: list[KeyValueBuffer]
    features: Tensor


class CleanReader:
    """Finished layers -> keys and values; what the cache has is not computed again.

    Args:
        model: on `device` already.
    """

    def __init__(self, model: Model, cache: RegionTokenCache, device: torch.device) -> None:
        self.model, self.cache, self.device = model, cache, device
        self._hashes = PixelHashes()

    def read(
        self, context: Sequence[Region], room: int, check: Callable[[], None]
    ) -> CleanLayers | None:
        """All finished layers of a request; None where there are none.

        The last request's are kept joined: who makes one layer anew and anew asks for the same.

        Args:
            room: text and image tokens of the longest pass that is going to read them.
            check: called before each layer; may raise to cancel.
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
        if isinstance(known, CleanLayers):
            return known
        art, token_px = self.model.art, self.model.autoencoder.token_px
        ids = torch.cat([region.ids(token_px) for region in context])[None].to(self.device)
        # All blocks at once: joined one by one they took a twentieth of an edit of ten layers.
        keys = rotate(torch.cat([entry.k for entry in stored], dim=2), art.rotations(ids))
        values = torch.cat([entry.v for entry in stored], dim=2)  # (blocks, heads, M, head_dim)
        features = torch.stack([layer_features(entry.v) for entry in stored])[None]
        k, v = _with_room(keys, room), _with_room(values, room)
        blocks, length = len(keys), keys.shape[2]
        buffers = [KeyValueBuffer(k[i : i + 1], v[i : i + 1], length) for i in range(blocks)]
        joined = CleanLayers(buffers, features)
        size = k.nbytes + v.nbytes + features.nbytes
        self.cache.keep_joined((room, wanted), joined, size)
        return joined

    def entry(self, region: Region) -> KeyValue:
        """What the cache keeps of one finished layer; computed where it is not there."""
        return self.cache.get(self._key(region), partial(self._compute, region))

    def _key(self, region: Region) -> Key:
        pixels = region.request.pixels
        assert pixels is not None
        return (self.model.file_hash, self._hashes.of(pixels), *region.size, region.scale)

    def _compute(self, region: Region) -> KeyValue:
        """One clean layer through the network, at the origin: its place does not matter."""
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
        stored = self.model.art.clean(
            tokens, ids[None].to(self.device), inner[None].to(self.device)
        )
        # Copies of their own: as views they would keep the queries in memory, uncounted.
        return KeyValue(torch.cat([kv.k for kv in stored]), torch.cat([kv.v for kv in stored]))


def _with_room(x: Tensor, room: int) -> Tensor:
    """(blocks, heads, M, head_dim) -> (blocks, heads, M + room, head_dim), the end not yet set."""
    blocks, heads, length, head_dim = x.shape
    buffer = x.new_empty(blocks, heads, length + room, head_dim)
    buffer[:, :, :length] = x
    return buffer
