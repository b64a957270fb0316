"""Tool bars and docks of the window, all alike, and their places. Uses no panel."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDockWidget,
    QGridLayout,
    QLabel,
    QMainWindow,
    QTabBar,
    QTabWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from app.ui.actions import Actions, spec_title
from app.ui.text import tr
from app.ui.theme import DOCK_WIDTH, GAP, ICON, MARGIN

_TOOL_BUTTON = 36
_HEIGHTS = (340, 340)


def lay_out(
    window: QMainWindow,
    top: QWidget,
    tools: QToolBar,
    centre: QWidget,
    docks: Sequence[QDockWidget],
) -> None:
    """Arrange bars, canvas and docks; Qt leaves it to us to mirror them for some languages."""
    bars, areas = Qt.ToolBarArea, Qt.DockWidgetArea
    start, end = bars.LeftToolBarArea, areas.RightDockWidgetArea
    if window.layoutDirection() == Qt.LayoutDirection.RightToLeft:
        start, end = bars.RightToolBarArea, areas.LeftDockWidgetArea
    prompt_bar = bar(tr("Prompt bar"), "promptToolBar")
    prompt_bar.addWidget(top)
    window.addToolBar(bars.TopToolBarArea, prompt_bar)
    window.addToolBar(start, tools)
    window.setCentralWidget(centre)
    for each in docks:
        window.addDockWidget(end, each)
    window.resizeDocks(docks, [DOCK_WIDTH] * len(docks), Qt.Orientation.Horizontal)
    window.resizeDocks(docks, _HEIGHTS[: len(docks)], Qt.Orientation.Vertical)


def tabify(window: QMainWindow, front: QDockWidget, behind: QDockWidget) -> None:
    """Put a panel behind another one, with tabs above both."""
    sides = Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea
    window.setTabPosition(sides, QTabWidget.TabPosition.North)
    window.addDockWidget(window.dockWidgetArea(front), behind)
    window.tabifyDockWidget(front, behind)
    front.raise_()
    direct = Qt.FindChildOption.FindDirectChildrenOnly
    for tabs_of_docks in window.findChildren(QTabBar, options=direct):
        tabs_of_docks.setAccessibleName(tr("Panels"))
        tabs_of_docks.setToolTip(tr("Shows one of the panels that share this place."))


def bar(title: str, name: str) -> QToolBar:
    """A tool bar that stays where it is."""
    made = QToolBar(title)
    made.setObjectName(name)
    # Qt matched the style sheet when it made the bar, before the bar had its name.
    made.style().unpolish(made)
    made.setMovable(False)
    made.setFloatable(False)
    made.toggleViewAction().setEnabled(False)
    made.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
    return made


def tool_column(actions: Actions, names: Sequence[str]) -> QToolBar:
    tools = bar(tr("Tools"), "toolColumn")
    tools.setOrientation(Qt.Orientation.Vertical)
    tools.setIconSize(QSize(ICON, ICON))
    for name in names:
        action = actions[name]
        tools.addAction(action)
        button = tools.widgetForAction(action)
        button.setFixedSize(_TOOL_BUTTON, _TOOL_BUTTON)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(spec_title(actions.spec(name)))
    return tools


def dock(title: str, name: str, body: QWidget) -> QDockWidget:
    """A panel with its title, for the left or the right side."""
    made = QDockWidget(title)
    made.setObjectName(name)
    made.setFeatures(
        QDockWidget.DockWidgetFeature.DockWidgetMovable
        | QDockWidget.DockWidgetFeature.DockWidgetFloatable
    )
    made.setAllowedAreas(
        Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea
    )
    header = QWidget()
    header.setObjectName("panelTitle")
    header.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    row = QVBoxLayout(header)
    row.setContentsMargins(MARGIN, GAP, MARGIN, GAP)
    row.addWidget(QLabel(title))
    # Not the body's minimum width, which would hide that longer texts need more.
    row.addStrut(DOCK_WIDTH - 40 - 2 * MARGIN)
    made.setTitleBarWidget(header)
    made.setWidget(body)
    return made


def tabs(name: str, pages: Sequence[tuple[QWidget, str]]) -> QTabWidget:
    made = QTabWidget()
    made.setObjectName(name)
    made.setDocumentMode(True)
    made.tabBar().setDrawBase(False)
    made.setUsesScrollButtons(False)  # all tabs in sight, in every language
    for page, title in pages:
        made.addTab(page, title)
    return made


def bring_forward(part: QWidget) -> None:
    """Show a part of a panel: its tab, and the panel where it was hidden."""
    above = part.parentWidget()
    while above is not None:
        if isinstance(above, QTabWidget) and above.indexOf(part) >= 0:
            above.setCurrentWidget(part)
        if isinstance(above, QDockWidget):
            above.show()
            above.raise_()
            return
        above = above.parentWidget()


def over(canvas: QWidget, top: QWidget, corner: QWidget) -> QWidget:
    """The canvas, with a bar along its upper edge and a panel in its lower corner lying over it.

    They come and go without a change of the canvas's size, so that the picture stays where it is.
    They are no children of the canvas: its keys must not reach them.
    """
    whole = QWidget()
    layout = QGridLayout(whole)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(canvas, 0, 0)
    ends = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
    layout.addWidget(corner, 0, 0, ends)
    layout.addWidget(top, 0, 0, Qt.AlignmentFlag.AlignTop)
    corner.raise_()
    top.raise_()
    return whole
