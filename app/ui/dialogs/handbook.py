"""The handbook, and dialogs with text to read: pages of Markdown, short texts with one button.

The handbook is one page from the first box to the file. Its keys are those that work now.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QMessageBox, QTextBrowser, QWidget

from app.ui.dialogs.questions import widen
from app.ui.text import tr
from app.ui.theme import MARGIN
from app.ui.widgets.buttons import close_only
from app.ui.widgets.forms import dialog_column

_KEY = re.compile(r"\{(\w+)\}")


class PageDialog(QDialog):
    """Markdown in a window of its own; stays open next to the work.

    Args:
        markdown: the text. Addresses in it can be read and copied; nothing is opened.
    """

    def __init__(self, parent: QWidget, title: str, markdown: str) -> None:
        super().__init__(parent)
        self.text = QTextBrowser()
        self.text.setAccessibleName(title)
        self.text.setOpenLinks(False)
        self.text.document().setDocumentMargin(MARGIN)
        self.text.setMarkdown(markdown)
        layout = dialog_column(self, title)
        layout.addWidget(self.text, 1)
        layout.addWidget(close_only(self))
        self.resize(720, 560)


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
    """Titles and paragraphs; a name in braces is an action, for which the page shows the key."""
    return [
        (tr("A picture"), _on_a_picture()),
        (tr("Layers"), _on_layers()),
        (tr("Repaint one thing"), _on_one_thing()),
        (tr("Seeds"), _on_seeds()),
        (tr("Undo, files, recovery"), _on_files()),
        (tr("Without a mouse"), _on_the_keyboard()),
    ]


def _on_a_picture() -> list[str]:
    return [
        tr(
            "Take the box tool ({tool_box}) and drag where things should be. Each box "
            "becomes a layer. Boxes may overlap; they need no names. {new_box} adds one "
            "from the keyboard."
        ),
        tr(
            "Describe the whole picture in one sentence ({focus_prompt}; Esc returns to "
            "the canvas). Words that the model does not know are underlined and ignored; "
            "Help ▸ See the Things lists those that it draws."
        ),
        tr(
            "Press Generate, or {generate}. The button says what it does and how long that "
            "takes: it fills the empty boxes of a finished picture, repaints the selected "
            "layers, or paints everything. The arrow next to it lists the alternatives. "
            "You can keep working; {stop} stops the job, and your picture does not change."
        ),
    ]


def _on_layers() -> list[str]:
    return [
        tr(
            "The select tool ({tool_select}) moves and resizes layers. They snap to the "
            "grid; hold Ctrl to place them freely. Arrow keys move, Alt with arrow keys "
            "resizes."
        ),
        tr(
            "In the list: eye, lock, opacity and blend mode; drag a row to change the "
            "order, or use {raise} and {lower}; hold Ctrl while dragging to drop a copy. "
            "{solo} shows one layer alone, {matte} changes the colour behind transparent "
            "areas."
        ),
        tr("Ctrl+right-click lists the layers under the pointer."),
    ]


def _on_one_thing() -> list[str]:
    return [
        tr(
            "Select a layer and press {regenerate}. Only its box is painted; no pixel of "
            "the other layers changes. The field '1 result' asks for several at once."
        ),
        tr(
            "Results wait in the strip at the edge of the canvas. {candidate_next} and "
            "{candidate_previous} show them in the picture; hold C to see the current "
            "picture. {compare} shows them side by side. Enter accepts the result that is "
            "shown. The others stay until you delete them."
        ),
        tr("A new box in a finished picture is filled with {generate} or {generate_empty}."),
        tr(
            "A layer is outdated when its word is no longer in the prompt, or when its "
            "size has changed. {generate_outdated} repaints all outdated layers; Layer ▸ "
            "Mark as Current treats the selected ones as up to date."
        ),
    ]


def _on_seeds() -> list[str]:
    return [
        tr(
            "The seed decides how a layer turns out: the same picture "
            "with the same seeds gives the same pixels. Pin a seed to use it in every "
            "later job; the result may still change a little with the layers around it."
        )
    ]


def _on_files() -> list[str]:
    return [
        tr("{undo} undoes any change, also New and opening another file; {redo} restores it."),
        tr(
            "{save} writes one .ora file with layers, prompt, seeds and results. Krita, "
            "GIMP and others open it. {export} writes PNG, PSD, SVG, PDF and more, and "
            "says what each format loses."
        ),
        tr(
            "OpenRaster files of other programs look as they did there. Groups that cannot "
            "be taken apart open as one layer each; Save then asks for another name, so "
            "that the original file does not change."
        ),
        tr(
            "Between saves your work is kept in the recovery folder, within a second of "
            "each change. After a crash the next start offers it."
        ),
    ]


def _on_the_keyboard() -> list[str]:
    return [
        tr(
            "{next_pane} moves through the panels, {pane_layers} goes to the layers, "
            "{pane_candidates} to the results. {find_command} runs any command by a part "
            "of its name. {help_keys} lists all keys; Settings changes them."
        )
    ]


def show_text(parent: QWidget, title: str, text: str) -> QMessageBox:
    """A text with one button; `text` may hold simple HTML."""
    box = QMessageBox(parent)
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.RichText)
    box.setText(text)
    close = box.addButton(tr("Close"), QMessageBox.ButtonRole.AcceptRole)
    close.setAccessibleName(close.text())
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    widen(box)
    box.open()
    return box
