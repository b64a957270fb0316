"""New offers true ratios and the model's own sizes, before it is loaded as well as after."""

from __future__ import annotations

import json
import struct
from fractions import Fraction
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox

from app.document.geometry import Size
from app.session.settings import resources_folder
from app.ui.dialogs import canvas_size
from app.ui.dialogs.canvas_size import (
    CanvasSizeDialog,
    NewDialog,
    presets,
    ratio_name,
    trained_sizes,
)
from app.ui.dialogs.questions import ask_unsaved
from engine.models.checkpoint import load_model


def test_the_sizes_before_loading_are_those_of_the_shipped_model() -> None:
    path = resources_folder() / "model" / "layerloom.safetensors"
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        card = json.loads(json.loads(file.read(length))["__metadata__"]["card"])
    assert [Size(*each) for each in card["canvases"]] == list(canvas_size.SHIPPED_SIZES)
    model = load_model(path)
    multiple = model.autoencoder.token_px * model.card.base_scale
    assert multiple == canvas_size.SHIPPED_MULTIPLE
    assert trained_sizes(None) == (list(canvas_size.SHIPPED_SIZES), multiple)


@pytest.mark.parametrize("multiple", [16, 32, 64])
def test_every_ratio_that_is_shown_is_exact(multiple: int) -> None:
    for preset in presets(canvas_size.SHIPPED_SIZES, multiple):
        name = preset.text.rpartition("(")[2].rstrip(")")
        width, height = (int(part) for part in name.split(":"))
        assert Fraction(width, height) == Fraction(preset.size.width, preset.size.height)
        assert preset.size.is_multiple_of(multiple)
        assert f"{preset.size.width} × {preset.size.height}" in preset.text
    for width in range(multiple, 2048, 64 + multiple):
        for height in range(multiple, 2048, 192 + multiple):
            if name := ratio_name(Size(width, height)):
                first, second = (int(part) for part in name.split(":"))
                assert width * second == height * first


def test_the_well_known_uses_and_ratios_are_there() -> None:
    texts = [each.text for each in presets(canvas_size.SHIPPED_SIZES, 64)]
    for part in ("sticker", "Card", "Slide", "Story", "(1:1)", "(16:9)", "(9:16)"):
        assert any(part in text for text in texts), part
    for ratio in ("4:3", "3:4", "5:4", "4:5", "3:2", "2:3"):
        assert sum(f"({ratio})" in text for text in texts) == 1, ratio
    assert len(set(texts)) == len(texts)
    assert texts[0] == "Square, sticker · 512 × 512 (1:1)"


def test_a_size_off_the_grid_of_a_model_is_not_offered() -> None:
    for preset in presets([Size(480, 480)], 96):
        assert preset.is_trained or preset.size.is_multiple_of(96)


def test_presets_warn_unless_the_model_was_trained_for_them(window: Any) -> None:
    chosen: list[Size] = []
    dialog = NewDialog(
        window, canvas_size.SHIPPED_SIZES, 64, lambda size, background: chosen.append(size)
    )
    for place in range(dialog.preset.count()):
        size = dialog.preset.itemData(place)
        if size is None:  # the line between the groups, and "Custom size"
            continue
        dialog.preset.setCurrentIndex(place)
        assert dialog.size_chosen == size
        assert dialog.preset.currentIndex() == place
        assert bool(dialog.warning.text()) == (size not in canvas_size.SHIPPED_SIZES)
    dialog.width_field.setValue(704)
    assert dialog.preset.currentText() == "Custom size"
    dialog.accept()
    assert chosen[0].width == 704


def test_a_question_is_wide_enough_for_its_title(window: Any) -> None:
    QApplication.setApplicationDisplayName("Layerloom")
    ask_unsaved(window, "a", lambda: None, lambda: None)
    (box,) = window.findChildren(QMessageBox)
    QApplication.processEvents()
    title = f"{box.windowTitle()} — Layerloom"
    assert box.width() > box.fontMetrics().horizontalAdvance(title) + 120
    assert "for good" not in box.informativeText()
    assert "Undo" in box.informativeText()
    box.close()
    QApplication.setApplicationDisplayName("")


@pytest.mark.parametrize("is_transparent", [False, True])
def test_new_asks_for_a_background(window: Any, is_transparent: bool) -> None:
    """A transparent picture has its background off from the start; nothing else is different."""
    window.actions_["new"].trigger()
    (dialog,) = window.findChildren(NewDialog)
    texts = [dialog.background.itemText(row) for row in range(dialog.background.count())]
    assert texts == ["Painted from the prompt", "Transparent"]
    assert dialog.background.currentIndex() == 0
    dialog.background.setCurrentIndex(texts.index("Transparent") if is_transparent else 0)
    dialog.accept()
    assert window.session.document.contents.background_on is not is_transparent
    assert window.actions_["background"].isChecked() is not is_transparent
    assert window.session.document.canvas == Size(512, 512)


def test_canvas_size_has_no_background_to_choose(window: Any) -> None:
    """The picture has its background already; the action Background On changes it."""
    window.actions_["canvas_size"].trigger()
    (dialog,) = [each for each in window.findChildren(CanvasSizeDialog) if each.isVisible()]
    assert not isinstance(dialog, NewDialog)
    assert "Background" not in [label.text() for label in dialog.findChildren(QLabel)]
    dialog.close()
