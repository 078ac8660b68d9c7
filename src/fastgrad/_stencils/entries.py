"""Stencils entry by entry: with error bars, and on the other side of x where f has no value on one."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fastgrad._adaptive.entries import adaptive_element
from fastgrad._around import Around, Axis
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._point import Point
from fastgrad._stencils.bars import COARSE, Bars, bars, difference, points
from fastgrad._stencils.scheme import Plan
from fastgrad._stencils.table import Stencil
from fastgrad._typing import Array, Float64Array

#: So many elements are measured before their bars are formed.
TOGETHER = 1024
#: Where f does not move at all, it is asked once more so far away, over max(1, |x|): it may wait for a jump.
FAR = 2.0**-8
#: The flags that a closer look decides upon.
SEEN_CLOSER = ("kink", "noisy", "diverges", "unsettled")


def with_bars(f: Callable[[Any], Any], point: Point, plan: Plan, *, is_scalar: bool) -> Derivative:
    """Return the derivative of f by the stencils of a plan, bit for bit as the loops measure it, with error bars.

    f is also called at x itself, and what it raises there arrives. The calls are those of each entry of x.
    """
    around = Around(f, point, is_scalar=is_scalar)
    made = _Measurement(around, plan)
    calls = np.zeros(around.x.size, np.intp)
    for some in _alike(plan, around.x.size, max(1, TOGETHER // max(1, around.centre.size))):
        axes = [_axis(around, i, plan) for i in some]
        made.measure(axes)
        calls[some] = [axis.calls for axis in axes]
    calls[:1] += 1
    return made.derivative(calls, point)


def fill_in(f: Callable[[Any], Any], point: Point, plan: Plan, out: Array, *, is_scalar: bool) -> list[int]:
    """Put one-sided differences where those that the loops have measured are not finite, as far as f has values.

    Returns
    -------
    list of int
        The flat indices of the entries that have changed sides.

    Raises
    ------
    Exception
        What f raised beside x, where the other side does not help.
    """
    columns = out.reshape(-1 if out.size else 0, point.array.size)
    around = Around(f, point, is_scalar=is_scalar)
    changed = []
    for i in np.flatnonzero(~np.isfinite(columns).all(axis=0)).tolist():
        axis = _axis(around, i, plan)
        left = ~np.isfinite(columns[:, i])
        for s, h in _sides(axis, plan):
            value = _differences([axis], s, [h])[:, 0]
            rows = left & np.isfinite(value)
            columns[rows, i] = value[rows]
            left &= ~rows
            if rows.any():
                changed.append(i)
        _arrive(axis, left)
    return sorted(set(changed))


class _Measurement:
    """The elements of a derivative as they are found: a row each value of f, a column each entry of x."""

    def __init__(self, around: Around, plan: Plan) -> None:
        shape = (around.centre.size, around.x.size)
        self.value, self.error, self.step = np.full((3, *shape), np.nan)
        self.flags = {name: np.zeros(shape, np.bool_) for name in FLAGS}
        self._around, self._plan = around, plan

    def measure(self, axes: Sequence[Axis]) -> None:
        """Measure along axes that have one stencil, and look closer where that does not do."""
        s = self._plan.at(axes[0].i)[0]
        steps = [self._plan.at(axis.i)[1] for axis in axes]
        for axis, h in zip(axes, steps, strict=True):
            for offset in s.offsets:
                axis.at(offset * h, is_strict=not self._plan.changes_sides)
            for share in points(s):
                axis.at(share * h)
        seen = self._bars(axes, s, steps)
        rows = np.ones(self.value.shape[0], np.bool_)
        for k, axis in enumerate(axes):
            self._take(axis, rows, seen, k, steps[k])
            if s != self._plan.stencils[0]:
                self.flags["one-sided"][:, axis.i] = True
            self._look_closer(axis, rows, seen, k, s, steps[k])
            if self._plan.changes_sides and not np.isfinite(self.value[:, axis.i]).all():
                self._change_sides(axis)

    def derivative(self, calls: Any, point: Point) -> Derivative:
        """Return all that was found, in the shape of the derivative."""
        shape, kind = (*(self._around.shape or ()), *point.array.shape), point.array.dtype
        without = np.isnan(self.value) | ~np.isfinite(self._around.centre)[:, None]
        self.flags["undefined"] |= without
        self.error[without] = np.inf
        with np.errstate(over="ignore"):
            value, error = (a.reshape(shape).astype(kind) for a in (self.value, self.error))
        flags = {name: mask.reshape(shape) for name, mask in self.flags.items()}
        return Derivative(value, error, calls.reshape(point.array.shape), self.step.reshape(shape), flags)

    def _bars(self, axes: Sequence[Axis], s: Stencil, steps: Sequence[float]) -> Bars:
        drift = np.array([_drift(axis, s, h) for axis, h in zip(axes, steps, strict=True)])
        size = np.array([abs(axis.x) for axis in axes])
        at = _values(axes, steps)
        with np.errstate(all="ignore"):
            usual = float(np.finfo(self._around.x.dtype).eps)
            ulp = self._around.precision.ulp(usual)
            seen = bars(s, at, np.array(steps), drift, size, ulp)
            return seen._replace(is_noisy=seen.is_noisy | (ulp > usual))

    def _take(self, axis: Axis, rows: Any, seen: Bars, k: int, step: float) -> None:
        """Take these of the elements along an axis as the k-th column of some bars has them."""
        i = axis.i
        self.value[rows, i], self.error[rows, i] = seen.value[rows, k], seen.error[rows, k]
        self.flags["noisy"][rows, i], self.step[rows, i] = seen.is_noisy[rows, k], step

    def _look_closer(self, axis: Axis, rows: Any, seen: Bars, k: int, s: Stencil, h: float) -> None:
        """Hold these of the elements along an axis against the adaptive method, where their bars are doubtful."""
        if not np.isfinite(axis.x):
            return
        side = side_of(s)
        doubtful = rows & seen.is_doubtful[:, k]
        still = rows & seen.is_still[:, k]
        with np.errstate(all="ignore"):
            if still.any():
                doubtful |= still & (
                    axis.at((side or 1) * max(FAR * max(1.0, abs(axis.x)), 2.0 * h * s.reach)) != axis.at(0.0)
                )
            for row in np.flatnonzero(doubtful & np.isfinite(self._around.centre)).tolist():
                self._judge(axis, row, side)

    def _judge(self, axis: Axis, row: int, side: int) -> None:
        at = row, axis.i
        self.error[at], flags = closer_look(axis, row, side, self.value[at])
        for name in SEEN_CLOSER:
            self.flags[name][at] = name in flags

    def _change_sides(self, axis: Axis) -> None:
        left = ~np.isfinite(self.value[:, axis.i])
        for s, h in _sides(axis, self._plan):
            for offset in (*s.offsets, *points(s)):
                axis.at(offset * h)
            seen = self._bars([axis], s, [h])
            rows = left & np.isfinite(seen.value[:, 0])
            if rows.any():
                self._take(axis, rows, seen, 0, h)
                self.flags["one-sided"][rows, axis.i] = True
                self._look_closer(axis, rows, seen, 0, s, h)
            left &= ~rows
        _arrive(axis, left)


def closer_look(axis: Axis, row: int, side: int, value: float) -> tuple[float, set[str]]:
    """Return the error bar and the flags of a difference that is held against the adaptive method."""
    found = adaptive_element(axis, row, side)
    off, flags = abs(value - found.value), set(found.flags)
    if not off <= COARSE * abs(found.value) and not {"kink", "diverges"} & flags:
        flags.add("unsettled")
    return (off + found.error if off == off else np.inf), flags


def _alike(plan: Plan, n: int, count: int) -> Iterator[list[int]]:
    """Return the entries in turn, at most so many at once, those of one stencil together."""
    which = np.broadcast_to(plan.which, (n,))
    for w in range(len(plan.stencils)):
        of_one = np.flatnonzero(which == w).tolist()
        yield from (of_one[k : k + count] for k in range(0, len(of_one), count))


def _axis(around: Around, i: int, plan: Plan) -> Axis:
    if plan.limits is None:
        return Axis(around, i)
    return Axis(around, i, (float(plan.limits[0][i]), float(plan.limits[1][i])))


def _values(axes: Sequence[Axis], steps: Sequence[float]) -> Callable[[float], Float64Array]:
    """Return f's values at an offset on each axis, a column each."""

    def at(offset: float) -> Float64Array:
        return np.stack([axis.at(offset * h) for axis, h in zip(axes, steps, strict=True)], axis=1)

    return at


