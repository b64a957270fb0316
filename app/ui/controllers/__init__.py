"""What the actions do: one controller for each subject, and what all of them have."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.ui.actions import Actions
from app.ui.session import Session
from app.ui.views import Views


class Controller(QObject):
    """Connects actions, widgets and events of one subject; belongs to the window."""

    def __init__(self, session: Session, actions: Actions, views: Views) -> None:
        super().__init__(views)
        self._session = session
        self._actions = actions
        self._views = views
        self._window = views
