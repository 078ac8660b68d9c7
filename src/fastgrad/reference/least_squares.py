"""Least squares by gradient descent, as a textbook writes it."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from fastgrad._regression import has_grown, rate_of_curvature, read_problem, warn_divergence
from fastgrad._typing import Array, Float64Array

__all__ = ["least_squares_gd"]


def least_squares_gd(
    A: ArrayLike,
    b: ArrayLike,
    learning_rate: float | Literal["auto"],
    n_steps: int,
    *,
    x0: ArrayLike | None = None,
    ridge: float = 0.0,
    reduction: Literal["sum", "mean"] = "sum",
    gtol: float | None = None,
) -> tuple[Array, Float64Array]:
    """Minimise ||Ax - b||^2 + ridge ||x||^2 by gradient descent with a fixed rate.

    The plain loop: one residual, one loss, one gradient and one new x a step. Arguments, defaults, errors and warnings
    are those of `fastgrad.least_squares_gd`.

    Parameters
    ----------
    A, b : array_like, shapes (n, p) and (n,)
        The problem.
    learning_rate : float or "auto"
        The rate of every step; "auto" takes 1/L.
    n_steps : int
        The number of steps, at most.
    x0 : array_like of shape (p,), optional
        The first iterate; zeros by default.
    ridge : float
        The weight of ||x||^2.
    reduction : {"sum", "mean"}
        Whether the squared residuals are summed or averaged.
    gtol : float, optional
        Take no further step from where the gradient's norm is at most this.

    Returns
    -------
    x : array of shape (p,)
        The last iterate.
    losses : array of shape (k,)
        The loss before each of the k steps taken.

    Examples
    --------
    >>> from fastgrad.reference.least_squares import least_squares_gd
    >>> x, losses = least_squares_gd([[1.0, 0.0], [0.0, 2.0]], [3.0, 4.0], 0.1, 100)
    >>> x.round(6)
    array([3., 2.])
    """
    problem = read_problem(A, b, learning_rate, n_steps, x0, ridge, reduction, gtol)
    data, target, x, given, steps, weight, ridge, shortest, dtype = problem
    data = data.astype(np.float64)
    losses = []
    with np.errstate(over="ignore", invalid="ignore"):
        rate = given or _automatic_rate(data, weight, ridge)
        while True:
            residual = data @ x - target
            losses.append(weight * (residual @ residual) + (ridge * (x @ x) if ridge else 0.0))
            grad = 2 * weight * data.T @ residual + 2 * ridge * x if ridge else 2 * weight * data.T @ residual
            if len(losses) > steps or np.linalg.norm(grad) <= shortest:
                break
            x = x - rate * grad
    finite = np.isfinite(losses)
    broken = -1 if finite.all() else int(np.argmin(finite))
    if broken >= 0 or has_grown(problem, float(losses[0]), float(losses[-1])):
        warn_divergence(problem, rate, broken, float(losses[0]), float(losses[-1]), stacklevel=2)
    with np.errstate(over="ignore"):
        return x.astype(dtype), np.array(losses[:-1])


def _automatic_rate(A: Array, weight: float, ridge: float) -> float:
    """Return 1/L, where L is 2 (weight s^2 + ridge) with the largest singular value s of A, by power iteration."""
    if A.shape[1] == 0:
        return 1.0
    v = np.cos(np.arange(1.0, A.shape[1] + 1) ** 2)
    before, now = 0.0, 0.0
    for k in range(200):
        v = A.T @ (A @ (v / np.linalg.norm(v)))
        before, now = now, float(np.linalg.norm(v))
        if not 0 < now < np.inf or (k >= 16 and now <= before * (1 + 1e-5)):
            break
    return rate_of_curvature(2 * (weight * now + ridge))
