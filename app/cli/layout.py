"""`layerloom layout`: boxes for the things of a prompt, as the text of a layout."""

from __future__ import annotations

import argparse
import sys

from app.cli.generate import refuse_long_prompt, typed_prompt
from app.cli.source import ArgumentProblem
from app.document import Document, Rect, Size, new_contents
from app.document.commands import PlaceBoxes
from app.document.contents import DEFAULT_CANVAS, DEFAULT_GRID
from app.document.storage.layout import format_layout
from engine import check_prompt, suggest_layouts


def layout(args: argparse.Namespace) -> int:
    """Write a layout to standard output, and what of the prompt has no box to standard error."""
    prompt = typed_prompt(args.prompt)
    refuse_long_prompt(prompt)
    size = DEFAULT_CANVAS if args.size is None else Size(*args.size).rounded_up(DEFAULT_GRID)
    check = check_prompt(prompt)
    found = {
        each.arrangement: each
        for each in suggest_layouts(
            check, (size.width, size.height), step=DEFAULT_GRID, seed=args.seed
        )
    }
    if not found:
        raise ArgumentProblem(
            "The prompt names nothing that this model draws.",
            "No layout was written.",
            "Name at least one thing; layerloom info lists them.",
        )
    chosen = next(iter(found)) if args.arrangement is None else args.arrangement
    if chosen not in found:
        raise ArgumentProblem(
            f"The arrangement '{chosen}' does not suit these things.",
            "No layout was written.",
            f"Choose {' or '.join(found)}.",
        )
    document = Document(new_contents(size, prompt=prompt))
    boxes = [(Rect.from_box(thing.box), thing.shows) for thing in found[chosen].things]
    PlaceBoxes(boxes).do(document)
    print(format_layout(document.contents), end="")
    for word in check.undrawable:
        nearest = f" The nearest thing is '{word.nearest}'." if word.nearest else ""
        print(f"No box for '{word.typed}': {word.reason}.{nearest}", file=sys.stderr)
    return 0
