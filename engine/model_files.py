"""Model files as they lie in a folder: what each can do, from its header alone. No torch.

A model file is one safetensors. Its header names the format, by which `models.registry` chooses the
backbone, and holds the card as JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from engine.api import Task
from engine.errors import WeightsError
from engine.paths import resource_path
from engine.prompts.result import Vocabulary

DEFAULT_TASKS: tuple[Task, ...] = ("generate",)  # of a card that names none


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One file of a model folder."""

    path: Path
    name: str  # what the model calls itself
    file_hash: str = ""  # SHA-256 over its tensors, as records keep it; "" = the file does not say
    tasks: tuple[Task, ...] = ()  # kinds of requests that it takes
    # (width, height) that it was trained for, the best ones first
    canvases: tuple[tuple[int, int], ...] = ()
    vocabulary: Vocabulary | None = None  # None = any text
    licences: tuple[str, ...] = ()  # of the model, and of the art that it learned from
    # why it cannot be used, one sentence; then all else but path and name is empty
    problem: str = ""


def default_path() -> Path:
    """The model that ships with the package."""
    return resource_path("model", "layerloom.safetensors")


def list_models(folder: Path | None = None) -> tuple[ModelFile, ...]:
    """The model files of a folder by name; other safetensors, such as word tables, are left out.

    Args:
        folder: None = the one that ships with the package.

    Raises:
        WeightsError: the folder cannot be read.
    """
    folder = folder or default_path().parent
    try:
        paths = sorted(each for each in folder.iterdir() if each.suffix == ".safetensors")
    except OSError as error:
        cause = (error.strerror or type(error).__name__).lower()
        raise WeightsError(
            f"The folder {folder} cannot be read: {cause}.", "Check the name of the folder."
        ) from error
    found = [model_file(path) for path in paths]
    return tuple(each for each in found if each is not None)


def model_file(path: Path) -> ModelFile | None:
    """What one file says of itself; None where it is no model."""
    try:
        header = read_header(path)
        if "card" not in header:
            return None
        card = json.loads(header["card"])
        words = [card.get(key) for key in ("nouns", "looks", "colours", "backgrounds")]
        return ModelFile(
            path=path,
            name=str(card["name"]),
            file_hash=header.get("sha256", ""),
            tasks=tuple(card.get("tasks", DEFAULT_TASKS)),
            canvases=tuple((int(width), int(height)) for width, height in card["canvases"]),
            vocabulary=Vocabulary(*map(tuple, words)) if any(words) else None,
            licences=tuple(card["credits"]),
        )
    except WeightsError as error:
        return ModelFile(path=path, name=path.stem, problem=str(error))
    except (KeyError, TypeError, ValueError, AttributeError):
        problem = f"The model file {path.name} is damaged: its card cannot be read."
        return ModelFile(path=path, name=path.stem, problem=problem)


def read_header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file.

    Raises:
        WeightsError: it cannot be read, or is none.
    """
    # Imported here: most starts of the program read no model, or one on the engine's thread.
    from safetensors import SafetensorError, safe_open

    check_readable(path)
    try:
        with safe_open(path, framework="np") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"The model file {path.name} cannot be read: {error}.") from error


def check_readable(path: Path) -> None:
    """Say in time why a file cannot be read: safetensors calls every cause a missing file."""
    try:
        if path.exists() and not path.is_file():
            raise WeightsError(
                f"The model file {path.name} cannot be read: it is not a file ({path})."
            )
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        what = f"The model file {path.name} is missing ({path})."
        if path == default_path():
            raise WeightsError(what) from error
        raise WeightsError(what, "Check the name of the file.") from error
    except PermissionError as error:
        raise WeightsError(
            f"The model file {path.name} cannot be read: there is no permission ({path}).",
            "Change the permissions of the file or its folder, or choose another file.",
        ) from error
    except OSError as error:
        cause = (error.strerror or type(error).__name__).lower()
        raise WeightsError(f"The model file {path.name} cannot be read: {cause}.") from error
