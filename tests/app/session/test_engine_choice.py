"""Engines that change at run time: jobs stay with theirs, states are those of the chosen one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.document import Document
from app.session.client import BUILT_IN, EngineChoice
from app.session.estimates import estimate_layers
from app.session.jobs import build_request, plan
from app.session.records import records_for
from app.testing import LOADING, FakeEngine, finished, model_info, ready
from engine import Finished, Progress, Started, StateChanged
from tests.app.painted import document_with_boxes
from tests.app.session.test_generating import BOXES, Desk

REMOTE_INFO = model_info(
    name="Ming-Design",
    vocabulary=None,
    server="http://127.0.0.1:8188",
    device="http://127.0.0.1:8188",
    canvas_multiple=1,
    token_px=16,
)


class Server:
    """A choice whose engines are fakes, and those that were made."""

    def __init__(self, name: str = "comfyui=http://127.0.0.1:8188") -> None:
        self.engines: list[FakeEngine] = []
        self.choice = EngineChoice(name, "ComfyUI at 127.0.0.1:8188", self._make)

    def _make(self, emit: Callable[..., None]) -> FakeEngine:
        self.engines.append(FakeEngine(emit, info=REMOTE_INFO, opening=(LOADING,)))
        return self.engines[-1]

    @property
    def engine(self) -> FakeEngine:
        return self.engines[-1]


@pytest.fixture
def document() -> Document:
    return document_with_boxes(*BOXES, prompt="a dog and a castle")


@pytest.fixture
def desk(document: Document) -> Desk:
    return Desk(document)


def switch(desk: Desk, server: Server) -> None:
    desk.bridge.use_engine(server.choice)
    desk.loop.turn()
    server.engine.get_ready()
    desk.loop.turn()


def test_the_first_engine_is_the_built_in_one(desk: Desk) -> None:
    job = desk.bridge.generate("picture")
    assert desk.bridge.engine.name == job.engine == BUILT_IN
    assert job.engine_title == "Built-in"


def test_later_jobs_go_to_the_chosen_engine(desk: Desk) -> None:
    said: list[str] = []
    desk.bridge.engine_changed.connect(lambda choice: said.append(choice.name))
    server = Server()
    desk.bridge.use_engine(server.choice)
    assert server.engine.is_started and desk.bridge.state == "loading"
    assert desk.bridge.info is None, "nothing is known of it yet"
    desk.loop.turn()
    server.engine.get_ready()
    desk.loop.turn()
    assert desk.bridge.state == "ready" and desk.bridge.info == REMOTE_INFO
    job = desk.bridge.generate("picture")
    assert job.engine == server.choice.name and said == [server.choice.name]
    assert len(server.engine.requests) == 1 and not desk.engine.requests
    server.engine.begin()
    server.engine.finish()
    desk.loop.turn()
    assert job.state == "finished" and len(desk.accepted) == 1


def test_a_job_waits_for_an_engine_that_connects(desk: Desk) -> None:
    server = Server()
    desk.bridge.use_engine(server.choice)
    job = desk.bridge.generate("picture")
    assert job is desk.bridge.current and desk.bridge.is_loading
    server.engine.get_ready()
    server.engine.begin()
    server.engine.finish()
    desk.loop.turn()
    assert job.state == "finished"


def test_a_running_job_stays_with_its_engine(desk: Desk) -> None:
    """It goes on, is shown, and its result is taken; its engine's states are not shown."""
    job = desk.bridge.generate("picture")
    desk.engine.begin()
    desk.loop.turn()
    server = Server()
    switch(desk, server)
    states: list[str] = []
    desk.bridge.state_changed.connect(states.append)
    desk.engine.begin(steps=3)
    desk.loop.turn()
    assert job.state == "running" and job.step == 3 and desk.previews
    desk.engine.finish()
    desk.loop.turn()
    assert job.state == "finished" and [each for each, _ in desk.accepted] == [job]
    assert not states and desk.bridge.info == REMOTE_INFO
    assert not desk.bridge.pace.costs.is_known, "the new engine learns nothing of the old one"


