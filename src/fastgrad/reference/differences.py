"""Central differences in plain NumPy: for each entry two copies of x, one plus its step and one minus it."""

import math
from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrad._arrays import given_steps, real_array
from fastgrad._containers import refuse_tree
from fastgrad._errors import lost_step, not_callable, unmeasured_noise
from fastgrad._reading import Reader, entry_name
from fastgrad._typing import Array, Float64Array, IndexArray, ScalarFunction, Step, VectorFunction

__all__ = ["Scheme", "first_lost_step", "gradient", "jacobian", "numerical_gradient", "numerical_jacobian"]


def numerical_gradient(f: ScalarFunction, x: Any, eps: Step = None) -> Any:
    """Return the gradient of the scalar function f at x by central differences; x is one array, and no tree.

    Parameters
    ----------
    f : callable
        Takes an array shaped like x and returns a real scalar.
    x : array_like
        The point, of any shape. Integers are taken as float64; float32 stays.
    eps : None, float, array_like or "auto"
        The step; see `fastgrad.numerical_gradient`.

    Returns
    -------
    ndarray
        ``(f(x + eps) - f(x - eps)) / (2 * eps)`` for each entry, shaped like x.

    Examples
    --------
    >>> import numpy as np
    >>> numerical_gradient(lambda x: x @ x, np.array([1.0, 2.0])).round(6)
    array([2., 4.])
    """
    x, is_scalar = working_copy(x)
    h = _steps(eps, x)
    if not callable(f):
        raise not_callable(f)
    grad = np.empty(x.shape, x.dtype)
    gradient(f, x, h, _CENTRAL, grad, Reader(_namer(x)))
    return grad[()] if is_scalar else grad


def numerical_jacobian(f: VectorFunction, x: Any, eps: Step = None) -> Any:
    """Return the Jacobian of the array-valued function f at x by central differences, shaped ``y.shape + x.shape``.

    Parameters
    ----------
    f : callable
        Takes an array shaped like x and returns an array, of the same shape at every call.
    x : array_like
        The point, of any shape.
    eps : None, float, array_like or "auto"
        The step; see `fastgrad.numerical_gradient`.

    Returns
    -------
    ndarray
        Numerator layout: the Jacobian of Wx by x is W.

    Examples
    --------
    >>> import numpy as np
    >>> numerical_jacobian(lambda x: np.array([x[0] * x[1], x[1]]), np.array([1.0, 2.0])).round(6)
    array([[2., 1.],
           [0., 1.]])
    """
    x, is_scalar = working_copy(x)
    h = _steps(eps, x)
    if not callable(f):
        raise not_callable(f)
    reader = Reader(_namer(x))
    if x.size == 0:
        return np.empty(reader.array(_call(f, x, reader, 0, 0), 0, 0, None).shape + x.shape, x.dtype)
    J = jacobian(f, x, h, _CENTRAL, lambda shape: np.empty(shape + x.shape, x.dtype), reader)
    return J[()] if is_scalar else J


class Scheme:
    """Stencils: entry i takes Σ_k weights[w, k]·f(x + offsets[w, k]·h e_i) / (widths[w]·h), where w = which[i]."""

    def __init__(
        self, offsets: IndexArray, weights: Float64Array, widths: Float64Array, which: NDArray[np.uint8]
    ) -> None:
        self.offsets, self.weights, self.widths, self.which = offsets, weights, widths, which
        self.has_centre = bool(np.any((offsets == 0) & (weights != 0)))

    def terms(self, i: int) -> tuple[list[tuple[int, float]], float]:
        """Return the offsets of entry i with their weights, and the width that their sum is over."""
        w = self.which[i % self.which.size]
        pairs = zip(self.offsets[w].tolist(), self.weights[w].tolist(), strict=True)
        return [(offset, weight) for offset, weight in pairs if weight], float(self.widths[w])


def gradient(f: ScalarFunction, x: Array, h: Float64Array, scheme: Scheme, out: Array, reader: Reader) -> int:
    """Write the differences of the scalar f at x into the array out; return the number of calls of f."""
    calls = 0
    centre = math.nan
    flat = out.reshape(-1)
    if scheme.has_centre and x.size:
        centre = reader.scalar(_call(f, x.copy(), reader, 0, 0), 0, 0)
        calls += 1
    due = 0
    for i in range(x.size):
        if i == due:
            due = reader.pace(i)
        step = float(h[i % h.size])
        terms, width = scheme.terms(i)
        weighted = []
        for offset, weight in terms:
            value = centre
            if offset:
                value = reader.scalar(_call(f, _moved(x, i, offset * step), reader, i, offset), i, offset)
                calls += 1
            weighted.append(weight * value)
        flat[i] = _rounded(reduce(add, weighted) / (width * step), out.dtype)
    return calls


