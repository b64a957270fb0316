"""Diagnostics: what a report needs, as text. Holds no prompt unless asked; sends nothing."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QApplication

from app.document.words import together
from app.session.settings import log_path
from app.ui.session import Session

LOG_LINES = 200


def diagnostics(session: Session, *, with_prompt: bool = False) -> str:
    """Versions, device, and the last lines of the log without those that quote a prompt."""
    info, document = session.bridge.info, session.document
    model = "not loaded"
    if info is not None:
        model = f"{info.name} {info.file_hash[:12]}, {info.device}, {info.precision}"
        model += f", {info.threads} threads"
    lines = [
        f"Layerloom {_version('layerloom')}",
        f"Python {platform.python_version()}, Qt {qVersion()}, torch {_version('torch')}",
        f"{platform.platform()}, {QApplication.platformName()}",
        f"engine {session.bridge.state}; model {model}",
        f"{len(document.layers)} layers, canvas {document.canvas.width} x {document.canvas.height}",
    ]
    prompt = " ".join(document.prompt.split())
    if with_prompt:
        lines.append(f"prompt: {prompt}")
        hidden = []
    else:
        known = together(document.contents.prompts, session.settings.prompts)
        hidden = [each for each in (prompt, *known) if each]
    kept = [line for line in _log() if not any(each in line for each in hidden)]
    return "\n".join([*lines, "", *kept[-LOG_LINES:]])


def _log() -> list[str]:
    try:
        return log_path().read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return f"unknown ({sys.platform})"
