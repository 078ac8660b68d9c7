"""Random entries by the finaliser of MurmurHash3 (Appleby, 2011), in plain NumPy."""

import numpy as np
from numpy.typing import NDArray

from fastgrad._typing import Float64Array

__all__ = ["entries", "hashes"]


def hashes(key: int, n: int) -> NDArray[np.uint32]:
    """Return the hashes of n strides from the key on."""
    u: NDArray[np.uint32] = np.arange(n).astype(np.uint32) * np.uint32(0x9E3779B1) + np.uint32(key)
    u ^= u >> np.uint32(16)
    u *= np.uint32(0x85EBCA6B)
    u ^= u >> np.uint32(13)
    u *= np.uint32(0xC2B2AE35)
    u ^= u >> np.uint32(16)
    return u


def entries(key: int, n: int) -> Float64Array:
    """Return ±(½ + k/512) for each of the first n hashes: the sign from the highest bit, k from the lowest eight."""
    u = hashes(key, n)
    found: Float64Array = (1.0 - (u >> np.uint32(31)) * 2.0) * ((u & np.uint32(0xFF)) + 256.0) / 512.0
    return found
