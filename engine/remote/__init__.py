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
from engine.remote.http import Limits
from engine.remote.pictures import crop_to_alpha
from engine.remote.servers import open_server

__all__ = [
    "HASH_PREFIX",
    "Connection",
    "ErrorKind",
    "LayerServer",
    "Limits",
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
    "crop_to_alpha",
    "is_loopback",
    "open_server",
    "remote_engine",
]
