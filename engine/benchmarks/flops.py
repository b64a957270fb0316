"""How many floating-point operations a step is made of, by formula and by counting.

The formula (`docs/art.md` 6.1) serves where a thing is too large to be run; the counter sees every
matrix product that torch is really asked for, and a test holds the two together. A multiplication
with its addition counts as two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode


def block_flops(tokens: int, width: int, mlp_ratio: int = 4) -> int:
    """One block, double or single, over `tokens` of text and image together.

    Query, key, value and output are 4 width^2 per token, the MLP 2 ratio width^2, and attention
    reads every token from every token, for the scores and again for the values.
    """
    return 2 * tokens * width**2 * (4 + 2 * mlp_ratio) + 4 * tokens**2 * width


@dataclass(frozen=True, slots=True)
class Product:
    """Shape of a matrix product: `kind` "linear" is (rows, in) x (in, out); "attention" is
    (batch x heads, queries, keys, head_dim), both of its products.
    """

    kind: str
    shape: tuple[int, ...]

    @property
    def flops(self) -> int:
        total = 4 if self.kind == "attention" else 2
        for size in self.shape:
            total *= size
        return total


class ProductCounter(TorchFunctionMode):
    """Counts the matrix products between enter and exit, by shape.

    Attributes:
        found: how often each shape was asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[Product] = Counter()

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is F.linear:
            x, weight = args[:2]
            rows = x.numel() // x.shape[-1]
            self.found[Product("linear", (rows, weight.shape[1], weight.shape[0]))] += 1
        elif func is F.scaled_dot_product_attention:
            q, k = args[:2]
            batch = q.shape[:-2].numel()
            self.found[Product("attention", (batch, q.shape[-2], k.shape[-2], q.shape[-1]))] += 1
        elif func in (torch.mm, torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__):
            x, y = args[:2]
            rows = x.numel() // x.shape[-1]
            self.found[Product("linear", (rows, x.shape[-1], y.shape[-1]))] += 1
        elif func is torch.addmm:
            x, y = args[1:3]
            self.found[Product("linear", (x.shape[0], x.shape[1], y.shape[1]))] += 1
        return func(*args, **kwargs)


def total_flops(found: Counter[Product]) -> int:
    """All products together."""
    return sum(product.flops * count for product, count in found.items())
