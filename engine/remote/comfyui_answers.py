"""What ComfyUI's answers mean: its version and device, finished jobs, and errors by node."""

from __future__ import annotations

import json
import re
from typing import Any

from engine.remote.api import RemoteError
from engine.remote.failures import clean

_VARIANT = re.compile(
    r"size mismatch|shapes? cannot be multiplied|must match the size|expected .* channels|"
    r"could not detect model type|invalid .*(?:model|checkpoint|vae)|missing key|unexpected key|"
    r"error\(s\) in loading state_dict|clip input is invalid",
    re.IGNORECASE | re.DOTALL,
)
_MEMORY = re.compile(r"out of memory|not enough memory|allocation on device", re.IGNORECASE)


def version_of(stats: Any, host: str) -> str:
    """ComfyUI's version by `/system_stats`; RemoteError: it is another program."""
    system = stats.get("system") if isinstance(stats, dict) else None
    if not isinstance(system, dict) or "devices" not in stats:
        raise RemoteError(
            "answer",
            f"What answers at {host} is not ComfyUI.",
            "Check the address, or choose the other kind of server.",
        )
    version = system.get("comfyui_version")
    return clean(version) if isinstance(version, str) else ""


def device_of(stats: Any) -> str:
    """The first device with its memory: "NVIDIA GeForce RTX 4090, 24 GB"; "" = none is named."""
    devices = stats.get("devices")
    first = devices[0] if isinstance(devices, list) and devices else None
    if not isinstance(first, dict) or not isinstance(first.get("name"), str):
        return ""
    name = clean(re.sub(r"^cuda:\d+ | : .*$", "", first["name"]))
    size = first.get("vram_total")
    return f"{name}, {size / 2**30:.0f} GB" if isinstance(size, int) and size > 0 else name


def is_finished(entry: dict[str, Any]) -> bool:
    """Whether a job of the history has ended; an entry without a status has too."""
    status = entry.get("status")
    return isinstance(entry.get("outputs"), dict) or isinstance(status, dict)


def stopped(entry: dict[str, Any], host: str) -> RemoteError | None:
    """The error that a finished job ended with; None = it ended well."""
    status = entry.get("status")
    if not isinstance(status, dict) or status.get("status_str") != "error":
        return None
    messages = status.get("messages")
    for message in messages if isinstance(messages, list) else []:
        if not isinstance(message, list) or len(message) != 2 or not isinstance(message[1], dict):
            continue
        kind, data = message
        if kind == "execution_interrupted":
            return RemoteError(
                "refused",
                f"The job was stopped on the server {host}.",
                "Generate again.",
            )
        if kind == "execution_error":
            return _failed(data)
    return RemoteError(
        "refused",
        "ComfyUI ended the job with an error that it does not name.",
        "Look at the server's own messages.",
    )


def files_of(entry: dict[str, Any], output: str) -> list[dict[str, str]]:
    """What `/view` takes for each picture of a node, in order."""
    outputs = entry.get("outputs")
    node = outputs.get(output) if isinstance(outputs, dict) else None
    images = node.get("images") if isinstance(node, dict) else None
    return [
        {
            "filename": image["filename"],
            "subfolder": str(image.get("subfolder", "")),
            "type": str(image.get("type", "output")),
        }
        for image in (images if isinstance(images, list) else [])
        if isinstance(image, dict) and isinstance(image.get("filename"), str)
    ]


def not_taken(content: bytes, host: str) -> RemoteError:
    """The error for a graph that `/prompt` refused, with the nodes by name."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = {}
    reasons = list(_node_reasons(data.get("node_errors") if isinstance(data, dict) else None))
    error = data.get("error") if isinstance(data, dict) else None
    if not reasons and isinstance(error, dict):
        reasons = [_joined(error)]
    elif not reasons and isinstance(error, str):
        reasons = [error]
    said = clean("; ".join(reasons)) or "it does not say why"
    return RemoteError(
        "refused",
        f"ComfyUI at {host} did not take the graph: {said}.",
        "Test the connection to see what is missing, or update ComfyUI.",
    )


def _failed(data: dict[str, Any]) -> RemoteError:
    said = clean(str(data.get("exception_message", "")))
    node = f"{clean(str(data.get('node_type', '?')))} ({clean(str(data.get('node_id', '?')))})"
    if _MEMORY.search(said):
        return RemoteError(
            "refused",
            f"The server's memory is not enough: node {node} says {said}",
            "Make the picture smaller, close what else uses the GPU, or choose a smaller model.",
        )
    if _VARIANT.search(said):
        return RemoteError(
            "refused",
            f"The model files of the graph do not fit together: node {node} says {said}",
            "One of the files is another variant or version. Use the files that the connection's "
            "test names, or update ComfyUI.",
        )
    return RemoteError(
        "refused",
        f"ComfyUI stopped at node {node}: {said or 'no reason is given'}",
        "Look at the server's own messages, then try again.",
    )


def _node_reasons(errors: Any) -> Any:
    for key, found in errors.items() if isinstance(errors, dict) else ():
        if isinstance(found, dict):
            causes = found.get("errors")
            reasons = [_joined(e) for e in causes if isinstance(e, dict)] if causes else []
            yield f"node {found.get('class_type', '?')} ({key}): {', '.join(reasons)}"


def _joined(error: dict[str, Any]) -> str:
    return " ".join(
        str(error[name]).rstrip(". ") for name in ("message", "details") if error.get(name)
    )
