"""What of a prompt is not drawn, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from engine import MAX_READ, PromptCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Words of a prompt that get no box.

    Attributes:
        unknown: those that the model cannot draw, as typed, in order, each once.
        backgrounds: further backgrounds, as typed; a picture has one.
        places: (start, end) in the prompt of these and of what follows the last word that is read.
        is_all: nothing that the prompt names is drawn.
        limit: how many words are read, where there are more; else 0.
    """

    unknown: tuple[str, ...] = ()
    backgrounds: tuple[str, ...] = ()
    places: tuple[tuple[int, int], ...] = ()
    is_all: bool = False
    limit: int = 0


def ignored_in(check: PromptCheck) -> Ignored:
    """What of a checked prompt gets no box."""
    late = () if check.unread_span is None else (check.unread_span,)
    is_drawn = bool(check.objects or check.background)
    return Ignored(
        unknown=tuple(dict.fromkeys(each.typed for each in check.undrawable)),
        backgrounds=tuple(dict.fromkeys(each.typed for each in check.further_backgrounds)),
        places=(
            *(each.span for each in check.undrawable),
            *(each.span for each in check.further_backgrounds),
            *late,
        ),
        is_all=bool(check.undrawable) and not is_drawn,
        limit=MAX_READ if check.unread else 0,
    )
