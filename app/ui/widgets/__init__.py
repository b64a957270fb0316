"""The widget kit: small parts that panels and dialogs share. Refers to no document."""
