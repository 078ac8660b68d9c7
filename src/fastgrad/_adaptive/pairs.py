"""The adaptive method for Hessians: each entry on and above the diagonal with as many digits as f allows.

A second difference with step t, over t², is a polynomial in t², or in t where all its points lie on one side. Halving t
again and again and extrapolating to t = 0 from the last few steps (Ridders, "Accurate computation of F'(x) and
F'(x)F''(x)", Advances in Engineering Software 4, 1982), the estimate is taken whose change from its neighbours and
whose rounding add up to least. A first difference with a small step is held against it: what lives on a scale far
below the first step must not be missed.

A mixed difference takes from f what it has of both entries at once: what it does along one alone drops out, and so
does, to first order, what rounding of x + t makes of it.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastgrad._adaptive.extrapolation import weights
from fastgrad._arrays import in_dtype
from fastgrad._bounds import limits
from fastgrad._errors import NO_VALUE, ShapeError
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._noise.precision import ShownPrecision
from fastgrad._point import Point
from fastgrad._reading import PairReader
from fastgrad._typing import ScalarFunction

#: The largest step, over the scale of the entry; how often it is halved at most; steps that are extrapolated from.
FIRST, HALVINGS, WINDOW = 0.5, 32, 6
#: The step that is held against the result, as a power of ε.
ANCHOR = 1 / 4
#: Bars are so many times the change of the estimate, and so many units of half a last place in each value.
SAFETY, UNITS = 2.0, 4.0
#: An entry with less room than this on one side, over its scale, is moved to the other alone.
NO_ROOM = 2.0**-7


class Second(NamedTuple):
    """A second derivative with its error bar, the step it ended at, and what was noticed."""

    value: float
    error: float
    step: float
    flags: tuple[str, ...]


def adaptive_hessian(f: ScalarFunction, point: Point, bounds: Any = None) -> Derivative:
    """Return the Hessian of a scalar f at a point with error bars; symmetric, bit for bit.

    Every call gets a fresh copy of x. The value at x is shared by all entries, and those along one entry by its row.

    Raises
    ------
    Exception
        Whatever f raises at x itself; elsewhere whatever it raises but FloatingPointError, ZeroDivisionError,
        OverflowError and ValueError, by which it says that it has no value there.
    """
    around = Pairs(f, point, bounds)
    n, kind = point.array.size, point.array.dtype
    value, error, step = np.empty((3, n, n))
    calls = np.zeros((n, n), np.intp)
    flags = {name: np.zeros((n, n), np.bool_) for name in FLAGS}
    for i in range(n):
        for j in range(i, n):
            before = around.calls if i or j else 0
            found = around.second(i, j)
            value[i, j] = value[j, i] = found.value
            error[i, j] = error[j, i] = found.error
            step[i, j] = step[j, i] = found.step
            calls[i, j] = around.calls - before
            for name in found.flags:
                flags[name][i, j] = flags[name][j, i] = True
    return Derivative(in_dtype(value, kind), in_dtype(error, kind), calls, step, flags)


class Pairs:
    """A scalar f around a point with one or two entries moved; values along one entry are kept.

    Attributes
    ----------
    calls : int
        Of f, so far.
    centre : float
        f at the point itself.
    """

    def __init__(self, f: ScalarFunction, point: Point, bounds: Any = None) -> None:
        self.calls = 0
        self._f = f
        self._x = point.array
        self._flat = point.array.reshape(-1)
        self._reader = PairReader(point.name, max(1, self._flat.size))
        self._precision = ShownPrecision()
        self._limits = limits(bounds, point)
        self._known: dict[tuple[int, float], tuple[float, float]] = {}
        self.centre = self._call(()) if self._flat.size else math.nan

    @property
    def _ulp(self) -> float:
        """The spacing of f's values at 1: x's own, unless f computes in single precision all the same."""
        return self._precision.ulp(float(np.finfo(self._x.dtype).eps))

    def second(self, i: int, j: int) -> Second:
        """Return the second derivative of f by entries i and j."""
        if not math.isfinite(self.centre) or not (math.isfinite(self._flat[i]) and math.isfinite(self._flat[j])):
            return Second(math.nan, math.inf, 0.0, ("undefined",))
        sides, most = zip(*(self._side(k) for k in (i, j)), strict=True)
        is_sided = any(sides)
        make = self._along if i == j else self._mixed

        def quotient(t: float) -> tuple[float, float]:
            with np.errstate(all="ignore"):
                return make(i, j, t, sides[0], sides[1])

        found = _extrapolated(quotient, min(FIRST, *most), 1 if is_sided else 2, self._ulp)
        return found._replace(
            step=found.step * max(self._scale(i), self._scale(j)),
            flags=(("one-sided",) if is_sided else ()) + found.flags,
        )

    def _along(self, i: int, j: int, t: float, side: int, _: int) -> tuple[float, float]:
        """Return a second difference along entry i, over t², and how far rounding may have put it off."""
        h, (up, taken) = t * self._scale(i), self._moved(i, (side or 1) * t)
        down, back = self._moved(i, 2 * side * t if side else -t)
        noise = UNITS * self._ulp / 2 * (abs(self.centre) + max(abs(up), abs(down)))
        # the steps as taken, for rounding of x leaves them unequal: the divided difference of unequal steps
        slopes = up / taken, down / back
        return 2.0 * (slopes[0] - slopes[1]) / (taken - back), 4.0 * noise / h / h

    def _mixed(self, i: int, j: int, t: float, side_i: int, side_j: int) -> tuple[float, float]:
        """Return a mixed difference over t², and how far rounding may have put it off."""
        signs = [(side_i or 1, side_j or 1)] if side_i or side_j else [(1, 1), (-1, -1)]
        total = size = 0.0
        for a, b in signs:
            (one, p), (other, q) = self._moved(i, a * t), self._moved(j, b * t)
            both = self._call(((i, a * t), (j, b * t))) - self.centre
            total += (both - one - other) / (p * q)
            size = max(size, abs(both), abs(one), abs(other))
        noise = UNITS * self._ulp / 2 * (abs(self.centre) + size)
        return total / len(signs), 4.0 * noise / (t * self._scale(i)) / (t * self._scale(j))

    def _side(self, i: int) -> tuple[int, float]:
        """Return the side to which an entry is moved, 0 for both, and the largest step there, over its scale."""
        at, scale = float(self._flat[i]), self._scale(i)
        down, up = (at - float(self._limits[0][i])) / scale, (float(self._limits[1][i]) - at) / scale
        if min(down, up) >= NO_ROOM:
            return 0, min(down, up)
        return (1, up / 2) if up >= down else (-1, down / 2)

    def _scale(self, i: int) -> float:
        """Return the scale on which f is taken to change with an entry at most: max(1, |x_i|) as a power of two."""
        return 2.0 ** math.floor(math.log2(max(1.0, abs(float(self._flat[i])))))

    def _moved(self, i: int, t: float) -> tuple[float, float]:
        """Return f's change where entry i is moved by t of its scale, and the step that is really taken."""
        if (i, t) not in self._known:
            taken = float(self._within(i, t)) - float(self._flat[i])
            self._known[i, t] = self._call(((i, t),)) - self.centre, taken or math.nan
        return self._known[i, t]

    def _call(self, moves: tuple[tuple[int, float], ...]) -> float:
        x = self._x.copy()
        for i, t in moves:
            x.reshape(-1)[i] = self._within(i, t)
        where, sign = (moves[0][0] * self._flat.size + moves[-1][0], 1 if moves[0][1] > 0 else -1) if moves else (0, 0)
        self.calls += 1
        try:
            y = self._reader.asked(self._f, x, where, sign)
        except NO_VALUE as error:
            if not moves or isinstance(error, ShapeError):
                raise
            return math.nan
        value = self._reader.scalar(y, where, sign)
        self._precision.add(value)
        return value

    def _within(self, i: int, t: float) -> Any:
        """Return entry i moved by t of its scale, within the bounds whatever rounding does."""
        kind = self._flat.dtype.type
        lower, upper = (float(side[i]) for side in self._limits)
        moved = kind(min(max(float(self._flat[i]) + t * self._scale(i), lower), upper))
        if moved > upper:
            return np.nextafter(moved, kind(-np.inf))
        return np.nextafter(moved, kind(np.inf)) if moved < lower else moved


