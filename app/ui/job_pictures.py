"""Job pictures: a small picture of what each job made, for the list of jobs.

Scaled off the UI thread when the results come, so that no full pixels are kept for it.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence

from PySide6.QtCore import QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter

from app.session.queue import MAX_KEPT_JOBS, Placed
from app.ui.background import Background
from app.ui.widgets.images import to_qimage

logger = logging.getLogger(__name__)

SIDE = 64  # pixels: twice what a row shows, for screens of twice the density


class JobPictures(QObject):
    """The newest finished variation of each job, by job number.

    Signals:
        ready(): a picture came.
    """

    ready = Signal()

    def __init__(self, work: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._known: OrderedDict[int, QImage] = OrderedDict()

    def take(self, job_id: int, results: Sequence[Placed]) -> None:
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
        """The picture within a square of `SIDE` pixels; None while there is none."""
        return self._known.get(job_id)

    def size_bytes(self) -> int:
        """What the kept pictures take."""
        return sum(image.sizeInBytes() for image in self._known.values())


def _small(results: Sequence[Placed]) -> QImage:
    """The results one over the other where they lie, scaled down; the rest is transparent."""
    boxes = [QRect(x.asked.x, x.asked.y, x.asked.width, x.asked.height) for x in results]
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
    return picture.scaled(QSize(SIDE, SIDE), ratio, Qt.TransformationMode.SmoothTransformation)
