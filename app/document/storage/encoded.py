"""The PNG bytes of pictures that were written before, so that nothing is encoded twice.

Pixels never change, so their bytes do not either. Kept within a budget, oldest use out first, and
gone with the picture itself. May be used from any thread.
"""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

from app.document.pixels import Pixels
from app.document.storage.png import encode_png

BUDGET_BYTES = 64 * 1024**2


class Encoded:
    """A picture as PNG.

    Attributes:
        data: the bytes; the same for the same pixels.
        is_proved: they were decoded once and gave the pixels back. Comparing bytes is enough then.
    """

    __slots__ = ("data", "is_proved")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.is_proved = False


class EncodedPictures:
    """Encodes each picture once.

    Args:
        budget_bytes: how many PNG bytes are kept; one larger picture is encoded each time.
    """

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self._budget = budget_bytes
        self._lock = threading.Lock()
        self._kept: WeakKeyDictionary[Pixels, Encoded] = WeakKeyDictionary()

    @property
    def kept_bytes(self) -> int:
        """How many PNG bytes are kept now."""
        with self._lock:
            return self._size()

    def png(self, image: Pixels) -> Encoded:
        """The picture as PNG, encoded now or before."""
        with self._lock:
            known = self._kept.pop(image, None)
            if known is not None:
                self._kept[image] = known  # the latest use stands last
                return known
        made = Encoded(encode_png(image.array))
        with self._lock:
            self._kept[image] = made
            for oldest in list(self._kept):
                if self._size() <= self._budget:
                    break
                del self._kept[oldest]
        return made

    def _size(self) -> int:
        return sum(len(each.data) for each in self._kept.values())


shared = EncodedPictures()
