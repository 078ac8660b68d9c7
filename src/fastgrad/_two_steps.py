"""The error bars of second derivatives: what differences with another step than the first show."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from fastgrad._typing import Array, Float64Array

T = TypeVar("T")

#: A bar is so many times the truncation that two steps show, and so many units of half a last place in each value.
SAFETY, UNITS = 3.0, 4.0


def with_other_steps(
    plan_of: Callable[[Float64Array], T], steps_of: Callable[[T], Float64Array], h: Any
) -> tuple[T, float]:
    """Return the plan with twice the steps, or with half of them where the bounds leave no room, and that factor."""
    plan = plan_of(2 * h)
    if np.any(steps_of(plan) < 1.5 * h):
        return plan_of(h / 2), 0.5
    return plan, 2.0


def truncation(value: Array, other: Array, factor: float) -> Float64Array:
    """Return how far truncation may put a value off, by another with so many times its steps: it grows as a square."""
    with np.errstate(all="ignore"):
        apart = np.abs(value.astype(np.float64) - other)
        return np.asarray(SAFETY * apart / abs(factor**2 - 1.0))
