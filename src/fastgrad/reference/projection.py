"""Random directions in plain NumPy: entry i of the direction with a given key is a hash of (key, i)."""

import numpy as np

from fastgrad._typing import Array, Float64Array

__all__ = ["inner", "move", "project"]


def move(x: Array, key: int, h: float, out: Array) -> None:
    """Write x + h·a into out, a the direction with this key."""
    out[:] = x + h * _direction(key, x.size)


def project(v: Array, x: Array, key: int, h: float) -> float:
    """Return the inner product of v with ((x + h·a) - (x - h·a))/2h, a the direction with this key."""
    plus, minus = np.empty_like(x), np.empty_like(x)
    move(x, key, h, plus)
    move(x, key, -h, minus)
    return float(v.astype(np.float64) @ (plus.astype(np.float64) - minus.astype(np.float64))) / (2 * h)


def inner(v: Array, key: int) -> tuple[float, float]:
    """Return the inner products of v with the directions with this even key and the odd one after it."""
    values = v.astype(np.float64)
    return float(values @ _direction(key, v.size)), float(values @ _direction(key + 1, v.size))


def _direction(key: int, n: int) -> Float64Array:
    """Return ±(½ + k/512) for each i, by the finaliser of MurmurHash3 on 32 bits: sign and k are bits 31 and 12 to 19.

    For an odd key they are bits 23 and 4 to 11.
    """
    u = np.arange(n).astype(np.uint32) * np.uint32(0x9E3779B1) + np.uint32(key >> 1)
    u ^= u >> np.uint32(16)
    u *= np.uint32(0x85EBCA6B)
    u ^= u >> np.uint32(13)
    u *= np.uint32(0xC2B2AE35)
    u ^= u >> np.uint32(16)
    u <<= np.uint32(8 * (key & 1))
    sign = 1.0 - (u >> np.uint32(31)) * 2.0
    direction: Float64Array = sign * (((u >> np.uint32(12)) & np.uint32(0xFF)) + 256.0) / 512.0
    return direction
