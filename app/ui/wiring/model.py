"""What the loaded model announces: an untouched document takes over its grid."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.document.contents import new_contents
from app.document.geometry import Size
from app.ui.session import Session, first_canvas
from app.ui.text import tr


class ModelWiring(QObject):
    """Listens for the first "ready" of an engine."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        session.bridge.state_changed.connect(self._on_state)

    def _on_state(self, state: str) -> None:
        info = self._session.bridge.info
        if state != "ready" or info is None or not self._session.is_pristine:
            return
        document = self._session.document
        if document.grid == info.token_px:
            return
        size = first_canvas(self._session.settings, Size(*info.trained_canvases[0]))
        contents = new_contents(size.rounded_up(info.token_px), info.token_px)
        self._session.replace(contents, tr("New Picture"), None)
        self._session.undo.clear()
