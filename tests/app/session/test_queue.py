"""Waiting, replacing, stopping, variations, silence and restart, without any window."""

from __future__ import annotations

from typing import Any

import pytest

from app.document.commands import DeleteLayers, Rename, SetSeed, SetSettings
from app.document.contents import Settings
from app.session.queue import GenerationQueue
from app.testing import model_info
from engine import GenerateRequest, Progress, Started
from tests.app.painted import document_with_boxes, fill
from tests.app.session.test_generating import BOXES, Desk


def seeds(request: GenerateRequest) -> list[int]:
    return [layer.seed for layer in request.layers if layer.is_target]


def test_a_new_job_replaces_the_running_one() -> None:
    """Only the running job is cancelled; a new random seed is drawn."""
    desk = Desk(document_with_boxes(*BOXES))
    first = desk.bridge.generate("picture")
    desk.engine.begin(steps=1)
    desk.loop.turn()
    second = desk.bridge.generate("picture")
    assert first is not None
    assert second is not None
    assert desk.engine.cancelled == [desk.engine.requests[0].job_id]
    assert desk.bridge.current is second
    assert seeds(desk.engine.requests[0]) != seeds(desk.engine.requests[1])
    desk.engine.end_cancelled(desk.engine.requests[0])
    desk.engine.finish()
    desk.loop.turn()
    assert (first.state, second.state) == ("cancelled", "finished")


def test_waiting_jobs_with_the_same_targets_are_dropped() -> None:
    """Those that make some of the same layers go, the others stay in line."""
    document = document_with_boxes(*BOXES, (128, 128, 192, 192))
    desk = Desk(document)
    one, two, three = (layer.id for layer in document.foregrounds)
    desk.bridge.generate("selected", [one])
    met = desk.bridge.generate("selected", [one, two], is_next=True)
    stays = desk.bridge.generate("selected", [three], is_next=True)
    desk.bridge.generate("selected", [two])
    assert desk.bridge.waiting == (stays,)
    assert met is not None
    assert met.state == "cancelled"


def test_generate_next_goes_first_in_line() -> None:
    """The running job is left alone; what was asked last comes next."""
    document = document_with_boxes(*BOXES)
    desk = Desk(document)
    one, two = (layer.id for layer in document.foregrounds)
    running = desk.bridge.generate("picture")
    later = desk.bridge.generate("selected", [one], is_next=True)
    sooner = desk.bridge.generate("selected", [two], is_next=True)
    assert desk.bridge.current is running
    assert desk.bridge.waiting == (sooner, later)
    assert len(desk.engine.requests) == 1
    for job in (running, sooner, later):
        assert desk.bridge.current is job
        desk.engine.finish()
        desk.loop.turn()
    assert desk.bridge.current is None
    assert [job.state for job in desk.bridge.jobs] == ["finished"] * 3


def test_a_waiting_job_begins_with_the_document_as_it_is_then() -> None:
    """Targets that were deleted meanwhile drop out; a job without any is not begun."""
    document = document_with_boxes(*BOXES)
    desk = Desk(document)
    one, two = (layer.id for layer in document.foregrounds)
    desk.bridge.generate("selected", [two])
    gone = desk.bridge.generate("selected", [one], is_next=True)
    DeleteLayers([one]).do(document)
    desk.engine.finish()
    desk.loop.turn()
    assert desk.bridge.current is None
    assert gone is not None
    assert gone.state == "cancelled"
    assert len(desk.engine.requests) == 1


def test_stop_ends_the_running_job_only_and_stop_all_every_one() -> None:
    """The next in line begins at once; acknowledged before the engine answers."""
    document = document_with_boxes(*BOXES)
    desk = Desk(document)
    one, two = (layer.id for layer in document.foregrounds)
    first = desk.bridge.generate("selected", [one])
    second = desk.bridge.generate("selected", [two], is_next=True)
    desk.engine.begin(steps=2)
    desk.loop.turn()
    before = document.content_hash()
    desk.bridge.stop()
    assert first is not None
    assert first.state == "stopping"
    assert desk.bridge.current is second
    desk.bridge.stop_all()
    assert desk.bridge.current is None
    assert desk.engine.cancelled[-1] is None
    assert document.content_hash() == before


