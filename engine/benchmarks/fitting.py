"""Cost models: least squares on relative errors, costs not negative, errors on unseen cases.

Shapes: C cases, F features.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def powers(tokens: np.ndarray, degree: int) -> np.ndarray:
    """(C,) tokens -> (C, degree + 1): 1, n, n^2, ... with n in thousands of tokens."""
    return np.stack([(tokens / 1000) ** k for k in range(degree + 1)], axis=1)


def fit(features: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(F,) coefficients with the least relative error, none of them negative.

    A cost that falls with more work would predict nonsense, so the most negative one goes and the
    others are fitted again.

    Args:
        features: (C, F); values: (C,) above 0.
    """
    used = list(range(features.shape[1]))
    while True:
        weighted = features[:, used] / values[:, None]
        found = np.linalg.lstsq(weighted, np.ones_like(values), rcond=None)[0]
        if (found >= 0).all() or len(used) == 1:
            result = np.zeros(features.shape[1])
            result[used] = found
            return result
        used.pop(int(found.argmin()))


def errors_left_out(features: np.ndarray, values: np.ndarray) -> list[float]:
    """|predicted / true - 1| of each case by the fit to all the others."""
    errors = []
    for i in range(len(values)):
        kept = np.arange(len(values)) != i
        predicted = features[i] @ fit(features[kept], values[kept])
        errors.append(abs(float(predicted / values[i]) - 1))
    return errors


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
