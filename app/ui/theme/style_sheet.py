"""The style sheet of the whole application; `@name` is a colour of `theme.Colours`."""

# A border grows from 1 to 2 px on focus, so padding shrinks by 1 px: nothing jumps.
# Only the vertical padding of combo boxes stays as it is. Qt takes it as the margin of their list,
# once when it makes the list and once when it opens it: if focus changed it, the list would be too
# short for its last entry.
SHEET = """
QMainWindow, QDialog { background: @window; }
QMainWindow::separator { background: @hairline; width: 1px; height: 1px; }
QToolTip { background: @panel; color: @text; border: 1px solid @edge; padding: 4px 8px; }

QMenuBar { background: @window; border-bottom: 1px solid @hairline; padding: 0 8px; }
QMenuBar::item { background: transparent; padding: 6px 8px; border-radius: 4px; }
QMenuBar::item:selected { background: @hover; }
QMenu { background: @panel; border: 1px solid @edge; padding: 4px; }
QMenu::item { padding: 6px 28px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: @hover; color: @text; }
QMenu::item:disabled { color: @disabled; }
QMenu::icon { padding-left: 8px; }
QMenu::separator { height: 1px; background: @hairline; margin: 4px 8px; }

#promptToolBar { background: @window; border: none; padding: 0; spacing: 0; }
#promptBar { background: @window; }
#toolColumn {
    background: @window; border: none; border-right: 1px solid @hairline;
    padding: 8px 4px; spacing: 4px;
}
QStatusBar { background: @window; border-top: 1px solid @hairline; }
QStatusBar::item { border: none; }
QStatusBar QLabel { color: @secondary; padding: 0 4px; }
QStatusBar #statusMessage { color: @text; padding: 0 12px 0 10px; }
QStatusBar #statusEngine { padding: 0 12px 0 4px; }

#panelTitle { background: @window; border-bottom: 1px solid @hairline; }
#panelTitle QLabel { font-weight: 600; }
#inspectorTabs { background: @panel; }
#panelBody { background: @panel; }
#secondary { color: @secondary; }
#warning { color: @outdated; }

QPlainTextEdit, QLineEdit, QSpinBox, QAbstractSpinBox {
    background: @field; color: @text; border: 1px solid @edge; border-radius: 4px;
    padding: 3px 7px; selection-background-color: @accent; selection-color: @on_accent;
    placeholder-text-color: @secondary;
}
QPlainTextEdit:focus, QLineEdit:focus, QSpinBox:focus, QAbstractSpinBox:focus {
    border: 2px solid @accent; padding: 2px 6px;
}
QLineEdit:disabled, QSpinBox:disabled, QPlainTextEdit:disabled {
    color: @disabled; border: 1px solid @hairline; background: transparent;
    placeholder-text-color: @disabled;
}
QAbstractSpinBox QLineEdit, QAbstractSpinBox QLineEdit:focus, QAbstractSpinBox QLineEdit:disabled {
    border: none; padding: 0 7px; background: transparent;
}
QSpinBox::up-button, QSpinBox::down-button,
QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { width: 0; border: none; }

QPushButton, QToolButton {
    background: @raised; color: @text; border: 1px solid transparent; border-radius: 4px;
    padding: 5px 11px;
}
QPushButton:hover, QToolButton:hover { background: @hover; }
QPushButton:pressed, QToolButton:pressed { background: @pressed; }
QPushButton:focus, QToolButton:focus { border: 2px solid @accent; padding: 4px 10px; }
QPushButton:disabled, QToolButton:disabled {
    background: transparent; color: @disabled; border: 1px solid @hairline;
}
QPushButton#zoomMenu { background: transparent; color: @secondary; padding: 2px 7px; }
QPushButton#zoomMenu:hover { background: @hover; }
QPushButton#zoomMenu:focus { border: 2px solid @accent; padding: 1px 6px; }
QToolButton::menu-indicator { image: none; width: 0; }

#generate, #generateMore { background: @accent; color: @on_accent; font-weight: 600; }
#generate { padding: 5px 8px; }
#promptBar #generate { border-top-right-radius: 0; border-bottom-right-radius: 0; }
#generateMore { border-top-left-radius: 0; border-bottom-left-radius: 0; padding: 0; }
#generate:hover, #generateMore:hover { background: @accent_hover; }
#generate:pressed, #generateMore:pressed { background: @accent_pressed; }
#generate:focus { border: 2px solid @text; padding: 4px 7px; }
#generateMore:focus { border: 2px solid @text; }
#generate:disabled, #generateMore:disabled {
    background: @raised; color: @disabled; border: 1px solid transparent;
}
#generate[loading="true"], #generateMore[loading="true"] {
    background: @raised; color: @text; font-weight: 400;
}
#generate[loading="true"]:hover, #generateMore[loading="true"]:hover { background: @hover; }
#stop { padding: 5px 10px; }

QToolButton#quiet, #toolColumn QToolButton { background: transparent; padding: 3px; }
QToolButton#quiet:hover, #toolColumn QToolButton:hover { background: @hover; }
QToolButton#quiet:pressed { background: @pressed; }
QToolButton#quiet:disabled { border: 1px solid transparent; }
QToolButton#quiet:checked { background: @raised; }
QToolButton#quiet:focus, #toolColumn QToolButton:focus { border: 2px solid @accent; padding: 2px; }
#toolColumn QToolButton:checked { background: @hover; }

QProgressBar {
    background: @hairline; border: none; border-radius: 0; max-height: 3px; min-height: 3px;
}
QProgressBar::chunk { background: @accent; }

#messageBar { background: @panel; border-bottom: 1px solid @hairline; }
#messageBar[kind="error"] { border-left: 4px solid @error; }
#messageBar[kind="warning"] { border-left: 4px solid @outdated; }
#messageBar[kind="news"], #messageBar[kind="note"] { border-left: 4px solid @accent; }
#messageDetails { font-family: monospace; }

#layerList { background: @panel; border: none; outline: none; }
#layerFoot { background: @panel; border-top: 1px solid @hairline; }
#candidateStrip {
    background: @panel; border: 1px solid @hairline; border-right: none; border-bottom: none;
    border-top-left-radius: 8px;
}
#stripTitle { font-weight: 600; }
#choiceList { background: @panel; border: none; outline: none; }
#choiceList:focus { border: 2px solid @accent; }
#stripButton { padding: 2px 7px; }
#stripButton:focus { padding: 1px 6px; }
#looksBar { background: @panel; }
#canvasView { background: @surround; border: none; }
#emptyCard { background: @panel; border: 1px solid @hairline; border-radius: 8px; }
#emptyTitle { font-weight: 600; }

QComboBox {
    background: @field; color: @text; border: 1px solid @edge; border-radius: 4px; padding: 3px 7px;
}
QComboBox:focus { border: 2px solid @accent; padding: 3px 6px; }
QComboBox:disabled { color: @disabled; border: 1px solid @hairline; background: transparent; }
QComboBox::drop-down { border: none; width: 20px; }
QComboBox::down-arrow { image: none; }
QFileDialog QComboBox::down-arrow { width: 16px; height: 16px; }
QFileDialog QToolButton { padding: 3px; }
QFileDialog QToolButton:focus { padding: 2px; }
QComboBox QAbstractItemView {
    background: @panel; border: 1px solid @edge; padding: 3px;
    selection-background-color: @hover; selection-color: @text;
}
QComboBox QAbstractItemView::item { padding: 4px 8px; border: none; border-radius: 4px; }
QComboBox QAbstractItemView::item:selected { background: @hover; color: @text; }
QTabWidget::pane { border: none; border-top: 1px solid @hairline; }
QTabBar { background: transparent; }
QTabBar::tab {
    background: transparent; color: @secondary; border: none; border-bottom: 2px solid transparent;
    padding: 6px 12px;
}
QTabBar::tab:hover { color: @text; }
QTabBar::tab:selected { color: @text; border-bottom: 2px solid @accent; }
QTabBar::tab:focus { background: @hover; }
QCheckBox { spacing: 8px; padding: 2px; border: 2px solid transparent; border-radius: 4px; }
QCheckBox:focus { border: 2px solid @accent; }
QCheckBox::indicator {
    width: 14px; height: 14px; border: 1px solid @edge; border-radius: 3px; background: @field;
}
QCheckBox::indicator:checked { background: @accent; border: 1px solid @accent; }
QListWidget { background: @panel; border: 1px solid @hairline; border-radius: 4px; outline: none; }
QListWidget::item { padding: 6px 8px; }
QListWidget::item:selected { background: @hover; color: @text; }
QTableView { background: @panel; border: 1px solid @hairline; outline: none; }
QTableView::item { padding: 0 8px; border: none; }
QTableView::item:focus { background: transparent; }
QHeaderView::section {
    background: @window; color: @secondary; border: none; border-bottom: 1px solid @hairline;
    padding: 6px 8px;
}

QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: 12px; }
QScrollBar:horizontal { height: 12px; }
QScrollBar::handle {
    background: @edge; border-radius: 3px; margin: 3px; min-height: 24px; min-width: 24px;
}
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; border: none; }
"""
