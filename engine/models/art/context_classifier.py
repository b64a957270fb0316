"""Context classifier: which word of the prompt a context layer shows, from its cached values.

A small network of its own, trained on a finished transformer that stays as it is. Among the words
of the prompt it finds the right one for 99 of 100 context layers; a linear map of the last block's
means, trained with the rest, found 78 (docs/experiments/recogniser.md).

Shapes: L context layers, F features, T text tokens.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DROPOUT = 0.1  # of features in training: pixels that people paint are like none of the art


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextClassifierConfig:
    """Sizes of the classifier.

    Attributes:
        features: numbers per layer, see `layer_features`.
        text_width: of a text token.
        width: of the hidden layer.
        key_width: of what is compared.
    """

    features: int
    text_width: int
    width: int = 384
    key_width: int = 256

    def to_dict(self) -> dict:
        return asdict(self)


class ContextClassifier(nn.Module):
    """Compares context layers with the words of a prompt."""

    def __init__(self, config: ContextClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.dropout = nn.Dropout(DROPOUT)
        self.hidden = nn.Linear(config.features, config.width)
        self.query = nn.Linear(config.width, config.key_width)
        self.key = nn.Linear(config.text_width, config.key_width)

    def forward(self, features: Tensor, txt: Tensor) -> Tensor:
        """(B, L, T) logits: which text token each layer shows; 0 = none of the words.

        Args:
            features: (B, L, F) from `layer_features`.
            txt: (B, T, text_width) from the text encoder.
        """
        query = self.query(F.gelu(self.hidden(self.dropout(features))))
        return query @ self.key(txt).mT / math.sqrt(self.config.key_width)


def layer_features(values: Tensor) -> Tensor:
    """What there is to see in one layer: mean and maximum of its values, block by block.

    Args:
        values: (blocks, heads, n, head_dim) of n tokens, as the region token cache keeps them.

    Returns:
        (F,) with F = 2 x blocks x heads x head_dim.
    """
    parts = [values.mean(dim=2).flatten(1), values.amax(dim=2).flatten(1)]  # (blocks, width) each
    normed = [F.layer_norm(part.float(), part.shape[-1:], eps=1e-6) for part in parts]
    return torch.cat(normed).flatten()


def feature_count(blocks: int, width: int) -> int:
    """F of a transformer with so many blocks of this width."""
    return 2 * blocks * width
