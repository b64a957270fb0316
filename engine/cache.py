"""RegionTokenCache: keys and values of finished layers, so that an edit computes only its target.

An entry depends on the model, the layer's pixels and its size in tokens, and on nothing else: not
on its place, its order, the prompt, the noise level or the other layers (`docs/art.md` 6.3, rules
1 to 5). So moving by whole cells, reordering, hiding, undo and duplicates all find it again.
Independent of documents and of the sampler.
"""

from __future__ import annotations

import hashlib
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.models.art.attention import KeyValue

Entry = KeyValue  # of all blocks: (blocks, heads, n, head_dim) each, keys not yet rotated
Key = tuple[str, str, int, int, int]  # model hash, pixel hash, h, w in tokens, scale


def pixel_hash(rgba: np.ndarray) -> str:
    """SHA-256 over width, height and bytes of (h, w, 4) uint8."""
    h, w = rgba.shape[:2]
    digest = hashlib.sha256(f"{w}x{h}".encode())
    digest.update(np.ascontiguousarray(rgba).data)
    return digest.hexdigest()


class PixelHashes:
    """Hashes of read-only arrays, kept as long as the arrays live.

    A document hands over the same read-only arrays with every edit, and hashing them takes time.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[np.ndarray], str]] = {}

    def of(self, rgba: np.ndarray) -> str:
        number = id(rgba)
        known = self._known.get(number)
        if known is not None and known[0]() is rgba:
            return known[1]
        value = pixel_hash(rgba)
        if not rgba.flags.writeable and rgba.base is None:  # a view's owner may still write

            def forget(_: object) -> None:
                self._known.pop(number, None)

            self._known[number] = weakref.ref(rgba, forget), value
        return value


@dataclass(frozen=True, slots=True)
class CacheStats:
    """Counters since the start, and what is held now."""

    hits: int
    misses: int
    evictions: int
    entries: int
    bytes: int
    budget_bytes: int


class RegionTokenCache:
    """Least-recently-used entries within a byte budget; used on the engine thread only.

    An entry larger than the whole budget is computed, used and not kept. One value that was joined
    from several entries is kept too; it counts towards the budget and is dropped at the next miss.
    """

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._entries: OrderedDict[Key, tuple[Entry, int]] = OrderedDict()
        self._bytes = self._hits = self._misses = self._evictions = 0
        self._joined: tuple[object, object, int] | None = None  # key, what was joined, bytes

    def get(self, key: Key, compute: Callable[[], Entry]) -> Entry:
        """The entry of `key`, computed and kept when it is not there."""
        found = self._entries.get(key)
        if found is not None:
            self._hits += 1
            self._entries.move_to_end(key)
            return found[0]
        self._misses += 1
        self._joined = None  # of other entries, or of this one before it went
        entry = compute()
        size = entry.k.nbytes + entry.v.nbytes
        if size <= self.budget_bytes:
            self._entries[key] = (entry, size)
            self._bytes += size
            while self._bytes > self.budget_bytes:
                _, (_, freed) = self._entries.popitem(last=False)
                self._bytes -= freed
                self._evictions += 1
        return entry

    def joined(self, key: object) -> object | None:
        """What `keep_joined` got with this key last; one of another key is forgotten."""
        if self._joined is not None and self._joined[0] != key:
            self._joined = None
        return None if self._joined is None else self._joined[1]

    def keep_joined(self, key: object, joined: object, size: int) -> None:
        """Keep what was joined from entries, `size` bytes, if it fits with them."""
        self._joined = (key, joined, size) if self._bytes + size <= self.budget_bytes else None

    def clear(self) -> None:
        """Forget all entries and what was joined of them; the counters stay."""
        self._entries.clear()
        self._joined = None
        self._bytes = 0

    def stats(self) -> CacheStats:
        return CacheStats(
            hits=self._hits,
            misses=self._misses,
            evictions=self._evictions,
            entries=len(self._entries),
            bytes=self._bytes + (0 if self._joined is None else self._joined[2]),
            budget_bytes=self.budget_bytes,
        )
