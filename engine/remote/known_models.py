"""What is known of models by their names: licence, memory, transparency (`remote_models.json`)."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from typing import Any

from engine.paths import resource_path


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A family of models."""

    match: str  # a pattern that is searched in the id, without regard to case
    title: str
    licence: str
    memory_gb: float | None
    makes_alpha: bool
    note: str = ""
    prefix: str = ""  # goes before the prompt of a cut-out
    layers_from_picture: bool = False


@functools.cache
def known_models() -> tuple[KnownModel, ...]:
    """The table, the more special names first."""
    text = resource_path("remote_models.json").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(text)["models"]
    return tuple(KnownModel(**row) for row in rows)


def known_model(model_id: str) -> KnownModel | None:
    """The first family whose pattern the id has; None = unknown."""
    name = model_id.replace("_", "-")
    return next((m for m in known_models() if re.search(m.match, name, re.IGNORECASE)), None)
