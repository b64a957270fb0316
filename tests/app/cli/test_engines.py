"""`--engine` and `layerloom engines test`: names, tokens, refusals, mixed files. No socket."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.cli import engines as cli_engines
from app.cli.arguments import build_parser
from app.cli.engines import connection_of
from app.cli.files import REMOTE_HASH
from app.cli.source import ArgumentProblem
from app.session import client
from app.session.settings import ledger_path
from engine.remote import HASH_PREFIX, Connection, fitting
from engine.remote import engine as remote_engine
from tests.app.cli.test_generate import layerloom
from tests.engine.remote.scripted import MODEL, ScriptedServer, gone

NAME = "comfyui=http://127.0.0.1:8188"
PROMPT = "a katana, two kimonos, in a dojo, ink drawing"
Opened = list[tuple[Connection, str | None]]


@pytest.fixture
def server() -> ScriptedServer:
    return ScriptedServer()


@pytest.fixture
def opened(server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Connections that were opened with their tokens; the state folder is a new one."""
    calls: Opened = []

    def open_server(connection: Connection, token: str | None = None) -> ScriptedServer:
        calls.append((connection, token))
        server.connection = connection
        return server

    monkeypatch.setattr(fitting, "AREA", 160 * 160)  # a megapixel is for real models
    monkeypatch.setattr(remote_engine, "open_server", open_server)
    monkeypatch.setattr(cli_engines, "open_server", open_server)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return calls


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    path = tmp_path / "layout.json"
    boxes = [[16, 16, 96, 144], [112, 64, 176, 160], [176, 64, 240, 160]]
    path.write_text(json.dumps({"canvas": [256, 192], "boxes": boxes, "prompt": PROMPT}))
    return path


def args(*more: str) -> Any:
    return build_parser().parse_args(["engines", "test", "builtin", *more])


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("builtin", None),
        (NAME, Connection(kind="comfyui", address="http://127.0.0.1:8188")),
        (
            "openai=gpu.example.org/v1#qwen/image",
            Connection(kind="openai", address="https://gpu.example.org", model="qwen/image"),
        ),
    ],
)
def test_names_of_engines(name: str, wanted: Connection | None) -> None:
    assert connection_of(name, args()) == wanted


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("comfyui", (), "no name of an engine"),
        ("a1111=http://127.0.0.1", (), "no name of an engine"),
        ("comfyui=ftp://127.0.0.1", (), "not http"),
        ("comfyui=http://gpu.example.org", (), "add --allow-plain"),
        ("openai=http://me:secret@127.0.0.1", (), "password"),
        ("openai=http://127.0.0.1", ("--graph", "a.json"), "is for ComfyUI"),
        (NAME, ("--graph-node", "prompt=6.text"), "needs --graph"),
        (NAME, ("--graph", "a.json", "--graph-node", "prompt=6.text"), "output=NODE"),
    ],
)
def test_names_that_are_refused(name: str, more: tuple[str, ...], said: str) -> None:
    with pytest.raises(ArgumentProblem) as raised:
        connection_of(name, args(*more))
    assert said in str(raised.value)
    assert "secret" not in str(raised.value)


def test_plain_http_and_own_graphs_are_asked_for() -> None:
    more = "--allow-plain --graph a.json --graph-node prompt=6.text --graph-node output=9"
    made = connection_of(
        "comfyui=http://gpu.example.org", args(*more.split(), "--graph-makes-alpha")
    )
    assert made is not None and made.allows_plain and made.own_graph is not None
    assert (made.own_graph.prompt, made.own_graph.output) == ("6.text", "9")
    assert made.own_graph.makes_alpha and Path(made.own_graph.path).is_absolute()
    assert layerloom("engines", "test", NAME, "--graph-node", "prompts=6").returncode == 2


def test_the_engine_has_one_name() -> None:
    """The command line, the window and jobs call the same connection the same."""
    connection = Connection(kind="openai", address="https://gpu.example.org", model="m")
    assert client.engine_name(connection) == "openai=https://gpu.example.org#m"
    assert connection_of(client.engine_name(connection), args()) == connection
    assert client.remote(connection).title == "Images at gpu.example.org"
    assert REMOTE_HASH == HASH_PREFIX


# ---- engines test ----


def test_what_a_server_has_is_listed(server: ScriptedServer, opened: Opened) -> None:
    weak = replace(MODEL, name="weak", title="Weak", missing=("node LayerCut",), licence="")
    server.models = (weak, MODEL)
    done = layerloom("engines", "test", NAME)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "ComfyUI 0.3.65, cuda at http://127.0.0.1:8188"
    assert "  missing   node LayerCut" in lines and "  licence   MIT" in lines
    assert "  memory    about 24 GB" in lines and lines[-1] == "Draws with ming."
    only = layerloom("engines", "test", f"{NAME}#weak")
    assert only.returncode == 1 and "cannot draw with the model 'weak'" in only.stderr


