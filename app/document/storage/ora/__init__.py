"""The project file: OpenRaster, and what only Layerloom writes into it."""
