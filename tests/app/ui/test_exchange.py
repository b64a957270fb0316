"""Export, import, drop, clipboard, copies and ways out of damaged files, in the window."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from app.document import Rect
from app.document.composite import composite
from app.document.contents import content_hash, new_contents
from app.document.geometry import Size
from app.document.storage.formats.options import WHITE, ExportOptions
from app.document.storage.formats.table import (
    FORMATS,
    Choice,
    format_named,
    formats_with,
    reason_against,
    refused_choices,
)
from app.document.storage.incoming import LAYERS_TYPE
from app.document.storage.ora.file import load_project
from app.ui.dialogs.export_dialog import ExportDialog
from tests.app.document.examples import composite_of, plain
from tests.app.document.examples import picture as random_picture
from tests.app.document.test_ora import members_of, write_members
from tests.app.painted import fill
from tests.app.ui.helpers import at, draw_box, key
from tests.app.ui.test_files import answer_file_dialog, answer_question, picture

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(autouse=True)
def own_dialogs(qapp: QApplication) -> Iterator[None]:
    """Qt's own file dialog, and a clipboard that holds nothing afterwards."""
    qapp.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    QGuiApplication.clipboard().clear()
    yield
    QGuiApplication.clipboard().clear()


def wait(window: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not window.session.files.is_busy, timeout=10_000)


