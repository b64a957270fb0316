"""The page of engines and the dialog of a connection, with servers that are scripted."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QWidget,
)

from app.session.connections import new_connection
from app.session.server_types import Connection, OwnGraph
from app.session.tokens import Tokens
from app.ui.theme import DARK, LIGHT
from app.ui.theme import apply as apply_theme
from app.ui.widgets.accessibility import WrappedStatusLabel
from engine.remote import RemoteError
from tests.app.session.test_own_graphs import GRAPH
from tests.app.session.test_tokens import SECRET, MemoryRing
from tests.app.ui.servers import Desk
from tests.app.ui.test_tooltips import CONTROLS, silent
from tests.engine.remote.scripted import CONNECTION

LONG = (
    "Weak: the model was trained to take pictures apart, and draws noisy layers from text; "
    "untested: made from a template, and never run"
)
HERE = "http://127.0.0.1:8188"


@pytest.fixture
def desk(window: Any) -> Desk:
    return Desk(window)


@pytest.fixture
def page(window: Any, desk: Desk) -> Any:
    """The page of engines, as the menu opens it."""
    window.actions_["engines"].trigger()
    dialog = window.dialogs.dialog
    assert dialog.tabs.currentWidget() is dialog.engines
    yield dialog.engines
    dialog.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def adding(page: Any) -> Any:
    page.add.click()
    return page.dialog


def rows(page: Any) -> list[str]:
    return [page.list.item(row).text() for row in range(page.list.count())]


def typed(dialog: Any, address: str) -> None:
    dialog.address.setFocus()
    dialog.address.selectAll()
    QTest.keyClicks(dialog.address, address)
    dialog.address.editingFinished.emit()


# ---- the page ----


def test_a_connection_is_added_used_edited_and_removed(
    page: Any, window: Any, desk: Desk, qtbot: Any
) -> None:
    """The page begins with Built-in alone, of which nothing can be edited."""
    assert rows(page) == ["Built-in (in use)"]
    for button in (page.use, page.edit, page.remove):
        assert not button.isEnabled() and "Disabled:" in button.toolTip()
    dialog = adding(page)
    typed(dialog, "127.0.0.1:8188")
    assert dialog.use.isChecked()
    dialog.save.click()
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready" and bool(desk.opened))
    assert rows(page) == ["Built-in", "ComfyUI at 127.0.0.1:8188 (in use)"]
    page.list.setCurrentRow(0)
    page.use.click()
    assert rows(page)[0] == "Built-in (in use)"
    page.list.setCurrentRow(1)
    page.edit.click()
    dialog = page.dialog
    assert dialog.address.text() == HERE and not dialog.use.isChecked()
    dialog.kind.setCurrentIndex(1)
    dialog.save.click()
    assert rows(page)[1] == "OpenAI-compatible images at 127.0.0.1:8188"
    page.list.setCurrentRow(1)
    page.remove.click()
    (asked,) = page.findChildren(QMessageBox)
    next(each for each in asked.findChildren(QPushButton) if each.text() == "Remove").click()
    assert rows(page) == ["Built-in (in use)"]
    assert window.settings.connections == []


def test_removing_what_is_in_use_goes_back_to_built_in(
    page: Any, window: Any, desk: Desk, qtbot: Any
) -> None:
    desk.connect(qtbot)
    desk.servers.tokens.keep(HERE, SECRET)
    page.list.setCurrentRow(1)
    page.remove.click()
    (asked,) = page.findChildren(QMessageBox)
    next(each for each in asked.findChildren(QPushButton) if each.text() == "Remove").click()
    qtbot.waitUntil(lambda: window.status.engine.text() == "Ready")
    qtbot.waitUntil(lambda: desk.servers.tokens.get(HERE) is None)


def test_connections_to_one_server_differ_by_their_model(page: Any, desk: Desk) -> None:
    connections = desk.servers.connections
    for connection in (
        Connection(kind="comfyui", address=HERE, model="ming"),
        Connection(
            kind="comfyui",
            address=HERE,
            own_graph=OwnGraph(path="/graphs/mine.json", prompt="6.text", output="9"),
        ),
    ):
        connections.put(new_connection(connection))
    assert rows(page)[1:] == [
        "ComfyUI at 127.0.0.1:8188 · ming",
        "ComfyUI at 127.0.0.1:8188 · mine.json",
    ]
    page.list.setCurrentRow(1)
    page.edit.click()
    assert page.dialog.model.currentText() == "ming", "it stays until the server says more"
    page.dialog.reject()


# ---- what is typed ----


def test_an_address_is_judged_while_one_types(page: Any, desk: Desk, qtbot: Any) -> None:
    """Nothing is sent; until the address can be used, the buttons say why they are disabled."""
    dialog = adding(page)
    assert not dialog.save.isEnabled() and "the address is empty" in dialog.save.toolTip()
    typed(dialog, "ftp://gpu")
    assert "begins with ftp://" in dialog.address_said.text()
    assert "the address cannot be used" in dialog.test.toolTip()
    typed(dialog, "localhost:8188")
    assert dialog.address_said.text() == "Goes to http://localhost:8188."
    assert dialog.save.isEnabled() and dialog.test.isEnabled()
    typed(dialog, "gpu.example.org")
    assert dialog.address_said.text() == "Goes to https://gpu.example.org."
    typed(dialog, "https://user:word@gpu.example.org")
    assert "has a name or a password in it" in dialog.address_said.text()
    assert desk.opened == []
    label = dialog.address_said
    assert isinstance(label, WrappedStatusLabel)
    line = label.fontMetrics().height()
    typed(dialog, "http://gpu.example.org")
    qtbot.waitUntil(lambda: label.height() > 2 * line)
    typed(dialog, "127.0.0.1:8188")
    qtbot.waitUntil(lambda: label.height() < 2 * line)
    assert label.accessibleName() == f"State of the address: {label.text()}"
    typed(dialog, HERE)
    assert not label.isVisible(), "no gap where there is nothing to say"
    dialog.reject()


def test_plain_http_to_another_machine_has_to_be_allowed(page: Any, window: Any) -> None:
    dialog = adding(page)
    assert not dialog.plain.isVisible()
    typed(dialog, "http://gpu.example.org:8188")
    assert "another machine" in dialog.address_said.text()
    assert dialog.plain.isVisible() and not dialog.save.isEnabled()
    dialog.plain.setChecked(True)
    assert dialog.save.isEnabled() and not dialog.address_said.isVisible()
    dialog.use.setChecked(False)
    dialog.save.click()
    (kept,) = window.session.servers.connections
    assert kept.connection.allows_plain
    assert kept.connection.address == "http://gpu.example.org:8188"


# ---- tokens ----


def test_without_a_keyring_the_dialog_and_the_window_say_so(
    page: Any, window: Any, desk: Desk, qtbot: Any
) -> None:
    dialog = adding(page)
    typed(dialog, "127.0.0.1:8188")
    assert dialog.token.echoMode() == QLineEdit.EchoMode.Password
    QTest.keyClicks(dialog.token, SECRET)
    text = "Kept until the program ends: this system has no keyring for secrets."
    qtbot.waitUntil(lambda: dialog.token_said.text() == text)
    dialog.save.click()
    said = "The token is kept until the program ends: no keyring takes it."
    qtbot.waitUntil(lambda: window.status.message.text() == said)
    qtbot.waitUntil(lambda: bool(desk.opened))
    assert desk.opened[-1][1] == SECRET, "the engine has it"
    assert SECRET not in json.dumps(window.settings.connections)


def test_a_kept_token_is_used_replaced_and_forgotten(
    page: Any, window: Any, desk: Desk, qtbot: Any
) -> None:
    """It is never shown; an empty field keeps it, and another address does not get it."""
    ring = MemoryRing()
    desk.servers.tokens = Tokens(lambda: ring)
    desk.servers.tokens.keep(HERE, SECRET)
    desk.servers.connections.put(new_connection(CONNECTION))
    page.list.setCurrentRow(1)
    page.edit.click()
    dialog = page.dialog
    qtbot.waitUntil(dialog.forget.isEnabled)
    assert dialog.token.text() == ""
    assert dialog.token.placeholderText() == "A token is kept for this address"
    dialog.test.click()
    qtbot.waitUntil(dialog.report.isVisible)
    assert desk.opened == [(CONNECTION, SECRET)]
    typed(dialog, "https://gpu.example.org")
    qtbot.waitUntil(lambda: not dialog.forget.isEnabled())
    dialog.test.click()
    qtbot.waitUntil(dialog.report.isVisible)
    assert desk.opened[-1][1] is None
    QTest.keyClicks(dialog.token, "sk-other")
    assert dialog.token_said.text() == "Kept in the system's keyring."
    dialog.test.click()
    qtbot.waitUntil(lambda: len(desk.opened) == 3)
    assert desk.opened[-1][1] == "sk-other", "what is typed is tested before it is kept"
    dialog.token.setText("two words")
    assert dialog.token_said.text().startswith("A token has no blanks")
    assert not dialog.save.isEnabled()
    dialog.token.clear()
    typed(dialog, HERE)
    qtbot.waitUntil(dialog.forget.isEnabled)
    dialog.forget.click()
    qtbot.waitUntil(lambda: ring.kept == {})
    qtbot.waitUntil(lambda: not dialog.forget.isEnabled())
    desk.servers.tokens.keep(HERE, SECRET)
    typed(dialog, "https://gpu.example.org")
    dialog.save.click()
    qtbot.waitUntil(lambda: ring.kept == {})  # no connection has the former address any more


def test_another_token_makes_the_engine_anew(
    page: Any, window: Any, desk: Desk, qtbot: Any
) -> None:
    """The one in use has read the old one when it connected."""
    desk.connect(qtbot)
    page.list.setCurrentRow(1)
    page.edit.click()
    QTest.keyClicks(page.dialog.token, SECRET)
    page.dialog.save.click()
    qtbot.waitUntil(lambda: [token for _, token in desk.opened] == [None, SECRET])
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready")


# ---- the test ----


def test_the_test_lists_models_with_what_they_lack(page: Any, desk: Desk, qtbot: Any) -> None:
    dialog = adding(page)
    typed(dialog, "127.0.0.1:8188")
    dialog.test.click()
    assert dialog.outcome.text() == f"Asking {HERE}…"
    qtbot.waitUntil(dialog.report.isVisible)
    assert dialog.outcome.text() == "ComfyUI 0.3.65, cuda. 2 models can be used."
    assert dialog.report.text().splitlines() == [
        "Ming-Design · MIT · ≈ 24 GB · Ready",
        "SDXL · Unknown · Unknown · Ready, untested",
        "  Draws without transparency.",
        "Qwen-Image-Layered · Apache-2.0 · ≈ 29 GB · 2 missing",
        "  Missing: node EmptyQwenImageLayeredLatentImage",
        "  Missing: file qwen_image_layered_fp8.safetensors",
        f"  {LONG}",
    ]
    last = dialog.report.topLevelItem(2).child(2)
    height = dialog.report.visualItemRect(last).height()
    assert height > 2 * dialog.fontMetrics().height(), "a long line is shown in full"
    dialog.report.setFocus()
    QTest.keyClick(dialog.report, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == dialog.report.text()
    names = [dialog.model.itemText(place) for place in range(dialog.model.count())]
    assert names == ["The first that can be used", "Ming-Design", "SDXL"]
    dialog.model.setCurrentIndex(2)
    dialog.model.activated.emit(2)
    dialog.save.click()
    (kept,) = desk.servers.connections
    assert kept.connection.model == "plain"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            RemoteError("unauthorised", "The server asks for a token.", "Enter it above."),
            "The server asks for a token. Enter it above.",
        ),
        (ValueError("odd"), "The test failed: ValueError: odd"),
    ],
)
def test_a_test_that_fails_says_why_and_what_to_do(
    page: Any, desk: Desk, qtbot: Any, error: Exception, said: str
) -> None:
    desk.server.connects = [error]
    dialog = adding(page)
    typed(dialog, "127.0.0.1:8188")
    dialog.test.click()
    qtbot.waitUntil(lambda: dialog.outcome.text() == said)
    assert not dialog.report.isVisible()
    assert dialog.save.isEnabled(), "a server may be away now and there later"
    dialog.reject()


def test_an_answer_about_something_else_is_dropped(page: Any, desk: Desk, qtbot: Any) -> None:
    """The window stays usable meanwhile; what was changed since is not what was tested."""
    going = threading.Event()
    desk.server.meets = lambda: going.wait(10)
    dialog = adding(page)
    typed(dialog, "127.0.0.1:8188")
    dialog.test.click()
    qtbot.waitUntil(lambda: len(desk.opened) == 1)
    typed(dialog, "127.0.0.1:8189")
    assert dialog.outcome.text() == ""
    dialog.test.click()
    going.set()
    qtbot.waitUntil(dialog.report.isVisible)
    assert len(desk.opened) == 2
    going.clear()
    dialog.test.click()
    qtbot.waitUntil(lambda: len(desk.opened) == 3)
    dialog.reject()
    going.set()


def test_a_server_without_a_usable_model_is_a_warning(page: Any, desk: Desk, qtbot: Any) -> None:
    desk.server.models = desk.server.models[1:2]
    dialog = adding(page)
    typed(dialog, "127.0.0.1:8188")
    dialog.test.click()
    qtbot.waitUntil(dialog.report.isVisible)
    assert dialog.outcome.text() == "ComfyUI 0.3.65, cuda. None of its models can be used."
    assert dialog.outcome.objectName() == "warning"
    dialog.reject()


# ---- a graph of the user ----


def test_a_graph_is_connected_by_its_inputs(
    page: Any, window: Any, desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"nodes": [], "links": []}))
    dialog = adding(page)
    typed(dialog, "127.0.0.1:8188")
    dialog.graph.take_file(path)
    assert "Export (API)" in dialog.graph.said.text()
    assert not dialog.save.isEnabled()
    path.write_text(json.dumps(GRAPH))
    assert not dialog.graph.inputs.isVisible()
    dialog.graph.take_file(path)
    assert dialog.graph.inputs.isVisible()
    assert not dialog.model.isEnabled(), "the graph is the model"
    field = dialog.graph.fields["prompt"]
    assert field.currentText() == "7.text · Positive"
    field.setEditText("")
    assert dialog.graph.said.text() == "Choose: Prompt."
    assert not dialog.save.isEnabled() and "the graph is not connected" in dialog.save.toolTip()
    field.setEditText("6.text, Positive.text")
    opaque = dialog.graph.fields["opaque"]
    assert not opaque.isVisible()
    dialog.graph.makes_alpha.setChecked(True)
    assert opaque.isVisible() and opaque.currentText() == "The same"
    opaque.setCurrentIndex(opaque.findData("5"))
    dialog.use.setChecked(False)
    dialog.save.click()
    (kept,) = desk.servers.connections
    assert kept.connection.own_graph == OwnGraph(
        path=str(path),
        prompt="6.text, Positive.text",
        negative="6.text",
        output="9, 5",
        seed="3.seed",
        width="5.width",
        height="5.height",
        steps="3.steps",
        makes_alpha=True,
    )
    page.list.setCurrentRow(1)
    page.edit.click()
    assert page.dialog.graph.graph == kept.connection.own_graph
    page.dialog.graph.none.click()
    assert page.dialog.graph.graph is None and page.dialog.model.isEnabled()
    page.dialog.kind.setCurrentIndex(1)
    assert not page.dialog.graph.isVisible()
    page.dialog.reject()


# ---- keyboard, readers, themes, sizes ----


def test_every_control_explains_itself_in_both_themes(
    page: Any, window: Any, desk: Desk, qtbot: Any, tmp_path: Path
) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(GRAPH))
    dialog = adding(page)
    typed(dialog, "http://gpu.example.org")
    dialog.graph.take_file(tmp_path / "mine.json")
    for field in dialog.findChildren(QWidget):
        is_part = isinstance(field.parent(), QComboBox)
        if isinstance(field, CONTROLS) and field.isVisible() and not is_part:
            text = field.text() if isinstance(field, QAbstractButton) else ""
            assert (field.accessibleName() or text) and field.height() >= 24, text
    for colours in (LIGHT, DARK):
        apply_theme(QApplication.instance(), colours)
        plain = {"QPushButton 'Cancel'", "QPushButton 'Close'"}
        assert set(silent(dialog)) <= plain
        assert set(silent(page)) <= plain
    assert dialog.height() <= 600 and dialog.width() <= 640, "it fits a screen of 1024 x 640"
    dialog.reject()


def test_the_dialog_is_worked_by_keys_alone(page: Any, desk: Desk, qtbot: Any) -> None:
    """Tab goes from field to field in the order in which they are read; Enter adds."""
    dialog = adding(page)
    dialog.kind.setFocus()
    for wanted in (dialog.address, dialog.token, dialog.graph.shown, dialog.graph.choose):
        QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
        assert dialog.focusWidget() is wanted
    dialog.address.setFocus()
    QTest.keyClicks(dialog.address, "127.0.0.1:8188")
    dialog.use.setChecked(False)
    QTest.keyClick(dialog.address, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(desk.servers.connections) == 1)
