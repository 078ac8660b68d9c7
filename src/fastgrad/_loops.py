"""Which loop measures f: its own, where it is native, or that of the calls of a Python callable."""

import operator
from collections.abc import Callable
from types import FunctionType
from typing import Any

from fastgrad import _backend
from fastgrad._point import Point
from fastgrad._typing import Array, Float64Array, Pace
from fastgrad._workers import is_number, processors


def has_own(f: Any, loop: str) -> bool:
    """Tell whether f's class has a loop of this name. Functions have none, and need not be asked: most f are such."""
    kind = type(f)
    return kind is not FunctionType and hasattr(kind, loop)


def is_structured(f: Any) -> bool:
    """Tell whether f measures by its structure. A native f says no before it is asked for what it lacks."""
    kind = type(f)
    if kind is FunctionType or hasattr(kind, "__fastgrad_differences__"):
        return False
    return hasattr(kind, "__fastgrad_gradient__")


def gradient(
    f: Any,
    point: Point,
    h: Float64Array,
    scheme: Any,
    out: Array,
    workers: int | None = None,
    pace: Pace | None = None,
) -> int:
    """Write the differences of a scalar f at a point into out; return the calls of f, of a native f those by pairs."""
    x = point.array
    if has_own(f, "__fastgrad_differences__"):
        return 2 * x.size * int(f.__fastgrad_differences__(x, h, scheme, out, threads_of(workers), pace))
    return int(_backend.differences.gradient(f, x, h, scheme, out, point.reader(pace)))


def jacobian(
    f: Any,
    point: Point,
    h: Float64Array,
    scheme: Any,
    allocate: Callable[[tuple[int, ...]], Array],
    workers: int | None = None,
) -> Array:
    """Return the array that allocate gives for the shape of f's values, filled with the differences of f at a point."""
    if has_own(f, "__fastgrad_columns__"):
        J = allocate((f.m,))
        f.__fastgrad_columns__(point.array, h, scheme, J, threads_of(workers))
        return J
    found: Array = _backend.differences.jacobian(f, point.array, h, scheme, allocate, point.reader())
    return found


def is_native(f: Any) -> bool:
    """Tell whether f measures by spans of its own, and so raises nothing."""
    return has_own(f, "__fastgrad_differences__") or has_own(f, "__fastgrad_columns__")


def takes_threads(f: Any, workers: Any) -> bool:
    """Tell whether these workers are threads for the spans of a native f, which nobody else has to start."""
    return is_native(f) and is_number(workers)


def threads_of(workers: Any) -> int:
    """Return how many threads these workers are, for an f that can use nothing else; -1 is one a processor."""
    if workers is None:
        return 1
    if not is_number(workers):
        raise TypeError(
            f"f measures without calls of Python, on threads: workers must be their number, got {workers!r}."
        )
    threads = operator.index(workers)
    if threads < 1 and threads != -1:
        raise ValueError(f"workers must be a positive number of threads, or -1 for one a processor; got {threads}.")
    return processors() if threads == -1 else threads