class _Steps:
    """The last few quotients, each with its node, a power of its step, and with what rounding may do to it."""

    def __init__(self, power: int) -> None:
        self.power = power
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.nodes: list[float] = []
        self.values: list[float] = []
        self.noises: list[float] = []
        self.last: list[float] = []

    def add(self, t: float, value: float, noise: float) -> tuple[float, float]:
        """Take one more quotient in; return the best estimate that ends with it, and its error."""
        self.nodes = [*self.nodes[1 - WINDOW :], t**self.power]
        self.values = [*self.values[1 - WINDOW :], value]
        self.noises = [*self.noises[1 - WINDOW :], noise]
        estimates, best = [value], (value, math.inf)
        for m in range(2, len(self.nodes) + 1):
            w = weights(self.nodes[-m:])
            estimates.append(math.fsum(a * b for a, b in zip(w, self.values[-m:], strict=True)))
            rounding = math.hypot(*(a * b for a, b in zip(w, self.noises[-m:], strict=True)))
            change = max(abs(estimates[-1] - estimates[-2]), abs(estimates[-1] - self.last[m - 2]))
            best = min(best, (estimates[-1], SAFETY * change + rounding), key=lambda found: found[1])
        self.last = estimates
        return best


def _extrapolated(quotient: Callable[[float], tuple[float, float]], first: float, power: int, ulp: float) -> Second:
    """Return the limit of the quotients at first, first/2, first/4, …; each comes with what rounding may do to it."""
    anchor, slack = quotient(min(first, 2.0 ** round(math.log2(ulp) * ANCHOR)))
    best = Second(anchor, math.inf, first, ())
    steps, t = _Steps(power), first
    for _ in range(HALVINGS):
        value, noise = quotient(t)
        if math.isfinite(value):
            found, error = steps.add(t, value, noise)
            if error < best.error:
                best = Second(found, error, t, ())
            if len(steps.nodes) > 2 and noise > best.error:
                break
        else:
            steps.forget()
        t /= 2.0
    if math.isinf(best.error):
        return best if math.isfinite(anchor) else Second(math.nan, math.inf, 0.0, ("undefined",))
    off = abs(best.value - anchor) - slack
    if math.isfinite(anchor) and off > max(best.error, abs(anchor) / 100):
        return best._replace(error=off, flags=("unsettled",))
    return best
