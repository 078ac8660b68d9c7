"""Random directions in plain NumPy: runs of 512 entries, each out of a table of 1024 random ones.

Entry r·512 + j of the direction with a key is s_r·t[o_r + j], where t[i] is ±(½ + k/512) from a hash of i and the key,
and o_r and s_r, the place and the sign of run r, are bits 1 to 9 and bit 0 of hash number 1024 + r.
"""

import numpy as np
from numpy.typing import NDArray

from fastgrad._typing import Array, Float64Array

__all__ = ["inner", "move", "project"]

RUN = 512
TABLE = 1024


def move(x: Array, key: int, h: float, out: Array) -> None:
    """Write x + h·a into out, which may be x, a the direction with this key."""
    out[:] = x + h * _direction(key, 0, x.size)


def project(v: Array, x: Array, key: int, h: float) -> float:
    """Return the inner product of v with ((x + h·a) - (x - h·a))/2h, a the direction with this key."""
    plus, minus = np.empty_like(x), np.empty_like(x)
    move(x, key, h, plus)
    move(x, key, -h, minus)
    return float(v.astype(np.float64) @ (plus.astype(np.float64) - minus.astype(np.float64))) / (2 * h)


def inner(v: Array, start: int, key: int, other: int) -> tuple[float, float]:
    """Return the inner products of v with the directions of two keys, from entry `start` on."""
    values = v.astype(np.float64)
    return float(values @ _direction(key, start, v.size)), float(values @ _direction(other, start, v.size))


def _direction(key: int, start: int, n: int) -> Float64Array:
    """Return entries `start` to `start` + n."""
    u = _hashes(key, TABLE)
    table = (1.0 - (u >> np.uint32(31)) * 2.0) * ((u & np.uint32(0xFF)) + 256.0) / 512.0
    runs, j = np.divmod(np.arange(start, start + n), RUN)
    u = _hashes(key, TABLE + (start + n) // RUN + 1)[TABLE + runs]
    sign = 1.0 - (u & np.uint32(1)) * 2.0
    direction: Float64Array = sign * table[((u >> np.uint32(1)) & np.uint32(RUN - 1)) + j]
    return direction


def _hashes(key: int, n: int) -> NDArray[np.uint32]:
    """Return the finaliser of MurmurHash3, on 32 bits, of n strides from the key on."""
    u: NDArray[np.uint32] = np.arange(n).astype(np.uint32) * np.uint32(0x9E3779B1) + np.uint32(key)
    u ^= u >> np.uint32(16)
    u *= np.uint32(0x85EBCA6B)
    u ^= u >> np.uint32(13)
    u *= np.uint32(0xC2B2AE35)
    u ^= u >> np.uint32(16)
    return u
