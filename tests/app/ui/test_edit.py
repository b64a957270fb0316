"""Prompt, list, inspector and undo through the widgets; then a look at the document."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from app.document.commands import Rename, SetLocked
from app.ui.canvas import overlay_painter as overlay
from app.ui.dialogs.examples import example_files, example_name
from app.ui.panels.layer_rows import RowParts, StateRole
from app.ui.theme import DARK, GAP
from tests.app.document.examples import composite_of
from tests.app.painted import fill
from tests.app.ui.helpers import at, drag, draw_box, generate, key, move, press_and_move

CTRL = Qt.KeyboardModifier.ControlModifier
NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def names(window: Any) -> list[str]:
    """Foregrounds, topmost first, as the list shows them."""
    return [layer.name for layer in reversed(window.session.document.foregrounds)]


def three_boxes(window: Any) -> None:
    for left in (32, 192, 352):
        window.session.selection.clear()
        draw_box(window, left, 64, left + 96, 192)


def click_part(window: Any, row: int, part: str) -> None:
    rows = window.layers.list
    rect = rows.visualRect(window.layers.model.index(row))
    place = getattr(RowParts.of(rect), part).center()
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_typing_is_one_step_and_undo_works_in_the_field(window: Any, qtbot: Any) -> None:
    """The prompt is in the one undo stack; a run of typing is one step."""
    field = window.prompt.field
    field.setFocus()
    qtbot.keyClicks(field, "a dog")
    assert window.session.document.prompt == "a dog"
    assert window.session.undo.count == 1
    window.view.setFocus()
    field.setFocus()
    field.moveCursor(field.textCursor().MoveOperation.End)
    qtbot.keyClicks(field, " and a cat")
    assert window.session.undo.count == 2
    key(window, Qt.Key.Key_Z, CTRL, widget=field)
    assert window.session.document.prompt == "a dog"
    assert field.toPlainText() == "a dog"
    key(window, Qt.Key.Key_Z, CTRL | SHIFT, widget=field)
    assert field.toPlainText() == "a dog and a cat"


def test_letters_type_in_the_prompt_and_act_on_the_canvas(window: Any, qtbot: Any) -> None:
    """Single letters never fire while somebody types."""
    window.actions_["tool_select"].trigger()
    field = window.prompt.field
    field.setFocus()
    for letter in (Qt.Key.Key_R, Qt.Key.Key_H, Qt.Key.Key_V, Qt.Key.Key_Delete):
        key(window, letter, widget=field)
    assert field.toPlainText() == "rhv"
    assert window.view.mouse.tool_name == "select"
    key(window, Qt.Key.Key_R, widget=window.view)
    assert window.view.mouse.tool_name == "box"
    key(window, Qt.Key.Key_H, widget=window.layers.list)
    assert window.view.mouse.tool_name == "hand"


def test_prompt_has_a_limit(window: Any) -> None:
    """At most 20,000 characters; what is left out is reported."""
    window.prompt.field.setPlainText("x" * 20_200)
    assert len(window.session.document.prompt) == 20_000
    assert "characters; 200 were not inserted" in window.status.message.text()


def test_rename_in_place(window: Any, qtbot: Any) -> None:
    """F2, Enter takes, Esc restores, empty = default name."""
    three_boxes(window)
    layer = window.session.document.foregrounds[2]
    window.session.selection.set([layer.id])
    for text, end, expected in (
        ("Castle", Qt.Key.Key_Return, "Castle"),
        ("Dog", Qt.Key.Key_Escape, "Castle"),
        ("", Qt.Key.Key_Return, "Layer 3"),
    ):
        key(window, Qt.Key.Key_F2, widget=window.layers.list)
        editor = window.layers.list.findChild(QLineEdit)
        assert editor is not None
        editor.selectAll()
        if text:
            QTest.keyClicks(editor, text)
        else:
            QTest.keyClick(editor, Qt.Key.Key_Delete)
        QTest.keyClick(editor, end)
        qtbot.waitUntil(lambda: window.layers.list.findChild(QLineEdit) is None)
        assert window.session.document.foregrounds[2].name == expected


def test_a_double_click_on_a_name_renames(window: Any, qtbot: Any) -> None:
    """In place, with room for 200 characters and no more."""
    three_boxes(window)
    rows = window.layers.list
    parts = RowParts.of(rows.visualRect(window.layers.model.index(1)))
    place = parts.name.center() - QPoint(20, 0)
    for press in (QTest.mouseClick, QTest.mouseDClick):
        press(rows.viewport(), Qt.MouseButton.LeftButton, NONE, place)
    editor = rows.findChild(QLineEdit)
    assert editor.text() == "Layer 2"
    editor.setText("")
    QTest.keyClicks(editor, "n" * 201)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: rows.findChild(QLineEdit) is None)
    assert window.session.document.foregrounds[1].name == "n" * 200


def test_eye_and_lock_in_the_row(window: Any) -> None:
    """A click toggles, one step each; a locked layer cannot be deleted or moved."""
    three_boxes(window)
    steps = window.session.undo.count
    click_part(window, 0, "eye")
    assert not window.session.document.foregrounds[2].visible
    click_part(window, 0, "eye")
    assert window.session.document.foregrounds[2].visible
    click_part(window, 1, "lock")
    locked = window.session.document.foregrounds[1]
    assert locked.locked
    assert window.session.undo.count == steps + 3
    window.session.selection.set([locked.id])
    assert not window.actions_["delete"].isEnabled()
    window.actions_["tool_select"].trigger()
    drag(window, (240, 128), (300, 200))
    assert window.session.document.foregrounds[1].rect == locked.rect


def test_reorder_by_rows_and_keys(window: Any) -> None:
    """Dropped rows keep their order; Ctrl+PgUp and PgDn move by one; top row = front."""
    three_boxes(window)
    model = window.layers.model
    assert names(window) == ["Layer 3", "Layer 2", "Layer 1"]
    assert [model.index(row).data() for row in range(3)] == names(window)
    upper_two = model.mimeData([model.index(1), model.index(0)])
    model.dropMimeData(upper_two, Qt.DropAction.MoveAction, 3, 0, model.index(-1))
    assert names(window) == ["Layer 1", "Layer 3", "Layer 2"]
    window.actions_["undo"].trigger()
    # A line between rows shows the target: no row takes anything onto itself.
    assert window.layers.list.showDropIndicator()
    takes = Qt.ItemFlag.ItemIsDropEnabled
    assert not any(model.flags(model.index(row)) & takes for row in range(model.rowCount()))
    mime = model.mimeData([model.index(0)])
    model.dropMimeData(mime, Qt.DropAction.MoveAction, 2, 0, model.index(-1))
    assert names(window) == ["Layer 2", "Layer 3", "Layer 1"]
    assert model.rowCount() == 4
    model.dropMimeData(
        model.mimeData([model.index(2)]), Qt.DropAction.MoveAction, 0, 0, model.index(-1)
    )
    assert names(window) == ["Layer 1", "Layer 2", "Layer 3"]
    window.session.selection.set([window.session.document.foregrounds[2].id])
    window.actions_["lower"].trigger()
    assert names(window) == ["Layer 2", "Layer 1", "Layer 3"]
    window.actions_["to_back"].trigger()
    assert names(window) == ["Layer 2", "Layer 3", "Layer 1"]
    window.actions_["raise"].trigger()
    assert names(window) == ["Layer 2", "Layer 1", "Layer 3"]
    window.actions_["to_front"].trigger()
    assert names(window) == ["Layer 1", "Layer 2", "Layer 3"]


def test_the_background_stays_lowest(window: Any) -> None:
    """It cannot be dragged or deleted, only switched off."""
    three_boxes(window)
    model = window.layers.model
    assert not model.flags(model.index(3)) & Qt.ItemFlag.ItemIsDragEnabled
    assert model.layer_at(model.index(3)).is_background
    model.dropMimeData(
        model.mimeData([model.index(0)]), Qt.DropAction.MoveAction, 4, 0, model.index(-1)
    )
    assert model.rowCount() == 4, "the merged picture is no row"
    assert model.layer_at(model.index(3)).is_background
    window.actions_["undo"].trigger()
    window.session.selection.set([window.session.document.background_id])
    for name in ("delete", "raise", "to_front", "duplicate"):
        assert not window.actions_[name].isEnabled()
    window.actions_["tool_select"].trigger()
    count = window.session.undo.count
    drag(window, (300, 400), (400, 480))
    assert window.session.undo.count == count
    window.actions_["background"].trigger()
    assert window.session.document.background is None
    assert model.rowCount() == 3
    assert not composite_of(window.session.document)[..., 3].any()
    window.actions_["generate"].trigger()
    asked = {each.layer_id for each in window.engine.last.layers}
    assert asked == {layer.id for layer in window.session.document.foregrounds}
    window.session.bridge.stop()
    window.actions_["background"].trigger()
    window.actions_["undo"].trigger()
    window.actions_["undo"].trigger()
    assert window.actions_["background"].isChecked()


def test_duplicate_and_delete(window: Any, qtbot: Any) -> None:
    """New id and number, same pixels, " copy", above the original, offset by the grid."""
    three_boxes(window)
    generate(window, qtbot)
    original = window.session.document.foregrounds[0]
    window.session.selection.set([original.id])
    key(window, Qt.Key.Key_J, CTRL, widget=window.view)
    copy = window.session.document.foregrounds[1]
    assert copy.name == "Layer 1 copy"
    assert copy.id != original.id
    assert copy.number == 4
    assert copy.pixel_hash == original.pixel_hash
    assert copy.rect == original.rect.translated(32, 32)
    assert window.session.selection.ids == {copy.id}
    key(window, Qt.Key.Key_Delete, widget=window.view)
    assert not window.session.document.has_layer(copy.id)
    assert len(window.session.selection) == 0


def test_canvas_and_list_agree(window: Any) -> None:
    """One selection, by click, Ctrl+click and Shift+click."""
    three_boxes(window)
    rows = window.layers.list
    rect = rows.visualRect(window.layers.model.index(1))
    QTest.mouseClick(
        rows.viewport(), Qt.MouseButton.LeftButton, pos=rect.center() + QPoint(40, -10)
    )
    assert window.session.selection.ids == {window.session.document.foregrounds[1].id}
    assert window.inspector.name.text() == "Layer 2"
    one, two, three = (layer.id for layer in window.session.document.foregrounds)

    def also(row: int, modifiers: Any) -> set[int]:
        place = rows.visualRect(window.layers.model.index(row)).center() + QPoint(40, -10)
        QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, modifiers, place)
        return set(window.session.selection.ids)

    assert also(0, CTRL) == {two, three}
    assert also(1, CTRL) == {three}
    assert also(2, SHIFT) >= {one, two}
    click_part(window, 2, "eye")
    shown = {layer.id: layer.visible for layer in window.session.document.foregrounds}
    assert {each for each, visible in shown.items() if not visible} == window.session.selection.ids
    window.session.selection.set([window.session.document.foregrounds[0].id])
    (index,) = rows.selectedIndexes()
    assert index.row() == 2


def test_inspector_fields(window: Any) -> None:
    """Numbers move and size an empty box, off-grid values snap outward and show."""
    three_boxes(window)
    layer = window.session.document.foregrounds[0]
    window.session.selection.set([layer.id])
    fields = window.inspector.fields
    assert (fields["x"].value(), fields["width"].value()) == (32, 96)
    assert fields["x"].singleStep() == 32
    fields["width"].setValue(100)
    assert window.session.document.layer(layer.id).rect.width == 128
    assert fields["width"].value() == 128
    fields["x"].selectAll()
    QTest.keyClicks(fields["x"].lineEdit(), "40")
    QTest.keyClick(fields["x"], Qt.Key.Key_Return)
    assert (fields["x"].value(), fields["width"].value()) == (32, 160)
    assert fields["x"].text() == "X  32"
    QTest.keyClick(fields["x"], Qt.Key.Key_Up)
    assert window.session.document.layer(layer.id).rect.to_box() == (64, 64, 224, 192)
    fill(window.session.document)
    window.session.selection.set([])
    window.session.selection.set([layer.id])
    assert fields["x"].singleStep() == 1  # with pixels any whole pixel will do
    fields["width"].setValue(77)
    assert window.session.document.layer(layer.id).rect.width == 77
    fields["x"].setValue(33)
    assert window.session.document.layer(layer.id).rect.x == 33
    assert fields["x"].lineEdit().width() > 40  # the style sheet must leave room for the text


def test_undo_everything_redo_everything(window: Any, qtbot: Any) -> None:
    """Undo-all is the first state, redo-all the last, by content hash."""
    document = window.session.document
    first = document.content_hash()
    three_boxes(window)
    qtbot.keyClicks(window.prompt.field, "a dog")
    generate(window, qtbot)
    window.session.selection.set([document.foregrounds[1].id])
    generate(window, qtbot, "regenerate")
    window.actions_["duplicate"].trigger()
    click_part(window, 0, "eye")
    window.actions_["to_back"].trigger()
    window.actions_["background"].trigger()
    last = document.content_hash()
    stack = window.session.undo
    while stack.can_undo:
        window.actions_["undo"].trigger()
    assert document.content_hash() == first
    while stack.can_redo:
        window.actions_["redo"].trigger()
    assert document.content_hash() == last


def test_labels_name_the_target(window: Any) -> None:
    """The undo menu says "Add 'Layer 1'"."""
    three_boxes(window)
    assert window.actions_["undo"].text() == "&Undo Add 'Layer 3'"


def test_outdated_badge(window: Any, qtbot: Any) -> None:
    """The layers are marked whose word left the prompt; the word clears it."""
    three_boxes(window)
    window.engine.words = {layer.id: "dog" for layer in window.session.document.layers}
    window.prompt.field.setPlainText("a dog")
    generate(window, qtbot)
    model = window.layers.model
    assert model.data(model.index(0), StateRole).text == "Up to date"
    window.prompt.field.setPlainText("a cat")
    assert model.data(model.index(0), StateRole).text == "Word no longer in the prompt"
    window.prompt.field.setPlainText("two big dogs")
    assert model.data(model.index(0), StateRole).text == "Up to date"


def test_a_view_that_fails_leaves_the_step_undoable(window: Any, monkeypatch: Any) -> None:
    """What changed the document is on the stack, whatever a listener did with the news."""
    reported: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: reported.append(error))

    def broken(revision: int) -> None:
        raise ValueError("a view")

    window.session.document.events.changed.connect(broken)
    window.actions_["new_box"].trigger()
    window.session.document.events.changed.disconnect(broken)
    assert len(reported) == 1
    assert len(window.session.document.foregrounds) == 1
    window.actions_["undo"].trigger()
    assert not window.session.document.foregrounds


def test_a_right_click_selects_and_offers_the_layer_menu(window: Any, qtbot: Any) -> None:
    """The menu acts on what is under the pointer."""
    three_boxes(window)
    window.actions_["tool_select"].trigger()
    window.session.selection.clear()
    window.engine.requests.clear()
    with qtbot.waitSignal(window.view.menu_asked):
        QTest.mouseClick(
            window.view.viewport(), Qt.MouseButton.RightButton, pos=at(window, 240, 128)
        )
    assert window.session.selection.ids == {window.session.document.foregrounds[1].id}
    menu = QApplication.activePopupWidget()
    assert menu is not None
    assert window.actions_["regenerate"] in menu.actions()
    menu.close()


def test_rows_dropped_by_mouse(window: Any) -> None:
    """The gap nearest to the pointer counts; Qt removes no row by itself."""
    three_boxes(window)
    rows, model = window.layers.list, window.layers.model
    mime = model.mimeData([model.index(0)])
    rect = rows.visualRect(model.index(1))
    for y, expected in (
        (rect.bottom() - 4, ["Layer 2", "Layer 3", "Layer 1"]),
        (rows.viewport().height() - 4, ["Layer 2", "Layer 1", "Layer 3"]),
        (2, ["Layer 3", "Layer 2", "Layer 1"]),
    ):
        event = QDropEvent(
            QPointF(60, y),
            Qt.DropAction.MoveAction,
            mime,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        rows.dropEvent(event)
        assert names(window) == expected
    assert not model.removeRows(0, 1)
    assert model.rowCount() == 4


def test_thumbnails_arrive(window: Any, qtbot: Any) -> None:
    """A row's picture is made off the UI thread and shown soon after the change."""
    three_boxes(window)
    with qtbot.waitSignal(window.thumbnails.ready):
        fill(window.session.document)
        window.layers.list.viewport().repaint()
    layer = window.session.document.foregrounds[0]
    qtbot.waitUntil(lambda: not window.session.pictures.is_busy)
    picture = window.thumbnails.of_layer(layer, 1.0, DARK).toImage()
    middle = picture.pixelColor(20, 20)
    red, green, blue, _ = layer.pixels[64, 48]
    assert abs(middle.red() - red) + abs(middle.green() - green) + abs(middle.blue() - blue) < 30
    # Around the disc the checkerboard shows.
    corners = {picture.pixelColor(x, y).name() for x in (1, 38) for y in (1, 38)}
    assert corners <= {DARK.check_a.lower(), DARK.check_b.lower()}


