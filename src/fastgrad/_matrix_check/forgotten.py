"""Entries that a pattern lacks, found along dense directions: in all rows at once, by the share of each in two of them.

A value's change along a direction is what its entries make of it. If a single entry (i, k) is missing, what is left
over along v is J[i, k] v[k]; along a direction in which each v[k] is multiplied by a number that only k has, it is
that times the number. So two differences tell k of every row that lacks one entry. Rows that lack several have one of
them alone where most entries of x stay put. What is found so is a guess, until it has been measured.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastgrad._colored.forms import Form, product
from fastgrad._matrix_check.stored import flat_indices
from fastgrad._point import Point
from fastgrad._typing import Array, Float64Array, IndexArray
from fastgrad.sparsity._pattern import Pattern

#: How many directions a pattern has to stand.
PROBES = 2
#: The share of x that moves, round after round, as long as rows are left that the pattern does not explain.
SHARES = (1.0, 0.5, 1.0, 0.25, 0.5, 1.0, 0.125, 0.25, 0.5, 1.0) * 2
#: So many rows, whose entries are not found so, are searched by halving; of one round, and in all.
ONE_BY_ONE, ROWS = 8, 64
#: When that has taken as many calls as all columns do, these rows are measured whole, if they have no more entries than
#: so many, or so many times those of the pattern.
SMALL, ROOM = 1 << 16, 4
#: What is left over counts from this many times the rounding and truncation that were measured.
MARGIN = 16.0
#: Where f bends too much for the steps, or has no value, so much shorter ones are taken, at most so often, as long as
#: what it bends by falls at least by so much: what noise makes does not.
SHORTER, SHORTENINGS, FALL = 64.0, 3, 8.0
#: A share of two directions tells a column, if it is no farther than this from what one makes it.
CLOSE = 0.3
#: If no more than this share of the guesses is something, there is another reason why rows do otherwise.
FRUIT = 0.05


@dataclass
class Sheet:
    """A pattern with what was measured by it.

    Attributes
    ----------
    form : Form
        Of csr.
    measured, claimed : ndarray, shape (nnz,)
        In the order of the pattern's rows.
    """

    form: Form
    measured: Array
    claimed: Array

    @property
    def pattern(self) -> Pattern:
        """Which entries there are."""
        return self.form.pattern


@dataclass
class Completion:
    """Makes a sheet whole: `sheet` is the last one measured.

    Parameters
    ----------
    values : callable
        f: takes an array of x's shape that it may keep, and returns its values, flat. It counts its calls.
    point, h : Point and ndarray of float64, shape (n,)
        Where, and with which steps.
    least : float
        The smallest missing entry that matters.
    measured : callable
        Returns the sheet of a pattern.
    calls : callable
        Returns how often f was called.
    is_symmetric : bool
        Whether with each entry its mirror image is missing.

    Attributes
    ----------
    open : ndarray of intp
        The rows that do otherwise than the pattern says, and it could not be told which entries they lack.
    resolution : float
        The smallest missing entry that was sure to be seen, be it in whichever row.
    """

    values: Callable[[Array], Float64Array]
    point: Point
    h: Float64Array
    least: float
    measured: Callable[[Pattern], Sheet]
    sheet: Sheet
    calls: Callable[[], int]
    is_symmetric: bool = False
    open: IndexArray = field(default_factory=lambda: np.empty(0, np.intp))
    resolution: float = 0.0

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(0)
        #: Rows that lack no entries, or of which all have been measured.
        self._settled = np.zeros(self.sheet.pattern.shape[0], np.bool_)
        self._jitter: float | None = None

    @property
    def is_odd(self) -> bool:
        """Whether there are rows that lack no entries, and do otherwise than the pattern says all the same."""
        return bool(self._settled.any())

    def run(self) -> None:
        """Measure again and again, each time with what was found missing, until nothing is."""
        tested, begun, is_fruitful = 0, self.calls(), True
        for share in SHARES:
            self.open = self._astray()
            if not self.open.size:
                return
            none = np.empty(0, np.intp)
            rows, cols = self._decoded(self.open, share) if is_fruitful else (none, none)
            if not rows.size:
                some = self.open[:ONE_BY_ONE]
                rows, cols = self._by_halves(some)
                tested += some.size
            if self.calls() - begun > 2 * self.h.size and self._has_room(self.open):
                rows, cols = np.repeat(self.open, self.h.size), np.tile(np.arange(self.h.size), self.open.size)
                self._settled[self.open] = True
            if rows.size:
                is_fruitful = self._add(rows, cols) > FRUIT
            elif tested >= ROWS:
                break
        self.open = self._astray()

    def _has_room(self, rows: IndexArray) -> bool:
        """Tell whether all entries of these rows can be measured, in memory that is in proportion to the pattern."""
        return rows.size * self.h.size <= max(SMALL, ROOM * self.sheet.pattern.nnz)

    def _add(self, rows: IndexArray, cols: IndexArray) -> float:
        """Measure again with these entries; return the share of them that are something."""
        if self.is_symmetric:
            rows, cols = np.concatenate([rows, cols]), np.concatenate([cols, rows])
        pattern = self.sheet.pattern
        self.sheet = self.measured(pattern | Pattern(rows, cols, pattern.shape))
        at = np.searchsorted(flat_indices(self.sheet.pattern), rows * self.h.size + cols)
        with np.errstate(invalid="ignore"):
            return float(np.mean(~(np.abs(self.sheet.measured[at]) <= self.least)))

    def _astray(self) -> IndexArray:
        """Return the rows that change along some direction by other than their entries say."""
        found = np.zeros(self._settled.size, np.bool_)
        for _ in range(PROBES):
            found |= self._is_astray(self._direction(1.0))
        return np.flatnonzero(found)

    def _is_astray(self, move: Float64Array) -> Array:
        """Tell which rows change along a move by other than their entries say, or have no value however short it is."""
        least, is_open = float(self.h.min(initial=np.inf)), ~self._settled
        found, reach = np.zeros(is_open.size, np.bool_), np.full(is_open.size, np.inf)
        before: Any = np.inf
        for part in SHORTER ** -np.arange(1.0 + SHORTENINGS):
            changed, moves, noise = self._changed(move * part)
            off = self._left_over(changed, moves, part < 1.0)
            with np.errstate(all="ignore"):
                allowed = MARGIN * noise + self.least * least * part
                is_clear = off <= allowed
                if not (is_open & ~is_clear).any():
                    reach = np.where(is_open, allowed / (least * part), reach)
                    break
                half, _, _ = self._changed(move * part / 2.0)
                bend = np.abs(2.0 * half - changed) * 4.0 / 3.0 + self._jitters()
                allowed += MARGIN * bend
                reach = np.where(is_open, np.fmin(reach, allowed / (least * part)), reach)
                falls = ~(bend > before / FALL)
                found |= is_open & falls & (off > allowed)
                is_open &= ~is_clear & ~(off > allowed) & falls
            if not is_open.any():
                break
            before = bend
        self.resolution = float(np.max(reach, initial=0.0, where=~self._settled))
        return found | (is_open & ~np.isfinite(off))

    def _left_over(self, changed: Float64Array, moves: Float64Array, either: bool) -> Float64Array:
        """Return what the measured entries leave of a change of f; either they or the claimed ones, on demand."""
        off = np.abs(changed - product(self.sheet.form, self._known, moves))
        if not either:
            return off
        with np.errstate(all="ignore"):
            return np.asarray(np.fmin(off, np.abs(changed - product(self.sheet.form, self.sheet.claimed, moves))))

    @property
    def _known(self) -> Array:
        """The measured entries; as claimed, where f had no value to measure."""
        return np.where(np.isfinite(self.sheet.measured), self.sheet.measured, self.sheet.claimed)

    def _decoded(self, rows: IndexArray, share: float) -> tuple[IndexArray, IndexArray]:
        """Return an entry that each of these rows may lack: what is left over along three directions tells its column.

        A column's number has two digits. What is left over is what the measured entries do not explain, or what the
        claimed ones do not: the former may be spoilt by the very entries that are missing, the latter by wrong claims.
        """
        n = self.h.size
        base = max(int(np.ceil(np.sqrt(n))), 1)
        digits = np.divmod(np.arange(n), base)
        move = self._direction(share)
        weights = [np.full(n, 0.5), *(0.5 + 0.5 * digit / base for digit in digits)]
        seen = [self._changed(move * weight)[:2] for weight in weights]
        found = []
        for data in (self.sheet.claimed, self.sheet.measured):
            with np.errstate(all="ignore"):
                left = [(changed - product(self.sheet.form, data, moves))[rows] for changed, moves in seen]
                at = [(part / left[0] - 1.0) * base for part in left[1:]]
                fits = (np.abs(at[0] - np.rint(at[0])) < CLOSE) & (np.abs(at[1] - np.rint(at[1])) < CLOSE)
                cols = np.where(fits, np.rint(at[0]) * base + np.rint(at[1]), -1.0)
            good = (cols >= 0) & (cols < n)
            found.append((rows[good], cols[good].astype(np.intp)))
        return self._new(*(np.concatenate(part) for part in zip(*found, strict=True)))

    def _by_halves(self, rows: IndexArray) -> tuple[IndexArray, IndexArray]:
        """Return the entries that these rows lack in one column each; a row that lacks none is settled."""
        x = self.point.array.reshape(-1)
        at_x = self._called(x.copy())
        there = (x + self.h).astype(x.dtype)
        noise = MARGIN * (self._noise(at_x, at_x) + self._jitters())
        starts, cols_of = self.sheet.pattern.csr

        def changed(cols: IndexArray) -> Array:
            line = x.copy()
            line[cols] = there[cols]
            with np.errstate(all="ignore"):
                return np.asarray(~(np.abs(self._called(line) - at_x) <= noise) & np.isfinite(at_x))

        found_rows, found_cols = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
        for row in rows.tolist():
            outside = np.setdiff1d(np.arange(x.size), cols_of[starts[row] : starts[row + 1]])
            if not outside.size or not changed(outside)[row]:
                self._settled[row] = True
                continue
            while outside.size > 1:
                half, rest = np.array_split(outside, 2)
                outside = half if changed(half)[row] else rest
            moved = np.flatnonzero(changed(outside))
            found_rows.append(moved)
            found_cols.append(np.full(moved.size, outside[0]))
        return self._new(np.concatenate(found_rows), np.concatenate(found_cols))

    def _new(self, rows: IndexArray, cols: IndexArray) -> tuple[IndexArray, IndexArray]:
        """Return those of the entries that the pattern has not."""
        n = self.h.size
        flat = np.setdiff1d(rows * n + cols, flat_indices(self.sheet.pattern))
        return flat // n, flat % n

    def _direction(self, share: float) -> Float64Array:
        """Return a move of all entries of x by half a step to a step, or of a share of them and of the others none."""
        n = self.h.size
        move = self._rng.uniform(0.5, 1.0, n) * self._rng.choice([-1.0, 1.0], n) * self.h
        return move if share == 1.0 else np.where(self._rng.random(n) < share, move, 0.0)

    def _changed(self, move: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Return f's change across x along a move, that move as it was made, and the rounding in the change."""
        x = self.point.array.reshape(-1)
        up, down = (x + move).astype(x.dtype), (x - move).astype(x.dtype)
        moves = np.subtract(up, down, dtype=np.float64)
        after, before = (self._called(side) for side in (up, down))
        with np.errstate(all="ignore"):
            return after - before, moves, self._noise(after, before)

    def _called(self, line: Array) -> Float64Array:
        try:
            return self.values(line.reshape(self.point.array.shape))
        except Exception as error:
            with suppress(Exception):
                error.add_note(
                    "fastgrad: f raised this when many entries of x were moved by their steps, to see which entries "
                    "the pattern lacks."
                )
            raise

    def _noise(self, after: Float64Array, before: Float64Array) -> Float64Array:
        """Return how much rounding there is in values: they may be small beside the terms that they are made of."""
        x = self.point.array.reshape(-1)
        with np.errstate(all="ignore"):
            terms = product(self.sheet.form, np.abs(self._known), np.abs(x.astype(np.float64)))
            size = np.maximum(np.abs(after), np.abs(before)) + terms
        return np.asarray(np.finfo(x.dtype).eps * (self.sheet.pattern.row_counts + 2.0) * size)

    def _jitters(self) -> float:
        """Return how far values at x are apart that f gives one after the other; NaN counts for nothing."""
        if self._jitter is None:
            one, other = (self._called(self.point.array.reshape(-1).copy()) for _ in range(2))
            with np.errstate(all="ignore"):
                self._jitter = float(np.nanmax(np.abs(one - other), initial=0.0))
        return self._jitter
