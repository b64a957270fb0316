"""The widgets of one window, made in the order in which they need each other."""

from __future__ import annotations

from functools import partial

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMainWindow

from app.document.layer import Layer
from app.session.selection import Solo
from app.ui import frames
from app.ui.actions import Actions
from app.ui.app_state import cost_text
from app.ui.canvas.compare import ComparePage
from app.ui.canvas.scene import CanvasScene
from app.ui.canvas.view import CanvasView
from app.ui.menus import LiveMenus
from app.ui.panels.candidate_strip import CandidateStrip, ChoiceDelegate
from app.ui.panels.empty_card import EmptyCard
from app.ui.panels.inspector import Inspector
from app.ui.panels.layer_list import LayerPanel
from app.ui.panels.messages import MessageBar, StatusBar
from app.ui.panels.pages import AdvancedPage, PicturePage, RecordPage
from app.ui.panels.prompt_bar import PromptBar
from app.ui.panels.things import ThingsPanel
from app.ui.session import Session
from app.ui.stage import Stage
from app.ui.text import tr
from app.ui.theme import DARK, Colours
from app.ui.widgets.images import SmallPictures, Thumbnails


class Views(QMainWindow):
    """The window as controllers see it: all of its parts; none of them is in its place yet."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("mainWindow")

    def make_views(self, session: Session, stage: Stage, solo: Solo, actions: Actions) -> None:
        """Make every widget; each takes what it needs when it is made."""
        colours, document, selection = DARK, session.document, session.selection
        self.stage, self.solo = stage, solo
        self.live = LiveMenus.made_for(self)  # their entries come and go
        self.scene = CanvasScene(document, session.pictures, solo, self)
        self.choice_pictures = SmallPictures(session.pictures, self)
        cells = ChoiceDelegate(stage, document, self.choice_pictures, colours, self)
        self.strip = CandidateStrip(stage, selection, self.choice_pictures, actions, colours, cells)
        hint = partial(box_hint, session, actions)
        room = self.strip.maximumWidth
        self.view = CanvasView(self.scene, selection, session.undo, colours, hint, room)
        self.compare = ComparePage(stage, document, session.pictures, colours, self.view)
        self.card = EmptyCard(self.view, actions)  # lies over the empty canvas
        self.prompt = PromptBar(actions, session.undo.new_gesture)
        self.messages = MessageBar(colours, actions)
        self.thumbnails = Thumbnails(session.pictures, self)
        self.layers = LayerPanel(session, stage, solo, self.thumbnails, actions, colours)
        self.picture_page, self.record = PicturePage(actions), RecordPage()
        self.advanced = AdvancedPage()
        self.inspector = Inspector(session, stage, colours, self.picture_page)
        self.things = ThingsPanel()
        texts = (tr("Layer"), tr("Record"), tr("Advanced"))
        pages = zip((self.inspector, self.record, self.advanced), texts, strict=True)
        self.inspector_tabs = frames.tabs("inspectorTabs", list(pages))
        self.status = StatusBar(actions, self.live.engine)

    def recolour(self, colours: Colours) -> None:
        for part in (self.prompt, self.messages, self.layers, self.inspector, self.strip):
            part.recolour(colours)
        self.compare.colours = colours
        self.view.set_colours(colours)


def box_hint(session: Session, actions: Actions, layer: Layer) -> str:
    """Text next to a selected empty box: in a finished picture it can be filled alone."""
    document, bridge = session.document, session.bridge
    if bridge.current is not None or not any(item.has_pixels for item in document.layers):
        return ""
    keys = actions["regenerate"].shortcuts()
    if not keys or bridge.why_not("selected", [layer.id]):
        return ""
    native = keys[0].toString(QKeySequence.SequenceFormat.NativeText)
    cost = cost_text(session, bridge.plan("selected", [layer.id]))
    text = tr("{0} fills only this box").format(native)
    return f"{text} ({cost})" if cost else text