def test_variations_come_one_by_one() -> None:
    """One job, each result as it finishes; seeds count up, pinned ones too."""
    document = document_with_boxes(*BOXES)
    desk = Desk(document)
    one, two = document.foregrounds
    SetSeed(one.id, 2**32 - 1).do(document)
    SetSettings(Settings(seed_mode="fixed", seed=7, variations=3)).do(document)
    job = desk.bridge.generate("selected", [one.id, two.id])
    assert job is not None
    for count in (1, 2, 3):
        desk.engine.begin(steps=6)
        desk.loop.turn()
        assert (count - 1) / 3 < job.part < count / 3
        desk.engine.finish()
        desk.loop.turn()
        assert len(desk.accepted) == count
    assert [seeds(request)[0] for request in desk.engine.requests] == [2**32 - 1, 0, 1]
    assert [seeds(request)[1] for request in desk.engine.requests] == [
        document.seed_for(two, 7 + place) for place in range(3)
    ]
    assert job.state == "finished"
    assert job.seconds == pytest.approx(4.5)


def test_stop_keeps_the_finished_variations() -> None:
    """What is finished was handed over already; the rest is not begun."""
    document = document_with_boxes(*BOXES)
    desk = Desk(document)
    SetSettings(Settings(variations=4)).do(document)
    desk.bridge.generate("picture")
    desk.engine.finish()
    desk.loop.turn()
    desk.bridge.stop()
    desk.engine.end_cancelled()
    desk.loop.turn()
    assert len(desk.accepted) == 1
    assert len(desk.engine.requests) == 2


@pytest.mark.parametrize(
    ("finished", "kept"),
    [
        (0, "Your picture did not change."),
        (1, "Your picture and the finished result are kept."),
        (3, "Your picture and the three finished results are kept."),
    ],
)
def test_a_failure_says_what_is_kept(finished: int, kept: str) -> None:
    """What happened, what was kept, what to do; the exception's name only in the details."""
    document = document_with_boxes(*BOXES)
    desk = Desk(document)
    castle = document.foregrounds[0].id
    Rename(castle, "Castle").do(document)
    SetSettings(Settings(variations=4)).do(document)
    desk.bridge.generate("selected", [castle])
    for _ in range(finished):
        desk.engine.finish()
        desk.loop.turn()
    desk.engine.fail()
    desk.loop.turn()
    said = desk.messages[-1]
    advice = "Try again, or copy the details for a report."
    assert said.text == f"Generating 'Castle' failed. {kept} {advice}"
    assert "RuntimeError" in said.details


def test_silence_is_noticed() -> None:
    """Five seconds, or ten steps where steps are long; then a restart is offered."""
    desk = Desk(document_with_boxes(*BOXES))
    desk.bridge.generate("picture")
    desk.engine.begin(steps=1)
    desk.loop.turn()
    desk.pass_time(4.0)
    assert desk.silences == []
    desk.pass_time(2.0)
    assert desk.silences[-1] == ("quiet", 6.0)
    desk.pass_time(55.0)
    assert desk.silences[-1] == ("hung", 61.0)
    desk.engine.begin(steps=2)
    desk.loop.turn()
    desk.loop.turn()
    assert desk.silences[-1][0] == ""


def test_long_steps_may_take_their_time() -> None:
    """Ten times what a step should take, where that is more than five seconds."""
    desk = Desk(document_with_boxes(*BOXES))
    desk.bridge.generate("picture")
    run_timed(desk, 2.0)
    desk.bridge.generate("picture")
    desk.engine.begin(steps=1)
    desk.loop.turn()
    desk.pass_time(18.0)
    assert desk.silences == []
    desk.pass_time(4.0)
    job, seconds = desk.silences[-1]
    assert job == "quiet"
    assert seconds == pytest.approx(22.0)


def test_an_idle_engine_may_be_silent() -> None:
    """Nothing was asked, nothing is expected; nor while the model loads."""
    desk = Desk(document_with_boxes(*BOXES))
    desk.bridge.generate("picture")
    desk.engine.finish()
    desk.loop.turn()
    desk.pass_time(300.0)
    desk.pass_time(300.0)
    assert desk.silences == []