def stored(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def dialog_of(window: Any) -> ExportDialog:
    (dialog,) = [each for each in window.findChildren(ExportDialog) if each.isVisible()]
    return dialog


def choose(window: Any, title: str) -> ExportDialog:
    key(window, Qt.Key.Key_E, CTRL | SHIFT, widget=window.view)
    dialog = dialog_of(window)
    dialog.format.setCurrentIndex(dialog.format.findText(title))
    return dialog


def rows(dialog: ExportDialog) -> dict[str, str]:
    table = dialog.table
    return {table.item(row, 0).text(): table.item(row, 1).text() for row in range(table.rowCount())}


# ---- export ----


def test_export_by_the_dialog(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """The table says what is lost; the written file is the document.

    One switch leaves the recipe out; the choice is remembered, and taken back as easily.
    """
    picture(window, qtbot)
    dialog = choose(window, "PNG picture")
    assert rows(dialog)["Layers at their places"] == "not stored"
    assert rows(dialog)["Prompt"] == "kept"
    dialog.boxes["recipe"].setChecked(False)
    assert rows(dialog)["Prompt"] == "not stored"
    assert "512 × 512" in dialog.size_label.text()
    dialog.scale.setCurrentIndex(1)
    assert "1024 × 1024" in dialog.size_label.text().replace(",", "")
    dialog.scale.setCurrentIndex(0)
    dialog.accept()
    answer_file_dialog(window, qtbot, tmp_path / "out.png")
    expected = composite_of(window.session.document)
    with Image.open(tmp_path / "out.png") as image:
        assert np.array_equal(np.asarray(image), expected)
        assert "layerloom" not in image.text  # type: ignore[attr-defined]
    dialog = choose(window, "PNG picture")
    assert not dialog.boxes["recipe"].isChecked()
    dialog.boxes["recipe"].setChecked(True)
    dialog.accept()
    answer_file_dialog(window, qtbot, tmp_path / "with.png")
    with Image.open(tmp_path / "with.png") as image:
        assert "layerloom" in image.text  # type: ignore[attr-defined]
    dialog = choose(window, "PSD for Photoshop and others")
    assert rows(dialog)["Layers at their places"] == "kept"
    assert not dialog.scale.isEnabled() and dialog.boxes["hidden"].isEnabled()
    assert "at their own size" in dialog.scale.toolTip() and "PNG" in dialog.scale.toolTip()
    dialog.accept()
    answer_file_dialog(window, qtbot, tmp_path / "out.psd")
    names = [layer.name for layer in PSDImage.open(tmp_path / "out.psd")]
    assert names == [layer.name for layer in window.session.document.layers]


@pytest.mark.parametrize("key", [form.key for form in FORMATS])
def test_a_choice_without_effect_is_disabled_with_the_reason(
    key: str, window: Any, qtbot: Any
) -> None:
    """The dialog asks the same table as the command line, for every choice of every format."""
    picture(window, qtbot)
    form = format_named(key)
    dialog = choose(window, form.title)
    usual = ExportOptions(
        over=WHITE if key == "jpeg" else None, quality=92 if key == "jpeg" else None
    )
    assert dialog.options == usual
    for choice in get_args(Choice):
        widget = dialog.rows[choice]
        reason = reason_against(form, choice, dialog.options)
        assert widget.isVisible()
        assert widget.isEnabled() is (reason == ""), choice
        assert widget.toolTip().startswith(reason) and bool(widget.toolTip()) is bool(reason)
        if reason and choice not in form.choices:
            assert all(each.title in widget.toolTip() for each in formats_with(choice))
    dialog.scale.setCurrentIndex(1)  # as if it were possible
    dialog.boxes["canvas_sized"].setChecked(True)
    dialog.boxes["hidden"].setChecked(False)
    assert refused_choices(form, dialog.options) == {}
    dialog.reject()


def test_pages_disable_what_is_about_one_picture(window: Any, qtbot: Any) -> None:
    picture(window, qtbot)
    dialog = choose(window, "TIFF picture")
    assert dialog.scale.isEnabled() and not dialog.boxes["hidden"].isEnabled()
    dialog.scale.setCurrentIndex(1)
    dialog.boxes["pages"].setChecked(True)
    for widget in (dialog.scale, dialog.part, dialog.colour):
        assert not widget.isEnabled() and "page" in widget.toolTip()
    assert dialog.boxes["hidden"].isEnabled() and not dialog.boxes["hidden"].toolTip()
    assert dialog.options.scale == 1
    dialog.boxes["pages"].setChecked(False)
    assert dialog.scale.isEnabled() and dialog.options.scale == 2
    dialog.reject()


def test_jpeg_offers_no_transparency(window: Any, qtbot: Any) -> None:
    picture(window, qtbot)
    dialog = choose(window, "JPEG picture")
    grounds: Any = dialog.colour.model()
    first = grounds.item(0)
    assert not first.isEnabled() and "no transparency" in first.toolTip()
    assert dialog.options.over == WHITE
    dialog.format.setCurrentIndex(0)
    assert grounds.item(0).isEnabled()
    assert dialog.options.over is None
    dialog.reject()


def test_without_background_what_it_filled_is_transparent(
    window: Any, qtbot: Any, tmp_path: Path
) -> None:
    """Formats with alpha; JPEG, one layer alone and a picture without one say why not."""
    picture(window, qtbot)
    before = window.session.document.content_hash()
    dialog = choose(window, "JPEG picture")
    assert not dialog.boxes["no_background"].isEnabled()
    assert "no transparency" in dialog.boxes["no_background"].toolTip()
    dialog.format.setCurrentIndex(0)
    assert dialog.boxes["no_background"].isEnabled()
    dialog.boxes["no_background"].setChecked(True)
    dialog.accept()
    answer_file_dialog(window, qtbot, tmp_path / "a.png")
    document = window.session.document
    with Image.open(tmp_path / "a.png") as image:
        wanted = composite(document.foregrounds, document.canvas.rect)
        assert np.array_equal(np.asarray(image), wanted)
    assert (wanted[..., 3] == 0).any() and (wanted[..., 3] > 0).any()
    assert document.content_hash() == before
    window.session.selection.set([document.foregrounds[0].id])
    dialog = choose(window, "PNG picture")
    assert dialog.boxes["no_background"].isChecked(), "remembered"
    dialog.part.setCurrentIndex(dialog.part.count() - 1)
    assert not dialog.boxes["no_background"].isEnabled()
    assert "One layer is exported alone." in dialog.boxes["no_background"].toolTip()
    assert dialog.options.with_background
    dialog.reject()
    window.actions_["background"].trigger()
    dialog = choose(window, "PNG picture")
    assert "no background" in dialog.boxes["no_background"].toolTip()
    dialog.reject()


def test_the_export_dialog_fits_a_small_window(window: Any, qtbot: Any) -> None:
    """1024 x 640: with its title bar on the screen, every option in reach without scrolling."""
    picture(window, qtbot)
    dialog = choose(window, "PNG picture")
    assert dialog.height() <= 600 and dialog.width() <= 1000
    qtbot.wait(30)
    for widget in (*dialog.rows.values(), dialog.size_label, dialog.table, dialog.export_button):
        seen = widget.visibleRegion().boundingRect()
        assert seen.size() == widget.size(), widget.accessibleName()
    dialog.reject()


def test_choices_are_remembered_per_format(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Remembers per format; Export Again writes the same once more."""
    picture(window, qtbot)
    assert not window.actions_["export_again"].isEnabled()
    dialog = choose(window, "WebP picture")
    dialog.quality.setValue(40)
    dialog.colour.setCurrentIndex(1)
    dialog.accept()
    answer_file_dialog(window, qtbot, tmp_path / "a.webp")
    first = (tmp_path / "a.webp").read_bytes()
    key(window, Qt.Key.Key_E, CTRL | SHIFT, widget=window.view)
    dialog = dialog_of(window)
    assert dialog.form.key == "webp"
    assert (dialog.quality.value(), dialog.colour.currentIndex()) == (40, 1)
    dialog.format.setCurrentIndex(0)
    assert dialog.colour.currentIndex() == 0
    dialog.reject()
    (tmp_path / "a.webp").unlink()
    window.actions_["export_again"].trigger()
    wait(window, qtbot)
    assert (tmp_path / "a.webp").read_bytes() == first


def test_the_selected_layer_alone(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Whole canvas, selection or one layer."""
    picture(window, qtbot)
    layer = window.session.document.foregrounds[0]
    window.session.selection.set([layer.id])
    dialog = choose(window, "PNG picture")
    dialog.part.setCurrentIndex(dialog.part.findText(f"'{layer.name}' alone"))
    dialog.accept()
    answer_file_dialog(window, qtbot, tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as image:
        assert np.array_equal(np.asarray(image), layer.pixels)
    dialog = choose(window, "PNG picture")
    dialog.part.setCurrentIndex(dialog.part.findText("Area of the selected layers"))
    assert dialog.options.rect == layer.rect
    dialog.reject()


def test_folders_are_written_and_never_mixed(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """A folder with something in it is refused with a message."""
    picture(window, qtbot)
    target = tmp_path / "out"
    target.mkdir()
    for _ in range(2):
        dialog = choose(window, "Folder of layers with manifest")
        dialog.accept()
        answer_file_dialog(window, qtbot, target)
    assert {"composite.png", "manifest.json"} <= {path.name for path in target.iterdir()}
    assert "is not empty" in window.messages.text.text()
    dialog = choose(window, "ZIP of layers with manifest")
    dialog.accept()
    answer_file_dialog(window, qtbot, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert "01-Layer 1.png" in archive.namelist()


def test_copies_keep_the_name(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """A numbered copy, and one for sharing; the document keeps its file."""
    picture(window, qtbot)
    assert not window.actions_["save_numbered"].isEnabled()
    window.files.write(tmp_path / "beach.ora")
    wait(window, qtbot)
    for _ in range(2):
        window.actions_["save_numbered"].trigger()
        wait(window, qtbot)
    assert {"beach_001.ora", "beach_002.ora"} <= {path.name for path in tmp_path.iterdir()}
    window.actions_["save_sharing"].trigger()
    answer_file_dialog(window, qtbot, tmp_path / "shared.ora")
    assert not load_project(tmp_path / "shared.ora").is_project
    assert window.session.path == tmp_path / "beach.ora"
    assert not window.isWindowModified()


def name_file(window: Any, qtbot: Any, path: Path) -> None:
    """Answer with a file that exists; Qt's question about it blocks, so it is passed by."""
    (dialog,) = window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.reject()
    qtbot.waitUntil(lambda: not window.findChildren(QFileDialog))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)


def test_the_own_file_is_never_exported_over(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """A copy for sharing under the project's own name would lose prompt and seeds."""
    picture(window, qtbot)
    path = tmp_path / "beach.ora"
    window.files.write(path)
    wait(window, qtbot)
    before = path.read_bytes()
    window.actions_["save_sharing"].trigger()
    name_file(window, qtbot, path)
    assert "is the file of this picture" in window.messages.text.text()
    window.messages.dismiss()
    dialog = choose(window, "OpenRaster for Krita, GIMP and others")
    dialog.boxes["recipe"].setChecked(False)
    dialog.accept()
    name_file(window, qtbot, path)
    assert "is the file of this picture" in window.messages.text.text()
    assert path.read_bytes() == before


def test_revert_is_one_step(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Back to the file; undo brings the changes back."""
    picture(window, qtbot)
    saved = window.session.document.content_hash()
    window.files.write(tmp_path / "beach.ora")
    wait(window, qtbot)
    window.actions_["new_box"].trigger()
    changed = window.session.document.content_hash()
    window.actions_["revert"].trigger()
    answer_question(window, qtbot, "Revert")
    wait(window, qtbot)
    assert window.session.document.content_hash() == saved
    window.actions_["undo"].trigger()
    assert window.session.document.content_hash() == changed


# ---- import ----


def test_pictures_come_in_by_file(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """On top, named after the files, cascading, one undo step, selected."""
    one = stored(tmp_path / "sun.png", plain(64, 32, (250, 200, 0, 255)))
    two = stored(tmp_path / "moon.webp", plain(32, 32, (200, 200, 250, 255)))
    before = window.session.document.content_hash()
    window.actions_["import_picture"].trigger()
    (dialog,) = window.findChildren(QFileDialog)
    dialog.filesSelected.emit([str(one), str(two)])
    dialog.reject()
    wait(window, qtbot)
    sun, moon = window.session.document.foregrounds
    assert (sun.name, moon.name, sun.kind) == ("sun", "moon", "imported")
    assert sun.rect == Rect(256 - 32, 256 - 16, 64, 32)
    assert moon.rect.centre == (256 + 32, 256 + 32)
    assert window.session.selection.ids == {sun.id, moon.id}
    window.actions_["undo"].trigger()
    assert window.session.document.content_hash() == before


def test_imported_pictures_are_context(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Generating never replaces them; the model reads them as clean context."""
    window.importing.add_files([stored(tmp_path / "sun.png", random_picture(64, 64))])
    wait(window, qtbot)
    (sun,) = window.session.document.foregrounds
    draw_box(window, 256, 256, 384, 384)
    window.prompt.field.setPlainText("a dog")
    window.actions_["generate"].trigger()
    request = window.engine.last
    entry = next(layer for layer in request.layers if layer.layer_id == sun.id)
    assert not entry.is_target
    region = sun.region_pixels(32, window.session.document.canvas)
    assert np.array_equal(entry.pixels, region)
    window.engine.begin()
    window.engine.finish()
    qtbot.waitUntil(lambda: window.session.bridge.current is None)
    assert window.session.document.layer(sun.id).pixel_hash == sun.pixel_hash


def drop(window: Any, paths: list[Path], x: float, y: float) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place: QPoint = at(window, x, y)
    buttons = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0))
    enter = QDragEnterEvent(place, *buttons)
    QApplication.sendEvent(window.view.viewport(), enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window.view.viewport(), QDropEvent(QPointF(place), *buttons))


def test_pictures_come_in_by_drop(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """The drop position is the layer's centre; a layout gives boxes."""
    path = stored(tmp_path / "sun.png", plain(40, 20, (250, 200, 0, 255)))
    layout = tmp_path / "boxes.json"
    layout.write_text("[[32, 32, 64, 64]]")
    drop(window, [path, layout], 100, 60)
    wait(window, qtbot)
    sun, box = window.session.document.foregrounds
    assert abs(sun.rect.centre[0] - 100) <= 2 and abs(sun.rect.centre[1] - 60) <= 2
    assert (sun.kind, sun.name) == ("imported", "sun")
    assert (box.kind, box.rect) == ("box", Rect(32, 32, 32, 32))


def test_what_is_no_picture_is_refused(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """A message, and nothing was added."""
    notes = tmp_path / "notes.pdf"
    notes.write_bytes(b"%PDF")
    before = window.session.document.content_hash()
    drop(window, [notes], 100, 60)
    qtbot.waitUntil(lambda: window.messages.isVisible(), timeout=5_000)
    assert "'notes.pdf' is not a kind of file" in window.messages.text.text()
    assert window.session.document.content_hash() == before


def test_a_picture_opens_as_a_new_document(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Its size rounded up to the grid; it has no project file yet."""
    path = stored(tmp_path / "photo.png", random_picture(70, 40))
    window.files.open_path(path)
    wait(window, qtbot)
    canvas = window.session.document.canvas
    assert (canvas.width, canvas.height) == (96, 64)
    assert [layer.kind for layer in window.session.document.foregrounds] == ["imported"]
    assert window.session.path is None
    assert window.isWindowModified()


def test_layouts_come_in_and_go_out(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """Export, import into a picture with pixels adds boxes; one step each."""
    picture(window, qtbot)
    count = len(window.session.document.foregrounds)
    window.actions_["export_layout"].trigger()
    answer_file_dialog(window, qtbot, tmp_path / "boxes.json")
    window.actions_["import_layout"].trigger()
    answer_file_dialog(window, qtbot, tmp_path / "boxes.json")
    assert len(window.session.document.foregrounds) == 2 * count
    window.actions_["undo"].trigger()
    assert len(window.session.document.foregrounds) == count


# ---- clipboard ----


def test_layers_are_copied_and_pasted(window: Any, qtbot: Any) -> None:
    """Full data for us, a PNG for others; same place when in view, new ids."""
    picture(window, qtbot)
    layer = window.session.document.foregrounds[0]
    window.session.selection.set([layer.id])
    key(window, Qt.Key.Key_C, CTRL, widget=window.view)
    data = QGuiApplication.clipboard().mimeData()
    assert data.hasFormat(LAYERS_TYPE)
    with Image.open(io.BytesIO(bytes(data.data("image/png").data()))) as image:
        assert np.array_equal(np.asarray(image), layer.pixels)
    key(window, Qt.Key.Key_V, CTRL, widget=window.view)
    pasted = window.session.document.foregrounds[-1]
    assert (pasted.rect, pasted.pixel_hash, pasted.record) == (
        layer.rect,
        layer.pixel_hash,
        layer.record,
    )
    assert pasted.id != layer.id and pasted.number != layer.number
    assert window.session.selection.ids == {pasted.id}
    key(window, Qt.Key.Key_X, CTRL, widget=window.view)
    assert not window.session.document.has_layer(pasted.id)
    window.actions_["undo"].trigger()
    assert window.session.document.has_layer(pasted.id)


def test_copy_merged_and_paste_as_a_picture(window: Any, qtbot: Any) -> None:
    """What export would write, also for our own Paste when it is all there is."""
    picture(window, qtbot)
    key(window, Qt.Key.Key_C, CTRL | SHIFT, widget=window.view)
    merged = composite_of(window.session.document)
    data = QGuiApplication.clipboard().mimeData()
    assert not data.hasFormat(LAYERS_TYPE)
    with Image.open(io.BytesIO(bytes(data.data("image/png").data()))) as image:
        assert np.array_equal(np.asarray(image), merged)
    key(window, Qt.Key.Key_V, CTRL, widget=window.view)
    pasted = window.session.document.foregrounds[-1]
    assert (pasted.kind, pasted.rect.size) == ("imported", window.session.document.canvas)


def test_layout_and_recipe_are_text(window: Any, qtbot: Any) -> None:
    """Text for other programs; a pasted layout is one step, other text gets a message."""
    picture(window, qtbot)
    window.actions_["copy_recipe"].trigger()
    recipe = json.loads(QGuiApplication.clipboard().text())
    assert recipe["prompt"] == "a dog"
    window.actions_["copy_layout"].trigger()
    count = len(window.session.document.foregrounds)
    key(window, Qt.Key.Key_V, CTRL, widget=window.view)
    assert len(window.session.document.foregrounds) == 2 * count
    QGuiApplication.clipboard().setText("[(0, 0, 5)]")
    key(window, Qt.Key.Key_V, CTRL, widget=window.view)
    assert "Box 1 is not four numbers" in window.messages.text.text()
    assert len(window.session.document.foregrounds) == 2 * count


# ---- ways out ----


def test_recipes_are_restored_from_the_backup(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """The file has layers only; the backup still has prompts and candidates."""
    picture(window, qtbot)
    path = tmp_path / "beach.ora"
    expected = window.session.document.content_hash()
    for _ in range(2):
        window.files.write(path)
        wait(window, qtbot)
    members = members_of(path)
    layers_only = {key: data for key, data in members.items() if not key.startswith("layerloom/")}
    write_members(path, layers_only)
    for answer in ("Layers Only", "Restore Them"):
        window.files.open_path(path)
        qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)), timeout=10_000)
        assert "no Layerloom data" in window.findChildren(QMessageBox)[0].text()
        assert window.session.document.content_hash() != expected
        answer_question(window, qtbot, answer)
        wait(window, qtbot)
    assert window.session.document.content_hash() == expected
    assert window.session.path == path
    assert window.isWindowModified()


def test_a_damaged_file_offers_backup_and_layers(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """The backup, or the readable layers as a copy without the file's name."""
    picture(window, qtbot)
    path = tmp_path / "beach.ora"
    for _ in range(2):
        window.files.write(path)
        wait(window, qtbot)
    saved = window.session.document.content_hash()
    members = members_of(path)
    members["data/L0001.png"] = b"broken"
    write_members(path, members)
    damaged = path.read_bytes()
    window.files.open_path(path)
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)), timeout=10_000)
    assert "data/L0001.png" in window.findChildren(QMessageBox)[0].text()
    assert not window.messages.isVisible(), "the question says it; a message would say it again"
    assert window.status.message.text() == ""
    answer_question(window, qtbot, "Open as a Copy")
    wait(window, qtbot)
    assert len(window.session.document.layers) == 1
    assert window.session.path is None and window.isWindowModified()
    window.files.open_path(path)
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)), timeout=10_000)
    (box,) = window.findChildren(QMessageBox)
    (text,) = [each.text() for each in box.buttons() if each.text().startswith("Open Backup")]
    answer_question(window, qtbot, text)
    wait(window, qtbot)
    assert content_hash(window.session.document.contents) == saved
    assert path.read_bytes() == damaged


def test_a_damaged_file_without_a_way_out_is_reported_once(
    window: Any, qtbot: Any, tmp_path: Path
) -> None:
    """In the message above the canvas; no dialog, and nothing in the status bar."""
    path = tmp_path / "broken.ora"
    path.write_bytes(b"PK\x03\x04" + b"garbage" * 30)
    window.files.open_path(path)
    qtbot.waitUntil(window.messages.isVisible, timeout=10_000)
    wait(window, qtbot)
    assert "'broken.ora'" in window.messages.text.text()
    assert "Nothing was opened" in window.messages.text.text()
    assert not window.findChildren(QMessageBox)
    assert window.status.message.text() == ""


def test_a_web_page_is_one_file_with_a_name(window: Any, qtbot: Any, tmp_path: Path) -> None:
    """The dialog asks for a file as it does for a picture, and writes a page under its name."""
    # Small: a page traces the shapes of its layers.
    small = new_contents(Size(64, 64), 32, boxes=[Rect(0, 0, 32, 32)])
    window.session.replace(small, "New", None)
    fill(window.session.document)
    choose(window, "Web page with layers").accept()
    qtbot.waitUntil(lambda: bool(window.findChildren(QFileDialog)))
    (files,) = window.findChildren(QFileDialog)
    assert files.fileMode() == QFileDialog.FileMode.AnyFile
    assert files.nameFilters() == ["Web page with layers (*.html *.htm)"]
    path = tmp_path / "kids.html"
    answer_file_dialog(window, qtbot, path)
    text = path.read_text()
    assert path.is_file() and text.count("data:image/") >= 2
    assert 'alt="Layer 1"' in text
