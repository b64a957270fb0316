"""The dialog for one connection: where it goes, its token, its model, and a test of it all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.session.connections import SavedConnection
from app.session.server_types import (
    Connection,
    RemoteError,
    ServerReport,
    address_trouble,
    checked_address,
    needs_permission,
)
from app.session.servers import Servers, TokenState
from app.session.settings import Settings
from app.session.tokens import MOST_TOKEN_CHARS, token_trouble
from app.ui.dialogs.graph_fields import GraphFields
from app.ui.engine_texts import details_of, kind_name, licence_text, memory_text, state_text
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, GAP, UNIT
from app.ui.widgets.accessibility import WrappedStatusLabel
from app.ui.widgets.buttons import accept_or_cancel, text_button
from app.ui.widgets.fields import DropDown
from app.ui.widgets.forms import (
    Scrolled,
    dialog_column,
    enable,
    field_name,
    fill,
    form_layout,
    named,
    quiet_label,
    restyle,
)
from app.ui.widgets.server_report import ReportTree

# connection, token as typed ("" = as it is), whether it is to draw from now on.
Accept = Callable[[Connection, str, bool], None]


class ConnectionDialog(QDialog):
    """Fields that are checked while one types; nothing is sent before "Test Connection"."""

    def __init__(
        self,
        parent: QWidget,
        servers: Servers,
        settings: Settings,
        saved: SavedConnection | None,
        accepted: Accept,
    ) -> None:
        super().__init__(parent)
        self._servers = servers
        self._saved = saved
        self._accepted = accepted
        self._test_number = 0  # number of the last test; answers of earlier ones are dropped
        self._token_state = TokenState(False, True)
        connection = saved.connection if saved is not None else None
        self._model = connection.model if connection is not None else ""
        self._make_fields(connection, settings)
        self._make_test()
        text = tr("Add") if saved is None else tr("Save")
        self.save = QPushButton(text)
        self._lay_out()
        self._connect()
        self._show_models(())
        self._on_kind()
        self._on_address_done()

    # ---- making ----

    def _make_fields(self, connection: Connection | None, settings: Settings) -> None:
        kinds = [(kind_name("comfyui"), "comfyui"), (kind_name("openai"), "openai")]
        self.kind = named(DropDown("", kinds), tr("Kind of server"), height=CONTROL_HEIGHT)
        self.kind.view().setAccessibleName(tr("Kinds of servers"))
        self.kind.setToolTip(tr("ComfyUI, or a server with the images interface of OpenAI."))
        tip = tr("Where the server listens, with its port. https for other machines.")
        self.address = named(QLineEdit(), tr("Address"), tip, height=CONTROL_HEIGHT)
        self.address_said = self._said(tr("State of the address"))
        text = tr("Allow http without encryption")
        tip = tr("Prompts, pictures and the token can then be read on the way.")
        self.plain = named(QCheckBox(text), text, tip, height=24)
        tip = tr("The key that the server asks for, if it asks for one.")
        self.token = named(QLineEdit(), tr("Token"), tip, height=CONTROL_HEIGHT)
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.token.setMaxLength(MOST_TOKEN_CHARS)
        self.forget = text_button(tr("Forget"), self._forget_token)
        self.token_said = self._said(tr("State of the token"))
        tip = tr("What the server draws with. Test the connection to see its models.")
        self.model = named(DropDown(), tr("Model"), tip, height=CONTROL_HEIGHT)
        self.model.view().setAccessibleName(tr("Models"))
        self.model.setMinimumContentsLength(20)
        self.graph = GraphFields(settings, connection.own_graph if connection else None)
        text = tr("Draw with this engine now")
        tip = tr("Uses it for the next job. The status bar and the menu Generate switch back.")
        self.use = named(QCheckBox(text), text, tip, height=24)
        self.use.setChecked(self._saved is None)
        if connection is not None:
            self.kind.setCurrentIndex(max(0, self.kind.findData(connection.kind)))
            self.address.setText(connection.address)
            self.plain.setChecked(connection.allows_plain)

    def _make_test(self) -> None:
        tip = tr("Asks the server what it is and which models it has. No prompt is sent.")
        self.test = text_button(tr("Test Connection"), self._start_test, tip)
        self.outcome = self._said(tr("Result of the test"))
        self.report = ReportTree()
        self.report.setMinimumHeight(3 * CONTROL_HEIGHT)
        self.report.hide()

    def _said(self, name: str) -> WrappedStatusLabel:
        label = WrappedStatusLabel(name)
        label.setObjectName("secondary")
        return label

    def _lay_out(self) -> None:
        page = QWidget()
        form = form_layout(page)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(field_name(tr("Kind")), self.kind)
        address = fill(QVBoxLayout(), self.address, self.address_said, self.plain, spacing=UNIT)
        form.addRow(_name_above(tr("Address")), address)
        row = fill(QHBoxLayout(), (self.token, 1), self.forget)
        token = fill(QVBoxLayout(), row, self.token_said, spacing=UNIT)
        form.addRow(_name_above(tr("Token")), token)
        self.graph_name = _name_above(tr("Graph"))
        form.addRow(self.graph_name, self.graph)
        form.addRow(field_name(tr("Model")), self.model)
        form.addRow("", self.use)
        title = tr("Add Connection") if self._saved is None else tr("Edit Connection")
        layout = dialog_column(self, title, spacing=GAP)
        layout.addWidget(Scrolled(page, tr("Connection")), 3)
        self.hint = quiet_label(tr("Nothing is sent before you test or use a connection."))
        layout.addLayout(fill(QHBoxLayout(), self.test, self.hint, None))
        layout.addWidget(self.outcome)
        layout.addWidget(self.report, 2)
        layout.addWidget(accept_or_cancel(self, self.save))
        self.resize(600, 580)
        order = (self.kind, self.address, self.plain, self.token, self.forget)
        graph = (self.graph.shown, self.graph.choose, self.graph.none)
        fields = list(self.graph.fields.values())
        inputs = (*fields[:2], self.graph.makes_alpha, *fields[2:])
        rest = (self.model, self.use, self.test, self.report, self.save)
        for before, after in pairwise((*order, *graph, *inputs, *rest)):
            QWidget.setTabOrder(before, after)

    def _connect(self) -> None:
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.address.textChanged.connect(self._on_change)
        self.address.editingFinished.connect(self._on_address_done)
        self.plain.toggled.connect(self._on_change)
        self.token.textChanged.connect(self._on_change)
        self.graph.changed.connect(self._on_change)
        self.model.activated.connect(self._on_model)

    # ---- what is typed ----

    def done(self, result: int) -> None:
        """Qt override: answers that come later find no dialog."""
        self._test_number = -1
        super().done(result)

    def accept(self) -> None:
        connection = self._connection()
        if connection is not None and not self._trouble():
            self._accepted(connection, self.token.text(), self.use.isChecked())
            super().accept()

    def _connection(self) -> Connection | None:
        """What the fields say; None while the address cannot be used."""
        allows = self.plain.isChecked()
        if address_trouble(self.address.text(), allows_plain=allows):
            return None
        kind = self.kind.currentData()
        graph = self.graph.graph if kind == "comfyui" else None
        return Connection(
            kind=kind,
            address=checked_address(self.address.text(), allows_plain=allows),
            model="" if graph is not None else self._model,
            allows_plain=allows,
            own_graph=graph,
        )

    def _trouble(self) -> str:
        """Why the connection cannot be saved, half a sentence; "" = it can."""
        if not self.address.text().strip():
            return tr("the address is empty")
        if self._connection() is None:
            return tr("the address cannot be used")
        if token_trouble(self.token.text()):
            return tr("the token cannot be used")
        if self.kind.currentData() == "comfyui" and self.graph.trouble:
            return tr("the graph is not connected")
        return ""

    def _on_kind(self) -> None:
        is_comfy = self.kind.currentData() == "comfyui"
        self.graph.setVisible(is_comfy)
        self.graph_name.setVisible(is_comfy)
        ports = {True: "http://127.0.0.1:8188", False: "http://127.0.0.1:8000"}
        self.address.setPlaceholderText(ports[is_comfy])
        self._on_change()

    def _on_change(self) -> None:
        """Say what becomes of what was typed; the last test was of something else."""
        text, allows = self.address.text(), self.plain.isChecked()
        asks = needs_permission(text)
        self.plain.setVisible(asks)
        trouble = address_trouble(text, allows_plain=allows) if text.strip() else ""
        self._say(self.address_said, trouble or self._goes_to(), is_trouble=bool(trouble))
        self._show_token()
        self.model.setEnabled(self.kind.currentData() != "comfyui" or self.graph.graph is None)
        why_not = self._trouble()
        enable(self.save, tr("Keeps the connection."), why_not)
        tip = tr("Asks the server what it is and which models it has. No prompt is sent.")
        enable(self.test, tip, why_not)
        self._test_number += 1
        self._say(self.outcome, "")
        self.report.hide()
        self.hint.show()

    def _goes_to(self) -> str:
        """The address in full where it was typed in short."""
        connection = self._connection()
        typed = self.address.text().strip()
        if connection is None or connection.address == typed:
            return ""
        return tr("Goes to {0}.").format(connection.address)

    def _announce(self, text: str, *, is_trouble: bool = False) -> None:
        """Say how the test ended, to screen readers too: it comes while the focus is elsewhere."""
        self._say(self.outcome, text, is_trouble=is_trouble)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _say(self, label: WrappedStatusLabel, text: str, *, is_trouble: bool = False) -> None:
        label.setText(text)
        restyle(label, "warning" if is_trouble else "secondary")

    # ---- the token ----

    def _on_address_done(self) -> None:
        connection = self._connection()
        if connection is None:
            self._token_state = TokenState(False, self._token_state.is_lasting)
            self._show_token()
            return

        def show(state: TokenState) -> None:
            now = self._connection()
            if self._test_number >= 0 and now is not None and now.address == connection.address:
                self._token_state = state
                self._show_token()

        self._servers.look_at_token(connection.address, show)

    def _show_token(self) -> None:
        state, trouble = self._token_state, token_trouble(self.token.text())
        kept = tr("A token is kept for this address") if state.has_token else tr("None")
        self.token.setPlaceholderText(kept)
        reason = "" if state.has_token else tr("no token is kept for this address")
        enable(self.forget, tr("Deletes the token that is kept for this address."), reason)
        text = tr(trouble)
        if not trouble and self.token.text():
            text = tr("Kept in the system's keyring.")
        if not trouble and not state.is_lasting and (self.token.text() or state.has_token):
            text = tr("Kept until the program ends: this system has no keyring for secrets.")
        self._say(self.token_said, text, is_trouble=bool(trouble))

    def _forget_token(self) -> None:
        def look_again(_: object) -> None:
            if self._test_number >= 0:
                self._on_address_done()

        connection = self._connection()
        if connection is not None:
            self._servers.forget_token(connection.address, look_again)

    # ---- the test ----

    def _start_test(self) -> None:
        connection = self._connection()
        if connection is None or self._trouble():
            return
        self._test_number += 1
        number = self._test_number
        self.report.hide()
        self.hint.hide()
        self._say(self.outcome, tr("Asking {0}…").format(connection.address))

        def done(report: ServerReport) -> None:
            if number == self._test_number:
                self._show_report(report)

        def failed(error: Exception) -> None:
            if number == self._test_number:
                self._show_failure(error)

        self._servers.look(connection, self.token.text(), done, failed)

    def _show_report(self, report: ServerReport) -> None:
        usable = sum(model.is_usable for model in report.models)
        text = tr("%n models can be used.", usable)
        if usable < 2:
            text = tr("1 model can be used.") if usable else tr("None of its models can be used.")
        self._announce(f"{report.title}. {text}", is_trouble=not usable)
        self.report.show_models(
            [
                (
                    (
                        model.title,
                        licence_text(model.licence),
                        memory_text(model.memory_gb),
                        state_text(model),
                    ),
                    details_of(model),
                )
                for model in sorted(report.models, key=lambda each: not each.is_usable)
            ]
        )
        self.report.setVisible(bool(report.models))
        names = [(model.title, model.name) for model in report.models if model.is_usable]
        self._show_models(names)

    def _show_failure(self, error: Exception) -> None:
        text = tr("The test failed: {0}").format(f"{type(error).__name__}: {error}")
        if isinstance(error, RemoteError):
            text = f"{error} {error.advice}"
        self._announce(text, is_trouble=True)

    def _show_models(self, names: list[tuple[str, str]] | tuple[()]) -> None:
        """The models that were found, and the one that is chosen even if it was not."""
        self.model.clear()
        self.model.addItem(tr("The first that can be used"), "")
        for title, name in names:
            self.model.addItem(title, name)
        if self._model and self.model.findData(self._model) < 0:
            self.model.addItem(self._model, self._model)
        self.model.setCurrentIndex(max(0, self.model.findData(self._model)))

    def _on_model(self, place: int) -> None:
        self._model = self.model.itemData(place)


def _name_above(text: str) -> QLabel:
    """The name of a field below which sentences may stand: on the line of the field."""
    label = field_name(text)
    label.setMaximumHeight(max(CONTROL_HEIGHT, label.sizeHint().height()))
    return label
