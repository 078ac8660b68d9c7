"""Differences of functions at an address in plain NumPy: each call goes through ctypes, on a copy of x of its own."""

import ctypes
from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from fastgrad._typing import Array, Float64Array, Run
from fastgrad.reference.differences import Scheme

__all__ = ["gradient", "jacobian", "scalar", "vector"]

#: How a function takes its arguments, added up: data come last, n before x, counts are int.
DATA, COUNT_FIRST, INT_COUNT = 1, 2, 4
_POINTER = ctypes.POINTER(ctypes.c_double)


def scalar(address: int, data: int, form: int, x: Float64Array) -> float:
    """Return the value of a scalar function at x."""
    count = ctypes.c_int if form & INT_COUNT else ctypes.c_ssize_t
    types: list[Any] = [count, _POINTER] if form & COUNT_FIRST else [_POINTER, count]
    values: list[Any] = [x.size, _pointer(x)] if form & COUNT_FIRST else [_pointer(x), x.size]
    if form & DATA:
        types, values = [*types, ctypes.c_void_p], [*values, data]
    return float(ctypes.CFUNCTYPE(ctypes.c_double, *types)(address)(*values))


def vector(address: int, data: int, form: int, x: Float64Array, y: Float64Array) -> None:
    """Let a vector function write its values at x into y."""
    count = ctypes.c_int if form & INT_COUNT else ctypes.c_ssize_t
    types: list[Any] = [_POINTER, _POINTER, count, count]
    values: list[Any] = [_pointer(x), _pointer(y), x.size, y.size]
    if form & DATA:
        types, values = [*types, ctypes.c_void_p], [*values, data]
    ctypes.CFUNCTYPE(None, *types)(address)(*values)


def gradient(
    address: int,
    data: int,
    form: int,
    x: Array,
    h: Float64Array,
    scheme: Scheme,
    centre: float,
    fresh: bool,
    out: Array,
) -> Run:
    """Return a run that writes differences into out. It copies x for each call, and takes all its time."""
    base, result = x.reshape(-1), out.reshape(-1)

    def f(moved: Float64Array) -> float:
        return scalar(address, data, form, moved)

    def run(start: int, stop: int, seconds: float) -> int:
        for i in range(start, stop):
            _write(result, i, _difference(f, base, h, scheme, centre, i))
        return stop

    return run


def jacobian(
    address: int,
    data: int,
    form: int,
    x: Array,
    h: Float64Array,
    scheme: Scheme,
    centre: Float64Array,
    fresh: bool,
    out: Array,
) -> Run:
    """Return a run that writes columns into out. It copies x for each call, and takes all its time."""
    base, result = x.reshape(-1), out.reshape(centre.size, x.size)

    def f(moved: Float64Array) -> Float64Array:
        y = np.full(centre.size, np.nan)
        vector(address, data, form, moved, y)
        return y

    def run(start: int, stop: int, seconds: float) -> int:
        for i in range(start, stop):
            _write(result, (slice(None), i), _difference(f, base, h, scheme, centre, i))
        return stop

    return run


def _difference(
    f: Callable[[Float64Array], Any], x: Array, h: Float64Array, scheme: Scheme, centre: Any, i: int
) -> Any:
    step = float(h[i % h.size])
    terms, width = scheme.terms(i)
    with np.errstate(all="ignore"):
        weighted = [weight * (f(_moved(x, i, offset * step)) if offset else centre) for offset, weight in terms]
        return reduce(add, weighted) / (width * step)


def _moved(x: Array, i: int, step: float) -> Float64Array:
    moved = x.astype(np.float64)
    moved[i] = x.dtype.type(x.item(i) + step)
    return moved


def _write(out: Array, where: Any, value: Any) -> None:
    with np.errstate(over="ignore"):
        out[where] = value


def _pointer(a: Float64Array) -> Any:
    return a.ctypes.data_as(_POINTER)
