"""Outlines and names are painted once while a box is drawn, and again when they change."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from app.document.commands import AddBox, Rename
from app.document.geometry import Rect
from app.ui.canvas import overlay_painter as overlay
from app.ui.canvas.overlay_model import OverlayModel
from app.ui.canvas.overlay_painter import KeptPicture
from tests.app.painted import fill
from tests.app.ui.helpers import press_and_move


def test_painted_once_per_key(qapp) -> None:
    kept, calls = KeptPicture(), []

    def show(key: str, colour: str, side: int = 20) -> str:
        target = QImage(40, 40, QImage.Format.Format_ARGB32_Premultiplied)
        target.fill(QColor("white"))
        painter = QPainter(target)

        def draw(inner: QPainter) -> None:
            calls.append(key)
            inner.fillRect(0, 0, 5, 5, QColor(colour))

        kept.paint(painter, QRectF(0, 0, side, side), key, draw)
        painter.end()
        assert target.pixelColor(10, 10) == QColor("white"), "the rest is transparent"
        return target.pixelColor(2, 2).name()

    assert [show("a", "#ff0000"), show("a", "#00ff00")] == ["#ff0000", "#ff0000"]
    assert show("b", "#00ff00") == "#00ff00"
    assert show("b", "#0000ff", side=30) == "#0000ff", "another size of the window"
    kept.forget()
    assert show("b", "#ff0000") == "#ff0000"
    assert calls == ["a", "b", "b", "b"]


def test_as_sharp_as_the_screen(qapp) -> None:
    """At 125 % a line of one device pixel stays one, and is not stretched from 100 %."""
    target = QImage(50, 50, QImage.Format.Format_ARGB32_Premultiplied)
    target.setDevicePixelRatio(1.25)
    target.fill(QColor("white"))
    painter = QPainter(target)
    line = QRectF(8, 0, 0.8, 40)  # device pixels 10 to 11
    KeptPicture().paint(
        painter, QRectF(0, 0, 40, 40), "a", lambda inner: inner.fillRect(line, QColor("black"))
    )
    painter.end()
    assert [target.pixelColor(x, 20).name() for x in (9, 10, 11)] == [
        "#ffffff",
        "#000000",
        "#ffffff",
    ]


def test_moves_while_a_box_is_drawn_paint_no_layer_again(window, monkeypatch) -> None:
    """The kept picture equals a new painting."""
    session, decor = window.session, window.view.decor
    for x in (0, 160, 320):
        session.push(AddBox(Rect(x, 64, 128, 96), above=None))
    session.selection.set([])
    painted: list[str] = []
    paint = OverlayModel._paint_layer

    def spy(self, painter, layer, *rest):
        painted.append(layer.name)
        paint(self, painter, layer, *rest)

    monkeypatch.setattr(OverlayModel, "_paint_layer", spy)
    host = window.view.mouse
    host.show_draft(Rect(64, 300, 64, 64), "first")
    window.view.viewport().grab()
    assert len(painted) == 3
    host.show_draft(Rect(64, 300, 96, 64), "second")
    kept = window.view.viewport().grab().toImage()
    assert len(painted) == 3
    decor._kept.forget()
    assert window.view.viewport().grab().toImage() == kept
    painted.clear()
    layer = session.document.foregrounds[0]
    session.push(Rename(layer.id, "Another"))
    window.view.viewport().grab()
    assert "Another" in painted
    host.show_draft(None)


def test_only_the_size_shows_while_a_layer_is_resized(window, monkeypatch) -> None:
    """No grid, no dashed frames, no names: a box that is drawn has them, a resized one has not."""
    session = window.session
    session.push(AddBox(Rect(0, 64, 128, 96), above=None))
    fill(session.document)
    session.push(AddBox(Rect(320, 64, 128, 96), above=None))
    session.selection.set([session.document.foregrounds[1].id])
    shown: list[str] = []
    monkeypatch.setattr(overlay, "label", lambda painter, text, *rest, **more: shown.append(text))
    monkeypatch.setattr(overlay.Grid, "paint", lambda *rest: shown.append("grid"))
    outline = overlay.outline

    def spy(painter, rect, dashed=False):
        shown.extend(["dashed"] if dashed else [])
        outline(painter, rect, dashed)

    monkeypatch.setattr(overlay, "outline", spy)
    window.actions_["tool_select"].trigger()
    press_and_move(window, (448, 160), (480, 192))
    shown.clear()
    window.view.viewport().grab()
    assert shown == ["160 × 128"]
    window.view.mouse.cancel_drag()
    window.view.mouse.show_draft(Rect(64, 300, 64, 64), "64 × 64")
    shown.clear()
    window.view.viewport().grab()
    assert {"64 × 64", "Layer 1", "Layer 2", "dashed", "grid"} <= set(shown)
    window.view.mouse.show_draft(None)
