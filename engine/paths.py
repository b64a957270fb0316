"""Where the files that travel with the program are: model, word table, examples.

A checkout, an editable install and an installed wheel all keep
`resources` next to the packages `app` and `engine`, so one rule finds it everywhere.
"""

from pathlib import Path

_RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def resource_path(*parts: str) -> Path:
    """Path of a shipped file or folder, which need not exist: `resource_path("examples")`."""
    return _RESOURCES.joinpath(*parts)
