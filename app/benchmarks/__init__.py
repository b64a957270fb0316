"""Timing and endurance of the application: long runs that the suite has short forms of."""
