"""The generation queue without any window: requests from documents, events from another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from app.document import Document
from app.document.commands import Placement, SetLocked, SetVisible
from app.session import queue
from app.session.client import EngineClient, built_in
from app.session.jobs import Job, Message, build_request, plan
from app.session.queue import MAX_KEPT_JOBS, GenerationQueue
from app.testing import FakeEngine, model_info
from engine import Preview, Progress, StateChanged
from tests.app.painted import document_with_boxes, fill
from tests.hand_loop import HandLoop

BOXES = ((0, 0, 128, 128), (256, 256, 512, 512))


class Desk:
    """A queue whose events are all recorded."""

    def __init__(
        self, document: Document, *, measures: bool = False, is_exact: bool = False
    ) -> None:
        self.now = 100.0
        self.worked = 0.0  # seconds that the UI thread has computed
        self.silences: list[tuple[str, float]] = []
        self.loop = HandLoop(lambda: self.now, short_s=0 if is_exact else 0.5)
        self.engines: list[FakeEngine] = []
        self.accepted: list[tuple[Job, list[Placement]]] = []
        self.messages: list[Message] = []
        self.previews: list[int] = []
        self.threads: set[int] = set()

        def make(emit: Callable[..., None]) -> FakeEngine:
            self.engines.append(FakeEngine(emit))
            return self.engines[-1]

        def accept(job: Job, placed: list[Placement]) -> None:
            self.accepted.append((job, placed))

        self.bridge = GenerationQueue(
            document,
            self.loop,
            make,
            accept,
            clock=lambda: self.now,
            work=lambda: self.worked,
        )
        self.bridge.pace.measures = measures
        self.bridge.pace.silence_changed.connect(lambda *said: self.silences.append(said))
        self.bridge.message.connect(self.messages.append)
        self.bridge.preview_changed.connect(self._on_preview)
        self.engine.get_ready()
        self.loop.turn()

    @property
    def engine(self) -> FakeEngine:
        """The engine that is in use now."""
        return self.engines[-1]

    def pass_time(self, seconds: float) -> None:
        """Let the clock run, and whoever waits for it."""
        self.now += seconds
        self.loop.turn()

    def _on_preview(self, layer_id: int, box: Any, rgba: Any) -> None:
        self.previews.append(layer_id)
        self.threads.add(threading.get_ident())


def test_request_is_the_whole_truth() -> None:
    """Bottom to top, seeds from number and picture seed, white space collapsed."""
    document = document_with_boxes(*BOXES, prompt=" a\n red   balloon ")
    contents = document.contents
    request = build_request(contents, plan(contents, "picture"), 3, 99)
    assert request.prompt == "a red balloon"
    assert request.canvas == (512, 512)
    assert [layer.box for layer in request.layers] == [(0, 0, 512, 512), *BOXES]
    assert [layer.seed for layer in request.layers] == [
        document.seed_for(layer, 99) for layer in document.layers
    ]


def test_plan_of_each_scope() -> None:
    """Who is target, context or neither."""
    document = document_with_boxes(*BOXES, (128, 128, 192, 192))
    fill(document)
    one, two, three = document.foregrounds
    SetLocked([one.id], True).do(document)
    SetVisible([two.id], False).do(document)
    background = document.background_id
    picture = plan(document.contents, "picture")
    assert [x.id for x in picture.targets] == [background, three.id]
    assert [x.id for x in picture.context] == [one.id]
    selected = plan(document.contents, "selected", [one.id, two.id, three.id])
    assert [x.id for x in selected.targets] == [three.id]
    assert [x.id for x in selected.context] == [background, one.id]
    assert [x.id for x in selected.skipped] == [one.id, two.id]
    assert plan(document.contents, "empty").targets == ()


def test_previews_are_coalesced_to_the_latest() -> None:
    """A flood of previews becomes one call per layer and turn."""
    document = document_with_boxes(*BOXES)
    desk = Desk(document)
    desk.bridge.generate("picture")
    for _ in range(20):
        desk.engine.preview()
    assert len(desk.loop.soon) == 1
    asked = desk.loop.soon[0][1]
    assert 1 / 30 in asked  # at most thirty times a second
    desk.loop.turn()
    assert sorted(desk.previews) == sorted(layer.id for layer in document.layers)
    assert desk.threads == {threading.get_ident()}


def test_previews_come_at_most_thirty_times_a_second() -> None:
    """However fast the engine sends them; the newest is never left out."""
    now, seen = 0.0, []
    loop = HandLoop(lambda: now, short_s=0)
    sender: list[Callable[..., None]] = []

    def make(emit: Callable[..., None]) -> FakeEngine:
        sender.append(emit)
        return FakeEngine(emit)

    link = EngineClient(
        loop, built_in(make), lambda event, at: None, lambda p: seen.append((now, p.job_id))
    )
    for number in range(2000):  # a thousand a second, for two seconds
        now = number / 1000
        sender[0](Preview(job_id=number, layer_id=1, box=(0, 0, 32, 32), rgba=None))  # type: ignore[arg-type]
        loop.turn()
    now += 1.0
    loop.turn()
    assert 50 <= len(seen) <= 61
    assert seen[-1][1] == 1999
    for second in range(2):
        assert sum(second <= at < second + 1 for at, _ in seen) <= 30
    assert link.shutdown()


def test_late_events_are_dropped_by_job_id() -> None:
    """Nothing of a stopped job arrives, whatever the engine still says."""
    desk = Desk(document_with_boxes(*BOXES))
    job = desk.bridge.generate("picture")
    assert job is not None
    request = desk.engine.last
    desk.engine.begin(steps=2)
    desk.bridge.stop()
    desk.loop.turn()
    desk.engine.preview(request)
    desk.engine.finish(request)
    desk.loop.turn()
    assert not desk.previews
    assert not desk.accepted
    assert job.state == "cancelled"
    unknown = Preview(job_id=99, layer_id=1, box=(0, 0, 32, 32), rgba=None)  # type: ignore[arg-type]
    desk.engine.say(unknown, Progress(job_id=99, step=1, total=2, seconds_left=0))
    desk.loop.turn()
    assert not desk.previews


def test_results_carry_records() -> None:
    """The record names the layers by number and holds what a repeat needs."""
    document = document_with_boxes(*BOXES, prompt="a dog")
    desk = Desk(document)
    desk.bridge.generate("picture")
    desk.engine.finish()
    desk.loop.turn()
    ((job, placed),) = desk.accepted
    assert job.state == "finished"
    assert job.request is None  # the pixels in it are let go
    for result in placed:
        layer = document.layer(result.layer_id)
        assert result.record is not None
        assert result.record["prompt"] == "a dog"
        assert result.record["seed"] == document.seed_for(layer, job.picture_seed)
        assert result.record["number"] == layer.number


def test_a_model_that_does_not_load_is_said_once() -> None:
    """Editing goes on, generating is off with the reason."""
    desk = Desk(document_with_boxes(*BOXES))
    desk.engine.say(
        StateChanged(state="failed", message="The model file is missing.", advice="Install again.")
    )
    desk.loop.turn()
    assert len(desk.messages) == 1
    assert desk.messages[0].kind == "error"
    assert "missing" in desk.bridge.why_not("picture")
    assert desk.bridge.generate("picture") is None
    assert not desk.engine.requests


def test_nothing_arrives_after_shutdown() -> None:
    """Events after the end meet no loop and no document."""
    desk = Desk(document_with_boxes(*BOXES))
    desk.bridge.generate("picture")
    assert desk.bridge.shutdown()
    desk.engine.finish()
    desk.loop.turn()
    assert not desk.accepted
    assert desk.bridge.info == model_info()


def test_the_job_list_forgets_the_oldest() -> None:
    """ME: finished jobs do not pile up."""
    desk = Desk(document_with_boxes(*BOXES))
    for _ in range(MAX_KEPT_JOBS + 20):
        desk.bridge.generate("picture")
        desk.engine.finish()
        desk.loop.turn()
    assert len(desk.bridge.jobs) <= MAX_KEPT_JOBS + 1
    assert all(job.has_ended for job in desk.bridge.jobs)


def test_a_job_that_begins_at_once_is_planned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its begin, its runs, its predicted time and its end use the plan of the question."""
    desk = Desk(document_with_boxes((0, 0, 64, 64), (64, 64, 128, 128), prompt="a dog"))
    calls: list[str] = []
    for name in ("plans", "plan"):
        real = getattr(queue, name)
        monkeypatch.setattr(
            queue, name, lambda *a, name=name, real=real: calls.append(name) or real(*a)
        )
    desk.bridge.generate("picture")
    desk.engine.begin(steps=2)
    desk.engine.finish()
    desk.loop.turn()
    assert calls == ["plans"]
    assert desk.accepted
