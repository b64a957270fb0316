"""Dialogs: all open without blocking the event loop and answer by a function or a signal."""
