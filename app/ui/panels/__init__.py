"""The panels around the canvas: prompt bar, inspector, layer list, messages, status."""
