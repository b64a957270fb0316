"""The fields for a ComfyUI graph of the user: the file, and which inputs and node it is used by."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.session.own_graphs import GraphChoices, GraphEntry, GraphFileError, read_graph_file
from app.session.server_types import OwnGraph
from app.session.settings import Settings
from app.ui.dialogs.file_dialogs import ask_open
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT
from app.ui.widgets.buttons import text_button
from app.ui.widgets.fields import DropDown
from app.ui.widgets.forms import enable, field_name, fill, form_layout, named, note

_NUMBERS = ("seed", "width", "height", "steps")
_NEEDED = ("prompt", "output")
_OPAQUE = "opaque"  # in `OwnGraph` the second name of the output


class GraphFields(QWidget):
    """A file and the names in it; `changed` on every change."""

    changed = Signal()

    def __init__(self, settings: Settings, graph: OwnGraph | None) -> None:
        super().__init__()
        self._settings = settings
        self._path = ""
        self._problem = ""  # of the file
        self.trouble = ""  # why the graph cannot be used, a sentence; "" = it can, or there is none
        self.shown = named(QLineEdit(), tr("Graph file"), height=CONTROL_HEIGHT)
        self.shown.setReadOnly(True)
        self.shown.setPlaceholderText(tr("One of the graphs that come with the program"))
        tip = tr("Uses a graph of your own, saved in ComfyUI with Workflow ▸ Export (API).")
        self.choose = text_button(tr("Choose…"), self._ask, tip)
        self.none = text_button(tr("None"), lambda: self.take(None))
        self.said = note()
        self.inputs = QWidget()
        self.fields: dict[str, DropDown] = {}
        self._form = form = form_layout(self.inputs)
        form.setContentsMargins(0, 0, 0, 0)
        for key, text, tip in _rows():
            self.fields[key] = field = DropDown(text)
            named(field, text, tip, height=CONTROL_HEIGHT)
            field.view().setAccessibleName(text)
            field.setMinimumContentsLength(12)
            field.setEditable(True)  # several names with commas, and nodes by their titles
            field.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
            line = field.lineEdit()
            assert line is not None  # an editable one has it
            named(line, text, tip)
            field.editTextChanged.connect(self._show)
            form.addRow(field_name(text), field)
        text = tr("Its pictures are cut out")
        tip = tr("The graph gives pictures with transparency around the thing.")
        self.makes_alpha = named(QCheckBox(text), text, tip, height=24)
        self.makes_alpha.toggled.connect(self._show)
        form.insertRow(2, "", self.makes_alpha)
        row = fill(QHBoxLayout(), (self.shown, 1), self.choose, self.none)
        fill(QVBoxLayout(self), row, self.said, self.inputs)
        self.take(graph)

    @property
    def graph(self) -> OwnGraph | None:
        """What the fields say; None = no file was chosen."""
        if not self._path:
            return None
        names = {key: self._chosen(key) for key in self.fields}
        opaque = names.pop(_OPAQUE)
        if opaque and self.makes_alpha.isChecked():
            names["output"] = f"{names['output']}, {opaque}"
        return OwnGraph(path=self._path, makes_alpha=self.makes_alpha.isChecked(), **names)

    def take(self, graph: OwnGraph | None) -> None:
        """Show a graph that was connected before, or none."""
        self._path = "" if graph is None else graph.path
        if graph is not None:
            known = {key: getattr(graph, key) for key in self.fields if key != _OPAQUE}
            known["output"], _, opaque = graph.output.partition(",")
            known[_OPAQUE] = opaque.strip()
            self.makes_alpha.setChecked(graph.makes_alpha)
            self._read(known)
        self._show()

    def take_file(self, path: Path) -> None:
        """Another file, with what its inputs probably are."""
        self._path = str(path)
        self._read(None)
        self._show()

    def _ask(self) -> None:
        kinds = tr("Graphs of ComfyUI (*.json)")
        ask_open(self, self._settings, tr("Graph of ComfyUI"), kinds, self.take_file)

    def _read(self, known: dict[str, str] | None) -> None:
        self._problem = ""
        try:
            choices = read_graph_file(Path(self._path))
        except GraphFileError as error:
            self._problem = tr(str(error))
            choices = GraphChoices((), (), (), {})
        chosen = choices.likely if known is None else known
        for key, field in self.fields.items():
            self._fill(field, _entries(choices, key), chosen.get(key, ""), key)

    def _fill(
        self, field: DropDown, entries: tuple[GraphEntry, ...], chosen: str, key: str
    ) -> None:
        field.blockSignals(True)
        field.clear()
        unset = tr("The same") if key == _OPAQUE else tr("As in the file")
        field.addItem("" if key in _NEEDED else unset, "")
        for entry in entries:
            field.addItem(entry.shown, entry.name)
        if chosen and field.findData(chosen) < 0:
            field.addItem(chosen, chosen)  # by its title, or gone from the file: the server says
        field.setCurrentIndex(max(0, field.findData(chosen)))
        field.blockSignals(False)

    def _show(self) -> None:
        has_file = bool(self._path)
        self.trouble = self._find_trouble() if has_file else ""
        self.shown.setText(self._path)
        self.shown.setToolTip(self._path)
        self.inputs.setVisible(has_file and not self._problem)
        self._form.setRowVisible(self.fields[_OPAQUE], self.makes_alpha.isChecked())
        self.said.setVisible(bool(self.trouble))
        self.said.setText(self.trouble)
        reason = "" if has_file else tr("no graph file is chosen")
        enable(self.none, tr("Uses the graphs that come with the program again."), reason)
        self.changed.emit()

    def _find_trouble(self) -> str:
        if self._problem:
            return self._problem
        missing = [name for key, name, _ in _rows() if key in _NEEDED and not self._chosen(key)]
        return tr("Choose: {0}.").format(", ".join(missing)) if missing else ""

    def _chosen(self, key: str) -> str:
        """What is typed, or the name that the chosen entry stands for."""
        field = self.fields[key]
        text = field.currentText().strip()
        place = field.findText(text)
        return text if place < 0 else str(field.itemData(place))


def _entries(choices: GraphChoices, key: str) -> tuple[GraphEntry, ...]:
    if key in ("output", _OPAQUE):
        return choices.outputs
    return choices.numbers if key in _NUMBERS else choices.texts


def _rows() -> tuple[tuple[str, str, str], ...]:
    """Key, name and tip of each field."""
    kept = tr("'As in the file' leaves the value of the file.")
    return (
        ("prompt", tr("Prompt"), tr("The input that receives the words of a box.")),
        ("output", tr("Output"), tr("The node whose pictures come back.")),
        (
            _OPAQUE,
            tr("Background output"),
            tr("The node whose pictures have no transparency, for the background."),
        ),
        ("negative", tr("Not shown"), tr("The input for what must not be shown.") + " " + kept),
        ("seed", tr("Seed"), tr("The input that receives the seed.") + " " + kept),
        ("width", tr("Width"), tr("The input that receives the width in pixels.") + " " + kept),
        ("height", tr("Height"), tr("The input that receives the height in pixels.") + " " + kept),
        ("steps", tr("Steps"), tr("The input that receives the number of steps.") + " " + kept),
    )
