"""The page "Engines" of the settings: what draws the pictures, and connections to servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.session.connections import NO_SERVER, SavedConnection
from app.session.servers import Servers
from app.session.settings import Settings
from app.ui.dialogs import questions
from app.ui.engine_texts import engine_name, engine_name_in_full
from app.ui.text import tr
from app.ui.theme import MARGIN
from app.ui.widgets.buttons import text_button
from app.ui.widgets.forms import enable, fill, named, note

if TYPE_CHECKING:
    from app.session.server_types import Connection

_ID = Qt.ItemDataRole.UserRole


class EnginesPage(QWidget):
    """A list of engines, the built-in one first, and what can be done with the chosen one.

    Args:
        use: draws with the engine of that id from now on.
        said: shows a sentence to the user.
    """

    def __init__(
        self,
        servers: Servers,
        settings: Settings,
        use: Callable[[str], None],
        said: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._servers = servers
        self._settings = settings
        self._use = use
        self._tell = said
        self.list = named(QListWidget(), tr("Engines"))
        self.use = text_button(tr("Use"), self._on_use)
        tip = tr("Connects to ComfyUI, or to a server with the images interface of OpenAI.")
        self.add = text_button(tr("Add…"), self.add_connection, tip)
        self.edit = text_button(tr("Edit…"), self._on_edit)
        self.remove = text_button(tr("Remove…"), self._on_remove)
        first = note(
            tr(
                "Built-in draws on this computer and never uses the network. Connect a server of "
                "yours to draw layers with larger models on its graphics card."
            )
        )
        buttons = fill(QVBoxLayout(), self.use, self.add, self.edit, self.remove, None)
        row = fill(QHBoxLayout(), (self.list, 1), buttons)
        margins = (MARGIN, 2 * MARGIN, MARGIN, MARGIN)
        fill(QVBoxLayout(self), first, (row, 1), margins=margins, spacing=MARGIN)
        self.list.currentItemChanged.connect(self._enable)
        self.list.itemActivated.connect(self._on_use)
        servers.connections.changed.connect(self.refresh)
        self.destroyed.connect(lambda: servers.connections.changed.disconnect(self.refresh))
        self.refresh()

    def refresh(self) -> None:
        """The list as it is now; the chosen row stays chosen."""
        connections = self._servers.connections
        chosen, now = self.chosen_id(), connections.in_use
        used = NO_SERVER if now is None else now.id
        self.list.blockSignals(True)
        self.list.clear()
        for saved in (None, *connections):
            text = engine_name_in_full(saved)
            each_id = NO_SERVER if saved is None else saved.id
            item = QListWidgetItem(tr("{0} (in use)").format(text) if each_id == used else text)
            item.setData(_ID, each_id)
            item.setToolTip(_tip(saved))
            self.list.addItem(item)
            if each_id == (used if chosen is None else chosen):
                self.list.setCurrentItem(item)
        if self.list.currentItem() is None:
            self.list.setCurrentRow(0)
        self.list.blockSignals(False)
        self._enable()

    def chosen_id(self) -> str | None:
        item = self.list.currentItem()
        return None if item is None else str(item.data(_ID))

    def chosen(self) -> SavedConnection | None:
        """The chosen connection; None = the built-in engine."""
        return self._servers.connections.get(self.chosen_id() or NO_SERVER)

    def add_connection(self) -> None:
        self._open(None)

    def _on_use(self) -> None:
        chosen = self.chosen_id()
        if chosen is not None and not self._is_used():
            self._use(chosen)

    def _on_edit(self) -> None:
        self._open(self.chosen())

    def _open(self, saved: SavedConnection | None) -> None:
        # Imported here: a program without connections needs no clients of servers.
        from app.ui.dialogs.connection_dialog import ConnectionDialog

        def accepted(connection: Connection, token: str, uses: bool) -> None:
            self._keep(saved, connection, token, uses)

        self.dialog = ConnectionDialog(self, self._servers, self._settings, saved, accepted)
        self.dialog.open()

    def _keep(
        self, saved: SavedConnection | None, connection: Connection, token: str, uses: bool
    ) -> None:
        tell, use = self._tell, self._use
        was_used = saved is not None and self._is_used()

        def kept(is_lasting: bool) -> None:
            if uses or was_used:  # one that was in use connects again, as it is now
                use(new.id)
            if not is_lasting:
                tell(tr("The token is kept until the program ends: no keyring takes it."))

        new = self._servers.save(connection, saved, token, kept)

    def _on_remove(self) -> None:
        saved = self.chosen()
        if saved is None:
            return

        def remove() -> None:
            if self._servers.connections.in_use == saved:
                self._use(NO_SERVER)
            self._servers.remove(saved.id)

        questions.ask(
            self,
            tr("Remove Connection"),
            tr("Remove the connection to {0}?").format(engine_name(saved)),
            tr("Its token is deleted too. Layers that it drew stay as they are."),
            [(tr("Remove"), remove)],
        )

    def _is_used(self) -> bool:
        now = self._servers.connections.in_use
        return self.chosen_id() == (NO_SERVER if now is None else now.id)

    def _enable(self) -> None:
        own = tr("the built-in engine is part of the program")
        reason = own if self.chosen() is None else ""
        enable(self.edit, tr("Changes address, token or model."), reason)
        enable(self.remove, tr("Forgets the connection and its token."), reason)
        used = tr("it is in use") if self._is_used() else ""
        enable(self.use, tr("Draws with this engine from now on."), used)


def _tip(saved: SavedConnection | None) -> str:
    if saved is None:
        return tr("The model that comes with the program, on this computer.")
    connection = saved.connection
    model = connection.model or tr("the first model that can be used")
    if connection.own_graph is not None:
        model = connection.own_graph.path
    return f"{connection.address} · {model}"
