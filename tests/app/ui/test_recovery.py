"""Recovery in the window: kept while it lives, offered after a crash, gone after a clean end."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QDate, QLocale, Qt
from PySide6.QtGui import QIcon
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from app.document.commands import SetPrompt
from app.document.contents import content_hash
from app.document.storage.atomic import Disk
from app.document.storage.journal import WorkFolder, WorkInfo, recover, unfinished
from app.session.settings import Settings, choose_recovery_folder, former_work_paths, work_path
from app.testing import FakeEngine
from app.ui.main_window import MainWindow
from tests.app.document.examples import design, run
from tests.app.ui.helpers import LEFT, NONE, at, draw_box, move, press_and_move
from tests.app.ui.test_files import answer_question

Open = Callable[[], Any]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def open_window(qtbot: Any, qloop: Any, root: Path) -> Iterator[Open]:
    """Opens windows that keep their work below `root`; ends them without tidying."""
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    windows: list[Any] = []

    def open_one() -> Any:
        window: Any = MainWindow(
            qloop, FakeEngine, Settings(theme="dark", first_run_done=True), work_root=root
        )
        window.show()
        qtbot.waitExposed(window)
        windows.append(window)
        return window

    yield open_one
    for window in windows:
        end(window)


def end(window: Any) -> None:
    """Close as if everything were saved; again does nothing."""
    window.session.undo.mark_saved()
    window.close()
    window.session.shutdown()
    window.deleteLater()


def crash(window: Any, root: Path) -> Path:
    """What kill -9 leaves of a window's work: a copy of the folder as it stands, without lock."""
    assert window.session.keeper.flush()
    folder = window.session.keeper.folder
    return Path(shutil.copytree(folder, root / f"crashed-{folder.name}"))


def leave(root: Path, name: str = "") -> str:
    """Work of another program that crashed; its content hash."""
    document, folder = design(), WorkFolder.create(root)
    folder.keep(document.contents, WorkInfo(name, None, False))
    folder.close(remove=False)
    return document.content_hash()


def wait_for_files(window: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not window.session.files.is_busy, timeout=10_000)


def test_every_change_is_kept(open_window: Open, qtbot: Any, root: Path) -> None:
    """Without saving, the newest state is in the work folder."""
    window = open_window()
    draw_box(window, 64, 64, 192, 192)
    window.prompt.field.setPlainText("a dog")
    keeper = window.session.keeper
    qtbot.waitUntil(lambda: keeper.folder is not None, timeout=5_000)
    qtbot.waitUntil(lambda: not window.recovery._timer.isActive())
    copy = crash(window, root)
    assert content_hash(recover(copy).contents) == window.session.document.content_hash()
    qtbot.waitUntil(lambda: window.status.kept.text() == "All changes kept", timeout=5_000)
    window.actions_["undo"].trigger()
    assert window.status.kept.text() == "Keeping…"
    qtbot.waitUntil(lambda: not window.recovery._timer.isActive())
    copy = crash(window, root / "second")
    assert content_hash(recover(copy).contents) == window.session.document.content_hash()


def test_the_users_file_is_written_by_save_only(
    open_window: Open, qtbot: Any, tmp_path: Path
) -> None:
    """Changes go to the work folder; the file and its folder stay as they were saved."""
    window = open_window()
    draw_box(window, 64, 64, 192, 192)
    path = tmp_path / "mine" / "beach.ora"
    path.parent.mkdir()
    window.files.write(path)
    qtbot.waitUntil(lambda: window.session.path == path, timeout=10_000)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    draw_box(window, 256, 256, 384, 384)
    window.prompt.field.setPlainText("a dog")
    window.actions_["undo"].trigger()
    qtbot.waitUntil(lambda: not window.recovery._timer.isActive())
    assert window.session.keeper.flush()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert list(path.parent.iterdir()) == [path]


