"""Walks from an empty window to a file, takes a picture at each step, writes the page.

    xvfb-run -a -s "-screen 0 1600x1000x24" python tools/screenshots.py [--out FOLDER]

One command does all of it: `docs/walkthrough` has the same names afterwards, with what the shipped
model paints now, in both themes. Checks the document at each turn, ends with 1 when something is
not as it should be. `--theme` walks once only.
"""

# Run from anywhere: the path is set before the imports of ours.
# ruff: noqa: E402, T201

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np
import qasync
from PySide6.QtCore import QLocale, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.document.commands import SetSettings
from app.document.composite import composite
from app.document.storage.pictures import read_picture
from app.session.client import engine_factory
from app.session.settings import Settings
from app.ui.dialogs.export_dialog import ExportDialog
from app.ui.main_window import MainWindow
from tools.story import Story

PROMPT = "a red balloon, a dog and a castle under a blue sky"
BOXES = ((256, 224, 480, 448), (96, 352, 224, 480), (64, 32, 192, 192))
BIRD = (320, 64, 416, 160)
SENTENCE = "a cat, a house, the sun and two sheep on green hills"
AFTER = "a dragon, a house, the sun and two sheep on green hills"
THEMES = ("dark", "light")
# Name of the picture, what is seen, what the user did.
STEPS = (
    ("01-window", "The empty window", "The canvas says what to do; nothing was downloaded."),
    ("02-boxes", "R: three boxes", "Edges stop at the grid; the label shows the size."),
    ("03-prompt", "P: one sentence", "A word that the model does not know is listed."),
    ("04-generating", "Ctrl+Enter", "Progress and Stop stay where they are; rough previews."),
    ("05-result", "The picture", "One undo step; each row shows thumbnail, word and state."),
    ("06-drag", "V: a layer is dragged", "What is behind it is whole."),
    ("07-matte", "The background off, M", "Magenta shows stray pixels at the edges."),
    ("07-alone", "S: one layer alone", "Once more brings the rest back."),
    ("08-candidates", "Variations 3, Ctrl+R", "One box is repainted; results are in the strip."),
    ("09-compare", "Shift+C: side by side", "The current picture and all results, whole."),
    ("10-box", "A fourth box", "The label names the key that fills only this box."),
    ("10-filled", "Ctrl+R", "Only the new box was filled; no other pixel changed."),
    ("11-outdated", "Other words", "No row is marked: each layer's word is still in the prompt."),
    ("12-undone", "Ctrl+Z", "Everything taken back, and everything brought back, byte for byte."),
    ("13-recovery", "After a power failure", "Unfinished work is offered at the next start."),
    ("14-saved", "Ctrl+S", "An OpenRaster file; opened again with the same bytes."),
    ("15-export", "Ctrl+Shift+E", "The dialog names what a format keeps and loses."),
    ("16-layout", "Ctrl+Shift+B", "Boxes for the sentence; arrow keys show other layouts."),
    ("16-planned", "Enter, Ctrl+Enter", "Each thing is in the box that was made for it."),
    ("17-replaced", "Shows: dragon, Enter", "One box is repainted, and the sentence follows."),
    ("18-things", "F9: the things", "All that the model draws, to search and to drag."),
)


async def play(story: Story, folder: Path) -> None:
    bridge = story.window.session.bridge
    await story.until(lambda: bridge.state in ("ready", "failed"))
    if bridge.state == "failed":
        raise RuntimeError(bridge.trouble)
    for part in (draw_and_type, generate, look, choose, add, undo):
        await part(story)
    await keep(story, folder)
    await plan(story)


async def draw_and_type(story: Story) -> None:
    window = story.window
    window.settings.first_run_done = True
    await story.rest()
    story.shot("01-window")
    window.messages.dismiss()
    for index, (x0, y0, x1, y1) in enumerate(BOXES):
        window.session.selection.clear()
        await story.drag(x0 + 3, y0 + 5, x1 - 4, y1 - 3, "02-boxes" if index == 2 else "")
    boxes = [layer.rect.to_box() for layer in story.document.foregrounds]
    story.check("three boxes on the grid", boxes == list(BOXES))
    story.key(Qt.Key.Key_P)
    QTest.keyClicks(window.prompt.field, PROMPT + " with qwerzhs")
    await asyncio.sleep(0.6)
    story.shot("03-prompt")
    story.check("an unknown word is named", "qwerzhs" in window.prompt.words.text())
    for _ in " with qwerzhs":
        story.key(Qt.Key.Key_Backspace)
    await asyncio.sleep(0.4)


