"""What the Generate button does, and which of several quick presses are one. Uses no widget.

It fills and repaints as little as it can: it never paints finished layers again that the user has
not pointed at, as long as there is anything else to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from app.document import Contents, Layer
from app.document.words import shown_name
from app.session.jobs import Plan, Scope, plans
from app.ui.text import number, tr

Plans = Mapping[Scope, Plan]
_LONGEST_NAME = 16
QUICK_S = 1.0  # between presses that belong together
# The actions that ask for one kind of job, whatever is likely.
SCOPES: dict[str, Scope] = {
    "regenerate": "selected",
    "generate_empty": "empty",
    "generate_outdated": "outdated",
    "generate_all": "picture",
}


@dataclass(frozen=True, slots=True)
class Likely:
    """What one press of Generate asks for; `ids` with scope "selected"."""

    scope: Scope
    ids: frozenset[int] = frozenset()


def is_finished(layer: Layer) -> bool:
    """Whether the layer has pixels that the model made. Imported pictures are not to repaint."""
    return layer.kind == "generated" and layer.has_pixels


def likely(
    contents: Contents, selected: Collection[int] = (), planned: Plans | None = None
) -> Likely:
    """What the user most likely wants of Generate.

    In this order: the whole picture while nothing is finished; the selected layers if all of them
    are finished; the empty boxes; a background without pixels; with nothing selected the layers
    that are outdated; everything.

    Args:
        planned: of this document and selection, where they are known.
    """
    planned = plans(contents, selected) if planned is None else planned
    if not any(is_finished(layer) for layer in contents.layers):
        return Likely("picture")
    chosen = planned["selected"].targets
    if chosen and all(is_finished(layer) for layer in chosen):
        return Likely("selected", frozenset(layer.id for layer in chosen))
    if planned["empty"].targets:
        return Likely("empty")
    ground = contents.background
    can_paint = contents.background_on and ground.visible and not ground.locked
    if can_paint and not ground.has_pixels:
        return Likely("selected", frozenset({contents.background.id}))
    if not selected and planned["outdated"].targets:
        return Likely("outdated")
    return Likely("picture")


def targets_of(
    contents: Contents, choice: Likely, planned: Plans | None = None
) -> tuple[Layer, ...]:
    """The layers that the job would make, bottom to top."""
    planned = plans(contents, choice.ids) if planned is None else planned
    if choice.scope != "selected":
        return planned[choice.scope].targets
    return tuple(
        layer
        for layer in contents.layers
        if layer.id in choice.ids and layer.visible and not layer.locked
    )


def what_it_does(contents: Contents, choice: Likely, planned: Plans | None = None) -> str:
    """What the job would do, in a few words: "Fill 1 box", "Repaint 'cake'", "Paint everything"."""
    targets = targets_of(contents, choice, planned)
    is_background = [layer.is_background for layer in targets] == [True]
    if choice.scope == "picture":
        is_first = not any(is_finished(layer) for layer in contents.layers)
        return tr("Generate") if is_first else tr("Paint everything")
    if all(not layer.has_pixels for layer in targets):
        if is_background or not targets:
            return tr("Paint the background")
        if len(targets) == 1:
            return tr("Fill 1 box")
        return tr("Fill {0} boxes").format(number(len(targets)))
    if is_background:
        return tr("Repaint the background")
    if len(targets) == 1:
        return tr("Repaint '{0}'").format(_short(shown_name(targets[0])))
    return tr("Repaint {0} layers").format(number(len(targets)))


def button_texts(
    contents: Contents, choice: Likely, cost: str = "", planned: Plans | None = None
) -> tuple[str, ...]:
    """What the button may say, the longest first; a cost of "" is not known."""
    count = len(targets_of(contents, choice, planned))
    what = what_it_does(contents, choice, planned)
    if not count:
        return (what,)
    if not contents.prompt.strip():
        long = tr("{0} without prompt").format(what)
        return _with_cost([long, what], cost)
    if choice.scope == "picture":
        layers = tr("1 layer") if count == 1 else tr("{0} layers").format(number(count))
        return _with_cost([f"{what} · {layers}", what], cost)
    return _with_cost([what], cost)


def _with_cost(texts: Sequence[str], cost: str) -> tuple[str, ...]:
    with_cost = [f"{text} · {cost}" for text in texts] if cost else []
    return (*with_cost, *texts)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip() + "…"


# ---- presses ----
# A double click, a held key or fifteen quick clicks must not throw the running job away, and not
# repaint what the first click has just filled.


@dataclass(frozen=True, slots=True)
class Press:
    """One press."""

    at: float  # monotonic seconds
    does: str  # what it asks for, in words
    state: object  # what the user had set up then, see `user_state`
    # Whether the user chose it by name; the Generate button chooses itself.
    is_explicit: bool = False


def user_state(contents: Contents, selected: Collection[int]) -> object:
    """What the user sets up for a job. Results that come in do not change it."""
    layers = tuple(
        (layer.id, layer.rect, layer.visible, layer.locked, layer.seed) for layer in contents.layers
    )
    return contents.canvas, contents.prompt, contents.settings, frozenset(selected), layers


def why_held(last: Press | None, now: Press, *, is_running: bool) -> str:
    """Why a press after the last one starts nothing, as a sentence; "" where it counts."""
    if last is None or now.at - last.at >= QUICK_S or now.state != last.state:
        return ""
    if is_running:
        if now.does != last.does:
            return ""
        return tr("Already generating. Stop ends the job; Queue Next runs it again afterwards.")
    if now.does != last.does and not now.is_explicit:
        return tr("The job has just ended. Press again to continue: {0}.").format(now.does)
    return ""


class Presses:
    """The last press, and the clock in monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._last: Press | None = None

    def why_held(
        self, does: str, state: object, *, is_running: bool, is_explicit: bool = False
    ) -> str:
        """Take a press; see the function `why_held`. Quick presses hold the next ones as well."""
        now = Press(self.clock(), does, state, is_explicit)
        reason = why_held(self._last, now, is_running=is_running)
        # A held press is still the one before: it keeps what that one asked for.
        self._last = now if not reason or self._last is None else replace(self._last, at=now.at)
        return reason
