"""The line under the prompt: what it draws, what it does not, and which boxes are left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLocale

from app.session.prompt_summary import PromptSummary
from app.session.things import MAX_READ, PromptObject
from app.ui.text import isolated, number, tr


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked part of the prompt: characters, what the pointer over it says, and a better word."""

    start: int
    end: int
    tip: str
    better: str = ""  # "" = there is none


@dataclass(frozen=True, slots=True)
class PromptLine:
    """What the line says, and the action of its button."""

    full: str = ""
    short: str = ""  # where there is no room for all of it
    is_warning: bool = False
    nothing_drawn: bool = False
    actions: Sequence[str] = ()  # that help; the button triggers one, or shows them as a menu
    button: str = ""  # text of the button; "" = no button


def line_of(summary: PromptSummary, *, repeats: bool = False) -> PromptLine:
    """The line for a prompt.

    Args:
        repeats: boxes for which the prompt names nothing are filled.
    """
    check = summary.check
    is_drawn = bool(check.objects or check.background)
    if check.undrawable and not is_drawn:
        short = tr("The model draws none of these things.")
        full = tr("The model draws none of these things. Generating would ignore the prompt.")
        return PromptLine(full, short, is_warning=True, nothing_drawn=True)
    troubles = _troubles(summary)
    notes = _reading(summary)
    boxes, actions, button = _boxes(summary, repeats)
    drawn = [_drawn(summary)] if is_drawn else []
    full = " · ".join((*troubles, *boxes, *notes, *drawn))
    short = " · ".join((*troubles, *boxes)) or full
    return PromptLine(full, short, bool(troubles), False, actions, button)


def marks_of(summary: PromptSummary) -> list[Mark]:
    """The words that the model does not draw or that were misspelt, with what to write instead."""
    check = summary.check
    marks = []
    for word in check.undrawable:
        tip = tr("'{0}': {1}.").format(isolated(word.typed), tr(word.reason))
        marks.append(_mark(*word.span, tip, word.nearest or ""))
    for typo in check.misspelt:
        tip = tr("Read as '{0}'.").format(typo.suggestion)
        marks.append(_mark(*typo.span, tip, typo.suggestion))
    for place in check.further_backgrounds:
        marks.append(Mark(*place.span, tr("A picture has one background.")))
    if check.unread_span is not None:
        tip = tr("Only the first {0} words are read.").format(number(MAX_READ))
        marks.append(Mark(*check.unread_span, tip))
    return marks


def _mark(start: int, end: int, tip: str, better: str) -> Mark:
    advice = " " + tr("Press Tab or right-click for '{0}'.").format(better) if better else ""
    return Mark(start, end, tip + advice, better)


def _troubles(summary: PromptSummary) -> list[str]:
    check, parts = summary.check, []
    typed = (*(each.typed for each in check.undrawable), *summary.foreign)
    if typed:
        words = ", ".join(dict.fromkeys(map(isolated, typed)))
        parts.append(tr("Not drawn by this model: {0}").format(words))
    if check.further_backgrounds:
        words = ", ".join(dict.fromkeys(isolated(each.typed) for each in check.further_backgrounds))
        parts.append(tr("A picture has one background; not used: {0}").format(words))
    if check.unread:
        parts.append(tr("Only the first {0} words are read.").format(number(MAX_READ)))
    return parts


def _reading(summary: PromptSummary) -> list[str]:
    return [
        tr("'{0}' is read as '{1}'").format(isolated(each.typed), each.suggestion)
        for each in summary.check.misspelt
    ]


def _boxes(summary: PromptSummary, repeats: bool) -> tuple[list[str], Sequence[str], str]:
    """What is said of the boxes, and the actions and text of the button that helps."""
    things = summary.check.objects
    if not things:
        return [], (), ""
    if not summary.boxes:
        return [], ["suggest_layout"], tr("Place boxes")
    if summary.missing:
        listed = _listed(summary.missing)
        count = sum(thing.count or 1 for thing in summary.missing)
        button = tr("Add a box") if count == 1 else tr("Add %n boxes", count)
        return [tr("No box for: {0}").format(listed)], ["add_missing"], button
    if summary.spare and not repeats:
        text = tr("1 box stays empty")
        if summary.spare > 1:
            text = tr("{0} boxes stay empty").format(number(summary.spare))
        button = tr("Fill it") if summary.spare == 1 else tr("Fill them")
        return [text], ["suggest_things", "repeat_things"], button
    return [], (), ""


def _drawn(summary: PromptSummary) -> str:
    """ "Draws: cat, 3 balloons · on a beach"."""
    check = summary.check
    text = tr("Draws: {0}").format(_listed(check.objects)) if check.objects else ""
    place = "" if check.background is None else check.background.typed
    return " · ".join(filter(None, (text, place)))


def _listed(things: Sequence[PromptObject]) -> str:
    names = []
    for thing in things:
        if thing.count is None:  # an unnamed number: "balloons"
            names.append(thing.typed)
        else:
            count = "" if thing.count == 1 else f"{number(thing.count)} "
            names.append(count + (thing.typed if count else thing.noun))
    return QLocale().createSeparatedList(names) if len(names) < 3 else ", ".join(names)
