"""Benchmarks of the engine: imported by the command line only."""
