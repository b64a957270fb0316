"""The canvas: view, scene, items and mouse tools."""
