"""The engine that lets a server draw: the same events as the built-in one, faults, restarts."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import (
    Assigned,
    Failed,
    Finished,
    JobCancelled,
    Preview,
    Progress,
    Started,
    StateChanged,
)
from engine.remote import PictureJob, RemoteError, RemoteModel, fitting
from engine.remote.ledger import Entry, Ledger
from tests.engine.remote.scripted import (
    MODEL,
    Running,
    ScriptedServer,
    background,
    box,
    gone,
    is_end,
    request,
)

PROMPT = (
    "a big red dragon with golden wings, two knights in armour, in a misty forest, oil painting"
)
BOXES = (
    background(),
    box(1, 130, 250, 256, 128),
    box(2, 0, 200, 64, 128),
    box(3, 400, 200, 64, 128),
)


AREA = 160 * 160


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megapixel for each layer is for real models."""
    monkeypatch.setattr(fitting, "AREA", AREA)


@pytest.fixture
def server() -> ScriptedServer:
    return ScriptedServer()


def states(running: Running) -> list[str]:
    return [event.state for event in running.seen if isinstance(event, StateChanged)]


def test_a_picture_is_made_layer_by_layer(server: ScriptedServer) -> None:
    with Running(server) as running:
        end = running.run(request(PROMPT, *BOXES))
    assert isinstance(end, Finished)
    assert [job.alpha for job in server.submitted] == [False, True, True, True]
    assert [job.seed for job in server.submitted] == [5, 1, 2, 3]
    ground, *things = server.submitted
    assert ground.prompt.startswith("in a misty forest, oil painting, empty background")
    assert "dragon" in ground.negative and "knights" in ground.negative
    assert things[0].prompt == "big red dragon with golden wings, oil painting"
    assert [job.prompt for job in things[1:]] == ["knight in armour, oil painting"] * 2
    assert {(r.layer_id, r.word) for r in end.results} == {
        (0, None),
        (1, "big red dragon with golden wings"),
        (2, "knight in armour"),
        (3, "knight in armour"),
    }
    assert end.engine == "comfyui" and end.model_hash.startswith("remote:")
    assert end.model_name == "Ming-Design"
    assert end.steps == 0, "the server's own number, which it does not report"
    assert "127.0.0.1" not in repr(replace(end, results=())), "records tell no address"
    assert states(running)[:3] == ["loading", "ready", "generating"]


def test_pictures_fit_their_boxes(server: ScriptedServer) -> None:
    with Running(server) as running:
        end = running.run(request(PROMPT, *BOXES))
    assert isinstance(end, Finished)
    for result, layer in zip(end.results, BOXES, strict=True):
        x0, y0, x1, y1 = layer.box
        assert result.rgba.shape == (y1 - y0, x1 - x0, 4)
    ground, dragon, *_ = end.results
    assert (ground.rgba[..., 3] == 255).all()
    alpha = dragon.rgba[..., 3] > 127
    columns, rows = np.flatnonzero(alpha.any(0)), np.flatnonzero(alpha.any(1))
    # The disc was cropped, fills the height of the box, and is still a disc in its middle.
    assert len(rows) >= 126 and abs(len(columns) - len(rows)) <= 2
    assert abs(columns.mean() - 127.5) < 2
    for job in server.submitted:
        assert job.width % 16 == job.height % 16 == 0
        assert 0.9 < job.width * job.height / AREA < 1.1
    assert server.submitted[1].width > 1.9 * server.submitted[1].height


def test_progress_previews_and_one_end(server: ScriptedServer) -> None:
    with Running(server) as running:
        end = running.run(request(PROMPT, *BOXES, preview_every=2))
    started = next(event for event in running.seen if isinstance(event, Started))
    steps = [event.step for event in running.seen if isinstance(event, Progress)]
    assert steps == sorted(set(steps)) and steps[-1] == started.total_steps - 1
    previews = [event for event in running.seen if isinstance(event, Preview)]
    assert {event.layer_id for event in previews} == {0, 1, 2, 3}
    assert len(previews) == 8  # each second of 16
    assert sum(map(is_end, running.seen)) == 1
    assert started.check == end.check  # type: ignore[union-attr]
    (decided,) = [event for event in running.seen if isinstance(event, Assigned)]
    assert dict(decided.words) == {r.layer_id: r.word for r in end.results if r.word}  # type: ignore[union-attr]


