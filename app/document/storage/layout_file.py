"""Layouts in files: text, or the recipe in a PNG that we exported. Knows no windows."""

from __future__ import annotations

from pathlib import Path

from app.document.geometry import Size
from app.document.storage.errors import not_opened
from app.document.storage.layout import Layout
from app.document.storage.layout_syntax import MAX_TEXT, refused
from app.document.storage.layout_text import parse_layout
from app.document.storage.png import PngError
from app.document.storage.recipe import recipe_in

_MAX_PNG = 512 * 1024**2


def read_layout(path: Path, *, canvas: Size, grid: int) -> Layout:
    """`parse_layout` of a file, or of the recipe in a PNG that we exported.

    Raises:
        StorageError: the file cannot be read, or the text is no layout.
    """
    return parse_layout(text_of(path), canvas=canvas, grid=grid)


def text_of(path: Path) -> str:
    """The text of a file; of a PNG that we exported, the recipe in it.

    Raises:
        StorageError: the file cannot be read, or what is in it is neither.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_TEXT + 1)
            if data.startswith(b"\x89PNG"):
                data += stream.read(_MAX_PNG)
    except OSError as error:
        raise not_opened(path, error) from error
    return text_in(data, path.name)


def text_in(data: bytes, name: str) -> str:
    """`text_of` for bytes that are at hand; `name` is how messages call them."""
    if data.startswith(b"\x89PNG"):
        try:
            text = recipe_in(data)
        except PngError as error:
            raise refused(f"'{name}' is damaged: {error}.") from error
        if not text:
            raise refused(f"'{name}' carries no recipe.", "Choose one that was exported with.")
        return text
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused("The layout is not UTF-8 text.") from error
    return text
