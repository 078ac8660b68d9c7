"""Least squares by gradient descent, as a textbook writes it."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from fastgrad._regression import has_grown, read_problem, warn_divergence
from fastgrad._typing import Array, Float64Array


def least_squares_gd(
    A: ArrayLike,
    b: ArrayLike,
    learning_rate: float,
    n_steps: int,
    *,
    x0: ArrayLike | None = None,
    ridge: float = 0.0,
    reduction: Literal["sum", "mean"] = "sum",
) -> tuple[Array, Float64Array]:
    """Minimise ||Ax - b||^2 + ridge ||x||^2 by gradient descent with a fixed rate.

    The plain loop: one residual, one loss, one gradient and one new x a step. Arguments, defaults, errors and warnings
    are those of `fastgrad.least_squares_gd`.

    Parameters
    ----------
    A, b : array_like, shapes (n, p) and (n,)
        The problem.
    learning_rate : float
        The rate of every step.
    n_steps : int
        The number of steps.
    x0 : array_like of shape (p,), optional
        The first iterate; zeros by default.
    ridge : float
        The weight of ||x||^2.
    reduction : {"sum", "mean"}
        Whether the squared residuals are summed or averaged.

    Returns
    -------
    x : array of shape (p,)
        The last iterate.
    losses : array of shape (n_steps,)
        The loss before each step.

    Examples
    --------
    >>> from fastgrad.reference.least_squares import least_squares_gd
    >>> x, losses = least_squares_gd([[1.0, 0.0], [0.0, 2.0]], [3.0, 4.0], 0.1, 100)
    >>> x.round(6)
    array([3., 2.])
    """
    problem = read_problem(A, b, learning_rate, n_steps, x0, ridge, reduction)
    data, target, x, rate, steps, weight, ridge, dtype = problem
    data = data.astype(np.float64)
    losses = []
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps + 1):
            residual = data @ x - target
            losses.append(weight * (residual @ residual) + (ridge * (x @ x) if ridge else 0.0))
            if len(losses) <= steps:
                grad = 2 * weight * data.T @ residual + 2 * ridge * x if ridge else 2 * weight * data.T @ residual
                x = x - rate * grad
    finite = np.isfinite(losses)
    broken = -1 if finite.all() else int(np.argmin(finite))
    if broken >= 0 or has_grown(problem, float(losses[0]), float(losses[-1])):
        warn_divergence(problem, broken, float(losses[0]), float(losses[-1]), stacklevel=2)
    with np.errstate(over="ignore"):
        return x.astype(dtype), np.array(losses[:-1])