def test_only_targets_are_asked_for(server: ScriptedServer) -> None:
    """The others are context: their words count as placed, and their pixels go nowhere."""
    painted = np.full((128, 256, 4), 255, np.uint8)
    with Running(server) as running:
        end = running.run(
            request(
                "a dragon and a knight",
                replace(BOXES[1], pixels=painted, showed="dragon"),
                box(2, 0, 200, 64, 128, showed="dragon"),
            )
        )
    assert isinstance(end, Finished)
    (job,) = server.submitted
    assert job.prompt == "knight"
    assert [result.layer_id for result in end.results] == [2]


def test_spare_boxes_are_empty_or_repeat(server: ScriptedServer) -> None:
    two = (box(1, 0, 0, 64, 64), box(2, 100, 100, 64, 64))
    with Running(server) as running:
        empty = running.run(request("a katana", *two))
        assert isinstance(empty, Finished)
        assert empty.results[1].left_empty and not empty.results[1].rgba.any()
        again = running.run(request("a katana", *two, job_id=2, spare_boxes="repeat"))
        assert isinstance(again, Finished)
        assert [result.word for result in again.results] == ["katana", "katana"]
        few = running.run(request("a katana, an iris and a kimono", *two, job_id=3))
        assert isinstance(few, Finished)
        assert [(each.typed, each.count) for each in few.not_placed] == [("kimono", 1)]


def test_stop_cancels_on_the_server(server: ScriptedServer) -> None:
    server.waits.set()
    with Running(server) as running:
        running.engine.submit(request(PROMPT, *BOXES))
        running.until(lambda event: isinstance(event, Started))
        assert server.is_waiting.wait(5)
        running.engine.cancel(1)
        assert isinstance(running.end_of(1), JobCancelled)
        assert len(server.cancelled) == 4
        server.waits.clear()
        assert isinstance(running.run(request(PROMPT, *BOXES, job_id=2)), Finished)


@pytest.mark.parametrize("kind", ["picture", "refused", "answer", "unauthorised"])
def test_a_fault_ends_the_job_with_its_words(server: ScriptedServer, kind: str) -> None:
    server.faults[2] = RemoteError(kind, "It went wrong.", "Do this.")  # type: ignore[arg-type]
    with Running(server) as running:
        end = running.run(request(PROMPT, *BOXES))
        assert isinstance(end, Failed)
        assert (end.kind, end.message, end.advice) == ("request", "It went wrong.", "Do this.")
        assert sum(map(is_end, running.seen)) == 1
        arrived = len(server.submitted) - len(server.cancelled)
        assert arrived == 2
        # Asked again, only what is missing goes to the server once more.
        assert isinstance(running.run(request(PROMPT, *BOXES, job_id=2)), Finished)
    assert len(server.submitted) == 4 + 2


def test_what_arrived_is_not_handed_to_another_picture(server: ScriptedServer) -> None:
    server.faults[1] = RemoteError("picture", "No cut-out.", "Try again.")
    with Running(server) as running:
        assert isinstance(running.run(request(PROMPT, *BOXES)), Failed)
        other = (background(seed=6), *BOXES[1:])
        assert isinstance(running.run(request(PROMPT, *other, job_id=2)), Finished)
    assert len(server.submitted) == 8


def test_a_server_that_restarts_is_waited_for(server: ScriptedServer) -> None:
    """It lost the job: that is asked for once again, and the user sees nothing of it."""
    server.faults[1] = gone()
    server.before = lambda job: server.has.clear() if len(server.collected) == 2 else None
    server.connects = [None, gone(), None]
    with Running(server) as running:
        assert isinstance(running.run(request(PROMPT, *BOXES)), Finished)
    assert len(server.submitted) == 5
    assert server.submitted[4] == server.submitted[1]


