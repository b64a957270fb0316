"""Nothing needs the network, in the processes that tests and the program start either."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.models.checkpoint import save_model
from tests.engine.tiny import tiny_model
from tests.reliability.crash import crash
from tests.test_end_to_end import LAYOUT, layerloom

ROOT = Path(__file__).resolve().parent.parent
# Of tests/offline/sitecustomize.py, which must not be imported here: it would watch this process.
ENDED, LOG = 97, "LAYERLOOM_TEST_SOCKETS"
TRIES = {
    "connects": "socket.create_connection(('192.0.2.1', 9), timeout=1)",
    "asks for a name": "socket.getaddrinfo('example.org', 80)",
    "opens a page": "urllib.request.urlopen('http://192.0.2.1/', timeout=1)",
    "sends": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 9))",
}


@pytest.mark.parametrize("what", TRIES)
def test_a_child_that_reaches_out_ends(what: str) -> None:
    """Also one that would take any failure for an answer."""
    code = f"import socket, urllib.request\ntry:\n    {TRIES[what]}\nexcept BaseException: pass"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == ENDED
    assert "a child process reaches out" in done.stderr


@pytest.fixture
def sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where children name each socket that could leave the machine."""
    path = tmp_path / "sockets.txt"
    monkeypatch.setenv(LOG, str(path))
    return path


def test_sockets_of_children_are_named(sockets: Path) -> None:
    """Without this the two tests below could not fail."""
    subprocess.run([sys.executable, "-c", "import socket; socket.socket().close()"], check=True)
    assert sockets.read_text(encoding="utf-8").count("\n") == 1


def test_commands_open_no_socket(sockets: Path, tmp_path: Path) -> None:
    """A picture and a repainted layer, with a real engine on the processor."""
    model = tmp_path / "tiny.safetensors"
    save_model(model, tiny_model())
    more = ("--model", model, "--device", "cpu")
    made, anew = tmp_path / "made", tmp_path / "anew"
    layerloom("generate", "--prompt", "a dog", "--layout", LAYOUT, "--out", made, *more)
    layerloom("--open", made / "design.ora", "--regenerate", 2, "--out", anew, *more)
    assert (anew / "design.ora").exists()
    assert not sockets.exists(), sockets.read_text(encoding="utf-8")


WINDOW = """
import sys
import time
from pathlib import Path
from app.benchmarks.window import Desk
from app.cli import main
from app.session.client import BUILT_IN, engine_factory
from app.document.commands import SetPrompt

def until(is_so):
    while not is_so():
        desk.app.processEvents()
        time.sleep(0.002)

with Desk(make_engine=engine_factory(1, Path(sys.argv[1]))) as desk:
    window, bridge = desk.window, desk.window.session.bridge
    until(lambda: bridge.state == "ready")
    assert bridge.engine.name == BUILT_IN
    window.session.push(SetPrompt("a dog"))
    window.actions_["generate_all"].trigger()
    until(lambda: any(layer.has_pixels for layer in window.session.document.layers))
    until(lambda: bridge.current is None)
jobs, out = Path(sys.argv[2]), sys.argv[3]
jobs.write_text('{"prompt": "a dog", "boxes": [[0, 0, 64, 64]]}')
options = ["--model", sys.argv[1], "--device", "cpu", "--threads", "1"]
assert main(["batch", str(jobs), "--out", out, *options]) == 0
"""


def test_a_window_and_a_batch_open_no_socket(sockets: Path, tmp_path: Path) -> None:
    """The program as it is started: with Built-in nothing connects, whatever servers could do."""
    model = tmp_path / "tiny.safetensors"
    save_model(model, tiny_model())
    done = subprocess.run(
        [sys.executable, "-c", WINDOW, model, tmp_path / "jobs.jsonl", tmp_path / "out"],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "done"
    assert not sockets.exists(), sockets.read_text(encoding="utf-8")


def test_a_connected_engine_is_seen_here(sockets: Path) -> None:
    """The same watch names the socket of an engine that does connect."""
    code = (
        "from engine.remote import Connection, RemoteError, open_server\n"
        "connection = Connection(kind='comfyui', address='http://127.0.0.1:9')\n"
        "server = open_server(connection)\n"
        "try: server.connect()\n"
        "except RemoteError as error: assert error.kind == 'unreachable'\n"
        "else: raise SystemExit('connected')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
    assert sockets.exists()


def test_what_is_killed_and_recovered_opens_no_socket(sockets: Path) -> None:
    """The program that keeps a journal, and the one that reads what is left."""
    figure = crash(1, 3, 0.5)
    assert figure.runs == 1 or figure.notes
    assert not sockets.exists(), sockets.read_text(encoding="utf-8")
