"""Copy Diagnostics: what a report needs, as text, and the dialog that shows it before it is copied.

Contains no prompt unless the user ticks it; sends nothing.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from importlib import metadata

from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QApplication, QCheckBox, QDialog, QPlainTextEdit, QPushButton, QWidget

from app.document.words import together
from app.session.settings import log_path
from app.ui.session import Session
from app.ui.text import tr
from app.ui.widgets.buttons import accept_or_cancel
from app.ui.widgets.forms import form_column, named, note

LOG_LINES = 200


def diagnostics(session: Session, *, with_prompt: bool = False) -> str:
    """Versions, device, and the last lines of the log without prompts and addresses of servers."""
    info, document = session.bridge.info, session.document
    model = "not loaded"
    if info is not None and info.server:
        model = f"{info.name} on {info.precision}"  # not where: addresses are private
    elif info is not None:
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
    hidden += [saved.place for saved in session.servers.connections]
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


class DiagnosticsDialog(QDialog):
    """The text, two boxes that are not ticked, Copy."""

    def __init__(
        self, parent: QWidget, text: Callable[[bool], str], copy: Callable[[str, bool], None]
    ) -> None:
        super().__init__(parent)
        self._text = text
        self._copy = copy
        self.shown = named(QPlainTextEdit(), tr("What is copied"), style="messageDetails")
        self.shown.setReadOnly(True)
        self.shown.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.prompt = QCheckBox(tr("Include the prompt"))
        self.picture = QCheckBox(tr("Include the current picture"))
        for box in (self.prompt, self.picture):
            named(box, box.text(), height=24)
        self.copy_button = QPushButton(tr("Copy"))
        layout = form_column(self, tr("Copy Diagnostics"))
        layout.addWidget(note(tr("This goes to the clipboard, for a report. Nothing is sent.")))
        layout.addWidget(self.shown, 1)
        layout.addWidget(self.prompt)
        layout.addWidget(self.picture)
        layout.addWidget(accept_or_cancel(self, self.copy_button))
        self.resize(640, 480)
        self.prompt.toggled.connect(self._show)
        self._show(False)

    def accept(self) -> None:
        self._copy(self.shown.toPlainText(), self.picture.isChecked())
        super().accept()

    def _show(self, with_prompt: bool) -> None:
        self.shown.setPlainText(self._text(with_prompt))
