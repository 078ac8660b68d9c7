"""Blocks of entries moved together along a random direction, in plain NumPy.

Entry i of the block [lo, hi) moves by step·a_i·(origin + slope·(i - lo))·max(h_i, least·|x_i|), a the direction with
the key: `hashes.entries`.
"""

import numpy as np

from fastgrad._typing import Array, Float64Array
from fastgrad.reference.hashes import entries

__all__ = ["apart", "move", "project", "sizes"]


def move(
    x: Array,
    h: Float64Array,
    least: float,
    key: int,
    lo: int,
    hi: int,
    origin: float,
    slope: float,
    step: float,
    out: Array,
) -> None:
    """Write x into out, moved within the block [lo, hi)."""
    some = x[lo:hi].astype(np.float64)
    weight = step * (origin + slope * np.arange(hi - lo))
    unit = np.maximum(h if h.size == 1 else h[lo:hi], least * np.abs(some))
    out[:] = x
    out[lo:hi] = some + entries(key, hi)[lo:] * weight * unit


def apart(
    x: Array,
    h: Float64Array,
    least: float,
    key: int,
    lo: int,
    hi: int,
    origin: float,
    slope: float,
    step: float,
    out: Float64Array,
) -> None:
    """Write into out the difference of x moved by step and by -step: the moves as rounded, and 0 outside the block."""
    plus, minus = np.empty_like(x), np.empty_like(x)
    move(x, h, least, key, lo, hi, origin, slope, step, plus)
    move(x, h, least, key, lo, hi, origin, slope, -step, minus)
    out[:] = 0.0
    with np.errstate(invalid="ignore"):
        out[lo:hi] = plus[lo:hi].astype(np.float64) - minus[lo:hi]


def project(
    v: Array,
    x: Array,
    h: Float64Array,
    least: float,
    key: int,
    lo: int,
    hi: int,
    origin: float,
    slope: float,
    step: float,
    out: Array | None,
) -> float:
    """Return the inner product of v with the difference of x moved by step and by -step: the moves as rounded.

    Write x moved by step into out, where that is not None.
    """
    moves = np.empty(x.size)
    apart(x, h, least, key, lo, hi, origin, slope, step, moves)
    if out is not None:
        move(x, h, least, key, lo, hi, origin, slope, step, out)
    return float(v[lo:hi].astype(np.float64) @ moves[lo:hi])


def sizes(v: Array) -> tuple[float, float]:
    """Return the largest magnitude in v and the sum of the squares; the sum is not finite where an entry is not."""
    values = v.astype(np.float64)
    return float(np.fmax.reduce(np.abs(values), initial=0.0)), float(np.sum(values**2))
