"""Measuring the machine: before the first job, by each job, never in anybody's way."""

from __future__ import annotations

from app.document.commands import SetSettings
from app.document.contents import Settings
from tests.app.test_bridge import BOXES, Desk
from tests.app.test_queue import predicted, run_timed
from tests.fakes import document_with_boxes


def test_the_two_probes_differ_in_size_and_show_nothing() -> None:
    """GE4: two timed steps each, without previews; nothing of them reaches document or list."""
    desk = Desk(document_with_boxes(*BOXES), measures=True)
    before = desk.bridge.document.content_hash()
    desk.engine.begin()
    desk.loop.turn()
    assert desk.bridge.state == "measuring"
    assert desk.bridge.current is None
    run_timed(desk, 0.02, steps=2)
    run_timed(desk, 0.3, steps=2)
    small, large = desk.engine.requests
    assert [request.steps for request in (small, large)] == [2, 2]
    assert [request.preview_every for request in (small, large)] == [0, 0]
    assert len(small.layers) < len(large.layers)
    assert desk.bridge.document.content_hash() == before
    assert not desk.accepted


def test_measuring_takes_three_seconds_at_most() -> None:
    """GE4: what has not ended then is cancelled, and the second is not begun."""
    desk = Desk(document_with_boxes(*BOXES), measures=True)
    probe = desk.engine.last
    desk.pass_time(2.9)
    assert desk.engine.cancelled == []
    desk.pass_time(0.2)
    assert desk.engine.cancelled == [probe.job_id]
    desk.engine.end_cancelled(probe)
    desk.loop.turn()
    assert len(desk.engine.requests) == 1
    assert not desk.bridge.pace.is_measuring


def test_the_first_job_measures_where_the_probes_could_not() -> None:
    """GE4: "measuring" until something is known; each finished job refines it."""
    desk = Desk(document_with_boxes(*BOXES))
    pace = desk.bridge.pace
    assert not pace.is_measuring
    desk.bridge.generate("picture")
    assert pace.is_measuring
    assert predicted(desk.bridge) is None
    run_timed(desk, 0.4)
    assert not pace.is_measuring
    slow = predicted(desk.bridge)
    assert slow is not None
    assert abs(slow / (12 * 0.4 + 0.2) - 1) < 0.2
    for _ in range(5):
        desk.bridge.generate("picture")
        assert not pace.is_measuring
        run_timed(desk, 0.1)
    fast = predicted(desk.bridge)
    assert fast is not None
    assert fast < slow


def test_a_cancelled_or_failed_job_teaches_nothing() -> None:
    """GE4: only finished jobs refine the prediction."""
    desk = Desk(document_with_boxes(*BOXES))
    desk.bridge.generate("picture")
    run_timed(desk, 0.1)
    before = predicted(desk.bridge)
    desk.bridge.generate("picture")
    desk.engine.begin(steps=3)
    desk.pass_time(0.4)
    desk.engine.fail()
    desk.loop.turn()
    desk.bridge.generate("picture")
    desk.engine.begin(steps=3)
    desk.loop.turn()
    desk.bridge.stop()
    desk.engine.end_cancelled()
    desk.loop.turn()
    assert predicted(desk.bridge) == before


def test_jobs_that_ended_early_have_their_seconds_too() -> None:
    """GE8: stopped or failed, until then; a waiting one has what it will take."""
    document = document_with_boxes(*BOXES)
    SetSettings(Settings(variations=2)).do(document)
    desk = Desk(document)
    stopped = desk.bridge.generate("picture")
    assert stopped is not None
    desk.engine.begin(steps=1)
    desk.loop.turn()
    desk.now += 3.0
    desk.bridge.stop()
    desk.now += 0.25
    desk.engine.end_cancelled()
    desk.loop.turn()
    assert (stopped.state, stopped.seconds) == ("cancelled", 3.25)
    desk.bridge.generate("picture")
    run_timed(desk, 0.1)
    run_timed(desk, 0.1)
    failed = desk.bridge.generate("picture")
    waiting = desk.bridge.generate("picture", is_next=True)
    assert failed is not None
    assert waiting is not None
    one = predicted(desk.bridge)
    assert one is not None
    assert desk.bridge.seconds_of(waiting) == 2 * one
    run_timed(desk, 0.5)  # the first of two
    desk.engine.begin(steps=1)
    desk.loop.turn()
    desk.now += 1.0
    desk.engine.fail()
    desk.loop.turn()
    assert failed.state == "failed"
    assert failed.seconds is not None
    assert abs(failed.seconds - (12 * 0.5 + 0.2 + 1.0)) < 1e-6
