"""The `layerloom` command: reads arguments, imports what a subcommand needs, runs it.

Without arguments, or with a project file alone, it opens the window. Every other use works
without a display and without Qt. Messages and progress go to stderr, answers to stdout.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# Nothing heavier is imported up here: the help comes at once, and Ctrl+C is heard from the start.
from app.cli.arguments import build_parser, translate_aliases

OK, FAILED, BAD_ARGUMENTS, INTERRUPTED = 0, 1, 2, 130
FORWARDED = {
    "train": {
        "sprites": "engine.training.data.sprites",
        "words": "engine.training.data.word_table",
        "autoencoder": "engine.training.trainers.autoencoder",
        "transformer": "engine.training.trainers.transformer",
        "recogniser": "engine.training.trainers.context_classifier",
        "refiner": "engine.training.trainers.refiner",
        "judge": "engine.training.trainers.judge",
        "ship": "engine.training.export",
        "things": "engine.training.things",
        "evaluate": "engine.training.eval.evaluate",
    },
    "bench": {
        "engine": "engine.benchmarks.bench",
        "reliability": "tests.reliability.bench",
        "ui": "app.benchmarks.ui.bench",
    },
}
HEADLESS_HINT = "layerloom generate --prompt TEXT --layout FILE --out FOLDER"


EngineFactory = Callable[..., Any]


def main(argv: Sequence[str] | None = None, *, engine_factory: EngineFactory | None = None) -> int:
    """Run the command.

    Args:
        argv: arguments without the program's name; None = those of the process.
        engine_factory: makes the engine; None = the real one. Called like `engine.Engine`.

    Returns:
        0 done, 1 failed, 2 bad arguments, 130 stopped by Ctrl+C.
    """
    # Not inherited by default where Python starts without a UTF-8 locale; texts use ×, … and ·.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _guarded(arguments, engine_factory)
    except KeyboardInterrupt:
        _say("Stopped. Nothing else was written. Run the same command to try again.")
        code = INTERRUPTED
    _leave_if_engine_hangs(code)
    return code


def _guarded(arguments: list[str], engine_factory: EngineFactory | None) -> int:
    """Turn what went wrong into a message and an exit code."""
    if arguments and arguments[-1] in ("-h", "--help") and arguments[0] not in FORWARDED:
        return _parse(arguments)[1]
    from app.cli.source import ArgumentProblem, Interrupted
    from app.document.errors import UserError

    try:
        return _run(translate_aliases(arguments), engine_factory)
    except Interrupted:
        raise KeyboardInterrupt from None
    except UserError as error:
        _say(str(error))
        return BAD_ARGUMENTS if isinstance(error, ArgumentProblem) else FAILED
    except BrokenPipeError:
        # The reader of our answer closed it (`layerloom info | head`). Python would complain
        # once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        from app.document.storage.errors import advice_on, cause_of
        from app.document.storage.names import shown_path

        logging.getLogger(__name__).info("a file operation failed", exc_info=True)
        where = f"'{shown_path(Path(os.fsdecode(error.filename)))}'" if error.filename else "A file"
        _say(
            f"{where} could not be used: {cause_of(error)}. Files on the disk are intact. "
            f"{advice_on(error)}"
        )
        return FAILED
    except Exception as error:
        if "--verbose" in arguments or (arguments and arguments[0] in FORWARDED):
            raise
        _say(
            f"Something in the program went wrong: {error or type(error).__name__}. "
            "Files on the disk are intact. "
            "Run the same command with --verbose and send its output with a report."
        )
        return FAILED


def _run(arguments: list[str], engine_factory: EngineFactory | None) -> int:
    if not arguments:
        return _open_window(None)
    if len(arguments) == 1 and arguments[0].lower().endswith(".ora"):
        return _open_window(Path(arguments[0]))
    if arguments[0] in FORWARDED:
        return _forward(arguments)
    parsed, code = _parse(arguments)
    if parsed is None:
        return code
    if parsed.verbose:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    else:
        # The engine logs tracebacks; --verbose shows them.
        logging.getLogger().addHandler(logging.NullHandler())
    home = {
        "generate": "generate",
        "regenerate": "generate",
        "layout": "layout",
        "engines": "engines",
        "batch": "batch",
    }
    module = importlib.import_module(f"app.cli.{home.get(parsed.command, 'files')}")
    run = getattr(module, parsed.command)
    needs_engine = parsed.command not in ("export", "models", "layout", "engines")
    return int(run(parsed, engine_factory) if needs_engine else run(parsed))


def _parse(arguments: list[str]) -> tuple[argparse.Namespace | None, int]:
    """The parsed arguments, or None and an exit code when argparse has said all there is to say."""
    try:
        return build_parser().parse_args(arguments), OK
    except SystemExit as error:
        return None, error.code if isinstance(error.code, int) else BAD_ARGUMENTS


# ---- the window, and what is only passed on ----


def _open_window(path: Path | None) -> int:
    from app.document.errors import UserError

    if path is not None:
        _check_file(path)
    if sys.platform == "linux" and not any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    ):
        _say(f"There is no display, so no window was opened. Without one, use: {HEADLESS_HINT}")
        return FAILED
    try:
        from app.ui.application import run_gui
    except ImportError as error:
        # A missing system library shows up here, as an ImportError that names it.
        raise UserError(
            f"Qt could not be loaded: {error}.",
            "Nothing was opened.",
            f"Install the missing library, or work without a window: {HEADLESS_HINT}",
        ) from error
    return run_gui(path)


def _check_file(path: Path) -> None:
    """Refuse a file that is not there before Qt is loaded; the window says what else is wrong."""
    from app.cli.source import ArgumentProblem
    from app.document.storage.errors import cause_of
    from app.document.storage.names import shown_path

    name = shown_path(path)
    try:
        os.stat(path)
    except FileNotFoundError as error:
        raise ArgumentProblem(
            f"'{name}' does not exist.", "Nothing was opened.", "Check the name of the file."
        ) from error
    except OSError as error:
        raise ArgumentProblem(
            f"'{name}' cannot be opened: {cause_of(error)}.",
            "Nothing was opened.",
            "Check the file and its folder.",
        ) from error


def _forward(arguments: list[str]) -> int:
    """`train NAME …` and `bench NAME …`: the module of that name reads its own arguments."""
    from app.cli.source import ArgumentProblem
    from app.document.errors import UserError

    group, rest = arguments[0], arguments[1:]
    names = FORWARDED[group]
    if rest and rest[0] in ("-h", "--help"):
        print(f"usage: layerloom {group} {'|'.join(names)} [arguments, or --help]")
        print(f"Works in a checkout of the repository: ./dev run {group} …")
        return OK
    if not rest or rest[0] not in names:
        asked = f"'{rest[0]}' is not one of them" if rest else "it is missing"
        raise ArgumentProblem(
            f"layerloom {group} needs a name, and {asked}.",
            "Nothing was done.",
            f"Choose one of: {', '.join(names)}.",
        )
    module = _module_in_checkout(names[rest[0]], " ".join(arguments[:2]))
    try:
        return int(module.main(rest[1:]) or OK)
    except FileNotFoundError as error:  # an earlier step was not done; the error names it
        raise UserError(f"{error}.", "Nothing was changed.") from error


def _module_in_checkout(name: str, command: str) -> Any:
    """The module of a command; UserError in the installed package, which has no trainers."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A package that the module itself needs is another problem.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        from app.document.errors import UserError

        raise UserError(
            f"The installed package does not include 'layerloom {command}'.",
            "Nothing was done.",
            f"Get the repository of Layerloom, and in it run: ./dev run {command}",
        ) from error


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _leave_if_engine_hangs(code: int) -> None:
    """torch aborts the process when the interpreter ends while one of its operations runs."""
    if any(thread.name == "layerloom-engine" for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
