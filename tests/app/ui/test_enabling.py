"""Controls that are off say why, in every state of the selection."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QLineEdit,
    QSlider,
    QTabWidget,
    QWidget,
)

from app.document.commands import SetLocked
from tests.app.ui.helpers import draw_box, generate

CONTROLS = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QSlider)


def silent(window: QWidget) -> list[str]:
    """Visible controls of one window that are off and give no reason."""
    return [
        control.accessibleName()
        for kind in CONTROLS
        for control in window.findChildren(kind)
        if control.isVisible()
        and not control.isEnabled()
        and control.accessibleName()
        and "Disabled:" not in (control.toolTip() or control.parentWidget().toolTip())
    ]


@pytest.mark.parametrize("chosen", ["nothing", "background", "locked", "several"])
def test_what_is_off_says_why(window: Any, qtbot: Any, chosen: str) -> None:
    """ "Disabled: the layer is locked." also where the control is no action."""
    draw_box(window, 64, 64, 192, 192)
    draw_box(window, 256, 64, 384, 192)
    window.prompt.field.setPlainText("a dog")
    generate(window, qtbot)
    document, selection = window.session.document, window.session.selection
    first, second = (layer.id for layer in document.foregrounds)
    if chosen == "locked":
        window.session.push(SetLocked([first], True))
    ids = {
        "nothing": [],
        "background": [document.background.id],
        "locked": [first],
        "several": [first, second],
    }[chosen]
    selection.set(ids)
    assert silent(window) == []
    inspector = window.inspector
    if chosen == "locked":
        assert inspector.fields["x"].toolTip().endswith("Disabled: the layer is locked.")
    if chosen == "several":
        assert "Disabled: several layers are selected." in inspector.name.toolTip()
        selection.set([first])
        assert "Disabled" not in inspector.name.toolTip()


@pytest.mark.parametrize("opens", ["jobs", "settings"])
def test_buttons_of_dialogs_say_why(window: Any, opens: str) -> None:
    """An empty list of jobs; settings and keys as they came."""
    if opens == "jobs":
        window.prompt.jobs.click()
    else:
        window.actions_["settings"].trigger()
    (dialog,) = (each for each in window.findChildren(QDialog) if each.isVisible())
    tabs = dialog.findChild(QTabWidget)
    for page in range(1 if tabs is None else tabs.count()):
        if tabs is not None:
            tabs.setCurrentIndex(page)
        assert silent(dialog) == []
    dialog.close()