def test_nothing_is_written_during_a_drag(
    open_window: Open, qtbot: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the left button is down the journal waits."""
    window = open_window()
    draw_box(window, 64, 64, 192, 192)
    noted: list[object] = []
    monkeypatch.setattr(window.session.keeper, "note", lambda *each: noted.append(each))
    is_down = [Qt.MouseButton.LeftButton]
    monkeypatch.setattr(QApplication, "mouseButtons", lambda: is_down[0])
    window.actions_["tool_select"].trigger()
    press_and_move(window, (128, 128), (200, 200))
    for place in range(200, 260, 4):
        move(window, place, place)
        qtbot.wait(15)
    assert noted == []
    is_down[0] = Qt.MouseButton.NoButton
    QTest.mouseRelease(window.view.viewport(), LEFT, NONE, at(window, 256, 256))
    qtbot.waitUntil(lambda: bool(noted))


def colours_of(icon: QIcon) -> int:
    """How many colours the picture of an icon has; 1 while it is blank."""
    image = icon.pixmap(64, 64).toImage()
    return len({image.pixel(x, y) for x in range(image.width()) for y in range(image.height())})


def test_a_crash_is_offered_and_recovered(open_window: Open, qtbot: Any, root: Path) -> None:
    """Picture, name, layers; Recover opens it as unsaved work and the old folder goes."""
    expected = leave(root, "/pictures/beach.ora")
    window = open_window()
    window.recovery.look()
    qtbot.waitUntil(lambda: window.recovery.dialog is not None, timeout=5_000)
    dialog = window.recovery.dialog
    assert dialog.list.count() == 1
    text = dialog.list.item(0).text()
    assert "beach.ora" in text and "3 layers" in text and "1 result" in text
    assert QLocale().toString(QDate.currentDate(), QLocale.FormatType.ShortFormat) in text
    assert not dialog.pictures_button.isVisible()
    # The picture may have come before this line, so its colours are looked at and not its key.
    qtbot.waitUntil(lambda: colours_of(dialog.list.item(0).icon()) > 1, timeout=20_000)
    dialog.recover_button.click()
    qtbot.waitUntil(lambda: window.session.document.content_hash() == expected, timeout=5_000)
    assert window.session.path == Path("/pictures/beach.ora")
    assert window.isWindowModified()
    wait_for_files(window, qtbot)
    assert [each.folder for each in unfinished(root)] == []
    assert len(list(root.iterdir())) == 1  # this window's own
    copy = crash(window, root)
    assert content_hash(recover(copy).contents) == expected


def test_a_torn_journal_says_what_is_missing(open_window: Open, qtbot: Any, root: Path) -> None:
    """What came before the tear opens; the rest is named, and kept for inspection."""
    document, folder = design(), WorkFolder.create(root)
    folder.keep(document.contents, WorkInfo("", None, False))
    expected = document.content_hash()
    run(document, SetPrompt("a dog"))
    folder.keep(document.contents, WorkInfo("", None, False))
    folder.close(remove=False)
    (journal,) = folder.path.glob("journal-*")
    journal.write_bytes(journal.read_bytes()[:-1])
    window = open_window()
    window.recovery.look()
    qtbot.waitUntil(lambda: window.recovery.dialog is not None, timeout=5_000)
    window.recovery.dialog.recover_button.click()
    qtbot.waitUntil(lambda: window.session.document.content_hash() == expected, timeout=5_000)
    wait_for_files(window, qtbot)
    text = window.messages.text.text()
    assert "The last changes before the crash could not be read. Everything up to" in text
    assert "The damaged journal was kept for inspection." in text
    assert (root / f"{folder.path.name}.damaged" / journal.name).exists()


def test_old_work_is_offered_for_deletion(
    open_window: Open, qtbot: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 30 days the dialog says so; nothing goes by itself."""
    now = time.time
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now() - 31 * 86_400)
        leave(root)
    leave(root)
    window = open_window()
    window.recovery.look()
    qtbot.waitUntil(lambda: window.recovery.dialog is not None, timeout=5_000)
    dialog = window.recovery.dialog
    hints = []
    for row in range(dialog.list.count()):
        dialog.list.setCurrentRow(row)
        hints.append("30 days" in dialog.hint.text())
    assert hints == [False, True]  # the newest first
    dialog.reject()
    wait_for_files(window, qtbot)
    assert len(unfinished(root)) == 2


def test_later_keeps_everything(open_window: Open, qtbot: Any, root: Path) -> None:
    """Esc = Later; the same work is offered again."""
    leave(root)
    window = open_window()
    for _ in range(2):
        window.recovery.look(asked=True)
        qtbot.waitUntil(lambda: window.recovery.dialog is not None, timeout=5_000)
        window.recovery.dialog.reject()
        qtbot.waitUntil(lambda: window.recovery.dialog is None)
    wait_for_files(window, qtbot)
    assert len(unfinished(root)) == 1
    assert unfinished(root)[0].name == ""


def test_discard_asks_twice(open_window: Open, qtbot: Any, root: Path) -> None:
    """Nothing is deleted without a second question."""
    leave(root)
    leave(root)
    window = open_window()
    window.recovery.look()
    qtbot.waitUntil(lambda: window.recovery.dialog is not None, timeout=5_000)
    dialog = window.recovery.dialog
    dialog.discard_button.click()
    (box,) = dialog.findChildren(QMessageBox)
    assert box.defaultButton().text() == "Cancel"
    answer_question(dialog, qtbot, "Cancel")
    assert len(unfinished(root)) == 2
    dialog.discard_button.click()
    answer_question(dialog, qtbot, "Discard")
    qtbot.waitUntil(lambda: dialog.list.count() == 1, timeout=5_000)
    assert len(unfinished(root)) == 1
    dialog.reject()


