"""Dialogs of what comes in and goes out: recovery, export, questions about files."""
