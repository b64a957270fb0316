"""The sampler as mathematics, with lambdas for models."""

from __future__ import annotations

import math

import pytest
import torch

from engine.errors import Cancelled
from engine.sampling import euler_step, guide, region_noise, sample, timesteps, velocity_towards


def test_schedule_has_the_paper_s_values():
    """28 steps at N = 2697 tokens: mu 0.91319 (docs/art.md 10)."""
    slope = (1.15 - 0.5) / (4096 - 256)
    mu = slope * 2697 + 0.5 - 256 * slope
    levels = timesteps(28, mu)
    assert mu == pytest.approx(0.91319, abs=1e-4)
    assert levels[:3] == pytest.approx([1, 0.9854, 0.9701], abs=1e-4)
    assert levels[13:15] == pytest.approx([0.7420, 0.7137], abs=1e-4)
    assert levels[25:] == pytest.approx([0.2302, 0.1609, 0.0845, 0], abs=1e-4)


def test_schedule_without_shift_is_even():
    assert timesteps(4, 0.0) == pytest.approx([1, 0.75, 0.5, 0.25, 0])


def test_no_steps_is_an_error():
    with pytest.raises(ValueError, match="at least 1"):
        timesteps(0, 0.0)


def test_the_true_clean_tokens_are_reached_exactly():
    """With a perfect prediction every path ends in the data, at any number of steps."""
    clean, noise = torch.randn(1, 5, 3), torch.randn(1, 5, 3)
    for steps in (1, 2, 7):
        found = sample(lambda x, t: velocity_towards(x, clean, t), noise, timesteps(steps, 0.7))
        torch.testing.assert_close(found, clean, rtol=0, atol=1e-5)


def test_velocity_is_noise_minus_data():
    clean, noise = torch.randn(3), torch.randn(3)
    noisy = 0.7 * clean + 0.3 * noise
    torch.testing.assert_close(velocity_towards(noisy, clean, 0.3), noise - clean)
    torch.testing.assert_close(euler_step(noisy, noise - clean, 0.3, 0.0), clean)


def test_guidance_one_is_the_prompt_alone_and_zero_is_none():
    cond, uncond = torch.ones(2), torch.zeros(2)
    assert guide(cond, uncond, 1.0).tolist() == [1, 1]
    assert guide(cond, uncond, 0.0).tolist() == [0, 0]
    assert guide(cond, uncond, 3.0).tolist() == [3, 3]


def test_noise_depends_on_seed_and_size_alone():
    first = region_noise(7, 3, 4, 8)
    torch.manual_seed(123)
    torch.randn(100)  # other draws do not matter
    assert torch.equal(first, region_noise(7, 3, 4, 8))
    assert not torch.equal(first, region_noise(8, 3, 4, 8))
    assert first.std() == pytest.approx(1, abs=0.2)
    assert math.isfinite(first.sum())


def test_a_callback_that_raises_ends_the_loop():
    calls = []

    def stop_at_two(done: int, predicted: torch.Tensor) -> None:
        calls.append(done)
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        sample(lambda x, t: x, torch.zeros(1), timesteps(5, 0.0), stop_at_two)
    assert calls == [1, 2]
