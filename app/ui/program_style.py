"""The program's style: Fusion, with tooltips after 600 ms instead of its 700 (3.7)."""

from __future__ import annotations

from PySide6.QtWidgets import QProxyStyle, QStyle, QStyleHintReturn, QStyleOption, QWidget

TIP_DELAY_MS = 600


class ProgramStyle(QProxyStyle):
    """Fusion on every platform. The application owns it, as it does any style."""

    def __init__(self) -> None:
        super().__init__("Fusion")

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        returnData: QStyleHintReturn | None = None,
    ) -> int:
        """Qt override."""
        if hint == QStyle.StyleHint.SH_ToolTip_WakeUpDelay:
            return TIP_DELAY_MS
        return super().styleHint(hint, option, widget, returnData)
