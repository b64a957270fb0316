"""Imported pictures: back to their own size, and a question before one is repainted."""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.document.candidates import original_of
from app.document.commands import SetRects
from app.document.geometry import Rect
from app.document.layer import Layer
from app.document.words import shown_name
from app.session.jobs import Message
from app.ui.actions import Actions
from app.ui.dialogs import questions
from app.ui.session import Session
from app.ui.text import tr


class ImportedWiring(QObject):
    """Connects "Original Size" and asks before an imported picture is replaced."""

    def __init__(self, session: Session, actions: Actions, window: QWidget) -> None:
        super().__init__(window)
        self._session = session
        self._actions = actions
        self._window = window
        self._allowed: set[int] = set()
        actions["original_size"].triggered.connect(self.original_size)
        session.selection.changed.connect(self.refresh)
        session.document.events.changed.connect(self._on_changed)
        self.refresh()

    def refresh(self) -> None:
        """Enable "Original Size" for layers that are shown at another one."""
        layers = self._session.selection.layers()
        reason = "" if layers else tr("no layer is selected")
        if layers and not _original_rects(layers):
            reason = tr("the layer has its own size")
            if any(layer.locked for layer in layers):
                reason = tr("the layer is locked")
        self._actions.set_enabled("original_size", reason)

    def original_size(self) -> None:
        """Every pixel of the picture, around the same middle; one step."""
        rects = _original_rects(self._session.selection.layers())
        if rects:
            self._session.push(SetRects(rects, tr("Original Size of")))

    def tell_scaled(self, layers: list[Layer]) -> None:
        """Pictures that came in larger than the canvas: what was done, and the way back."""
        if not layers:
            return
        names = ", ".join(f"'{shown_name(layer)}'" for layer in layers)
        self._session.notified.emit(
            Message(
                kind="news",
                what=tr("Scaled down to fit the canvas: {0}.").format(names),
                kept=tr("The full size is kept."),
                advice=tr("Original Size shows every pixel."),
                action="original_size",
            )
        )

    def may_replace(self, ids: Collection[int], go_on: Callable[[], None]) -> bool:
        """Whether these layers may be repainted at once.

        An imported picture is asked about, once for each; "Repaint" then calls `go_on`.
        """
        asked = [
            layer
            for layer in self._session.bridge.plan("selected", ids).targets
            if layer.kind == "imported" and layer.id not in self._allowed
        ]
        if not asked:
            return True

        def allowed() -> None:
            self._allowed.update(layer.id for layer in asked)
            go_on()

        names = ", ".join(f"'{shown_name(layer)}'" for layer in asked)
        questions.ask(
            self._window,
            tr("Repaint"),
            tr("Replace the imported picture {0} by a generated one?").format(names),
            tr("The imported pixels stay among the layer's results, and undo brings them back."),
            [(tr("Repaint"), allowed)],
        )
        return False

    def _on_changed(self, revision: int) -> None:
        self.refresh()


def _original_rects(layers: list[Layer]) -> dict[int, Rect]:
    """Where layers would be at their own size, of those that are not and may be changed."""
    found = {}
    for layer in layers:
        original = original_of(layer)
        if original is None or layer.locked or layer.is_background:
            continue
        x, y = layer.rect.centre
        width, height = original.image.width, original.image.height
        if (width, height) != (layer.rect.width, layer.rect.height):
            found[layer.id] = Rect(x - width // 2, y - height // 2, width, height)
    return found
