"""Random directions in plain NumPy: runs of 512 entries, each out of a table of 1024 random ones.

Entry r·512 + j of the direction with a key is s_r·t[o_r + j], where t[i] is entry i of `hashes.entries`, and o_r and
s_r, the place and the sign of run r, are bits 1 to 9 and bit 0 of hash number 1024 + r.
"""

import numpy as np

from fastgrad._typing import Array, Float64Array
from fastgrad.reference.hashes import entries, hashes

__all__ = ["inner", "move", "products", "project"]

RUN = 512
TABLE = 1024


def move(x: Array, start: int, key: int, h: float, out: Array) -> None:
    """Write x + h·a into out, which may be x, a the direction with this key from entry `start` on."""
    out[:] = x + h * _direction(key, start, x.size)


def project(v: Array, x: Array, key: int, h: float) -> float:
    """Return the inner product of v with ((x + h·a) - (x - h·a))/2h, a the direction with this key, as rounded."""
    plus, minus = np.empty_like(x), np.empty_like(x)
    move(x, 0, key, h, plus)
    move(x, 0, key, -h, minus)
    return float(v.astype(np.float64) @ (plus.astype(np.float64) - minus.astype(np.float64))) / (2 * h)


def inner(v: Array, start: int, key: int, other: int) -> tuple[float, float]:
    """Return the inner products of v with the directions of two keys, from entry `start` on."""
    values = v.astype(np.float64)
    return float(values @ _direction(key, start, v.size)), float(values @ _direction(other, start, v.size))


def products(
    x: Float64Array, start: int, v: Float64Array, key: int, other: int, h: float, onward: bool, out: Float64Array
) -> None:
    """Write the products with v of rows x, and of what they are when moved along the directions from entry `start` on.

    With a and b the directions of the two keys, these are x, x + h·a, x - h·a, x + h·b and x - h·b; onward, x, x + h·a
    and (x + h·a) + h·b.
    """
    moved = np.empty((len(out) - 1, x.size), x.dtype)
    move(x.reshape(-1), start, key, h, moved[0])
    if onward:
        move(moved[0], start, other, h, moved[1])
    else:
        move(x.reshape(-1), start, key, -h, moved[1])
        move(x.reshape(-1), start, other, h, moved[2])
        move(x.reshape(-1), start, other, -h, moved[3])
    for made, point in zip(out, (x, *moved), strict=True):
        made[...] = point.reshape(x.shape) @ v


def _direction(key: int, start: int, n: int) -> Float64Array:
    """Return entries `start` to `start` + n."""
    table = entries(key, TABLE)
    runs, j = np.divmod(np.arange(start, start + n), RUN)
    u = hashes(key, TABLE + (start + n) // RUN + 1)[TABLE + runs]
    sign = 1.0 - (u & np.uint32(1)) * 2.0
    direction: Float64Array = sign * table[((u >> np.uint32(1)) & np.uint32(RUN - 1)) + j]
    return direction
