"""Promises that cross the whole window: marquee, native alpha, no network."""

from __future__ import annotations

import socket
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.testing import paint
from tests.app.painted import fill
from tests.app.ui.helpers import click, drag, draw_box, generate, press_and_move

SHIFT = Qt.KeyboardModifier.ShiftModifier


def three(window: Any) -> list[int]:
    for box in ((32, 32, 96, 96), (160, 32, 224, 96), (32, 320, 96, 384)):
        draw_box(window, *box)
        window.session.selection.set([])
    fill(window.session.document)
    window.actions_["tool_select"].trigger()
    return [layer.id for layer in window.session.document.foregrounds]


def test_a_marquee_selects_what_it_touches(window: Any) -> None:
    """From the background, touching counts; Shift adds; looking is no undo step."""
    one, two, low = three(window)
    drag(window, (130, 200), (64, 64))
    assert window.session.selection.ids == {one}
    drag(window, (300, 10), (200, 50), SHIFT)
    assert window.session.selection.ids == {one, two}
    steps = window.session.undo.count
    drag(window, (8, 8), (400, 500))
    assert window.session.selection.ids == {one, two, low}
    assert window.session.undo.count == steps
    click(window, 480, 480)  # without a drag it picks
    assert window.session.selection.ids == {window.session.document.background_id}


def test_a_marquee_from_bare_canvas(window: Any) -> None:
    """Without a background, and from outside the canvas; touching a corner is enough."""
    one, two, low = three(window)
    window.actions_["background"].trigger()
    drag(window, (130, 200), (94, 94))
    assert window.session.selection.ids == {one}
    drag(window, (-20, 250), (40, 322))
    assert window.session.selection.ids == {low}
    assert two not in window.session.selection


def test_a_marquee_that_is_left_restores_the_selection(window: Any) -> None:
    """Esc in the drag brings back what was selected before."""
    one, two, _ = three(window)
    window.session.selection.set([two])
    press_and_move(window, (130, 200), (64, 64))
    assert window.session.selection.ids == {one}
    window.view.mouse.cancel_drag()
    assert window.session.selection.ids == {two}


def test_alpha_comes_from_the_model_untouched(window: Any, qtbot: Any) -> None:
    """What the engine made is what the layer holds, soft edges included; no matting step."""
    draw_box(window, 64, 64, 192, 192)
    generate(window, qtbot)
    layer = window.session.document.foregrounds[0]
    made = paint(layer.record["seed"], (64, 64, 192, 192))
    assert np.array_equal(layer.pixels, made)
    assert len(np.unique(layer.pixels[..., 3])) > 10


def test_the_window_works_without_any_network(
    window: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawing, generating and choosing open no connection; one would fail the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse, raising=False)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    draw_box(window, 64, 64, 192, 192)
    window.prompt.field.setPlainText("a red balloon")
    generate(window, qtbot)
    window.session.selection.set([window.session.document.foregrounds[0].id])
    generate(window, qtbot, "regenerate")
    window.actions_["candidate_next"].trigger()
    window.actions_["accept"].trigger()
    assert window.session.undo.undo_text.startswith("Use Result")


def test_no_test_reaches_another_machine() -> None:
    """Tests run with sockets blocked; this one would hang or succeed otherwise."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried, pytest.raises(AssertionError):
        tried.connect(("192.0.2.1", 9))
    with pytest.raises(AssertionError):
        socket.create_connection(("example.org", 80), timeout=1)
