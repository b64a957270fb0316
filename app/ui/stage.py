"""Preview of results: which ones the selection has, and which one is shown in place.

Looking changes nothing; only accepting is a command on the document. Uses no widget.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from app.document import Candidate, Document
from app.document.candidates import Choice, choices
from app.document.commands import DiscardCandidates, UseCandidates
from app.session.selection import Selection
from app.session.undo import UndoStack
from app.ui.text import number, tr

_DETACHED = 0  # no layer has this id
_Key = tuple[frozenset[int], tuple[tuple[int, tuple[Candidate, ...]], ...]]


class Stage(QObject):
    """The choices of the selection, newest first; place 0 is the document as it is ("Current")."""

    changed = Signal()  # other choices, or other ones are new
    shown = Signal()  # another one is shown in place

    def __init__(
        self,
        document: Document,
        selection: Selection,
        undo: UndoStack,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._undo = undo
        self._new: dict[int, frozenset[str]] = {}
        self._is_held = False
        self._key: _Key | None = None
        self.choices: tuple[Choice, ...] = ()  # see `app.document.candidates`
        self.place = 0  # which one is shown, 0 = Current
        selection.changed.connect(self.refresh)
        document.events.layers_changed.connect(self.refresh)
        document.events.reset.connect(self._on_reset)
        self.refresh()

    @property
    def chosen(self) -> Choice | None:
        return self.choices[self.place - 1] if 0 < self.place <= len(self.choices) else None

    @property
    def num_comparable(self) -> int:
        """How many can be shown in the picture; the detached ones, which cannot, come last."""
        return sum(choice.detached is None for choice in self.choices)

    @property
    def visible(self) -> dict[int, Candidate]:
        """What the canvas shows instead of the layers' own pixels, by layer id."""
        chosen = None if self._is_held else self.chosen
        return {} if chosen is None else dict(chosen.candidates)

    @property
    def text(self) -> str:
        """ "Preview 2 of 4"; "" while the document is shown."""
        if self.chosen is None:
            return ""
        if self.chosen.detached is not None:
            return tr("Detached: its layer was deleted")
        return tr("Preview {0} of {1}").format(number(self.place), number(len(self.choices)))

    def new_count(self, layer_id: int) -> int:
        """Results of the layer that were neither accepted nor discarded yet."""
        return len(self._new.get(layer_id, ()))

    def is_new(self, choice: Choice) -> bool:
        return any(
            item.pixel_hash in self._new.get(layer_id, ())
            for layer_id, item in choice.candidates.items()
        )

    def use_count(self, choice: Choice) -> int:
        """Layers that show pixels of the choice now: it and its duplicates."""
        hashes = set(choice.hashes.values())
        return sum(1 for layer in self._document.layers if layer.pixel_hash in hashes)

    def show_place(self, place: int) -> None:
        """Show one in place; 0 = Current."""
        place = min(max(place, 0), len(self.choices))
        if place != self.place:
            self.place = place
            self.shown.emit()

    def step(self, by: int) -> None:
        if self.choices:
            self.show_place((self.place + by) % (len(self.choices) + 1))

    def hold_before(self, held: bool) -> None:
        """Show Current for as long as a key is held."""
        if held != self._is_held:
            self._is_held = held
            self.shown.emit()

    def accept(self, place: int | None = None) -> bool:
        """Take one as one undo step, the others stay; whether the document changed."""
        if place is not None:
            self.show_place(place)
        chosen = self.chosen
        if chosen is None or chosen.detached is not None:
            return False
        ids = list(chosen.candidates)
        self.show_place(0)
        if not self._undo.push(UseCandidates(chosen.hashes)):
            return False
        for layer_id in ids:
            self._new.pop(layer_id, None)
        self._key = None
        self.refresh()
        return True

    def discard(self, places: Iterable[int]) -> bool:
        """Take some out of the strip, as one undo step."""
        hashes: dict[int, list[str]] = {}
        detached: list[str] = []
        for place in places:
            if 0 < place <= len(self.choices):
                choice = self.choices[place - 1]
                for layer_id, pixel_hash in choice.hashes.items():
                    hashes.setdefault(layer_id, []).append(pixel_hash)
                if choice.detached is not None:
                    detached.append(choice.detached.pixel_hash)
        if not (hashes or detached):
            return False
        self.show_place(0)
        return self._undo.push(DiscardCandidates(hashes, detached))

    def discard_all(self) -> bool:
        return self.discard(range(1, len(self.choices) + 1))

    def arrived(self, candidates: dict[int, Candidate]) -> None:
        """Results came in that wait for an answer: the first of them shows itself."""
        for layer_id, item in candidates.items():
            if self._document.has_layer(layer_id):
                self._new[layer_id] = self._new.get(layer_id, frozenset()) | {item.pixel_hash}
        self._key = None
        self.refresh()
        if self.place == 0:
            for place, choice in enumerate(self.choices, start=1):
                if self.is_new(choice):
                    self.show_place(place)
                    break

    def refresh(self) -> None:
        """Look at the document and the selection again; what is shown stays shown if it can."""
        chosen = self.chosen
        contents, selected = self._document.contents, self._selection.ids
        lists = [(layer.id, layer.candidates) for layer in contents.layers]
        key = (selected, (*lists, (_DETACHED, contents.detached)))
        if self._key is not None and _is_same(self._key, key):
            return
        self._key = key
        found = choices(contents, selected)
        self._forget_answered()
        if found != self.choices:
            self.choices = found
            place = found.index(chosen) + 1 if chosen in found else 0
            if place != self.place or chosen is not None:
                self.place = place
                self.shown.emit()
        self.changed.emit()

    def _forget_answered(self) -> None:
        for layer in self._document.layers:
            if layer.id in self._new:
                present = {item.pixel_hash for item in layer.candidates}
                self._new[layer.id] &= present
        gone = [key for key, left in self._new.items() if not left]
        for layer_id in gone:
            del self._new[layer_id]

    def _on_reset(self) -> None:
        self._new.clear()
        self._key = None
        self.refresh()


def _is_same(one: _Key, other: _Key) -> bool:
    """Compared by identity: tuples of candidates are shared until they change."""
    return (
        one[0] == other[0]
        and len(one[1]) == len(other[1])
        and all(a[0] == b[0] and a[1] is b[1] for a, b in zip(one[1], other[1], strict=True))
    )
