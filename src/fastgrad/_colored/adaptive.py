"""The adaptive method for a sparse Jacobian: the columns of a colour take their steps together."""

import math
from typing import Any

import numpy as np

from fastgrad import steps
from fastgrad._adaptive.entries import adaptive_element, on_grid
from fastgrad._around import Around, Axis, inwards
from fastgrad._bounds import limits
from fastgrad._calls import Calls
from fastgrad._colored.compression import Compression
from fastgrad._colored.forms import places_by_columns
from fastgrad._errors import NO_VALUE
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._point import Point
from fastgrad._typing import Float64Array, IndexArray


def adaptive_by_colors(calls: Calls, point: Point, by: Compression, bounds: Any) -> Derivative:
    """Return the Jacobian with as many digits as f allows, in lines in the order of the form; the calls shaped like x.

    All elements take their steps from one grid. Where one of them asks for f, all columns of its colour are moved by
    that step, so that the others find the value there. Which calls are made depends on f's values: one caller makes
    them.
    """
    n, kind = point.array.size, point.array.dtype
    around = Around(calls.alone(point), point, is_scalar=False)
    within = np.stack(limits(bounds, point))
    starts, rows = by.coloring.pattern.csc
    value, error, step = np.full((3, rows.size), np.nan)
    flags = {name: np.zeros(rows.size, np.bool_) for name in FLAGS}
    made = np.zeros(n, np.intp)
    places = places_by_columns(by.form)
    bounds_of, members_of = by.coloring.grouped_columns
    with np.errstate(all="ignore"):
        around.centre  # noqa: B018 (what f raises at x itself arrives before anything else)
        for first, last in zip(bounds_of[:-1].tolist(), bounds_of[1:].tolist(), strict=True):
            members, before = members_of[first:last], around.calls
            line = _Line(around, members, within[:, members])
            for k, j in enumerate(members.tolist()):
                member = _Member(line, k)
                for p in range(starts[j], starts[j + 1]):
                    found = adaptive_element(member, int(rows[p]))
                    at = places[p]
                    value[at], error[at], step[at] = found.value, found.error, found.step
                    for name in found.flags:
                        flags[name][at] = True
            made[members[:1]] += around.calls - before
    made[:1] += 1
    return Derivative(value.astype(kind), error.astype(kind), made.reshape(point.array.shape), step, flags)


class _Line:
    """f with all columns of a colour moved by one step of the grid, each as exactly as it can be."""

    def __init__(self, around: Around, members: IndexArray, within: Float64Array) -> None:
        self.around, self.members = around, members
        x = around.x[members]
        self.x, self.kind = x.astype(np.float64), around.x.dtype.type
        sides = [inwards((float(low), float(high)), x.dtype) for low, high in within.T]
        self.low, self.high = (np.array(side) for side in zip(*sides, strict=True))
        self._rules = [steps.realised(number) for number in x]
        self._known: dict[float, Float64Array | None] = {}

    def step(self, k: int, grid: float) -> float:
        """Return the step that a member takes for one of the grid."""
        return self._rules[k](grid)

    def at(self, grid: float) -> Float64Array | None:
        """Return f with all members moved by a step of the grid; None where it has no value."""
        if grid not in self._known:
            size, sign = abs(grid), math.copysign(1.0, grid)
            away = np.where(np.signbit(self.x), -1.0, 1.0)
            taken = np.abs((self.x + away * size).astype(self.kind).astype(np.float64) - self.x)
            moved = np.clip(self.x + sign * taken, self.low, self.high).astype(self.kind)
            try:
                self._known[grid] = self.around.moved_together(self.members, moved, int(sign))
            except NO_VALUE:
                self._known[grid] = None
        return self._known[grid]


class _Member(Axis):
    """One column of a colour as an axis of f; where the others can go along, f is asked for all of them."""

    def __init__(self, line: _Line, k: int) -> None:
        super().__init__(line.around, int(line.members[k]), (float(line.low[k]), float(line.high[k])))
        self._line, self._k = line, k

    def at(self, t: float, *, is_strict: bool = False) -> Float64Array:
        """Return f with the column moved by t, NaN where it has no value."""
        if t:
            grid = math.copysign(on_grid(abs(t)), t)
            if self._line.step(self._k, abs(grid)) == abs(t) and (shared := self._line.at(grid)) is not None:
                return shared
        return super().at(t, is_strict=is_strict)
