"""The descent on least squares, a step at a time."""

import numpy as np

from fastgrad._typing import Array, Float64Array

__all__ = ["descend"]


def descend(
    A: Array,
    b: Float64Array,
    x: Float64Array,
    gradient: Float64Array,
    work: Float64Array,
    losses: Float64Array,
    learning_rate: float,
    weight: float,
    ridge: float,
    gtol: float,
) -> tuple[int, int, float]:
    """Take up to ``losses.size - 1`` steps of gradient descent from x, in place.

    The loss is ``weight * r @ r + ridge * x @ x`` with ``r = A @ x - b``, its gradient
    ``2 * (weight * A.T @ r + ridge * x)``.

    Parameters
    ----------
    A : array of shape (n, p), float32 or float64
        Read as double precision.
    b : array of shape (n,)
    x : array of shape (p,)
        The first iterate; afterwards the last.
    gradient : array of shape (p,)
        Overwritten by the gradient at the last iterate.
    work : array of shape (p,)
        Overwritten by no matter what.
    losses : array of shape (k + 1,)
        Overwritten by the loss before each step taken, at most k, and the loss at the last iterate.
    learning_rate, weight, ridge : float
    gtol : float
        No step is taken from where the gradient's norm is at most this; negative to take all.

    Returns
    -------
    taken : int
        How many steps were taken.
    broken : int
        The first step whose loss is not finite (`taken` for the last iterate), or -1.
    squares : float
        ``r @ r`` at the last iterate.
    """
    A = A.astype(np.float64)
    last = losses.size - 1
    broken = -1
    squares = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(last + 1):
            residual = A @ x - b
            squares = float(residual @ residual)
            loss = weight * squares
            np.matmul(A.T, residual, out=work)
            gradient[...] = 2.0 * weight * work
            if ridge != 0.0:
                loss += ridge * float(x @ x)
                gradient += 2.0 * ridge * x
            losses[step] = loss
            if broken < 0 and not np.isfinite(loss):
                broken = step
            if step == last or np.linalg.norm(gradient) <= gtol:
                break
            x -= learning_rate * gradient
    return step, broken, squares
