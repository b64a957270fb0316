"""Larger dialogs, one a file; the small ones are in `app.ui.dialogs`."""
