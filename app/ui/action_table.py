"""The table of actions: every text, key, icon and tooltip of the program, one action a line.

Keys: editor.md 3.3. Scope "canvas": fires only while the canvas or the layer list has the focus.
"""
# A table reads best with one action per line, however long.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["window", "canvas"]


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action as data.

    Attributes:
        name: how the code calls it.
        text: menu text with mnemonic.
        tip: one sentence that says more than the text.
        keys: the first is shown, the others work too.
        group: actions of one group exclude each other.
        title: first line of the tooltip where the menu text alone says too little.
    """

    name: str
    text: str
    tip: str
    keys: tuple[str, ...] = ()
    scope: Scope = "window"
    icon: str = ""
    checkable: bool = False
    group: str = ""
    title: str = ""


def _spec(
    name: str,
    text: str,
    tip: str,
    keys: str = "",
    scope: Scope = "window",
    icon: str = "",
    checkable: bool = False,
    group: str = "",
    title: str = "",
) -> ActionSpec:
    return ActionSpec(name, text, tip, tuple(keys.split()), scope, icon, checkable, group, title)


SPECS: tuple[ActionSpec, ...] = (
    # File
    _spec("new", "&New…", "Starts an empty picture of a size that you choose.", "Ctrl+N", icon="file-plus-2"),
    _spec("open", "&Open…", "Opens an OpenRaster file with all its layers.", "Ctrl+O", icon="folder-open"),
    _spec("save", "&Save", "Writes layers, prompt and seeds into one .ora file.", "Ctrl+S", icon="save"),
    _spec("save_as", "Save &As…", "Writes the picture under another name.", "Ctrl+Shift+S"),
    _spec("export_png", "&Export PNG…", "Writes the whole picture as one PNG with transparency.", "Ctrl+Shift+E", icon="image-down"),
    _spec("export_zip", "Export &Layers as ZIP…", "Writes each layer as its own PNG, with a manifest.", icon="file-output"),
    _spec("recover", "Reco&ver…", "Lists work that was not saved when the program ended."),
    _spec("quit", "&Quit", "Closes the window; unsaved changes are asked about first.", "Ctrl+Q Ctrl+W"),
    # Edit
    _spec("undo", "&Undo", "Takes back the last change, the prompt included.", "Ctrl+Z", icon="undo-2"),
    _spec("redo", "&Redo", "Brings back what was undone.", "Ctrl+Shift+Z Ctrl+Y", icon="redo-2"),
    _spec("duplicate", "D&uplicate", "Makes a copy of the selected layers above them.", "Ctrl+J Ctrl+D", "canvas", "copy"),
    _spec("delete", "&Delete", "Removes the selected layers; undo brings them back.", "Del Backspace", "canvas", "trash-2"),
    # Select
    _spec("select_all", "&All", "Selects every layer except the background.", "Ctrl+A", "canvas", title="Select All"),
    _spec("select_none", "&None", "Clears the selection.", "Ctrl+Shift+A", "canvas", title="Select Nothing"),
    _spec("select_above", "Layer A&bove", "Selects the next layer towards the front.", "PgUp Alt+]", "canvas"),
    _spec("select_below", "Layer Be&low", "Selects the next layer towards the back.", "PgDown Alt+[", "canvas"),
    # Layer
    _spec("new_box", "New &Box", "Adds an empty box in the middle, a third of the canvas wide.", "Ins Ctrl+Shift+N", "canvas"),
    _spec("rename", "Re&name…", "Changes the layer's name in the list.", "F2", "canvas", "pencil"),
    _spec("toggle_visible", "Show or &Hide", "A hidden layer is neither shown, exported nor seen by the model.", "Ctrl+H Ctrl+Shift+H", "canvas", "eye"),
    _spec("toggle_locked", "&Lock or Unlock", "A locked layer keeps its pixels and its place.", "Ctrl+L Ctrl+Shift+L", "canvas", "lock"),
    _spec("raise", "&Raise", "Moves the selected layers one step towards the front.", "Ctrl+PgUp Ctrl+]", "canvas", "arrow-up"),
    _spec("lower", "Lo&wer", "Moves the selected layers one step towards the back.", "Ctrl+PgDown Ctrl+[", "canvas", "arrow-down"),
    _spec("to_front", "To &Front", "Puts the selected layers in front of all others.", "Ctrl+Shift+PgUp Ctrl+Shift+]", "canvas"),
    _spec("to_back", "To Bac&k", "Puts the selected layers behind all others, above the background.", "Ctrl+Shift+PgDown Ctrl+Shift+[", "canvas"),
    _spec("background", "Background &On", "Without a background the picture is transparent around its layers.", checkable=True),
    # Generate
    _spec("generate", "&Picture", "Makes the background and every visible, unlocked layer from the prompt.", "Ctrl+Return Ctrl+Enter", icon="sparkles", title="Generate Picture"),
    _spec("regenerate", "Regenerate &Selected", "Makes the selected layers anew and leaves the others untouched.", "Ctrl+R F5", icon="refresh-cw"),
    _spec("generate_empty", "Fill &Empty Boxes", "Fills only the boxes that have no pixels yet.", icon="square-dashed"),
    _spec("stop", "S&top", "Ends the running job; picture and undo stay as they were.", "Shift+X", "canvas", "square"),
    _spec("stop_all", "Stop &All", "Ends the running job and every waiting one.", "Ctrl+Shift+X"),
    _spec("focus_prompt", "Edit P&rompt", "Puts the caret into the prompt. Esc leads back to the canvas.", "P", "canvas"),
    # View
    _spec("zoom_in", "Zoom &In", "Makes the picture larger around its middle.", "Ctrl++ Ctrl+=", icon="zoom-in"),
    _spec("zoom_out", "Zoom &Out", "Makes the picture smaller around its middle.", "Ctrl+-", icon="zoom-out"),
    _spec("zoom_fit", "&Fit", "Shows the whole canvas.", "Home Ctrl+0", "canvas", "maximize", title="Fit Canvas"),
    _spec("zoom_100", "&100 %", "One picture pixel per screen pixel.", "Shift+Home Ctrl+1", "canvas", title="Zoom to 100 %"),
    _spec("zoom_selection", "Zoom to &Selection", "Shows the selected layers as large as they fit.", "F Ctrl+2", "canvas", "scan"),
    _spec("grid", "&Grid", "Shows the cells that the model works in.", "Shift+G Ctrl+'", "canvas", checkable=True),
    _spec("theme_system", "&System", "Follows the system's light or dark setting.", checkable=True, group="theme", title="System Theme"),
    _spec("theme_dark", "&Dark", "Light text on dark grey.", checkable=True, group="theme", title="Dark Theme"),
    _spec("theme_light", "&Light", "Dark text on light grey.", checkable=True, group="theme", title="Light Theme"),
    _spec("reset_layout", "&Reset Layout", "Puts the panels back where they were at first."),
    _spec("next_pane", "Ne&xt Panel", "Moves the focus to prompt, tools, canvas, inspector and layers in turn.", "F6"),
    _spec("previous_pane", "Pre&vious Panel", "Moves the focus the other way round.", "Shift+F6"),
    # Tools
    _spec("tool_select", "&Select", "Click picks a layer, drag moves it. Ctrl held: any pixel.", "V", "canvas", "mouse-pointer-2", True, "tool", title="Select Tool"),
    _spec("tool_box", "&Box", "Drag draws a box on the grid. Each box becomes a layer.", "R U", "canvas", "square-dashed", True, "tool", title="Box Tool"),
    _spec("tool_hand", "&Hand", "Drag moves the view. The space bar does so in every tool.", "H", "canvas", "hand", True, "tool", title="Hand Tool"),
    _spec("tool_zoom", "&Zoom", "Click zooms in, Alt+click zooms out.", "Z", "canvas", "zoom-in", True, "tool", title="Zoom Tool"),
    # Help
    _spec("help_model", "&What This Model Can Do", "Says in a few lines what to expect.", "F1"),
    _spec("help_keys", "&Keyboard Shortcuts", "Lists every key.", "Ctrl+F1 Ctrl+/"),
    _spec("open_logs", "Open &Log Folder", "Shows where the program writes what went wrong."),
    _spec("about", "&About Layerloom", "Version, licence and thanks."),
)
