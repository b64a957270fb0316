"""Lists of what the program offers, so that a rebuild of the code can show that nothing was lost.

    python tests/inventory/lists.py           adds what is new to the lists in this folder
    python tests/inventory/lists.py --check   prints what the lists have and the program has not

    commands.txt  commands, their options and the values that options allow
    actions.txt   actions of the window and the keys of each, presets included
    formats.txt   what is read and written, choices of each format, blend modes
    settings.txt  settings of the user and of a document
    engine.txt    public names of the engine; for comparison only
    messages.txt  texts that a user may read, found in the source; for comparison only

The first four lists may grow and not shrink: `tests/test_inventory.py` holds the program to them.
To remove something, replace its line by "removed: LINE (REASON)".
"""

from __future__ import annotations

import argparse
import ast
import importlib
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import NoReturn
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent
REMOVED = re.compile(r"removed: (.+) \((.+)\)")
# Folders whose texts no user of the program reads.
INTERNAL = ("engine/training", "engine/benchmarks", "app/benchmarks", "app/testing.py")

logger = logging.getLogger(__name__)


# ---- commands ----


class _Captured(Exception):
    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__()
        self.parser = parser


def _capture(parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
    raise _Captured(parser)


def parser_of(run: Callable[[], object]) -> argparse.ArgumentParser:
    """The parser that a function is about to use; what follows in the function does not run."""
    parser = argparse.ArgumentParser
    with (
        mock.patch.object(parser, "parse_args", _capture),
        mock.patch.object(parser, "parse_known_args", _capture),
    ):
        try:
            run()
        except _Captured as captured:
            return captured.parser
    raise RuntimeError(f"{run} parsed no arguments")


def commands() -> Iterator[str]:
    """Lines such as "generate", "generate --seed" and "export --format png"."""
    from app.cli import FORWARDED
    from app.cli.arguments import build_parser, translate_aliases

    yield from arguments_of("", build_parser())
    yield from arguments_of("", parser_of(lambda: translate_aliases(["--headless"])))
    for group, modules in FORWARDED.items():
        for name, module in modules.items():
            main = importlib.import_module(module).main
            yield f"{group} {name}"
            yield from arguments_of(f"{group} {name} ", parser_of(partial(main, [])))


def arguments_of(prefix: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """The arguments of a parser and of its subcommands, each after the prefix."""
    for action in parser._actions:  # argparse has no public list of them
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield f"{prefix}{name}"
                yield from arguments_of(f"{prefix}{name} ", child)
            continue
        for name in action.option_strings or [action.dest.upper()]:
            yield f"{prefix}{name}"
            yield from (f"{prefix}{name} {value}" for value in action.choices or ())


# ---- the window ----


def actions() -> Iterator[str]:
    """Lines such as "save" and "save: Ctrl+S"; keys that only a preset has name the preset."""
    from app.ui.action_table import SPECS
    from app.ui.key_presets import PRESETS, keys_for

    for spec in SPECS:
        yield spec.name
        yield from (f"{spec.name}: {key}" for key in spec.keys)
    usual = {spec.name: spec.keys for spec in SPECS}
    for preset in PRESETS:
        for name, keys in keys_for(preset, {}).items():
            own = [key for key in keys if key not in usual[name]]
            yield from (f"{name}: {key} ({preset})" for key in own)


# ---- files ----


def formats() -> Iterator[str]:
    from app.document.blends import BLEND_MODES
    from app.document.storage.formats.table import FORMATS
    from app.document.storage.pictures import PICTURE_FORMATS, PICTURE_SUFFIXES

    for form in FORMATS:
        yield f"write {form.key}"
        yield from (f"write {form.key} as {each}" for each in (*form.suffixes, *form.in_one_file))
        yield from (f"write {form.key}: choice {choice}" for choice in form.choices)
        yield from (f"write {form.key}: keeps {feature}" for feature in form.keeps)
        yield from (f"write {form.key}: blend {blend}" for blend in form.blends)
    yield from (f"read picture {name}" for name in PICTURE_FORMATS)
    yield from (f"read picture {suffix}" for suffix in PICTURE_SUFFIXES)
    yield from (f"blend {name}" for name in BLEND_MODES)


def settings() -> Iterator[str]:
    from app.document import Settings as DocumentSettings
    from app.session.settings import Settings as UserSettings

    yield from (f"user: {item.name}" for item in fields(UserSettings))
    yield from (f"document: {item.name}" for item in fields(DocumentSettings))


# ---- for comparison ----


def messages() -> Iterator[str]:
    """Texts in the source of the product that read like words for people.

    That is all that is translated, and other strings of several words that begin with a capital
    letter, but for docstrings and log lines. Parts that are filled in stand as "{}".
    """
    from app.ui.action_table import SPECS
    from app.ui.menus import BAR, SUBMENUS

    for spec in SPECS:
        yield f"{spec.name}: {spec.text}"
    yield from (*BAR, *(title for title, _ in SUBMENUS.values()))
    page = (ROOT / "resources/help.md").read_text(encoding="utf-8")
    yield from (" ".join(part.split()).removeprefix("## ") for part in page.split("\n\n"))
    for file in sorted([*ROOT.glob("app/**/*.py"), *ROOT.glob("engine/**/*.py")]):
        if not file.relative_to(ROOT).as_posix().startswith(INTERNAL):
            yield from texts_in(ast.parse(file.read_text(encoding="utf-8")))


def texts_in(tree: ast.AST) -> Iterator[str]:
    """The texts for people below a node of the source."""
    if isinstance(tree, ast.Call) and ast.unparse(tree.func).startswith("logger."):
        return
    # Rules of actions translate their reasons themselves.
    place = (
        {"tr": 0, "needs": 1}.get(ast.unparse(tree.func)) if isinstance(tree, ast.Call) else None
    )
    if isinstance(tree, ast.Call) and place is not None:
        yield from (
            _text_of(x) for x in tree.args[place : place + 1] if isinstance(x, ast.Constant)
        )
        return
    if isinstance(tree, ast.JoinedStr | ast.Constant):
        text = _text_of(tree)
        if re.match(r"['\"“{(]?[A-Z{&]", text) and re.search(r"[a-z]\S* ", text):
            yield " ".join(text.split())
        return
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
            yield from texts_in(child)


def _text_of(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(
        _text_of(part) if isinstance(part, ast.Constant) else "{}" for part in node.values
    )


# ---- the lists ----

HELD: dict[str, Callable[[], Iterable[str]]] = {
    "commands": commands,
    "actions": actions,
    "formats": formats,
    "settings": settings,
}
COMPARED: dict[str, Callable[[], Iterable[str]]] = {
    "engine": lambda: importlib.import_module("engine").__all__,
    "messages": messages,
}


def read_list(name: str) -> tuple[set[str], dict[str, str]]:
    """The lines of a list that hold, and the reasons for those that were removed."""
    path = FOLDER / f"{name}.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    removed = {found[1]: found[2] for line in lines if (found := REMOVED.fullmatch(line))}
    return {line for line in lines if line and not line.startswith("removed:")}, removed


def write_list(name: str, held: Iterable[str], removed: dict[str, str]) -> None:
    lines = sorted(set(held) - removed.keys())
    lines += [f"removed: {line} ({reason})" for line, reason in sorted(removed.items())]
    (FOLDER / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, print what is gone")
    check = parser.parse_args().check
    gone = 0
    for name, found in {**HELD, **COMPARED}.items():
        held, removed = read_list(name)
        present = set(found())
        for line in sorted(held - present):
            logger.info("%s: %s", name, line)
            gone += name in HELD
        if not check:
            write_list(name, present | (held if name in HELD else set()), removed)
    return min(gone, 1)


if __name__ == "__main__":
    sys.exit(main())