async def generate(story: Story) -> None:
    """Steps 4 and 5; the first job is stopped half-way."""
    window = story.window
    start = story.document.content_hash()
    story.key(Qt.Key.Key_Return, ctrl=True)
    await story.half_way()
    story.shot("04-generating")
    window.view.setFocus()
    story.key(Qt.Key.Key_X, shift=True)
    story.check("Stop ends the job at once", story.is_idle)
    await story.rest()
    story.check("a stopped job changes nothing", story.document.content_hash() == start)
    story.key(Qt.Key.Key_Return, ctrl=True)
    await story.finished()
    story.shot("05-result")
    story.check("every layer has pixels", all(x.has_pixels for x in story.document.layers))


async def look(story: Story) -> None:
    """Steps 6 and 7: drag, matte, one layer alone."""
    window = story.window
    window.actions_["tool_select"].trigger()
    before = story.hashes()
    layer = story.document.foregrounds[2]
    x, y = layer.rect.centre
    window.session.selection.set([layer.id])
    await story.drag(x, y, x + 130, y + 35, "06-drag")
    await story.rest()
    story.check("a drag changes no pixels", story.hashes() == before)
    window.actions_["background"].trigger()
    window.session.selection.clear()
    window.actions_["matte_magenta"].trigger()
    await story.rest()
    story.shot("07-matte")
    window.actions_["matte_none"].trigger()
    window.actions_["background"].trigger()
    window.session.selection.set([layer.id])
    window.actions_["solo"].trigger()
    await story.rest()
    story.shot("07-alone")
    window.actions_["solo"].trigger()
    await story.rest()


async def choose(story: Story) -> None:
    """Steps 8 and 9: variations of one layer, side by side, one is taken."""
    window = story.window
    layer = story.document.foregrounds[0]
    window.session.selection.set([layer.id])
    settings = story.document.settings
    window.session.push(SetSettings(replace(settings, variations=3)))
    before = story.hashes()
    window.view.setFocus()
    story.key(Qt.Key.Key_R, ctrl=True)
    await story.finished()
    window.stage.show_place(2)
    await asyncio.sleep(0.6)
    story.shot("08-candidates")
    window.actions_["compare"].trigger()
    await asyncio.sleep(1.5)
    story.shot("09-compare")
    window.compare.close_page()
    window.stage.show_place(1)
    window.view.setFocus()
    story.key(Qt.Key.Key_Return)
    await story.rest()
    changed = {name for name, value in story.hashes().items() if before[name] != value}
    story.check(f"only '{layer.name}' is another", changed == {layer.name})
    window.session.push(SetSettings(settings))


async def add(story: Story) -> None:
    """Steps 10 and 11: a box in a finished picture; the words change."""
    window = story.window
    window.session.selection.clear()
    window.actions_["tool_box"].trigger()
    await story.drag(BIRD[0] + 2, BIRD[1] + 2, BIRD[2] - 2, BIRD[3] - 2)
    before = story.hashes()
    await add_words(story, ", a moon")
    story.shot("10-box")
    story.key(Qt.Key.Key_R, ctrl=True)
    await story.finished()
    story.shot("10-filled")
    changed = {name for name, value in story.hashes().items() if before[name] != value}
    story.check("only the new box was filled", changed == {"Layer 4"})
    await add_words(story, ", at night")
    story.shot("11-outdated")


async def add_words(story: Story, words: str) -> None:
    """At the end of the prompt."""
    field = story.window.prompt.field
    field.setFocus()
    field.moveCursor(field.textCursor().MoveOperation.End)
    QTest.keyClicks(field, words)
    story.window.view.setFocus()
    await asyncio.sleep(0.4)


async def undo(story: Story) -> None:
    """Step 12: everything back, and forth again."""
    stack = story.window.session.undo
    last = story.document.content_hash()
    while stack.can_undo:
        story.key(Qt.Key.Key_Z, ctrl=True)
    await story.rest()
    story.check("undo leads back to nothing", not story.document.foregrounds)
    story.shot("12-undone")
    while stack.can_redo:
        story.key(Qt.Key.Key_Z, ctrl=True, shift=True)
    await story.rest()
    story.check("redo leads to the same bytes", story.document.content_hash() == last)


