"""Entries of a sparse matrix beyond tolerance, measured again a colour at a time; what that leaves open, by columns."""

import numpy as np

from fastgrad._judge.recheck import MULTIPLES
from fastgrad._matrix_check.judgement import Findings
from fastgrad._matrix_check.recheck import Outputs, Sides, where_steps_agree
from fastgrad._point import Point
from fastgrad._typing import Array, Float64Array, IndexArray


class ColoredLook:
    """A second look at entries of the Jacobian of an array-valued f, of which a colouring of columns is known.

    Parameters
    ----------
    outputs : Outputs
        f.
    point : Point
    h : ndarray of float64, shape (1,) or (n,)
        The steps of the first look.
    colors : ndarray of int, shape (n,)
        Of the columns.
    trusted : ndarray of bool, shape (m,)
        Which rows have no entries but those that the colouring knows. All others are looked at by columns alone.
    """

    def __init__(self, outputs: Outputs, point: Point, h: Float64Array, colors: Array, trusted: Array) -> None:
        self._outputs, self._point = outputs, point
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
        found[:2, known] = self._by_colors(rows[known], cols[known], claimed[known])
        left = np.flatnonzero(np.isnan(found[0]) & np.isfinite(claimed))
        if left.size:
            found[:, left] = self._by_columns(rows[left], cols[left], claimed[left], first[left], atol, rtol)
        return found[0], found[1], found[2], found[3]

    def _by_colors(self, rows: IndexArray, cols: IndexArray, claimed: Float64Array) -> Float64Array:
        """Return value and bound of the entries that several steps leave no doubt of; NaN of the others."""
        colors = self._colors[cols]
        order = np.argsort(colors, kind="stable")
        ends = np.flatnonzero(np.diff(colors[order])) + 1
        found = np.full((2, rows.size), np.nan)
        for some in np.split(order, ends) if order.size else ():
            found[:, some] = self._by_color(rows[some], cols[some], claimed[some])
        return found

    def _by_color(self, rows: IndexArray, cols: IndexArray, claimed: Float64Array) -> Float64Array:
        centre = self._outputs.values(self._point.array.copy())[rows]
        try:
            sides = [self._sides(rows, cols, factor) for factor in MULTIPLES]
        except Exception:  # f need not be defined farther from x than the first steps: by columns it is found out where
            return np.full((2, rows.size), np.nan)
        return where_steps_agree(centre, sides, claimed)

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
        self,
        rows: IndexArray,
        cols: IndexArray,
        claimed: Float64Array,
        first: Float64Array,
        atol: float,
        rtol: float,
    ) -> Float64Array:
        seen, place = np.unique(rows, return_inverse=True)
        few = Outputs(lambda x: self._outputs.asked(x)[seen], self._point, self._h)
        found = np.full((4, rows.size), np.nan)
        order = np.argsort(cols, kind="stable")
        for here in np.split(order, np.flatnonzero(np.diff(cols[order])) + 1):
            i = int(cols[here[0]])
            found[:, here] = few.look_again(place[here], i, claimed[here], first[here], atol, rtol)
        return found
