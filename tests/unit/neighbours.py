"""Functions of which each entry sees its neighbours, with exact derivatives, and a function whose calls are counted."""

from typing import Any

import numpy as np


def broyden(x: Any) -> Any:
    """Return the values of Broyden's tridiagonal system."""
    y = (3 - 2 * x) * x + 1
    y[1:] -= x[:-1]
    y[:-1] -= 2 * x[1:]
    return y


def exact(x: Any) -> Any:
    """Return the Jacobian of that, dense."""
    return np.diag(3 - 4 * x) + np.diag(np.full(x.size - 1, -1.0), -1) + np.diag(np.full(x.size - 1, -2.0), 1)


def gradient(x: Any) -> Any:
    """Return a gradient whose Hessian is tridiagonal."""
    g = x**3
    g[1:] += x[:-1] ** 2 * x[1:]
    g[:-1] += x[1:] ** 2 * x[:-1]
    return g


class Counted:
    """A function, its calls counted."""

    def __init__(self, f: Any) -> None:
        self.f, self.calls = f, 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self.f(*args, **kwargs)
