"""The panel of things: all that the model draws, with pictures, to search and to drag.

A drag onto the canvas makes a box of fitting size that shows the thing; Enter or a double click
puts the word into the prompt. Looks, colours and backgrounds are words for the prompt only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QIcon, QImage, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListView, QSizePolicy, QVBoxLayout

from app.session.things import Thing, ThingPictures
from app.ui.text import tr
from app.ui.theme import FIELD_HEIGHT, GAP, MARGIN
from app.ui.widgets.fields import DropDown
from app.ui.widgets.forms import Panel, clearable, fill, named, note

THING_MIME = "application/x-layerloom-thing"
TILE, CELL = 48, QSize(84, 84)  # of a picture and of its cell, logical pixels
_ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Entry:
    """One word of the panel.

    Attributes:
        group: the category, in the user's language.
        words: what a search finds it by, lowercase.
        is_thing: whether it can be drawn in a box of its own.
        tile: of the picture of things; None = no picture.
        colour: shown as a patch; empty = none.
    """

    text: str
    group: str
    words: str
    is_thing: bool = True
    tile: int | None = None
    colour: str = ""
    is_look: bool = False


def entries_of(
    things: Sequence[Thing],
    looks: Sequence[str],
    colours: Sequence[str],
    backgrounds: Sequence[str],
    pictures: ThingPictures | None,
) -> list[Entry]:
    """Everything that the panel shows: things by category, then the other words."""
    found = []
    of_things = {} if pictures is None else pictures.things
    for thing in sorted(things, key=lambda each: each.category == "objects"):
        words = " | ".join((thing.name, *thing.synonyms, thing.category)).casefold()
        found.append(
            Entry(thing.name, _category(thing.category), words, tile=of_things.get(thing.name))
        )
    groups = (
        (tr("Backgrounds"), backgrounds, pictures and pictures.backgrounds),
        (tr("Colours"), colours, None),
        (tr("Looks"), looks, pictures and pictures.looks),
    )
    for title, names, tiles in groups:
        for word in names:
            colour = word if names is colours else ""
            search = f"{word} | {title}".casefold()
            is_look = names is looks
            found.append(
                Entry(word, title, search, False, (tiles or {}).get(word), colour, is_look)
            )
    return found


def _category(name: str) -> str:
    return {
        "animals": tr("Animals"),
        "plants": tr("Plants"),
        "food": tr("Food"),
        "vehicles": tr("Vehicles"),
        "buildings": tr("Buildings"),
        "sky and nature": tr("Sky and nature"),
        "people and figures": tr("People and figures"),
        "clothes": tr("Clothes"),
        "play and music": tr("Play and music"),
    }.get(name, tr("Objects"))


class ThingsModel(QAbstractListModel):
    """The entries with their pictures; a drag carries the words."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: Sequence[Entry] = ()
        self._sheet: QImage | None = None
        self._columns, self._side = 1, 1
        self._icons: dict[int, QIcon] = {}

    def show_entries(self, entries: Sequence[Entry], pictures: ThingPictures | None) -> None:
        self.beginResetModel()
        self._entries, self._icons, self._sheet = entries, {}, None
        if pictures is not None:
            self._sheet = QImage(str(pictures.path))
            self._columns, self._side = pictures.columns, pictures.side
        self.endResetModel()

    def entry(self, index: Index) -> Entry:
        return self._entries[index.row()]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entry(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.text
        if role == Qt.ItemDataRole.DecorationRole:
            return self._icon(index.row(), entry)
        if role == Qt.ItemDataRole.SizeHintRole:
            return CELL
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            if entry.is_thing:
                return tr("Drag '{0}' onto the canvas, or double-click to add the word.").format(
                    entry.text
                )
            if entry.colour:
                return tr("Double-click to make the selected things {0}.").format(entry.text)
            if entry.is_look:
                return tr("Double-click to repaint the selected things as {0}.").format(entry.text)
            return tr("Double-click to add '{0}' to the prompt.").format(entry.text)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled

    def mimeTypes(self) -> list[str]:
        return [THING_MIME, "text/plain"]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        entry = self.entry(indexes[0])
        data.setText(entry.text)
        if entry.is_thing:
            data.setData(THING_MIME, entry.text.encode())
        return data

    def _icon(self, row: int, entry: Entry) -> QIcon:
        if row not in self._icons:
            self._icons[row] = QIcon(self._picture(entry))
        return self._icons[row]

    def _picture(self, entry: Entry) -> QPixmap:
        if entry.tile is not None and self._sheet is not None and not self._sheet.isNull():
            row, column = divmod(entry.tile, self._columns)
            side = self._side
            return QPixmap.fromImage(self._sheet.copy(column * side, row * side, side, side))
        picture = QPixmap(2 * TILE, 2 * TILE)
        picture.fill(Qt.GlobalColor.transparent)
        if entry.colour:
            painter = QPainter(picture)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(QColor(entry.colour))
            painter.setPen(QColor("grey"))
            painter.drawEllipse(picture.rect().adjusted(16, 16, -16, -16))
            painter.end()
        return picture


class _Found(QSortFilterProxyModel):
    """The entries of one group that a search finds; those that begin with it come first."""

    def __init__(self, model: ThingsModel) -> None:
        super().__init__(model)
        self._model = model
        self._group, self._typed = "", ""
        self.setSourceModel(model)
        self.sort(0)

    def search(self, group: str, typed: str) -> None:
        self._group, self._typed = group, " ".join(typed.casefold().split())
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        entry = self._model.entry(self._model.index(row, 0))
        return self._group in ("", entry.group) and self._typed in entry.words

    def lessThan(self, left: Index, right: Index) -> bool:
        return self._rank(left) < self._rank(right)

    def _rank(self, index: Index) -> tuple[bool, int]:
        begins = self._model.entry(index).text.casefold().startswith(self._typed)
        return (bool(self._typed) and not begins, index.row())


class ThingsPanel(Panel):
    """Search, category, and the grid of things."""

    chosen = Signal(str)  # a word: Enter or a double click

    def __init__(self) -> None:
        super().__init__()
        self.model = ThingsModel(self)
        self._found = _Found(self.model)
        tip = tr("Finds things by their names, other words for them, and categories.")
        self.field = clearable(named(QLineEdit(), tr("Search the things"), tip, line=FIELD_HEIGHT))
        self.field.setPlaceholderText(tr("Search"))
        tip = tr("Shows one kind of things only.")
        self.groups = named(DropDown(), tr("Category"), tip, line=FIELD_HEIGHT)
        self.groups.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.groups.view().setAccessibleName(tr("Categories"))
        self.list = named(QListView(), tr("Things that the model draws"), style="things")
        self.list.setModel(self._found)
        self.list.setViewMode(QListView.ViewMode.IconMode)
        self.list.setIconSize(QSize(TILE, TILE))
        self.list.setGridSize(CELL)
        self.list.setWordWrap(True)
        self.list.setUniformItemSizes(True)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setMovement(QListView.Movement.Snap)
        self.list.setDragDropMode(QListView.DragDropMode.DragOnly)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.none, self.facts = note(), note()
        self.none.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._instead = ""
        top = fill(QHBoxLayout(), (self.field, 1), (self.groups, 1))
        margins = (MARGIN, MARGIN, MARGIN, GAP)
        fill(QVBoxLayout(self), top, self.none, (self.list, 1), self.facts, margins=margins)
        self.field.textChanged.connect(self._search)
        self.groups.currentIndexChanged.connect(self._search)
        self.list.activated.connect(self._choose)
        self.field.installEventFilter(self)
        self.show_things([], None)

    def show_things(
        self,
        entries: Sequence[Entry],
        pictures: ThingPictures | None,
        facts: str = "",
        *,
        instead: str = "",
    ) -> None:
        """Show what the loaded model draws, and what it is.

        Args:
            entries: nothing while it loads, and for models without a list of things.
            instead: what is said where there are none.
        """
        self._instead = instead
        for part in (self.field, self.groups):
            part.setVisible(not instead)
        self.facts.setText(facts)
        self.facts.setVisible(bool(facts))
        self.model.show_entries(entries, pictures)
        chosen = self.groups.currentText()
        self.groups.blockSignals(True)
        self.groups.clear()
        self.groups.addItems([tr("All"), *dict.fromkeys(entry.group for entry in entries)])
        self.groups.setCurrentIndex(max(0, self.groups.findText(chosen)))
        self.groups.blockSignals(False)
        self._search()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: the arrow key goes from the field into the grid, Enter takes the first."""
        if watched is not self.field or not isinstance(event, QKeyEvent):
            return False
        if event.type() != QEvent.Type.KeyPress or not self._found.rowCount():
            return False
        if event.key() == Qt.Key.Key_Down:
            self.list.setCurrentIndex(self._found.index(0, 0))
            self.list.setFocus()
        elif event.key() in _ENTERS:
            self._choose(self._found.index(0, 0))
        else:
            return False
        return True

    def _search(self) -> None:
        group = self.groups.currentText() if self.groups.currentIndex() > 0 else ""
        typed = self.field.text()
        self._found.search(group, typed)
        is_empty = self._found.rowCount() == 0
        self.list.setVisible(not is_empty)
        self.none.setVisible(is_empty)
        text = self._instead or tr("The things appear here once the model is loaded.")
        if self.model.rowCount():
            text = tr("The model draws nothing called '{0}'.").format(typed.strip())
        self.none.setText(text)

    def _choose(self, index: QModelIndex) -> None:
        entry = self.model.entry(self._found.mapToSource(index))
        self.chosen.emit(entry.text)
