"""The widgets of one window, made in the order in which they need each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMainWindow, QTabWidget

from app.document.layer import Layer
from app.session.selection import Solo
from app.ui import frames
from app.ui.actions import Actions
from app.ui.app_state import cost_text
from app.ui.canvas.compare import ComparePage
from app.ui.canvas.scene import CanvasScene
from app.ui.canvas.view import CanvasView
from app.ui.menus import LiveMenus
from app.ui.panels.advanced_page import AdvancedPage
from app.ui.panels.candidate_strip import CandidateStrip, ChoiceDelegate
from app.ui.panels.empty_card import EmptyCard
from app.ui.panels.inspector import Inspector
from app.ui.panels.layer_list import LayerPanel
from app.ui.panels.messages import MessageBar, StatusBar
from app.ui.panels.picture_page import PicturePage
from app.ui.panels.prompt_bar import PromptBar
from app.ui.panels.record_page import RecordPage
from app.ui.session import Session
from app.ui.stage import Stage
from app.ui.text import tr
from app.ui.theme import DARK, Colours
from app.ui.widgets.images import SmallPictures, Thumbnails


@dataclass(frozen=True, slots=True)
class Views:
    """All parts of the window that controllers work on.

    Attributes:
        live: menus whose entries come and go.
        card: lies over the empty canvas.
        choice_pictures: pictures of the strip's cells.
    """

    window: QMainWindow
    stage: Stage
    solo: Solo
    live: LiveMenus
    scene: CanvasScene
    view: CanvasView
    compare: ComparePage
    card: EmptyCard
    strip: CandidateStrip
    prompt: PromptBar
    messages: MessageBar
    layers: LayerPanel
    inspector: Inspector
    picture_page: PicturePage
    record: RecordPage
    advanced: AdvancedPage
    inspector_tabs: QTabWidget
    status: StatusBar
    thumbnails: Thumbnails
    choice_pictures: SmallPictures

    def recolour(self, colours: Colours) -> None:
        for part in (self.prompt, self.messages, self.layers, self.inspector, self.strip):
            part.recolour(colours)
        self.compare.colours = colours
        self.view.set_colours(colours)


def build_views(
    window: QMainWindow, session: Session, stage: Stage, solo: Solo, actions: Actions
) -> Views:
    """Make every widget; none of them is in its place yet."""
    colours, document, selection = DARK, session.document, session.selection
    scene = CanvasScene(document, session.pictures, solo, window)
    choice_pictures = SmallPictures(session.pictures, window)
    cells = ChoiceDelegate(stage, document, choice_pictures, colours, window)
    strip = CandidateStrip(stage, selection, choice_pictures, actions, colours, cells)
    hint = partial(box_hint, session, actions)
    view = CanvasView(scene, selection, session.undo, colours, hint, strip.maximumWidth)
    thumbnails = Thumbnails(session.pictures, window)
    picture_page, record, advanced = PicturePage(actions), RecordPage(), AdvancedPage()
    inspector = Inspector(session, stage, colours, picture_page)
    pages = ((inspector, tr("Layer")), (record, tr("Record")), (advanced, tr("Advanced")))
    return Views(
        window=window,
        stage=stage,
        solo=solo,
        live=LiveMenus.made_for(window),
        scene=scene,
        view=view,
        compare=ComparePage(stage, document, session.pictures, colours, view),
        card=EmptyCard(view, actions),
        strip=strip,
        prompt=PromptBar(actions, session.undo.new_gesture),
        messages=MessageBar(colours, actions),
        layers=LayerPanel(session, stage, solo, thumbnails, actions, colours),
        inspector=inspector,
        picture_page=picture_page,
        record=record,
        advanced=advanced,
        inspector_tabs=frames.tabs("inspectorTabs", pages),
        status=StatusBar(actions),
        thumbnails=thumbnails,
        choice_pictures=choice_pictures,
    )


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
