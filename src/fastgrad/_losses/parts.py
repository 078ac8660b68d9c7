"""What the structured losses share: reading their arguments, the layers' products, the call of the kernel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrad import _backend
from fastgrad._arrays import real_array
from fastgrad._errors import ShapeError
from fastgrad._losses.criteria import Lines, Terms, rows
from fastgrad._typing import Array, Float64Array


def measure(
    lines: Lines, inputs: Float64Array, h: Float64Array, rectified: bool, left: NDArray[Any], right: NDArray[Any]
) -> int:
    """Write the differences along the lines of units that `inputs` move; return how many steps were halved."""
    reach = h.max(initial=0.0) * np.abs(inputs).max(axis=1, initial=0.0)
    return _backend.structured.unit_differences(*lines, inputs, reach, h, rectified, left, right)


def measure_terms(W: Array, x: Float64Array, terms: Terms, h: Float64Array, left: Array, right: Array) -> None:
    """Write the differences of a loss that is known output by output, for one sample; both sides are alike."""
    _backend.linear.layer_differences(W, x, *terms, h, left)
    if right is not left:
        right[...] = left


def apply(W: Array, x: Array) -> Array:
    """Return W x for each row x, as one matrix-vector product where there is one row."""
    return np.asarray((W @ x[0])[None, :] if len(x) == 1 else x @ W.T)


def doubles(a: Array) -> Float64Array:
    """Return a as C-ordered doubles, itself where it is."""
    return np.ascontiguousarray(a, dtype=np.float64)


def matrix(value: Any, name: str) -> Array:
    """Return weights as a matrix of floats."""
    a = real_array(value, name)
    if a.ndim != 2:
        raise ShapeError(f"{name} has shape {a.shape}; expected a matrix, one row an output.")
    return a


def samples(value: Any, features: int, columns: bool) -> Array:
    """Return one sample or a batch of them as floats, as given."""
    a = real_array(value, "x")
    if a.ndim not in (1, 2) or rows(a, columns).shape[1] != features:
        batch = f"({features}, p)" if columns else f"(B, {features})"
        raise ShapeError(f"x has shape {a.shape}; expected ({features},) for a sample or {batch} for a batch.")
    return a


def output_shape(x: Array, m: int, columns: bool) -> tuple[int, ...]:
    """Return the shape of the m outputs of x."""
    if x.ndim == 1:
        return (m,)
    return (m, x.shape[1]) if columns else (len(x), m)


def argument(value: Any, shape: tuple[int, ...], name: str) -> Array:
    """Return what a loss was called with as floats, if it has the shape of what it replaces."""
    a = real_array(value, name)
    if a.shape != shape:
        raise ShapeError(f"{name} has shape {a.shape}; this loss is a function of {name} of shape {shape}.")
    return a