async def keep(story: Story, folder: Path) -> None:
    """Steps 13 to 15: recovery, save and open, export."""
    window = story.window
    last = story.document.content_hash()
    await asyncio.sleep(2.5)  # the journal is a second behind at most
    (own,) = (folder / "work").iterdir()
    shutil.copytree(own, folder / "work" / "of-another-program")
    window.recovery.look()
    await story.until(lambda: window.recovery.dialog is not None, 20)
    await asyncio.sleep(1.0)
    dialog = window.recovery.dialog
    if dialog is None:
        raise AssertionError("nothing was offered")
    story.shot("13-recovery", dialog)
    dialog.reject()
    await story.back()
    shutil.rmtree(folder / "work" / "of-another-program")

    path = folder / "walkthrough.ora"
    story.key(Qt.Key.Key_S, ctrl=True)
    await story.file_dialog(path)
    story.check("saved", path.exists() and window.session.undo.is_clean)
    window.session.replace(type(story.document)().contents, "New Picture", None)
    story.key(Qt.Key.Key_O, ctrl=True)
    await story.file_dialog(path)
    await story.back()
    await story.until(lambda: len(story.document.foregrounds) == 4, 30)
    await story.rest()
    story.check("reopened with the same bytes", story.document.content_hash() == last)
    window.session.selection.set([story.document.foregrounds[2].id])
    await asyncio.sleep(0.3)
    story.shot("14-saved")
    story.key(Qt.Key.Key_E, ctrl=True, shift=True)
    await story.until(lambda: bool(window.findChildren(ExportDialog)), 10)
    (export,) = window.findChildren(ExportDialog)
    story.shot("15-export", export)
    export.export_button.click()
    await story.file_dialog(folder / "walkthrough.png")
    exported = read_picture(folder / "walkthrough.png").pixels
    shown = composite(story.document.layers, story.document.canvas.rect)
    story.check("exported what is shown", np.array_equal(exported, shown))


async def plan(story: Story) -> None:
    """Steps 16 to 18: boxes for a sentence, another thing in one of them, the panel of things."""
    window = story.window
    window.session.replace(type(story.document)().contents, "New Picture", None)
    await story.rest()
    await add_words(story, SENTENCE)
    story.key(Qt.Key.Key_B, ctrl=True, shift=True)
    await asyncio.sleep(0.4)
    story.shot("16-layout")
    story.check("a box for each thing", len(window.view.decor.ghosts) == 5)
    window.view.setFocus()
    QTest.keyClick(window.view, Qt.Key.Key_Return)
    window.session.selection.clear()
    window.actions_["generate_all"].trigger()
    await story.finished()
    story.shot("16-planned")
    shown = [layer.record["word"] for layer in story.document.foregrounds if layer.record]
    story.check("each box shows its thing", shown == [x.shows for x in story.document.foregrounds])
    cat = next(layer for layer in story.document.foregrounds if layer.shows == "cat")
    window.session.selection.set([cat.id])
    field = window.inspector.shows
    field.setFocus()
    field.clear()
    QTest.keyClicks(field, "dragon")
    QTest.keyClick(field, Qt.Key.Key_Return)
    await story.finished()
    story.shot("17-replaced")
    story.check("the sentence follows", window.session.document.prompt == AFTER)
    window.actions_["pane_things"].trigger()
    await asyncio.sleep(0.3)
    story.shot("18-things")


def write_page(out: Path) -> None:
    lines = [
        "# One walk-through, from an empty window to a file",
        "",
        "Taken by `tools/screenshots.py` from the window with the shipped model; it checks the",
        "document at each turn.",
        "",
    ]
    for name, title, what in STEPS:
        shots = {theme: f"{name}-{theme}.webp" for theme in THEMES}
        shots = {theme: file for theme, file in shots.items() if (out / file).exists()}
        heads = " | ".join(theme.capitalize() for theme in shots)
        rule = " | ".join("---" for _ in shots)
        cells = " | ".join(f"![{title}, {theme}]({file})" for theme, file in shots.items())
        lines += [f"## {int(name[:2])}. {title}", "", what, ""]
        lines += [f"| {heads} |", f"| {rule} |", f"| {cells} |", ""]
    (out / "README.md").write_text("\n".join(lines), encoding="utf-8")


def walk(options: argparse.Namespace) -> int:
    """Play once in one theme, and say how it went."""
    QLocale.setDefault(QLocale("en_GB"))  # times and numbers as people write them
    app = QApplication(sys.argv[:1])
    app.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    app.setQuitOnLastWindowClosed(False)
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    failure: BaseException | None = None
    with loop, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(theme=options.theme)
        make = engine_factory(weights=options.model)
        window = MainWindow(loop, make, settings, work_root=folder / "work")
        window.resize(1440, 900)
        window.show()
        window.activateWindow()
        window.session.bridge.start()

        async def live() -> None:
            await play(Story(window, options.out, options.theme), folder)

        try:
            loop.run_until_complete(live())
        except (AssertionError, TimeoutError, RuntimeError) as error:
            failure = error
            window.grab().save(str(options.out / "failed.png"))
        window.session.undo.mark_saved()
        window.close()
        window.session.shutdown()
    print(f"failed: {failure!r}" if failure else "the whole way was walked")
    return 1 if failure else 0


def main() -> int:
    """Walk in the theme asked for; in both, each in a process of its own, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="another model than the shipped one")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "walkthrough")
    parser.add_argument("--theme", choices=THEMES, help="one theme only")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.theme:
        code = walk(options)
        write_page(options.out)
        return code
    for theme in THEMES:
        command = [sys.executable, __file__, *sys.argv[1:], "--theme", theme]
        if code := subprocess.run(command, check=False).returncode:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
