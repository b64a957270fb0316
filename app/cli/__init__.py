"""The `layerloom` command: `main` reads the arguments, runs a subcommand, returns an exit code."""

from app.cli.main import BAD_ARGUMENTS, FAILED, FORWARDED, INTERRUPTED, OK, main

__all__ = ["BAD_ARGUMENTS", "FAILED", "FORWARDED", "INTERRUPTED", "OK", "main"]
