"""Picture servers on other machines: ComfyUI, and servers with OpenAI's images interface.

Nothing here opens a connection before a server object is asked to connect, submit or collect.
"""

from engine.remote.address import checked_address, is_loopback
from engine.remote.api import (
    Connection,
    ErrorKind,
    LayerServer,
    OwnGraph,
    PictureJob,
    PictureServer,
    RemoteError,
    RemoteModel,
    ServerKind,
    ServerReport,
    Watch,
)
from engine.remote.engine import HASH_PREFIX, RemoteEngine, remote_engine

__all__ = [
    "HASH_PREFIX",
    "Connection",
    "ErrorKind",
    "LayerServer",
    "OwnGraph",
    "PictureJob",
    "PictureServer",
    "RemoteEngine",
    "RemoteError",
    "RemoteModel",
    "ServerKind",
    "ServerReport",
    "Watch",
    "checked_address",
    "is_loopback",
    "remote_engine",
]
