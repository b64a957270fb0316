"""ComfyUI graphs as data: the shipped ones, a user's own, and a job's values in their inputs.

A shipped graph is a file in `resources/graphs`: the graph in ComfyUI's API format, and a header of
ours that names licence, memory, files, and the nodes and fields that a job sets.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.paths import resource_path
from engine.remote.api import OwnGraph, PictureJob, RemoteError

Nodes = dict[str, dict[str, Any]]
_MOST_BYTES = 8 << 20  # of a graph file
_SETTABLE = ("prompt", "negative", "seed", "width", "height", "steps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The end of a graph that gives one kind of picture, and what the prompt gets for it."""

    output: str  # id of the node whose pictures are fetched
    prefix: str = ""
    suffix: str = ""
    negative: str = ""  # goes before the job's own
    pictures: int = 1  # how many the node gives
    takes: int = 1  # which of them is the one, counted from 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededFile:
    """A file of the server that a field of a node names."""

    field: str  # "1.unet_name"
    folder: str  # where it belongs, from ComfyUI's folder
    names: tuple[str, ...]  # any of them will do, the best first; () = any file


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A graph with its header."""

    name: str
    title: str
    nodes: Nodes
    fields: Mapping[str, tuple[str, ...]]  # of `_SETTABLE` -> "node.field" each
    cutout: Ending | None  # None = the graph makes no transparency
    opaque: Ending | None
    licence: str = ""
    memory_gb: float | None = None
    makes_alpha: bool = False
    note: str = ""
    server: str = ""  # the oldest ComfyUI that has what the graph needs; "" = its nodes tell
    choices: str = ""  # a field whose every file makes a choice of its own
    files: tuple[NeededFile, ...] = ()
    is_own: bool = False

    def ending(self, *, alpha: bool) -> Ending:
        """The end for a cut-out or an opaque picture; RemoteError: the graph has none."""
        found = self.cutout if alpha else self.opaque
        if found is None:
            raise RemoteError(
                "refused",
                f"The graph “{self.title}” makes opaque pictures, and this layer is a cut-out.",
                "Choose a graph that makes transparency, or add a background-removal node to it "
                "and mark it as one that does.",
            )
        return found

    def fingerprint(self) -> str:
        """SHA-256 of the nodes with their files, without what a job sets."""
        nodes = copy.deepcopy(self.nodes)
        for field in (field for fields in self.fields.values() for field in fields):
            node, name = field.rsplit(".", 1)
            nodes[node]["inputs"].pop(name, None)
        for each in nodes.values():
            each.pop("_meta", None)
        return hashlib.sha256(json.dumps(nodes, sort_keys=True).encode()).hexdigest()


def shipped_graphs() -> tuple[Graph, ...]:
    """The graphs of `resources/graphs`, those that make transparency themselves first."""
    files = sorted(resource_path("graphs").glob("*.json"))
    graphs = [_shipped(path) for path in files]
    return tuple(sorted(graphs, key=lambda graph: (not graph.makes_alpha, "weak" in graph.note)))


def own_graph(own: OwnGraph) -> Graph:
    """A user's graph; RemoteError: the file cannot be read or lacks a node that was named."""
    path = Path(own.path)
    nodes = _nodes_of(_read(path), path.name)
    outputs = [_node_id(nodes, each, path.name) for each in own.output.split(",")]
    if len(outputs) > (2 if own.makes_alpha else 1):
        raise _unusable(
            path.name,
            f"{len(outputs)} outputs are named",
            "Name one, and for a graph of cut-outs a second one for opaque pictures.",
        )
    cutout, opaque = Ending(output=outputs[0]), Ending(output=outputs[-1])
    fields = {}
    for name in _SETTABLE:
        if typed := getattr(own, name):
            fields[name] = tuple(_field(nodes, each, path.name) for each in typed.split(","))
    if "prompt" not in fields:
        raise _unusable(path.name, "no input for the prompt is named", "Name it: 6.text.")
    graph = Graph(
        name=f"own/{path.name}",
        title=path.stem,
        nodes=nodes,
        fields=fields,
        cutout=cutout if own.makes_alpha else None,
        opaque=opaque,
        makes_alpha=own.makes_alpha,
        note="your own graph: its licence and memory are those of its models",
        is_own=True,
    )
    for ending in (cutout, opaque):
        used = needed_nodes(graph, ending)
        for name, places in fields.items():
            if not any(place.rsplit(".", 1)[0] in used for place in places):
                raise _unusable(
                    path.name,
                    f"its {name} input ({', '.join(places)}) does not lead to the output "
                    f"{ending.output}",
                    "Name an input whose node is connected to the output.",
                )
    return graph


