"""More layers than the model handles: a question which of them to hide before it generates.

Asks only. A hidden layer stays in the picture and in the file; the model sees what the user sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QListWidget, QListWidgetItem, QPushButton, QWidget

from app.document.layer import Layer
from app.document.words import shown_name
from app.ui.text import number, tr
from app.ui.widgets.buttons import accept_or_cancel
from app.ui.widgets.forms import enable, form_column

_ID = Qt.ItemDataRole.UserRole


class HidingDialog(QDialog):
    """One row per layer that takes part, topmost first; ticked ones will be hidden.

    Ticked at first are as many as must be, so that Enter alone is an answer.

    Args:
        layers: the foregrounds that would take part; the first ones are ticked.
        order: layer ids as the layer list shows them, topmost first.
        limit: how many the model handles.
        done: called with the ids of the layers to hide.
    """

    def __init__(
        self,
        parent: QWidget,
        layers: Sequence[Layer],
        order: Sequence[int],
        limit: int,
        done: Callable[[list[int]], None],
    ) -> None:
        super().__init__(parent)
        self._limit = limit
        self._done = done
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Layers to hide"))
        ticked = {layer.id for layer in layers[: max(0, len(layers) - limit)]}
        by_id = {layer.id: layer for layer in layers}
        for layer_id in [each for each in order if each in by_id]:
            item = QListWidgetItem(shown_name(by_id[layer_id]))
            item.setData(_ID, layer_id)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            is_ticked = layer_id in ticked
            item.setCheckState(Qt.CheckState.Checked if is_ticked else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self.heading = QLabel(
            tr(
                "This model handles {0} layers, and {1} would take part. Which ones should be "
                "hidden? They stay in the picture, and undo shows them again."
            ).format(number(limit), number(len(layers)))
        )
        self.heading.setWordWrap(True)
        self.count = QLabel()
        self.hide_button = QPushButton(tr("Hide and Generate"))
        layout = form_column(self, tr("Too many layers"))
        layout.addWidget(self.heading)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.count)
        layout.addWidget(accept_or_cancel(self, self.hide_button))
        self.resize(420, 520)
        self.list.itemChanged.connect(self._refresh)
        self._refresh()

    @property
    def chosen(self) -> list[int]:
        """Ids of the ticked layers, topmost first."""
        items = [self.list.item(row) for row in range(self.list.count())]
        return [item.data(_ID) for item in items if item.checkState() == Qt.CheckState.Checked]

    def accept(self) -> None:
        """Qt override: Enter does nothing while too few are ticked."""
        if self.hide_button.isEnabled():
            chosen = self.chosen
            super().accept()
            self._done(chosen)

    def _refresh(self, _: object = None) -> None:
        ticked = len(self.chosen)
        missing = self.list.count() - self._limit - ticked
        if missing > 0:
            text = tr("{0} will be hidden; tick {1} more.").format(number(ticked), number(missing))
        else:
            text = tr("{0} will be hidden.").format(number(ticked))
        self.count.setText(text)
        enable(
            self.hide_button,
            tr("Hides the ticked layers and generates the others."),
            tr("the model handles fewer layers at once") if missing > 0 else "",
        )
