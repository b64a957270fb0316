"""`python -m app`: the `layerloom` command without its installed script."""

import sys

from app.cli import main

# Worker processes of the trainers import this module again under another name.
if __name__ == "__main__":
    sys.exit(main())
