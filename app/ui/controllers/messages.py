"""Messages: what is shown of them, and what a screen reader says of messages and jobs."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from app.session.jobs import Job, Message
from app.session.settings import Settings
from app.ui.actions import Actions
from app.ui.controllers import Controller
from app.ui.session import Session
from app.ui.text import job_text, number, tr
from app.ui.views import Views

STEP_PERCENT = 10


class MessagesController(Controller):
    """Shows each message once, and has `say` announce it, as it does the progress of jobs."""

    def __init__(self, session: Session, actions: Actions, views: Views) -> None:
        super().__init__(session, actions, views)
        self._job = -1
        self._tenth = 0
        self._hint_shown: Message | None = None
        self.say: Callable[[str], None] = self._announce
        session.notified.connect(self.show)
        session.notified.connect(self._on_message)
        session.withdrawn.connect(views.messages.withdraw)
        session.bridge.job_changed.connect(self._on_job)
        # News of another document, or of a step that was undone, is not true any more.
        actions.connect(undo=views.messages.dismiss_news)
        session.document.events.reset.connect(views.messages.dismiss_news)

    def show(self, message: Message) -> None:
        """Notes go to the status bar; what needs reading goes above the canvas."""
        if message.kind == "note":
            self._views.status.say(message.text)
        else:
            self._views.messages.show_message(message)

    def greet(self, settings: Settings) -> None:
        """At the first start, say what the model draws; Help has it as well."""
        if not settings.first_run_done:
            self._views.messages.show_message(first_run_message())
            settings.first_run_done = True

    def _hint(self, job: Job) -> None:
        """After the first picture, say how one thing of it is replaced."""
        settings = self._session.settings
        if job.scope == "picture" and not settings.replace_hint_done:
            settings.replace_hint_done = True
            self._hint_shown = replace_message()
            self._views.messages.show_message(self._hint_shown)

    def _on_message(self, message: Message) -> None:
        if message.text:  # an empty one clears the status bar
            self.say(message.text)

    def _on_job(self, job: Job) -> None:
        if job.state == "running":
            if job.id != self._job:
                self._job, self._tenth = job.id, 0
                hint = self._hint_shown
                if hint is not None and self._views.messages.message is hint:
                    self._views.messages.dismiss()  # the user goes on
                picture = tr("Generating the picture.")
                self.say(job_text(job, picture, tr("Generating {0}."), "Generating %n layers."))
            tenth = int(job.part * 100) // STEP_PERCENT
            if tenth > self._tenth and not job.has_ended:
                self._tenth = tenth
                self.say(tr("{0} %").format(number(tenth * STEP_PERCENT)))
        elif job.id == self._job and job.has_ended:
            self._job = -1
            if job.state == "finished":
                self._hint(job)
                picture = tr("Finished the picture.")
                self.say(job_text(job, picture, tr("Finished {0}."), "Finished %n layers."))
            elif job.state == "cancelled":
                picture = tr("Stopped the picture.")
                self.say(job_text(job, picture, tr("Stopped {0}."), "Stopped %n layers."))
            # A failure comes as a message.

    def _announce(self, text: str) -> None:
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._window, text))


def first_run_message() -> Message:
    """Shown once, closable. The page with the things says the rest."""
    return Message(
        kind="note",
        what=tr("Draws about 200 things as flat illustrations, offline."),
        kept=tr("No text, people or photos."),
        action="help_model",
    )


def replace_message() -> Message:
    """Shown once, after the first picture."""
    return Message(
        kind="note",
        what=tr("To replace one thing, select it, type another word into 'Shows', press Enter."),
    )
