"""The adaptive method for Hessians: each entry on and above the diagonal with as many digits as f allows.

A mixed derivative is half the second derivative at t = 0 of what f has of both entries at once,

    m(t) = f(x + t (s_i e_i + s_j e_j)) - (f(x + t s_i e_i) - f(x)) - (f(x + t s_j e_j) - f(x)),

over s_i s_j, s being the scales of the entries. What f does along one entry alone drops out of it, and so does all that
rounding of x + t s does to first order.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from fastgrad import steps
from fastgrad._adaptive import Estimate, adaptive_derivative
from fastgrad._bounds import limits
from fastgrad._errors import ShapeError
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._point import Point
from fastgrad._reading import PairReader
from fastgrad._typing import Array, Float64Array, ScalarFunction

#: A bar gets so many units of half a last place in each value of f: the three values of m are rounded each for itself.
UNITS = 4.0


def adaptive_hessian(f: ScalarFunction, point: Point, bounds: Any = None) -> Derivative:
    """Return the Hessian of a scalar f at a point with error bars; symmetric, bit for bit.

    Every call gets a fresh copy of x. The value at x is shared by all entries, and those along one entry by its row.

    Raises
    ------
    Exception
        Whatever f raises at x itself; elsewhere whatever it raises but FloatingPointError, ZeroDivisionError,
        OverflowError and ValueError, by which it says that it has no value there.
    """
    values = Values(f, point, bounds)
    n, kind = point.array.size, point.array.dtype
    value, error, step = np.empty((3, n, n))
    calls = np.zeros((n, n), np.intp)
    flags = {name: np.zeros((n, n), np.bool_) for name in FLAGS}
    for i in range(n):
        for j in range(i, n):
            before = values.calls if i or j else 0
            found = values.along(i) if i == j else values.of_both(i, j)
            value[i, j] = value[j, i] = found.value
            error[i, j] = error[j, i] = found.error
            step[i, j] = step[j, i] = found.step
            calls[i, j] = values.calls - before
            for name in found.flags:
                flags[name][i, j] = flags[name][j, i] = True
    return Derivative(value.astype(kind), error.astype(kind), calls, step, flags)


class Values:
    """A scalar f around a point with one or two entries moved; values along one entry are kept.

    Attributes
    ----------
    calls : int
        Of f, so far.
    """

    def __init__(self, f: ScalarFunction, point: Point, bounds: Any = None) -> None:
        self.calls = 0
        self._f = f
        self._x = point.array
        self._flat = point.array.reshape(-1)
        self._reader = PairReader(point.name, max(1, self._flat.size))
        self._ulp = float(np.finfo(self._x.dtype).eps)
        free = np.full((2, self._flat.size), [[-math.inf], [math.inf]])
        self._limits: tuple[Float64Array, Float64Array] = (free[0], free[1]) if bounds is None else limits(bounds, point)
        self._known: dict[tuple[int, float], float] = {}
        self._centre = self._call(()) if self._flat.size else math.nan

    def along(self, i: int) -> Estimate:
        """Return the second derivative of f along entry i."""
        at = self._flat[i]
        with np.errstate(all="ignore"):
            return adaptive_derivative(
                lambda t: self._moved_one(i, t),
                self._scale(i),
                n=2,
                ulp=self._ulp,
                bounds=self._room(i, 1.0),
                realised=steps.realised(at),
            )

    def of_both(self, i: int, j: int) -> Estimate:
        """Return the mixed derivative of f by entries i and j."""
        s, t = self._scale(i), self._scale(j)
        rooms = self._room(i, s), self._room(j, t)

        def both(k: float) -> float:
            if k == 0.0:
                return self._centre
            together = self._call(((i, k * s), (j, k * t)))
            return together - (self._moved_one(i, k * s) - self._centre) - (self._moved_one(j, k * t) - self._centre)

        with np.errstate(all="ignore"):
            found = adaptive_derivative(
                both, 1.0, n=2, ulp=self._ulp, bounds=(max(r[0] for r in rooms), min(r[1] for r in rooms))
            )
        over = 2.0 * s * t
        rounding = UNITS * self._ulp * abs(self._centre) / found.step**2 if found.step else 0.0
        return replace(
            found, value=found.value / over, error=(found.error + rounding) / over, step=found.step * max(s, t)
        )

    def _scale(self, i: int) -> float:
        """Return the magnitude of an entry as a power of two, 1 where it is zero."""
        size = abs(float(self._flat[i]))
        return 2.0 ** math.floor(math.log2(size)) if 0.0 < size < math.inf else 1.0

    def _room(self, i: int, scale: float) -> tuple[float, float]:
        at = float(self._flat[i])
        if not math.isfinite(at):
            return -math.inf, math.inf
        return (float(self._limits[0][i]) - at) / scale, (float(self._limits[1][i]) - at) / scale

    def _moved_one(self, i: int, step: float) -> float:
        if step == 0.0:
            return self._centre
        if (i, step) not in self._known:
            self._known[i, step] = math.nan
            self._known[i, step] = self._call(((i, step),))
        return self._known[i, step]

    def _call(self, moves: tuple[tuple[int, float], ...]) -> float:
        x = self._x.copy()
        for i, step in moves:
            x.reshape(-1)[i] = self._within(i, float(self._flat[i]) + step)
        where, sign = (
            (moves[0][0] * self._flat.size + moves[-1][0], 1 if moves[0][1] > 0 else -1) if moves else (0, 0)
        )
        self.calls += 1
        try:
            y = self._f(x)
        except Exception as error:
            self._reader.note(error, where, sign)
            raise
        try:
            return self._reader.scalar(y, where, sign)
        except ShapeError as error:
            if not moves:
                raise
            raise TypeError(str(error)) from error  # a ValueError away from x would be taken for the edge of f's domain

    def _within(self, i: int, value: float) -> Array:
        kind = self._flat.dtype.type
        lower, upper = (float(side[i]) for side in self._limits)
        moved = kind(min(max(value, lower), upper))
        if moved > upper:
            moved = np.nextafter(moved, kind(-np.inf))
        return np.asarray(np.nextafter(moved, kind(np.inf)) if moved < lower else moved)