def test_a_server_that_kept_the_job_is_asked_once(server: ScriptedServer) -> None:
    server.faults[1] = gone()
    with Running(server) as running:
        assert isinstance(running.run(request(PROMPT, *BOXES)), Finished)
    assert len(server.submitted) == 4


def test_a_server_that_stays_away_fails_the_job(server: ScriptedServer, tmp_path: Path) -> None:
    """What it has stays noted; the next try collects it, in another process too."""
    ledger = tmp_path / "pictures.json"
    server.faults[1] = gone()
    server.connects = [None, *[gone()] * 99]
    with Running(server, ledger) as running:
        end = running.run(request(PROMPT, *BOXES))
    assert isinstance(end, Failed) and end.message == str(gone())
    assert not server.cancelled
    server.connects.clear()
    with Running(server, ledger) as running:
        assert isinstance(running.run(request(PROMPT, *BOXES)), Finished)
    assert len(server.submitted) == 4, "nothing was made twice"
    assert json.loads(ledger.read_text())["pictures"] == []


def test_a_job_survives_the_end_of_the_program(server: ScriptedServer, tmp_path: Path) -> None:
    """The process is gone while the server works; the same request finds its pictures."""
    ledger = tmp_path / "state" / "pictures.json"
    server.faults[0] = gone()
    server.connects = [None, *[gone()] * 99]
    with Running(server, ledger) as running:
        assert isinstance(running.run(request(PROMPT, *BOXES)), Failed)
    text = ledger.read_text()
    assert "dragon" not in text and "127.0.0.1" not in text
    server.connects.clear()
    with Running(server, ledger) as running:
        assert isinstance(running.run(request(PROMPT, *BOXES)), Finished)
    assert len(server.submitted) == 4


def entry(mark: str, loose: str = "l", seed: int = 3) -> Entry:
    return Entry(mark=mark, loose=loose, key=f"key of {mark}", seed=seed)


def test_a_damaged_ledger_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "pictures.json"
    for text in ("{", "[]", '{"version": 1, "pictures": [{}]}', '{"version": 9, "pictures": []}'):
        path.write_text(text)
        ledger = Ledger(path)
        assert ledger.find("a") is None
        ledger.add(entry("a"))
        assert Ledger(path).find("a") is not None
    assert Ledger(path, clock=lambda: 1e12).find("a") is None, "too old"
    ledger.remove(["a", "b"])
    assert Ledger(path).find("a") is None
    assert Ledger().find("a") is None and not Ledger().is_kept


def test_a_ledger_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file" / "pictures.json"
    path.parent.write_text("no folder")
    ledger = Ledger(path)
    ledger.add(entry("a"))
    assert ledger.find("a") is not None


def test_processes_share_a_file(tmp_path: Path) -> None:
    """Each keeps its own entries, and what a living one waits for is not taken from it."""
    path = tmp_path / "pictures.json"
    one, other = Ledger(path), Ledger(path)
    one.add(entry("a"))
    other.add(entry("b"))
    one.add(entry("c"))
    other.remove(["b"])
    assert sorted(each["mark"] for each in json.loads(path.read_text())["pictures"]) == ["a", "c"]
    data = json.loads(path.read_text())
    for row in data["pictures"]:
        row["process"] = os.getppid()  # which lives, and is older than the entry
    path.write_text(json.dumps(data))
    assert Ledger(path).find("a", "l") is None
    for row in data["pictures"]:
        row["at"] = 1.0  # from before that process began: its number was another's
    path.write_text(json.dumps(data))
    assert Ledger(path, clock=lambda: 2.0).find("a").key == "key of a"


def test_stop_means_other_pictures(server: ScriptedServer) -> None:
    """What had arrived is not handed out by the next job, whose seed is free."""
    boxes = [box(n, 100 * n, 0, 64, 64, seed_is_free=True) for n in (1, 2)]

    def stop(job: PictureJob) -> None:
        if len(server.collected) == 2:
            running.engine.cancel()

    server.before = stop
    with Running(server) as running:
        assert isinstance(running.run(request("two katanas", *boxes)), JobCancelled)
        again = [replace(each, seed=each.seed + 50) for each in boxes]
        end = running.run(request("two katanas", *again, job_id=2))
    assert isinstance(end, Finished)
    assert [result.seed for result in end.results] == [51, 52]


