"""Functions that take a stack of points: as such for the loops over stacks, as functions of one point for all else."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._errors import NO_VALUE, not_so_long, not_stacked
from fastgrad._point import Point
from fastgrad._reading import describe
from fastgrad._stack_reading import StackReader
from fastgrad._stencils import guarded as _guarded
from fastgrad._stencils.scheme import Plan
from fastgrad._typing import Array, Pace

#: Bytes of a stack: it is to stay in a core's own cache together with what f makes of it. A stack has the points of one
#: entry at the least, however large they are.
CACHE = 1 << 19
#: Doubles that an array-valued f may return at once, where one entry's points do not make more.
ROOM = 1 << 22


class Stacked:
    """A vectorised f as a function of an array of shape (k, *shape), where x may be a tree.

    Raises
    ------
    TypeError
        If f is a structured callable.
    """

    def __init__(self, f: Callable[[Any], Any], point: Point) -> None:
        self._f = f
        self._shown = None if point.tree is None else point.tree.stacked

    def __call__(self, stack: Array) -> Any:
        """Return f's values, one for each point of the stack."""
        return self._f(stack if self._shown is None else self._shown(stack))

    def one(self, x: Array) -> Any:
        """Return f at one point, in a stack by itself."""
        y = self(x[None])
        try:
            return y[0] if len(y) == 1 else _refuse(y)
        except (TypeError, IndexError, KeyError):
            return _refuse(y)


def gradient(f: Stacked, point: Point, plan: Plan, out: Array, pace: Pace | None = None) -> int:
    """Write the differences of a scalar f by the stencils of a plan into out; return the calls of f."""
    called = _without_errors(f, _guarded.without_errors(f.one)) if plan.changes_sides else f
    calls = _backend.stacks.gradient(
        called, point.array, plan.h, *plan.tables, rows(point), out, StackReader(point.name, pace)
    )
    if plan.changes_sides:
        _guarded.take_other_sides(f.one, point, plan, out, is_scalar=True)
    return int(calls)


def jacobian(
    f: Stacked, point: Point, plan: Plan, allocate: Callable[[tuple[int, ...]], Array], pace: Pace | None = None
) -> Array:
    """Return the array that allocate gives for the shape of one value, filled with the differences of f by a plan."""
    called = _without_errors(f, _guarded.without_errors(f.one, point.array)) if plan.changes_sides else f
    J: Array = _backend.stacks.jacobian(
        called, point.array, plan.h, *plan.tables, rows(point), ROOM, allocate, StackReader(point.name, pace)
    )
    if plan.changes_sides:
        _guarded.take_other_sides(f.one, point, plan, J, is_scalar=False)
    return J


def rows(point: Point) -> int:
    """Return how many points a stack has, unless those of one entry are more."""
    return max(1, CACHE // max(1, point.width * point.array.itemsize))


def _without_errors(f: Stacked, one: Callable[[Array], Any]) -> Callable[[Array], Any]:
    """Return f with NaN for the value of each point at which it raises an error of arithmetic."""

    def called(stack: Array) -> Any:
        points = stack.copy()  # f may have written into it before it raised
        try:
            return f(stack)
        except NO_VALUE:
            return np.stack([one(point) for point in points])

    return called


def _refuse(y: Any) -> Any:
    raise not_stacked("a stack of one point", describe(y), not_so_long(1))
