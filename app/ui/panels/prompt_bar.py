"""The prompt bar: prompt, seed, Generate, Stop, and the progress line that never moves.

Shows what it receives; what the buttons do are actions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.ui.actions import Actions
from app.ui.menus import ALTERNATIVES
from app.ui.panels.prompt_fields import (
    LINE_HEIGHT,
    PromptField,
    ResultsField,
    SeedControl,
    icon_gap,
)
from app.ui.panels.prompt_line import Mark, PromptLine
from app.ui.text import number, tr
from app.ui.theme import CONTROL_HEIGHT, GAP, ICON_SMALL, MARGIN, UNIT, Colours
from app.ui.theme.icons import icon, pixmap
from app.ui.widgets.accessibility import StatusLabel
from app.ui.widgets.buttons import action_button
from app.ui.widgets.forms import Panel, fill, named, no_lower_than, restyle

PROGRESS_PARTS = 1000
MIN_GENERATE = 160
COLUMN_WIDTH = 312  # of the controls next to the field: room for what the button says


def loading_texts(part: float, *, connects: bool = False) -> tuple[str, ...]:
    """What the button says while so much of the model is loaded, longest first.

    Args:
        connects: it waits for a server and not for a model.
    """
    if connects:
        return (tr("Connecting…"),)
    percent = number(int(part * 100))
    return tr("Loading model… {0} %").format(percent), tr("{0} %").format(percent)


class PromptBar(Panel):
    """Everything above the canvas."""

    def __init__(self, actions: Actions, new_gesture: Callable[[], int]) -> None:
        super().__init__("promptBar")
        self._actions = actions
        self._colours: Colours | None = None
        self._texts: tuple[str, ...] = (tr("Generate"),)
        self._loading: float | None = None
        self._connects = False
        self._words_texts = ("", "")
        self.field = PromptField(new_gesture)
        self.seed = SeedControl()
        self.variations = ResultsField()
        no_lower_than(self.variations, CONTROL_HEIGHT)
        self.variations.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.generate = self._button(tr("Generate"), "generate")
        actions["generate"].changed.connect(self._show_tip)
        self.more = self._more_button(actions)
        # It takes what room there is, and never moves Stop when its text changes.
        self.generate.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.stop = self._button(tr("Stop"), "stop")
        self.stop.setText(icon_gap(tr("Stop")))
        self.words = _line("warning", tr("Words that the model does not know"))
        self.words_sign = named(QLabel(), tr("Note"))
        self.words_sign.setFixedWidth(ICON_SMALL)
        self.word_list = _small_button(tr("See the Things"), actions["help_model"])
        self.word_list.setText(tr("See the things"))
        self.fix = _small_button(tr("Boxes for the prompt"), actions["suggest_layout"])
        self.fix.setObjectName("stripButton")
        self.fix.clicked.disconnect()
        self.fix.clicked.connect(self._fix)
        self._fixes: Sequence[str] = ("suggest_layout",)
        self.jobs = _small_button(tr("Job List"), actions["show_jobs"])
        self.progress_text = _line("secondary", tr("Progress"))
        self.progress_text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.progress = named(QProgressBar(), tr("Progress of the job"))
        self.progress.setRange(0, PROGRESS_PARTS)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(3)
        self._lay_out()
        self._fit_widths()
        self.show_line(PromptLine(), ())
        self.show_idle()

    def show_line(self, line: PromptLine, marks: Sequence[Mark]) -> None:
        """Say what the prompt draws and what it does not; the line keeps its height."""
        self.field.mark_words(marks)
        self._words_texts = (line.full, line.short)
        self.words.setToolTip(line.full)
        self.words_sign.setVisible(line.is_warning)
        restyle(self.words, "warning" if line.is_warning else "secondary")
        self.word_list.setVisible(line.nothing_drawn)
        self.fix.setVisible(bool(line.button))
        self.fix.setText(line.button)
        if line.actions:
            self._fixes = line.actions
            self.fix.setToolTip("\n".join(map(self._actions.plain_tip, line.actions)))
            self.fix.setAccessibleName(line.button)
        self._fit_words()

    def show_idle(self, text: str = "") -> None:
        """No job runs; `text` may say how the last one ended."""
        self.progress.setValue(0)
        self.progress_text.setText(text)

    def show_progress(self, text: str, part: float) -> None:
        """A job is `part` (0 to 1) done."""
        self.progress_text.setText(text)
        self.progress.setValue(round(part * PROGRESS_PARTS))

    def show_choice(self, texts: Sequence[str]) -> None:
        """Say on the button what it does: the first of the texts, longest first, that fits."""
        self._texts = tuple(texts)
        self._fit_text()

    def show_loading(self, part: float | None, *, connects: bool = False) -> None:
        """Say on the button that the model loads, part 0 to 1; None = the model is there.

        Args:
            connects: it waits for a server and not for a model.
        """
        if (part, connects) == (self._loading, self._connects):
            return
        changes = (part is None) != (self._loading is None)
        self._loading, self._connects = part, connects
        self.progress.setValue(round((part or 0.0) * PROGRESS_PARTS))
        self._fit_text()
        if changes:
            for button in (self.generate, self.more):
                button.setProperty("loading", part is not None)
                button.style().unpolish(button)  # the style sheet looks at the property again
                button.style().polish(button)
            self._colour_more()
            self._show_tip()

    def recolour(self, colours: Colours) -> None:
        self._colours = colours
        self.seed.recolour(colours)
        self.field.recolour(colours)
        self.jobs.setIcon(icon("chevron-down", colours))
        self._colour_more()
        self.stop.setIcon(icon("square", colours))
        ratio = self.devicePixelRatioF()
        self.words_sign.setPixmap(pixmap("triangle-alert", colours.outdated, ICON_SMALL, ratio))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_text()
        self._fit_words()

    def changeEvent(self, event: QEvent) -> None:
        """Qt override: another font, other widths."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "progress"):
            self._fit_widths()

    def _colour_more(self) -> None:
        """The arrow stands on the colour of the button."""
        if self._colours is not None:
            is_quiet = self._loading is not None
            colour = self._colours.text if is_quiet else self._colours.on_accent
            self.more.setIcon(icon("chevron-down", self._colours, colour=colour))

    def _fit_widths(self) -> None:
        """Room for the shortest text of the button, whatever language and font."""
        shortest = self.generate.fontMetrics().horizontalAdvance(tr("Generate")) + 6 * UNIT
        self.generate.setMinimumWidth(max(MIN_GENERATE, shortest))
        self._fit_text()

    def _fit_text(self) -> None:
        """The longest text that the button shows in full: a cut one says nothing."""
        room = max(self.generate.width(), MIN_GENERATE) - 5 * UNIT
        metrics = self.generate.fontMetrics()
        texts = self._texts
        if self._loading is not None:
            texts = loading_texts(self._loading, connects=self._connects)
        fitting = [text for text in texts if metrics.horizontalAdvance(text) <= room]
        mode = Qt.TextElideMode.ElideRight
        text = fitting[0] if fitting else metrics.elidedText(texts[-1], mode, room)
        self.generate.setText(text.replace("&", "&&"))  # of a layer's name, no mnemonic
        self.generate.setAccessibleName(texts[0])

    def _show_tip(self) -> None:
        """What the button does, and until the model is there that it waits."""
        tip = self._actions["generate"].toolTip()
        if self._loading is not None:
            waits = tr("{0}\nThe model is loading. The job starts as soon as it is ready.")
            if self._connects:
                waits = tr("{0}\nThe job starts as soon as the server has answered.")
            tip = waits.format(tip)
        self.generate.setToolTip(tip)

    def _fix(self) -> None:
        """The one action that helps, or a menu of those that do."""
        if len(self._fixes) == 1:
            self._actions[self._fixes[0]].trigger()
            return
        menu = QMenu(self.fix)
        menu.setToolTipsVisible(True)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions([self._actions[name] for name in self._fixes])
        menu.popup(self.fix.mapToGlobal(self.fix.rect().bottomLeft()))

    def _fit_words(self) -> None:
        """Whole sentences where there is room, else what ends in dots; the tip has it all."""
        taken = self.words_sign.width() + self.jobs.sizeHint().width() + 3 * UNIT
        for button in (self.word_list, self.fix):
            if not button.isHidden():
                taken += button.sizeHint().width() + UNIT
        room, metrics = (self.field.width() - taken) * 2 // 3, self.words.fontMetrics()
        full, short = self._words_texts
        text = full if metrics.horizontalAdvance(full) <= room else short
        self.words.setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, room))
        self.words.say(full)

    def _lay_out(self) -> None:
        buttons = fill(QHBoxLayout(), (self.generate, 1), self.more, spacing=1)
        buttons.addSpacing(GAP)
        buttons.addWidget(self.stop)
        second = fill(QHBoxLayout(), self.variations, (self.seed, 1))
        column = QWidget()
        column.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        right = QVBoxLayout(column)
        right.addStrut(COLUMN_WIDTH)
        fill(right, buttons, second, None)
        words, progress = (self.words, 2), (self.progress_text, 1)
        buttons_of_line = (self.word_list, self.fix)
        line = fill(QHBoxLayout(), self.words_sign, words, *buttons_of_line, progress, self.jobs)
        line.setSpacing(UNIT)
        # The line is next to the second row of controls: it takes no height of its own.
        left = fill(QVBoxLayout(), self.field, line, spacing=UNIT)
        margins = (MARGIN, GAP, MARGIN, UNIT)
        row = fill(QHBoxLayout(), (left, 1), column, spacing=MARGIN, margins=margins)
        fill(QVBoxLayout(self), row, self.progress, spacing=0)

    def _button(self, text: str, name: str) -> QPushButton:
        button = action_button(self._actions, name, text, CONTROL_HEIGHT)
        named(button, text, style=name)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard where it is
        return button

    def _more_button(self, actions: Actions) -> QPushButton:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for name in (*ALTERNATIVES, "", "generate_next"):
            if name:
                menu.addAction(actions[name])
                actions[name].setShortcutVisibleInContextMenu(True)  # some styles leave them out
            else:
                menu.addSeparator()
        tip = tr("Choose what to generate: empty boxes, the selection, or everything.")
        button = named(QPushButton(), tr("What to generate"), tip, style="generateMore")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setFixedSize(CONTROL_HEIGHT - UNIT, CONTROL_HEIGHT)

        def show_menu() -> None:
            corner = button.mapToGlobal(button.rect().bottomRight())
            menu.popup(corner - QPoint(menu.sizeHint().width(), -UNIT))

        def follow() -> None:
            button.setEnabled(
                any(each.isEnabled() and not each.isSeparator() for each in menu.actions())
            )

        for action in menu.actions():
            action.changed.connect(follow)
        button.clicked.connect(show_menu)
        return button


def _small_button(name: str, action: QAction) -> QToolButton:
    button = named(QToolButton(), name, action.toolTip(), style="quiet", line=LINE_HEIGHT)
    button.setMinimumWidth(LINE_HEIGHT)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(action.trigger)
    return button


def _line(style: str, name: str) -> StatusLabel:
    label = StatusLabel(name)
    label.setObjectName(style)
    no_lower_than(label, LINE_HEIGHT)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return label
