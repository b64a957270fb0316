"""The inspector's pages besides the layer: picture, record, steps, guidance, clean colours."""

from __future__ import annotations

import secrets
from dataclasses import replace

from app.document.commands import SetPrompt, SetSeed, SetSettings
from app.document.contents import CleanColours
from app.session.selection import LayerTimestamps
from app.ui.actions import Actions
from app.ui.controllers import Controller
from app.ui.panels.pages import picture_facts
from app.ui.session import Session
from app.ui.text import tr
from app.ui.views import Views


class InspectorController(Controller):
    """Keeps the pages up to date; what they ask becomes a command."""

    def __init__(self, session: Session, actions: Actions, views: Views) -> None:
        super().__init__(session, actions, views)
        self.since = LayerTimestamps(session.document)
        views.inspector.retry_asked.connect(self._retry)
        views.inspector.left.connect(views.view.setFocus)
        views.record.prompt_asked.connect(lambda prompt: session.push(SetPrompt(prompt)))
        views.advanced.changed.connect(self._on_advanced)
        session.selection.changed.connect(self._on_selected)
        events = session.document.events
        events.changed.connect(self._show_picture)
        for event in (events.layers_changed, events.canvas_changed):
            event.connect(self._show_tokens)
        events.layers_changed.connect(self._show_record)
        events.settings_changed.connect(self._show_settings)
        events.reset.connect(self._show_settings)
        session.bridge.state_changed.connect(self._on_state)
        session.path_changed.connect(self._show_picture)
        self._on_selected()
        self._show_settings()
        self._show_picture()

    def _show_picture(self) -> None:
        session = self._session
        info, stamp = session.bridge.info, session.stamp
        name = "" if session.path is None else session.path.name
        size = 0 if stamp is None else stamp.size
        model, limit = ("", None) if info is None else (info.name, info.max_foregrounds)
        self._views.picture_page.show_facts(
            picture_facts(session.document.contents, model, limit, name, size)
        )

    def _on_selected(self) -> None:
        """The first page shows a layer, or the picture while none is selected."""
        text = tr("Layer") if self._session.selection.ids else tr("Picture")
        self._views.inspector_tabs.setTabText(0, text)
        self._show_record()

    def _show_record(self) -> None:
        layer = self._session.selection.single()
        self._views.record.show_layer(layer, None if layer is None else self.since.of(layer.id))

    def _show_settings(self) -> None:
        self._views.advanced.show_settings(self._session.document.settings)

    def _retry(self) -> None:
        """A seed that is pinned, fixed or asked for would only give the same again."""
        layer = self._session.selection.single()
        if layer is None:
            return
        if layer.seed is not None or self._session.document.settings.seed_mode == "fixed":
            self._session.push(SetSeed(layer.id, secrets.randbelow(2**32)))
        self._session.document.set_next_seed(layer.id, None)
        self._actions["regenerate"].trigger()

    def _on_advanced(
        self, steps: int | None, guidance: float | None, clean_colours: CleanColours
    ) -> None:
        settings = self._session.document.settings
        changed = replace(settings, steps=steps, cfg_scale=guidance, clean_colours=clean_colours)
        self._session.push(SetSettings(changed))

    def _show_tokens(self) -> None:
        bridge = self._session.bridge
        is_known = bridge.info is not None and not bridge.is_remote
        self._views.advanced.show_tokens(bridge.tokens() if is_known else None)

    def _on_state(self) -> None:
        info = self._session.bridge.info
        self._show_tokens()
        if self._session.bridge.is_remote:
            self._views.advanced.show_server()
        elif info is not None:
            self._views.advanced.show_defaults(
                info.default_steps, info.default_cfg_scale, info.steps_for(is_edit=True)
            )
        self._show_picture()
