"""The client of a connection, by its kind."""

from __future__ import annotations

from engine.remote.address import checked_address
from engine.remote.api import Connection, PictureServer
from engine.remote.comfyui import ComfyServer
from engine.remote.http import Limits
from engine.remote.openai_images import OpenAiServer


def open_server(
    connection: Connection, token: str | None = None, limits: Limits | None = None
) -> PictureServer:
    """The client; nothing is sent before it is asked to connect, submit or collect.

    Args:
        token: sent to this address only; None or "" = none.
        limits: bounds of time and size; None = the usual ones.

    Raises:
        RemoteError: of kind "address": the address cannot be used.
    """
    checked_address(connection.address, allows_plain=connection.allows_plain)
    make = ComfyServer if connection.kind == "comfyui" else OpenAiServer
    return make(connection, token, limits or Limits())
