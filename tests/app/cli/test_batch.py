"""`layerloom batch`: every line has its result, runs go on where they ended, engines share work."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app import cli
from app.cli import batch as batch_module
from engine.remote import Connection, RemoteError, fitting
from engine.remote import engine as remote_engine
from tests.app.cli.child import scripted
from tests.app.cli.test_generate import layerloom
from tests.engine.remote.scripted import ScriptedServer, gone

BOXES = [[0, 0, 128, 128]]
ONE, TWO = "comfyui=http://127.0.0.1:8188", "comfyui=http://127.0.0.1:8189"


def jobs_file(folder: Path, *jobs: object) -> Path:
    path = folder / "jobs.jsonl"
    lines = [each if isinstance(each, str) else json.dumps(each) for each in jobs]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def job(name: str, prompt: str = "a red dog", **more: Any) -> dict[str, Any]:
    return {"id": name, "prompt": prompt, "boxes": BOXES, "canvas": [256, 256], **more}


def results(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, ScriptedServer]:
    """A server for each address."""
    found = {name: ScriptedServer() for name in (ONE, TWO)}

    def open_server(connection: Connection, token: str | None = None) -> ScriptedServer:
        server = found[f"comfyui={connection.address}"]
        server.connection = connection
        return server

    monkeypatch.setattr(fitting, "AREA", 160 * 160)  # a megapixel is for real models
    monkeypatch.setattr(remote_engine, "open_server", open_server)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return found


def test_every_job_has_a_picture_and_a_line(tmp_path: Path) -> None:
    path = jobs_file(
        tmp_path,
        job("first", seed=4),
        "",
        {"prompt": "a dog and a castle", "canvas": [512, 256], "seed": 2},
        job("third", shows={"1": "balloon"}, background=False),
    )
    done = layerloom("batch", path, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    lines = results(tmp_path / "out")
    assert [json.loads(line) for line in done.stdout.splitlines()] == lines
    assert [(each["id"], each["state"]) for each in lines] == [
        ("first", "done"), ("3", "done"), ("third", "done"),
    ]  # fmt: skip
    assert all(each["engine"] == "builtin" and each["seconds"] >= 0 for each in lines)
    assert "3 made, 0 failed, 0 bad lines, 0 done before." in done.stderr
    said = layerloom("info", tmp_path / "out" / "3.ora").stdout
    assert "canvas  512 x 256" in said and said.count(" · box") + said.count("generated") == 3
    assert "background" not in layerloom("info", tmp_path / "out" / "third.ora").stdout.lower()


def test_a_second_run_makes_what_is_missing(tmp_path: Path) -> None:
    path = jobs_file(tmp_path, job("a"), job("b"), job("c"))
    out = tmp_path / "out"
    assert layerloom("batch", path, "--out", out, "--format", "png").returncode == 0
    (out / "b.png").unlink()
    jobs_file(tmp_path, job("a"), job("b"), job("c", seed=9), job("d"))
    with (out / "results.jsonl").open("a") as file:
        file.write('{"id": "d", "state": "do')  # cut off by a crash
    done = layerloom("batch", path, "--out", out, "--format", "png")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["b", "c", "d"]
    assert "3 made, 0 failed, 0 bad lines, 1 done before." in done.stderr
    assert layerloom("batch", path, "--out", out, "--format", "png").stdout == ""
    with Image.open(out / "d.png") as image:
        assert image.size == (256, 256)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "it is no JSON"),
        ("[1]", "it is no JSON object"),
        ({"prompt": "a dog", "sede": 3}, "nothing is known of 'sede'"),
        ({"seed": 1}, "neither a prompt nor a layout"),
        (job("../a"), "cannot name a file"),
        (job("results"), "that of the list of results"),
        (job("ok"), "the id 'ok' is that of line 1"),
        (job("a", seed=-1), "'seed' is no whole number"),
        (job("a", seed=True), "'seed' is no whole number"),
        (job("a", steps=0), "'steps' is no whole number"),
        (job("a", shows=["dog"]), "'shows' is no object"),
        (job("a", background=1), "'background' is no true or false"),
        (job("a", prompt=3), "'prompt' is no text"),
        (job("a", spare_boxes="fill"), "'spare_boxes' is neither"),
        (job("a", layout="a.json"), "a layout and boxes"),
        ({"prompt": "a dog", "layout": "none.json"}, "cannot be read"),
        ({"prompt": "a dog", "canvas": [0, 3]}, "'canvas' is no width and height"),
        ({"prompt": "x" * 200_000}, "the prompt has more than"),
    ],
)
def test_a_bad_line_is_reported_and_skipped(tmp_path: Path, line: object, why: str) -> None:
    path = jobs_file(tmp_path, job("ok"), line)
    done = layerloom("batch", path, "--out", tmp_path / "out")
    assert done.returncode == 1
    bad, good = sorted(results(tmp_path / "out"), key=lambda each: each["state"])
    assert good["id"] == "ok" and good["state"] == "done"
    assert bad["state"] == "bad" and bad["line"] == 2 and why in bad["message"]


def test_a_layout_lies_next_to_the_jobs(tmp_path: Path) -> None:
    (tmp_path / "boxes.json").write_text('{"canvas": [256, 128], "boxes": [[0, 0, 64, 64]]}')
    path = jobs_file(tmp_path, {"id": "a", "prompt": "a dog", "layout": "boxes.json"})
    assert layerloom("batch", path, "--out", tmp_path / "out").returncode == 0
    assert "256 x 128" in layerloom("info", tmp_path / "out" / "a.ora").stdout


def test_a_job_that_fails_stops_no_other(tmp_path: Path) -> None:
    path = jobs_file(tmp_path, job("a"), job("b", boxes=[[300, 0, 400, 50]]), job("c"))
    done = layerloom("batch", path, "--out", tmp_path / "out")
    assert done.returncode == 1
    states = {each["id"]: each for each in results(tmp_path / "out")}
    assert [states[name]["state"] for name in "abc"] == ["done", "failed", "done"]
    assert "outside the canvas" in states["b"]["message"] and states["b"]["advice"]


def test_engines_share_the_work(tmp_path: Path, servers: dict[str, ScriptedServer]) -> None:
    """Both work at once: neither goes on before the other has begun."""
    both = threading.Barrier(2)
    for server in servers.values():
        server.before = lambda job: both.wait(10) if not both.broken else None  # type: ignore
    jobs = [job(f"j{number}", background=False) for number in range(2)]
    path = jobs_file(tmp_path, *jobs)
    done = layerloom("batch", path, "--engine", ONE, "--engine", TWO, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert {each["engine"] for each in results(tmp_path / "out")} == {ONE, TWO}


def test_what_one_engine_fails_on_another_makes(
    tmp_path: Path, servers: dict[str, ScriptedServer]
) -> None:
    bad = RemoteError("refused", "It has no memory left.", "Free some.")
    servers[ONE].faults = dict.fromkeys(range(99), bad)
    path = jobs_file(tmp_path, *(job(f"j{number}", background=False) for number in range(5)))
    done = layerloom("batch", path, "--engine", ONE, "--engine", TWO, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert {each["engine"] for each in results(tmp_path / "out")} == {TWO}
    assert f"{ONE} is not used any more: 3 jobs in a row failed" in done.stderr or (
        len(servers[ONE].collected) < 3
    )


def test_a_server_that_is_not_there_is_left_out(
    tmp_path: Path, servers: dict[str, ScriptedServer]
) -> None:
    servers[ONE].connects = [gone()]
    path = jobs_file(tmp_path, job("a", background=False))
    out = tmp_path / "out"
    done = layerloom("batch", path, "--engine", ONE, "--engine", TWO, "--out", out)
    assert done.returncode == 0, done.stderr
    assert f"{ONE} is not used any more: The server does not answer." in done.stderr
    servers[TWO].connects = [gone()]
    path = jobs_file(tmp_path, job("a", background=False), job("c", background=False))
    alone = layerloom("batch", path, "--engine", TWO, "--out", out)
    assert alone.returncode == 1 and "1 not begun" in alone.stderr
    again = layerloom("batch", path, "--engine", TWO, "--out", out)
    assert again.returncode == 0 and "1 made" in again.stderr


def test_a_server_that_always_fails_is_left_alone(
    tmp_path: Path, servers: dict[str, ScriptedServer]
) -> None:
    bad = RemoteError("refused", "It has no memory left.", "Free some.")
    servers[ONE].faults = dict.fromkeys(range(99), bad)
    path = jobs_file(tmp_path, *(job(f"j{number}", background=False) for number in range(5)))
    done = layerloom("batch", path, "--engine", ONE, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert [each["state"] for each in results(tmp_path / "out")] == ["failed"] * 3
    assert "3 failed" in done.stderr and "2 not begun" in done.stderr


def test_ctrl_c_leaves_what_is_done_and_goes_on_later(
    tmp_path: Path, servers: dict[str, ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = servers[ONE]
    path = jobs_file(tmp_path, *(job(f"j{number}", background=False) for number in range(3)))

    def hang(_: object) -> None:
        if len(server.collected) == 2:
            server.waits.set()

    server.before = hang
    join = threading.Thread.join

    def interrupted(self: threading.Thread, timeout: float | None = None) -> None:
        join(self, timeout)
        if self.name.startswith("batch") and server.is_waiting.is_set() and timeout == 0.2:
            server.is_waiting.clear()
            raise KeyboardInterrupt

    monkeypatch.setattr(batch_module._Worker, "join", interrupted)
    more = ("--engine", ONE, "--out", tmp_path / "out")
    done = layerloom("batch", path, *more)
    assert done.returncode == cli.INTERRUPTED
    assert [each["id"] for each in results(tmp_path / "out")] == ["j0"]
    assert len(server.cancelled) >= 1
    server.waits.clear()
    server.is_waiting.clear()
    server.before = lambda job: None
    assert layerloom("batch", path, *more).returncode == 0
    assert [each["id"] for each in results(tmp_path / "out")] == ["j0", "j1", "j2"]


def test_jobs_come_through_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(job("a")).encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = cli.main(
            ["batch", "-", "--out", str(tmp_path / "out"), "--quiet"],
            engine_factory=partial(scripted, "normal"),
        )
    assert code == 0 and json.loads(out.getvalue())["id"] == "a"
