"""The menu bar: which actions stand where. Nothing here says what they do."""

from __future__ import annotations

from PySide6.QtWidgets import QMainWindow, QMenu, QWidget

from app.ui.actions import Actions
from app.ui.text import tr

_SEPARATOR = ""


def build_menus(window: QMainWindow, actions: Actions, examples: QMenu) -> None:
    """Fill the window's menu bar."""
    bar = window.menuBar()
    file = bar.addMenu(tr("&File"))
    _fill(file, actions, "new", "open")
    file.addMenu(examples)
    _fill(file, actions, _SEPARATOR, "save", "save_as", _SEPARATOR, "export_png", "export_zip")
    _fill(file, actions, _SEPARATOR, "recover", _SEPARATOR, "quit")
    _fill(bar.addMenu(tr("&Edit")), actions, "undo", "redo", _SEPARATOR, "duplicate", "delete")
    _fill(
        bar.addMenu(tr("Selec&t")),
        actions,
        *("select_all", "select_none", _SEPARATOR, "select_above", "select_below"),
    )
    _fill(
        bar.addMenu(tr("&Layer")),
        actions,
        *("new_box", _SEPARATOR, "rename", "toggle_visible", "toggle_locked", _SEPARATOR),
        *("raise", "lower", "to_front", "to_back", _SEPARATOR, "background"),
    )
    _fill(
        bar.addMenu(tr("&Generate")),
        actions,
        *("generate", "regenerate", "generate_empty", _SEPARATOR, "stop", "stop_all"),
        *(_SEPARATOR, "focus_prompt"),
    )
    view = bar.addMenu(tr("V&iew"))
    _fill(view, actions, "zoom_in", "zoom_out", "zoom_fit", "zoom_100", "zoom_selection")
    _fill(view, actions, _SEPARATOR, "grid", _SEPARATOR)
    _fill(view.addMenu(tr("&Tools")), actions, "tool_select", "tool_box", "tool_hand", "tool_zoom")
    _fill(view.addMenu(tr("T&heme")), actions, "theme_system", "theme_dark", "theme_light")
    _fill(view, actions, _SEPARATOR, "next_pane", "previous_pane", "reset_layout")
    help_menu = bar.addMenu(tr("Hel&p"))
    _fill(help_menu, actions, "help_model", "help_keys", _SEPARATOR, "open_logs", "about")


def context_menu(parent: QWidget, actions: Actions) -> QMenu:
    """What a right click on a layer offers, on the canvas and in the list."""
    menu = QMenu(parent)
    _fill(
        menu,
        actions,
        *("regenerate", _SEPARATOR, "rename", "duplicate", "delete", _SEPARATOR),
        *("toggle_visible", "toggle_locked", _SEPARATOR, "raise", "lower", "to_front", "to_back"),
        *(_SEPARATOR, "new_box", "zoom_selection"),
    )
    return menu


def _fill(menu: QMenu, actions: Actions, *names: str) -> None:
    menu.setToolTipsVisible(True)
    for name in names:
        if name == _SEPARATOR:
            menu.addSeparator()
        else:
            menu.addAction(actions[name])
