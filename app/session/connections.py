"""Connections to picture servers: which there are, which is in use, what the user agreed to.

The settings keep them as plain values; tokens are elsewhere (`app.session.tokens`). Opens no
connection by itself.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, get_args

from psygnal import Signal

from app.session.settings import Settings
from engine import EngineError

if TYPE_CHECKING:
    from engine.remote import Connection

logger = logging.getLogger(__name__)

NO_SERVER = ""  # the id that stands for the engine of the program itself


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedConnection:
    """A connection with the id under which the settings know it."""

    id: str
    connection: Connection

    @property
    def place(self) -> str:
        return place_of(self.connection.address)


def new_connection(connection: Connection) -> SavedConnection:
    return SavedConnection(id=uuid.uuid4().hex, connection=connection)


def place_of(address: str) -> str:
    """Host, port and path, as names of engines have them: "127.0.0.1:8188"."""
    return address.partition("://")[2]


class Connections:
    """The connections in the settings; changes are in the settings at once.

    Args:
        settings: of this user; changed in place.
    """

    changed = Signal()  # another list, or another one is in use

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        found = (_read(data) for data in settings.connections)
        self._saved = {each.id: each for each in found if each is not None}

    def __iter__(self) -> Iterator[SavedConnection]:
        return iter(self._saved.values())

    def __len__(self) -> int:
        return len(self._saved)

    def get(self, connection_id: str) -> SavedConnection | None:
        return self._saved.get(connection_id)

    @property
    def in_use(self) -> SavedConnection | None:
        """What draws the pictures; None = the engine of the program itself."""
        return self._saved.get(self._settings.engine)

    def put(self, saved: SavedConnection) -> None:
        """Add a connection, or put it in the place of the one with its id."""
        self._saved[saved.id] = saved
        self._write()

    def remove(self, connection_id: str) -> None:
        """Forget a connection; the built-in engine is in use if this one was."""
        gone = self._saved.pop(connection_id, None)
        if gone is None:
            return
        if self._settings.engine == connection_id:
            self._settings.engine = NO_SERVER
        address = gone.connection.address
        if not self.uses_address(address):
            kept = self._settings.agreed_servers
            self._settings.agreed_servers = [
                each for each in kept if each.partition(" ")[0] != address
            ]
        self._write()

    def uses_address(self, address: str) -> bool:
        """Whether some connection still goes to an address; else its token has no use."""
        return any(each.connection.address == address for each in self)

    def use(self, connection_id: str) -> None:
        """Draw with this one from now on; an unknown id stands for the built-in engine."""
        self._settings.engine = connection_id if connection_id in self._saved else NO_SERVER
        self.changed.emit()

    # ---- what the user agreed to ----

    def has_agreed(self, address: str, model: str) -> bool:
        """Whether the user agreed to send words to an address, and to the licence of a model."""
        return _agreement(address, model) in self._settings.agreed_servers

    def agree(self, address: str, model: str) -> None:
        if not self.has_agreed(address, model):
            agreed = _agreement(address, model)
            self._settings.agreed_servers = [*self._settings.agreed_servers, agreed]
            self.changed.emit()

    def _write(self) -> None:
        self._settings.connections = [
            {"id": each.id, **asdict(each.connection)} for each in self._saved.values()
        ]
        self.changed.emit()


def _agreement(address: str, model: str) -> str:
    return f"{address} {model}"


def _read(data: Any) -> SavedConnection | None:
    """A connection as the settings file has it; None = it is none that could be used."""
    # Imported here: a program without connections needs no clients of servers.
    from engine.remote import Connection, OwnGraph, ServerKind, checked_address

    try:
        own = data["own_graph"]
        graph = None if own is None else {item.name: own[item.name] for item in fields(OwnGraph)}
        connection = Connection(
            kind=data["kind"],
            address=data["address"],
            model=data["model"],
            allows_plain=data["allows_plain"],
            own_graph=None if graph is None else OwnGraph(**graph),
        )
        for name, value in (graph or {}).items():
            if type(value) is not (bool if name == "makes_alpha" else str):
                raise ValueError(f"{name} is of another type")
        texts = (data["id"], connection.kind, connection.address, connection.model)
        if not all(isinstance(text, str) for text in texts) or not data["id"]:
            raise ValueError("not a text")
        if connection.kind not in get_args(ServerKind) or type(connection.allows_plain) is not bool:
            raise ValueError("not one of the known values")
        address = checked_address(connection.address, allows_plain=connection.allows_plain)
    except (KeyError, TypeError, ValueError, EngineError) as error:
        logger.warning("a connection in the settings cannot be used: %s", error)
        return None
    return SavedConnection(id=data["id"], connection=replace(connection, address=address))
