"""Muon for weight matrices and convolutions, AdamW for the rest, under one learning rate.

Muon (K. Jordan, 2024) orthogonalises the momentum of each matrix by Newton-Schulz iterations. The
update is scaled to AdamW's usual size (0.2 x sqrt of the longer side, arXiv:2502.16982), so that
one learning rate serves both. torch.optim.Muon iterates in bfloat16, which CPUs without products
of it emulate slowly, and takes no convolutions; here matrices of one shape go in one batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from engine.device import has_fast_bfloat16

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
MOMENTUM = 0.95
LEAST_RATE = 0.02  # of the peak, at the end of the decay


def product_dtype(device: torch.device) -> torch.dtype:
    return torch.bfloat16 if has_fast_bfloat16(device) else torch.float32


def mixed_precision(device: torch.device) -> torch.autocast:
    """The context of forward passes: products in bfloat16 where that is faster, else float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_fast_bfloat16(device))


def orthogonalize(matrices: Tensor, steps: int = 3) -> Tensor:
    """Map (n, rows, cols) to about their nearest semi-orthogonal matrices."""
    a, b, c = NEWTON_SCHULZ
    x = matrices.to(product_dtype(matrices.device))
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return (x.mT if tall else x).to(matrices.dtype)


class Muon:
    """Steps matrices, flattened to (out, rest), by Muon and everything else by AdamW.

    `has_stepped`: there are moments, of steps in this process or of a checkpoint.
    """

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        others: Iterable[nn.Parameter],
        weight_decay: float = 0.01,
    ) -> None:
        self.groups: dict[tuple[int, int], list[nn.Parameter]] = {}
        for parameter in matrices:
            shape = (parameter.shape[0], math.prod(parameter.shape[1:]))
            self.groups.setdefault(shape, []).append(parameter)
        self.buffers = {
            shape: torch.zeros(len(group), *shape, device=group[0].device)
            for shape, group in self.groups.items()
        }
        self.weight_decay, self.others = weight_decay, list(others)
        self.adamw = torch.optim.AdamW(self.others, betas=(0.9, 0.98), weight_decay=weight_decay)
        self.has_stepped = False

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """One update at learning rate `lr`; gradients are cleared."""
        for shape, group in self.groups.items():
            gradients = torch.stack(
                [
                    (p.grad if p.grad is not None else torch.zeros_like(p)).reshape(shape)
                    for p in group
                ]
            )
            buffer = self.buffers[shape]
            buffer.lerp_(gradients, 1 - MOMENTUM)
            update = orthogonalize(gradients.lerp(buffer, MOMENTUM))
            update = update * (0.2 * math.sqrt(max(shape)) * lr)
            for parameter, change in zip(group, update, strict=True):
                parameter.mul_(1 - lr * self.weight_decay).sub_(change.reshape(parameter.shape))
                parameter.grad = None
        for settings in self.adamw.param_groups:
            settings["lr"] = lr
        self.adamw.step()
        self.adamw.zero_grad(set_to_none=True)
        self.has_stepped = True

    def state(self) -> dict[str, Tensor]:
        """Everything that a resumed run needs, by name."""
        tensors = {f"muon.{r}x{c}": buffer for (r, c), buffer in self.buffers.items()}
        for index, parameter in enumerate(self.others):
            for name, value in self.adamw.state.get(parameter, {}).items():
                tensors[f"adamw.{index}.{name}"] = torch.as_tensor(value)
        return tensors

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        for (r, c), buffer in self.buffers.items():
            buffer.copy_(tensors[f"muon.{r}x{c}"])
        for index, parameter in enumerate(self.others):
            prefix = f"adamw.{index}."
            found = {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
            if found:
                state = {k: v.to(parameter.device) for k, v in found.items() if k != "step"}
                self.adamw.state[parameter] = {**state, "step": found["step"].cpu()}
        self.has_stepped = True


def split_parameters(
    model: nn.Module, plain: Iterable[str]
) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Matrices for Muon, and the rest: vectors, and every name that contains one of `plain`."""
    matrices, others = [], []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        is_plain = parameter.ndim < 2 or any(word in name for word in plain)
        (others if is_plain else matrices).append(parameter)
    return matrices, others


def learning_rate(progress: float, peak: float, decay_share: float) -> float:
    """The peak, then a linear fall to 2 % of it over the last `decay_share`; progress is 0 to 1."""
    left = (1 - progress) / max(1e-4, decay_share)
    return peak * max(LEAST_RATE, min(1.0, left))


@torch.no_grad()
def update_ema(average: dict[str, Tensor], model: nn.Module, decay: float) -> None:
    for name, parameter in model.named_parameters():
        average[name].lerp_(parameter, 1 - decay)
