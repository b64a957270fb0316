"""Scores of what a model draws."""
