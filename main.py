"""Starts Layerloom from a checkout: `python main.py [arguments]`, as the `layerloom` command."""

import sys

from app.cli import main

# Worker processes of the trainers import this file again under another name.
if __name__ == "__main__":
    sys.exit(main())
