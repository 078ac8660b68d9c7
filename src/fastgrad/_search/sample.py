"""A random choice of entries, and what it says of all of them."""

import math
from collections.abc import Callable

import numpy as np

from fastgrad._choices import log_of_choices
from fastgrad._typing import IndexArray

#: Entries measured where no budget says how many.
ENTRIES = 1000
#: Calls that a sample leaves for second looks, as a share of its budget.
RESERVE = 0.2
#: The probability with which the share of wrong entries lies above, or below, its interval.
TAIL = 0.05


def choose(n: int, calls: int, seed: int) -> IndexArray:
    """Return the flat indices, in order, of as many of n entries as can be measured with so many calls."""
    count = min(n, max(1, int(calls * (1.0 - RESERVE)) // 2))
    return np.sort(np.random.default_rng(seed).choice(n, count, replace=False)).astype(np.intp)


def share_of_wrong(wrong: int, measured: int, n: int) -> tuple[float, float]:
    """Return what share of n entries may be wrong when so many of those measured are.

    Either end is exceeded with a probability of at most 5 % (Clopper and Pearson, Biometrika 26, 1934); with none wrong
    the upper one is about 3/measured. Where everything was measured, the share is known.
    """
    if measured >= n:
        return (wrong / n, wrong / n) if n else (0.0, 0.0)
    low = _solve(lambda p: _at_most(measured - wrong, measured, 1.0 - p)) if wrong else 0.0
    high = 1.0 - _solve(lambda q: _at_most(wrong, measured, 1.0 - q)) if wrong < measured else 1.0
    return max(low, wrong / n), min(high, 1.0 - (measured - wrong) / n)


def _solve(probability: Callable[[float], float]) -> float:
    """Return p at which a probability that rises with p from 0 reaches the tail."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if probability(middle) < TAIL else (low, middle)
    return low


def _at_most(k: int, n: int, p: float) -> float:
    """Return the probability of at most k successes in n trials."""
    if p <= 0.0 or k >= n:
        return 1.0
    if p >= 1.0:
        return 0.0
    i = np.arange(k + 1)
    logs = np.array([log_of_choices(n, j) for j in range(k + 1)])
    return float(np.sum(np.exp(logs + i * math.log(p) + (n - i) * math.log1p(-p))))
