"""What the Generate button does, computed from document and selection. Pure; uses no widget.

It fills and repaints as little as it can: it never paints finished layers again that the user has
not pointed at, as long as there is anything else to do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app.document import Contents, Layer
from app.document.words import shown_name
from app.session.jobs import Plan, Scope, plans
from app.ui.text import number, tr

Plans = Mapping[Scope, Plan]
_LONGEST_NAME = 16
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
