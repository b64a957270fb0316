"""Picture servers as the window uses them: looked at, saved with their tokens, opened.

Everything that asks a server or the keyring runs through `run`, off the UI thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app.session.client import EngineChoice, EngineLike, engine_name
from app.session.connections import Connections, SavedConnection, new_connection
from app.session.settings import Settings
from app.session.tokens import Tokens
from engine import Event

if TYPE_CHECKING:
    from engine.remote import Connection, PictureServer, ServerReport
    from engine.remote.runs import Patience


class Run(Protocol):
    """Does work on another thread; `done` or `failed` is called on the UI thread."""

    def __call__(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], None] = ...,
        failed: Callable[[Exception], None] = ...,
    ) -> None: ...


class Open(Protocol):
    """Makes a server object; nothing is sent yet."""

    def __call__(self, connection: Connection, token: str | None = None) -> PictureServer: ...


def open_server(connection: Connection, token: str | None = None) -> PictureServer:
    """The client of a server; imported here for the same reason as the engine below."""
    from engine import remote

    return remote.open_server(connection, token)


@dataclass(frozen=True, slots=True)
class TokenState:
    """What is known of the token of one address."""

    has_token: bool
    is_lasting: bool  # the system has a keyring that keeps tokens


class Servers:
    """The user's connections with their tokens.

    Args:
        settings: of this user; changed in place.
        run: see `Run`.

    Attributes:
        open: makes the object for a server.
        tokens: where the tokens are kept.
        ledger: file for the ids of pictures that a server makes; None = they end with the engine.
        patience: how long a job waits for a server that restarts; None = as long as usual.
    """

    def __init__(self, settings: Settings, run: Run) -> None:
        self.connections = Connections(settings)
        self.tokens = Tokens()
        self.open: Open = open_server
        self.ledger: Path | None = None
        self.patience: Patience | None = None
        self._run = run
        # How often each address got another token in this run: its engine is made again then.
        self._tokens_changed: Counter[str] = Counter()

    def look(
        self,
        connection: Connection,
        token: str,
        done: Callable[[ServerReport], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Ask a server what it is and has.

        Args:
            token: as typed; "" = the one that is kept for the address.
            failed: called with a RemoteError, or with what else went wrong.
        """

        def work() -> ServerReport:
            return self.open(connection, token.strip() or self._kept(connection)).connect()

        self._run(work, done, failed)

    def look_at_token(self, address: str, done: Callable[[TokenState], None]) -> None:
        def work() -> TokenState:
            has_token = self.tokens.get(address) is not None
            return TokenState(has_token, self.tokens.is_lasting)

        self._run(work, done)

    def save(
        self,
        connection: Connection,
        saved: SavedConnection | None,
        token: str,
        done: Callable[[bool], None],
    ) -> SavedConnection:
        """Keep a connection.

        Args:
            saved: the one that it replaces; None = it is new.
            token: as typed; "" = the token of the address stays as it is.
            done: called once the token is kept: whether it outlives the program.
        """
        new = new_connection(connection)
        if saved is not None:
            new = SavedConnection(id=saved.id, connection=connection)
        self.connections.put(new)
        old = None if saved is None else saved.connection.address
        self._forget_unused(old)
        if token.strip():
            self._tokens_changed[connection.address] += 1
            self._run(lambda: self.tokens.keep(connection.address, token), done)
        else:
            self._run(lambda: True, done)
        return new

    def remove(self, connection_id: str) -> None:
        """Forget a connection, and its token unless another one goes to the same address."""
        saved = self.connections.get(connection_id)
        self.connections.remove(connection_id)
        self._forget_unused(None if saved is None else saved.connection.address)

    def forget_token(self, address: str, done: Callable[[object], None]) -> None:
        self._tokens_changed[address] += 1
        self._run(lambda: self.tokens.forget(address), done)

    def choice(self, saved: SavedConnection, title: str) -> EngineChoice:
        """The engine that draws with a server; its token is read on the engine's thread.

        Args:
            title: how the user knows it.
        """
        connection = saved.connection

        def make(emit: Callable[[Event], None]) -> EngineLike:
            # Imported here: a program without connections needs no clients of servers.
            from engine.remote import RemoteEngine

            def make_server() -> PictureServer:
                return self.open(connection, self._kept(connection))

            return RemoteEngine(emit, make_server, ledger=self.ledger, patience=self.patience)

        name = f"{engine_name(connection)} {self._tokens_changed[connection.address]}"
        return EngineChoice(name, title, make)

    def _kept(self, connection: Connection) -> str | None:
        return self.tokens.get(connection.address)

    def _forget_unused(self, address: str | None) -> None:
        if address is not None and not self.connections.uses_address(address):
            self._run(lambda: self.tokens.forget(address))
