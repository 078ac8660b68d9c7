"""The loops of differences for an f that may have no value on one side of an entry: there the other side is taken."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad import _loops
from fastgrad._errors import NO_VALUE, OneSidedWarning
from fastgrad._point import Point
from fastgrad._stencils.scheme import Plan
from fastgrad._typing import Array


def gradient(f: Callable[[Any], Any], point: Point, plan: Plan, out: Array, workers: int | None = None) -> None:
    """Write the differences of a scalar f by the stencils of a plan into out."""
    g = f if _loops.is_native(f) else without_errors(f)
    _loops.gradient(g, point, plan.h, plan.scheme, out, workers)
    take_other_sides(f, point, plan, out, is_scalar=True)


def jacobian(
    f: Callable[[Any], Any],
    point: Point,
    plan: Plan,
    allocate: Callable[[tuple[int, ...]], Array],
    workers: int | None = None,
) -> Array:
    """Return the array that allocate gives for the shape of f's values, filled with the differences of f by a plan."""
    g = f if _loops.is_native(f) else without_errors(f, point.array)
    J = _loops.jacobian(g, point, plan.h, plan.scheme, allocate, workers)
    take_other_sides(f, point, plan, J, is_scalar=False)
    return J


def without_errors(f: Callable[[Any], Any], x: Array | None = None) -> Callable[[Any], Any]:
    """Return f with NaN for a value where it raises an error of arithmetic; shaped like f(x), if an x is given."""
    undefined: Any = np.nan if x is None else None

    def called(moved: Any) -> Any:
        nonlocal undefined
        try:
            return f(moved)
        except NO_VALUE as error:
            if undefined is None:
                undefined = _undefined(f, x, error)
            return undefined

    return called


def _undefined(f: Callable[[Any], Any], x: Any, error: Exception) -> Array:
    """Return NaN in the form of f's value at x itself; if it has none there either, the first error is what counts."""
    try:
        shape = np.shape(f(x.copy()))
    except NO_VALUE:
        raise error from None
    return np.full(shape, np.nan)


def take_other_sides(f: Callable[[Any], Any], point: Point, plan: Plan, out: Array, *, is_scalar: bool) -> None:
    """Put one-sided differences of f where out is not finite, as far as f has values there, and warn of it."""
    if np.isfinite(out).all():
        return
    from fastgrad._stencils.entries import fill_in  # loaded when needed: import fastgrad does without

    changed = fill_in(f, point, plan, out, is_scalar=is_scalar)
    if changed and not point.keeps(changed):
        warn_of(point, changed, stacklevel=5)


def warn_of(point: Point, changed: list[int], *, stacklevel: int) -> None:
    """Warn that these entries are differenced on another side than asked for."""
    others = f" (and of {len(changed) - 1} more)" if len(changed) > 1 else ""
    warnings.warn(
        f"f has no finite value on one side of {point.name(changed[0])}{others}: the derivative is a one-sided "
        f"difference there. details=True flags such entries; bounds= keeps f from being asked outside its domain.",
        OneSidedWarning,
        stacklevel=stacklevel,
    )