def test_escape_leaves_a_field_and_restores_it(window: Any) -> None:
    """Esc ladder (3.3): a field shows its former value, the canvas has the focus, no step."""
    three_boxes(window)
    window.session.selection.set([window.session.document.foregrounds[0].id])
    steps = window.session.undo.count
    inspector = window.inspector
    for field, was in ((inspector.name, "Layer 1"), (inspector.fields["x"], "X  32")):
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, "77")
        QTest.keyClick(field, Qt.Key.Key_Escape)
        text = field.text()
        assert text == was
        assert window.view.hasFocus()
    assert window.session.undo.count == steps


def test_fields_edit_every_selected_layer(window: Any) -> None:
    """A multiple selection edits all, in one step."""
    three_boxes(window)
    layers = window.session.document.foregrounds
    window.session.selection.set([layer.id for layer in layers])
    steps = window.session.undo.count
    window.inspector.fields["y"].setValue(96)
    assert {layer.rect.y for layer in window.session.document.foregrounds} == {96}
    assert window.session.undo.count == steps + 1
    window.inspector.fields["width"].setValue(70)
    assert {layer.rect.width for layer in window.session.document.foregrounds} == {96}
    window.inspector.fields["width"].setValue(60)
    assert {layer.rect.width for layer in window.session.document.foregrounds} == {64}
    assert window.session.undo.undo_text == "Resize 3 layers"
    assert not window.inspector.name.isEnabled()
    window.session.selection.set([layers[0].id])
    assert window.inspector.name.isEnabled()