def _differences(axes: Sequence[Axis], s: Stencil, steps: Sequence[float]) -> Float64Array:
    at = _values(axes, steps)
    for offset in s.offsets:
        at(offset)
    with np.errstate(all="ignore"):
        return difference(s, at, np.array(steps))


def _drift(axis: Axis, s: Stencil, h: float) -> float:
    """Return the share by which rounding of x changes the step of a difference."""
    moved = sum(n * axis.taken(offset * h) for offset, n in zip(s.offsets, s.numerators, strict=True))
    return abs(moved / (s.denominator * h) - 1.0)


def side_of(s: Stencil) -> int:
    """Return the side of x on which a stencil has all of its points; 0 for both."""
    signs = {offset > 0 for offset in s.offsets if offset}
    return 0 if len(signs) == 2 else 1 if signs == {True} else -1


def _sides(axis: Axis, plan: Plan) -> list[tuple[Stencil, float]]:
    """Return the stencils that may stand in for that of an entry, that one first on whose side f has more values."""
    taken, h = plan.at(axis.i)

    def values(spare: tuple[Stencil, float]) -> int:
        beside = [k for k in taken.offsets if k * side_of(spare[0]) > 0][:1]
        return sum(int(np.isfinite(axis.at(k * h)).sum()) for k in beside)

    return sorted(plan.spare(axis.i, axis.around.x), key=values, reverse=True)


def _arrive(axis: Axis, left: Any) -> None:
    """Let arrive what f raised on an axis if some elements are left without a value."""
    if axis.raised is not None and left.any():
        raise axis.raised