def test_a_server_that_does_not_answer(server: ScriptedServer, opened: Opened) -> None:
    server.connects = [gone()]
    done = layerloom("engines", "test", NAME)
    assert done.returncode == 1
    assert done.stderr.strip() == "The server does not answer. Start it and try again."
    assert layerloom("engines", "test", "builtin").returncode == 2


def test_the_token_comes_from_the_environment_alone(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cli_engines.TOKEN_VARIABLE, " secret-token\n")
    done = layerloom("engines", "test", NAME, "--verbose")
    assert opened[-1][1] == "secret-token"
    assert "secret" not in done.stdout + done.stderr
    monkeypatch.setenv(cli_engines.TOKEN_VARIABLE, "")
    layerloom("engines", "test", NAME)
    assert opened[-1][1] is None


# ---- generate, regenerate, verify, export ----


def pixels(folder: Path) -> dict[int, bytes]:
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return {each["number"]: (folder / each["file"]).read_bytes() for each in told["layers"]}


def test_mixed_documents(
    server: ScriptedServer, opened: Opened, layout: Path, tmp_path: Path
) -> None:
    """Made on a server, one layer repainted by the built-in engine, and one more on the server."""
    one, two, three = (tmp_path / name for name in "abc")
    made = layerloom("generate", "--layout", layout, "--engine", NAME, "--out", one)
    assert made.returncode == 0, made.stderr
    assert "Drawn: 'katana', 2 × 'kimono'." in made.stderr
    told = json.loads((one / "manifest.json").read_text(encoding="utf-8"))
    assert told["model"]["name"] == "Ming-Design"
    assert server.submitted[0].prompt.startswith("dojo, ink drawing, empty background")
    assert "127.0.0.1" not in (one / "manifest.json").read_text(encoding="utf-8")
    first = pixels(one)
    # The scripted built-in engine is given by the tests of `generate`.
    again = layerloom("regenerate", one / "design.ora", "--layer", 2, "--out", two)
    assert again.returncode == 0, again.stderr
    second = pixels(two)
    assert {number for number in first if first[number] != second[number]} == {2}
    asked = len(server.submitted)
    done = layerloom(
        "regenerate", two / "design.ora", "--layer", 3, "--seed", 77, "--engine", NAME,
        "--out", three,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    third = pixels(three)
    assert {number for number in second if second[number] != third[number]} == {3}
    assert [job.prompt for job in server.submitted[asked:]] == ["kimono, ink drawing"]
    with zipfile.ZipFile(three / "design.ora") as archive:
        document = json.loads(archive.read("layerloom/document.json"))
    records = {each["number"]: each["record"] for each in document["layers"]}
    assert [records[n].get("engine") for n in (0, 1, 2, 3)] == [
        "comfyui", "comfyui", None, "comfyui",
    ]  # fmt: skip
    assert records[1]["word"] == "katana"
    assert records[1]["model"]["hash"].startswith("remote:")
    out = layerloom("export", three / "design.ora", "--out", tmp_path / "picture.png")
    assert out.returncode == 0, out.stderr
    with Image.open(tmp_path / "picture.png") as image:
        assert image.size == (256, 192) and np.asarray(image)[..., 3].min() == 255
    assert layerloom("verify", three / "design.ora").returncode == 0
    checked = layerloom("verify", three / "design.ora", "--regenerate")
    assert checked.returncode == 1
    assert checked.stderr.count("cannot be made again and compared here") == 3
    assert "made by Ming-Design on a ComfyUI server" in checked.stderr
    assert checked.stdout.count("was reproduced exactly") == 1


def test_a_fault_leaves_no_file(
    server: ScriptedServer, opened: Opened, layout: Path, tmp_path: Path
) -> None:
    server.connects = [gone()]
    done = layerloom("generate", "--layout", layout, "--engine", NAME, "--out", tmp_path / "a")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "The server does not answer. Nothing was written. Start it and try again."
    )
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "option", [("--threads", 1), ("--device", "cpu"), ("--guidance", 2), ("--clean-colours", "on")]
)
def test_options_without_effect_are_refused(
    opened: Opened, layout: Path, tmp_path: Path, option: tuple[object, ...]
) -> None:
    more = ("--engine", NAME, *option, "--out", tmp_path / "a")
    done = layerloom("generate", "--layout", layout, *more)
    assert done.returncode == 2 and f"{option[0]} has no effect" in done.stderr
    assert not opened


def test_ids_under_way_are_kept_in_the_state_folder(
    server: ScriptedServer, opened: Opened, layout: Path, tmp_path: Path
) -> None:
    seen: list[int] = []
    server.before = lambda job: seen.append(
        len(json.loads(ledger_path().read_text(encoding="utf-8"))["pictures"])
    )
    done = layerloom("generate", "--layout", layout, "--engine", NAME, "--out", tmp_path / "a")
    assert done.returncode == 0, done.stderr
    assert seen == [4, 4, 4, 4]
    assert ledger_path().is_relative_to(tmp_path)
    assert json.loads(ledger_path().read_text(encoding="utf-8"))["pictures"] == []
