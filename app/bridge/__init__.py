"""Bridge: the one crossing between the document and the engine; its parts are one idea each."""

from app.bridge.bridge import Bridge
from app.bridge.line import Accept
from app.bridge.link import EngineLike, LoopLike, MakeEngine, engine_factory
from app.bridge.results import Placed

__all__ = [
    "Accept",
    "Bridge",
    "EngineLike",
    "LoopLike",
    "MakeEngine",
    "Placed",
    "engine_factory",
]
