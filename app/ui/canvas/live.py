"""The live picture: the layers painted by Qt, only where something changed.

What is shown while something moves, until the exact composite is there. Entries go bottom to top;
while some of them move, what lies below and above them is kept as one picture each. Refers to
neither document nor widgets.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from app.document.geometry import Rect, Size

_MODES = QPainter.CompositionMode
MODES: dict[str, QPainter.CompositionMode] = {
    "multiply": _MODES.CompositionMode_Multiply,
    "screen": _MODES.CompositionMode_Screen,
    "overlay": _MODES.CompositionMode_Overlay,
    "darken": _MODES.CompositionMode_Darken,
    "lighten": _MODES.CompositionMode_Lighten,
    "color-dodge": _MODES.CompositionMode_ColorDodge,
    "color-burn": _MODES.CompositionMode_ColorBurn,
    "hard-light": _MODES.CompositionMode_HardLight,
    "soft-light": _MODES.CompositionMode_SoftLight,
    "difference": _MODES.CompositionMode_Difference,
    "add": _MODES.CompositionMode_Plus,
    "exclusion": _MODES.CompositionMode_Exclusion,
}
# With more of them in motion the pictures below and above would be kept for nothing.
_FEW = 16
_FORMAT = QImage.Format.Format_ARGB32_Premultiplied


@dataclass(frozen=True, slots=True, eq=False)
class LiveLayer:
    """One layer as it is painted."""

    key: int  # the layer's id
    # Equal tokens paint the same; `image` itself is not compared. It holds what `image` only
    # borrows.
    token: object
    image: QImage  # stretched over `rect`
    rect: Rect
    opacity: float = 1.0
    blend: str = "normal"

    def paints_like(self, other: LiveLayer) -> bool:
        return (self.token, self.rect, self.opacity, self.blend) == (
            other.token,
            other.rect,
            other.opacity,
            other.blend,
        )


class InteractiveCompositor:
    """Paints entries into `image`, the canvas, premultiplied; valid until the next `show`."""

    def __init__(self) -> None:
        self.image = QImage()
        self._entries: list[LiveLayer] = []
        self._below: tuple[tuple[LiveLayer, ...], QImage] | None = None
        self._above: tuple[tuple[LiveLayer, ...], QImage] | None = None

    def show(
        self, entries: Sequence[LiveLayer], canvas: Size, moving: Collection[int] = ()
    ) -> QRect:
        """Paint what differs, `moving` again soon; which part of the canvas it was."""
        whole = QRect(0, 0, canvas.width, canvas.height)
        entries = list(entries)
        if self.image.size() != whole.size():
            self.image = QImage(canvas.width, canvas.height, _FORMAT)
            self._below = self._above = None
            dirty = whole
        else:
            dirty = _difference(self._entries, entries).intersected(whole)
        entries = self._with_known_images(entries)
        before, self._entries = self._entries, entries
        if not dirty.isEmpty():
            changed = frozenset(moving) or _changed(before, entries)
            self._compose(dirty, _span(before, entries, changed))
        return dirty

    def adopt(self, image: QImage) -> None:
        """Go on from a better picture of the same entries: only what changes is painted by Qt."""
        if image.size() == self.image.size() and image.format() == _FORMAT:
            self.image = image

    def _with_known_images(self, entries: list[LiveLayer]) -> list[LiveLayer]:
        """Entries that paint as before stay the same objects: kept pictures are found by them."""
        known = {entry.key: entry for entry in self._entries}
        return [
            known[entry.key]
            if entry.key in known and entry.paints_like(known[entry.key])
            else entry
            for entry in entries
        ]

    def _compose(self, dirty: QRect, span: tuple[int, int] | None) -> None:
        """Paint `dirty`; what lies outside of `span` is kept as one picture below and one above."""
        entries = self._entries
        low, high = span or (0, len(entries))
        painter = QPainter(self.image)
        painter.setClipRect(dirty)
        painter.setCompositionMode(_MODES.CompositionMode_Source)
        if span is not None and low > 0:
            self._below = self._kept(self._below, tuple(entries[:low]))
            painter.drawImage(dirty, self._below[1], dirty)
        else:
            low = 0
            painter.fillRect(dirty, Qt.GlobalColor.transparent)
        for entry in entries[low:high]:
            _draw(painter, entry, dirty)
        above = tuple(entries[high:])
        if span is not None and len(above) > 1 and all(entry.blend not in MODES for entry in above):
            self._above = self._kept(self._above, above)
            painter.setCompositionMode(_MODES.CompositionMode_SourceOver)
            painter.setOpacity(1.0)
            painter.drawImage(dirty, self._above[1], dirty)
        else:
            for entry in above:
                _draw(painter, entry, dirty)
        painter.end()

    def _kept(
        self, known: tuple[tuple[LiveLayer, ...], QImage] | None, entries: tuple[LiveLayer, ...]
    ) -> tuple[tuple[LiveLayer, ...], QImage]:
        if known is not None and known[0] == entries:
            return known
        picture = QImage(self.image.size(), _FORMAT)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        for entry in entries:
            _draw(painter, entry, picture.rect())
        painter.end()
        return entries, picture


def _draw(painter: QPainter, entry: LiveLayer, dirty: QRect) -> None:
    rect = QRect(entry.rect.x, entry.rect.y, entry.rect.width, entry.rect.height)
    part = rect.intersected(dirty)
    if part.isEmpty() or entry.image.isNull():
        return
    painter.setCompositionMode(MODES.get(entry.blend, _MODES.CompositionMode_SourceOver))
    painter.setOpacity(entry.opacity)
    if entry.image.size() == rect.size():
        painter.drawImage(QPointF(part.topLeft()), entry.image, part.translated(-rect.topLeft()))
    else:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(QRectF(rect), entry.image, QRectF(entry.image.rect()))


def _span(
    before: Sequence[LiveLayer], after: Sequence[LiveLayer], changed: frozenset[int]
) -> tuple[int, int] | None:
    """Places between which something changes, end exclusive; None when it is all over."""
    if len(changed) > _FEW:
        return None
    places = [place for place, entry in enumerate(after) if entry.key in changed]
    if places:
        return places[0], places[-1] + 1
    present = {entry.key for entry in after}
    gone = [place for place, entry in enumerate(before) if entry.key not in present]
    # One that is hidden now may well come back: what was kept for it stays of use.
    return (gone[0], gone[0]) if len(gone) == 1 else None


def _changed(before: Sequence[LiveLayer], after: Sequence[LiveLayer]) -> frozenset[int]:
    """Keys of entries that came or are different: likely the next ones to be so again."""
    known = {id(entry) for entry in before}
    return frozenset(entry.key for entry in after if id(entry) not in known)


def _difference(before: Sequence[LiveLayer], after: Sequence[LiveLayer]) -> QRect:
    """The part of the canvas where the two lists look different."""
    old = {entry.key: (place, entry) for place, entry in enumerate(before)}
    new = {entry.key: (place, entry) for place, entry in enumerate(after)}
    dirty = QRect()
    for key in {**old, **new}:
        if key in old and key in new:
            same_order = old[key][0] == new[key][0] or len(old) != len(new)
            if same_order and old[key][1].paints_like(new[key][1]):
                continue
        for item in (old.get(key), new.get(key)):
            if item is not None:
                rect = item[1].rect
                dirty = dirty.united(QRect(rect.x, rect.y, rect.width, rect.height))
    if len(old) != len(new) and [key for key in old if key in new] != [
        key for key in new if key in old
    ]:
        for entry in after:
            rect = entry.rect
            dirty = dirty.united(QRect(rect.x, rect.y, rect.width, rect.height))
    return dirty
