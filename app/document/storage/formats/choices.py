"""Which choice means something to which format, and why not: for dialog and command line alike.

A choice that a format cannot follow is refused or disabled, never ignored.
"""

from __future__ import annotations

from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.table import FORMATS, Choice, Format

# What each choice is about, as the reason of a format that has no such thing.
_ABOUT: dict[Choice, str] = {
    "part": "It writes the whole picture with its layers.",
    "scale": "It writes the layers at their own size.",
    "colour": "It keeps the transparency of the layers.",
    "no_background": "It has no transparency.",
    "quality": "It is written without loss.",
    "recipe": "It has no prompt, seeds or records.",
    "hidden": "It shows the visible layers only.",
    "canvas_sized": "It has no separate pictures of the layers.",
    "pages": "It has no pages.",
    "parallax": "It is not a web page.",
    "background": "It has no shapes.",
}
_WITH_PAGES: dict[Choice, str] = {
    "part": "Every layer becomes a page.",
    "scale": "Every page shows a layer at its own size.",
    "colour": "Every page keeps the transparency of its layer.",
}


def asked_choices(options: ExportOptions) -> frozenset[Choice]:
    """The choices that ask for something other than the usual."""
    usual = ExportOptions()
    asked: dict[Choice, bool] = {
        "part": options.rect is not None or options.layer_id is not None,
        "scale": options.scale != usual.scale,
        "colour": options.over is not None,
        "no_background": not options.with_background,
        "quality": options.quality is not None,
        "recipe": not options.with_recipe,
        "hidden": not options.hidden,
        "canvas_sized": options.canvas_sized,
        "pages": options.pages,
        "parallax": options.parallax,
        "background": options.vector_background,
    }
    return frozenset(choice for choice, is_asked in asked.items() if is_asked)


def reason_against(form: Format, choice: Choice, options: ExportOptions) -> str:
    """Why this choice changes nothing in this format, one sentence; "" = it does.

    Args:
        options: the other choices: TIFF with pages has none of a single picture's, and one layer
            alone has no background.
    """
    if choice not in form.choices:
        return _ABOUT[choice]
    if choice == "no_background" and options.layer_id is not None:
        return "One layer is exported alone."
    if choice == "background" and not options.with_background:
        return "The background is left out."
    if form.key == "tiff" and options.pages:
        return _WITH_PAGES.get(choice, "")
    if form.key == "tiff" and choice == "hidden":
        return "Without pages, it shows the visible layers only."
    return ""


def refused_choices(form: Format, options: ExportOptions) -> dict[Choice, str]:
    """The choices that ask for what this format cannot do, and why.

    What a format never writes need not be left out: no recipe in a PSD, no hidden layer in a PNG.
    """
    reasons = {choice: reason_against(form, choice, options) for choice in asked_choices(options)}
    return {
        choice: reason
        for choice, reason in sorted(reasons.items())
        if reason and choice not in ("recipe", "hidden")
    }


def formats_with(choice: Choice) -> tuple[Format, ...]:
    """The formats that follow this choice."""
    return tuple(form for form in FORMATS if choice in form.choices)
