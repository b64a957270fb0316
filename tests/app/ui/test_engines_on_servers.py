"""The window against real sockets on loopback: layers arrive, stop, fail, and stay in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtTest import QTest

from app.document.commands import SetPrompt
from app.session.tokens import Tokens
from engine.remote import open_server
from engine.remote.runs import Patience
from tests.app.ui.helpers import draw_box, generate, hashes, later
from tests.app.ui.test_engines import agree, boxes, drawn
from tests.engine.remote.fake_server import QUICK, FakeServer

TOKEN = "sk-of-the-server"
# Window and server share this process: only what ends a server may be short.
PATIENT = replace(QUICK, idle_s=10.0, answer_s=20.0, lost_s=5.0, running_s=20.0)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as made:
        yield made


@pytest.fixture
def page(window: Any, server: FakeServer) -> Any:
    """The page of engines in a window that waits for servers no longer than tests should."""
    servers = window.session.servers
    servers.open = lambda connection, token=None: open_server(connection, token, PATIENT)
    servers.tokens = Tokens(lambda: None)
    servers.patience = Patience(0.1, 0.05)
    window.actions_["engines"].trigger()
    return window.dialogs.dialog.engines


def connected(page: Any, window: Any, qtbot: Any, address: str, *, kind: str = "comfyui") -> None:
    """Add a connection by hand and test it before."""
    page.add.click()
    dialog = page.dialog
    dialog.kind.setCurrentIndex(dialog.kind.findData(kind))
    QTest.keyClicks(dialog.address, address)
    if kind == "openai":
        QTest.keyClicks(dialog.token, TOKEN)
    dialog.test.click()
    qtbot.waitUntil(dialog.report.isVisible)
    dialog.save.click()
    qtbot.waitUntil(lambda: window.session.bridge.is_remote)
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready")
    page.window().close()


def test_comfyui_makes_layers_and_a_mixed_document_is_saved(
    page: Any, window: Any, server: FakeServer, qtbot: Any, tmp_path: Path
) -> None:
    connected(page, window, qtbot, server.address)
    assert "/prompt" not in server.paths(), "a test of the connection asks for no picture"
    boxes(window)
    drawn(window, qtbot)
    assert server.paths("POST").count("/prompt") == 3
    made = hashes(window)
    assert len(set(made.values())) == 3
    first, second = window.session.document.foregrounds
    alphas = [layer.pixels[..., 3] for layer in (first, second)]
    assert all(alpha.min() == 0 and alpha.max() == 255 for alpha in alphas)
    later(window)
    window.session.selection.set([first.id])
    window.actions_["regenerate"].trigger()
    qtbot.waitUntil(lambda: hashes(window) != made, timeout=20_000)
    assert server.paths("POST").count("/prompt") == 4, "one layer, one picture"
    window.actions_["use_built_in"].trigger()
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready")
    window.session.selection.set([second.id])
    later(window)
    generate(window, qtbot, "regenerate")
    asked, now = len(server.asked), hashes(window)
    assert now["Background"] == made["Background"]
    path = tmp_path / "mixed.ora"
    window.files.write(path)
    qtbot.waitUntil(lambda: window.session.undo.is_clean)
    window.actions_["undo"].trigger()
    window.session.undo.mark_saved()
    window.files.open_path(path)
    qtbot.waitUntil(lambda: hashes(window) == now)
    engines = [(layer.record or {}).get("engine") for layer in window.session.document.layers]
    assert engines == ["comfyui", "comfyui", None]
    assert server.address.partition("://")[2] not in path.read_bytes().decode("latin-1")
    assert len(server.asked) == asked, "Built-in and files ask no server"


def test_stop_reaches_the_server(page: Any, window: Any, server: FakeServer, qtbot: Any) -> None:
    connected(page, window, qtbot, server.address)
    boxes(window)
    before = hashes(window)
    server.faults["/history"] = "running for ever"
    server.hints = "refused"  # it tells no step either
    window.actions_["generate_all"].trigger()
    agree(window)
    qtbot.waitUntil(lambda: len(server.waiting) == 3)
    text = window.prompt.progress_text
    qtbot.waitUntil(lambda: text.text() == "Waiting for the server")
    window.actions_["stop"].trigger()
    assert window.session.bridge.current is None, "the window does not wait for the server"
    qtbot.waitUntil(lambda: not server.waiting)
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready")
    assert hashes(window) == before


def test_a_server_that_ends_in_a_job_leaves_the_document_alone(
    page: Any, window: Any, server: FakeServer, qtbot: Any
) -> None:
    """One message with what happened and a way on; Built-in draws at once."""
    connected(page, window, qtbot, server.address)
    boxes(window)
    before = hashes(window)
    server.faults["/history"] = "running for ever"
    window.actions_["generate_all"].trigger()
    agree(window)
    qtbot.waitUntil(lambda: len(server.waiting) == 3)
    server.stop()
    qtbot.waitUntil(window.messages.isVisible, timeout=15_000)
    text = window.messages.text.text()
    assert text.startswith("Generating the picture failed.")
    assert "Your picture did not change." in text
    assert window.messages.action_button.text() == "Try Again"
    assert hashes(window) == before
    window.actions_["use_built_in"].trigger()
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready")
    later(window)
    generate(window, qtbot)
    assert hashes(window) != before


def test_a_wrong_token_is_said_where_it_is_entered(
    page: Any, window: Any, server: FakeServer, qtbot: Any
) -> None:
    """The dialog says so, the token is in no text, and with the right one layers come."""
    server.token = TOKEN
    page.add.click()
    dialog = page.dialog
    dialog.kind.setCurrentIndex(1)
    QTest.keyClicks(dialog.address, server.address)
    QTest.keyClicks(dialog.token, "sk-wrong-one")
    dialog.test.click()
    qtbot.waitUntil(lambda: dialog.outcome.objectName() == "warning")
    assert "token" in dialog.outcome.text() and "sk-wrong-one" not in dialog.outcome.text()
    dialog.reject()
    connected(page, window, qtbot, server.address, kind="openai")
    assert window.status.engine.text().startswith("OpenAI-compatible images at 127.0.0.1")
    window.actions_["background"].trigger()
    window.session.push(SetPrompt("a red fox"))
    draw_box(window, 32, 160, 224, 416)
    drawn(window, qtbot)
    (layer,) = window.session.document.foregrounds
    assert layer.record["engine"] == "openai" and layer.pixels[..., 3].min() == 0
    assert server.paths("POST").count("/v1/images/generations") == 1
