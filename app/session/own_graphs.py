"""What a ComfyUI graph of the user offers to connect: its inputs and its nodes for pictures.

Reads the file only. Whether the server has the nodes is looked up there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_GRAPH_BYTES = 16 << 20
# Nodes whose pictures a client can fetch, by the beginning of their class names.
_SAVES = ("SaveImage", "PreviewImage", "SaveAnimated", "SaveWEBM")
_NEGATIVE = ("negative", "neg ")


class GraphFileError(Exception):
    """The file is no graph of ComfyUI in the API format; the text is for the user."""


@dataclass(frozen=True, slots=True)
class GraphEntry:
    """One thing to connect: "6.text", and what to show for it: "6.text · Positive Prompt"."""

    name: str
    shown: str


@dataclass(frozen=True, slots=True)
class GraphChoices:
    """What can be connected.

    Attributes:
        likely: what is probably meant by each field of `OwnGraph`; "" = nothing is.
    """

    texts: tuple[GraphEntry, ...]
    numbers: tuple[GraphEntry, ...]
    outputs: tuple[GraphEntry, ...]
    likely: dict[str, str]


def read_graph_file(path: Path) -> GraphChoices:
    """The choices of a graph file.

    Raises:
        GraphFileError: it cannot be read, or is no graph in the API format.
    """
    nodes = _nodes(path)
    texts, numbers = [], []
    for node_id, node in nodes.items():
        title = _title(node)
        for field, value in node["inputs"].items():
            entry = GraphEntry(f"{node_id}.{field}", f"{node_id}.{field} · {title}")
            if isinstance(value, str):
                texts.append(entry)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                numbers.append(entry)
    # Nodes that save or preview first; packages of nodes have others that do.
    saving = sorted(nodes, key=lambda node_id: not _saves(nodes[node_id]))
    outputs = [GraphEntry(each, f"{each} · {_title(nodes[each])}") for each in saving]
    choices = GraphChoices(tuple(texts), tuple(numbers), tuple(outputs), {})
    choices.likely.update(_likely(nodes, choices))
    return choices


def _nodes(path: Path) -> dict[str, dict[str, Any]]:
    try:
        if path.stat().st_size > MOST_GRAPH_BYTES:
            raise GraphFileError(f"'{path.name}' is too large for a graph.")
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise GraphFileError(f"'{path.name}' cannot be read as JSON.") from error
    if isinstance(data, dict) and "nodes" in data and "links" in data:
        raise GraphFileError(
            f"'{path.name}' is a workflow of the editor. Save it with Workflow ▸ Export (API)."
        )
    is_graph = isinstance(data, dict) and data and all(map(_is_node, data.values()))
    if not is_graph:
        raise GraphFileError(
            f"'{path.name}' is no graph in the API format. Save it with Workflow ▸ Export (API)."
        )
    nodes: dict[str, dict[str, Any]] = data
    return nodes


def _is_node(node: object) -> bool:
    return (
        isinstance(node, dict)
        and isinstance(node.get("class_type"), str)
        and isinstance(node.get("inputs"), dict)
    )


def _title(node: dict[str, Any]) -> str:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return title if isinstance(title, str) and title else str(node["class_type"])


def _saves(node: dict[str, Any]) -> bool:
    return str(node["class_type"]).startswith(_SAVES)


def _likely(nodes: dict[str, dict[str, Any]], choices: GraphChoices) -> dict[str, str]:
    """The fields by their usual names; the positive prompt is the first that is not negative."""
    negatives = _negative_nodes(nodes)
    prompts = [
        each.name for each in choices.texts if each.name.partition(".")[2] in ("text", "prompt")
    ]
    found = {
        "prompt": next((name for name in prompts if name.partition(".")[0] not in negatives), ""),
        "negative": next((name for name in prompts if name.partition(".")[0] in negatives), ""),
        "output": next((each for each, node in nodes.items() if _saves(node)), ""),
    }
    for key, fields in (
        ("seed", ("seed", "noise_seed")),
        ("width", ("width",)),
        ("height", ("height",)),
        ("steps", ("steps",)),
    ):
        names = (each.name for each in choices.numbers)
        found[key] = next((name for name in names if name.partition(".")[2] in fields), "")
    return found


def _negative_nodes(nodes: dict[str, dict[str, Any]]) -> set[str]:
    """Nodes whose text is what the picture must not show: by their link or by their title."""
    linked = [node["inputs"].get("negative") for node in nodes.values()]
    found = {str(link[0]) for link in linked if isinstance(link, list) and link}
    titled = {
        node_id for node_id, node in nodes.items() if _title(node).casefold().startswith(_NEGATIVE)
    }
    return found | titled