def test_marks_and_loose_marks() -> None:
    ledger = Ledger()
    ledger.add(entry("a"))
    ledger.add(entry("b"))
    assert ledger.find("b", "l").mark == "b", "the very picture comes first"
    assert ledger.find("c") is None, "another seed is another picture"
    assert ledger.find("c", "l").mark == "a" and ledger.find("c", "l", {"a"}).mark == "b"
    assert ledger.find("c", "l", {"a", "b"}) is None


@pytest.mark.parametrize("is_free", [True, False])
def test_a_free_seed_takes_what_is_under_way(
    server: ScriptedServer, tmp_path: Path, is_free: bool
) -> None:
    """A new job of the window has new seeds; the pictures of the lost one are as good."""
    ledger = tmp_path / "pictures.json"
    boxes = (box(1, 0, 0, 64, 64, seed=1), box(2, 100, 0, 64, 64, seed=2))
    server.waits.set()
    with Running(server, ledger) as running:
        running.engine.submit(request("two katanas", *boxes))
        assert server.is_waiting.wait(5)
        assert running.engine.shutdown(5), "the program ends"
    assert not server.cancelled, "the server goes on"
    other = [replace(each, seed=each.seed + 50, seed_is_free=is_free) for each in boxes]
    with Running(server, ledger) as running:
        end = running.run(request("two katanas", *other, job_id=2))
    assert isinstance(end, Finished)
    assert [result.seed for result in end.results] == ([1, 2] if is_free else [51, 52])
    assert len(server.submitted) == (2 if is_free else 4)


def test_what_is_under_way_outlives_an_end_while_the_server_is_away(
    server: ScriptedServer, tmp_path: Path
) -> None:
    """The program ends between two tries to reach the server: nothing is withdrawn."""
    ledger = tmp_path / "pictures.json"
    katana = request("a katana", box(1, 0, 0, 64, 64, seed=1))
    server.faults[0] = gone()
    with Running(server, ledger) as running:
        running.until(lambda event: isinstance(event, StateChanged) and event.state == "ready")
        server.connects = [gone()] * 50
        ending = threading.Thread(target=running.engine.shutdown)

        def end_meanwhile() -> None:
            if ending.ident is None:
                ending.start()
                while not running.engine._line.is_closed:
                    time.sleep(0.001)

        server.meets = end_meanwhile
        running.engine.submit(katana)
        running.until(is_end)
        ending.join()
    assert not server.cancelled
    server.connects, server.meets = [], lambda: None
    with Running(server, ledger) as running:
        assert isinstance(running.run(katana), Finished)
    assert len(server.submitted) == 1, "it was picked up"


def test_a_free_seed_takes_what_has_arrived(server: ScriptedServer) -> None:
    server.faults[1] = RemoteError("picture", "No cut-out.", "Try again.")
    boxes = [box(n, 100 * n, 0, 64, 64, seed_is_free=True) for n in (1, 2)]
    with Running(server) as running:
        assert isinstance(running.run(request("two katanas", *boxes)), Failed)
        again = [replace(each, seed=each.seed + 50) for each in boxes]
        end = running.run(request("two katanas", *again, job_id=2))
    assert isinstance(end, Finished)
    assert [result.seed for result in end.results] == [1, 52]


def test_without_a_ledger_the_end_cancels(server: ScriptedServer) -> None:
    server.waits.set()
    with Running(server) as running:
        running.engine.submit(request(PROMPT, *BOXES))
        assert server.is_waiting.wait(5)
        assert running.engine.shutdown(5)
    assert len(server.cancelled) == 4


def test_no_connection_is_said_and_tried_again(server: ScriptedServer) -> None:
    server.connects = [gone(), gone()]
    with Running(server) as running:
        failed = running.until(lambda event: isinstance(event, StateChanged) and
                               event.state == "failed")  # fmt: skip
        assert isinstance(failed, StateChanged)
        assert failed.message == str(gone()) and failed.advice == gone().advice
        running.until(lambda event: isinstance(event, StateChanged) and event.state == "ready")
        assert states(running) == ["loading", "failed", "ready"]
        assert isinstance(running.run(request(PROMPT, *BOXES)), Finished)


