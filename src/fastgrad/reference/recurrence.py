"""The descent on least squares by a recurrence in H = A.T @ A, which needs A only at the first and the last iterate."""

import numpy as np

from fastgrad._typing import Array, Float64Array
from fastgrad.reference.descent import descend

FEW = 2.0**-44  # 256 roundings: how far the recurrence may be from the residual, on their scale


def recur(
    A: Array,
    b: Float64Array,
    H: Float64Array,
    x: Float64Array,
    gradient: Float64Array,
    work: Float64Array,
    losses: Float64Array,
    learning_rate: float,
    weight: float,
    ridge: float,
) -> tuple[bool, float]:
    """Do what `descent.descend` does, or decline.

    With ``M = weight * H + ridge * I``, h half the gradient and t twice the rate, a step takes ``t * h`` from x,
    ``t * M @ h`` from h, and ``t * (2 * h @ h - t * h @ M @ h)`` from the loss. The losses are these terms summed
    backward from the last loss, which is formed from the residual. None of them is negative, so that no digits cancel.

    Declined is a run in which the loss rises, or whose end the residual contradicts: the gradient at the last iterate
    and the first loss, both formed from A, must agree with the recurrence to rounding.

    Parameters
    ----------
    A : array of shape (n, p), float32 or float64
    b : array of shape (n,)
    H : array of shape (p, p)
        ``A.T @ A``.
    x : array of shape (p,)
        The first iterate; afterwards the last.
    gradient : array of shape (p,)
        Overwritten by the gradient at the last iterate.
    work : array of shape (p + 3, q)
        Overwritten by no matter what; q is the multiple of 8 that follows p.
    losses : array of shape (k + 1,)
        Overwritten by the loss before each of the k steps, and the loss at the last iterate.
    learning_rate, weight, ridge : float

    Returns
    -------
    accepted : bool
        If False, the arrays hold nothing of use.
    squares : float
        ``r @ r`` at the last iterate.
    """
    last = losses.size - 1
    scratch = np.empty(x.size)
    _, squares = descend(A, b, x, gradient, scratch, losses[last:], learning_rate, weight, ridge)
    first = losses[last]
    M = weight * H + ridge * np.eye(x.size)
    h = gradient / 2
    t = 2.0 * learning_rate
    origin = h @ h
    if not 1e-200 < origin < 1e200:
        return False, squares
    far = x @ x
    for step in range(last):
        v = M @ h
        square = h @ h
        losses[step] = t * (2.0 * square - t * (h @ v))
        x -= t * h
        h -= t * v
        if not losses[step] >= 0.0:
            return False, squares
        if square < 1e-100 * origin:
            losses[step + 1 : last] = 0.0
            break
    _, squares = descend(A, b, x, gradient, scratch, losses[last:], learning_rate, weight, ridge)
    far = max(far, x @ x)
    trace = np.trace(H)
    size = weight * (b @ b + trace * far) + ridge * far
    if not size < 1e300:
        return False, squares
    error = np.max(np.abs(gradient / 2 - h))
    if not error <= FEW * (np.sqrt(weight * trace * size) + ridge * np.sqrt(far)):
        return False, squares
    losses[:] = np.cumsum(losses[::-1])[::-1]
    return bool(abs(losses[0] - first) <= FEW * (first + np.sqrt(first * size))), squares