def test_waiting_jobs_keep_the_engine_that_they_were_made_for(
    desk: Desk, document: Document
) -> None:
    first = desk.bridge.generate("picture")
    second = desk.bridge.generate("selected", [document.foregrounds[0].id], is_next=True)
    server = Server()
    switch(desk, server)
    third = desk.bridge.generate("selected", [document.foregrounds[1].id], is_next=True)
    assert [job.engine for job in (first, second, third)] == [
        BUILT_IN, BUILT_IN, server.choice.name,
    ]  # fmt: skip
    assert desk.bridge.seconds_of(second) is None, "of another engine nothing is predicted here"
    desk.engine.finish()
    desk.loop.turn()
    assert desk.bridge.current is third and len(server.engine.requests) == 1
    server.engine.finish()
    desk.loop.turn()
    assert desk.bridge.current is second and len(desk.engine.requests) == 2
    desk.engine.finish()
    desk.loop.turn()
    assert [each.state for each in (first, second, third)] == ["finished"] * 3


def test_stop_reaches_the_engine_of_the_job(desk: Desk) -> None:
    job = desk.bridge.generate("picture")
    server = Server()
    switch(desk, server)
    desk.bridge.stop()
    assert job.state == "stopping"
    assert desk.engine.cancelled == [desk.engine.last.job_id]
    desk.engine.end_cancelled()
    desk.loop.turn()
    assert job.state == "cancelled"


def test_going_back_takes_no_time(desk: Desk) -> None:
    server = Server()
    switch(desk, server)
    desk.bridge.use_engine(EngineChoice(BUILT_IN, "Built-in", lambda emit: pytest.fail("again")))
    assert desk.bridge.state == "ready" and desk.bridge.info == model_info()
    desk.bridge.generate("picture")
    assert len(desk.engine.requests) == 1
    desk.bridge.use_engine(server.choice)
    assert desk.bridge.info == REMOTE_INFO and len(server.engines) == 1


def test_an_engine_that_failed_is_made_again_with_what_is_known_now(desk: Desk) -> None:
    server = Server()
    desk.bridge.use_engine(server.choice)
    trouble = StateChanged(state="failed", message="The token is wrong.", advice="Enter another.")
    server.engine.say(trouble)
    desk.loop.turn()
    assert desk.bridge.why_not("picture") == "The token is wrong"
    assert desk.messages[-1].what == "The token is wrong."
    desk.bridge.use_engine(server.choice)
    assert len(server.engines) == 2 and server.engines[0].shutdowns
    server.engines[0].get_ready()  # too late: it was given up
    desk.loop.turn()
    assert desk.bridge.state == "loading" and not desk.bridge.why_not("picture")
    server.engine.get_ready()
    desk.loop.turn()
    assert desk.bridge.state == "ready"


def test_a_failed_server_leaves_the_built_in_engine_alone(desk: Desk) -> None:
    server = Server()
    desk.bridge.use_engine(server.choice)
    server.engine.say(StateChanged(state="failed", message="No answer.", advice=""))
    desk.loop.turn()
    desk.bridge.use_engine(EngineChoice(BUILT_IN, "Built-in", lambda emit: pytest.fail("again")))
    assert desk.bridge.state == "ready" and not desk.bridge.why_not("picture")
    desk.loop.turn()
    server.engine.get_ready()
    desk.loop.turn()
    assert desk.bridge.info == model_info(), "states of an engine that is not chosen do not show"


def test_a_restart_replaces_the_engine_that_hangs(desk: Desk) -> None:
    job = desk.bridge.generate("picture")
    server = Server()
    switch(desk, server)
    desk.bridge.restart()
    assert job.state == "failed" and len(desk.engines) == 2
    assert len(server.engines) == 1 and desk.bridge.state == "ready"
    desk.bridge.restart()
    assert len(server.engines) == 2 and desk.bridge.state == "restarting"


