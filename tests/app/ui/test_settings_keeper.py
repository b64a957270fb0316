"""Recent files and prompts are on the disk soon after they are used, not at the end alone."""

from __future__ import annotations

from app.document.commands import AddBox, SetPrompt
from app.document.geometry import Rect
from app.session.settings import load_settings, remember_file
from app.ui.window_state import SettingsKeeper


def test_a_prompt_that_was_used_and_a_file_that_was_opened_survive_a_crash(
    window, qtbot, tmp_path
) -> None:
    """PR3: nothing is closed here; the file is read as after a crash."""
    path = tmp_path / "settings.json"
    keeper = SettingsKeeper(path, window.settings, window.session, window)
    keeper.save()
    assert not path.exists(), "nothing is new yet"
    window.session.push(AddBox(Rect(64, 64, 128, 128), above=None))
    window.session.push(SetPrompt("a red kite over a hill"))
    window.actions_["generate"].trigger()
    qtbot.waitUntil(path.exists)
    settings, trouble = load_settings(path)
    assert settings.prompts[0] == "a red kite over a hill"
    assert trouble is None or not trouble
    remember_file(window.settings, tmp_path / "kite.ora")
    window.session.path_changed.emit()
    qtbot.waitUntil(lambda: bool(load_settings(path)[0].recent))
    assert load_settings(path)[0].recent == [str(tmp_path / "kite.ora")]
