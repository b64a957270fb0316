"""Files that are dropped on the canvas: pictures where they fall, layouts as boxes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF
from PySide6.QtGui import QDragEnterEvent, QDropEvent

from app.ui.canvas.view import CanvasView
from app.ui.panels.layer_list_model import MIME_ROWS

LAYOUT_SUFFIXES = (".json", ".txt")


class TakesFiles(Protocol):
    """Who adds what was dropped."""

    def add_files(self, paths: Sequence[Path], centre: tuple[int, int] | None = None) -> None: ...
    def add_layout_file(self, path: Path) -> None: ...


class Drops(QObject):
    """Watches the canvas for files that are dropped on it."""

    def __init__(self, takes: TakesFiles, view: CanvasView) -> None:
        super().__init__(view)
        self._takes = takes
        self._view = view
        view.viewport().setAcceptDrops(True)
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: files dropped on the canvas."""
        if isinstance(event, QDragEnterEvent) and self._dropped(event.mimeData()):
            event.acceptProposedAction()
            return True
        if event.type() == QEvent.Type.DragMove and isinstance(event, QDropEvent):
            event.acceptProposedAction()
            return True
        if event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            paths = self._dropped(event.mimeData())
            if paths:
                event.acceptProposedAction()
                self.take_dropped(paths, event.position())
            return True
        return super().eventFilter(watched, event)

    def take_dropped(self, paths: Sequence[Path], at: QPointF) -> None:
        """Pictures around the place, layouts as boxes."""
        inverse, _ = self._view.to_view().inverted()
        place = inverse.map(at)
        pictures = [path for path in paths if path.suffix.lower() not in LAYOUT_SUFFIXES]
        self._takes.add_files(pictures, (round(place.x()), round(place.y())))
        for path in paths:
            if path.suffix.lower() in LAYOUT_SUFFIXES:
                self._takes.add_layout_file(path)

    def _dropped(self, data: QMimeData) -> list[Path]:
        if data.hasFormat(MIME_ROWS):  # our own rows; asking for their files would write them
            return []
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        return [path for path in paths if os.path.isfile(path)]
