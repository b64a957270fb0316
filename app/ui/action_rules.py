"""When actions are enabled, checked, and what their menu texts are: functions of the state's parts.

The names of a rule's parameters are the parts of `AppState` that it depends on; it is called again
only when one of them changes. A rule for `enabled_when` returns why the action is disabled, half a
sentence for its tooltip; "" enables it.
"""

from __future__ import annotations

from collections.abc import Callable

from app.ui.app_state import (
    DocumentState,
    FileState,
    HistoryState,
    JobState,
    Offer,
    OfferState,
    ResultState,
    RoomState,
    SelectionState,
)
from app.ui.text import number, tr

Rule = Callable[..., str]
Check = Callable[..., bool]


def parts_of(rule: Callable[..., object]) -> tuple[str, ...]:
    """The parts of the state that a rule depends on: the names of its parameters."""
    code = rule.__code__
    return code.co_varnames[: code.co_argcount]


# ---- selection ----


def some_layer(selection: SelectionState) -> str:
    return "" if selection.count else tr("no layer is selected")


def some_foreground(selection: SelectionState) -> str:
    if selection.foregrounds:
        return ""
    return tr("only the background is selected") if selection.count else tr("no layer is selected")


def one_layer(selection: SelectionState) -> str:
    if selection.count == 1:
        return ""
    return tr("several layers are selected") if selection.count else tr("no layer is selected")


def unlocked_layers(selection: SelectionState) -> str:
    return _why_locked(selection.locked) or some_layer(selection)


def can_delete(selection: SelectionState) -> str:
    return some_foreground(selection) or _why_locked(selection.locked_foreground)


def can_cut(selection: SelectionState) -> str:
    if selection.has_background:
        return tr("the background cannot be cut")
    return unlocked_layers(selection)


def can_align(selection: SelectionState) -> str:
    if not selection.foregrounds:
        return tr("no layer is selected")
    return _why_locked(selection.locked_foreground)


def can_distribute(selection: SelectionState) -> str:
    few = "" if selection.foregrounds > 2 else tr("three or more layers must be selected")
    return can_align(selection) or few


def layer_with_pixels(selection: SelectionState) -> str:
    return some_layer(selection) or ("" if selection.has_pixels else tr("there are no pixels"))


def has_seed(selection: SelectionState) -> str:
    if selection.seed is not None:
        return ""
    return one_layer(selection) or tr("it was not generated")


def can_pin(selection: SelectionState) -> str:
    return "" if selection.is_pinned else has_seed(selection)


def can_reuse_seed(selection: SelectionState) -> str:
    return tr("its seed is pinned") if selection.is_pinned else has_seed(selection)


def selected_outdated(selection: SelectionState) -> str:
    up_to_date = "" if selection.is_outdated else tr("the selection is up to date")
    return some_layer(selection) or up_to_date


def selected_before(selection: SelectionState) -> str:
    return tr("nothing was selected before") if selection.was_empty_before else ""


def other_size(selection: SelectionState) -> str:
    if not selection.count or selection.can_restore_size:
        return some_layer(selection)
    return tr("the layer is locked") if selection.locked else tr("the layer has its own size")


def layer_or_solo(selection: SelectionState, solo: bool) -> str:
    return "" if solo else some_layer(selection)


def _why_locked(name: str) -> str:
    return tr("'{0}' is locked").format(name) if name else ""


# ---- document, history, files ----


def some_outdated(document: DocumentState) -> str:
    return "" if document.has_outdated else tr("nothing is outdated")


def can_undo(history: HistoryState) -> str:
    return tr("nothing to undo") if history.undo is None else ""


def can_redo(history: HistoryState) -> str:
    return tr("nothing to redo") if history.redo is None else ""


def was_saved(files: FileState) -> str:
    return "" if files.has_path else tr("the picture was never saved")


def was_exported(files: FileState) -> str:
    return "" if files.has_exported else tr("nothing was exported yet")


def some_recent(files: FileState) -> str:
    return "" if files.has_recent else tr("there are no recent files")


def keeps_work(files: FileState) -> str:
    return "" if files.keeps_work else tr("no work is kept in this window")


# ---- jobs ----


