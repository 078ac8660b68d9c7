"""The slopes of a scalar function below and above each entry of x: where they differ, f has a kink."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from fastgrad import steps
from fastgrad._adaptive.entries import adaptive_gradient
from fastgrad._arrays import in_dtype, read_only, step_of
from fastgrad._containers import refuse_tree
from fastgrad._errors import no_such_method
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._noise.neighbourhood import Neighbourhood
from fastgrad._point import ONE_ARRAY, Point, as_point, bound
from fastgrad._stencils.table import ORDERS, Stencil, given_stencil, stencil
from fastgrad._typing import Float64Array, ScalarFunction, Step

#: f's own rounding is taken as so many units of half a last place in each value.
UNITS = 8.0
#: A bar is so many times what the slopes of two orders, or with two steps, are apart.
SAFETY = 3.0
METHODS = ("differences", "adaptive")


def one_sided_derivatives(
    f: ScalarFunction,
    x: Any,
    eps: Step = None,
    *,
    order: int | None = None,
    method: Literal["differences", "adaptive"] = "differences",
    details: bool = False,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> tuple[Any, Any]:
    """Return the slopes of the scalar function f below and above each entry of x.

    Where f is smooth the two are the same but for truncation and rounding; at a kink, as of relu, max or abs, they
    differ, and all between them are subgradients of a convex f. Each takes ``order`` calls an entry and side, and one
    call at x is shared by all: with n entries, f is called 1 + 4n times by default and 1 + 2n times with ``order=1``.

    Parameters
    ----------
    f : callable
        Takes an array of x's shape and dtype, a fresh copy each time, and returns a real scalar. A callable with
        ``__fastgrad_slopes__`` (`fastgrad.losses`) measures by its own loop: its slopes differ at kinks that lie at x
        or too near to be stepped around, and are both the central difference elsewhere.
    x : array_like or tree of arrays
        The point, of any shape, as `numerical_gradient` takes it.
    eps : None, float, array_like or "auto"
        The absolute step, as for `numerical_gradient`: the farthest point is ``order * eps`` away.
    order : int, optional
        The power of the step with which the error falls, 1 to 4; 2 by default. Not for structured callables.
    method : {"differences", "adaptive"}
        "adaptive" extrapolates on each side as `derivative` does, to all digits that f allows, with about 10 calls an
        entry and side. It finds its own steps: give neither eps nor order.
    details : bool
        Whether to return error bars, calls, steps and flags with the values. Differences then take two more calls an
        entry, and are held against those of the next order; entries whose slopes differ by more than twice their
        bars are flagged as kinks. A structured callable is measured twice.
    args, kwargs : sequence and mapping, optional
        Passed on to f after x.

    Returns
    -------
    left, right : ndarray or Derivative
        Shaped like x; NumPy scalars when x is a bare number. With `details`, a `Derivative` each. NaN on a side where f
        has no finite value.

    Raises
    ------
    StepError
        If eps is not a positive finite real number, or rounding at some entry changes the step by more than 1 %.
    ValueError
        If order or method is none of those named, or eps or order is given to the adaptive method.
    TypeError, ShapeError
        If x cannot be differentiated at, or f returns no real scalar; the sentence names the entry.
    Exception
        Whatever f raises at x itself. Beside it, FloatingPointError, ZeroDivisionError, OverflowError and ValueError
        say that f has no value there, as NaN does.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> left, right = fg.one_sided_derivatives(lambda x: np.sum(np.maximum(x, 0)), np.array([-1.0, 0.0, 1.0]))
    >>> left.round(9), right.round(9)
    (array([0., 0., 1.]), array([0., 1., 1.]))
    """
    if method not in METHODS:
        raise no_such_method(method, METHODS)
    if method == "adaptive" and (eps is not None or order is not None):
        raise ValueError("the adaptive method finds its own steps: give neither eps nor order.")
    point = as_point(x)
    if method == "adaptive":
        g = point.of_array(bound(f, args, kwargs))
        left, right = (adaptive_gradient(g, point, side=side) for side in (-1, 1))
    elif hasattr(type(f), "__fastgrad_slopes__"):
        if order is not None or args or kwargs:
            raise TypeError("a structured callable measures by its own loop: order, args and kwargs do not reach it.")
        refuse_tree(x, ONE_ARRAY)
        left, right = _by_structure(f, point, eps, details)
    else:
        stencils = [given_stencil(side, order) for side in ("backward", "forward")]
        g = point.of_array(bound(f, args, kwargs))
        left, right = _by_differences(g, point, steps.resolve(eps, point), stencils, details)
    if not details:
        return point.restore(left.value), point.restore(right.value)
    apart = np.abs(right.value - left.value, dtype=np.float64) > 2.0 * np.add(left.error, right.error, dtype=np.float64)
    for side in (left, right):
        side.flags["kink"] |= apart
    return left.mapped(point.restore), right.mapped(point.restore)


def _by_differences(
    f: ScalarFunction, point: Point, h: Float64Array, stencils: list[Stencil], details: bool
) -> tuple[Derivative, Derivative]:
    """Return the slopes on both sides by a stencil each, with bars by the stencil of the next order if asked."""
    x = point.array.reshape(-1)
    values = np.full((2, x.size), math.nan)
    apart, rounding = np.full((2, 2, x.size), math.nan)
    taken = np.empty(x.size)
    ulp = float(np.finfo(x.dtype).eps)
    others = [_next(s) if details else None for s in stencils]
    with np.errstate(all="ignore"):
        around = Neighbourhood(f, point)
        for i in range(x.size):
            taken[i] = step = steps.realised(x[i])(step_of(h, i))
            for side, (s, other) in enumerate(zip(stencils, others, strict=True)):
                reach = range(1, max(s.reach, other.reach if other else 0) + 1)
                sign = 1 if s.offsets[0] > 0 else -1
                at = {0: around.centre, **{sign * k: around.moved(i, sign * k * step) for k in reach}}
                values[side, i] = _slope(s, at, step)
                if other is not None:
                    apart[side, i] = abs(_slope(other, at, step) - values[side, i])
                    rounding[side, i] = UNITS * ulp / 2 * s.amplification * max(map(abs, at.values())) / step
    errors = np.where(np.isnan(apart), math.inf, SAFETY * _at_least(apart, taken) + rounding)
    calls = np.full((2, x.size), reach.stop - 1 if x.size else 0, dtype=np.intp)
    calls[0, :1] += 1
    pairs = zip(values, errors, calls, strict=True)
    left, right = (_as_derivative(v, e, c, taken, point) for v, e, c in pairs)
    return left, right


def _at_least(apart: Float64Array, taken: Float64Array) -> Float64Array:
    """Return how far two orders are apart, shape (2, n), without those that are next to each other by chance.

    Noise may leave them so at one entry and side. It is less likely on both, or at most entries: f's noise is the same.
    """
    known = (apart * taken)[np.isfinite(apart)]
    usual = float(np.median(known)) if known.size else 0.0
    least: Float64Array = np.fmax(np.fmax(apart[0], apart[1]), usual / taken)
    return least


def _next(s: Stencil) -> Stencil:
    """Return the stencil of the next order, or of the one before the highest."""
    method = "forward" if s.offsets[0] > 0 else "backward"
    return stencil(method, s.order + 1 if s.order < ORDERS[method][-1] else s.order - 1)


def _slope(s: Stencil, at: dict[int, float], step: float) -> float:
    return sum(n * at[k] for k, n in zip(s.offsets, s.numerators, strict=True)) / (s.denominator * step)


def _by_structure(f: Any, point: Point, eps: Step, details: bool) -> tuple[Derivative, Derivative]:
    """Return the slopes that f's own loop measures, with bars by those with twice the step if asked."""
    x = read_only(point.array)
    h = steps.as_steps(eps, x, steps.STRUCTURED)
    sides = np.empty((2, *x.shape), x.dtype)
    total = int(f.__fastgrad_slopes__(x, h, sides[0], sides[1]))
    errors = np.full(sides.shape, math.nan)
    if details:
        again = np.empty_like(sides)
        total += int(f.__fastgrad_slopes__(x, 2 * h, again[0], again[1])) + 1
        each = h if h.size == 1 else h.reshape(x.shape)
        rounding = UNITS * float(np.finfo(x.dtype).eps) * abs(float(f(x))) / each
        errors = SAFETY * np.abs(again.astype(np.float64) - sides) + rounding
    calls = np.zeros((2, x.size), np.intp)
    calls[0, :1] = total
    taken = np.broadcast_to(h, (x.size,)).copy()
    left, right = (
        _as_derivative(v.reshape(-1), e.reshape(-1), c, taken, point)
        for v, e, c in zip(sides, errors, calls, strict=True)
    )
    return left, right


def _as_derivative(value: Any, error: Any, calls: Any, taken: Float64Array, point: Point) -> Derivative:
    """Return flat arrays as a derivative shaped like x; undefined where it is NaN."""
    kind, shape = point.array.dtype, point.array.shape
    flags = {name: np.zeros(value.size, dtype=np.bool_) for name in FLAGS}
    flags["undefined"] = np.isnan(value)
    error = np.where(flags["undefined"], math.inf, error)
    found = Derivative(in_dtype(value, kind), in_dtype(error, kind), calls, taken.copy(), flags)
    return found.mapped(lambda a: a.reshape(shape))
