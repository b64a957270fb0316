"""Trainers, data and evaluation: imported by the command line only, never by the engine's run time."""
