"""A structured callable's difference loop against its own plain forward, so that a flaw of the shortcut cannot hide."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._arrays import step_of
from fastgrad._judge.probe import DEVIATIONS
from fastgrad._noise.measurement import rounding_noise
from fastgrad._reading import entry_name
from fastgrad._typing import Array, Float64Array, IndexArray

#: Two directions see every entry; eight entries are moved alone, together at first, by unequal parts of their steps.
KEYS = (0x5BD1E994, 0x5BD1E995)
ENTRIES = 8
PARTS = np.array([8, -9, 10, -11, 12, -13, 14, -15]) / 16
#: A disagreement must stand at ever smaller steps, as far as noise lets see: what kinks and truncation add goes away. A
#: direction moves a pre-activation by √n of what an entry does, so this goes far below the steps of the loop.
SHRINK, SHRINKS = 4.0, 12
_UNITS = {"d": 16 * 2.0**-53, "f": 16 * 2.0**-24}
_RELATIVE = {"d": 1e-6, "f": 1e-2}


#: Values of f on both sides, how far apart they were taken, and the slope that f's own loop claims.
Slopes = tuple[float, float, float, float]


class Witness:
    """The plain forward of f around x, called before f's own loop runs, and held against the loop afterwards.

    Two directions are differenced, and eight entries together. An f that says that it is linear is asked on one side,
    each time from where the last one led to: fewer calls, and little memory to write. Any other, or one that does not
    fit, is asked on both sides of x. What does not fit then is looked at again with ever smaller steps, and of the
    eight entries each by itself: only so is one accused.

    Parameters
    ----------
    f : structured callable
        It cannot write into what it is called with.
    x, h : ndarray
        The point and the steps.
    atol : float
        What does not matter.
    scratch : ndarray
        Like x, and overwritten; it is free again when this returns.
    """

    def __init__(self, f: Any, x: Array, h: Float64Array, atol: float, scratch: Array) -> None:
        self.calls = 0
        self._noise = 0.0
        self._f = f
        self._x = x
        self._h = h
        self._atol = atol
        self._entries = _apart(x.size)
        self._moves = PARTS[: self._entries.size] * (h if h.size == 1 else h[self._entries])
        self._step = float(np.min(h))
        self._both_sides = not getattr(f, "__fastgrad_is_linear__", False)
        around = _Around(self, scratch)
        if self._both_sides:
            self._ways = around.sides(KEYS[0], self._step), around.sides(KEYS[1], self._step)
            around.back()
            self._together = around.entry_sides(self._entries, self._moves)
        else:
            centre, first = self.call(x), around.direction(KEYS[0], self._step)
            beside, taken = around.entries(self._entries, self._moves)
            self._together = beside, first, taken
            self._ways = (first, centre), (around.further(KEYS[1], self._step), first)

    def call(self, x: Array) -> float:
        """Return f(x), counted."""
        self.calls += 1
        return float(self._f(x))

    def disagreement(self, measured: Array, projections: tuple[float, float] | None = None) -> str | None:
        """Return a sentence that says where the measured differences do not fit f itself; None where they do.

        The inner products of what was measured with the directions of `KEYS` are formed here unless they are given.
        """
        measured = measured.reshape(-1)
        claims = projections or _backend.projection.inner(measured, 0, *KEYS)
        for i in [] if self._together_fit(measured[self._entries]) else self._entries.tolist():
            claimed = float(measured[i])
            if not self._entry_fits(i, claimed):
                return (
                    f"f's own difference loop does not fit f: at {entry_name(i, self._x.shape)} it gives "
                    f"{claimed:.9g}, and calls of f another value. The measured values cannot be trusted."
                )
        for key, way, claimed in zip(KEYS, self._ways, claims, strict=True):
            if not self._direction_fits(key, way, claimed, measured):
                return (
                    "f's own difference loop does not fit f: along a random direction they differ. "
                    "The measured values cannot be trusted."
                )
        return None

    def disagreement_after_all(self, measured: Array) -> str | None:
        """Return the same for other values, which a second look at f's loop has shown."""
        self._spare.back()
        return self.disagreement(measured)

    @cached_property
    def _spare(self) -> "_Around":
        """A second buffer, for looks on both sides; it holds x until a direction is looked along."""
        return _Around(self, self._x.copy())

    def _fits(self, upper: float, lower: float, width: float, claimed: float) -> bool:
        return self._error(upper, lower, width, claimed)[0] <= 0.0

    def _error(self, upper: float, lower: float, width: float, claimed: float) -> tuple[float, float, float]:
        """Return by how much slope and claim differ beyond what is allowed, by how much at all, and the noise."""
        char = self._x.dtype.char
        slope = (upper - lower) / width
        noise = max(_UNITS[char] * (abs(upper) + abs(lower)), 2 * DEVIATIONS * self._noise) / width
        off = abs(slope - claimed)
        return off - noise - self._atol - _RELATIVE[char] * max(abs(slope), abs(claimed)), off, noise

    def _together_fit(self, claims: Array) -> bool:
        if self._sum_fits(*self._together, claims):
            return True
        return not self._both_sides and self._sum_fits(*self._spare.entry_sides(self._entries, self._moves), claims)

    def _sum_fits(self, upper: float, lower: float, moved: Float64Array, claims: Array) -> bool:
        width = float(np.max(np.abs(moved)))
        return width > 0.0 and self._fits(upper, lower, width, float(claims @ moved) / width)

    def _entry_fits(self, i: int, claimed: float) -> bool:
        def look(factor: float) -> Slopes:
            step = np.array([step_of(self._h, i) * factor])
            plus, minus, taken = self._spare.entry_sides(np.array([i]), step)
            return plus, minus, float(taken[0]), claimed

        return self._fits_in_the_end(look(1.0), look)

    def _direction_fits(self, key: int, way: tuple[float, float], claimed: float, measured: Array) -> bool:
        def look(factor: float) -> Slopes:
            h = self._step * factor
            as_rounded = _backend.projection.project(measured, self._x.reshape(-1), key, h)
            return *self._spare.sides(key, h), 2 * h, as_rounded

        if not self._both_sides:
            if self._step > 0.0 and self._fits(*way, self._step, claimed):
                return True
            way = self._spare.sides(key, self._step)
        return self._fits_in_the_end((*way, 2 * self._step, claimed), look)

    def _fits_in_the_end(self, first: Slopes, look: Callable[[float], Slopes]) -> bool:
        """Tell whether slope and claim agree with some step small enough, and noise small beside what they were off.

        Where the terms of f cancel, its rounding is far above its value's: it is measured before f's loop is accused.
        """
        if first[2] == 0.0 or not self._error(*first)[0] > 0.0:
            return True
        self._noise = self._noise or rounding_noise(self.call, self._x)
        start = last = 0.0
        for k in range(SHRINKS):
            upper, lower, width, claimed = look(SHRINK**-k)
            if width == 0.0:
                break
            beyond, off, noise = self._error(upper, lower, width, claimed)
            if k and noise > start / 4:
                break
            if not beyond > 0.0:
                return True
            start, last = start or off, off
        return last <= start / 2


