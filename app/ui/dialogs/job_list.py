"""The job list: what runs, waits and has ended; stop one, stop all, clear.

A small picture of what each job made is scaled off the UI thread when the results come, so that no
full pixels are kept for it.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence

from PySide6.QtCore import QObject, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QStackedWidget,
    QTableWidget,
    QWidget,
)

from app.document.commands import Placement
from app.session.client import BUILT_IN
from app.session.jobs import Job, Message
from app.session.queue import MAX_KEPT_JOBS, GenerationQueue
from app.ui.background import Worker
from app.ui.text import job_text, number, seconds, tr
from app.ui.theme import GAP
from app.ui.widgets.buttons import text_button
from app.ui.widgets.forms import ReadingTable, dialog_column, enable, fill, quiet_label
from app.ui.widgets.images import to_qimage

logger = logging.getLogger(__name__)

PICTURE_SIDE = 64  # pixels: twice what a row shows, for screens of twice the density
_TITLE_LENGTH = 40
_PICTURE = 32  # logical pixels


class JobPictures(QObject):
    """The newest finished variation of each job, by job number."""

    ready = Signal()

    def __init__(self, work: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._known: OrderedDict[int, QImage] = OrderedDict()

    def take(self, job_id: int, results: Sequence[Placement]) -> None:
        """Make the picture of these results, bottom to top."""
        if not results:
            return

        def done(image: QImage) -> None:
            self._known[job_id] = image
            while len(self._known) > MAX_KEPT_JOBS:
                self._known.popitem(last=False)
            self.ready.emit()

        def failed(error: Exception) -> None:
            logger.warning("no picture of job %d: %s", job_id, error)

        self._work.run(lambda: _small(results), done, failed)

    def get(self, job_id: int) -> QImage | None:
        """The picture within a square of `PICTURE_SIDE` pixels; None while there is none."""
        return self._known.get(job_id)

    def size_bytes(self) -> int:
        return sum(image.sizeInBytes() for image in self._known.values())


def _small(results: Sequence[Placement]) -> QImage:
    """The results one over the other where they lie, scaled down; the rest is transparent."""
    boxes = [QRect(x.rect.x, x.rect.y, x.rect.width, x.rect.height) for x in results]
    whole = boxes[0]
    for box in boxes[1:]:
        whole = whole.united(box)
    picture = QImage(whole.size(), QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    for box, result in zip(boxes, results, strict=True):
        painter.drawImage(box.topLeft() - whole.topLeft(), to_qimage(result.pixels))
    painter.end()
    ratio = Qt.AspectRatioMode.KeepAspectRatio
    return picture.scaled(
        QSize(PICTURE_SIDE, PICTURE_SIDE), ratio, Qt.TransformationMode.SmoothTransformation
    )


def state_text(job: Job, *, is_loading: bool = False) -> str:
    """The job's state in words; `is_loading` says that the model is not there yet."""
    if job.state == "waiting" and is_loading:
        return tr("Waiting for the model")
    if job.state == "running":
        return tr("Running, {0} %").format(number(round(job.part * 100)))
    return {
        "waiting": tr("Waiting"),
        "stopping": tr("Stopping"),
        "finished": tr("Finished"),
        "cancelled": tr("Stopped"),
        "failed": tr("Failed"),
    }[job.state]