def test_the_canvas_says_what_is_selected(window: Any) -> None:
    """Its description is renewed on selection."""
    three_boxes(window)
    layer = window.session.document.foregrounds[0]
    window.session.selection.set([layer.id])
    said = window.view.accessibleDescription()
    rect = layer.rect
    place = f"{rect.width} × {rect.height} at {rect.x}, {rect.y}, visible"
    assert f"Selected: Layer 1, {place}" in said


def test_there_are_five_examples(window: Any) -> None:
    """Each is a layout with a prompt; a finished picture stands first, for the first click."""
    names = [example_name(path) for path in example_files()]
    layouts = [name for name in names if not name.endswith(", finished")]
    assert len(layouts) == 5
    assert names[0] not in layouts


def test_space_moves_a_box_while_it_is_drawn(window: Any) -> None:
    """With Space held the drag carries the box along; let go, it sizes it again."""
    window.actions_["tool_box"].trigger()
    window.view.setFocus()
    port = window.view.viewport()
    press_and_move(window, (64, 64), (160, 128))
    QTest.keyPress(window.view, Qt.Key.Key_Space)
    move(window, 256, 256)
    QTest.keyRelease(window.view, Qt.Key.Key_Space)
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=at(window, 256, 256))
    assert window.session.document.foregrounds[0].rect.to_box() == (160, 192, 256, 256)


