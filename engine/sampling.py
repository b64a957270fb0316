"""Flow-matching sampler: schedule, guidance, Euler step and loop. Pure functions.

Time runs as in FLUX and ART: t = 1 is noise, t = 0 is data, x_t = (1 - t) x_0 + t eps, and the
velocity is eps - x_0. Source: `docs/art.md` 5.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor

FIRST_LEVEL = 1.0  # of every schedule: nothing but noise
CODE_SIGNS = slice(1, 3)  # of `region_choice`: those that name a foreground's drawing


def timesteps(num_steps: int, mu: float) -> list[float]:
    """Descending levels from 1 to 0, `num_steps` + 1 of them.

    `mu` is fixed per model: a schedule that follows the number of tokens, as ART's, would change
    every layer when one is added, and would break the exact cache.
    """
    if num_steps < 1:
        raise ValueError(f"num_steps must be at least 1, not {num_steps}")
    base = [1 - i / num_steps for i in range(num_steps)]
    return [shift_timestep(s, mu) for s in base] + [0.0]


def shift_timestep(s: float, mu: float) -> float:
    """e^mu / (e^mu + 1/s - 1): more steps at high noise for mu > 0. 0 < s <= 1."""
    return math.exp(mu) / (math.exp(mu) + (1 / s - 1))


def velocity_towards(noisy: Tensor, predicted: Tensor, t: float) -> Tensor:
    """Velocity of the path through x_t = `noisy` that ends in `predicted` clean tokens."""
    return (noisy - predicted) / t


def guide(conditional: Tensor, unconditional: Tensor, cfg_scale: float) -> Tensor:
    """True classifier-free guidance (Ho and Salimans, 2022)."""
    return unconditional + cfg_scale * (conditional - unconditional)


def euler_step(x: Tensor, v: Tensor, t: float, t_next: float) -> Tensor:
    """One step along the velocity."""
    return x + (t_next - t) * v


def sample(
    velocity: Callable[[Tensor, float], Tensor],
    noise: Tensor,
    levels: list[float],
    on_step: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """Integrate from noise to data.

    Args:
        velocity: (x_t, t) -> velocity, guidance included.
        noise: x_1.
        levels: from `timesteps`.
        on_step: called after each step with the steps done and the clean tokens that the step
            predicts, x_t - t v; may raise to cancel.
    """
    x = noise
    for i, (t, t_next) in enumerate(itertools.pairwise(levels)):
        v = velocity(x, t)
        before, x = x, euler_step(x, v, t, t_next)
        if on_step is not None:
            on_step(i + 1, before - t * v)
    return x


def region_noise(seed: int, h: int, w: int, width: int) -> Tensor:
    """(h*w, width) noise of one region: depends on its seed and its size in tokens alone.

    Drawn on the CPU, whose generator is the same on every machine with this torch version.
    """
    generator = torch.Generator("cpu").manual_seed(seed)
    return torch.randn(h * w, width, generator=generator)


def region_choice(seed: int, count: int) -> Tensor:
    """(count,) numbers, each -1 or 1: what the seed decides for a region as a whole."""
    generator = torch.Generator("cpu").manual_seed(seed)
    return torch.randint(0, 2, (count,), generator=generator).float() * 2 - 1


def thing_code(seed: int, count: int) -> Tensor:
    """(count,) what the seed decides for a foreground: two signs name one of four drawings, 0 else.

    The first sign is that of `is_mirrored`, so that drawing and mirror image are independent.
    """
    signs = region_choice(seed, count)
    code = torch.zeros(count)
    code[CODE_SIGNS] = signs[CODE_SIGNS]
    return code


def is_mirrored(seed: int) -> bool:
    """Whether a seed shows a foreground mirrored left to right, as one in two does."""
    return bool(region_choice(seed, 1)[0] > 0)