class JobsDialog(QDialog):
    """A table that follows the bridge; stays open next to the work."""

    def __init__(self, parent: QWidget, bridge: GenerationQueue, pictures: JobPictures) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._pictures = pictures
        self._rows: list[Job] = []
        self.table = ReadingTable(
            tr("Jobs, newest first"),
            [tr("Job"), tr("State"), tr("Seed"), tr("Time")],
            wide=(0,),
            selects=QTableWidget.SelectionMode.ExtendedSelection,
        )
        self.table.setWordWrap(False)  # a title that is too long ends in dots; the tip has it all
        self.table.setIconSize(QSize(_PICTURE, _PICTURE))
        self.table.verticalHeader().setDefaultSectionSize(_PICTURE + GAP)
        for column in (1, 2, 3):  # never in two lines
            self.table.horizontalHeader().setSectionResizeMode(
                column, QHeaderView.ResizeMode.ResizeToContents
            )
        empty = quiet_label(tr("No jobs."))
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedWidget()
        self._pages.addWidget(empty)
        self._pages.addWidget(self.table)
        self.stop = text_button(tr("Stop"), lambda: self._stop(self._chosen()))
        self.stop_all = text_button(tr("Stop All"), bridge.stop_all)
        self.clear = text_button(tr("Clear Ended"), self._on_clear)
        row = fill(QHBoxLayout(), self.stop, self.stop_all, None, self.clear)
        layout = dialog_column(self, tr("Jobs"))
        layout.addWidget(self._pages, 1)
        layout.addLayout(row)
        self.resize(560, 320)
        self.table.itemSelectionChanged.connect(self._enable)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._on_menu)
        bridge.job_changed.connect(self.refresh)
        bridge.state_changed.connect(self.refresh)
        pictures.ready.connect(self.refresh)
        self.refresh()

    def done(self, result: int) -> None:
        """Qt override: the signals outlive the dialog."""
        self._bridge.job_changed.disconnect(self.refresh)
        self._bridge.state_changed.disconnect(self.refresh)
        self._pictures.ready.disconnect(self.refresh)
        super().done(result)

    def refresh(self) -> None:
        self._rows = list(reversed(list(self._bridge.jobs)))
        self._pages.setCurrentIndex(1 if self._rows else 0)
        is_loading = self._bridge.is_loading
        rows = self.table.show_rows(
            [
                (
                    row_title(job),
                    state_text(job, is_loading=is_loading),
                    str(job.picture_seed),
                    self._time(job),
                )
                for job in self._rows
            ]
        )
        for job, items in zip(self._rows, rows, strict=True):
            for item in items:
                item.setToolTip(item.text() if job.message is None else job.message.text)
            items[0].setIcon(self._icon(job))
            if job.message is None:
                names = ", ".join(job.names.values())
                server = "" if job.engine == BUILT_IN else job.engine_title
                items[0].setToolTip("\n".join(filter(None, (job.prompt, names, server))))
        self._enable()

    def _icon(self, job: Job) -> QIcon:
        """What the job made; an empty one keeps the titles in one line."""
        small = self._pictures.get(job.id)
        square = QPixmap(PICTURE_SIDE, PICTURE_SIDE)
        square.fill(Qt.GlobalColor.transparent)
        if small is not None:
            painter = QPainter(square)
            painter.drawImage(square.rect().center() - small.rect().center(), small)
            painter.end()
        return QIcon(square)

    def _time(self, job: Job) -> str:
        """What it will take, what is left, or what it took."""
        if job.state == "waiting" and job is not self._bridge.current:
            predicted = self._bridge.seconds_of(job)
            return "" if predicted is None else f"≈ {seconds(predicted)}"
        if not job.has_ended and job.seconds_left is not None:
            return tr("{0} left").format(seconds(job.seconds_left))
        return "" if job.seconds is None else seconds(job.seconds)

    def menu_for(self, job: Job) -> QMenu:
        """What a right click on the job offers; the menu goes when it closes."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        message = job.message
        stop = menu.addAction(tr("&Stop"), lambda: self._stop(job))
        stop.setEnabled(not job.has_ended)
        show = menu.addAction(tr("Show &Error"), lambda: self._show_error(job))
        show.setEnabled(message is not None)
        copy = menu.addAction(tr("&Copy Details"), lambda: _copy(message))
        copy.setEnabled(message is not None)
        return menu

    def _on_menu(self, at: QPoint) -> None:
        row = self.table.rowAt(at.y())
        if 0 <= row < len(self._rows):
            self.menu_for(self._rows[row]).popup(self.table.viewport().mapToGlobal(at))

    def _show_error(self, job: Job) -> None:
        if job.message is not None:
            self._bridge.message.emit(job.message)

    def _enable(self) -> None:
        chosen = self._chosen()
        why_not = "" if chosen is not None else tr("no job is selected")
        if chosen is not None and chosen.has_ended:
            why_not = tr("this job has ended")
        going = any(not job.has_ended for job in self._rows)
        ended = any(job.has_ended for job in self._rows)
        enable(self.stop, tr("Stops this job; finished results are kept."), why_not)
        enable(
            self.stop_all,
            tr("Stops the running job and all waiting ones."),
            "" if going else tr("no job is running or waiting"),
        )
        enable(
            self.clear,
            tr("Removes ended jobs from the list; their pictures stay."),
            "" if ended else tr("no job has ended"),
        )

    def _chosen(self) -> Job | None:
        row = self.table.currentRow()
        if 0 <= row < len(self._rows):
            return self._rows[row]
        return self._bridge.current

    def _stop(self, job: Job | None) -> None:
        self._bridge.stop(job)
        self.refresh()

    def _on_clear(self) -> None:
        self._bridge.jobs.clear()
        self.refresh()


def row_title(job: Job) -> str:
    """How many results, never cut off; the layers, if not the whole picture; the first words."""
    count = f"{number(job.variations)} × " if job.variations > 1 else ""
    return count + _what_it_makes(job)


def _what_it_makes(job: Job) -> str:
    words = " ".join(job.prompt.split())
    if len(words) > _TITLE_LENGTH:
        words = words[:_TITLE_LENGTH].rpartition(" ")[0] or words[:_TITLE_LENGTH]
        words = f"{words.rstrip(' ,;.:')}…"
    if job.scope == "picture":
        return words or tr("Picture without prompt")
    names = job_text(job, "", "{0}", "%n layers")
    return f"{names}: {words}" if words else names


def _copy(message: Message | None) -> None:
    if message is not None:
        QApplication.clipboard().setText(f"{message.text}\n\n{message.details}")
