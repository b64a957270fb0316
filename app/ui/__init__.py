"""The window: everything that imports PySide6. Never imports torch or the engine's insides."""
