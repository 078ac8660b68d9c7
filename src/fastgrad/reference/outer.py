"""Weight gradients of one sample, in plain NumPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["masked_outer", "outer"]


def outer(grad_output: NDArray[Any], x: NDArray[Any], out: NDArray[Any], accumulate: bool) -> None:
    """Write, or add, the outer product: out[i, j] = or += grad_output[i] * x[j].

    Parameters
    ----------
    grad_output, x, out : ndarray
        Shapes (m,), (n,) and (m, n), C-contiguous, of one dtype, float32 or float64.
    accumulate : bool
        Whether to add to what `out` holds.

    Raises
    ------
    ValueError
        If the arrays are of other shapes or dtypes, not contiguous, or overlap.
    """
    _refuse_unfit((grad_output, x), out)
    with np.errstate(all="ignore"):
        product = np.outer(grad_output, x)
        if accumulate:
            out += product
        else:
            out[...] = product


def masked_outer(grad_output: NDArray[Any], z: NDArray[Any], x: NDArray[Any], out: NDArray[Any]) -> None:
    """Write the outer product behind a ReLU: out[i, j] = (z[i] > 0) * grad_output[i] * x[j].

    Parameters
    ----------
    grad_output, z, x, out : ndarray
        Shapes (m,), (m,), (n,) and (m, n), C-contiguous, of one dtype, float32 or float64.
        `z` is what the ReLU was given.

    Raises
    ------
    ValueError
        If the arrays are of other shapes or dtypes, not contiguous, or overlap.
    """
    _refuse_unfit((grad_output, z, x), out)
    with np.errstate(all="ignore"):
        out[...] = np.outer(grad_output * (z > 0).astype(z.dtype), x)


def _refuse_unfit(inputs: tuple[NDArray[Any], ...], out: NDArray[Any]) -> None:
    *rows, x = inputs
    arrays = (*inputs, out)
    if out.dtype.char not in "fd" or any(v.dtype != out.dtype or not v.flags.c_contiguous for v in arrays):
        raise ValueError("the arrays must be contiguous and of one dtype, float32 or float64")
    if any((row.ndim, x.ndim, out.shape) != (1, 1, (row.size, x.size)) for row in rows):
        raise ValueError("the arrays do not fit each other")
    if not all(v.flags.aligned for v in arrays):
        raise ValueError("the arrays must be aligned")
    if any(np.may_share_memory(v, out) for v in inputs):
        raise ValueError("out overlaps an input")
