"""User settings: a typed dataclass, loaded and saved as one small JSON file.

Independent of widgets and document. Unreadable settings are set aside, never deleted.
"""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from app.document.contents import MAX_SIDE
from app.document.geometry import Size
from app.document.words import MAX_PROMPTS, remembered

logger = logging.getLogger(__name__)

APP_NAME = "Layerloom"
_SIZE = re.compile(r"([0-9]{1,4})x([0-9]{1,4})")


@dataclass(slots=True)
class Settings:
    """What the program remembers about the user, not about a document.

    Attributes:
        recent: projects that were opened or saved, newest first, whole paths.
        ask_before_replacing: results wait for Enter, also where one could be taken at once.
        wheel_scrolls: the wheel scrolls, Ctrl+wheel zooms; otherwise the other way round.
        matte_colour: the user's own, as #RRGGBB.
        former_recovery_folders: where it was kept before, newest first.
        recipe_in_exports: what the export dialog's switch was last set to for all formats.
        keys: key sequences by action name, where they differ from the preset.
        costs: what jobs took, by model and machine; see `app.session.estimates`.
        connections: to picture servers, without tokens; see `app.session.connections`.
        engine: id of the connection that draws; "" = the engine of the program itself.
        agreed_servers: "address model" of each that the user agreed to send words to.
    """

    theme: str = "system"  # "system", "dark" or "light"
    threads: int = 0  # torch threads on the CPU; 0 = cores - 1
    first_run_done: bool = False  # the note on what the model can do was shown once
    replace_hint_done: bool = False  # the note on how to replace one thing was shown once
    last_folder: str = ""  # where the last file was opened or saved
    recent: list[str] = field(default_factory=list)
    recent_count: int = 10  # how many of them are remembered; 0 = none
    cache_mb: int = 0  # budget of the engine's cache of layers; 0 = a quarter of free memory
    thumbnail_px: int = 40  # side of the layer list's pictures: 24, 40, 64; 0 = none
    low_priority: bool = True  # the engine gives way to other programs
    preview_every: int = 1  # rough pictures each k-th step; 0 = none
    ask_before_replacing: bool = False
    snap: bool = True  # dragged layers stop at grid lines
    grid_shows: str = "drags"  # "always", "drags" or "never"
    wheel_scrolls: bool = False
    tab_moves_focus: bool = False  # Tab leaves the canvas too, instead of hiding the panels
    matte_colour: str = "#808080"
    font_percent: int = 100  # size of all text, 80 to 200
    undo_steps: int = 1000  # how much undo keeps, in memory and on the disk
    undo_mb: int = 512
    undo_disk_mb: int = 2048
    candidates: int = 300  # how many results a picture keeps before it asks
    candidates_mb: int = 1024
    variations: int = 1  # pictures per job in new pictures, 1 to 8
    canvas: str = ""  # size of new pictures, such as "640x384"; "" = the model's first one
    autosave_minutes: int = 0  # how long after a change the file is saved; 0 = only when asked
    recipe_in_exports: bool = True
    keep_backup: bool = True  # saving leaves the former version next to the file as `name~`
    recovery_folder: str = ""  # where unsaved work is kept; "" = in the user's state folder
    former_recovery_folders: list[str] = field(default_factory=list)
    keys: dict[str, list[str]] = field(default_factory=dict)
    key_preset: str = "Layerloom"  # "Layerloom", "Photoshop", "Krita" or "GIMP"
    prompts: list[str] = field(default_factory=list)  # those that were generated with, newest first
    costs: dict[str, Any] = field(default_factory=dict)
    connections: list[dict[str, Any]] = field(default_factory=list)
    engine: str = ""
    agreed_servers: list[str] = field(default_factory=list)
    export_format: str = "png"  # what was exported last, and what was chosen per format
    export_options: dict[str, Any] = field(default_factory=dict)
    window_geometry: str = ""  # Qt's, as hex text; empty = default layout
    window_state: str = ""


def load_settings(path: Path) -> tuple[Settings, str]:
    """The settings, and one sentence for the user if the file had to be set aside."""
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise ValueError("not an object")
        return _checked(data), ""
    except FileNotFoundError:
        return Settings(), ""
    except (OSError, ValueError, RecursionError) as error:  # nested a thousand deep is no list
        logger.warning("settings unreadable: %s", error)
        aside = path.with_suffix(".damaged")
        try:
            os.replace(path, aside)
        except OSError:
            return Settings(), "The settings could not be read. Defaults are used."
        return Settings(), f"The settings could not be read. They were kept as '{aside.name}'."


