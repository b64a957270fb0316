"""The window's state as one immutable value, and when it is computed again.

Actions, their texts and the Generate button depend on this value alone. Changes of document,
selection, jobs and results mark parts of it; the marked parts are computed once in the next turn
of the event loop, or earlier when something reads the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.document.candidates import is_over, oldest_unused, original_rects
from app.document.layer import Layer
from app.document.staleness import outdated
from app.session.jobs import Plan
from app.session.selection import Solo
from app.ui.likely import SCOPES, Likely, button_texts, likely, what_it_does
from app.ui.session import Session
from app.ui.stage import Stage
from app.ui.text import seconds, tr

_NEEDS_RESTART = ("failed", "stopped")


@dataclass(frozen=True, slots=True)
class SelectionState:
    """What the selected layers have in common."""

    count: int = 0  # layers with and without the background
    foregrounds: int = 0
    locked: str = ""  # name of the first locked one; "" = none is locked
    locked_foreground: str = ""
    has_background: bool = False
    has_pixels: bool = False
    has_visible: bool = False
    all_locked: bool = False
    blend: str | None = None  # of the topmost layer; opacity in percent; None = nothing is selected
    opacity: int | None = None
    # Some layer is shown at another size than its own and may be changed.
    can_restore_size: bool = False
    seed: int | None = None  # of the present pixels of a single layer
    is_pinned: bool = False  # of a single layer
    uses_seed_once: bool = False
    is_outdated: bool = False
    was_empty_before: bool = True  # no other layers were selected before these


@dataclass(frozen=True, slots=True)
class Facts:
    """Document, history, file and engine, as far as it takes one look."""

    has_background: bool = True
    has_outdated: bool = False
    undo: str | None = None  # label of the step that undo would take; None = there is none
    redo: str | None = None
    has_path: bool = False
    has_exported: bool = False
    has_recent: bool = False
    keeps_work: bool = False
    is_running: bool = False
    has_waiting: bool = False
    needs_restart: bool = False
    has_failed: bool = False  # a job that can be asked for again
    is_remote: bool = False  # a picture server draws, and not the program itself
    has_solo: bool = False  # some layers are shown alone
    things: int = 0  # that the prompt names
    missing: int = 0  # things without a box
    spare: int = 0  # boxes that stay empty
    repeats_things: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """One kind of job that could begin now."""

    count: int = 0  # layers that it would make
    cost: str = ""  # predicted time, "" where it is not known
    reason: str = ""  # why it cannot begin, "" where it can


@dataclass(frozen=True, slots=True)
class OfferState:
    """What could be generated now."""

    # What the Generate button asks for.
    choice: Likely = field(default_factory=lambda: Likely("picture"))
    does: str = ""  # what it does, in a few words
    texts: tuple[str, ...] = ()  # what the button may say, the longest first
    likely: Offer = Offer()  # the offer of the button
    # The offers of the actions that choose a kind of job.
    by_action: Mapping[str, Offer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResultState:
    """Results of the selection."""

    count: int = 0
    comparable: int = 0  # results that can be shown in the picture
    is_shown: bool = False  # one of them is shown in place of the current picture
    is_detached: bool = False  # its layer was deleted
    locked: str = ""  # name of a locked layer that it belongs to


@dataclass(frozen=True, slots=True)
class RoomState:
    """Whether there are more results than the settings allow, and how many could go."""

    is_over: bool = False
    unused: int = 0


@dataclass(frozen=True, slots=True)
class AppState:
    """All that actions depend on; each attribute is a part that is computed by itself."""

    selection: SelectionState = SelectionState()
    facts: Facts = Facts()
    offers: OfferState = OfferState()
    results: ResultState = ResultState()
    room: RoomState = RoomState()


PARTS = tuple(AppState.__dataclass_fields__)


def seed_of_pixels(layer: Layer | None) -> int | None:
    """The seed that the layer's present pixels were made with, or None."""
    seed = None if layer is None or layer.record is None else layer.record.get("seed")
    return seed if isinstance(seed, int) else None


def cost_text(session: Session, planned: Plan) -> str:
    """Predicted time of a job as text; "" where it is not known."""
    if not planned.targets:
        return ""
    value = session.bridge.seconds_for(planned.targets, planned.context)
    if value is None:
        return ""
    return f"≈ {seconds(max(0.1, value * session.document.settings.variations))}"


