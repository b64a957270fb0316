"""Functions that connect actions to the document, one file per subject."""
