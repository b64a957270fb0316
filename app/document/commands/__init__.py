"""Commands: the only way to change a document. One file per subject."""

from app.document.commands.base import Command
from app.document.commands.boxes import (
    AddBox,
    DeleteLayers,
    DuplicateLayers,
    MoveLayers,
    Reorder,
    SetRect,
    SetRects,
)
from app.document.commands.candidates import (
    AddCandidates,
    DiscardCandidates,
    UseCandidates,
)
from app.document.commands.looks import (
    KeepAsIs,
    Rename,
    SetBlend,
    SetLocked,
    SetOpacity,
    SetSeed,
    SetVisible,
)
from app.document.commands.placing import AddLayers, Placement, PlacePixels
from app.document.commands.whole import (
    ReplaceDocument,
    SetBackground,
    SetCanvas,
    SetPrompt,
    SetSettings,
)

__all__ = [
    "AddBox",
    "AddCandidates",
    "AddLayers",
    "Command",
    "DeleteLayers",
    "DiscardCandidates",
    "DuplicateLayers",
    "KeepAsIs",
    "MoveLayers",
    "PlacePixels",
    "Placement",
    "Rename",
    "Reorder",
    "ReplaceDocument",
    "SetBackground",
    "SetBlend",
    "SetCanvas",
    "SetLocked",
    "SetOpacity",
    "SetPrompt",
    "SetRect",
    "SetRects",
    "SetSeed",
    "SetSettings",
    "SetVisible",
    "UseCandidates",
]
