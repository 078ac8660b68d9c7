"""Error bars of a sparse Jacobian: the stencils' points and their halves, a colour at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad._around import Around, Axis
from fastgrad._calls import Calls
from fastgrad._colored.compression import Compression
from fastgrad._colored.forms import entries_of, places_by_columns
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._noise.precision import ShownPrecision
from fastgrad._point import Point
from fastgrad._stencils.bars import bars, points
from fastgrad._stencils.entries import FAR, SEEN_CLOSER, closer_look, side_of
from fastgrad._stencils.scheme import Plan
from fastgrad._stencils.table import Stencil
from fastgrad._typing import Array, Float64Array, IndexArray

#: Bars are formed for so many entries at a time.
TOGETHER = 1 << 15


def bars_by_colors(calls: Calls, point: Point, plan: Plan, by: Compression) -> Derivative:
    """Return the Jacobian by the stencils of a plan, bit for bit as the plain loop measures it, with error bars.

    The arrays are lines in the order of the form, but for the calls, which have the form of x. An entry whose bar is
    doubtful is held against the adaptive method, along its own column.
    """
    made = _Bars(point, plan, by)
    calls.run(made.measure, np.zeros(by.coloring.pattern.shape[0]), point)
    made.form(calls.alone(point))
    return made.derivative()


class _Bars:
    """The entries of a pattern by columns, with f's values at their rows at each point that their stencils ask for."""

    def __init__(self, point: Point, plan: Plan, by: Compression) -> None:
        n = point.array.size
        starts, self._rows = by.coloring.pattern.csc
        self._cols = np.repeat(np.arange(n), np.diff(starts))
        self._starts, self._point, self._plan, self._by = starts, point, plan, by
        self._which, self._h = np.broadcast_to(plan.which, n), np.broadcast_to(plan.h, n)
        size = self._rows.size
        self._calls = np.zeros(n, np.intp)
        self._value, self._error, self._step = np.full((3, size), np.nan)
        self._flags = {name: np.zeros(size, np.bool_) for name in FLAGS}
        self._at: list[dict[float, Float64Array]] = []
        self._precision = ShownPrecision()

    def measure(self, f: Callable[[Array], Any]) -> int:
        """Ask f at x, and at each point of the stencils, for all members of a colour that have the same one."""
        reader, x = self._by.reader(self._point), self._point.array
        self._at = [
            {share: np.full(self._rows.size, np.nan) for share in (*s.offsets, *points(s))} for s in self._plan.stencils
        ]
        self._calls[:] = 0
        centre = self._asked(f, x.copy(), 0, 0, reader)
        for at in self._at:
            at[0] = centre[self._rows]
        self._calls[:1] = 1
        for members in self._groups():
            entries, at = entries_of(self._starts, members), self._at[self._which[members[0]]]
            for share in at:
                if share:
                    moved = x.copy()
                    line = moved.reshape(-1)
                    line[members] = (line[members].astype(np.float64) + share * self._h[members]).astype(line.dtype)
                    values = self._asked(f, moved, int(members[0]), 1 if share > 0 else -1, reader)
                    at[share][entries] = values[self._rows[entries]]
                    self._calls[members[0]] += 1
        return int(self._calls.sum())

    def form(self, f: Callable[[Array], Any]) -> None:
        """Form the bars, and look closer where they are doubtful."""
        around = Around(f, self._point, is_scalar=False)
        doubtful = np.zeros(self._rows.size, np.bool_)
        still = np.zeros(self._rows.size, np.bool_)
        for w, s in enumerate(self._plan.stencils):
            mine = np.flatnonzero(self._which[self._cols] == w)
            for k in range(0, mine.size, TOGETHER):
                some = mine[k : k + TOGETHER]
                seen = self._bars(s, self._at[w], some)
                self._value[some], self._error[some] = seen.value, seen.error
                self._flags["noisy"][some], self._step[some] = seen.is_noisy, self._h[self._cols[some]]
                self._flags["one-sided"][some] = w > 0
                doubtful[some], still[some] = seen.is_doubtful, seen.is_still
        doubtful |= self._moves_far_away(f, still)
        self._look_closer(around, np.flatnonzero(doubtful))

    def derivative(self) -> Derivative:
        """Return all that was found, in the order of the form."""
        kind, places = self._point.array.dtype, places_by_columns(self._by.form)
        without = np.isnan(self._value)
        self._flags["undefined"] |= without
        self._error[without] = np.inf

        def placed(line: Array) -> Array:
            out = np.empty_like(line)
            out[places] = line
            return out

        with np.errstate(over="ignore"):
            value, error = (placed(a.astype(kind)) for a in (self._value, self._error))
        flags = {name: placed(mask) for name, mask in self._flags.items()}
        return Derivative(value, error, self._calls.reshape(self._point.array.shape), placed(self._step), flags)

    def _groups(self) -> list[IndexArray]:
        """Return the members of each colour that have one stencil."""
        bounds, members = self._by.coloring.grouped_columns
        found = []
        for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            group = members[first:last]
            which = self._which[group]
            found += [group[which == w] for w in np.unique(which).tolist()]
        return found

    def _asked(self, f: Callable[[Array], Any], x: Array, i: int, sign: int, reader: Any) -> Float64Array:
        y = reader.asked(f, x, i, sign)
        values: Float64Array = reader.array(y, i, sign, reader.seen).reshape(-1)
        self._precision.add_all(values)
        return values

    def _bars(self, s: Stencil, at: dict[float, Float64Array], some: IndexArray) -> Any:
        x, h = self._point.array.reshape(-1)[self._cols[some]], self._h[self._cols[some]]
        moved: Any = 0.0
        with np.errstate(all="ignore"):
            for offset, weight in zip(s.offsets, s.numerators, strict=True):
                taken = (x.astype(np.float64) + offset * h).astype(x.dtype).astype(np.float64) - x
                moved = moved + taken * weight
            drift = np.abs(moved / (s.denominator * h) - 1.0)
            usual = float(np.finfo(x.dtype).eps)
            ulp = self._precision.ulp(usual)
            seen = bars(s, lambda offset: at[offset][some], h, drift, np.abs(x.astype(np.float64)), ulp)
            return seen._replace(is_noisy=seen.is_noisy | (ulp > usual))

    def _moves_far_away(self, f: Callable[[Array], Any], still: Any) -> Any:
        """Tell which of the entries where f stood still move farther away: it may wait for a jump."""
        x, found = self._point.array, np.zeros(still.size, np.bool_)
        reader = self._by.reader(self._point)
        for members in self._groups():
            entries = entries_of(self._starts, members)
            entries = entries[still[entries]]
            if not entries.size:
                continue
            s = self._plan.stencils[self._which[members[0]]]
            cols = np.unique(self._cols[entries])
            moved = x.copy()
            line = moved.reshape(-1)
            far = np.maximum(FAR * np.maximum(1.0, np.abs(line[cols])), 2.0 * self._h[cols] * s.reach)
            side = side_of(s) or 1
            line[cols] = line[cols] + side * far
            if self._plan.limits is not None:
                lower, upper = (bound[cols] for bound in self._plan.limits)
                line[cols] = np.clip(line[cols], lower, upper)
            values = self._asked(f, moved, int(cols[0]), side, reader)
            self._calls[members[0]] += 1
            found[entries] = values[self._rows[entries]] != self._at[self._which[members[0]]][0][entries]
        return found

    def _look_closer(self, around: Around, entries: IndexArray) -> None:
        """Hold entries against the adaptive method, column by column."""
        axis: Axis | None = None
        limits = self._plan.limits
        for p in entries.tolist():
            i, row = int(self._cols[p]), int(self._rows[p])
            if not np.isfinite(self._point.array.reshape(-1)[i]) or not np.isfinite(around.centre[row]):
                continue
            if axis is None or axis.i != i:
                within = () if limits is None else ((float(limits[0][i]), float(limits[1][i])),)
                axis = Axis(around, i, *within)
            before = around.calls
            side = side_of(self._plan.stencils[self._which[i]])
            with np.errstate(all="ignore"):
                self._error[p], flags = closer_look(axis, row, side, float(self._value[p]))
            self._calls[i] += around.calls - before
            for name in SEEN_CLOSER:
                self._flags[name][p] = name in flags