def test_the_saved_choice_starts_alone(document: Document) -> None:
    """A program that starts with a server loads no model."""
    desk = Desk(document)
    server = Server()
    desk.bridge.use_engine(server.choice)
    desk.bridge.start()
    desk.bridge.start()
    assert server.engine.is_started and not desk.engine.is_started


def test_the_end_is_the_end_of_all_engines(desk: Desk) -> None:
    server = Server()
    switch(desk, server)
    assert desk.bridge.shutdown(1.0)
    assert desk.engine.shutdowns and server.engine.shutdowns
    server.engine.say(ready(REMOTE_INFO))
    desk.loop.turn()
    assert desk.bridge.state == "ready"


# ---- times ----


def test_a_server_is_not_timed_with_jobs_of_its_own(document: Document) -> None:
    desk = Desk(document, measures=True, is_exact=True)
    server = Server()
    switch(desk, server)
    desk.pass_time(3.0)
    desk.bridge.pace.measure_again()
    desk.pass_time(3.0)
    assert not server.engine.requests and not desk.bridge.pace.is_measuring


def test_times_are_predicted_after_the_first_job(desk: Desk, document: Document) -> None:
    """Of the whole job: a server's steps come in no even pace, or not at all."""
    server = Server()
    switch(desk, server)
    layers = document.layers
    assert desk.bridge.seconds_for(layers, ()) is None
    desk.bridge.generate("picture")
    job_id = server.engine.last.job_id
    server.engine.say(Started(job_id=job_id, total_steps=61, unknown_words=()))
    desk.loop.turn()
    for step in (20, 20, 20, 40, 60):
        desk.now += 6.0
        server.engine.say(Progress(job_id=job_id, step=step, total=61, seconds_left=1.0))
        desk.loop.turn()
    server.engine.finish()
    desk.loop.turn()
    predicted = desk.bridge.seconds_for(layers, ())
    assert predicted is not None and 29 < predicted < 31
    work = estimate_layers(document.contents, layers, (), REMOTE_INFO)
    assert work.steps == REMOTE_INFO.default_steps


def test_requests_and_records_name_what_layers_show(document: Document) -> None:
    """A server cannot read pixels, so requests say what they show. Records say who made them."""
    one = document.foregrounds[0]
    contents = document.contents.with_each([one.id], record={"word": "dog"})
    request = build_request(contents, plan(contents, "picture"), 3, 99)
    assert [layer.showed for layer in request.layers] == ["", "dog", ""]
    made: Finished = finished(request, REMOTE_INFO, engine="comfyui")
    numbers = {layer.id: layer.number for layer in contents.layers}
    assert {each["engine"] for each in records_for(request, made, numbers).values()} == {"comfyui"}
    plain = records_for(request, finished(request), numbers)
    assert all("engine" not in each for each in plain.values())


def test_a_waiting_job_finds_its_engine_again(desk: Desk, document: Document) -> None:
    """Its engine failed and was given up while the job waited."""
    server, other = Server(), Server("openai=http://127.0.0.1:9000")
    switch(desk, server)
    desk.bridge.generate("picture")
    waiting = desk.bridge.generate("selected", [document.foregrounds[0].id], is_next=True)
    server.engine.say(StateChanged(state="failed", message="No answer.", advice=""))
    desk.loop.turn()
    switch(desk, other)
    switch(desk, server)  # made again
    assert len(server.engines) == 2
    desk.bridge._client._retire(desk.bridge._client._slots[server.choice.name])
    desk.bridge.stop()
    desk.loop.turn()
    assert desk.bridge.current is waiting
    assert len(server.engines) == 3 and server.engine.is_started
    assert len(server.engine.requests) == 1
