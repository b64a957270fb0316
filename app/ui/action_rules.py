"""When actions are enabled, checked, and what their menu texts are: functions of the state.

A rule for `enabled_when` returns why the action is disabled, half a sentence for its tooltip; ""
enables it.
"""

from __future__ import annotations

from collections.abc import Callable

from app.ui.app_state import AppState
from app.ui.text import number, tr

Rule = Callable[[AppState], str]
Check = Callable[[AppState], bool]


def needs(fact: Callable[[AppState], object], reason: str) -> Rule:
    """Enables where the fact is true."""
    return lambda state: "" if fact(state) else tr(reason)


def unlocked(name: Callable[[AppState], str]) -> Rule:
    """Enables where no locked layer has a name."""

    def rule(state: AppState) -> str:
        locked = name(state)
        return tr("'{0}' is locked").format(locked) if locked else ""

    return rule


def every(*rules: Rule) -> Rule:
    """Enables where all rules do; else the first reason counts."""
    return lambda state: next(filter(None, (rule(state) for rule in rules)), "")


# ---- selection ----

some_layer = needs(lambda state: state.selection.count, "no layer is selected")
some_foreground = every(
    some_layer, needs(lambda state: state.selection.foregrounds, "only the background is selected")
)
one_layer = every(
    some_layer, needs(lambda state: state.selection.count == 1, "several layers are selected")
)
unlocked_layers = every(unlocked(lambda state: state.selection.locked), some_layer)
_unlocked_foregrounds = unlocked(lambda state: state.selection.locked_foreground)
can_delete = every(some_foreground, _unlocked_foregrounds)
can_cut = every(
    needs(lambda state: not state.selection.has_background, "the background cannot be cut"),
    unlocked_layers,
)
can_align = every(
    needs(lambda state: state.selection.foregrounds, "no layer is selected"), _unlocked_foregrounds
)
can_distribute = every(
    can_align,
    needs(lambda state: state.selection.foregrounds > 2, "three or more layers must be selected"),
)
layer_with_pixels = every(
    some_layer, needs(lambda state: state.selection.has_pixels, "there are no pixels")
)
has_seed = every(
    one_layer, needs(lambda state: state.selection.seed is not None, "it was not generated")
)
can_reuse_seed = every(
    needs(lambda state: not state.selection.is_pinned, "its seed is pinned"), has_seed
)
selected_outdated = every(
    some_layer, needs(lambda state: state.selection.is_outdated, "the selection is up to date")
)
selected_before = needs(
    lambda state: not state.selection.was_empty_before, "nothing was selected before"
)


def can_pin(state: AppState) -> str:
    return "" if state.selection.is_pinned else has_seed(state)


def other_size(state: AppState) -> str:
    if not state.selection.count or state.selection.can_restore_size:
        return some_layer(state)
    return tr("the layer is locked") if state.selection.locked else tr("the layer has its own size")


def layer_or_solo(state: AppState) -> str:
    return "" if state.facts.has_solo else some_layer(state)


# ---- document, history, files ----

some_outdated = needs(lambda state: state.facts.has_outdated, "nothing is outdated")
can_undo = needs(lambda state: state.facts.undo is not None, "nothing to undo")
can_redo = needs(lambda state: state.facts.redo is not None, "nothing to redo")
was_saved = needs(lambda state: state.facts.has_path, "the picture was never saved")
was_exported = needs(lambda state: state.facts.has_exported, "nothing was exported yet")
some_recent = needs(lambda state: state.facts.has_recent, "there are no recent files")
keeps_work = needs(lambda state: state.facts.keeps_work, "no work is kept in this window")

# ---- jobs and results ----

