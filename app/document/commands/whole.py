"""Commands on the document as a whole: prompt, settings, background, canvas, another document."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.document.commands.base import Command
from app.document.contents import MAX_PROMPT, MAX_SIDE, Contents, Settings
from app.document.errors import DocumentError, LimitError
from app.document.geometry import Size
from app.document.layer import Layer


@dataclass(eq=False)
class SetPrompt(Command):
    """The prompt; a run of typing is one gesture."""

    prompt: str
    gesture: int | None = None

    def _apply(self, contents: Contents) -> Contents:
        if len(self.prompt) > MAX_PROMPT:
            raise LimitError(
                f"A prompt has at most {MAX_PROMPT:,} characters, this one has "
                f"{len(self.prompt):,}.",
                "The prompt was not changed.",
                "Shorten it.",
            )
        # Lone surrogates cannot be written to a file; text fields can hand them over.
        return replace(contents, prompt=self.prompt.encode("utf-8", "replace").decode("utf-8"))

    def _describe(self, contents: Contents) -> str:
        return "Edit Prompt"


@dataclass(eq=False)
class SetSettings(Command):
    """How pictures are generated; a run of changes in one field is one gesture."""

    settings: Settings
    gesture: int | None = None

    def _apply(self, contents: Contents) -> Contents:
        return replace(contents, settings=self.settings)

    def _describe(self, contents: Contents) -> str:
        return "Change Settings"


@dataclass(eq=False)
class SetBackground(Command):
    """Switch the background on or off; its pixels are kept while it is off."""

    on: bool

    def _apply(self, contents: Contents) -> Contents:
        return replace(contents, background_on=self.on)

    def _describe(self, contents: Contents) -> str:
        return f"Background {'On' if self.on else 'Off'}"


@dataclass(eq=False)
class SetCanvas(Command):
    """Another canvas size; what is there shifts by (dx, dy) and keeps its bytes.

    Empty boxes are brought back to the grid and inside; layers with pixels may stick out.
    """

    canvas: Size
    dx: int = 0
    dy: int = 0

    def _apply(self, contents: Contents) -> Contents:
        canvas, grid = self.canvas, self.grid
        if not canvas.is_multiple_of(grid):
            raise DocumentError(
                f"The canvas sides must be multiples of {grid}, not "
                f"{canvas.width} × {canvas.height}."
            )
        if max(canvas.width, canvas.height) > MAX_SIDE:
            raise LimitError(
                f"The canvas is {canvas.width} × {canvas.height}; the limit is {MAX_SIDE:,} "
                "each way."
            )

        def placed(layer: Layer) -> Layer:
            rect = layer.rect.translated(self.dx, self.dy)
            if not layer.has_pixels:
                rect = canvas.rect if layer.is_background else rect.snapped_outward(grid, canvas)
            return replace(layer, rect=rect)

        return replace(
            contents,
            canvas=canvas,
            background=placed(contents.background),
            foregrounds=tuple(placed(layer) for layer in contents.foregrounds),
        )

    def _describe(self, contents: Contents) -> str:
        return f"Canvas Size {self.canvas.width} × {self.canvas.height}"


@dataclass(eq=False)
class ReplaceDocument(Command):
    """New, Open, Revert or Paste Layout: other contents in one step, the former ones by undo."""

    contents: Contents
    text: str = "New Document"
    is_reset = True

    def _apply(self, contents: Contents) -> Contents:
        return self.contents

    def _describe(self, contents: Contents) -> str:
        return self.text
