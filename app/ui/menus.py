"""The menu bar and the context menus: which actions stand where. Nothing here says what they do."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QWidget

from app.ui.action_table import SPECS
from app.ui.actions import Actions, spec_title
from app.ui.text import tr

_SEPARATOR = ""
# What can be generated instead of what the Generate button offers.
ALTERNATIVES = ("generate_empty", "regenerate", "generate_outdated", "generate_all")


@dataclass(frozen=True, slots=True)
class LiveMenus:
    """Menus that others fill: recent files, and the layers under the pointer."""

    recent: QMenu
    here: QMenu

    @classmethod
    def made_for(cls, window: QWidget) -> LiveMenus:
        titles = (tr("Open Re&cent"), tr("Layers &Here"))
        return cls(*(QMenu(title, window) for title in titles))


def build_menus(window: QMainWindow, actions: Actions, live: LiveMenus) -> None:
    bar = window.menuBar()
    file = bar.addMenu(tr("&File"))
    _fill(file, actions, "new", "open")
    file.addMenu(live.recent)
    _fill(
        file,
        actions,
        *("examples", _SEPARATOR, "save", "save_as", "save_numbered", "save_sharing", "revert"),
        _SEPARATOR,
        *("import_picture", "import_layout", _SEPARATOR, "export", "export_again"),
        *("export_svg", "export_layout", _SEPARATOR, "recover", _SEPARATOR, "quit"),
    )
    edit = bar.addMenu(tr("&Edit"))
    _fill(edit, actions, "undo", "redo", _SEPARATOR, "cut", "copy", "copy_merged")
    _copy_as_menu(edit, actions)
    _fill(
        edit,
        actions,
        *("paste", "paste_in_place", "paste_layout", _SEPARATOR, "duplicate", "delete"),
        *(_SEPARATOR, "canvas_size", _SEPARATOR, "find_command", "settings"),
    )
    select = bar.addMenu(tr("Selec&t"))
    _fill(
        select,
        actions,
        *("select_all", "select_none", _SEPARATOR, "select_above", "select_below"),
        *("select_last", _SEPARATOR, "select_outdated"),
    )
    select.addMenu(live.here)
    layer = bar.addMenu(tr("&Layer"))
    _fill(layer, actions, "new_box", "regenerate", "keep_as_is", _SEPARATOR)
    _fill(layer, actions, "rename", "toggle_visible", "solo", "toggle_locked", _SEPARATOR)
    _arrange_menus(layer, actions)
    _copy_as_menu(layer, actions)
    _fill(layer, actions, *_SEEDS, "original_size", "background")
    _fill(
        bar.addMenu(tr("&Generate")),
        actions,
        *("generate", _SEPARATOR, *ALTERNATIVES, _SEPARATOR, "generate_next"),
        *("stop", "stop_all", "show_jobs", _SEPARATOR),
        *("candidate_next", "candidate_previous", "accept", "discard", "discard_all", "compare"),
        *("trim_candidates", "raise_bound"),
        *(_SEPARATOR, "focus_prompt", "prompt_history", _SEPARATOR, "restart_engine"),
    )
    _view_menu(bar.addMenu(tr("V&iew")), actions)
    help_menu = bar.addMenu(tr("Hel&p"))
    _fill(help_menu, actions, "help", "help_keys")
    _fill(help_menu, actions, "examples", "help_model", _SEPARATOR, "copy_diagnostics", "open_logs")
    _fill(help_menu, actions, _SEPARATOR, "licences", "about")


def context_menu(parent: QWidget, actions: Actions, new_box_here: QAction, here: QMenu) -> QMenu:
    """What a right click on a layer offers, on the canvas and in the list."""
    menu = QMenu(parent)
    _fill(
        menu,
        actions,
        *("regenerate", "keep_as_is", "compare", _SEPARATOR),
        *("rename", "duplicate", "delete", _SEPARATOR),
        *("toggle_visible", "solo", "toggle_locked", _SEPARATOR),
    )
    _arrange_menus(menu, actions)
    _fill(menu, actions, _SEPARATOR, "copy")
    _copy_as_menu(menu, actions)
    _fill(_submenu(menu, tr("Seed")), actions, "pin_seed", "use_seed")
    _fill(menu, actions, _SEPARATOR, "original_size", "zoom_selection")
    menu.addAction(new_box_here)
    menu.addMenu(here)
    return menu


def canvas_menu(parent: QWidget, actions: Actions, new_box_here: QAction, here: QMenu) -> QMenu:
    """What a right click on nothing offers, in words that need no menu around them."""
    menu = QMenu(parent)
    menu.setToolTipsVisible(True)
    for name in ("paste", "paste_in_place"):
        _add_in_full(menu, actions, name)
    menu.addSeparator()
    menu.addAction(new_box_here)
    _add_in_full(menu, actions, "select_all")
    menu.addMenu(here)
    menu.addSeparator()
    for name in ("zoom_fit", "matte"):
        _add_in_full(menu, actions, name)
    _add_in_full(menu, actions, "grid", tr("Show Grid"))
    _add_in_full(menu, actions, "background", tr("Show Background"))
    return menu


def _add_in_full(menu: QMenu, actions: Actions, name: str, text: str = "") -> None:
    """The action under its full name, with its key, state and tip."""
    source = actions[name]
    entry = QAction(menu)
    entry.setObjectName(name)
    entry.setCheckable(source.isCheckable())

    def follow() -> None:
        key = source.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        full = text or spec_title(actions.spec(name))
        entry.setText(f"{full}\t{key}" if key else full)
        entry.setEnabled(source.isEnabled())
        entry.setChecked(source.isChecked())
        entry.setToolTip(source.toolTip())

    source.changed.connect(follow)
    entry.triggered.connect(lambda: source.trigger())
    follow()
    menu.addAction(entry)


def _copy_as_menu(menu: QMenu, actions: Actions) -> None:
    """Everything that is copied as text; SVG is text, too."""
    names = ("copy_svg", "copy_layout", "copy_recipe", _SEPARATOR, "copy_record", "copy_seed")
    _fill(_submenu(menu, tr("Cop&y As")), actions, *names)


_SEEDS = (_SEPARATOR, "pin_seed", "use_seed", _SEPARATOR)


def _view_menu(view: QMenu, actions: Actions) -> None:
    _fill(view, actions, "zoom_in", "zoom_out", "zoom_fit", "zoom_100", "zoom_selection")
    _fill(view, actions, _SEPARATOR, "grid", "snap", "outlines", "show_previews")
    _fill(
        _submenu(view, tr("Transparency &Colour")),
        actions,
        *("matte", _SEPARATOR, "matte_none", "matte_black", "matte_white", "matte_magenta"),
        "matte_own",
    )
    _fill(view, actions, _SEPARATOR)
    tools = ("tool_select", "tool_box", "tool_hand", "tool_zoom")
    _fill(_submenu(view, tr("&Tools")), actions, *tools)
    panes = ("next_pane", "previous_pane", "pane_layers", "pane_candidates")
    _fill(_submenu(view, tr("Pa&nels")), actions, *panes)
    _fill(view, actions, "hide_panels", "full_screen")
    _fill(_submenu(view, tr("Th&eme")), actions, "theme_system", "theme_dark", "theme_light")
    _fill(view, actions, _SEPARATOR, "reset_layout")


def _arrange_menus(menu: QMenu, actions: Actions) -> None:
    """Order, place and looks of the selected layers."""
    order = ("raise", "lower", "to_front", "to_back")
    _fill(_submenu(menu, tr("&Arrange")), actions, *order)
    sides = ("left", "right", "top", "bottom", "centre_h", "centre_v")
    _fill(_submenu(menu, tr("Ali&gn")), actions, *(f"align_{side}" for side in sides))
    _fill(_submenu(menu, tr("&Distribute")), actions, "distribute_h", "distribute_v")
    blend = _submenu(menu, tr("Blend &Mode"))
    _fill(blend, actions, "blend_next", "blend_previous", _SEPARATOR, *_grouped("blend"))
    _fill(_submenu(menu, tr("&Opacity")), actions, *_grouped("opacity"))


def _grouped(group: str) -> list[str]:
    return [spec.name for spec in SPECS if spec.group == group]


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