def filled(graph: Graph, job: PictureJob) -> Nodes:
    """The nodes for one job, without those that its picture does not need."""
    ending = graph.ending(alpha=job.alpha)
    nodes = needed_nodes(graph, ending)
    negative = ", ".join(filter(None, [ending.negative, job.negative]))
    values: dict[str, object] = {
        "prompt": f"{ending.prefix}{job.prompt}{ending.suffix}",
        "negative": negative or None,
        "seed": job.seed,
        "width": job.width,
        "height": job.height,
        "steps": job.steps,
    }
    for name, value in values.items():
        fields = graph.fields.get(name, ())
        if value is None:
            continue
        if not fields and name == "steps":
            raise RemoteError(
                "refused",
                f"The graph “{graph.title}” has no input for the number of steps.",
                "Leave the number of steps to the model, or name the input.",
            )
        for field in fields:
            node, key = field.rsplit(".", 1)
            if node in nodes:
                nodes[node]["inputs"][key] = value
    return nodes


def with_file(graph: Graph, field: str, file: str) -> Graph:
    """The graph with a file of the server in one of its fields."""
    nodes = copy.deepcopy(graph.nodes)
    node, key = field.rsplit(".", 1)
    nodes[node]["inputs"][key] = file
    return replace(graph, nodes=nodes)


def links_of(node: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """The fields of a node that come from another node: its id and the number of its output."""
    return {
        name: (str(value[0]), value[1])
        for name, value in node["inputs"].items()
        if isinstance(value, list) and len(value) == 2 and isinstance(value[1], int)
    }


def needed_nodes(graph: Graph, ending: Ending) -> Nodes:
    """Copies of the nodes that lead to an ending, in the order of the file."""
    nodes = copy.deepcopy(graph.nodes)
    seen: set[str] = set()
    waiting = [ending.output]
    while waiting:
        name = waiting.pop()
        if name not in seen and name in nodes:
            seen.add(name)
            waiting += [source for source, _ in links_of(nodes[name]).values()]
    return {name: node for name, node in nodes.items() if name in seen}


def _shipped(path: Path) -> Graph:
    data = _read(path)
    header = data["layerloom"]
    files = tuple(
        NeededFile(field=file["input"], folder=file["folder"], names=tuple(file["names"]))
        for file in header.get("files", ())
    )
    return Graph(
        name=path.stem,
        title=header["title"],
        nodes=data["graph"],
        fields={name: tuple(fields) for name, fields in header["inputs"].items()},
        cutout=Ending(**header["cutout"]),
        opaque=Ending(**header["opaque"]),
        licence=header["licence"],
        memory_gb=header["memory_gb"],
        makes_alpha=header["makes_alpha"],
        note=header["note"],
        server=header.get("server", ""),
        choices=header.get("choices", ""),
        files=files,
    )


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise _unusable(path.name, f"it cannot be read ({reason})", "Choose the file again.") from (
            error
        )
    if len(data) > _MOST_BYTES:
        raise _unusable(path.name, "it is larger than 8 MB", "Choose a graph in API format.")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _unusable(path.name, "it is no JSON", "Choose a graph in API format.") from error


def _nodes_of(data: Any, name: str) -> Nodes:
    advice = "In ComfyUI, use Workflow > Export (API), and choose that file."
    if isinstance(data, dict) and isinstance(data.get("nodes"), list):
        raise _unusable(name, "it is a workflow for ComfyUI's window, not in API format", advice)
    if isinstance(data, dict) and isinstance(data.get("prompt"), dict):
        data = data["prompt"]
    is_graph = isinstance(data, dict) and data
    if not is_graph or not all(
        isinstance(node, dict)
        and isinstance(node.get("class_type"), str)
        and isinstance(node.get("inputs"), dict)
        for node in data.values()
    ):
        raise _unusable(name, "it is no graph in API format", advice)
    return {str(key): node for key, node in data.items()}


def _node_id(nodes: Nodes, typed: str, name: str) -> str:
    """The id of a node that is named by its id or by its title."""
    typed = typed.strip()
    if typed in nodes:
        return typed
    titled = [key for key, node in nodes.items() if _title(node) == typed]
    if len(titled) == 1:
        return titled[0]
    if titled:
        raise _unusable(name, f"it has {len(titled)} nodes titled “{typed}”", "Use the node's id.")
    known = ", ".join(f"{key} ({_title(node)})" for key, node in list(nodes.items())[:12])
    raise _unusable(name, f"it has no node “{typed}”", f"It has: {known}.")


def _title(node: Mapping[str, Any]) -> str:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return title if isinstance(title, str) and title else str(node["class_type"])


def _field(nodes: Nodes, typed: str, name: str) -> str:
    node, _, key = typed.strip().rpartition(".")
    if not node:
        raise _unusable(name, f"“{typed}” names no field", "Write node and field: 6.text.")
    found = _node_id(nodes, node, name)
    if key not in nodes[found]["inputs"]:
        known = ", ".join(nodes[found]["inputs"])
        raise _unusable(name, f"its node {node} has no field “{key}”", f"It has: {known}.")
    return f"{found}.{key}"


def _unusable(name: str, reason: str, advice: str) -> RemoteError:
    return RemoteError("missing", f"The graph '{name}' cannot be used: {reason}.", advice)