def test_a_hung_engine_is_abandoned() -> None:
    """A new one starts, late words of the old one are dropped, the next job runs."""
    document = document_with_boxes(*BOXES)
    desk = Desk(document)
    before = document.content_hash()
    lost = desk.bridge.generate("picture")
    old = desk.engine
    desk.bridge.restart()
    assert lost is not None
    assert lost.state == "failed"
    assert desk.bridge.state == "restarting"
    assert len(desk.engines) == 2
    assert desk.engine.is_started
    old.finish()
    desk.loop.turn()
    assert desk.accepted == []
    assert document.content_hash() == before
    desk.engine.get_ready()
    desk.bridge.generate("picture")
    desk.engine.finish()
    desk.loop.turn()
    assert len(desk.accepted) == 1


def test_quitting_with_an_abandoned_engine_says_so() -> None:
    """The caller must end the process at once."""
    desk = Desk(document_with_boxes(*BOXES))
    old: Any = desk.engine
    desk.bridge.restart()
    old.shutdown = lambda timeout_s=0.0: False
    assert desk.bridge.shutdown() is False


def run_timed(desk: Desk, step_s: float, steps: int = 12, end_s: float = 0.2) -> None:
    """Let the fake take exactly so long."""
    request = desk.engine.last
    desk.engine.say(Started(job_id=request.job_id, total_steps=steps + 1, unknown_words=()))
    desk.loop.turn()
    for step in range(1, steps + 1):
        desk.now += step_s
        desk.engine.say(
            Progress(job_id=request.job_id, step=step, total=steps + 1, seconds_left=0.0)
        )
        desk.loop.turn()
    desk.now += end_s
    desk.engine.finish(request)
    desk.loop.turn()


def test_probes_are_timed_before_the_first_job() -> None:
    """In the background, at three sizes, two steps each; then seconds are known and kept."""
    desk = Desk(document_with_boxes(*BOXES), measures=True)
    assert len(desk.engine.requests) == 1
    assert desk.engine.last.steps == 2
    assert predicted(desk.bridge) is None
    run_timed(desk, 0.02, steps=2)
    assert len(desk.engine.requests) == 2
    run_timed(desk, 0.1, steps=2)
    assert len(desk.engine.requests) == 3
    run_timed(desk, 0.2, steps=2)
    assert len(desk.engine.requests) == 3
    assert predicted(desk.bridge) is not None
    assert len(desk.bridge.jobs) == 0
    (kept,) = desk.bridge.pace.saved.values()
    assert len(kept["steps"]) == 3


def test_a_job_comes_before_the_probes() -> None:
    """No job waits for a measurement."""
    desk = Desk(document_with_boxes(*BOXES), measures=True)
    probe = desk.engine.last.job_id
    desk.bridge.generate("picture")
    assert probe in desk.engine.cancelled
    desk.engine.end_cancelled(desk.engine.requests[0])
    desk.engine.finish()
    desk.loop.turn()
    assert len(desk.accepted) == 1
    assert len(desk.engine.requests) == 2


def test_what_was_learnt_before_needs_no_probe() -> None:
    """Kept per model, device and thread count."""
    desk = Desk(document_with_boxes(*BOXES), measures=True)
    run_timed(desk, 0.02, steps=2)
    run_timed(desk, 0.3, steps=2)
    again = Desk(document_with_boxes(*BOXES))
    again.bridge.pace.saved.update(desk.bridge.pace.saved)
    again.bridge.pace.measures = True
    again.bridge.pace.reset()
    again.bridge.pace.model_ready(model_info())
    assert again.engine.requests == []
    assert predicted(again.bridge) == predicted(desk.bridge)
    again.bridge.pace.reset()
    again.bridge.pace.model_ready(model_info(threads=9))
    again.loop.turn()
    assert predicted(again.bridge) is None
    assert len(again.engine.requests) == 1


def predicted(bridge: GenerationQueue) -> float | None:
    planned = bridge.plan("picture")
    return bridge.seconds_for(planned.targets, planned.context)


def test_one_layer_costs_less_than_the_picture() -> None:
    """A job that makes one layer is predicted, and shown, as the cheaper one."""
    document = document_with_boxes(*BOXES)
    fill(document)
    desk = Desk(document, measures=True)
    run_timed(desk, 0.02, steps=2)
    run_timed(desk, 0.4, steps=2)
    layer = document.foregrounds[0]
    planned = desk.bridge.plan("selected", [layer.id])
    alone = desk.bridge.seconds_for(planned.targets, planned.context)
    whole = predicted(desk.bridge)
    assert alone is not None
    assert whole is not None
    assert alone < whole
