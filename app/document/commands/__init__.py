"""Commands: the only way to change a document. One file per subject."""

from app.document.commands.base import Command
from app.document.commands.boxes import (
    AddBox,
    DeleteLayers,
    DuplicateLayers,
    MoveLayers,
    Reorder,
    SetRect,
)
from app.document.commands.looks import (
    Rename,
    SetBlend,
    SetLocked,
    SetOpacity,
    SetSeed,
    SetVisible,
)
from app.document.commands.placing import ImportPicture, Placement, PlacePixels, UseCandidate
from app.document.commands.whole import (
    ReplaceDocument,
    SetBackground,
    SetCanvas,
    SetPrompt,
    SetSettings,
)

__all__ = [
    "AddBox",
    "Command",
    "DeleteLayers",
    "DuplicateLayers",
    "ImportPicture",
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
    "SetSeed",
    "SetSettings",
    "SetVisible",
    "UseCandidate",
]
