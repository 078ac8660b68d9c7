"""Entries of a sparse matrix beyond tolerance, measured again: a colour at a time, and where that is no use by columns.

In a row that has no entries but those of the pattern, moving all columns of a colour moves one entry alone.
"""

import numpy as np

from fastgrad._ahead import Ahead
from fastgrad._judge.probe import UNIT_ROUNDOFF, UNITS
from fastgrad._judge.recheck import LEAPS, MULTIPLES
from fastgrad._matrix_check.judgement import Findings
from fastgrad._matrix_check.recheck import Outputs, Sides, where_steps_agree
from fastgrad._noise.precision import may_be_half
from fastgrad._point import Point
from fastgrad._typing import Array, Float64Array, IndexArray

#: More columns than these are not looked at one after another.
COLUMNS = 256


class ColoredLook:
    """A second look at entries of the Jacobian of an array-valued f, of which a colouring of columns is known.

    Parameters
    ----------
    outputs : Outputs
        f.
    ahead : Ahead
        What it is made of.
    point : Point
    h : ndarray of float64, shape (1,) or (n,)
        The steps of the first look.
    colors : ndarray of int, shape (n,)
        Of the columns.
    trusted : ndarray of bool, shape (m,)
        Which rows have no entries but those that the colouring knows. All others are looked at by columns alone.
    """

    def __init__(
        self, outputs: Outputs, ahead: Ahead, point: Point, h: Float64Array, colors: Array, trusted: Array
    ) -> None:
        self._outputs, self._ahead, self._point = outputs, ahead, point
        self._h, self._colors, self._trusted = np.broadcast_to(h, point.array.size), colors, trusted

    def look_again(
        self,
        rows: IndexArray,
        cols: IndexArray,
        claimed: Float64Array,
        first: Float64Array,
        atol: float,
        rtol: float,
    ) -> Findings:
        """Return what steps around the first show at these entries: values, bounds, left and right slopes."""
        found = np.full((4, rows.size), np.nan)
        known = np.flatnonzero(self._trusted[rows])
        with np.errstate(invalid="ignore"):
            allowed = atol + rtol * np.fmax(np.abs(claimed), np.abs(first))
        found[:2, known] = self._by_colors(rows[known], cols[known], claimed[known], allowed[known])
        left = np.isnan(found[0]) & np.isfinite(claimed)
        for is_known in (True, False):
            some = np.flatnonzero(left & (self._trusted[rows] == is_known))
            entries = rows[some], cols[some], claimed[some], atol, rtol
            if np.unique(cols[some]).size <= COLUMNS:
                found[:, some] = self._by_columns(*entries)
            elif is_known:
                found[:, some] = self._closely_by_colors(*entries)
            else:
                found[:, some] = self._worst_by_columns(first[some], *entries)
        return found[0], found[1], found[2], found[3]

    def _by_colors(
        self, rows: IndexArray, cols: IndexArray, claimed: Float64Array, allowed: Float64Array
    ) -> Float64Array:
        """Return value and bound of the entries that several steps leave no doubt of; NaN of the others."""
        found = np.full((2, rows.size), np.nan)
        for some in _groups(self._colors[cols]):
            found[:, some] = self._by_color(rows[some], cols[some], claimed[some], allowed[some])
        return found

    def _by_color(
        self, rows: IndexArray, cols: IndexArray, claimed: Float64Array, allowed: Float64Array
    ) -> Float64Array:
        centre = self._outputs.values(self._point.array.copy())[rows]
        members = np.unique(cols)
        self._ahead.prepare((members, sign * factor * self._h[members]) for factor in MULTIPLES for sign in (1, -1))
        try:
            sides = [self._sides(rows, cols, factor) for factor in MULTIPLES]
        except Exception:  # f need not be defined farther from x than the first steps: by columns it is found out where
            return np.full((2, rows.size), np.nan)
        found = where_steps_agree(centre, sides, claimed, allowed)
        is_still = np.all([(s.plus == centre) & (s.minus == centre) for s in sides], axis=0)
        still = np.flatnonzero(is_still & ~may_be_half(centre))
        if still.size:
            far = sides[-1]
            rounding = UNITS * UNIT_ROUNDOFF * 2 * np.abs(centre[still]) / (far.up[still] + far.down[still])
            found[:, still] = np.where(
                self._stand_still(rows[still], cols[still], centre[still]), [0.0 * rounding, rounding], np.nan
            )
        return found

    def _stand_still(self, rows: IndexArray, cols: IndexArray, centre: Float64Array) -> Array:
        """Tell where f does not move by far larger steps either: it is constant there, and not in wait of a jump."""
        try:
            sides = [self._sides(rows, cols, factor) for factor in LEAPS]
        except Exception:
            return np.zeros(rows.size, np.bool_)
        return np.asarray(np.all([(s.plus == centre) & (s.minus == centre) for s in sides], axis=0))

    def _sides(self, rows: IndexArray, cols: IndexArray, factor: float) -> Sides:
        (plus, up), (minus, down) = (self._moved(rows, cols, sign * factor) for sign in (1, -1))
        return Sides(plus, minus, up, down)

    def _moved(self, rows: IndexArray, cols: IndexArray, factor: float) -> tuple[Float64Array, Float64Array]:
        """Return these values of f with all of these columns moved, and how far each was moved."""
        x = self._point.array.copy()
        line = x.reshape(-1)
        before = line[cols].astype(np.float64)
        with np.errstate(over="ignore"):
            line[cols] = (before + factor * self._h[cols]).astype(line.dtype)
        taken = np.abs(line[cols] - before)
        return self._outputs.asked(x)[rows], taken

    def _by_columns(
        self, rows: IndexArray, cols: IndexArray, claimed: Float64Array, atol: float, rtol: float
    ) -> Float64Array:
        """Return all that steps of one column after another show."""
        seen, place = np.unique(rows, return_inverse=True)
        few = Outputs(lambda x: self._outputs.asked(x)[seen], self._point, self._h)
        found = np.full((4, rows.size), np.nan)
        for here in _groups(cols):
            i = int(cols[here[0]])
            found[:, here] = few.look_again(place[here], i, claimed[here], atol, rtol)
        return found

    def _worst_by_columns(
        self, first: Float64Array, rows: IndexArray, cols: IndexArray, claimed: Float64Array, atol: float, rtol: float
    ) -> Float64Array:
        """Return the same of the columns that are farthest from their claims; the other entries remain open."""
        with np.errstate(invalid="ignore"):
            order = np.argsort(-np.nan_to_num(np.abs(claimed - first), nan=np.inf), kind="stable")
        _, at = np.unique(cols[order], return_index=True)
        is_near = np.isin(cols, cols[order[np.sort(at)[:COLUMNS]]])
        found = np.stack([first, np.full(rows.size, np.inf), *np.full((2, rows.size), np.nan)])
        some = np.flatnonzero(is_near)
        found[:, some] = self._by_columns(rows[some], cols[some], claimed[some], atol, rtol)
        return found

    def _closely_by_colors(
        self, rows: IndexArray, cols: IndexArray, claimed: Float64Array, atol: float, rtol: float
    ) -> Float64Array:
        """Return all that steps of one colour after another show: f as a function of how many steps each is moved."""
        colors = self._colors[cols]
        seen, place = np.unique(rows, return_inverse=True)
        line, moves = self._point.array.reshape(-1), np.flatnonzero(np.isin(self._colors, colors))
        base, of_color, h = line[moves].astype(np.float64), self._colors[moves], self._h[moves]

        def f(steps: Array) -> Float64Array:
            x = self._point.array.copy()
            with np.errstate(over="ignore"):
                x.reshape(-1)[moves] = base + steps[of_color] * h
            return self._outputs.asked(x)[seen]

        few = Outputs(f, Point(np.zeros(int(colors.max()) + 1), label="colour"), np.ones(1))
        found, size = np.full((4, rows.size), np.nan), self._h[cols]
        for here in _groups(colors):
            there = claimed[here] * size[here], atol * size[here]
            found[:, here] = few.look_again(place[here], int(colors[here[0]]), *there, rtol) / size[here]
        return found


def _groups(numbers: IndexArray) -> list[IndexArray]:
    """Return where each number stands, one after another."""
    order = np.argsort(numbers, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1) if order.size else []
