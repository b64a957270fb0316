"""Inspector: name, place, size, seed and state of the selected layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCompleter,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.document.commands import Rename, SetRect, SetRects, SetSeed
from app.document.contents import MAX_SIDE, default_name
from app.document.layer import MAX_NAME, MAX_SHOWS, Layer
from app.document.words import word_of
from app.ui.panels.layer_state import LayerState, is_empty, next_seed_text, seed_text, state_of
from app.ui.panels.prompt_fields import parse_seed, seed_validator
from app.ui.session import Session
from app.ui.stage import Stage
from app.ui.text import number, tr
from app.ui.theme import FIELD_HEIGHT, GAP, ICON_SMALL, MARGIN, UNIT, Colours
from app.ui.theme.icons import pixmap
from app.ui.widgets.accessibility import StatusLabel
from app.ui.widgets.fields import NumberField
from app.ui.widgets.forms import Panel, Scrolled, clearable, enable, fill, named, quiet_label


class StateRow(QWidget):
    """One line; the button shows for layers that came out empty."""

    def __init__(self) -> None:
        super().__init__()
        self._sign = named(QLabel(), tr("State icon"))
        self.text = StatusLabel(tr("State"))
        text, tip = tr("Try Another Seed"), tr("Repaints this layer with a random seed.")
        self.retry = named(QPushButton(text), text, tip, style="stripButton", line=FIELD_HEIGHT)
        self.retry.hide()
        fill(QHBoxLayout(self), self._sign, (self.text, 1), self.retry, spacing=UNIT)

    def show_state(self, state: LayerState | None, colours: Colours, *, is_empty: bool) -> None:
        """The state of one layer; None = of several, of which nothing is said."""
        self.retry.setVisible(is_empty)
        if state is None:
            self.text.clear()
            self._sign.clear()
            return
        # The button says what to do about it: the text need not.
        self.text.setText(tr("Empty") if is_empty else state.text)
        colour = getattr(colours, state.colour)
        self._sign.setPixmap(pixmap(state.icon, colour, ICON_SMALL, self.devicePixelRatioF()))


class Inspector(Panel):
    """One page for the selected layers, another one while none is selected."""

    left = Signal()  # Esc was pressed in a field, which shows its former value again
    retry_asked = Signal()  # the layer came out empty; make it with another seed
    # What the selected layers are to show, empty = the model decides; whether Enter was pressed,
    # which repaints them.
    word_given = Signal(str, bool)

    def __init__(self, session: Session, stage: Stage, colours: Colours, empty: QWidget) -> None:
        super().__init__()
        self._document = session.document
        self._selection = session.selection
        self._undo = session.undo
        self._stage = stage
        self._colours = colours
        self._running: Mapping[int, str] = {}
        self._is_loading = False
        self.name = named(QLineEdit(), tr("Name"), line=FIELD_HEIGHT)
        self.name.setMaxLength(MAX_NAME)
        self.fields = {key: _rect_field(key) for key in _PREFIXES}
        self.seed = named(QLineEdit(), tr("Seed"), line=FIELD_HEIGHT)
        self.seed.setValidator(seed_validator(self.seed))
        self.made_with = StatusLabel(tr("Seed of the current pixels"))
        self.made_with.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.shows = clearable(named(QLineEdit(), tr("Shows"), line=FIELD_HEIGHT))
        self.shows.setMaxLength(MAX_SHOWS)
        self.show_words(())
        self.state = StateRow()
        self.state.retry.clicked.connect(self.retry_asked)
        self._pages = QStackedWidget()
        self._pages.addWidget(empty)
        self._pages.addWidget(Scrolled(self._form(), tr("Facts of the layer")))
        fill(QVBoxLayout(self), self._pages)
        for widget in (self.name, self.shows, self.seed, *self.fields.values()):
            widget.installEventFilter(self)
        self.name.editingFinished.connect(self._on_name)
        self.seed.editingFinished.connect(self._on_seed)
        self.shows.returnPressed.connect(lambda: self._on_shows(repaints=True))
        self.shows.editingFinished.connect(self._on_shows)
        for key, field in self.fields.items():
            field.valueChanged.connect(lambda _, k=key: self._on_rect(k))
        session.selection.changed.connect(self.refresh)
        session.document.events.changed.connect(self.refresh)
        session.document.events.next_seeds_changed.connect(self.refresh)
        self.refresh()

    def show_words(self, words: Sequence[str]) -> None:
        """The words that the field completes."""
        completer = QCompleter(list(words), self.shows)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        popup = completer.popup()
        assert popup is not None
        popup.setAccessibleName(tr("Words for the box"))
        self.shows.setCompleter(completer)

    def set_running(self, words: Mapping[int, str]) -> None:
        """Layers that a job is making, with what they will show, or ""."""
        self._running = words
        self.refresh()

    def recolour(self, colours: Colours) -> None:
        self._colours = colours
        self.refresh()

    def refresh(self) -> None:
        layer = self._selection.single()
        several = self._selection.foregrounds() if layer is None else []
        self._is_loading = True
        try:
            if layer is not None:
                self._load(layer)
            elif several:
                self._load_several(several)
        finally:
            self._is_loading = False
        self._pages.setCurrentIndex(1 if layer is not None or several else 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: Esc restores a field and leaves it."""
        if (
            event.type() != QEvent.Type.KeyPress
            or not isinstance(event, QKeyEvent)
            or event.key() != Qt.Key.Key_Escape
        ):
            return False
        self.name.setModified(False)
        self.seed.setModified(False)
        self.shows.setModified(False)
        self.refresh()
        self.left.emit()
        return True

    def _load_several(self, layers: Sequence[Layer]) -> None:
        """What one types counts for all of them; the topmost one's numbers are shown."""
        count = number(len(self._selection))
        self.name.setText(tr("{0} layers selected").format(count))
        self.seed.setText("")
        self.seed.setPlaceholderText("")
        self._enable_names(tr("several layers are selected"))
        self.made_with.setText("–")
        self._load_shows(layers)
        locked = self._document.locked_name(layers)
        reason = tr("'{0}' is locked").format(locked) if locked else ""
        step = 1 if any(layer.has_pixels for layer in layers) else self._document.grid
        for key, field in self.fields.items():
            field.setSingleStep(step)
            field.setValue(getattr(layers[-1].rect, key))
            enable(field, _TIPS[key]() + " " + tr("Applies to all selected layers."), reason)
        self.state.show_state(None, self._colours, is_empty=False)

    def _enable_names(self, reason: str = "") -> None:
        """Name and seed belong to one layer; a lock keeps neither."""
        enable(
            self.name, tr("The layer's name. Leave it empty to restore the original name."), reason
        )
        enable(
            self.seed,
            tr("A number is used as the seed in every job. Empty: the seed is automatic."),
            reason,
        )

    def _load(self, layer: Layer) -> None:
        self._enable_names()
        if not self.name.hasFocus() or not self.name.isModified():
            self.name.setText(self._document.name_of(layer))
        self.name.setPlaceholderText(default_name(layer.number))
        for key, field in self.fields.items():
            step = 1 if layer.has_pixels else self._document.grid
            field.setSingleStep(step)
            field.setValue(getattr(layer.rect, key))
            enable(field, _TIPS[key](), _why_fixed(layer))
        if not self.seed.hasFocus() or not self.seed.isModified():
            self.seed.setText("" if layer.seed is None else str(layer.seed))
        self.seed.setPlaceholderText(next_seed_text(layer, self._document))
        self._load_shows([layer])
        self.made_with.setText((layer.has_pixels and seed_text(layer)) or "–")
        new = self._stage.new_count(layer.id)
        state = state_of(layer, self._document, self._running, new)
        can_retry = is_empty(layer) and layer.kind == "generated" and not layer.locked
        can_retry = can_retry and not new  # there is something to look at first
        self.state.show_state(state, self._colours, is_empty=can_retry)

    def _on_name(self) -> None:
        layer = self._selection.single()
        if layer is not None and self.name.text() != self._document.name_of(layer):
            self.name.setModified(False)
            self._undo.push(Rename(layer.id, self.name.text()))
            self.refresh()

    def _load_shows(self, layers: Sequence[Layer]) -> None:
        """The pinned word; without one, in grey what the model decided."""
        pinned = {layer.shows for layer in layers}
        if not self.shows.hasFocus() or not self.shows.isModified():
            self.shows.setText(pinned.pop() if len(pinned) == 1 else "")
        word = word_of(layers[0]) if len(layers) == 1 else ""
        automatic = tr("Automatic ({0})").format(word) if word else tr("Automatic")
        self.shows.setPlaceholderText(automatic)
        locked = self._document.locked_name(layers)
        reason = tr("'{0}' is locked").format(locked) if locked else ""
        if any(layer.is_background for layer in layers):
            reason = tr("the prompt names the background")
        tip = tr("What this box shows, such as 'sunflower' or 'blue dog'. Enter repaints it.")
        enable(self.shows, tip + " " + tr("Empty: the model decides."), reason)

    def _on_shows(self, *, repaints: bool = False) -> None:
        layers = self._selection.foregrounds()
        word = " ".join(self.shows.text().split())
        self.shows.setModified(False)
        if layers and any(layer.shows != word for layer in layers):
            self.word_given.emit(word, repaints)
        self.refresh()

    def _on_seed(self) -> None:
        layer = self._selection.single()
        if layer is None:
            return
        seed = parse_seed(self.seed.text())
        self.seed.setModified(False)
        if seed != layer.seed:
            self._undo.push(SetSeed(layer.id, seed))
        self.refresh()

    def _on_rect(self, key: str) -> None:
        if self._is_loading:
            return
        value = self.fields[key].value()
        layers = [layer for layer in self._selection.layers() if not layer.is_background]
        if not layers:
            return
        rects = {layer.id: replace(layer.rect, **{key: value}) for layer in layers}
        if len(rects) == 1:
            ((layer_id, rect),) = rects.items()
            self._undo.push(SetRect(layer_id, rect))
        else:
            is_size = key in ("width", "height")
            self._undo.push(SetRects(rects, "Resize" if is_size else "Move"))
        self.refresh()

    def _form(self) -> QWidget:
        page = QWidget()
        form = QFormLayout(page)
        form.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        form.setSpacing(GAP)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows: tuple[tuple[str, QWidget], ...] = (
            (tr("Name"), self.name),
            (tr("Shows"), self.shows),
            (tr("Position"), self._pair("x", "y")),
            (tr("Size"), self._pair("width", "height")),
            (tr("Seed"), self.seed),
            (tr("Last seed"), self.made_with),
            (tr("State"), self.state),
        )
        for text, widget in rows:
            form.addRow(quiet_label(text, widget.minimumHeight(), widget), widget)
        return page

    def _pair(self, first: str, second: str) -> QWidget:
        widget = QWidget()
        widget.setMinimumHeight(FIELD_HEIGHT)
        fill(QHBoxLayout(widget), (self.fields[first], 1), (self.fields[second], 1))
        return widget


_PREFIXES = {"x": "X  ", "y": "Y  ", "width": "W  ", "height": "H  "}
_TIPS = {
    "x": lambda: tr("Left edge in picture pixels."),
    "y": lambda: tr("Upper edge in picture pixels."),
    "width": lambda: tr("Width in picture pixels."),
    "height": lambda: tr("Height in picture pixels."),
}


def _rect_field(key: str) -> NumberField:
    field = named(NumberField(), _TIPS[key](), line=FIELD_HEIGHT)
    field.setRange(1 if key in ("width", "height") else -MAX_SIDE, MAX_SIDE)
    field.setPrefix(_PREFIXES[key])
    field.setKeyboardTracking(False)
    return field


def _why_fixed(layer: Layer) -> str:
    if layer.is_background:
        return tr("the background always fills the canvas")
    if layer.locked:
        return tr("the layer is locked")
    return ""
