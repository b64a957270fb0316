"""Measuring the machine: before the first job, by each job, never in anybody's way."""

from __future__ import annotations

import itertools

from app.document.commands import SetSettings
from app.document.contents import Settings
from app.session.monitor import IDLE_LIMIT_S, IDLE_SLICE_S, probes
from app.testing import model_info
from engine.layout import check_request
from tests.app.painted import document_with_boxes
from tests.app.session.test_generating import BOXES, Desk
from tests.app.session.test_queue import predicted, run_timed


def test_the_probes_grow_and_show_nothing() -> None:
    """Two timed steps each; nothing of them reaches document, canvas or list."""
    desk = Desk(document_with_boxes(*BOXES), measures=True, is_exact=True)
    before = desk.bridge.document.content_hash()
    desk.pass_time(IDLE_SLICE_S)
    desk.engine.begin(steps=1)
    desk.loop.turn()
    desk.loop.turn()
    assert desk.bridge.state == "measuring"
    assert desk.bridge.current is None
    for step_s in (0.02, 0.1, 0.1):
        assert desk.bridge.pace.is_measuring
        run_timed(desk, step_s, steps=2)
    assert not desk.bridge.pace.is_measuring
    probes = desk.engine.requests
    assert [request.steps for request in probes] == [2, 2, 2]
    assert [len(request.layers) for request in probes] == [1, 4, 7]
    # They cost what a real picture costs: a prompt is read, previews are made.
    prompt = "a red balloon, a blue castle, a red dog in sky"
    assert all(request.prompt == prompt for request in probes)
    assert all(request.preview_every == 1 for request in probes)
    assert not desk.previews
    assert not any(edge % 32 for probe in probes for each in probe.layers for edge in each.box)
    assert desk.bridge.document.content_hash() == before
    assert not desk.accepted


def test_a_quick_machine_is_measured_at_both_ends_first() -> None:
    """A large picture says more of large ones than a second small one does."""
    desk = Desk(document_with_boxes(*BOXES), measures=True, is_exact=True)
    desk.pass_time(IDLE_SLICE_S)
    for step_s in (0.002, 0.05, 0.03):
        run_timed(desk, step_s, steps=2, end_s=step_s)
    assert [len(request.layers) for request in desk.engine.requests] == [1, 7, 4]


def test_probes_fit_every_canvas_that_a_model_may_have() -> None:
    """Boxes lie on the grid and inside, and the engine's own check takes them."""
    for width, height in itertools.product((64, 128, 320, 512, 2048), repeat=2):
        info = model_info(trained_canvases=((width, height), (512, 512)), vocabulary=None)
        for request in probes(info, itertools.count(1).__next__):
            assert request.layers
            for layer in request.layers:
                x0, y0, x1, y1 = layer.box
                assert 0 <= x0 < x1 <= request.canvas[0]
                assert 0 <= y0 < y1 <= request.canvas[1]
            check_request(request, info.canvas_multiple, info.max_foregrounds)


def test_the_probes_wait_until_the_window_is_idle() -> None:
    """What the window computes meanwhile would be taken for the engine's slowness."""
    desk = Desk(document_with_boxes(*BOXES), measures=True, is_exact=True)
    for _ in range(3):
        desk.worked += 0.08
        desk.pass_time(IDLE_SLICE_S)
        assert not desk.engine.requests
        assert desk.bridge.pace.is_measuring
    desk.worked += 0.01
    desk.pass_time(IDLE_SLICE_S)
    assert len(desk.engine.requests) == 1


def test_a_window_that_is_never_idle_is_measured_as_it_is() -> None:
    desk = Desk(document_with_boxes(*BOXES), measures=True, is_exact=True)
    begun = desk.now
    while not desk.engine.requests:
        desk.worked += 0.1
        desk.pass_time(IDLE_SLICE_S)
        assert desk.now - begun < IDLE_LIMIT_S + 2 * IDLE_SLICE_S
    assert desk.now - begun > IDLE_LIMIT_S - IDLE_SLICE_S


def test_measuring_takes_less_than_two_seconds() -> None:
    """What has not ended then is cancelled, and the next is not begun."""
    desk = Desk(document_with_boxes(*BOXES), measures=True, is_exact=True)
    told: list[bool] = []
    pace = desk.bridge.pace
    pace.costs_changed.connect(lambda: told.append(pace.is_measuring))
    desk.pass_time(IDLE_SLICE_S)
    probe = desk.engine.last
    desk.pass_time(1.6)
    assert desk.engine.cancelled == []
    assert pace.is_measuring
    desk.pass_time(0.15)
    assert desk.engine.cancelled == [probe.job_id]
    assert not pace.is_measuring  # also where the engine takes its time to stop
    assert told == [False]
    desk.engine.end_cancelled(probe)
    desk.loop.turn()
    assert len(desk.engine.requests) == 1


def test_a_probe_that_would_not_end_in_time_is_not_begun() -> None:
    """On a slow machine the first ones must do."""
    desk = Desk(document_with_boxes(*BOXES), measures=True, is_exact=True)
    desk.pass_time(IDLE_SLICE_S)
    run_timed(desk, 0.1, steps=2)
    run_timed(desk, 0.4, steps=2)
    assert len(desk.engine.requests) == 2
    assert desk.engine.cancelled == []
    assert not desk.bridge.pace.is_measuring
    assert predicted(desk.bridge) is not None


def test_a_job_ends_the_measuring() -> None:
    """Also while the probes still wait for the window."""
    for wait in (0.0, IDLE_SLICE_S):
        desk = Desk(document_with_boxes(*BOXES), measures=True, is_exact=True)
        desk.pass_time(wait)
        asked = [request.job_id for request in desk.engine.requests]
        desk.bridge.generate("picture")
        assert not desk.bridge.pace.is_measuring
        assert desk.engine.cancelled == asked
        desk.pass_time(IDLE_SLICE_S)
        assert len(desk.engine.requests) == len(asked) + 1


def test_the_limit_of_one_measuring_does_not_end_the_next() -> None:
    desk = Desk(document_with_boxes(*BOXES), measures=True, is_exact=True)
    desk.pass_time(IDLE_SLICE_S)
    for step_s in (0.02, 0.05, 0.1):
        run_timed(desk, step_s, steps=2)
    desk.pass_time(0.5)
    desk.bridge.pace.measure_again()
    desk.pass_time(IDLE_SLICE_S)
    desk.pass_time(0.7)  # two seconds after the first measuring began
    assert desk.bridge.pace.is_measuring
    assert desk.engine.cancelled == []


def test_the_first_job_measures_where_the_probes_could_not() -> None:
    """Something is known after it; each finished job refines that."""
    desk = Desk(document_with_boxes(*BOXES))
    pace = desk.bridge.pace
    desk.bridge.generate("picture")
    assert not pace.is_measuring  # its own progress says how long it takes
    assert predicted(desk.bridge) is None
    run_timed(desk, 0.4)
    slow = predicted(desk.bridge)
    assert slow is not None
    assert abs(slow / (12 * 0.4 + 0.2) - 1) < 0.2
    for _ in range(5):
        desk.bridge.generate("picture")
        run_timed(desk, 0.1)
    fast = predicted(desk.bridge)
    assert fast is not None
    assert fast < slow


def test_a_cancelled_or_failed_job_teaches_nothing() -> None:
    """Only finished jobs refine the prediction."""
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
    """Stopped or failed, until then; a waiting one has what it will take."""
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
