"""The difference loop of a polynomial of a linear layer's outputs, in plain NumPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrad._typing import Float64Array

__all__ = ["layer_differences"]


def layer_differences(
    W: NDArray[Any],
    x: Float64Array,
    shift: Float64Array,
    c: Float64Array,
    q: Float64Array,
    h: Float64Array,
    nbytes: int,
    out: NDArray[Any],
) -> None:
    """Measure how a polynomial of a linear layer's outputs changes as each weight moves, for one sample and one step.

    The outputs z = W x + shift are formed here, so that the compiled twin can read W while it writes. The loss is
    Σ_i z_i·(c_i + z_i·q_i), of which weight (i, j) moves the term of z_i, by ±h·x_j.

    Parameters
    ----------
    W : ndarray of float32 or float64, shape (m, n)
        The weights.
    x : ndarray of float64, shape (n,)
        The sample.
    shift, c, q : ndarray of float64, shape (m,)
        What is added to the product, and the coefficients.
    h : ndarray of float64, shape (1,)
        The step.
    nbytes : int
        The size of what is written at one go, of which out may be a part: a large result is written around the caches,
        which shows in nothing but time. 0 where the caller looks at out right behind the writing.
    out : ndarray of W's shape and dtype
        Receives the central differences, formed in double and rounded once.
    """
    z = W.astype(np.float64) @ x + shift
    for i in range(len(z)):
        plus, minus = z[i] + h[0] * x, z[i] - h[0] * x
        out[i] = (plus - minus) * (c[i] + (plus + minus) * q[i]) / (2.0 * h[0])
