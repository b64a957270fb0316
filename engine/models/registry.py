"""Model files by their format: which backbone reads a file.

Another model adds one loader here; the pipeline, the command line and the window stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from engine.backbone import Backbone
from engine.errors import WeightsError
from engine.loading import StageReport, silent
from engine.model_files import default_path, read_header
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
    """Read a model file (None: the shipped one). Raises WeightsError where no backbone can."""
    path = path or default_path()
    name = read_header(path).get("format", "")
    if name not in LOADERS:
        raise WeightsError(f"{path.name} is not a Layerloom model file.")
    return LOADERS[name](path, device, dtype, report)
