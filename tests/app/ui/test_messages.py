"""Messages about files where the user reads them: in the bar or in the question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QMessageBox

from tests.app.document.examples import design, plain
from tests.app.document.test_ora import Members, changed, edit_stack
from tests.app.ui.test_exchange import drop, stored, wait
from tests.app.ui.test_files import answer_question


def test_a_file_of_a_newer_program_opens_as_a_copy(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Refused with both numbers and untouched; its layers open without recipes if wanted."""

    def newer(members: Members) -> None:
        data = json.loads(members["layerloom/document.json"])
        data.update(version=3, reads_from=3)
        members["layerloom/document.json"] = json.dumps(data).encode()

    path = changed(design(), tmp_path, newer)
    before, there = window.session.document.content_hash(), path.read_bytes()
    window.files.open_path(path)
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)), timeout=10_000)
    (box,) = window.findChildren(QMessageBox)
    assert "newer Layerloom (format 3, this one reads up to" in box.text()
    assert window.session.document.content_hash() == before
    (way,) = [each.text() for each in box.buttons() if "as a Copy" in each.text()]
    answer_question(window, qtbot, way)
    wait(window, qtbot)
    names = [layer.name for layer in window.session.document.foregrounds]
    assert names == ["Background", "Castle", "Été 層"], "every layer of the file, as a picture"
    assert window.session.path is None
    assert path.read_bytes() == there


def test_a_file_that_another_program_saved_says_what_still_fits(
    window: Any, qtbot: Any, tmp_path: Path
) -> None:
    """It opens with all layers, and the bar says who wrote it last."""
    path = changed(
        design(),
        tmp_path,
        lambda members: edit_stack(members, lambda root: root[0][1].set("x", "9")),
    )
    window.files.open_path(path)
    wait(window, qtbot)
    assert window.messages.isVisible()
    text = window.messages.text.text()
    assert "Another program saved this file. All layers are here" in text
    assert len(window.session.document.foregrounds) == 2
    assert window.session.path == path


def test_too_large_a_picture_is_refused(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Both numbers and the limit; nothing was added, and what to do."""
    path = stored(tmp_path / "wide.png", plain(9000, 2, (10, 20, 30, 255)))
    before = window.session.document.content_hash()
    drop(window, [path], 100, 60)
    qtbot.waitUntil(lambda: window.messages.isVisible(), timeout=10_000)
    text = window.messages.text.text()
    assert "The picture is 9,000 × 2; the limit is 8,192 each way." in text
    assert "Nothing was added" in text
    assert "Scale it down first." in text
    assert window.session.document.content_hash() == before