def is_running(jobs: JobState) -> str:
    return "" if jobs.is_running else tr("nothing is running")


def runs_or_waits(jobs: JobState) -> str:
    return "" if jobs.has_waiting else is_running(jobs)


def needs_restart(jobs: JobState) -> str:
    return "" if jobs.needs_restart else tr("the engine answers")


def can_generate(offers: OfferState) -> str:
    return offers.likely.reason


def can_fill(offers: OfferState) -> str:
    return offers.by_action["generate_empty"].reason


def can_repaint(offers: OfferState) -> str:
    return offers.by_action["regenerate"].reason


def can_repaint_outdated(offers: OfferState) -> str:
    return offers.by_action["generate_outdated"].reason


def can_paint_all(offers: OfferState) -> str:
    return offers.by_action["generate_all"].reason


# ---- results ----


def some_result(results: ResultState) -> str:
    return "" if results.count else tr("there are no results")


def can_compare(results: ResultState) -> str:
    if results.comparable:
        return ""
    return some_result(results) or tr("their layers are gone")


def result_shown(results: ResultState) -> str:
    return "" if results.is_shown else tr("the current picture is shown")


def can_accept(results: ResultState) -> str:
    if results.is_detached:
        return tr("the layer that it was made for was deleted")
    return result_shown(results) or _why_locked(results.locked)


def too_many_results(room: RoomState) -> str:
    return "" if room.is_over else tr("there is room enough")


# ---- checked ----


def background_on(document: DocumentState) -> bool:
    return document.has_background


def uses_seed_once(selection: SelectionState) -> bool:
    return selection.uses_seed_once


def has_blend(mode: str) -> Check:
    """Whether the topmost selected layer has this blend mode."""

    def check(selection: SelectionState) -> bool:
        return selection.blend == mode

    return check


def has_opacity(percent: int) -> Check:
    """Whether the topmost selected layer has this opacity."""

    def check(selection: SelectionState) -> bool:
        return selection.opacity == percent

    return check


# ---- texts ----


def undo_text(history: HistoryState) -> str:
    return _with_label(tr("&Undo"), history.undo)


def redo_text(history: HistoryState) -> str:
    return _with_label(tr("&Redo"), history.redo)


def visible_text(selection: SelectionState) -> str:
    hides = selection.has_visible or not selection.count
    return tr("&Hide") if hides else tr("S&how")


def locked_text(selection: SelectionState) -> str:
    return tr("Un&lock") if selection.all_locked else tr("&Lock")


def pin_text(selection: SelectionState) -> str:
    return tr("Un&pin Seed") if selection.is_pinned else tr("&Pin Seed")


def generate_text(offers: OfferState) -> str:
    return _with_details(tr("&Generate"), offers.does, offers.likely.cost)


def fill_text(offers: OfferState) -> str:
    return _offer_text(tr("&Fill Empty Boxes"), offers.by_action["generate_empty"])


def repaint_text(offers: OfferState) -> str:
    return _offer_text(tr("R&epaint Selected"), offers.by_action["regenerate"])


def repaint_outdated_text(offers: OfferState) -> str:
    return _offer_text(tr("Repaint &Outdated"), offers.by_action["generate_outdated"])


def paint_all_text(offers: OfferState) -> str:
    return _offer_text(tr("Paint Ever&ything"), offers.by_action["generate_all"])


def trim_text(room: RoomState) -> str:
    if not room.is_over:
        return tr("Delete Oldest &Unused Results")
    return tr("Delete {0} Oldest &Unused Results").format(number(room.unused))


def _offer_text(text: str, offer: Offer) -> str:
    layers = tr("1 layer") if offer.count == 1 else tr("{0} layers").format(number(offer.count))
    return _with_details(text, layers, offer.cost) if offer.count else text


def _with_label(word: str, label: str | None) -> str:
    # The name of a layer may hold an ampersand, which is no mnemonic.
    return f"{word} {(label or '').replace('&', '&&')}".rstrip()


def _with_details(text: str, *details: str) -> str:
    """A menu text, and in brackets what there is to say about it."""
    said = ", ".join(each for each in details if each).replace("&", "&&")
    return f"{text} ({said})" if said else text
