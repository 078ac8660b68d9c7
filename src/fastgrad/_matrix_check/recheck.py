"""Entries of a Jacobian beyond tolerance, measured again: a column at a time, with f's values remembered."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastgrad._ahead import Move, key_of
from fastgrad._arrays import step_of
from fastgrad._judge.probe import UNIT_ROUNDOFF, UNITS, Probe
from fastgrad._judge.recheck import MULTIPLES, look_again
from fastgrad._judge.unmoved import may_be_coarse
from fastgrad._noise.decimals import ShownDecimals
from fastgrad._point import Point
from fastgrad._reading import Reader
from fastgrad._typing import Array, Float64Array, IndexArray

#: Values of f that are remembered: as many as one column and f's noise take, fewer where they are large.
REMEMBERED, NUMBERS = 512, 2**24
#: So many outputs tell whether all are rounded to a few decimals.
TELLING = 64
#: A claim farther off than so many times what several steps disagree by is wrong on their word alone.
PLAIN = 10.0


class Sides(NamedTuple):
    """Values with entries of x moved up and down, and how far they were moved: by columns, or all alike."""

    plus: Float64Array
    minus: Float64Array
    up: Any
    down: Any


def where_steps_agree(
    centre: Float64Array, sides: Sequence[Sides], claimed: Float64Array, allowed: float | Float64Array = -1.0
) -> Float64Array:
    """Return value and bound where all steps show the same on both sides and the claim is far from it; else NaN.

    The same where the claim is as near as is allowed.
    """
    found = np.full((2, claimed.size), np.nan)
    with np.errstate(all="ignore"):
        central = [(s.plus - s.minus) / (s.up + s.down) for s in sides]
        alone = [slope for s in sides for slope in ((s.plus - centre) / s.up, (centre - s.minus) / s.down)]
        middle, s = central[len(central) // 2], sides[len(sides) // 2]
        rounding = UNITS * UNIT_ROUNDOFF * (np.abs(s.plus) + np.abs(s.minus)) / (s.up + s.down)
        every = np.stack([*central, *alone])
        apart = every.max(axis=0) - every.min(axis=0)
        size = np.abs(central).max(axis=0)
        off = np.abs(claimed - middle)
        plain = PLAIN * apart <= np.where(off <= allowed, size, np.minimum(off, size))
        plain &= np.isfinite(claimed) & np.isfinite(apart) & (every != 0.0).any(axis=0)
        spread = np.max(central, axis=0) - np.min(central, axis=0) + rounding
    found[:, plain] = middle[plain], spread[plain]
    return found


class Outputs:
    """An array-valued f whose outputs are asked for one by one; f is called once for all of them.

    Attributes
    ----------
    calls : int
        Of f, so far.
    """

    def __init__(self, f: Callable[[Array], Any], point: Point, h: Float64Array) -> None:
        self.calls = 0
        self._f = f
        self._point = point
        self._h = h
        self._reader = Reader(lambda i: "x moved once more by")
        self._known: OrderedDict[bytes, Float64Array] = OrderedDict()
        self._probes: dict[int, Probe] = {}
        self._decimals = ShownDecimals()

    def values(self, x: Array) -> Float64Array:
        """Return f(x), flat; x is a copy that f may do with as it likes."""
        key = key_of(x)
        if key not in self._known:
            found = self.asked(x)
            while len(self._known) >= max(96, min(REMEMBERED, NUMBERS // max(1, found.size))):
                self._known.popitem(last=False)
            self._known[key] = found
        self._known.move_to_end(key)
        return self._known[key]

    def asked(self, x: Array) -> Float64Array:
        """Return f(x), flat, without a look at what is remembered."""
        self.calls += 1
        found = self._reader.array(self._f(x), 0, 1, None).reshape(-1).copy()
        for value in found[:TELLING][np.isfinite(found[:TELLING])].tolist():
            self._decimals.add(value)
        return found

    def moves(self, columns: IndexArray) -> Iterator[Move]:
        """Return how x is moved first of all, when these columns are looked at again."""
        for i in columns.tolist():
            for factor in MULTIPLES:
                for sign in (1, -1):
                    yield np.array([i]), np.array([sign * factor * step_of(self._h, i)])

    def is_deterministic(self) -> bool:
        """Tell whether f returns the same at x twice."""
        again = self.asked(self._point.array.copy())
        return bool(np.array_equal(self.values(self._point.array.copy()), again, equal_nan=True))

    def look_again(self, rows: IndexArray, i: int, claimed: Float64Array, atol: Any, rtol: float) -> Float64Array:
        """Return what steps around the first show for some outputs by entry i: values, bounds, left and right slopes.

        NaN where there is nothing finite to measure. The tolerance atol is one for all, or each output's own.
        """
        found = np.full((4, rows.size), np.nan)
        found[:2] = self._plainly_wrong(rows, i, claimed)
        atol = np.broadcast_to(atol, rows.size)
        for k in np.flatnonzero(np.isnan(found[0]) & np.isfinite(claimed)).tolist():
            probe = self._probe(int(rows[k]))
            if not np.isfinite(probe.centre):
                continue
            tolerance = float(atol[k]) + rtol * abs(float(claimed[k]))
            finding = look_again(probe, i, step_of(self._h, i), None, float(claimed[k]), tolerance)
            if finding is not None:
                found[:, k] = finding.measured, finding.bound, finding.left, finding.right
        return found

    @property
    def advice(self) -> str:
        """What to tell of the decimals of all outputs; nothing else."""
        return self._decimals.advice

    def may_be_coarse(self, row: int, atol: float) -> bool:
        """Tell whether an output that stood still may round so coarsely that it could not but do so."""
        if self.values(self._point.array.copy())[row] == 0.0:
            return False
        every = np.arange(self._point.array.size)
        return may_be_coarse(self._probe(row), self._point.array, every, self._h, atol)

    def _plainly_wrong(self, rows: IndexArray, i: int, claimed: Float64Array) -> Float64Array:
        """Return value and bound where all steps show the same on both sides and the claim is far from it; else NaN."""
        centre = self.values(self._point.array.copy())[rows]
        sides = []
        try:
            for factor in MULTIPLES:
                (plus, up), (minus, down) = (self._moved(i, sign * factor * step_of(self._h, i)) for sign in (1, -1))
                sides.append(Sides(plus[rows], minus[rows], up, down))
        except Exception:
            return np.full((2, rows.size), np.nan)
        return where_steps_agree(centre, sides, claimed)

    def _moved(self, i: int, step: float) -> tuple[Float64Array, float]:
        """Return f with entry i moved, and the length of the move that was really made."""
        x = self._point.array.copy()
        flat = x.reshape(-1)
        before = float(flat[i])
        with np.errstate(over="ignore"):
            flat[i] = before + step
        taken = abs(float(flat[i]) - before)
        return self.values(x), taken

    def _probe(self, row: int) -> Probe:
        if row not in self._probes:
            self._probes[row] = Probe(lambda x: self.values(x)[row], self._point, self._h, decimals=self._decimals)
        return self._probes[row]