is_running = needs(lambda state: state.facts.is_running, "nothing is running")
runs_or_waits = needs(
    lambda state: state.facts.has_waiting or state.facts.is_running, "nothing is running"
)
needs_restart = needs(lambda state: state.facts.needs_restart, "the engine answers")
some_result = needs(lambda state: state.results.count, "there are no results")
can_compare = every(
    some_result, needs(lambda state: state.results.comparable, "their layers are gone")
)
result_shown = needs(lambda state: state.results.is_shown, "the current picture is shown")
can_accept = every(
    needs(
        lambda state: not state.results.is_detached, "the layer that it was made for was deleted"
    ),
    result_shown,
    unlocked(lambda state: state.results.locked),
)
too_many_results = needs(lambda state: state.room.is_over, "there is room enough")


def can_generate(state: AppState) -> str:
    return state.offers.likely.reason


def can_offer(action: str) -> Rule:
    """Enables an action that chooses a kind of job."""
    return lambda state: state.offers.by_action[action].reason


# ---- checked ----


def has_background(state: AppState) -> bool:
    return state.facts.has_background


def uses_seed_once(state: AppState) -> bool:
    return state.selection.uses_seed_once


def has_blend(mode: str) -> Check:
    """Whether the topmost selected layer has this blend mode."""
    return lambda state: state.selection.blend == mode


def has_opacity(percent: int) -> Check:
    """Whether the topmost selected layer has this opacity."""
    return lambda state: state.selection.opacity == percent


# ---- texts ----


def undo_text(state: AppState) -> str:
    return _with_label(tr("&Undo"), state.facts.undo)


def redo_text(state: AppState) -> str:
    return _with_label(tr("&Redo"), state.facts.redo)


def visible_text(state: AppState) -> str:
    hides = state.selection.has_visible or not state.selection.count
    return tr("&Hide") if hides else tr("S&how")


def locked_text(state: AppState) -> str:
    return tr("Un&lock") if state.selection.all_locked else tr("&Lock")


def pin_text(state: AppState) -> str:
    return tr("Un&pin Seed") if state.selection.is_pinned else tr("&Pin Seed")


def generate_text(state: AppState) -> str:
    return _with_details(tr("&Generate"), state.offers.does, state.offers.likely.cost)


def offer_text(action: str, text: str) -> Rule:
    """The text of an action that chooses a kind of job, with how many layers and how long."""

    def rule(state: AppState) -> str:
        offer = state.offers.by_action[action]
        layers = tr("1 layer") if offer.count == 1 else tr("{0} layers").format(number(offer.count))
        return _with_details(tr(text), layers, offer.cost) if offer.count else tr(text)

    return rule


def trim_text(state: AppState) -> str:
    if not state.room.is_over:
        return tr("Delete Oldest &Unused Results")
    return tr("Delete {0} Oldest &Unused Results").format(number(state.room.unused))


def _with_label(word: str, label: str | None) -> str:
    # The name of a layer may hold an ampersand, which is no mnemonic.
    return f"{word} {(label or '').replace('&', '&&')}".rstrip()


def _with_details(text: str, *details: str) -> str:
    """A menu text, and in brackets what there is to say about it."""
    said = ", ".join(each for each in details if each).replace("&", "&&")
    return f"{text} ({said})" if said else text


# ---- boxes and things ----

names_things = needs(
    lambda state: state.facts.things, "the prompt names nothing that the model draws"
)
lacks_boxes = every(
    names_things, needs(lambda state: state.facts.missing, "every thing of the prompt has a box")
)


has_spare_boxes = every(
    needs(lambda state: state.facts.spare, "no box stays empty"),
    needs(
        lambda state: not state.facts.is_remote, "the list of things belongs to the built-in engine"
    ),
)


def repeats_things(state: AppState) -> bool:
    return state.facts.repeats_things


# ---- engines ----

some_failed = needs(lambda state: state.facts.has_failed, "no job has failed")


def uses_built_in(state: AppState) -> bool:
    return not state.facts.is_remote


def restart_text(state: AppState) -> str:
    return tr("Connect Aga&in") if state.facts.is_remote else tr("Restart Eng&ine")
