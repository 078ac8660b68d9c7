"""What the structured losses share: reading their arguments, the layers' products, the calls of the kernels."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._arrays import real_array
from fastgrad._errors import ShapeError
from fastgrad._losses.criteria import Lines, Terms, rows
from fastgrad._typing import Array, Float64Array, Forward, RowLoop

#: Samples are many if there are more than what each holds by this: with 1024 weights a row, 128 broke about even.
MANY_SAMPLES = 8
#: Measures rows first to last into the left and the right differences; returns the number of evaluations made.
SidedLoop = Callable[[int, int, Array, Array], int]


def along_lines(lines: Lines, inputs: Float64Array, h: Float64Array, rectified: bool) -> SidedLoop:
    """Return what measures the rows of units along their lines, as `inputs` move them."""
    reach = h.max(initial=0.0) * np.abs(inputs).max(axis=1, initial=0.0)

    def rows_between(first: int, last: int, left: Array, right: Array) -> int:
        table = left.reshape(last - first, inputs.shape[1])
        beside = table if right is left else right.reshape(table.shape)
        halved = _backend.structured.unit_differences(*lines, inputs, reach, h, rectified, first, table, beside)
        return 2 * left.size + 2 * halved

    return rows_between


def measure_terms(W: Array, x: Float64Array, terms: Terms, h: Float64Array, nbytes: int, out: Array) -> int:
    """Write the differences of a loss that is known output by output, for one sample; return the evaluations made.

    `nbytes` is the size of the whole result, of which `out` may be some rows.
    """
    _backend.linear.layer_differences(W, x, terms.shift, terms.c, terms.q, h, nbytes, out)
    return 2 * out.size


def of_terms(W: Array, x: Float64Array, terms: Terms, h: Float64Array, nbytes: int) -> SidedLoop:
    """Return what measures rows of such a loss; both sides are alike."""

    def rows_between(first: int, last: int, left: Array, right: Array) -> int:
        evaluations = measure_terms(W[first:last], x, terms.between(first, last), h, nbytes, left)
        if right is not left:
            right[...] = left
        return evaluations

    return rows_between


def on_both_sides(loop: SidedLoop) -> RowLoop:
    """Return the loop for central differences alone."""
    return lambda first, last, out: loop(first, last, out, out)


def forward_by_rows(x: Array, value: Callable[[Array], float]) -> Forward | None:
    """Return what makes the products of rows of weights and samples, rows of x, and `value`, the loss of all products.

    None where the samples are many beside what each holds. What all rows make at five points would take about as much
    memory as the weights, and forming it so much longer than reading them that nothing is gained.
    """
    return None if MANY_SAMPLES * len(x) > x.shape[1] else (Rows(x), value)


class Rows:
    """What rows of weights make of samples: their products."""

    def __init__(self, x: Array) -> None:
        self._x = x
        #: One sample, in double precision; None where there are more.
        self.vector = doubles(x[0]) if len(x) == 1 else None

    def __call__(self, W: Array) -> Array:
        """Return the products of each sample with each row."""
        return apply(W, self._x)


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
        raise unlike(a, shape, name)
    return a


def unlike(a: Array, shape: tuple[int, ...], name: str) -> ShapeError:
    """Return the error for an array that has not the shape of what it replaces."""
    return ShapeError(f"{name} has shape {a.shape}; this loss is a function of {name} of shape {shape}.")
