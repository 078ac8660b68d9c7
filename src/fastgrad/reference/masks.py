"""Blocks of entries moved together along a random direction, in plain NumPy.

Entry i of the block [lo, hi) moves by step·a_i·(origin + slope·(i - lo))·max(h_i, least·|x_i|), a the direction with
the key.
"""

import numpy as np

from fastgrad._typing import Array, Float64Array

__all__ = ["move", "project", "sizes"]


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
    out[lo:hi] = some + _direction(key, hi)[lo:] * weight * unit


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
) -> float:
    """Return the inner product of v with the difference of x moved by step and by -step: the moves as rounded."""
    plus, minus = np.empty_like(x), np.empty_like(x)
    move(x, h, least, key, lo, hi, origin, slope, step, plus)
    move(x, h, least, key, lo, hi, origin, slope, -step, minus)
    apart = plus.astype(np.float64) - minus.astype(np.float64)
    return float(v[lo:hi].astype(np.float64) @ apart[lo:hi])


def sizes(v: Array) -> tuple[float, float]:
    """Return the largest magnitude in v and the sum of the squares; the sum is not finite where an entry is not."""
    values = v.astype(np.float64)
    return float(np.fmax.reduce(np.abs(values), initial=0.0)), float(np.sum(values**2))


def _direction(key: int, n: int) -> Float64Array:
    """Return ±(½ + k/512) for each i, by the finaliser of MurmurHash3 on 32 bits."""
    u = np.arange(n).astype(np.uint32) * np.uint32(0x9E3779B1) + np.uint32(key)
    u ^= u >> np.uint32(16)
    u *= np.uint32(0x85EBCA6B)
    u ^= u >> np.uint32(13)
    u *= np.uint32(0xC2B2AE35)
    u ^= u >> np.uint32(16)
    direction: Float64Array = (1.0 - (u >> np.uint32(31)) * 2.0) * ((u & np.uint32(0xFF)) + 256.0) / 512.0
    return direction
