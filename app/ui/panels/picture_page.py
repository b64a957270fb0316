"""The inspector's page while no layer is selected: facts about the picture, and what to do with it.

Shows only; refers to neither document nor session.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QPushButton

from app.document.contents import Contents
from app.ui.actions import Actions
from app.ui.text import count_text, number, tr
from app.ui.theme import GAP, UNIT
from app.ui.widgets.accessibility import ElidedStatusLabel, StatusLabel
from app.ui.widgets.buttons import action_button
from app.ui.widgets.forms import Panel, fill, no_lower_than, note, quiet_label

LINE_HEIGHT = 24
LONGEST_PROMPT = 90


def picture_facts(
    contents: Contents, model: str, limit: int | None, file_name: str = "", file_bytes: int = 0
) -> dict[str, str]:
    """The facts of a picture by the page's lines; "" for a model or file that is not."""
    canvas, size = contents.canvas, QLocale().formattedDataSize(file_bytes, 1)
    return {
        "size": tr("{0} × {1} px").format(number(canvas.width), number(canvas.height)),
        "background": _background(contents),
        "layers": _layers(contents, limit),
        "prompt": _first_words(contents.prompt) or tr("None yet"),
        "model": model or tr("Not loaded yet"),
        "file": f"{file_name} · {size}" if file_name else tr("Not saved yet"),
    }


def _background(contents: Contents) -> str:
    if not contents.background_on:
        return tr("Off (transparent)")
    if not contents.background.has_pixels:
        return tr("Not painted")
    return tr("Imported") if contents.background.kind == "imported" else tr("Painted")


def _layers(contents: Contents, limit: int | None) -> str:
    boxes = sum(not layer.has_pixels for layer in contents.foregrounds)
    text = count_text(len(contents.foregrounds), limit)
    if not boxes:
        return text
    return text + ", " + (tr("1 not painted") if boxes == 1 else tr("%n not painted", boxes))


def _first_words(prompt: str) -> str:
    words = " ".join(prompt.split())
    if len(words) <= LONGEST_PROMPT:
        return words
    return words[:LONGEST_PROMPT].rsplit(" ", 1)[0] + "…"


class PicturePage(Panel):
    """One line for each fact; the canvas and the file have the button of their action."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        form = QFormLayout()
        form.setHorizontalSpacing(GAP)
        form.setVerticalSpacing(UNIT)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.facts: dict[str, StatusLabel] = {}
        self.buttons: list[QPushButton] = []
        for name, text, action, verb in (
            ("size", tr("Canvas"), "canvas_size", tr("Change…")),
            ("background", tr("Background"), "", ""),
            ("layers", tr("Layers"), "", ""),
            ("prompt", tr("Prompt"), "", ""),
            ("model", tr("Model"), "", ""),
            ("file", tr("File"), "export", tr("Export…")),
        ):
            fact = self.facts[name] = ElidedStatusLabel(text)
            no_lower_than(fact, LINE_HEIGHT)
            row = fill(QHBoxLayout(), (fact, 1))
            if action:
                button = action_button(actions, action, verb, LINE_HEIGHT)
                button.setObjectName("stripButton")
                self.buttons.append(button)
                row.addWidget(button)
            form.addRow(quiet_label(text, LINE_HEIGHT), row)
        hint = note(tr("Click a layer to see its settings."))
        self.show_scrolled(tr("Facts of the picture"), form, hint, None)

    def show_facts(self, facts: Mapping[str, str]) -> None:
        """Put the facts on their lines; lines that say the same already are left alone."""
        for name, fact in self.facts.items():
            if fact.text() != facts[name]:
                fact.setText(facts[name])
