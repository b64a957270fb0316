"""Seeds and signs of layers: Copy, Pin and Use Seed, Mark as Current, Select Outdated."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from app.document.commands import KeepAsIs, SetSeed
from app.document.layer import Layer
from app.document.staleness import outdated
from app.ui.actions import Actions
from app.ui.panels.record_page import record_lines
from app.ui.session import Session
from app.ui.text import tr


def made_with(layer: Layer | None) -> int | None:
    """The seed of the present pixels, or None."""
    seed = None if layer is None or layer.record is None else layer.record.get("seed")
    return seed if isinstance(seed, int) else None


class MarksWiring(QObject):
    """Connects what a row's menu says about its seed and its age."""

    def __init__(self, session: Session, actions: Actions, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._actions = actions
        self._last: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset())
        for name, slot in (
            ("copy_seed", self.copy_seed),
            ("copy_record", self.copy_record),
            ("pin_seed", self.pin_seed),
            ("use_seed", self.use_seed),
            ("keep_as_is", self.keep_as_is),
            ("select_outdated", self.select_outdated),
            ("select_last", self.select_last),
        ):
            actions[name].triggered.connect(slot)
        session.selection.changed.connect(self._on_selected)
        session.document.events.changed.connect(self._on_changed)
        session.document.events.next_seeds_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Enable what is possible; say why the rest is not."""
        session, actions = self._session, self._actions
        layers = session.selection.layers()
        layer = session.selection.single()
        nothing = tr("no layer is selected") if not layers else tr("several layers are selected")
        has_seed = made_with(layer) is not None
        no_seed = "" if has_seed else (nothing if layer is None else tr("it was not generated"))
        actions.set_enabled("copy_seed", no_seed)
        actions.set_enabled("copy_record", no_seed)
        pinned = layer is not None and layer.seed is not None
        actions.set_enabled("pin_seed", "" if pinned else no_seed)
        actions.set_enabled("use_seed", tr("its seed is pinned") if pinned else no_seed)
        asked = layer is not None and session.document.next_seed(layer.id) is not None
        actions["use_seed"].setChecked(asked)
        actions["pin_seed"].setText(tr("Un&pin Seed") if pinned else tr("&Pin Seed"))
        stale = [item for item in layers if outdated(item, session.document.contents)]
        reason = "" if stale else tr("the selection is up to date")
        actions.set_enabled("keep_as_is", reason if layers else tr("no layer is selected"))
        some = "" if self._outdated() else tr("nothing is outdated")
        actions.set_enabled("select_outdated", some)
        actions.set_enabled(
            "select_last", "" if self._last[1] else tr("nothing was selected before")
        )

    def copy_seed(self) -> None:
        """The number that the present pixels were made with, to the clipboard."""
        seed = made_with(self._session.selection.single())
        if seed is not None:
            QApplication.clipboard().setText(str(seed))
            self._session.note(tr("Seed {0} copied.").format(seed))

    def copy_record(self) -> None:
        """How the present pixels were made, as text, to the clipboard."""
        layer = self._session.selection.single()
        if layer is not None:
            QApplication.clipboard().setText("\n".join(record_lines(layer)))
            self._session.note(
                tr("The recipe of '{0}' is on the clipboard.").format(
                    self._session.document.name_of(layer)
                )
            )

    def pin_seed(self) -> None:
        """Keep the layer's seed for all jobs to come, or let it go."""
        layer = self._session.selection.single()
        if layer is not None:
            seed = made_with(layer) if layer.seed is None else None
            self._session.push(SetSeed(layer.id, seed))

    def use_seed(self) -> None:
        """Give the layer the seed of its pixels once more, in its next job alone; or not."""
        layer, document = self._session.selection.single(), self._session.document
        if layer is not None:
            seed = made_with(layer) if document.next_seed(layer.id) is None else None
            document.set_next_seed(layer.id, seed)

    def keep_as_is(self) -> None:
        """Clear the sign of the selected layers."""
        ids = [layer.id for layer in self._session.selection.layers()]
        if ids:
            self._session.push(KeepAsIs(ids))

    def select_outdated(self) -> None:
        """Every layer with the sign."""
        self._session.selection.set(self._outdated())

    def select_last(self) -> None:
        """Switch between the last two selections."""
        self._session.selection.set(self._last[1])

    def _outdated(self) -> list[int]:
        contents = self._session.document.contents
        return [layer.id for layer in contents.layers if outdated(layer, contents)]

    def _on_selected(self) -> None:
        now = self._session.selection.ids
        if now and now != self._last[0]:
            self._last = (now, self._last[0])
        self.refresh()

    def _on_changed(self, revision: int) -> None:
        self.refresh()
