"""The engines of the command line: `--engine NAME`, and `layerloom engines test NAME`.

A name is `builtin`, `comfyui=ADDRESS` or `openai=ADDRESS`, with `#MODEL` after it where another
than the server's first model is meant. A token comes from the environment only, so that it stands
in no history of a shell and no list of processes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from app.cli.jobs import EngineFactory, EngineSession, built_in_session, refuse_engine_options
from app.cli.source import ArgumentProblem
from app.document.errors import UserError
from app.session.client import BUILT_IN, make_engine
from app.session.settings import ledger_path
from engine import EngineError
from engine.remote import (
    Connection,
    OwnGraph,
    RemoteModel,
    ServerKind,
    checked_address,
    open_server,
)

TOKEN_VARIABLE = "LAYERLOOM_TOKEN"
_KINDS: dict[str, ServerKind] = {"comfyui": "comfyui", "openai": "openai"}
_FORMS = f"{BUILT_IN}, comfyui=http://127.0.0.1:8188 or openai=https://gpu.example.org#model"


def session(args: argparse.Namespace, factory: EngineFactory | None) -> EngineSession:
    """The engine that the arguments name."""
    return session_of(args.engine, args, factory)


def session_of(
    name: str, args: argparse.Namespace, factory: EngineFactory | None, *, quiet: bool = False
) -> EngineSession:
    """The engine of a name.

    Raises:
        ArgumentProblem: there is no such engine, or options have no effect on it.
    """
    connection = connection_of(name, args)
    if connection is None:
        return built_in_session(args, factory, quiet=quiet)
    refuse_engine_options(args, f"--engine {BUILT_IN}", "a server makes the pictures")
    _refuse_sampling(args)
    make = make_engine(connection, token(), ledger_path())
    return EngineSession(lambda emit, **_: make(emit), quiet=quiet or args.quiet)


def connection_of(name: str, args: argparse.Namespace) -> Connection | None:
    """The server of an engine's name; None for the built-in engine.

    Raises:
        ArgumentProblem: it is no name of an engine, or its address cannot be used.
    """
    if name == BUILT_IN:
        _refuse_graph(args, name)
        return None
    kind, equals, place = name.partition("=")
    if not equals or kind not in _KINDS:
        raise ArgumentProblem(
            f"'{name}' is no name of an engine.", "Nothing was done.", f"Use {_FORMS}."
        )
    address, _, model = place.partition("#")
    try:
        address = checked_address(address, allows_plain=args.allow_plain)
    except EngineError as error:
        raise ArgumentProblem(str(error), "Nothing was sent.", _plain_advice(error.advice)) from (
            error
        )
    if kind != "comfyui":
        _refuse_graph(args, name)
    return Connection(
        kind=_KINDS[kind],
        address=address,
        model=model,
        allows_plain=args.allow_plain,
        own_graph=_own_graph(args),
    )


def token() -> str | None:
    """The server's token, of the environment variable; None = there is none."""
    return os.environ.get(TOKEN_VARIABLE, "").strip() or None


def _plain_advice(advice: str) -> str:
    """The advice with the option's name where it allows plain http."""
    return advice.replace("allow plain http for this connection", "add --allow-plain")


def _refuse_sampling(args: argparse.Namespace) -> None:
    """Raise ArgumentProblem for options of sampling that a server does not take."""
    given = [
        name
        for name, value in (
            ("--guidance", getattr(args, "guidance", None)),
            ("--clean-colours", getattr(args, "clean_colours", None)),
        )
        if value is not None
    ]
    if given:
        raise ArgumentProblem(
            f"{' and '.join(given)} has no effect on a server: its graph or model decides.",
            "Nothing was done.",
            "Leave it out, or set it on the server.",
        )


def _refuse_graph(args: argparse.Namespace, name: str) -> None:
    if args.graph is not None or args.graph_node:
        raise ArgumentProblem(
            f"--graph is for ComfyUI, not for {name}.", "Nothing was done.", "Leave it out."
        )


def _own_graph(args: argparse.Namespace) -> OwnGraph | None:
    """The user's graph, as `--graph` and `--graph-node` describe it."""
    nodes = dict(args.graph_node)
    if args.graph is None:
        if nodes:
            raise ArgumentProblem(
                "--graph-node needs --graph.", "Nothing was done.", "Name the file of the graph."
            )
        return None
    for needed in ("prompt", "output"):
        if needed not in nodes:
            raise ArgumentProblem(
                f"The graph '{args.graph}' needs --graph-node {needed}=NODE.",
                "Nothing was done.",
                "Look the node's number up in the graph, such as prompt=6.text or output=9.",
            )
    return OwnGraph(
        path=str(Path(args.graph).absolute()), makes_alpha=args.graph_makes_alpha, **nodes
    )


# ---- layerloom engines test ----


def engines(args: argparse.Namespace) -> int:
    """Connect to a server and print what it has; 1 where it cannot draw."""
    connection = connection_of(args.name, args)
    if connection is None:
        raise ArgumentProblem(
            "Built-in needs no connection.", "Nothing was done.", "See layerloom info for it."
        )
    try:
        report = open_server(connection, token()).connect()
    except EngineError as error:
        raise UserError(str(error), "", error.advice) from error
    print(f"{report.title} at {connection.address}")
    for model in report.models:
        for line in _about(model):
            print(line)
    usable = [model for model in report.models if model.is_usable]
    if connection.model and connection.own_graph is None:
        usable = [model for model in usable if model.name == connection.model]
    if not usable:
        what = f"the model '{connection.model}'" if connection.model else "any of its models"
        print(f"This server cannot draw with {what}.", file=sys.stderr)
        return 1
    print(f"Draws with {usable[0].name}.")
    return 0


def _about(model: RemoteModel) -> Sequence[str]:
    """A model in a few lines."""
    lines = [f"{model.name} · {model.title}"]
    memory = "unknown" if model.memory_gb is None else f"about {model.memory_gb:g} GB"
    lines.append(f"  licence   {model.licence or 'unknown: ask its makers before you use it'}")
    lines.append(f"  memory    {memory}")
    lines.append(f"  cut-outs  {'yes' if model.makes_alpha else 'not known, or none'}")
    if model.note:
        lines.append(f"  note      {model.note}")
    lines += [f"  missing   {each}" for each in model.missing]
    return lines