class StateStore(QObject):
    """Computes the state and announces what changed in it.

    Attributes:
        selected_before: ids that were selected before the present ones.
    """

    # state, parts: the state was computed; names of the parts that differ, maybe none.
    changed = Signal(object, object)

    def __init__(self, session: Session, stage: Stage, solo: Solo, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._stage = stage
        self._solo = solo
        self._marked: set[str] = set(PARTS)
        self._state = AppState()
        self._is_silent = False
        self._selections: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset())
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.flush)
        self._connect()
        self.flush()

    @property
    def selected_before(self) -> frozenset[int]:
        return self._selections[1]

    @property
    def state(self) -> AppState:
        self.flush()
        return self._state

    def mark(self, *parts: str) -> None:
        """Have these parts computed again, once for all changes of this turn of the event loop."""
        self._marked.update(parts)
        if not self._timer.isActive():
            self._timer.start()

    def flush(self) -> None:
        if not self._marked and not self._timer.isActive():
            return
        self._timer.stop()
        marked, self._marked = self._marked, set()
        new: dict[str, Any] = {part: getattr(self, f"_{part}_state")() for part in marked}
        differing = {key: value for key, value in new.items() if value != getattr(self._state, key)}
        if differing:
            self._state = replace(self._state, **differing)
        self.changed.emit(self._state, frozenset(differing))

    # ---- the parts ----

    def _selection_state(self) -> SelectionState:
        session = self._session
        document, layers = session.document, session.selection.layers()
        foregrounds = [layer for layer in layers if not layer.is_background]
        single = layers[0] if len(layers) == 1 else None
        top = layers[-1] if layers else None
        return SelectionState(
            count=len(layers),
            foregrounds=len(foregrounds),
            locked=document.locked_name(layers),
            locked_foreground=document.locked_name(foregrounds),
            has_background=len(foregrounds) < len(layers),
            has_pixels=any(layer.has_pixels for layer in layers),
            has_visible=any(layer.visible for layer in layers),
            all_locked=bool(layers) and all(layer.locked for layer in layers),
            blend=None if top is None else top.blend,
            opacity=None if top is None else round(top.opacity * 100),
            can_restore_size=bool(original_rects(layers)),
            seed=seed_of_pixels(single),
            is_pinned=single is not None and single.seed is not None,
            uses_seed_once=single is not None and document.next_seed(single.id) is not None,
            is_outdated=any(outdated(layer, document.contents) for layer in layers),
            was_empty_before=not self.selected_before,
        )

    def _facts_state(self) -> Facts:
        session, bridge = self._session, self._session.bridge
        contents, stack = session.document.contents, session.undo
        summary = bridge.summary()
        return Facts(
            has_background=contents.background_on,
            has_outdated=any(outdated(layer, contents) for layer in contents.layers),
            undo=stack.undo_text if stack.can_undo else None,
            redo=stack.redo_text if stack.can_redo else None,
            has_path=session.path is not None,
            has_exported=session.last_export is not None,
            has_recent=bool(session.settings.recent),
            keeps_work=session.keeper is not None,
            is_running=bridge.current is not None,
            has_waiting=bool(bridge.waiting),
            needs_restart=self._is_silent or bridge.state in _NEEDS_RESTART,
            has_failed=bridge.failed is not None,
            is_remote=session.servers.connections.in_use is not None,
            has_solo=bool(self._solo),
            things=len(summary.check.objects),
            missing=sum(thing.count or 1 for thing in summary.missing),
            spare=summary.spare,
            repeats_things=contents.settings.repeat_things,
        )

    def _offers_state(self) -> OfferState:
        session = self._session
        bridge, contents = session.bridge, session.document.contents
        selected = session.selection.ids
        plans = bridge.plans(selected)
        choice = likely(contents, selected, plans)
        offers = {
            name: self._offer(plans[scope], bridge.why_not(scope, selected))
            for name, scope in SCOPES.items()
        }
        if choice.scope == "selected" and choice.ids != selected:
            ids = choice.ids
            offer = self._offer(bridge.plan("selected", ids), bridge.why_not("selected", ids))
        else:
            offer = next(offers[name] for name, scope in SCOPES.items() if scope == choice.scope)
        return OfferState(
            choice,
            what_it_does(contents, choice, plans),
            button_texts(contents, choice, offer.cost, plans),
            offer,
            offers,
        )

    def _offer(self, planned: Plan, reason: str) -> Offer:
        return Offer(len(planned.targets), cost_text(self._session, planned), tr(reason))

    def _results_state(self) -> ResultState:
        stage, document = self._stage, self._session.document
        chosen = stage.chosen
        ids = [] if chosen is None else list(chosen.candidates)
        layers = [document.layer(layer_id) for layer_id in ids if document.has_layer(layer_id)]
        return ResultState(
            count=len(stage.choices),
            comparable=stage.num_comparable,
            is_shown=chosen is not None,
            is_detached=chosen is not None and chosen.detached is not None,
            locked=document.locked_name(layers),
        )

    def _room_state(self) -> RoomState:
        contents, bound = self._session.document.contents, self._session.candidate_bound
        if not is_over(contents, *bound):
            return RoomState()
        return RoomState(True, oldest_unused(contents, *bound).count)

    # ---- what changes them ----

    def _connect(self) -> None:
        session, stage = self._session, self._stage
        events, bridge = session.document.events, session.bridge
        for event, parts in (
            (events.changed, ("facts", "selection", "offers", "results")),
            (events.next_seeds_changed, ("selection",)),
            (session.undo.changed, ("facts",)),
            (self._solo.changed, ("facts",)),
            (bridge.job_changed, ("facts",)),
            (bridge.pace.costs_changed, ("offers",)),
            (session.servers.connections.changed, ("facts",)),
        ):
            event.connect(partial(self.mark, *parts), max_args=0)
        session.selection.changed.connect(self._on_selection)
        bridge.state_changed.connect(self._on_engine)
        bridge.pace.silence_changed.connect(self._on_silence)
        # Methods, and not lambdas: in Qt's signals a lambda would keep the session alive after its
        # window.
        session.path_changed.connect(self._on_file)
        session.exported.connect(self._on_file)
        stage.changed.connect(self._on_results)
        stage.shown.connect(self._on_results)

    def _on_file(self) -> None:
        self.mark("facts")

    def _on_results(self) -> None:
        self.mark("results", "room")

    def _on_selection(self) -> None:
        now = self._session.selection.ids
        if now and now != self._selections[0]:
            self._selections = (now, self._selections[0])
        self.mark("selection", "offers")

    def _on_engine(self, state: str) -> None:
        if state == "restarting":
            self._is_silent = False
        self.mark("facts", "offers")

    def _on_silence(self, level: str) -> None:
        self._is_silent = bool(level)
        self.mark("facts")
