"""x moved along a direction v: the points x + t v, as a function of the number t that can be differentiated at 0."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastgrad import _backend, steps
from fastgrad._adaptive.method import adaptive_derivative
from fastgrad._arrays import given_steps, is_masked_array
from fastgrad._bounds import limits
from fastgrad._errors import ShapeError, StepError, unmeasured_noise
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._noise.precision import ShownPrecision
from fastgrad._noise.steps import scales
from fastgrad._point import Point
from fastgrad._reading import Reader
from fastgrad._stencils.scheme import fitted, uniform
from fastgrad._stencils.table import ORDERS, Stencil, given_stencil, stencil
from fastgrad._typing import Array, Float64Array, Step

#: A bar is so many times the truncation that two steps show, and as many units of half a last place in each value.
SAFETY, UNITS = 3.0, 8.0
#: The share of v that rounding of x may take from it.
LOST = 0.01
_NAME = "x along v"


class Direction:
    """The line x + t v through a point.

    Attributes
    ----------
    v : ndarray of float64, shape (n,)
    length : float
        ‖v/s‖ with s_i = max(1, |x_i|), in the Euclidean norm: how far t = 1 moves x, in units of the scale on which f
        is taken to change.
    low, high : float
        How far t may go within the bounds.
    """

    def __init__(self, point: Point, v: Any, bounds: Any = None) -> None:
        self.point = point
        self.v = in_line(point, v, "v")
        if not np.isfinite(self.v).all():
            raise ValueError("v must be finite.")
        self._x = point.array.reshape(-1).astype(np.float64)
        self.length = _norm(self.v / scales(self._x))
        self._bounds = None if bounds is None else limits(bounds, point)
        self.low, self.high = -math.inf, math.inf
        if self._bounds is not None:
            lower, upper = self._bounds
            with np.errstate(all="ignore"):
                down = np.where(self.v > 0, lower - self._x, self._x - upper) / np.abs(self.v)
                up = np.where(self.v > 0, upper - self._x, self._x - lower) / np.abs(self.v)
            moves = self.v != 0
            self.low, self.high = (
                float(np.max(down[moves], initial=-math.inf)),
                float(np.min(up[moves], initial=math.inf)),
            )

    def at(self, t: float) -> Array:
        """Return x + t v, a fresh array of the point's shape and dtype, within the bounds whatever rounding does."""
        with np.errstate(over="ignore", invalid="ignore"):
            moved = (self._x + t * self.v).astype(self.point.array.dtype)
        if self._bounds is not None:
            lower, upper = self._bounds
            moved = np.where(moved > upper, np.nextafter(moved, -np.inf, dtype=moved.dtype), moved)
            moved = np.where(moved < lower, np.nextafter(moved, np.inf, dtype=moved.dtype), moved)
        return moved.reshape(self.point.array.shape)

    def bounds_around(self, times: Sequence[float]) -> tuple[Float64Array, Float64Array] | None:
        """Return the bounds within which x may move so that x + t v stays within its own at all of these times t."""
        if self._bounds is None:
            return None
        moves = np.multiply.outer([*times, 0.0], self.v)
        shape = self.point.array.shape
        lower = np.fmin(self._bounds[0] - moves.min(axis=0), self._x)
        upper = np.fmax(self._bounds[1] - moves.max(axis=0), self._x)
        return lower.reshape(shape), upper.reshape(shape)

    def plan(self, eps: Step, method: str | None, order: int | None, power: int | None = None) -> tuple[Stencil, float]:
        """Return the stencil and the step by which to differentiate by t.

        For None and "auto" the step is the power of two nearest to 1/‖v/h‖, in the Euclidean norm, where h are the
        "auto" steps of the entries for the order of error, or for `power`: along a single entry that is its own step,
        and along any direction x moves, in units of its steps, as far as there. (Steps of this form, a power of ε over
        ‖v‖, are those of Knoll and Keyes, "Jacobian-free Newton-Krylov methods", J. Comput. Phys. 193, 2004, section
        2.3.) A number is the step t itself.

        Raises
        ------
        ValueError
            If the method or its order is unknown, or the bounds leave no room along v.
        StepError
            If eps is no positive finite number, or rounding of x takes more than a hundredth from v.
        """
        chosen = given_stencil(method, order)
        if eps is None or (isinstance(eps, str) and eps == "auto"):
            moves = _norm(self.v / steps.auto(self.point.array, chosen.order if power is None else power))
            h = 2.0 ** min(max(round(-math.log2(moves)), -1060), 1000) if moves else 1.0
        else:
            h = _given(eps)
        if self._bounds is not None:
            if max(-self.low, self.high) <= 0.0:
                raise ValueError("v leads out of the bounds from x, and so does -v: differentiate along a part of it.")
            sides = [chosen, *(stencil(side, min(chosen.order, ORDERS[side][-1])) for side in ("forward", "backward"))]
            which, taken, _ = fitted(sides, (self.low, self.high), Point(np.zeros(1), label=_NAME), np.array([h]))
            chosen, h = sides[int(which[0])], float(taken[0])
        self._refuse_lost_step(h)
        return chosen, h

    def _refuse_lost_step(self, h: float) -> None:
        """Raise the error that names the entry which loses most, where rounding takes too much from v."""
        dtype = self.point.array.dtype
        with np.errstate(all="ignore"):
            there, back = ((self._x + sign * h * self.v).astype(dtype).astype(np.float64) for sign in (1, -1))
            lost = np.abs((there - back) / (2.0 * h) - self.v)
        if _norm(lost) <= LOST * _norm(self.v) or not np.isfinite(self._x).all():
            return
        i = int(np.argmax(lost))
        raise StepError(
            f"the step eps = {h:.6g} along v is lost to rounding at {self.point.name(i)} = {self._x[i]:.17g}, which it "
            f"ought to move by {h * self.v[i]:.6g}. Give a larger eps, or differentiate by that entry alone."
        )


