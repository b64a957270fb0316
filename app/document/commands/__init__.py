"""Commands: the only way to change a document. One file per subject."""

from app.document.commands.base import Command
from app.document.commands.layers import (
    AddBox,
    DeleteLayers,
    DuplicateLayers,
    KeepAsIs,
    MoveLayers,
    PlaceBoxes,
    Rename,
    Reorder,
    SetBlend,
    SetLocked,
    SetOpacity,
    SetRect,
    SetRects,
    SetSeed,
    SetShows,
    SetVisible,
)
from app.document.commands.results import (
    AddCandidates,
    AddLayers,
    DiscardCandidates,
    Placement,
    PlacePixels,
    UseCandidates,
)
from app.document.commands.whole import (
    ReplaceDocument,
    SetBackground,
    SetCanvas,
    SetPrompt,
    SetSettings,
)
