"""Keys: the defaults of the table, presets for hands from other programs, and the user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.ui.action_table import SPECS

Keys = dict[str, tuple[str, ...]]

_DIFFERENT: dict[str, dict[str, str]] = {
    "Layerloom": {},
    "Photoshop": {
        "tool_box": "U R",
        "select_none": "Ctrl+D Ctrl+Shift+A",
        "duplicate": "Ctrl+J",
        "raise": "Ctrl+PgUp Ctrl+]",
        "zoom_fit": "Ctrl+0 Home",
        "zoom_100": "Ctrl+1 Shift+Home",
        "blend_next": "Shift++ B",
        "blend_previous": "Shift+- Shift+B",
        "full_screen": "F F11",
        "zoom_selection": "Ctrl+2",
    },
    "Krita": {
        "tool_select": "T V",
        "delete": "Shift+Del Del Backspace",
        "discard_all": "",
        "duplicate": "Ctrl+J",
        "raise": "Ctrl+PgUp",
        "lower": "Ctrl+PgDown",
        "zoom_100": "Ctrl+1 Shift+Home",
        "zoom_fit": "Ctrl+0 Home",
        "find_command": "Ctrl+Return Ctrl+Shift+P",
        "generate": "Ctrl+Shift+G",
    },
    "GIMP": {
        "tool_select": "M V",
        "matte": "Shift+M",
        "duplicate": "Ctrl+Shift+D Ctrl+J",
        "zoom_fit": "Ctrl+Shift+J Home",
        "find_command": "/ Ctrl+Shift+P",
        "help_keys": "Ctrl+F1",
        "new_box": "Ctrl+Shift+N Ins",
    },
}
PRESETS: tuple[str, ...] = tuple(_DIFFERENT)


def keys_for(preset: str, own: Mapping[str, Sequence[str]]) -> Keys:
    """The sequences of every action; an unknown preset is the first, own keys replace all."""
    different = _DIFFERENT.get(preset, {})
    keys: Keys = {}
    for spec in SPECS:
        found = different.get(spec.name)
        keys[spec.name] = spec.keys if found is None else tuple(found.split())
        if spec.name in own:
            keys[spec.name] = tuple(own[spec.name])
    return keys


def without_tab(keys: Keys) -> Keys:
    """The same, but Tab belongs to no action: it moves the focus on the canvas too."""
    return {name: tuple(key for key in found if key != "Tab") for name, found in keys.items()}


def conflicts(keys: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Sequences of more than one action, canvas and window alike: both would fire, or none."""
    owners: dict[str, list[str]] = {}
    for name, sequences in keys.items():
        for sequence in sequences:
            owners.setdefault(sequence, []).append(name)
    return {sequence: names for sequence, names in owners.items() if len(names) > 1}
