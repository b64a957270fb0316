"""Engines: which one draws, its menu, what it may be sent, and where connections are set up."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QAction, QActionGroup

from app.session.connections import NO_SERVER, SavedConnection
from app.ui.actions import Actions
from app.ui.controllers import Controller
from app.ui.dialogs import questions
from app.ui.engine_texts import engine_name, engine_name_in_full, licence_text, sent_text
from app.ui.session import Session
from app.ui.text import tr
from app.ui.views import Views


class EnginesController(Controller):
    """Fills the menu of engines, switches between them, and asks before words are sent."""

    def __init__(self, session: Session, actions: Actions, views: Views) -> None:
        super().__init__(session, actions, views)
        self._after_connecting: Callable[[], None] | None = None
        menu = views.live.engine
        menu.setToolTipsVisible(True)
        menu.addAction(actions["use_built_in"])
        self._end = menu.addSeparator()
        menu.addAction(actions["engines"])
        self._group = QActionGroup(menu)
        self._entries: list[QAction] = []
        actions.connect(use_built_in=self._use_built_in)
        session.servers.connections.changed.connect(self._fill_menu)
        session.bridge.state_changed.connect(self._on_state)
        self._fill_menu()

    def use(self, connection_id: str) -> None:
        """Draw with another engine from now on; the same one connects again."""
        self._after_connecting = None
        self._session.use_engine(connection_id)
        used = self._session.servers.connections.in_use
        if used is None:
            self._session.note(tr("The built-in engine draws from now on."))
        else:
            self._session.note(tr("{0} draws from now on.").format(engine_name(used)))

    def asks_to_send(self, go_on: Callable[[], None]) -> bool:
        """Whether a job has to wait for the user's consent, or for the server that says its model.

        Args:
            go_on: is called when the user agrees; never with the built-in engine.
        """
        session = self._session
        used = session.servers.connections.in_use
        if used is None:
            return False
        info = session.bridge.info
        if session.bridge.is_loading or info is None:  # neither its model nor its licence is known
            self._after_connecting = go_on
            name = engine_name(used)
            session.note(tr("The job starts as soon as {0} has answered.").format(name))
            return True
        if session.servers.connections.has_agreed(used.connection.address, info.name):
            return False
        self._ask(used, info.name, info.licence, go_on)
        return True

    def _ask(
        self, used: SavedConnection, model: str, licence: str, go_on: Callable[[], None]
    ) -> None:
        def agree() -> None:
            self._session.servers.connections.agree(used.connection.address, model)
            go_on()

        lines = [
            sent_text(used),
            tr("Model: {0}. Licence: {1}.").format(model, licence_text(licence)),
            tr("This is asked once for each server and model."),
        ]
        questions.ask(
            self._window,
            tr("Send to a Server"),
            tr("Draw with {0}?").format(engine_name(used)),
            "\n\n".join(lines),
            [(tr("Agree and Draw"), agree)],
        )

    def _use_built_in(self) -> None:
        if self._session.servers.connections.in_use is not None:
            self.use(NO_SERVER)

    def _fill_menu(self) -> None:
        menu, connections = self._views.live.engine, self._session.servers.connections
        for entry in self._entries:
            menu.removeAction(entry)
            entry.deleteLater()
        used = connections.in_use
        self._entries = [self._entry(saved, is_used=saved == used) for saved in connections]
        menu.insertActions(self._end, self._entries)

    def _entry(self, saved: SavedConnection, *, is_used: bool) -> QAction:
        name = engine_name_in_full(saved)
        entry = QAction(name.replace("&", "&&"), self)
        entry.setObjectName(f"engine_{saved.id}")
        entry.setToolTip(tr("Draws with {0} from now on.").format(name))
        entry.setCheckable(True)
        entry.setChecked(is_used)
        entry.setActionGroup(self._group)
        entry.triggered.connect(lambda: self.use(saved.id))
        return entry

    def _on_state(self, state: str) -> None:
        """A job that waited for the server is asked for again once it has answered."""
        waiting = self._after_connecting
        if waiting is None or state in ("loading", "restarting"):
            return
        self._after_connecting = None
        if state == "ready":
            waiting()