def test_what_cannot_be_read_gives_its_pictures(
    open_window: Open, qtbot: Any, root: Path, tmp_path: Path
) -> None:
    """Recover is off, the pictures can be saved, nothing is replaced by an empty one."""
    leave(root)
    (folder,) = (each.folder for each in unfinished(root))
    (folder / "base-000001").write_bytes(b"x")
    window = open_window()
    window.recovery.look()
    qtbot.waitUntil(lambda: window.recovery.dialog is not None, timeout=5_000)
    dialog = window.recovery.dialog
    assert "cannot be read" in dialog.list.item(0).text()
    assert not dialog.recover_button.isEnabled()
    dialog.pictures_button.click()
    (chooser,) = dialog.findChildren(QFileDialog)
    target = tmp_path / "out"
    target.mkdir()
    chooser.selectFile(str(target))
    chooser.accept()
    qtbot.waitUntil(lambda: len(list(target.iterdir())) == 3, timeout=5_000)
    dialog.reject()
    assert folder.exists()


def test_three_failures_offer_the_pictures(open_window: Open, qtbot: Any, root: Path) -> None:
    """A recovery that ends the program each time is not offered for ever."""
    leave(root)
    (folder,) = (each.folder for each in unfinished(root))
    (folder / "attempts").write_text("3")
    window = open_window()
    window.recovery.look()
    qtbot.waitUntil(lambda: window.recovery.dialog is not None, timeout=5_000)
    dialog = window.recovery.dialog
    assert not dialog.recover_button.isEnabled()
    assert dialog.pictures_button.isVisible()
    assert "three times" in dialog.hint.text()
    dialog.reject()


def test_a_clean_end_leaves_nothing(open_window: Open, qtbot: Any, root: Path) -> None:
    """Saved or discarded work is not offered again."""
    window = open_window()
    draw_box(window, 64, 64, 192, 192)
    qtbot.waitUntil(lambda: window.session.keeper.folder is not None, timeout=5_000)
    closed: list[bool] = []
    window.closed.connect(lambda: closed.append(True))
    window.close()
    answer_question(window, qtbot, "Discard")
    qtbot.waitUntil(lambda: bool(closed))
    window.session.shutdown()
    assert list(root.iterdir()) == []


def test_keep_for_next_time(open_window: Open, qtbot: Any, root: Path) -> None:
    """The work stays and is offered at the next start."""
    window = open_window()
    draw_box(window, 64, 64, 192, 192)
    expected = window.session.document.content_hash()
    window.close()
    answer_question(window, qtbot, "Keep for Next Time")
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=5_000)
    window.session.shutdown()
    (left,) = unfinished(root)
    assert content_hash(recover(left.folder).contents) == expected


def test_a_full_disk_is_shown_and_its_end_too(
    open_window: Open, qtbot: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes are not being kept; the open work is unharmed."""

    def full(self: Disk, path: Path, mode: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Disk, "create", full)
        window = open_window()
        draw_box(window, 64, 64, 192, 192)
        qtbot.waitUntil(lambda: window.messages.isVisible(), timeout=5_000)
        assert "not being kept for recovery: the disk is full" in window.messages.text.text()
        assert window.status.kept.text() == "Not kept: the disk is full"
    window.session.keeper.note(window.session.document.contents, window.session.work_info)
    window.session.keeper.close(remove=False)  # tries once more
    (left,) = unfinished(root)
    assert content_hash(recover(left.folder).contents) == window.session.document.content_hash()


def test_a_file_is_not_opened_in_two_windows(
    open_window: Open, qtbot: Any, root: Path, tmp_path: Path
) -> None:
    """The second window refuses, the first may open its own file again."""
    first, second = open_window(), open_window()
    path = tmp_path / "beach.ora"
    first.files.write(path)
    qtbot.waitUntil(lambda: first.session.path == path, timeout=5_000)
    qtbot.waitUntil(lambda: not first.recovery._timer.isActive())
    assert first.session.keeper.flush()
    second.files.open_path(path)
    qtbot.waitUntil(lambda: second.messages.isVisible(), timeout=5_000)
    assert "open in another window" in second.messages.text.text()
    assert second.session.path is None
    first.files.open_path(path)
    wait_for_files(first, qtbot)
    assert not first.messages.isVisible()


def test_work_in_a_former_folder_is_offered_too(
    qtbot: Any, qloop: Any, tmp_path: Path, root: Path
) -> None:
    """After another recovery folder was chosen, nothing that lies in the old one is lost."""
    settings = Settings(theme="dark", first_run_done=True)
    default = work_path(settings)
    choose_recovery_folder(settings, str(tmp_path))
    assert work_path(settings) == tmp_path / "Layerloom" / "work"  # never the chosen folder itself
    choose_recovery_folder(settings, str(tmp_path / "other"))
    assert former_work_paths(settings) == [tmp_path / "Layerloom" / "work", default]
    settings.former_recovery_folders = [str(tmp_path)]
    leave(tmp_path / "Layerloom" / "work", "old.ora")
    window: Any = MainWindow(qloop, FakeEngine, settings, work_root=root)
    window.show()
    qtbot.waitExposed(window)
    window.recovery.look()
    qtbot.waitUntil(lambda: window.recovery.dialog is not None)
    assert window.session.keeper.folder is None or root in window.session.keeper.folder.parents
    window.recovery.dialog.close()
    end(window)
