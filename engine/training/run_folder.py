"""A training run's folder: its log, its checkpoints, and how to resume from them.

Checkpoints are safetensors of float tensors plus one JSON state in the metadata; no pickle. Files
larger than 15 MiB are split so that each part stays under 16 MiB.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

PART_BYTES = 15 * 2**20


class RunFolder:
    """Folder of one run: `log.jsonl`, `checkpoint-N.safetensors` parts and pictures."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def log(self, **values: float | int | str) -> None:
        """Append one JSON line with the wall time; also print it."""
        line = json.dumps({"time": round(time.time(), 1), **values})
        with (self.path / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        print(line, flush=True)

    def save(self, tensors: dict[str, Tensor], state: dict) -> None:
        """Write a checkpoint beside the old one, then put it in place (a kill loses nothing)."""
        parts: list[dict[str, Tensor]] = [{}]
        size = 0
        for name, tensor in tensors.items():
            # A tensor that alone passes the limit is cut along its flat length.
            flat = tensor.detach().cpu().contiguous()
            pieces = flat.reshape(-1).split(PART_BYTES // 4)
            for index, piece in enumerate(pieces):
                if size + piece.nbytes > PART_BYTES and parts[-1]:
                    parts.append({})
                    size = 0
                key = f"{name}#{index}#{','.join(map(str, flat.shape))}"
                parts[-1][key] = piece.clone()
                size += piece.nbytes
        stamp = f"{int(time.time() * 1000)}"
        names = []
        for index, part in enumerate(parts):
            name = f"checkpoint-{stamp}-{index}.safetensors"
            save_file(part, self.path / name, metadata={"part": str(index)})
            names.append(name)
        manifest = self.path / "checkpoint.json"
        temporary = self.path / "checkpoint.json.tmp"
        temporary.write_text(json.dumps({"parts": names, "state": state}), encoding="utf-8")
        os.replace(temporary, manifest)
        for old in self.path.glob("checkpoint-*.safetensors"):
            if old.name not in names:
                old.unlink()

    def load(self) -> tuple[dict[str, Tensor], dict] | None:
        """The last complete checkpoint, or None when there is none."""
        manifest = self.path / "checkpoint.json"
        if not manifest.exists():
            return None
        content = json.loads(manifest.read_text(encoding="utf-8"))
        pieces: dict[str, list[tuple[int, Tensor]]] = {}
        shapes: dict[str, tuple[int, ...]] = {}
        for name in content["parts"]:
            with safe_open(self.path / name, framework="pt") as file:
                for key in file.keys():
                    tensor_name, index, shape = key.split("#")
                    pieces.setdefault(tensor_name, []).append((int(index), file.get_tensor(key)))
                    shapes[tensor_name] = tuple(int(n) for n in shape.split(",") if n)
        tensors = {
            name: torch.cat([piece for _, piece in sorted(found, key=lambda p: p[0])]).reshape(
                shapes[name]
            )
            for name, found in pieces.items()
        }
        return tensors, content["state"]