def save_settings(path: Path, settings: Settings) -> None:
    """Write atomically. A failure is logged: settings are never worth a dialog."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".settings-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(settings), file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError as error:
        logger.warning("settings not saved: %s", error)


def remember_prompt(settings: Settings, prompt: str) -> None:
    """The last 200 distinct prompts that were used, newest first."""
    settings.prompts = list(remembered(settings.prompts, prompt))


def remember_file(settings: Settings, path: Path) -> None:
    """A project that was opened or saved comes first in File > Open Recent."""
    name = str(path.absolute())
    others = [known for known in settings.recent if known != name]
    settings.recent = [name, *others][: settings.recent_count]


def chosen_canvas(settings: Settings) -> Size | None:
    """The size of new pictures in pixels, 1 to 8192 each way; None = the model's first one."""
    match = _SIZE.fullmatch(settings.canvas)
    if match is None:
        return None
    width, height = int(match[1]), int(match[2])
    is_possible = 1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE
    return Size(width, height) if is_possible else None


def settings_path() -> Path:
    return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)) / "settings.json"


def log_path() -> Path:
    return Path(platformdirs.user_log_dir(APP_NAME, appauthor=False)) / "layerloom.log"


def ledger_path() -> Path:
    """Where the ids of pictures are kept that a server was asked for and that have not arrived."""
    return Path(platformdirs.user_state_dir(APP_NAME, appauthor=False)) / "pictures-under-way.json"


def work_path(settings: Settings) -> Path:
    """The folder in which this user's windows keep unsaved work."""
    return _work_in(settings.recovery_folder)


def former_work_paths(settings: Settings) -> list[Path]:
    """Where it was before the user chose another; what a crash left there is still offered."""
    return [_work_in(folder) for folder in settings.former_recovery_folders]


def choose_recovery_folder(settings: Settings, folder: str) -> None:
    """Keep unsaved work elsewhere from the next start on; "" = the default place."""
    if folder != settings.recovery_folder:
        known = [settings.recovery_folder, *settings.former_recovery_folders]
        settings.former_recovery_folders = [each for each in dict.fromkeys(known) if each != folder]
        settings.recovery_folder = folder


def _work_in(folder: str) -> Path:
    # Below our own folder: nothing else of the user's may ever look like a work folder.
    base = Path(folder) / APP_NAME if folder else None
    return (base or Path(platformdirs.user_state_dir(APP_NAME, appauthor=False))) / "work"


def resources_folder() -> Path:
    """Icons and examples: `resources` lies next to the package `app`, installed or not."""
    return Path(__file__).resolve().parents[2] / "resources"


# Numbers outside their range fall back to the default, like values of a wrong type.
RANGES = {
    "preview_every": (0, 20),
    "threads": (0, 256),
    "cache_mb": (0, 65536),
    "font_percent": (80, 200),
    "undo_steps": (1, 10_000),
    "undo_mb": (16, 65536),
    "undo_disk_mb": (0, 1 << 20),
    "candidates": (10, 100_000),
    "candidates_mb": (64, 65536),
    "variations": (1, 8),
    "autosave_minutes": (0, 60),
    "recent_count": (0, 30),
}
_CHOICES: dict[str, tuple[Any, ...]] = {
    "theme": ("system", "dark", "light"),
    "grid_shows": ("always", "drags", "never"),
    "thumbnail_px": (0, 24, 40, 64),
}


def _checked(data: dict[str, Any]) -> Settings:
    """Keep what has the right type and range; anything else falls back to its default."""
    settings = Settings()
    for item in fields(Settings):
        value: Any = data.get(item.name)
        if type(value) is not type(getattr(settings, item.name)):
            continue
        low, high = RANGES.get(item.name, (0, 0))
        if item.name in RANGES and not low <= value <= high:
            continue
        if value in _CHOICES.get(item.name, (value,)):
            setattr(settings, item.name, value)
    settings.prompts = [text for text in settings.prompts if isinstance(text, str)][:MAX_PROMPTS]
    former = settings.former_recovery_folders
    settings.former_recovery_folders = [path for path in former if isinstance(path, str)]
    recent = [path for path in settings.recent if isinstance(path, str)]
    settings.recent = recent[: settings.recent_count]
    settings.connections = [each for each in settings.connections if isinstance(each, dict)]
    settings.agreed_servers = [each for each in settings.agreed_servers if isinstance(each, str)]
    settings.keys = {
        name: keys
        for name, keys in settings.keys.items()
        if isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    }
    return settings
