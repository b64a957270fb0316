"""The training loop of every trainer: run folder, resuming, schedule, signals, log, processes.

A trainer builds an `Objective`, which has the networks and gives batches, losses and scores, and
passes it to `train`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.training.trainers.optim import Muon, learning_rate, update_ema

PART_BYTES = 15 * 2**20
LOG_EVERY = 50  # steps
State = dict[str, Any]


class RunFolder:
    """Folder of one run: `log.jsonl`, `checkpoint-N.safetensors` parts and pictures.

    Checkpoints are safetensors of float tensors plus one JSON state. Files larger than 15 MiB are
    split so that each part stays under 16 MiB.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def log(self, **values: float | int | str) -> None:
        """Append one JSON line with the wall time; also print it."""
        line = json.dumps({"time": round(time.time(), 1), **values})
        with (self.path / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        print(line, flush=True)

    def save(self, tensors: dict[str, Tensor], state: State) -> None:
        """Write a checkpoint next to the old one, then put it in place: a kill loses nothing."""
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
        temporary = self.path / "checkpoint.json.tmp"
        temporary.write_text(json.dumps({"parts": names, "state": state}), encoding="utf-8")
        os.replace(temporary, self.path / "checkpoint.json")
        for old in self.path.glob("checkpoint-*.safetensors"):
            if old.name not in names:
                old.unlink()

    def load(self) -> tuple[dict[str, Tensor], State] | None:
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


def load_run(path: Path, kind: str) -> tuple[dict[str, Tensor], State]:
    """The last checkpoint of the run of `layerloom train KIND`.

    Raises FileNotFoundError: there is none; names the command that makes one.
    """
    loaded = RunFolder(path).load() if path.is_dir() else None
    if loaded is None:
        raise FileNotFoundError(f"no {kind} in {path}: run `layerloom train {kind}` first")
    return loaded


def part_of(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    """One part of a checkpoint, "model", "ema" (averaged weights) or "optimizer"."""
    return {k[len(part) + 1 :]: v for k, v in tensors.items() if k.startswith(f"{part}.")}


# ---- options ----


def add_loop_options(
    parser: argparse.ArgumentParser, *, steps: int, batch: int, lr: float, decay: float,
    threads: int | None = None, device: bool = True, run: Path | None = None,
) -> None:  # fmt: skip
    """The options of `train`; `run` is the default folder of trainers that resume."""
    add = parser.add_argument
    add("--steps", type=int, default=steps)
    add("--minutes", type=float, default=1e9)
    add("--batch", type=int, default=batch)
    add("--lr", type=float, default=lr)
    add("--decay", type=float, default=decay, help="share of the run that decays")
    if device:
        add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add("--threads", type=int, default=threads or os.cpu_count())
    add("--seed", type=int, default=0)
    if run is not None:
        add("--run", type=Path, default=run)
        add("--checkpoint-minutes", type=float, default=10)


def prepare(args: argparse.Namespace) -> tuple[torch.device, int]:
    """Set threads and seed, join the other processes of torchrun; the device and the rank."""
    if "WORLD_SIZE" in os.environ:
        has_gpu = torch.cuda.is_available()
        args.device = f"cuda:{os.environ['LOCAL_RANK']}" if has_gpu else "cpu"
        dist.init_process_group("nccl" if has_gpu else "gloo")
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    return torch.device(getattr(args, "device", "cpu")), int(os.environ.get("RANK", 0))


# ---- the loop ----


class Objective(ABC):
    """What a trainer learns."""

    model: nn.Module  # the networks in training
    # networks of the same kind for the moving average; None = no average is kept
    averaged: nn.Module | None = None
    optimizer: Muon  # steps the parameters of `model`
    state: State  # JSON values that a resumed run needs; the loop adds "step" and "elapsed"

    @abstractmethod
    def batch(self) -> Any:
        """The next batch, on the device of the model."""

    @abstractmethod
    def loss(self, batch: Any) -> tuple[Tensor, dict[str, Tensor | float]]:
        """The loss, and numbers for the log, whose means over `LOG_EVERY` steps are logged."""

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Scores on held-out data, of `averaged` where there is one."""

    def picture(self, folder: Path) -> None:
        """Write a picture that shows the progress, with each checkpoint; none by default."""
        return

    def resume(self, tensors: dict[str, Tensor]) -> None:
        """Take weights, averages and moments from a checkpoint."""
        device = next(self.model.parameters()).device
        self.model.load_state_dict(part_of(tensors, "model"))
        if self.averaged is not None:
            average = {name: p.detach().clone() for name, p in self.model.named_parameters()}
            self.averaged.load_state_dict({**average, **part_of(tensors, "ema")})
        if moments := part_of(tensors, "optimizer"):
            self.optimizer.load_state({k: v.to(device) for k, v in moments.items()})

    def begin(self) -> None:
        """Start the average at the weights of `model`, in a run without a checkpoint."""
        if self.averaged is not None:
            self.averaged.load_state_dict(self.model.state_dict())

    def tensors(self) -> dict[str, Tensor]:
        found = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        if self.averaged is not None:
            found |= {f"ema.{k}": v for k, v in self.averaged.named_parameters()}
        return found | {f"optimizer.{k}": v for k, v in self.optimizer.state().items()}


def train(
    objective: Objective,
    args: argparse.Namespace,  # of `add_loop_options`; `minutes` and `decay` are of this call
    # None = nothing is saved, and the log goes to standard output alone
    run: RunFolder | None = None,
    *,
    warmup: int = 50,  # steps in which the rate rises, after the optimizer's start
    average: float = 0.999,  # the largest weight of the old moving average in a step
    check_every: int = 500,  # steps between two validations
) -> int:
    """Train until the steps or the minutes are over, or until SIGTERM; returns the run's steps.

    The first process of a group writes log and checkpoints, the last one at the end.
    """
    stopping: list[int] = []
    handler = signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    is_first = not dist.is_initialized() or dist.get_rank() == 0
    step = first = objective.state.setdefault("step", 0)
    elapsed = objective.state.setdefault("elapsed", 0.0)
    # A grown run starts without moments, which have to build up first.
    warm_from = 0 if objective.optimizer.has_stepped else step
    means = None if objective.averaged is None else dict(objective.averaged.named_parameters())
    started = last_save = time.monotonic()
    sums: dict[str, float] = {}
    ends = False
    while step < args.steps and not ends:
        batch = objective.batch()
        loss, numbers = objective.loss(batch)
        loss.backward()
        # All processes have to end in the same step, and to step by the same rate.
        passed = (time.monotonic() - started) / 60 / args.minutes
        passed, stops = average_gradients(objective.model, (passed, float(bool(stopping))))
        ends = passed >= 1 or stops > 0
        progress = max((step - first) / max(1, args.steps - first), passed)
        rate = learning_rate(progress, args.lr, args.decay)
        rate *= min(1.0, (step - warm_from + 1) / warmup)
        objective.optimizer.step(rate)
        if means is not None:
            update_ema(means, objective.model, min(average, (step + 1) / (step + 15)))
        step += 1
        for name, value in numbers.items():
            sums[name] = sums.get(name, 0.0) + torch.as_tensor(value).item()
        seconds = time.monotonic() - started
        objective.state |= {"step": step, "elapsed": elapsed + seconds}
        if not is_first:
            continue
        if step % LOG_EVERY == 0:
            logged = {name: round(total / LOG_EVERY, 5) for name, total in sums.items()}
            _log(run, step=step, **logged, lr=round(rate, 6), seconds=round(elapsed + seconds, 1))
            sums.clear()
        if step % check_every == 0:
            _log(run, step=step, **objective.validate())
        if run is not None and (time.monotonic() - last_save) / 60 > args.checkpoint_minutes:
            save(objective, run)
            last_save = time.monotonic()
    signal.signal(signal.SIGTERM, handler)
    if is_first:
        save(objective, run)
        _log(run, step=step, done=1, **objective.validate())
    if dist.is_initialized():
        dist.destroy_process_group()
    return step


def save(objective: Objective, run: RunFolder | None) -> None:
    """A checkpoint, and the objective's picture."""
    if run is not None:
        run.save(objective.tensors(), objective.state)
        objective.picture(run.path)


def _log(run: RunFolder | None, **values: float | int | str) -> None:
    if run is None:
        print(json.dumps(values), flush=True)
    else:
        run.log(**values)


def average_gradients(model: nn.Module, numbers: Sequence[float]) -> list[float]:
    """Mean of the gradients over all processes of a group, in place; also the mean `numbers`.

    A process whose batch had no use for some parameter adds zeros for it: which heads a batch needs
    differs, and every process has to send the same.
    """
    if not dist.is_initialized():
        return list(numbers)
    parameters = [p for p in model.parameters() if p.requires_grad]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    parts = [*(gradient.flatten() for gradient in gradients), gradients[0].new_tensor(numbers)]
    flat = torch.cat(parts)
    dist.all_reduce(flat)
    *means, found = (flat / dist.get_world_size()).split([len(part) for part in parts])
    for parameter, mean in zip(parameters, means, strict=True):
        parameter.grad = mean.view_as(parameter)
    return found.tolist()
