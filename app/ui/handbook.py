"""The handbook: one page from the first box to the file. Keys are those that work now."""

from __future__ import annotations

import re
from collections.abc import Callable

from app.ui.text import tr

_KEY = re.compile(r"\{(\w+)\}")


def handbook(key_of: Callable[[str], str]) -> str:
    """The page as markdown.

    Args:
        key_of: the first key of an action, "" where it has none.
    """
    parts = []
    for title, lines in _chapters():
        parts.append(f"## {title}")
        parts += [_KEY.sub(lambda found: f"**{key_of(found[1]) or '–'}**", line) for line in lines]
    return "\n\n".join(parts)


def _chapters() -> list[tuple[str, list[str]]]:
    # A name in braces is an action; the page shows its key.
    return [
        (
            tr("A picture"),
            [
                tr(
                    "Take the box tool ({tool_box}) and drag where things should be. Each box "
                    "becomes a layer. Boxes may overlap; they need no names. {new_box} makes one "
                    "without the mouse."
                ),
                tr(
                    "Describe the whole picture in one sentence ({focus_prompt}; Esc leads back). "
                    "Words that the model does not know are underlined and ignored."
                ),
                tr(
                    "Generate with {generate}. The button says what it will make and how long that "
                    "takes. You can go on working; {stop} stops the job and leaves everything as "
                    "it was."
                ),
            ],
        ),
        (
            tr("Layers"),
            [
                tr(
                    "The select tool ({tool_select}) moves and resizes layers. They snap to the "
                    "grid; hold Ctrl to place them freely. Arrow keys move, Alt with arrow keys "
                    "resizes."
                ),
                tr(
                    "In the list: eye, lock, opacity and blend mode; drag a row to change the "
                    "order, or {raise} and {lower}; with Ctrl held the drag puts a copy there. "
                    "{solo} shows one layer alone, {matte} changes what transparent places show."
                ),
                tr("Ctrl with the right button lists the layers that lie under the pointer."),
            ],
        ),
        (
            tr("Make one thing anew"),
            [
                tr(
                    "Select a layer and press {regenerate}. Only its box is computed; no pixel of "
                    "the others changes. With Variations you get several at once."
                ),
                tr(
                    "Results wait in the strip below the canvas. {candidate_next} and "
                    "{candidate_previous} show them in the picture, C held shows the picture "
                    "before, {compare} shows them side by side. Enter takes the one that is shown. "
                    "The others stay until you delete them."
                ),
                tr("A new box in a finished picture is filled in the same way, with {regenerate}."),
                tr(
                    "A layer whose words or size have changed since reads 'Prompt changed' or "
                    "'Size changed'. Generate ▸ Outdated Layers renews them all, Layer ▸ Keep As "
                    "Is clears the sign."
                ),
            ],
        ),
        (
            tr("Seeds"),
            [
                tr(
                    "The seed of a row is all there is to chance in its layer: the same picture "
                    "with the same seeds gives the same pixels. Pin a seed, and every later job "
                    "uses it; other layers may still shift a little, because all see each other."
                ),
            ],
        ),
        (
            tr("Undo, files, recovery"),
            [
                tr(
                    "{undo} takes back anything, also a whole picture or opening another file; "
                    "{redo} brings it back."
                ),
                tr(
                    "{save} writes one .ora file with layers, prompt, seeds and results. Krita, "
                    "GIMP and others open it. {export} writes PNG, PSD, WebP and more, and says "
                    "what each format loses."
                ),
                tr(
                    "Between saves your work is kept in the recovery folder, within a second of "
                    "each change. After a crash the next start offers it."
                ),
            ],
        ),
        (
            tr("Without a mouse"),
            [
                tr(
                    "{next_pane} goes round the panels, {pane_layers} to the layers, "
                    "{pane_candidates} to the results. {find_command} runs any command by a part "
                    "of its name. {help_keys} lists all keys; Settings changes them."
                ),
            ],
        ),
    ]
