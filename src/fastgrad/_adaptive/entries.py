"""The adaptive method entry by entry: along each axis of f's argument, or at each element of an array."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fastgrad import steps
from fastgrad._adaptive.method import Estimate, adaptive_derivative
from fastgrad._around import Around, Axis, inwards
from fastgrad._arrays import in_dtype
from fastgrad._bounds import limits
from fastgrad._errors import ShapeError
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._point import Point
from fastgrad._reading import Reader
from fastgrad._typing import ScalarFunction, VectorFunction

#: Next to zero, x need not tell the scale on which f changes. The first derivative does without; the others are tried
#: on a scale so much wider as long as their bar is larger than this share of them. Smaller x are taken as SMALL.
COARSE, WIDER, SMALL = {2: 1e-9, 3: 1e-7, 4: 1e-5}, 2.0**10, 2.0**-40
#: So many steps of the grid on which the elements of a Jacobian's column share theirs, between one and its double. The
#: nodes of an extrapolation stay apart on it.
GRID = 4
#: f with the entry of a given flat index moved to a given value.
Moved = Callable[[int, Any], Any]


def adaptive_gradient(f: ScalarFunction, point: Point, bounds: Any = None, side: int = 0) -> Derivative:
    """Return the gradient of a scalar f at a point, each entry with as many digits as f allows.

    Every call gets a fresh copy of x. f is called at x itself once, for all entries.

    Parameters
    ----------
    f : callable
        Takes an array like the point's and returns a real scalar.
    point : Point
    bounds : optional
        In SciPy's form; f is never called outside.
    side : int
        With 1 or -1, no entry is moved down or up: what is returned are the slopes on the other side.

    Raises
    ------
    Exception
        Whatever f raises at x itself; elsewhere whatever it raises but FloatingPointError, ZeroDivisionError,
        OverflowError and ValueError, by which it says that it has no value there.
    """

    def moved(i: int, value: Any) -> Any:
        x = point.array.copy()
        x.reshape(-1)[i] = value
        return f(x)

    return _entries(moved, point, bounds, 1, side, is_shared=True)


def adaptive_elements(f: ScalarFunction, point: Point, bounds: Any = None, n: int = 1, side: int = 0) -> Derivative:
    """Return the n-th derivative of f, a function of one number, at each element of a point.

    As `adaptive_gradient`, but f is called with one element at a time, as a NumPy scalar; and with side 1 or -1 not
    below or above it.
    """
    return _entries(lambda i, value: f(value), point, bounds, n, side, is_shared=False)


def adaptive_jacobian(f: VectorFunction, point: Point, bounds: Any = None) -> Derivative:
    """Return the Jacobian of an array-valued f at a point, each element with as many digits as f allows.

    Every call gives all values of f. The elements of a column take their steps from one grid, and so share most of its
    calls; a column takes no more as soon as all of its elements have converged. The calls are those of each column.
    """
    around = Around(f, point, is_scalar=False)
    x = around.x
    lower, upper = limits(bounds, point)
    columns, calls = [], np.zeros(x.size, np.intp)
    with np.errstate(all="ignore"):
        m = around.centre.size
        for i in range(x.size):
            axis = Axis(around, i, (float(lower[i]), float(upper[i])))
            columns.append([adaptive_element(axis, row) for row in range(m)])
            calls[i] = axis.calls
    calls[:1] += 1
    by_rows = [column[row] for row in range(m) for column in columns]
    shape = point.array.shape
    return _collected(by_rows, calls.reshape(shape), x.dtype, (*(around.shape or ()), *shape))


def adaptive_element(axis: Axis, row: int, side: int = 0) -> Estimate:
    """Return the derivative of one of f's values along an axis, by steps on the grid that all of them share.

    With side 1 or -1, f is not called below or above x.
    """
    realised = steps.realised(axis.around.x[axis.i])
    at = axis.x if math.isfinite(axis.x) else 0.0
    low, high = (0.0 if side > 0 else axis.low - at), (0.0 if side < 0 else axis.high - at)
    return adaptive_derivative(
        lambda t: float(axis.at(t)[row]),
        abs(at),
        ulp=float(np.finfo(axis.kind).eps),
        bounds=(low, high),
        realised=lambda t: realised(on_grid(t)),
    )


def on_grid(t: float) -> float:
    """Return the nearest of the steps that are equally spaced by their logarithms, powers of two among them."""
    return float(2.0 ** (round(GRID * math.log2(t)) / GRID)) if 0.0 < t < math.inf else t


def _entries(moved: Moved, point: Point, bounds: Any, n: int, side: int, *, is_shared: bool) -> Derivative:
    """Return the estimates of all entries as arrays; f's value at x is shared, or each has its own."""
    x = point.array.reshape(-1)
    lower, upper = limits(bounds, point)
    lower, upper = (x if side > 0 else lower), (x if side < 0 else upper)
    reader = point.reader()
    centre = math.nan
    found = []
    with np.errstate(all="ignore"):
        for i in range(x.size):
            if i == 0 or not is_shared:
                centre = _called(moved, i, x[i], 0, reader)
            found.append(_entry(moved, i, x[i], centre, (float(lower[i]), float(upper[i])), n, reader))
    calls = np.array([e.calls for e in found], dtype=np.intp)
    if is_shared:
        calls[1:] -= 1
    return _collected(found, calls.reshape(point.array.shape), x.dtype, point.array.shape)


