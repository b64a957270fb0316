"""Trainers, data and evaluation: imported by the command line, never by the run time."""