def test_a_job_without_a_connection_fails_with_its_reason(server: ScriptedServer) -> None:
    refused = RemoteError("unauthorised", "The token is wrong.", "Enter another.")
    server.connects = [refused] * 2
    with Running(server) as running:
        end = running.run(request(PROMPT, *BOXES))
        assert isinstance(end, Failed) and end.message == "The token is wrong."
        assert isinstance(running.run(request(PROMPT, *BOXES, job_id=2)), Finished)


def test_the_model_of_the_connection(server: ScriptedServer) -> None:
    weak = replace(MODEL, name="weak", title="Weak", missing=("NodeX", "weak.safetensors"))
    server.models = (weak, MODEL)
    for name, title in (("", "Ming-Design"), ("ming", "Ming-Design")):
        server.connection = replace(server.connection, model=name)
        with Running(server) as running:
            ready = running.until(lambda event: isinstance(event, StateChanged) and
                                  event.state == "ready")  # fmt: skip
        assert isinstance(ready, StateChanged) and ready.info is not None
        assert ready.info.name == title and ready.info.vocabulary is None
        assert ready.info.server and ready.info.licence == "MIT"
        assert ready.info.planning_passes == 0


@pytest.mark.parametrize(
    ("name", "models", "said"),
    [
        ("weak", "weak", "Missing: NodeX, weak.safetensors"),
        ("other", "all", "has no model 'other'"),
        ("", "weak", "no model that can be used"),
        ("", "none", "no model that can be used"),
    ],
)
def test_a_model_that_cannot_be_used(
    server: ScriptedServer, name: str, models: str, said: str
) -> None:
    weak = replace(MODEL, name="weak", title="Weak", missing=("NodeX", "weak.safetensors"))
    choices: dict[str, tuple[RemoteModel, ...]] = {
        "weak": (weak,),
        "all": (MODEL, weak),
        "none": (),
    }
    server.models = choices[models]
    server.connection = replace(server.connection, model=name)
    with Running(server) as running:
        failed = running.until(lambda event: isinstance(event, StateChanged) and
                               event.state == "failed")  # fmt: skip
    assert isinstance(failed, StateChanged) and said in failed.message and failed.advice


def test_a_long_wait_gives_signs_of_life(server: ScriptedServer) -> None:
    """Silence of the engine is taken for a hang; a server without progress is none."""
    now = [0.0]

    def clock() -> float:
        now[0] += 0.7
        return now[0]

    server.steps = 0
    server.waits.set()
    with Running(server, clock=clock) as running:
        running.engine.submit(request("a katana", box(1, 0, 0, 64, 64)))
        for _ in range(3):
            running.until(lambda event: isinstance(event, Progress))
        server.waits.clear()
        assert isinstance(running.end_of(1), Finished)


def test_a_request_that_cannot_be_made(server: ScriptedServer) -> None:
    with Running(server) as running:
        end = running.run(request("a katana", box(1, 400, 0, 200, 64)))
        assert isinstance(end, Failed) and end.kind == "request"
        assert "leaves the canvas" in end.message
    assert not server.submitted


def test_a_large_canvas_needs_no_grid(server: ScriptedServer) -> None:
    """A photograph's size: the built-in model draws up to 2048 in whole grid cells."""
    layer = box(1, 2900, 1900, 99, 77)
    with Running(server) as running:
        end = running.run(replace(request("a katana", layer), canvas=(3001, 1999)))
    assert isinstance(end, Finished) and end.results[0].box == layer.box


def test_an_empty_cut_out_is_refused(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = np.zeros((64, 64, 4), np.uint8)
    monkeypatch.setattr(server, "collect", lambda job, watch: empty)
    with Running(server) as running:
        end = running.run(request("a katana", box(1, 0, 0, 64, 64)))
    assert isinstance(end, Failed) and end.message == "The picture for 'katana' is empty."