def _collected(found: Sequence[Estimate], calls: Any, kind: np.dtype[Any], shape: tuple[int, ...]) -> Derivative:
    """Return the estimates as arrays of a shape."""
    arrays = (
        in_dtype(np.array([e.value for e in found], dtype=np.float64), kind),
        in_dtype(np.array([e.error for e in found], dtype=np.float64), kind),
        np.array([e.step for e in found], dtype=np.float64),
    )
    value, error, step = (a.reshape(shape) for a in arrays)
    flags = {name: np.array([name in e.flags for e in found], dtype=np.bool_).reshape(shape) for name in FLAGS}
    return Derivative(value, error, calls, step, flags)


def _entry(
    moved: Moved, i: int, x: Any, centre: float, bounds: tuple[float, float], n: int, reader: Reader
) -> Estimate:
    """Return the estimate at one entry, a NumPy scalar of the working dtype."""
    kind, at = type(x), float(x)
    low, high = inwards(bounds, x.dtype) if math.isfinite(at) else (-math.inf, math.inf)
    known = {0.0: centre}

    def value(t: float) -> float:
        if t not in known:
            known[t] = math.nan
            known[t] = _called(moved, i, kind(min(max(at + t, low), high)), 1 if t > 0 else -1, reader)
        return known[t]

    def on_scale(scale: float) -> Estimate:
        return adaptive_derivative(
            value,
            scale,
            n=n,
            ulp=float(np.finfo(x.dtype).eps),
            bounds=(low - at, high - at) if math.isfinite(at) else (low, high),
            realised=steps.realised(x),
        )

    scale = abs(at) if math.isfinite(at) else 0.0
    found = on_scale(scale)
    while n in COARSE and 0.0 < scale < 1.0 and found.error > COARSE[n] * abs(found.value):
        scale = min(max(scale * WIDER, SMALL), 1.0)
        wider = on_scale(scale)
        if not wider.error < found.error / 2 or {"noisy", "unsettled"} & set(wider.flags):
            break
        found = wider
    return replace(found, calls=len(known))


def _called(moved: Moved, i: int, value: Any, sign: int, reader: Reader) -> float:
    """Return f with an entry moved, as a double."""
    y = reader.asked(partial(moved, i), value, i, sign)
    try:
        return reader.scalar(y, i, sign)
    except ShapeError as error:
        if sign == 0:
            raise
        # a ValueError away from x would be taken for the edge of f's domain
        raise TypeError(str(error)) from error
