"""What engines, servers and their models are called, and what leaves the machine, in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale

from app.session.connections import SavedConnection
from app.ui.text import tr

if TYPE_CHECKING:
    from app.session.server_types import RemoteModel


def kind_name(kind: str) -> str:
    """What a kind of server is called; the kind itself where it is of a later version."""
    return {"comfyui": "ComfyUI", "openai": tr("OpenAI-compatible images")}.get(kind, kind)


def engine_name(saved: SavedConnection | None) -> str:
    """ "Built-in", or "ComfyUI at 127.0.0.1:8188"."""
    if saved is None:
        return tr("Built-in")
    return tr("{0} at {1}").format(kind_name(saved.connection.kind), saved.place)


def engine_name_in_full(saved: SavedConnection | None) -> str:
    """The name with the model or the graph, by which connections to one server differ."""
    name = engine_name(saved)
    if saved is None:
        return name
    graph = saved.connection.own_graph
    part = saved.connection.model if graph is None else Path(graph.path).name
    return f"{name} · {part}" if part else name


def licence_text(licence: str) -> str:
    return licence or tr("Unknown")


def memory_text(memory_gb: float | None) -> str:
    """Memory of the server's GPU: "≈ 28 GB"."""
    if memory_gb is None:
        return tr("Unknown")
    digits = 0 if memory_gb >= 9.95 else 1
    return tr("≈ {0} GB").format(QLocale().toString(memory_gb, "f", digits))


def state_text(model: RemoteModel) -> str:
    """Whether a model can be used, in a few words."""
    if model.missing:
        return tr("%n missing", len(model.missing))
    for mark, text in (("weak", tr("Ready, weak")), ("untested", tr("Ready, untested"))):
        if mark in model.note.casefold():
            return text
    return tr("Ready")


def details_of(model: RemoteModel) -> list[str]:
    """What is to be said about a model besides its state: what it lacks, and its note."""
    lines = [tr("Missing: {0}").format(name) for name in model.missing]
    if model.note and model.note != "untested":  # a mark alone stands in the state
        lines.append(model.note[:1].upper() + model.note[1:])
    if not model.makes_alpha:
        lines.append(tr("Draws without transparency."))
    return lines


def sent_text(saved: SavedConnection) -> str:
    """What leaves the machine, in sentences."""
    address = saved.connection.address
    text = tr(
        "The words of each box and of the background, their sizes and seeds go to {0}; pictures "
        "come back. Nothing else is sent."
    )
    if saved.connection.own_graph is not None:
        text = tr(
            "The words of each box and of the background, their sizes and seeds and your graph "
            "go to {0}; pictures come back. Nothing else is sent."
        )
    return text.format(address)
