"""Candidates: strip, canvas, keys and menu work on one stage; accepting is one command."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt

from app.document.candidates import candidate_load, is_over, oldest_unused
from app.document.commands import DiscardCandidates
from app.session.jobs import Message
from app.session.settings import HIGHEST
from app.ui.actions import Actions
from app.ui.canvas.compare import ComparePage
from app.ui.canvas.scene import CanvasScene
from app.ui.canvas.view import CanvasView
from app.ui.frames import bring_forward
from app.ui.panels.candidate_strip import CandidateStrip
from app.ui.panels.inspector import Inspector
from app.ui.panels.layer_list import LayerPanel
from app.ui.session import Session
from app.ui.stage import Stage
from app.ui.text import number, tr


class CandidatesWiring(QObject):
    """Connects stage, strip, canvas and compare page."""

    def __init__(
        self,
        session: Session,
        actions: Actions,
        stage: Stage,
        strip: CandidateStrip,
        compare: ComparePage,
        scene: CanvasScene,
        view: CanvasView,
        layers: LayerPanel,
        inspector: Inspector,
    ) -> None:
        super().__init__(strip)
        self._session = session
        self._actions = actions
        self._stage = stage
        self._strip = strip
        self._compare = compare
        self._scene = scene
        self._view = view
        self._layers = layers
        self._inspector = inspector
        self._was_over = False
        layers.model.new_count = inspector.new_count = stage.new_count
        for name, slot in (
            ("candidate_next", lambda: stage.step(1)),
            ("candidate_previous", lambda: stage.step(-1)),
            ("accept", self.accept),
            ("discard", self.discard),
            ("discard_all", stage.discard_all),
            ("compare", compare.open),
            ("trim_candidates", self.trim),
            ("raise_bound", self.raise_bound),
            ("pane_candidates", self._focus_strip),
        ):
            actions[name].triggered.connect(slot)
        strip.list.left.connect(view.setFocus)
        compare.opened.connect(lambda: strip.set_covered(True))
        compare.closed.connect(lambda: strip.set_covered(False))
        compare.closed.connect(view.setFocus)
        view.enter_pressed.connect(self.accept)
        view.layer_opened.connect(self._open)
        view.before_held.connect(stage.hold_before)
        stage.changed.connect(self._on_stage)
        stage.shown.connect(self._on_shown)
        self._on_stage()

    def _open(self) -> None:
        """3.4: a double click renames the layer; the background, which lies everywhere, opens."""
        layer = self._session.selection.single()
        if layer is None or layer.is_background:
            bring_forward(self._inspector)
        else:
            bring_forward(self._layers)
            self._actions["rename"].trigger()

    def accept(self) -> None:
        """Take what is shown in place."""
        if self._stage.accept():
            self._session.note(tr("Accepted. The previous result stays in the strip."))

    def discard(self) -> None:
        """Take the shown one, or the selected ones, out of the strip."""
        self._stage.discard(self._strip.list.places() or [self._stage.place])

    def trim(self) -> None:
        """The oldest unused ones go, as one step; undo brings them back."""
        gone = oldest_unused(self._session.document.contents, *self._bound)
        if gone.count:
            self._session.push(DiscardCandidates(gone.hashes, gone.detached))

    def raise_bound(self) -> None:
        """Twice as many, until what is there fits; nothing of the document changes."""
        settings = self._session.settings
        count, size = candidate_load(self._session.document.contents)
        while settings.candidates < min(count, HIGHEST["candidates"]):
            settings.candidates = min(2 * settings.candidates, HIGHEST["candidates"])
        most = HIGHEST["candidates_mb"]
        while settings.candidates_mb << 20 < size and settings.candidates_mb < most:
            settings.candidates_mb = min(2 * settings.candidates_mb, most)
        self.check_bound()
        self._session.note(
            tr("A picture now keeps up to {0} results or {1} MB before it asks.").format(
                number(settings.candidates), number(settings.candidates_mb)
            )
        )

    def check_bound(self) -> None:
        """Ask once the bound is passed; nothing is deleted without a click."""
        contents = self._session.document.contents
        over = is_over(contents, *self._bound)
        count = oldest_unused(contents, *self._bound).count if over else 0
        text = tr("Delete {0} Oldest &Unused Results").format(number(count))
        self._actions["trim_candidates"].setText(
            text if over else tr("Delete Oldest &Unused Results")
        )
        if over and not self._was_over:
            found, size = candidate_load(contents)
            self._session.notified.emit(
                Message(
                    kind="warning",
                    what=tr("This picture keeps {0} results ({1} MB).").format(
                        number(found), number(size // 2**20)
                    ),
                    kept=tr("All of them are kept."),
                    advice=tr("Delete the {0} oldest unused ones, or keep more.").format(
                        number(count)
                    ),
                    action="trim_candidates",
                    other_action="raise_bound",
                )
            )
        self._was_over = over
        reason = "" if over else tr("there is room enough")
        for name in ("trim_candidates", "raise_bound"):
            self._actions.set_enabled(name, reason)

    @property
    def _bound(self) -> tuple[int, int]:
        """How many candidates, and how many bytes of them (3.5)."""
        settings = self._session.settings
        return settings.candidates, settings.candidates_mb << 20

    def show_before(self) -> bool:
        """A rung of the Esc ladder.

        Returns:
            whether something else was shown.
        """
        if self._compare.isVisible():
            self._compare.close_page()
            return True
        if self._stage.place:
            self._stage.show_place(0)
            return True
        return False

    def _focus_strip(self) -> None:
        """3.6: a strip without results is folded away; who asks for it is told what it is for."""
        if not self._stage.choices:
            self._session.note(
                tr(
                    "Results for the selected layer collect here. "
                    "Nothing is deleted unless you say so."
                )
            )
            return
        self._strip.list.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_stage(self) -> None:
        actions, stage = self._actions, self._stage
        none = "" if stage.choices else tr("there are no results")
        for name in ("candidate_next", "candidate_previous", "discard_all"):
            actions.set_enabled(name, none)
        actions.set_enabled(
            "compare", "" if stage.num_comparable else none or tr("their layers are gone")
        )
        self._layers.model.refresh()
        self._inspector.refresh()
        self.check_bound()
        self._on_shown()

    def _on_shown(self) -> None:
        stage = self._stage
        reason = "" if stage.chosen else tr("the current picture is shown")
        if stage.chosen is not None and stage.chosen.detached is not None:
            reason = tr("the layer that it was made for was deleted")
        elif stage.chosen is not None:
            document = self._session.document
            locked = [key for key in stage.chosen.candidates if document.layer(key).locked]
            if locked:
                name = document.name_of(document.layer(locked[0]))
                reason = tr("'{0}' is locked").format(name)
        self._actions.set_enabled("accept", reason)
        self._actions.set_enabled("discard", "" if stage.chosen else reason)
        self._scene.show_staged(stage.visible)