@pytest.mark.parametrize(("side", "height"), [(24, 48), (40, 56), (64, 80), (0, 48)])
def test_thumbnails_have_the_size_that_was_chosen(window: Any, side: int, height: int) -> None:
    """24, 40, 64 px or off; the rows grow with them and nothing overlaps."""
    draw_box(window, 64, 64, 192, 192)
    window.layers.set_thumbnail_side(side)
    rows = window.layers.list
    rect = rows.visualRect(rows.model().index(0, 0))
    assert rect.height() == height
    parts = RowParts.of(rect, side)
    places = [parts.eye, parts.name, parts.lock] + ([parts.thumbnail] if side else [])
    assert all(rect.contains(place) for place in places)
    assert all(not a.intersects(b) for i, a in enumerate(places) for b in places[:i])
    assert not window.grab().isNull()


def shown_rows(window: Any) -> list[str]:
    """What the rows say, topmost first."""
    model = window.layers.model
    return [model.index(row).data() for row in range(model.rowCount())]


def test_rows_and_canvas_say_the_word_that_a_layer_shows(
    window: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The word of the record, numbered; a name typed by hand stays; undo says the same."""
    three_boxes(window)
    assert shown_rows(window) == ["Layer 3", "Layer 2", "Layer 1", "Background"]
    home = window.session.document.foregrounds[2]
    window.session.push(Rename(home.id, "Home"))
    fill(window.session.document, word="dog")
    assert shown_rows(window) == ["Home", "Dog 2", "Dog", "Background"]
    spoken = window.layers.model.index(1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Dog 2, layer 2 of 4, ")
    painted: list[str] = []
    monkeypatch.setattr(overlay, "label", lambda _, text, *rest, **more: painted.append(text))
    window.session.selection.clear()
    window.actions_["tool_box"].trigger()
    press_and_move(window, (300, 400), (400, 480))
    window.view.viewport().repaint()
    assert {"Home", "Dog", "Dog 2"} <= set(painted)
    window.view.mouse.cancel_drag()
    window.session.selection.set([window.session.document.foregrounds[1].id])
    assert window.inspector.name.text() == "Dog 2"
    window.actions_["duplicate"].trigger()
    assert shown_rows(window)[:3] == ["Home", "Dog 3", "Dog 2"]
    assert window.session.undo.undo_text == "Duplicate 'Dog 2'"
    window.actions_["undo"].trigger()
    window.session.selection.set([window.session.document.foregrounds[0].id])
    window.actions_["delete"].trigger()
    assert shown_rows(window) == ["Home", "Dog", "Background"], "the number goes with the other"


def test_a_word_left_as_it_is_becomes_no_name(window: Any) -> None:
    """Enter in the row's editor and in the inspector changes nothing; an empty name is the word."""
    draw_box(window, 64, 64, 192, 192)
    (layer,) = window.session.document.foregrounds
    fill(window.session.document, word="dog")
    count = window.session.undo.count
    model = window.layers.model
    index = model.index_of(layer.id)
    for typed, shown, name in (
        ("Dog", "Dog", "Layer 1"),
        ("Rex", "Rex", "Rex"),
        ("", "Dog", "Layer 1"),
    ):
        model.setData(index, typed)
        assert (index.data(), window.session.document.layer(layer.id).name) == (shown, name)
    assert window.session.undo.count == count + 2
    window.session.selection.set([layer.id])
    QTest.keyClick(window.inspector.name, Qt.Key.Key_Return)
    assert window.session.undo.count == count + 2


def test_the_name_has_the_whole_line_and_the_seed_is_in_the_inspector(window: Any) -> None:
    """Neither lock nor seed cuts it; the seed is on the first page of the inspector."""
    draw_box(window, 64, 64, 192, 192)
    (layer,) = window.session.document.foregrounds
    fill(window.session.document)
    window.session.push(Rename(layer.id, "A name of thirty characters !!"))
    window.session.push(SetLocked([layer.id], True))
    rows = window.layers.list
    rect = rows.visualRect(window.layers.model.index_of(layer.id))
    line = rows.fontMetrics().height()
    parts = RowParts.of(rect, window.layers.delegate.thumbnails.side, line)
    assert parts.lock.right() < parts.name.left() and parts.lock.top() > parts.eye.bottom()
    assert rect.contains(parts.lock) and rect.contains(parts.eye)
    assert parts.name.right() == parts.state.right() == rect.right() - GAP
    assert parts.name.left() == parts.state.left()
    needed = rows.fontMetrics().horizontalAdvance("Sunflower 2 ")
    assert parts.name.width() >= needed
    seed = str(window.session.document.layer(layer.id).record["seed"])
    assert window.inspector.made_with.text() == seed
    index = window.layers.model.index_of(layer.id)
    said = (index.data(), index.data(StateRole).text)
    assert not any(seed in each for each in said)
