"""Announcing: what a screen reader says by itself: messages, jobs, each tenth of a job."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

from app.session.jobs import Job, Message
from app.ui.session import Session
from app.ui.text import job_text, number, tr

STEP_PERCENT = 10


class AnnouncingWiring(QObject):
    """Listens, and has everything said once.

    Args:
        window: on whose behalf it speaks.

    Attributes:
        say: called with each sentence.
    """

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._job = -1
        self._tenth = 0
        self.say: Callable[[str], None] = self._announce
        session.notified.connect(self._on_message)
        session.bridge.job_changed.connect(self._on_job)

    def _on_message(self, message: Message) -> None:
        if message.text:  # an empty one clears the status bar
            self.say(message.text)

    def _on_job(self, job: Job) -> None:
        if job.state == "running":
            if job.id != self._job:
                self._job, self._tenth = job.id, 0
                picture = tr("Generating the picture.")
                self.say(job_text(job, picture, tr("Generating {0}."), "Generating %n layers."))
            tenth = int(job.part * 100) // STEP_PERCENT
            if tenth > self._tenth and not job.has_ended:
                self._tenth = tenth
                self.say(tr("{0} %").format(number(tenth * STEP_PERCENT)))
        elif job.id == self._job and job.has_ended:
            self._job = -1
            if job.state == "finished":
                picture = tr("Finished the picture.")
                self.say(job_text(job, picture, tr("Finished {0}."), "Finished %n layers."))
            elif job.state == "cancelled":
                picture = tr("Stopped the picture.")
                self.say(job_text(job, picture, tr("Stopped {0}."), "Stopped %n layers."))
            # A failure comes as a message.

    def _announce(self, text: str) -> None:
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._window, text))
