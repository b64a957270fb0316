"""The program still offers what the lists in `tests/inventory` say it offered."""

from __future__ import annotations

import ast

import pytest

from tests.inventory import lists as inventory


@pytest.mark.parametrize("name", inventory.HELD)
def test_nothing_of_the_list_is_gone(name: str) -> None:
    held, removed = inventory.read_list(name)
    present = set(inventory.HELD[name]())
    gone = held - present
    assert len(held) >= 20
    assert not gone, (
        f"{name}.txt lists what the program no longer has. If this is meant, write "
        f"'removed: LINE (REASON)' instead of the line: {sorted(gone)}"
    )
    assert not removed.keys() & present, "listed as removed, but still there"


@pytest.mark.parametrize("name", inventory.COMPARED)
def test_lists_for_comparison_are_found(name: str) -> None:
    """Their lines may change; the script still finds as many as when they were written."""
    held, _ = inventory.read_list(name)
    present = set(inventory.COMPARED[name]())
    assert len(held & present) > 0.5 * len(held) > 10


def test_options_of_a_known_command_are_listed() -> None:
    """What the lists rest on: subcommands, options, their values, and what is passed on."""
    found = set(inventory.commands())
    assert {
        "generate",
        "generate --layout",
        "generate --boxes",
        "export --format svg",
        "info FILE",
        "--headless",
        "train ship",
        "bench ui --only",
    } <= found


def test_texts_for_people_are_told_from_others() -> None:
    source = '''
"""A docstring of the module."""
def f(name):
    """A docstring, too."""
    logger.info("The log says so: %s", name)
    tr("Save the file"), tr("Close")
    raise StorageError(f"'{name}' is damaged.", "Nothing was " "opened.")
    open("mode", "rb"), "lower case words", "Word"
'''
    assert list(inventory.texts_in(ast.parse(source))) == [
        "Save the file",
        "Close",
        "'{}' is damaged.",
        "Nothing was opened.",
    ]