def jacobian(
    f: VectorFunction,
    x: Array,
    h: Float64Array,
    scheme: Scheme,
    allocate: Callable[[tuple[int, ...]], Array],
    reader: Reader,
) -> Array:
    """Return the array that allocate gives for the shape of f's first value, filled with f's differences."""
    shape: tuple[int, ...] | None = None
    centre = None
    if scheme.has_centre:
        centre = reader.array(_call(f, x.copy(), reader, 0, 0), 0, 0, None).copy()
        shape = centre.shape
    due = 0
    for i in range(x.size):
        if i == due:
            due = reader.pace(i)
        step = float(h[i % h.size])
        terms, width = scheme.terms(i)
        weighted = []
        for offset, weight in terms:
            if offset == 0 and centre is not None:
                value = centre
            else:
                value = reader.array(_call(f, _moved(x, i, offset * step), reader, i, offset), i, offset, shape)
            shape = value.shape
            with np.errstate(all="ignore"):
                weighted.append(weight * value)
        if i == 0:
            J = allocate(weighted[0].shape)
            columns = J.reshape(weighted[0].size, x.size)
        with np.errstate(all="ignore"):
            columns[:, i] = (reduce(add, weighted) / (width * step)).reshape(-1)
    return J


#: (f(x + h) - f(x - h)) / 2h at every entry.
_CENTRAL = Scheme(np.array([[1, -1]]), np.array([[1.0, -1.0]]), np.array([2.0]), np.zeros(1, np.uint8))


def first_lost_step(x: Array, h: Float64Array) -> int:
    """Return the first flat index at which the realised step differs from h by more than 1 %, or -1."""
    for i in range(x.size):
        step = float(h[i % h.size])
        if abs(_realised(x, i, step) - step) > 0.01 * step:
            return i
    return -1


def _moved(x: Array, i: int, step: float) -> Array:
    moved = x.copy()
    moved.reshape(-1)[i] = _rounded(moved.item(i) + step, x.dtype)
    return moved


def _realised(x: Array, i: int, step: float) -> float:
    value = x.item(i)
    return 0.5 * (float(_rounded(value + step, x.dtype)) - float(_rounded(value - step, x.dtype)))


def _rounded(value: float, dtype: np.dtype[Any]) -> Any:
    if dtype == np.float64:
        return value
    with np.errstate(over="ignore"):
        return dtype.type(value)


def _call(f: Callable[..., Any], x: Array, reader: Reader, i: int, sign: int) -> Any:
    try:
        return f(x)
    except BaseException as error:
        reader.note(error, i, sign)
        raise


def _namer(x: Array) -> Callable[[int], str]:
    return lambda i: entry_name(i, x.shape)


def working_copy(x: Any) -> tuple[Array, bool]:
    """Return a copy of x as doubles or singles, and whether x is a bare number."""
    refuse_tree(x, "the plain reference takes one array: ask it for a function of the line of all entries")
    array = np.array(real_array(x, "x"), order="C")
    return array, not isinstance(x, np.ndarray | list | tuple) and array.ndim == 0


def _steps(eps: Any, x: Array) -> Float64Array:
    if eps is None:
        eps = 1e-5 if x.dtype == np.float64 else 2.0**-8
    elif isinstance(eps, str) and eps == "auto":
        scale = np.where(np.isfinite(x), np.maximum(np.abs(x, dtype=np.float64), 1.0), 1.0)
        spacing = np.log2(np.finfo(x.dtype).eps)
        eps = np.exp2(np.floor(np.maximum((spacing + np.log2(scale)) / 3, 3 * spacing / 5 + np.log2(scale))))
    elif isinstance(eps, str) and eps == "noise":
        raise unmeasured_noise()
    elif callable(eps) and not isinstance(eps, type):
        eps = eps(x.copy())
    h = given_steps(eps, x.shape)
    i = first_lost_step(x, h)
    if i >= 0:
        step = float(h[i % h.size])
        raise lost_step(_namer(x)(i), x.item(i), step, _realised(x, i, step))
    return h
