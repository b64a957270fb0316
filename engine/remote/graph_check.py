"""Whether a ComfyUI server has what a graph needs, by its `/object_info`, before it is queued.

`/object_info` names each node with its inputs; the inputs for files list the files that are there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.remote.api import RemoteModel
from engine.remote.graphs import Graph, Nodes, links_of, needed_nodes, with_file

Schema = Mapping[str, Any]
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Choice:
    """A graph with the server's files in it, and its line in the report."""

    graph: Graph
    model: RemoteModel


def choices_of(graph: Graph, schema: Schema, version: str) -> tuple[Choice, ...]:
    """What a server can make of a graph: one choice, or one for each file of `graph.choices`."""
    if not graph.choices:
        return (_choice(graph, schema, version),)
    files = options_at(graph, schema, graph.choices) or []
    if not files:
        return (_choice(graph, schema, version),)
    return tuple(
        _choice(
            replace(
                with_file(graph, graph.choices, file),
                name=f"{graph.name}/{file}",
                title=f"{graph.title}: {file}",
            ),
            schema,
            version,
        )
        for file in files
    )


def options_at(graph: Graph, schema: Schema, field: str) -> list[str] | None:
    """The values that a server offers for a field; None = it is no list there."""
    node, key = field.rsplit(".", 1)
    spec = _spec(schema.get(graph.nodes[node]["class_type"]), key)
    return None if spec is None else options(spec)


def options(spec: Any) -> list[str] | None:
    """The values of an input, in both spellings of the schema; None = it is no list."""
    if not isinstance(spec, list) or not spec:
        return None
    if isinstance(spec[0], list):
        return [value for value in spec[0] if isinstance(value, str)]
    more = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
    if spec[0] == "COMBO" and isinstance(more.get("options"), list):
        return [value for value in more["options"] if isinstance(value, str)]
    return None


def problems_of(graph: Graph, nodes: Nodes, schema: Schema) -> Iterator[str]:
    """What keeps a server from running nodes of a graph, half a sentence each."""
    unknown = sorted({node["class_type"] for node in nodes.values()} - set(schema))
    yield from (f"node {name}" for name in unknown)
    for key, node in nodes.items():
        if (info := schema.get(node["class_type"])) is not None:
            yield from _of_node(graph, nodes, schema, key, info)


def _choice(graph: Graph, schema: Schema, version: str) -> Choice:
    missing: list[str] = []
    if graph.server and version and _numbers(version) < _numbers(graph.server):
        missing.append(f"ComfyUI {graph.server} or newer (this is {version})")
    for file in graph.files:
        offered = options_at(graph, schema, file.field)
        if offered is None:
            continue  # the node is not there, which is said below
        found = _found(file.names, offered)
        node, key = file.field.rsplit(".", 1)
        if found is not None and not (not file.names and graph.nodes[node]["inputs"][key]):
            graph = with_file(graph, file.field, found)
        elif found is None:
            named = file.names[0] if file.names else "any file"
            missing.append(f"{named} in {file.folder}")
    files = {file.field for file in graph.files}
    endings = [ending for ending in (graph.cutout, graph.opaque) if ending is not None]
    needed: Nodes = {}
    for ending in endings:
        needed |= needed_nodes(graph, ending)
    missing += [p for p in problems_of(graph, needed, schema) if not _is_said(p, files)]
    model = RemoteModel(
        name=graph.name,
        title=graph.title,
        licence=graph.licence,
        makes_alpha=graph.cutout is not None,
        memory_gb=graph.memory_gb,
        missing=tuple(dict.fromkeys(missing)),
        note=graph.note,
        fingerprint=graph.fingerprint(),
    )
    return Choice(graph, model)


def _found(names: tuple[str, ...], offered: list[str]) -> str | None:
    """The first of the names that is offered, in whatever folder; any, where there are no names."""
    if not names:
        return offered[0] if offered else None
    by_name = {re.split(r"[/\\]", value)[-1].lower(): value for value in reversed(offered)}
    return next((by_name[name.lower()] for name in names if name.lower() in by_name), None)


def _is_said(problem: str, files: set[str]) -> bool:
    """Whether a problem is one of a file's field, which the list of files names better."""
    return any(problem.startswith(f"{field} ") for field in files)


def _of_node(
    graph: Graph, nodes: Nodes, schema: Schema, key: str, info: Mapping[str, Any]
) -> Iterator[str]:
    node = nodes[key]
    place = f"{node['class_type']} ({key})"
    required = _inputs(info, "required")
    known = required | _inputs(info, "optional")
    for name in sorted(set(required) - set(node["inputs"])):
        yield f"input {name} of node {place}, which it needs"
    links = links_of(node)
    for name, value in node["inputs"].items():
        if name not in known:
            if not graph.is_own:  # nodes of others may take inputs that the schema does not list
                yield f"input {name} of node {place}: it has none of that name"
        elif name in links:
            yield from _of_link(nodes, schema, place, name, known[name], links[name])
        elif (problem := _of_value(known[name], value)) and not _is_set(graph, f"{key}.{name}"):
            yield f"{key}.{name} of node {place}: {problem}"


def _of_link(
    nodes: Nodes, schema: Schema, place: str, name: str, spec: Any, link: tuple[str, int]
) -> Iterator[str]:
    source, number = link
    if source not in nodes:
        yield f"node {source}, which input {name} of node {place} is connected to"
        return
    info = schema.get(nodes[source]["class_type"])
    if info is None:
        return
    outputs = info.get("output", [])
    if number >= len(outputs):
        yield f"output {number} of node {nodes[source]['class_type']} ({source})"
        return
    given, wanted = outputs[number], spec[0] if isinstance(spec, list) and spec else "*"
    if not _fits(given, wanted):
        yield f"input {name} of node {place}: it takes {wanted}, not {given}"


def _fits(given: object, wanted: object) -> bool:
    if not isinstance(given, str) or not isinstance(wanted, str):
        return True
    kinds = set(wanted.split(","))
    return given == "*" or "*" in kinds or bool(kinds & set(given.split(",")))


def _of_value(spec: Any, value: object) -> str:
    """What is wrong with a value for an input; "" = nothing."""
    offered = options(spec)
    if offered is not None:
        return "" if value in offered else f"{value!r} is not there"
    more = spec[1] if isinstance(spec, list) and len(spec) > 1 else {}
    if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(more, dict):
        return ""
    low, high = more.get("min", value), more.get("max", value)
    return "" if low <= value <= high else f"{value} is outside {low} to {high}"


def _is_set(graph: Graph, field: str) -> bool:
    """Whether a job sets the field, so that its value in the file does not matter."""
    return any(field in fields for fields in graph.fields.values())


def _inputs(info: Mapping[str, Any], kind: str) -> dict[str, Any]:
    found = info.get("input", {})
    found = found.get(kind) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _spec(info: Any, key: str) -> Any:
    if not isinstance(info, dict):
        return None
    return (_inputs(info, "required") | _inputs(info, "optional")).get(key)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBERS.findall(version)[:3])
