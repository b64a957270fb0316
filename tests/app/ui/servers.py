"""A window whose servers are scripted objects: no socket, no keyring of the system."""

from __future__ import annotations

from typing import Any

from app.session.connections import new_connection
from app.session.server_types import Connection
from app.session.tokens import Tokens
from engine.remote import RemoteModel, ServerReport
from tests.engine.remote.scripted import CONNECTION, MODEL, ScriptedServer

QWEN = RemoteModel(
    name="qwen-layered",
    title="Qwen-Image-Layered",
    licence="Apache-2.0",
    makes_alpha=True,
    memory_gb=28.5,
    missing=("node EmptyQwenImageLayeredLatentImage", "file qwen_image_layered_fp8.safetensors"),
    note="weak: the model was trained to take pictures apart, and draws noisy layers from text; "
    "untested: made from a template, and never run",
)
PLAIN = RemoteModel(
    name="plain", title="SDXL", licence="", makes_alpha=False, memory_gb=None, note="untested"
)
REPORT = ServerReport(title="ComfyUI 0.3.65, cuda", models=(MODEL, QWEN, PLAIN))


class Desk:
    """What the tests script: the server that every connection leads to, and its token.

    Attributes:
        opened: connection and token of each server object that was made.
    """

    def __init__(self, window: Any) -> None:
        self.window = window
        self.server = ScriptedServer(REPORT.models)
        self.opened: list[tuple[Connection, str | None]] = []
        self.servers = window.session.servers
        self.servers.open = self._open
        self.servers.tokens = Tokens(lambda: None)

    def _open(self, connection: Connection, token: str | None = None) -> ScriptedServer:
        self.opened.append((connection, token))
        self.server.connection = connection
        return self.server

    def connect(self, qtbot: Any, connection: Connection = CONNECTION) -> str:
        """Add a connection and draw with it; returns its id."""
        saved = new_connection(connection)
        self.servers.connections.put(saved)
        self.window.engines_controller.use(saved.id)
        qtbot.waitUntil(lambda: self.window.session.bridge.state == "ready")
        return saved.id
