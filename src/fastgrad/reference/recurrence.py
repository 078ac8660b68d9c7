"""The descent on least squares by a recurrence in H = A.T @ A, which needs A only at the first and the last iterate."""

import numpy as np

from fastgrad._typing import Array, Float64Array
from fastgrad.reference.descent import descend

__all__ = ["recur"]

FEW = 2.0**-44  # 256 roundings: how far the recurrence may be from the residual, on their scale


def recur(
    A: Array,
    b: Float64Array,
    H: Float64Array | None,
    x: Float64Array,
    gradient: Float64Array,
    work: Float64Array,
    losses: Float64Array,
    learning_rate: float,
    weight: float,
    ridge: float,
    gtol: float,
) -> tuple[bool, int, float]:
    """Do what `descent.descend` does, or decline.

    With ``M = weight * H + ridge * I``, d half the gradient and t twice the rate, a step takes ``t * d`` from x,
    ``t * M @ d`` from d, and ``t * (2 * d @ d - t * d @ M @ d)`` from the loss. The losses are sums of these terms:
    backward from the last loss or forward from the first, both of which are formed from the residual, whichever is made
    of smaller parts. Where the loss falls, that is backward, and no digits cancel; where it rises, forward.

    Declined is a run whose end the residual contradicts: the gradient at the last iterate and the loss where both sums
    meet must agree to rounding. Declined is, too, one with a loss that is small beside its parts.

    Parameters
    ----------
    A : array of shape (n, p), float32 or float64
    b : array of shape (n,)
    H : array of shape (p, p), or None
        ``A.T @ A``; None has it formed here.
    x : array of shape (p,)
        The first iterate; afterwards the last.
    gradient : array of shape (p,)
        Overwritten by the gradient at the last iterate.
    work : array of shape (p + 3, q)
        Overwritten by no matter what; q is the multiple of 8 that follows p.
    losses : array of shape (k + 1,)
        Overwritten by the loss before each step taken, at most k, and the loss at the last iterate.
    learning_rate, weight, ridge : float
    gtol : float
        No step is taken from where the gradient's norm is at most this; negative to take all.

    Returns
    -------
    accepted : bool
        If False, the arrays hold nothing of use.
    taken : int
        How many steps were taken.
    squares : float
        ``r @ r`` at the last iterate.
    """
    if H is None:
        wide = A.astype(np.float64)
        H = wide.T @ wide
    last, step = losses.size - 1, 0
    scratch = np.empty(x.size)
    _, _, squares = descend(A, b, x, gradient, scratch, losses[last:], learning_rate, weight, ridge, -1.0)
    first = losses[last]
    M = weight * H + ridge * np.eye(x.size)
    d = gradient / 2
    t = 2.0 * learning_rate
    square = float(d @ d)
    if not 1e-200 < square < 1e200:
        return False, 0, squares
    tiny, enough = 1e-100 * square, 0.25 * gtol * gtol if gtol >= 0.0 else -1.0
    far = x @ x
    with np.errstate(over="ignore", invalid="ignore"):
        while step < last and not square <= max(tiny, enough):
            v = M @ d
            losses[step] = t * (2.0 * square - t * (d @ v))
            x -= t * d
            d -= t * v
            square = float(d @ d)
            step += 1
    if not square < 1e300:
        return False, step, squares
    if square > enough:
        losses[step:last] = 0.0
        step = last
    _, _, squares = descend(A, b, x, gradient, scratch, losses[step : step + 1], learning_rate, weight, ridge, -1.0)
    if step < last and not np.linalg.norm(gradient) <= gtol:
        return False, step, squares
    far = max(far, x @ x)
    trace, scale = np.trace(H), weight * (b @ b)
    size = scale + weight * trace * far + ridge * far
    if not size < 1e300:
        return False, step, squares
    error = np.max(np.abs(gradient / 2 - d))
    if not error <= FEW * (np.sqrt(weight * trace * size) + ridge * np.sqrt(far)):
        return False, step, squares
    return _settle(losses[: step + 1], float(first), float(size), float(scale)), step, squares


def _settle(losses: Float64Array, first: float, size: float, scale: float) -> bool:
    """Sum what the steps take from the loss; say whether the sums meet, and each is as exact as a residual's."""
    taken, last = losses[:-1].copy(), losses[-1]
    parts = np.concatenate([[first], np.abs(taken)]).cumsum()
    parts_behind = np.concatenate([[last], np.abs(taken[::-1])]).cumsum()[::-1]
    forward = np.concatenate([[first], -taken]).cumsum()
    backward = np.concatenate([[last], taken[::-1]]).cumsum()[::-1]
    rising = parts < parts_behind
    rising[-1] = False
    turn = int(np.argmin(rising))
    losses[...] = np.where(rising, forward, backward)
    beyond = np.minimum(parts, parts_behind) - 4.0 * losses
    exact = np.all((beyond <= 0.0) | (beyond**2 <= 16.0 * losses * scale))
    met = abs(backward[turn])
    return bool(exact and abs(backward[turn] - forward[turn]) <= FEW * (met + np.sqrt(met * size)))
