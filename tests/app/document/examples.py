"""Small documents and pictures for the tests of the document, and a minimal undo stack."""

from __future__ import annotations

import numpy as np

from app.document import Document, Rect, Size, new_contents
from app.document.commands import AddBox, AddLayers, Command, Placement, PlacePixels
from app.document.composite import composite
from app.document.storage.incoming import picture_layer


def picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Random pixels of all alphas; some rows fully transparent."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    pixels[::3, :, 3] = 0
    return pixels


def plain(width: int, height: int, colour: tuple[int, int, int, int]) -> np.ndarray:
    """One colour all over."""
    return np.full((height, width, 4), colour, np.uint8)


def small_document() -> Document:
    """96 x 64 with a grid step of 16."""
    return Document(new_contents(Size(96, 64)), 16)


def composite_of(document: Document) -> np.ndarray:
    """What all layers show, (canvas height, width, 4) uint8."""
    return composite(document.layers, document.canvas.rect)


def run(document: Document, command: Command) -> Command:
    """Do it and hand it back."""
    command.do(document)
    return command


def add_box(document: Document, rect: Rect | None = None, name: str | None = None) -> int:
    """An empty box on top; returns its id."""
    command = AddBox(rect or Rect(0, 0, 32, 32), name=name)
    command.do(document)
    return command.layer_id


def import_picture(
    document: Document, pixels: np.ndarray, name: str, centre: tuple[int, int] | None = None
) -> int:
    """A picture as a layer on top, shown pixel for pixel; returns its id."""
    layer = picture_layer(pixels, name, document.canvas, centre=centre, fit=False)
    command = AddLayers([layer])
    command.do(document)
    return command.new_ids[0]


def fill(document: Document, layer_id: int, seed: int = 0) -> None:
    """Accept a random result for the layer's region."""
    layer = document.layer(layer_id)
    rect = layer.region(document.grid, document.canvas)
    record = {"seed": seed, "prompt": "a castle", "word": "castle"}
    pixels = picture(rect.width, rect.height, seed)
    PlacePixels([Placement(layer_id, pixels, rect, record)]).do(document)


def design() -> Document:
    """Background and a castle with pixels, an empty box, an imported-looking offset."""
    document = small_document()
    fill(document, document.background_id, 1)
    castle = add_box(document, Rect(0, 0, 48, 32), "Castle")
    fill(document, castle, 2)
    fill(document, castle, 3)
    add_box(document, Rect(32, 32, 32, 32), "Été 層")
    return document


class UndoStack:
    """What the window's undo stack does with commands, without Qt."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.done: list[Command] = []
        self.undone: list[Command] = []

    def push(self, command: Command) -> bool:
        """Do it; True when it became a step of its own."""
        command.do(self.document)
        self.undone.clear()
        if self.done and self.done[-1].merge_with(command):
            return False
        self.done.append(command)
        return True

    def undo(self) -> None:
        command = self.done.pop()
        command.undo(self.document)
        self.undone.append(command)

    def redo(self) -> None:
        command = self.undone.pop()
        command.do(self.document)
        self.done.append(command)
