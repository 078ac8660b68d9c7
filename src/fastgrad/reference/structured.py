"""The difference loop of a loss that is known along lines, in plain NumPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrad._typing import Float64Array

__all__ = ["unit_differences"]

HALVINGS = 8


def unit_differences(
    z: Float64Array,
    origin: Float64Array,
    c: Float64Array,
    q: Float64Array,
    tau: Float64Array,
    logp: Float64Array,
    p: Float64Array,
    w: Float64Array,
    wmax: Float64Array,
    x: Float64Array,
    reach: Float64Array,
    h: Float64Array,
    rectified: bool,
    first: int,
    left: NDArray[Any],
    right: NDArray[Any],
) -> int:
    """Measure how a loss changes as each weight of a layer moves by its step up and down.

    Weight (i, j) moves unit i of every sample b from ``z[b, i]`` by ±h·``x[b, j]``, then through relu if `rectified`.
    A unit whose activation arrives at a, coming from ``origin[b, i]``, moves the loss by δ = a − origin along a line on
    which it is known::

        F(δ) = δ·(c[b, i] + δ·q[i]) + tau[b]·log Σ_k p_k·exp(w_k·δ)

    and the weight's entry is the sum over samples of F(δ⁺) − F(δ⁻), divided by 2h.

    Parameters
    ----------
    z, origin, c : ndarray of float64, shape (n_samples, m)
        Where each unit stands, what its activation is counted from, and the linear coefficient of its line.
    q : ndarray of float64, shape (m,)
        The quadratic coefficients.
    tau : ndarray of float64, shape (n_samples,)
        The weight of the logarithm.
    logp, p : ndarray of float64, shape (n_samples, n_out) or (n_samples * m, n_out)
        The logarithms of the probabilities and themselves, a row for each sample or for each line, samples first.
        With n_out = 0 there is no logarithm.
    w : ndarray of float64, shape (m, n_out) or (1, n_out)
        How the scores move with each unit.
    wmax : ndarray of float64, shape (m,)
        The largest |w| of each unit. The compiled twin evaluates the logarithm from moments of w where wmax·|δ| is at
        most 1/32, which is exact to rounding; here it is evaluated as it is defined.
    x : ndarray of float64, shape (n_samples, n)
        What the weights are multiplied with.
    reach : ndarray of float64, shape (n_samples,)
        The largest move of a unit: h·|x| at most. A rectified unit further below zero than that does not take part.
    h : ndarray of float64, shape (1,) or (m * n,)
        The steps.
    rectified : bool
        Whether units pass through relu, and so have a kink at zero. A step in which 0 < |z| <= h·|x| for any sample is
        halved, at most 8 times. If z = 0, or a kink is still within the step, the entry is at a kink.
    first : int
        The unit whose differences go into the first row of the result.
    left, right : ndarray of float32 or float64, shape (rows, n)
        Receive the differences, formed in double and rounded once. Both receive the central difference, but at a kink
        they receive the one-sided ones, unless they are one and the same array.

    Returns
    -------
    int
        The number of entries whose step was halved.
    """
    redone = 0
    n_samples, n = x.shape
    for row, i in enumerate(range(first, first + len(left))):
        step = np.full(n, h[0]) if h.size == 1 else h.reshape(-1, n)[i].copy()
        kink = np.zeros(n, dtype=bool)
        if rectified:
            redone += _avoid_kinks(z[:, i], x, step, kink)
        whole, up, down = np.zeros(n), np.zeros(n), np.zeros(n)
        for b in range(n_samples):
            if rectified and z[b, i] < -reach[b]:
                continue
            a_plus, a_minus = z[b, i] + step * x[b], z[b, i] - step * x[b]
            if rectified:
                a_plus, a_minus = np.maximum(a_plus, 0.0), np.maximum(a_minus, 0.0)
            plus, minus = a_plus - origin[b, i], a_minus - origin[b, i]
            whole += (a_plus - a_minus) * (c[b, i] + (plus + minus) * q[i])
            up += plus * (c[b, i] + plus * q[i])
            down -= minus * (c[b, i] + minus * q[i])
            if logp.shape[1]:
                scores = logp[b if len(logp) == n_samples else b * z.shape[1] + i]
                direction = w[i if len(w) == z.shape[1] else 0]
                log_plus, log_minus = _log_sum(scores, direction, plus), _log_sum(scores, direction, minus)
                whole += tau[b] * (log_plus - log_minus)
                up += tau[b] * log_plus
                down -= tau[b] * log_minus
        central = whole / (2.0 * step)
        left[row] = np.where(kink, down / step, central) if right is not left else central
        right[row] = np.where(kink, up / step, central) if right is not left else central
    return redone


def _avoid_kinks(z: Float64Array, x: Float64Array, step: Float64Array, kink: NDArray[np.bool_]) -> int:
    """Halve the steps within which a unit crosses zero, mark the entries where that does not help; count the halved."""
    halved = np.zeros(step.shape, dtype=bool)
    near = (np.abs(z)[:, None] <= step * np.abs(x)) & (x != 0)
    for _ in range(HALVINGS):
        crossing = (near & (z != 0)[:, None]).any(axis=0)
        step[crossing] *= 0.5
        halved |= crossing
        near = (np.abs(z)[:, None] <= step * np.abs(x)) & (x != 0)
    kink |= near.any(axis=0)
    return int(halved.sum())


def _log_sum(logp: Float64Array, w: Float64Array, move: Float64Array) -> Float64Array:
    """Return log Σ_k p_k exp(w_k·move) for probabilities that sum to one, exact for small moves and safe for large."""
    moves = np.multiply.outer(move, w)
    small = np.abs(moves).max(axis=1) <= 1.0
    result = np.empty(move.shape)
    result[small] = np.log1p(np.expm1(moves[small]) @ np.exp(logp))
    moved = moves[~small] + logp
    top = moved.max(axis=1, keepdims=True)
    result[~small] = np.log(np.exp(moved - top).sum(axis=1)) + top[:, 0]
    return result