def _apart(n: int) -> IndexArray:
    """Return up to `ENTRIES` of n indices, evenly apart: the first and the last are among them."""
    return np.array(sorted({k * (n - 1) // (ENTRIES - 1) for k in range(ENTRIES)}), np.intp)


class _Around:
    """A buffer that is moved at some entries or along a direction for one call of f, which sees it read-only."""

    def __init__(self, witness: Witness, buffer: Array) -> None:
        self._witness = witness
        self._flat = buffer.reshape(-1)
        self._x = witness._x.reshape(-1)
        self._shown = buffer.view()
        self._shown.flags.writeable = False

    def entries(self, indices: IndexArray, moves: Float64Array) -> tuple[float, Float64Array]:
        """Return f with these entries of what the buffer holds moved, and the moves as rounded."""
        before = self._flat[indices]
        self._flat[indices] = before + moves
        taken = self._flat[indices].astype(np.float64) - before
        value = self._witness.call(self._shown)
        self._flat[indices] = before
        return value, taken

    def entry_sides(self, indices: IndexArray, moves: Float64Array) -> tuple[float, float, Float64Array]:
        """Return f with these entries moved and moved back, and how far apart both are as rounded."""
        plus, up = self.entries(indices, moves)
        minus, down = self.entries(indices, -moves)
        return plus, minus, up - down

    def sides(self, key: int, step: float) -> tuple[float, float]:
        """Return f on both sides of x along a direction."""
        return self.direction(key, step), self.direction(key, -step)

    def back(self) -> None:
        """Have the buffer hold x again."""
        self._flat[...] = self._x

    def direction(self, key: int, step: float) -> float:
        """Return f with all entries of x moved, as the buffer then holds them."""
        _backend.projection.move(self._x, key, step, self._flat)
        return self._witness.call(self._shown)

    def further(self, key: int, step: float) -> float:
        """Return f with all entries moved from where the buffer holds them."""
        _backend.projection.move(self._flat, key, step, self._flat)
        return self._witness.call(self._shown)
