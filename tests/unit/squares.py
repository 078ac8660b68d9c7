"""The sum of squares at a point, with a right claim and a wrong one."""

from typing import Any

import numpy as np

X = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.5]])


def f(x: Any) -> float:
    """Return the sum."""
    return float(np.sum(x**2))


def gradient(x: Any) -> Any:
    """Return its gradient."""
    return 2 * x


def off_by_one(x: Any) -> Any:
    """Return a gradient with one wrong entry, x[1, 2]."""
    g = 2 * x
    g[1, 2] += 1
    return g
