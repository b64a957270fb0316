"""The table of actions: every text, key, icon, tooltip and rule of the program, one action a line."""
# A table reads best with one action per line, however long.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Literal

from app.ui import action_rules as rules

Scope = Literal["window", "canvas"]
# Where Ctrl is the command key, the first of them hides the whole program.
_HIDE_KEYS = "Ctrl+Shift+H" if sys.platform == "darwin" else "Ctrl+H Ctrl+Shift+H"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action as data."""

    name: str  # how the code calls it
    text: str  # menu text with mnemonic
    tip: str  # one sentence that says more than the text
    keys: tuple[str, ...] = ()  # the first is shown, the others work too
    scope: Scope = "window"
    icon: str = ""
    checkable: bool = False
    group: str = ""  # actions of one group exclude each other
    title: str = ""  # first line of the tooltip where the menu text alone says too little
    when_needed: bool = False  # menus show it only while it is enabled
    # Why it is disabled, see `action_rules`; None = always enabled.
    enabled_when: rules.Rule | None = None
    # Whether it is checked, where the state decides; None = the user decides.
    checked_when: rules.Check | None = None
    title_when: rules.Rule | None = None  # menu text where it changes with the state


def _spec(name: str, text: str, tip: str, keys: str = "", *parts: Any, **more: Any) -> ActionSpec:
    """A line of the table; several keys have blanks between them."""
    return ActionSpec(name, text, tip, tuple(keys.split()), *parts, **more)


SPECS: tuple[ActionSpec, ...] = (
    # File
    _spec("new", "&New…", "Starts an empty picture of a size that you choose.", "Ctrl+N", icon="file-plus-2"),
    _spec("open", "&Open…", "Opens an OpenRaster file with all its layers.", "Ctrl+O", icon="folder-open"),
    _spec("clear_recent", "&Clear List", "Clears the list; the files themselves stay.", title="Clear Recent Files", enabled_when=rules.some_recent),
    _spec("save", "&Save", "Writes layers, prompt and seeds into one .ora file.", "Ctrl+S", icon="save"),
    _spec("save_as", "Save &As…", "Writes the picture under another name.", "Ctrl+Shift+S"),
    _spec("save_numbered", "Save N&umbered Copy", "Writes the next beach_001.ora; this picture keeps its name.", enabled_when=rules.was_saved),
    _spec("save_sharing", "Save Copy for S&haring…", "Writes the layers without prompt, seeds and other results."),
    _spec("revert", "&Revert to Saved…", "Goes back to the file as it was saved; Undo brings the current picture back.", enabled_when=rules.was_saved),
    _spec("import_picture", "&Import Picture as Layer…", "Adds pictures, or the layers of an OpenRaster file, on top.", "Ctrl+I", icon="image-down"),
    _spec("import_layout", "Import &Layout…", "Adds the boxes of a layout, a recipe, or a picture that carries one."),
    _spec("export", "&Export…", "Writes PNG, PSD, SVG, PDF and others, and shows what each can store.", "Ctrl+Shift+E", icon="file-output"),
    _spec("export_again", "Export A&gain", "Repeats the last export under the same name.", enabled_when=rules.was_exported),
    _spec("export_svg", "Export La&yer as SVG…", "Writes the selected layer as shapes that stay sharp at any size.", enabled_when=rules.layer_with_pixels),
    _spec("export_layout", "Export Layou&t…", "Writes the boxes, names and pinned seeds as text."),
    _spec("examples", "E&xamples…", "Shows finished pictures and layouts to start from."),
    _spec("recover", "Reco&ver…", "Lists work that was not saved when the program ended.", enabled_when=rules.keeps_work),
    _spec("quit", "&Quit", "Closes the window. Asks about unsaved changes first.", "Ctrl+Q Ctrl+W"),
    # Edit
    _spec("undo", "&Undo", "Undoes the last change, in the prompt as well.", "Ctrl+Z", icon="undo-2", enabled_when=rules.can_undo, title_when=rules.undo_text),
    _spec("redo", "&Redo", "Brings back what was undone.", "Ctrl+Shift+Z Ctrl+Y", icon="redo-2", enabled_when=rules.can_redo, title_when=rules.redo_text),
    _spec("cut", "Cu&t", "Copies the selected layers to the clipboard and deletes them from the picture.", "Ctrl+X", "canvas", enabled_when=rules.can_cut),
    _spec("copy", "&Copy", "Copies the selected layers to the clipboard; other programs receive one picture.", "Ctrl+C Ctrl+Ins", "canvas", title="Copy Layers", enabled_when=rules.some_layer),
    _spec("copy_merged", "Copy &Merged", "Copies the whole picture to the clipboard.", "Ctrl+Shift+C", "canvas"),
    _spec("copy_svg", "S&VG Shapes", "Copies the selected layers as shapes, for Inkscape and other drawing programs.", title="Copy as SVG", enabled_when=rules.layer_with_pixels),
    _spec("copy_layout", "&Layout", "Copies the boxes as text.", title="Copy Layout"),
    _spec("copy_recipe", "&Recipe", "Copies prompt, seeds and settings of the picture as text.", title="Copy Recipe"),
    _spec("paste", "&Paste", "Adds layers, pictures, files or a layout from the clipboard.", "Ctrl+V Shift+Ins", "canvas"),
    _spec("paste_in_place", "Paste &in Place", "Adds layers from the clipboard where they were.", "Ctrl+Shift+V", "canvas"),
    _spec("paste_layout", "Paste Layout Te&xt", "Adds the boxes of a layout that was copied as text.", title="Paste Layout"),
    _spec("duplicate", "Duplic&ate", "Copies the selected layers in place.", "Ctrl+J Ctrl+D", "canvas", "copy", enabled_when=rules.some_foreground),
    _spec("delete", "&Delete", "Removes the selected layers; undo brings them back.", "Del Backspace", "canvas", "trash-2", enabled_when=rules.can_delete),
    _spec("canvas_size", "Canvas Si&ze…", "Changes the size of the canvas; the layers keep their pixels."),
    _spec("settings", "&Settings…", "Changes appearance, generation, engines, canvas, keys, files and undo.", "Ctrl+,"),
    _spec("find_command", "&Find Command…", "Finds any command by a part of its name and runs it.", "Ctrl+Shift+P"),
    # Select
    _spec("select_all", "&All", "Selects every layer except the background.", "Ctrl+A", "canvas", title="Select All"),
    _spec("select_none", "&None", "Clears the selection.", "Ctrl+Shift+A", "canvas", title="Select Nothing", enabled_when=rules.some_layer),
    _spec("select_above", "Layer A&bove", "Selects the next layer towards the front.", "PgUp Alt+]", "canvas"),
    _spec("select_below", "Layer Be&low", "Selects the next layer towards the back.", "PgDown Alt+[", "canvas"),
    _spec("select_last", "La&st Selected", "Switches between the last two selections.", "Q", "canvas", enabled_when=rules.selected_before),
    _spec("select_outdated", "&Outdated", "Selects the layers whose word is no longer in the prompt or whose size has changed.", title="Select Outdated", enabled_when=rules.some_outdated),
    # Layer
    _spec("new_box", "New &Box", "Adds an empty box in the middle, a third of the canvas wide.", "Ins Ctrl+Shift+N", icon="plus"),
    _spec("keep_as_is", "Mar&k as Current", "Treats this layer as up to date until prompt or size change again.", enabled_when=rules.selected_outdated),
    _spec("rename", "Re&name…", "Changes the layer's name in the list.", "F2", "canvas", "pencil", enabled_when=rules.one_layer),
    _spec("toggle_visible", "&Hide", "A hidden layer is neither shown, exported nor seen by the model.", _HIDE_KEYS, "canvas", "eye", title="Show or Hide", enabled_when=rules.some_layer, title_when=rules.visible_text),
    _spec("toggle_locked", "&Lock", "A locked layer keeps its pixels and position.", "Ctrl+L Ctrl+Shift+L", "canvas", "lock", title="Lock or Unlock", enabled_when=rules.some_layer, title_when=rules.locked_text),
    _spec("solo", "&Solo", "Shows only the selected layers; press again to show all. Exports are not affected.", "S", "canvas", enabled_when=rules.layer_or_solo),
    _spec("raise", "&Raise", "Moves the selected layers one step towards the front.", "Ctrl+PgUp Ctrl+]", "canvas", "arrow-up", enabled_when=rules.some_foreground),
    _spec("lower", "Lo&wer", "Moves the selected layers one step towards the back.", "Ctrl+PgDown Ctrl+[", "canvas", "arrow-down", enabled_when=rules.some_foreground),
    _spec("to_front", "To &Front", "Puts the selected layers in front of all others.", "Ctrl+Shift+PgUp Ctrl+Shift+]", "canvas", enabled_when=rules.some_foreground),
    _spec("to_back", "&To Back", "Puts the selected layers behind all others, above the background.", "Ctrl+Shift+PgDown Ctrl+Shift+[", "canvas", enabled_when=rules.some_foreground),
    _spec("align_left", "&Left", "Aligns the left edges; a single layer aligns to the canvas.", "Alt+A", "canvas", title="Align Left", enabled_when=rules.can_align),
    _spec("align_right", "&Right", "Aligns the right edges; a single layer aligns to the canvas.", "Alt+D", "canvas", title="Align Right", enabled_when=rules.can_align),
    _spec("align_top", "&Top", "Aligns the top edges; a single layer aligns to the canvas.", "Alt+W", "canvas", title="Align Top", enabled_when=rules.can_align),
    _spec("align_bottom", "&Bottom", "Aligns the bottom edges; a single layer aligns to the canvas.", "Alt+S", "canvas", title="Align Bottom", enabled_when=rules.can_align),
    _spec("align_centre_h", "Centre &Horizontally", "Aligns the centres on one vertical line.", "Alt+H", "canvas", enabled_when=rules.can_align),
    _spec("align_centre_v", "Centre &Vertically", "Aligns the centres on one horizontal line.", "Alt+V", "canvas", enabled_when=rules.can_align),
    _spec("distribute_h", "Distribute H&orizontally", "Makes the gaps between three or more layers equally wide.", enabled_when=rules.can_distribute),
    _spec("distribute_v", "Distribute V&ertically", "Makes the gaps between three or more layers equally high.", enabled_when=rules.can_distribute),
    _spec("blend_next", "Ne&xt Mode", "Goes to the next blend mode in the list.", "B Shift++", "canvas", title="Next Blend Mode", enabled_when=rules.unlocked_layers),
    _spec("blend_previous", "&Previous Mode", "Goes to the previous blend mode in the list.", "Shift+B Shift+-", "canvas", title="Previous Blend Mode", enabled_when=rules.unlocked_layers),
    _spec("blend_normal", "&Normal", "Covers what is below.", checkable=True, group="blend", title="Blend Mode Normal", enabled_when=rules.unlocked_layers, checked_when=rules.has_blend("normal")),
    _spec("blend_multiply", "&Multiply", "Darkens: white vanishes, black stays.", checkable=True, group="blend", title="Blend Mode Multiply", enabled_when=rules.unlocked_layers, checked_when=rules.has_blend("multiply")),
    _spec("blend_screen", "&Screen", "Lightens: black vanishes, white stays.", checkable=True, group="blend", title="Blend Mode Screen", enabled_when=rules.unlocked_layers, checked_when=rules.has_blend("screen")),
    _spec("blend_overlay", "&Overlay", "Multiplies what is dark below and screens what is light.", checkable=True, group="blend", title="Blend Mode Overlay", enabled_when=rules.unlocked_layers, checked_when=rules.has_blend("overlay")),
    _spec("blend_darken", "&Darken", "Keeps the darker of both, in each colour channel.", checkable=True, group="blend", title="Blend Mode Darken", enabled_when=rules.unlocked_layers, checked_when=rules.has_blend("darken")),
    _spec("blend_lighten", "&Lighten", "Keeps the lighter of both, in each colour channel.", checkable=True, group="blend", title="Blend Mode Lighten", enabled_when=rules.unlocked_layers, checked_when=rules.has_blend("lighten")),
    _spec("blend_color-dodge", "&Color Dodge", "Brightens what is below until it glows.", checkable=True, group="blend", title="Blend Mode Color Dodge", enabled_when=rules.unlocked_layers, checked_when=rules.has_blend("color-dodge")),
    _spec("blend_color-burn", "Color &Burn", "Darkens what is below and deepens its colours.", checkable=True, group="blend", title="Blend Mode Color Burn", enabled_when=rules.unlocked_layers, checked_when=rules.has_blend("color-burn")),
    _spec("blend_hard-light", "&Hard Light", "Multiplies where the layer is dark, screens where it is light.", checkable=True, group="blend", title="Blend Mode Hard Light", enabled_when=rules.unlocked_layers, checked_when=rules.has_blend("hard-light")),
    _spec("blend_soft-light", "So&ft Light", "Darkens or lightens a little.", checkable=True, group="blend", title="Blend Mode Soft Light", enabled_when=rules.unlocked_layers, checked_when=rules.has_blend("soft-light")),
    _spec("blend_difference", "D&ifference", "Shows the difference of both; equal colours become black.", checkable=True, group="blend", title="Blend Mode Difference", enabled_when=rules.unlocked_layers, checked_when=rules.has_blend("difference")),
    _spec("blend_add", "&Add", "Adds the light of both.", checkable=True, group="blend", title="Blend Mode Add", enabled_when=rules.unlocked_layers, checked_when=rules.has_blend("add")),
    *(
        _spec(f"opacity_{percent}", f"{percent} %", "Digits do the same: 5 is 50 %, 4 and 2 are 42 %.", checkable=True, group="opacity", title=f"Opacity {percent} %", enabled_when=rules.unlocked_layers, checked_when=rules.has_opacity(percent))
        for percent in range(100, 0, -10)
    ),
    _spec("copy_seed", "&Seed", "Copies the seed of the layer.", title="Copy Seed", enabled_when=rules.has_seed),
    _spec("copy_record", "Layer's Rec&ipe", "Copies how the layer was made: prompt, seed, position, model.", title="Copy Layer's Recipe", enabled_when=rules.has_seed),
    _spec("pin_seed", "&Pin Seed", "Keeps this layer's seed for all later results. It may still change a little with the layers around it.", enabled_when=rules.can_pin, title_when=rules.pin_text),
    _spec("use_seed", "Re&use This Seed Once", "The layer's next result starts from the seed of the current one; later results do not.", checkable=True, enabled_when=rules.can_reuse_seed, checked_when=rules.uses_seed_once),
    _spec("original_size", "Original Si&ze", "Restores the full size of a picture that was scaled down.", enabled_when=rules.other_size),
    _spec("background", "Ba&ckground On", "Turn it off for a picture that is transparent around its layers.", checkable=True, checked_when=rules.has_background),
    # Generate
    _spec("generate", "&Generate", "Fills the empty boxes, repaints the selected layers, or paints everything: the button says which.", "Ctrl+Return Ctrl+Enter", icon="sparkles", title="Generate", enabled_when=rules.can_generate, title_when=rules.generate_text),
    _spec("generate_empty", "&Fill Empty Boxes", "Fills only the boxes that have no pixels yet.", "Ctrl+B", icon="square-dashed", enabled_when=rules.can_offer("generate_empty"), title_when=rules.offer_text("generate_empty", "&Fill Empty Boxes")),
    _spec("regenerate", "R&epaint Selected", "Repaints the selected layers and leaves the others untouched.", "Ctrl+R F5", icon="refresh-cw", enabled_when=rules.can_offer("regenerate"), title_when=rules.offer_text("regenerate", "R&epaint Selected")),
    _spec("generate_outdated", "Repaint &Outdated", "Repaints the layers whose word is no longer in the prompt or whose size has changed.", "Shift+F5", title="Repaint Outdated Layers", enabled_when=rules.can_offer("generate_outdated"), title_when=rules.offer_text("generate_outdated", "Repaint &Outdated")),
    _spec("generate_all", "Paint Ever&ything", "Paints the background and every visible, unlocked layer from the prompt.", "Ctrl+Shift+R", enabled_when=rules.can_offer("generate_all"), title_when=rules.offer_text("generate_all", "Paint Ever&ything")),
    _spec("generate_next", "Queue &Next", "Runs what Generate offers right after the current job.", "Ctrl+Shift+Return Ctrl+Shift+Enter", enabled_when=rules.can_generate),
    _spec("stop", "S&top", "Stops the job. Your picture does not change.", "Shift+X", "canvas", "square", enabled_when=rules.is_running),
    _spec("stop_all", "Stop A&ll", "Stops the current job and every waiting one.", "Ctrl+Shift+X", enabled_when=rules.runs_or_waits),
    _spec("candidate_next", "Ne&xt Result", "Shows the next result in the picture. Enter accepts it.", "N", "canvas", enabled_when=rules.some_result),
    _spec("candidate_previous", "Pre&vious Result", "Shows the previous result in the picture. Enter accepts it.", "Shift+N", "canvas", enabled_when=rules.some_result),
    _spec("accept", "&Accept Result", "Uses the result that the picture shows, as one undo step. Enter does the same.", enabled_when=rules.can_accept),
    _spec("discard", "&Discard Result", "Removes the result that the picture shows from the strip; undo brings it back.", enabled_when=rules.result_shown),
    _spec("discard_all", "Dis&card All Results", "Removes all results of the selection from the strip; undo brings them back.", "Shift+Del", "canvas", enabled_when=rules.some_result),
    _spec("trim_candidates", "Delete Oldest &Unused Results", "Frees memory: deletes the results that no layer shows; undo brings them back.", when_needed=True, enabled_when=rules.too_many_results, title_when=rules.trim_text),
    _spec("raise_bound", "&Keep More Results", "Doubles how many results a picture keeps before it asks; Settings changes the number.", when_needed=True, enabled_when=rules.too_many_results),
    _spec("compare", "Co&mpare", "Compares up to eight results. Hold C to see the current picture.", "Shift+C", "canvas", enabled_when=rules.can_compare),
    _spec("show_jobs", "&Job List…", "Lists running, waiting and ended jobs with their seeds and times."),
    _spec("prompt_history", "Prompt &History…", "Lists the prompts that you used. Alt+Up in the prompt steps through them."),
    _spec("suggest_layout", "Place &Boxes for the Prompt", "Suggests boxes for all things of the prompt. Arrow keys show other layouts, Enter accepts.", "Ctrl+Shift+B", icon="layout-grid", enabled_when=rules.names_things),
    _spec("add_missing", "Add Boxes for Mi&ssing Things", "Adds a box for each thing of the prompt that has none.", enabled_when=rules.lacks_boxes),
    _spec("suggest_things", "Fill Spare Boxes &with Fitting Things", "Chooses a thing that suits the picture for each box that would stay empty.", enabled_when=rules.has_spare_boxes),
    _spec("repeat_things", "Re&peat Things in Spare Boxes", "Fills boxes for which the prompt names nothing with more of its things.", checkable=True, checked_when=rules.repeats_things),
    _spec("restart_engine", "Restart Eng&ine", "Stops the running job and loads the model, or connects to the server again.", when_needed=True, enabled_when=rules.needs_restart, title_when=rules.restart_text),
    _spec("retry_job", "Try Again", "Asks for the failed job again. What has arrived already is not made again.", title="Try the Failed Job Again", when_needed=True, enabled_when=rules.some_failed),
    _spec("use_built_in", "&Built-in", "Draws with the model that comes with the program, on this computer.", title="Use the Built-in Engine", checkable=True, checked_when=rules.uses_built_in),
    _spec("engines", "&Engines…", "Connects ComfyUI or another picture server, and chooses what draws.", title="Engines"),
    _spec("focus_prompt", "Edit P&rompt", "Moves the cursor into the prompt. Esc returns to the canvas.", "P", "canvas"),
    # View
    _spec("zoom_in", "Zoom &In", "Makes the picture larger around its middle.", "Ctrl++ Ctrl+=", icon="zoom-in"),
    _spec("zoom_out", "Zoom &Out", "Makes the picture smaller around its middle.", "Ctrl+-", icon="zoom-out"),
    _spec("zoom_fit", "&Fit", "Shows the whole canvas.", "Home Ctrl+0", "canvas", "maximize", title="Fit Canvas"),
    _spec("zoom_100", "&100 %", "One picture pixel per screen pixel.", "Shift+Home Ctrl+1", "canvas", title="Zoom to 100 %"),
    _spec("zoom_selection", "Zoom to &Selection", "Shows the selected layers as large as they fit.", "F Ctrl+2", "canvas", "scan", enabled_when=rules.some_layer),
    _spec("grid", "&Grid", "Shows the grid that boxes snap to.", "Shift+G Ctrl+'", "canvas", checkable=True),
    _spec("snap", "Sna&p", "Layers snap to the grid and to the middle; hold Ctrl to place them freely.", checkable=True),
    _spec("outlines", "&Box Outlines", "Shows the frames and names of empty boxes.", checkable=True),
    _spec("show_previews", "Pre&view While Generating", "Shows rough pictures while a job runs; costs a little time.", checkable=True),
    _spec("matte", "&Next Colour", "Shows transparent places as checkerboard, black, white or magenta in turn.", "M", "canvas", title="Next Transparency Colour"),
    _spec("matte_none", "&Checkerboard", "Shows transparent places as grey squares.", checkable=True, group="matte", title="Checkerboard for Transparency"),
    _spec("matte_black", "&Black", "Shows transparent places in black, to judge light edges.", checkable=True, group="matte", title="Black for Transparency"),
    _spec("matte_white", "&White", "Shows transparent places in white, to judge dark edges.", checkable=True, group="matte", title="White for Transparency"),
    _spec("matte_magenta", "&Magenta", "Shows transparent places in magenta, to find stray pixels.", checkable=True, group="matte", title="Magenta for Transparency"),
    _spec("matte_own", "C&ustom…", "Shows transparent places in a colour that you choose.", checkable=True, group="matte", title="Custom Transparency Colour"),
    _spec("hide_panels", "&Hide Panels", "Shows only canvas and prompt; press again to show the panels.", "Tab", "canvas", checkable=True),
    _spec("full_screen", "F&ull Screen", "Fills the whole screen.", "F11", checkable=True),
    _spec("pane_layers", "Go to &Layers", "Moves the focus to the layer list.", "F7"),
    _spec("pane_things", "Go to &Things", "Moves the focus to the search field of the things.", "F9"),
    _spec("pane_candidates", "Go to &Results", "Moves the focus to the strip with the results.", "F8"),
    _spec("theme_system", "&System", "Follows the system's light or dark setting.", checkable=True, group="theme", title="System Theme"),
    _spec("theme_dark", "&Dark", "Light text on dark grey.", checkable=True, group="theme", title="Dark Theme"),
    _spec("theme_light", "&Light", "Dark text on light grey.", checkable=True, group="theme", title="Light Theme"),
    _spec("reset_layout", "&Reset Layout", "Restores the default layout of the panels."),
    _spec("next_pane", "Ne&xt Panel", "Moves the focus to prompt, tools, canvas, inspector and layers in turn.", "F6"),
    _spec("previous_pane", "Pre&vious Panel", "Moves the focus through the panels in reverse order.", "Shift+F6"),
    # Tools
    _spec("tool_select", "&Select", "Click to select a layer, drag to move it. Hold Ctrl to ignore transparency.", "V", "canvas", "mouse-pointer-2", True, "tool", title="Select Tool"),
    _spec("tool_box", "&Box", "Drag to draw a box. Each box becomes a layer.", "R U", "canvas", "square-dashed", True, "tool", title="Box Tool"),
    _spec("tool_hand", "&Hand", "Drag to move the view. Hold Space to do so with any tool.", "H", "canvas", "hand", True, "tool", title="Hand Tool"),
    _spec("tool_zoom", "&Zoom", "Click to zoom in, Alt+click to zoom out.", "Z", "canvas", "zoom-in", True, "tool", title="Zoom Tool"),
    # Help
    _spec("help", "&Help", "Explains the program on one page, from the first box to the file.", "F1"),
    _spec("help_keys", "&Keyboard Shortcuts", "Lists every key.", "Ctrl+F1 Ctrl+/ ?"),
    _spec("help_model", "See the &Things", "Shows the things, looks and colours that the model draws, with pictures, to search and to drag."),
    _spec("copy_diagnostics", "Copy &Diagnostics…", "Copies versions, device and the last log lines; prompt and picture only if you tick them. Nothing is sent."),
    _spec("open_logs", "Open &Log Folder", "Opens the folder with the log file."),
    _spec("licences", "A&rt and Licences", "Lists the artists whose work the model was trained on, and the licences."),
    _spec("about", "&About Layerloom", "Version, licence and thanks."),
)
