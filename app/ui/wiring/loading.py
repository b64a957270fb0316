"""Loading: the Generate button says that the model is loading, and how far it is."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.ui.panels.prompt_bar import PromptBar
from app.ui.session import Session


class LoadingWiring(QObject):
    """Shows the bridge's progress in the prompt bar until the model is there."""

    def __init__(self, session: Session, bar: PromptBar) -> None:
        super().__init__(bar)
        self._bridge = session.bridge
        self._bar = bar
        self._bridge.loading_changed.connect(self._show)
        self._bridge.state_changed.connect(self._show)
        self._show()

    def _show(self, change: object = None) -> None:
        bridge = self._bridge
        self._bar.show_loading(bridge.loading if bridge.is_loading else None)
