"""Model files by their format: which backbone reads a file.

Another model adds one loader here; the pipeline, the command line and the window stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from engine.backbone import Backbone
from engine.errors import WeightsError
from engine.loading import StageReport, silent
from engine.models import checkpoint
from engine.models.art.backbone import ARTBackbone

Loader = Callable[[Path, torch.device, torch.dtype, StageReport], Backbone[Any, Any]]


def _load_art(
    path: Path, device: torch.device, dtype: torch.dtype, report: StageReport
) -> ARTBackbone:
    return ARTBackbone(checkpoint.load_model(path, report), device, dtype)


LOADERS: dict[str, Loader] = {checkpoint.FORMAT: _load_art}


def load_backbone(
    path: Path | None,
    device: torch.device,
    dtype: torch.dtype,
    report: StageReport = silent,
) -> Backbone[Any, Any]:
    """Read a model file.

    Args:
        path: None = the model that ships with the program.
        report: called with the part of the work that is done, see `engine.loading`.

    Raises:
        WeightsError: missing, damaged, or of a format that no backbone reads.
    """
    path = path or checkpoint.default_path()
    checkpoint.check_readable(path)
    try:
        with safe_open(path, framework="np") as file:
            name = (file.metadata() or {}).get("format", "")
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"The model file {path.name} cannot be read: {error}.") from error
    if name not in LOADERS:
        raise WeightsError(f"{path.name} is not a Layerloom model file.")
    return LOADERS[name](path, device, dtype, report)