def in_line(point: Point, given: Any, what: str) -> Float64Array:
    """Return something of x's form, an array or a tree, as one line of doubles.

    Raises
    ------
    ShapeError, TypeError
        If it has not the form of x, or holds no real numbers; the sentence says `what`.
    """
    if point.tree is not None:
        parts = point.tree.arrays(given, what)
    else:
        if is_masked_array(given):
            raise TypeError(f"{what} is a masked array: fill it first.")
        try:
            parts = [np.asarray(given)]
        except ValueError as error:
            raise ShapeError(f"{what} must be an array shaped like x, {point.array.shape}: {error}") from error
        if parts[0].shape not in (point.array.shape, (point.array.size,)):
            raise ShapeError(f"{what} must have the shape of x, {point.array.shape}; got {parts[0].shape}.")
    for part in parts:
        if part.dtype.kind not in "biuf":
            raise TypeError(f"{what} must hold real numbers; got dtype {part.dtype}.")
    return np.concatenate([np.empty(0), *(part.reshape(-1) for part in parts)])


def along(direction: Direction, f: Callable[[Array], Any], s: Stencil, h: float) -> Float64Array:
    """Return the difference of f along a direction by a stencil and a step, shaped like f's value."""
    J: Array = _backend.differences.jacobian(
        lambda t: f(direction.at(float(t[0]))),
        np.zeros(1),
        np.array([h]),
        uniform(s),
        lambda shape: np.empty((*shape, 1)),
        Reader(lambda i: _NAME),
    )
    return J[..., 0]


def along_with_bar(direction: Direction, f: Callable[[Array], Any], s: Stencil, h: float) -> Derivative:
    """Return the same with an error bar, from a second step: twice as large where bounds allow, else half."""
    sizes, precision, calls = [np.zeros(())], ShownPrecision(), 0
    reader = Reader(lambda i: _NAME)

    def watched(x: Array) -> Any:
        nonlocal calls
        calls += 1
        y = f(x)
        with np.errstate(invalid="ignore"):
            values = reader.array(y, 0, 1, None)
            sizes[0] = np.maximum(sizes[0], np.abs(values))
        precision.add_all(values.reshape(-1))
        return y

    value = along(direction, watched, s, h)
    size = sizes[0].reshape(value.shape)
    reaches = [h * k for k in s.offsets]
    wider = 2 * min(reaches) >= direction.low and 2 * max(reaches) <= direction.high
    other = along(direction, watched, s, 2 * h if wider else h / 2)
    with np.errstate(all="ignore"):
        truncation = np.abs(value - other) / (2.0**s.order - 1.0 if wider else 1.0 - 2.0**-s.order)
        ulp = precision.ulp(float(np.finfo(direction.point.array.dtype).eps))
        rounding = UNITS * ulp / 2 * s.amplification * size / h
        error = np.where(np.isfinite(value), SAFETY * truncation + rounding, np.inf)
    error = np.where(np.isnan(error), np.inf, error)
    flags = {name: np.zeros(value.shape, np.bool_) for name in FLAGS}
    flags["undefined"] = np.isnan(value)
    flags["one-sided"] |= s.offsets[0] * s.offsets[1] > 0 if len(s.offsets) > 1 else True
    counted = np.zeros(value.shape, np.intp)
    counted.reshape(-1)[:1] = calls
    return Derivative(value, error, counted, np.full(value.shape, h), flags)


def adaptively(direction: Direction, f: Callable[[Array], Any]) -> Derivative:
    """Return the derivative of a scalar f along a direction with as many digits as f allows, and its bar."""
    reader = Reader(lambda i: _NAME)
    known: dict[float, float] = {}

    def value(t: float) -> float:
        if t not in known:
            known[t] = math.nan
            sign = int(math.copysign(1, t)) if t else 0
            y = reader.asked(f, direction.at(t), 0, sign)
            try:
                known[t] = reader.scalar(y, 0, sign)
            except ShapeError as error:  # a ValueError away from x would be taken for the edge of f's domain
                raise TypeError(str(error)) from error
        return known[t]

    with np.errstate(all="ignore"):
        value(0.0)
        found = adaptive_derivative(
            value,
            1.0 / (direction.length or 1.0),
            ulp=float(np.finfo(direction.point.array.dtype).eps),
            bounds=(direction.low, direction.high),
        )
    return Derivative(
        np.float64(found.value),
        np.float64(found.error),
        np.intp(len(known)),
        np.float64(found.step),
        {name: np.bool_(name in found.flags) for name in FLAGS},
    )


def auto_lines(point: Point, power: int) -> Float64Array:
    """Return "auto" steps shaped like the point's array, for an error that falls with a power of them."""
    return steps.auto(point.array, power).reshape(point.array.shape)


def _given(eps: Any) -> float:
    """Return a step along a direction that was given: one number."""
    if isinstance(eps, str) and eps == "noise":
        raise unmeasured_noise()
    if np.ndim(eps):
        raise ShapeError(f"the step along a direction is one number; got an array of shape {np.shape(eps)}.")
    return float(given_steps(eps, ())[0])


def _norm(v: Float64Array) -> float:
    largest = float(np.max(np.abs(v), initial=0.0))
    return largest * float(np.linalg.norm(v / largest)) if 0.0 < largest < math.inf else largest
