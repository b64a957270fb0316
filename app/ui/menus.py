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
    _fill(
        file,
        actions,
        *(_SEPARATOR, "save", "save_as", "save_numbered", "save_sharing", "revert", _SEPARATOR),
        *("import_picture", "import_layout", _SEPARATOR, "export", "export_again"),
        *("export_layout", _SEPARATOR, "recover", _SEPARATOR, "quit"),
    )
    _fill(
        bar.addMenu(tr("&Edit")),
        actions,
        *("undo", "redo", _SEPARATOR, "cut", "copy", "copy_merged", "copy_layout", "copy_recipe"),
        *("paste", "paste_in_place", _SEPARATOR, "duplicate", "delete", _SEPARATOR),
        *("canvas_size", _SEPARATOR, "find_command", "settings"),
    )
    _fill(
        bar.addMenu(tr("Selec&t")),
        actions,
        *("select_all", "select_none", _SEPARATOR, "select_above", "select_below"),
        *("select_last", _SEPARATOR, "select_outdated"),
    )
    layer = bar.addMenu(tr("&Layer"))
    _fill(
        layer,
        actions,
        *("new_box", "keep_as_is", _SEPARATOR, "rename", "toggle_visible", "solo"),
        *("toggle_locked", _SEPARATOR, "raise", "lower", "to_front", "to_back", _SEPARATOR),
    )
    _arrange_menus(layer, actions)
    _fill(layer, actions, _SEPARATOR, "copy_seed", "pin_seed", "use_seed", _SEPARATOR)
    _fill(layer, actions, "original_size", "background")
    _fill(
        bar.addMenu(tr("&Generate")),
        actions,
        *("generate", "regenerate", "generate_empty", "generate_outdated", "generate_next"),
        *(_SEPARATOR, "stop", "stop_all", "show_jobs", _SEPARATOR),
        *("candidate_next", "candidate_previous", "accept", "discard", "discard_all", "compare"),
        *("trim_candidates", "raise_bound"),
        *(_SEPARATOR, "focus_prompt", "prompt_history", _SEPARATOR, "restart_engine"),
    )
    view = bar.addMenu(tr("V&iew"))
    _fill(view, actions, "zoom_in", "zoom_out", "zoom_fit", "zoom_100", "zoom_selection")
    _fill(view, actions, _SEPARATOR, "grid", "snap", "outlines", "show_previews")
    _fill(
        _submenu(view, tr("&Matte")),
        actions,
        *("matte", _SEPARATOR, "matte_none", "matte_black", "matte_white", "matte_magenta"),
        "matte_own",
    )
    _fill(view, actions, _SEPARATOR)
    _fill(
        _submenu(view, tr("&Tools")), actions, "tool_select", "tool_box", "tool_hand", "tool_zoom"
    )
    _fill(_submenu(view, tr("T&heme")), actions, "theme_system", "theme_dark", "theme_light")
    _fill(
        _submenu(view, tr("Pa&nels")),
        actions,
        *("next_pane", "previous_pane", "pane_layers", "pane_candidates", _SEPARATOR),
        *("hide_panels", "reset_layout"),
    )
    _fill(view, actions, _SEPARATOR, "full_screen")
    help_menu = bar.addMenu(tr("Hel&p"))
    _fill(
        help_menu,
        actions,
        "help_model",
        "help_keys",
        _SEPARATOR,
        "copy_diagnostics",
        "open_logs",
        "about",
    )


def context_menu(parent: QWidget, actions: Actions) -> QMenu:
    """What a right click on a layer offers, on the canvas and in the list."""
    menu = QMenu(parent)
    _fill(
        menu,
        actions,
        *("regenerate", "keep_as_is", "compare", _SEPARATOR, "rename", "duplicate", "delete"),
        *(_SEPARATOR, "toggle_visible", "solo", "toggle_locked", _SEPARATOR),
        *("raise", "lower", "to_front", "to_back", _SEPARATOR),
    )
    _arrange_menus(menu, actions)
    _fill(menu, actions, _SEPARATOR, "copy_seed", "pin_seed", "use_seed", _SEPARATOR)
    _fill(menu, actions, "original_size", "new_box", "zoom_selection")
    return menu


def canvas_menu(parent: QWidget, actions: Actions) -> QMenu:
    """What a right click on nothing offers."""
    menu = QMenu(parent)
    _fill(menu, actions, "new_box", "select_all", _SEPARATOR, "zoom_fit", "matte", "grid")
    return menu


def _arrange_menus(menu: QMenu, actions: Actions) -> None:
    sides = ("left", "right", "top", "bottom", "centre_h", "centre_v")
    align = _submenu(menu, tr("Ali&gn"))
    _fill(align, actions, *(f"align_{side}" for side in sides), _SEPARATOR)
    _fill(align, actions, "distribute_h", "distribute_v")
    _fill(_submenu(menu, tr("Blend &Mode")), actions, "blend_next", "blend_previous")


def _submenu(menu: QMenu, title: str) -> QMenu:
    result = QMenu(title, menu)
    menu.addMenu(result)
    return result


def _fill(menu: QMenu, actions: Actions, *names: str) -> None:
    menu.setToolTipsVisible(True)
    for name in names:
        if name == _SEPARATOR:
            menu.addSeparator()
        else:
            menu.addAction(actions[name])
