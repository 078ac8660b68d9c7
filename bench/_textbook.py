"""The loops that a reader of the textbook would write: the baselines, with the arithmetic and the copies they have."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fastgrad._typing import Array


def numerical_gradient(f: Callable[[Array], float], x: Array, eps: float = 1e-5) -> Array:
    """Two copies of x an entry."""
    grad = np.zeros_like(x)
    for i in range(len(x)):
        above, below = x.copy(), x.copy()
        above[i] += eps
        below[i] -= eps
        grad[i] = (f(above) - f(below)) / (2 * eps)
    return grad


def weights_in_place(
    loss: Callable[[], float], W: Array, entries: Iterable[tuple[int, int]], eps: float = 1e-5
) -> Array:
    """Move the weights of a layer one by one where they are; return the differences, zero at entries not asked for."""
    grad = np.zeros_like(W)
    for i, j in entries:
        W[i, j] += eps
        above = loss()
        W[i, j] -= 2 * eps
        below = loss()
        W[i, j] += eps
        grad[i, j] = (above - below) / (2 * eps)
    return grad


def descend(A: Array, b: Array, rate: float, n_steps: int, *, mean: bool, tidy: bool) -> tuple[Array, list[Any]]:
    """Gradient descent on ‖Ax − b‖², or on its mean; one A @ x a step.

    As printed, the gradient is ``2 * A.T @ r``, which multiplies a copy of A by two; tidy, it is ``2 * (A.T @ r)``.
    """
    factor = 2 / len(A) if mean else 2
    x = np.zeros(A.shape[1])
    losses = []
    for _ in range(n_steps):
        r = A @ x - b
        losses.append(np.mean(r**2) if mean else r @ r)
        x = x - rate * (factor * (A.T @ r) if tidy else factor * A.T @ r)
    return x, losses
