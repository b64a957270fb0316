"""The menu bar and the context menus: which actions stand where. Nothing here says what they do."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QWidget

from app.ui.action_table import SPECS
from app.ui.actions import Actions, spec_title
from app.ui.text import tr

# What can be generated instead of what the Generate button offers.
ALTERNATIVES = ("generate_empty", "regenerate", "generate_outdated", "generate_all")
# Names of actions; "-" is a separator, "*name" a menu of this table or a live one, and
# "=group" all actions of a group.
BAR = {
    "&File": "new open *recent examples - save save_as save_numbered save_sharing revert -"
    " import_picture import_layout - export export_again export_svg export_layout -"
    " recover - quit",
    "&Edit": "undo redo - cut copy copy_merged *copy_as paste paste_in_place paste_layout -"
    " duplicate delete - canvas_size - find_command settings",
    "Selec&t": "select_all select_none - select_above select_below select_last -"
    " select_outdated *here",
    "&Layer": "new_box regenerate keep_as_is *colours *looks -"
    " rename toggle_visible solo toggle_locked -"
    " *arrange *align *distribute *blend *opacity *copy_as - pin_seed use_seed -"
    " original_size background",
    "&Generate": f"generate - {' '.join(ALTERNATIVES)} - generate_next stop stop_all show_jobs -"
    " candidate_next candidate_previous accept discard discard_all compare trim_candidates"
    " raise_bound - suggest_layout add_missing suggest_things repeat_things -"
    " focus_prompt prompt_history - *engine retry_job restart_engine",
    "V&iew": "zoom_in zoom_out zoom_fit zoom_100 zoom_selection - grid snap outlines"
    " show_previews *transparency - *tools *panels hide_panels full_screen *theme - reset_layout",
    "Hel&p": "help help_keys examples help_model - copy_diagnostics open_logs - licences about",
}
_CONTEXT = (
    "regenerate keep_as_is *colours *looks compare - rename duplicate delete -"
    " toggle_visible solo toggle_locked - *arrange *align *distribute *blend *opacity -"
    " copy *copy_as *seed - original_size zoom_selection"
)
SUBMENUS = {
    # Everything that is copied as text; SVG is text, too.
    "copy_as": ("Cop&y As", "copy_svg copy_layout copy_recipe - copy_record copy_seed"),
    "seed": ("Seed", "pin_seed use_seed"),
    "arrange": ("&Arrange", "raise lower to_front to_back"),
    "align": (
        "Ali&gn",
        "align_left align_right align_top align_bottom align_centre_h align_centre_v",
    ),
    "distribute": ("&Distribute", "distribute_h distribute_v"),
    "blend": ("Blend &Mode", "blend_next blend_previous - =blend"),
    "opacity": ("&Opacity", "=opacity"),
    "transparency": (
        "Transparency &Colour",
        "matte - matte_none matte_black matte_white matte_magenta matte_own",
    ),
    "tools": ("&Tools", "tool_select tool_box tool_hand tool_zoom"),
    "panels": ("Pa&nels", "next_pane previous_pane pane_layers pane_things pane_candidates"),
    "theme": ("Th&eme", "theme_system theme_dark theme_light"),
}


@dataclass(frozen=True, slots=True)
class LiveMenus:
    """Menus that others fill: files, layers under the pointer, words of the model, engines."""

    recent: QMenu
    here: QMenu
    colours: QMenu
    looks: QMenu
    engine: QMenu

    @classmethod
    def made_for(cls, window: QWidget) -> LiveMenus:
        titles = (
            *(tr("Open Re&cent"), tr("Layers &Here"), tr("Recolou&r"), tr("Redra&w As")),
            tr("Draw With"),
        )
        return cls(*(QMenu(title, window) for title in titles))


def build_menus(window: QMainWindow, actions: Actions, live: LiveMenus) -> None:
    bar = window.menuBar()
    for title, names in BAR.items():
        _fill(bar.addMenu(tr(title)), actions, names, live)


def context_menu(
    parent: QWidget, actions: Actions, new_box_here: QAction, live: LiveMenus
) -> QMenu:
    """What a right click on a layer offers, on the canvas and in the list."""
    menu = QMenu(parent)
    _fill(menu, actions, _CONTEXT, live)
    menu.addAction(new_box_here)
    menu.addMenu(live.here)
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


def _fill(menu: QMenu, actions: Actions, names: str, live: LiveMenus | None = None) -> None:
    menu.setToolTipsVisible(True)
    for name in names.split():
        if name == "-":
            menu.addSeparator()
        elif name.startswith("*") and name[1:] not in SUBMENUS:
            menu.addMenu(getattr(live, name[1:]))
        elif name.startswith("*"):
            title, inner = SUBMENUS[name[1:]]
            submenu = QMenu(tr(title), menu)
            _fill(submenu, actions, inner)
            menu.addMenu(submenu)
        elif name.startswith("="):
            _fill(menu, actions, " ".join(spec.name for spec in SPECS if spec.group == name[1:]))
        else:
            menu.addAction(actions[name])
