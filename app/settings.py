"""User settings: a typed dataclass, loaded and saved as one small JSON file.

Knows neither widgets nor the document. Unreadable settings are set aside, never deleted.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import platformdirs

logger = logging.getLogger(__name__)

APP_NAME = "Layerloom"


@dataclass(slots=True)
class Settings:
    """What the program remembers about the user, not about a document.

    Attributes:
        theme: "system", "dark" or "light".
        threads: torch threads on the CPU; 0 = cores - 1.
        first_run_done: the note on what the model can do was closed once.
        last_folder: where the last file was opened or saved.
        window_geometry, window_state: Qt's, as hex text; empty = default layout.
    """

    theme: str = "system"
    threads: int = 0
    first_run_done: bool = False
    last_folder: str = ""
    window_geometry: str = ""
    window_state: str = ""


def load_settings(path: Path) -> tuple[Settings, str]:
    """Read the settings file.

    Returns:
        the settings, and one sentence for the user if the file had to be set aside.
    """
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise ValueError("not an object")
        return _checked(data), ""
    except FileNotFoundError:
        return Settings(), ""
    except (OSError, ValueError) as error:
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


def settings_path() -> Path:
    """Where the settings of this user live."""
    return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)) / "settings.json"


def log_path() -> Path:
    """The log file of this user."""
    return Path(platformdirs.user_log_dir(APP_NAME, appauthor=False)) / "layerloom.log"


def work_path() -> Path:
    """The folder in which this user's windows keep unsaved work."""
    return Path(platformdirs.user_state_dir(APP_NAME, appauthor=False)) / "work"


def resources_folder() -> Path:
    """Icons and examples: `resources` lies beside the package `app`, installed or not."""
    return Path(__file__).resolve().parent.parent / "resources"


def _checked(data: dict[str, Any]) -> Settings:
    """Keep what has the right type; anything else falls back to its default."""
    settings = Settings()
    for field in fields(Settings):
        value = data.get(field.name)
        if type(value) is type(getattr(settings, field.name)):
            setattr(settings, field.name, value)
    if settings.theme not in ("system", "dark", "light"):
        settings.theme = "system"
    return settings
