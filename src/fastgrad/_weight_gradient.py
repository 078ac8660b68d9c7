"""The gradient of a loss by the weights of a linear map: one sample by the outer kernels, a batch by BLAS."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastgrad import _backend
from fastgrad._arrays import LARGE
from fastgrad._layer_arrays import check_out, missing_out, outer_pair
from fastgrad._typing import Array

__all__ = ["weight_gradient"]

_BLOCK = 32 * 1024  # entries of the buffer through which results are added, or scattered: half of a small L2 cache
_PAGE = 2 * 1024 * 1024  # bytes of a large page


def weight_gradient(grad_output: ArrayLike, x: ArrayLike, out: Array | None = None, accumulate: bool = False) -> Array:
    """Return dL/dW of y = Wx, given dL/dy and x: their outer product, summed over the rows of a batch.

    Parameters
    ----------
    grad_output : array_like, shape (m,) or (B, m)
        The gradient of the loss by y; the rows of a batch are samples.
    x : array_like, shape (n,) or (B, n)
        What the layer was given.
    out : ndarray, shape (m, n), optional
        Where to write the result, of the result's dtype; any strides will do, C order is fastest.
    accumulate : bool, optional
        Add to what `out` holds instead of overwriting it.

    Returns
    -------
    ndarray, shape (m, n)
        ``out`` if it was given. float32 if both arguments are, else float64.

    Raises
    ------
    ShapeError
        If the shapes do not fit each other, or `out` does not fit them.
    TypeError
        If an argument is complex, of half or extended precision, masked or not numeric, or `out` has another dtype
        than the result.
    ValueError
        If `out` is read-only or overlaps an argument, or `accumulate` is set without `out`.

    Notes
    -----
    With y_i = Σ_j W_ij x_j, dL/dW_ij = (dL/dy_i) x_j; the identity ∂‖Wx − b‖²/∂W = 2(Wx − b)xᵀ is a case of it.

    Examples
    --------
    >>> import numpy as np
    >>> from fastgrad.layers import weight_gradient
    >>> weight_gradient([0.5, -0.25], [1.0, 2.0, 4.0])
    array([[ 0.5 ,  1.  ,  2.  ],
           [-0.25, -0.5 , -1.  ]])
    >>> G = np.ones((2, 3))
    >>> weight_gradient([0.5, -0.25], [1.0, 2.0, 4.0], out=G, accumulate=True) is G
    True
    """
    if type(grad_output) is np.ndarray and type(x) is np.ndarray and grad_output.ndim == 1:
        try:
            if type(out) is np.ndarray:
                _backend.outer.outer(grad_output, x, out, accumulate)
                return out
            if out is None and not accumulate:
                return _fresh(grad_output, None, x, x.dtype)
        except ValueError:  # nothing was written: these arrays have to be converted, or refused, with care
            pass
    g, columns = outer_pair(grad_output, x)
    shape = (g.shape[-1], columns.shape[-1])
    if out is not None:
        check_out(out, shape, g.dtype, (grad_output, x))
    elif accumulate:
        raise missing_out()
    else:
        out = np.empty(shape, g.dtype)
    _fill(g, columns, out, accumulate)
    return out


def masked_weight_gradient(grad_output: Array, z: Array, x: Array) -> Array:
    """Return dL/dW of a = relu(Wx), given dL/da, z = Wx and x, each of one sample or a batch of rows."""
    dtype = np.result_type(grad_output, z, x)
    if x.ndim == 2:
        with np.errstate(invalid="ignore"):  # an infinite gradient behind a closed unit is undefined, with no warning
            grad_output = grad_output.astype(dtype, copy=False) * (z > 0)
        return weight_gradient(grad_output, x)
    g, z, x = (np.ascontiguousarray(v, dtype) for v in (grad_output, z, x))
    return _fresh(g, z, x, dtype)


def _fresh(g: Array, z: Array | None, x: Array, dtype: np.dtype[Any]) -> Array:
    """Return a new outer product, masked where z is given.

    Rows of a large one are written a page at a time, through the cache, which the kernels avoid for a large result as a
    whole.
    """
    out = np.empty((g.size, x.size), dtype)
    if out.nbytes < LARGE:
        _write(g, z, x, out)
        return out
    rows = max(1, g.size * _PAGE // out.nbytes)
    for start in range(0, g.size, rows):
        part = slice(start, start + rows)
        _write(g[part], None if z is None else z[part], x, out[part])
    return out


def _write(g: Array, z: Array | None, x: Array, out: Array) -> None:
    if z is None:
        _backend.outer.outer(g, x, out, False)
    else:
        _backend.outer.masked_outer(g, z, x, out)


def _fill(g: Array, x: Array, out: Array, accumulate: bool) -> None:
    if g.ndim == 2 and len(g) == 1:
        g, x = g[0], x[0]
    if out.flags.f_contiguous and not out.flags.c_contiguous:
        g, x, out = x, g, out.T
    direct = out.flags.c_contiguous and out.flags.aligned
    if direct and g.ndim == 1:
        _backend.outer.outer(np.ascontiguousarray(g), np.ascontiguousarray(x), out, accumulate)
    elif direct and not accumulate:
        _multiply(g, x, out)
    else:
        _fill_by_rows(g, x, out, accumulate)


def _multiply(g: Array, x: Array, out: Array) -> None:
    """Write the product of a batch by BLAS, which is asked by matmul: dot writes zeros over its result first."""
    rows, columns = (v if v.flags.forc else np.ascontiguousarray(v) for v in (g, x))
    with np.errstate(all="ignore"):
        np.matmul(rows.T, columns, out=out)


def _fill_by_rows(g: Array, x: Array, out: Array, accumulate: bool) -> None:
    """Go through a buffer of some rows, where the result cannot be written, or added to, where it is."""
    rows = max(1, _BLOCK // max(1, out.shape[1]))
    buffer = np.empty((min(rows, out.shape[0]), out.shape[1]), out.dtype)
    for start in range(0, out.shape[0], rows):
        block = out[start : start + rows]
        part = buffer[: len(block)]
        _fill(g[..., start : start + rows], x, part, False)
        if accumulate:
            block += part
        else:
            block[...] = part
