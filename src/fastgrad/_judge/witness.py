"""A structured callable's difference loop against its own plain forward, so that a flaw of the shortcut cannot hide."""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from fastgrad import _backend
from fastgrad._arrays import step_of
from fastgrad._judge.probe import DEVIATIONS
from fastgrad._judge.shown import KEYS, RELATIVE, Around, Plain, Questions, Shown, Sides
from fastgrad._noise.measurement import rounding_noise
from fastgrad._reading import entry_name
from fastgrad._typing import Array, Float64Array

#: A disagreement must stand at ever smaller steps, as far as noise lets see: what kinks and truncation add goes away. A
#: direction moves a pre-activation by √n of what an entry does, so this goes far below the steps of the loop.
SHRINK, SHRINKS = 4.0, 12
_UNITS = {"d": 16 * 2.0**-53, "f": 16 * 2.0**-24}

#: Values of f on both sides, how far apart they were taken, and the slope that f's own loop claims.
Slopes = tuple[float, float, float, float]


class Witness:
    """What the plain forward of f shows around x, held against f's own loop.

    Two directions are differenced, and eight entries together. What does not fit is looked at again by f itself, with
    ever smaller steps, and of the eight entries each alone: only so is one accused. If f was asked on one side, it is
    asked on both sides of x then. A right loop of a net often takes this: directions cross kinks that no entry reaches.

    Parameters
    ----------
    plain : Plain
        f, which cannot write into what it is called with.
    x, h : ndarray
        The point and the steps.
    atol : float
        What does not matter.
    asked, shown
        What f was asked, and what it showed.
    """

    def __init__(self, plain: Plain, x: Array, h: Float64Array, atol: float, asked: Questions, shown: Shown) -> None:
        self._plain = plain
        self._noise = 0.0
        self._x = x
        self._h = h
        self._atol = atol
        self._asked = asked
        self._shown = shown

    def agrees(self, chosen: Array, projections: tuple[float, float]) -> bool:
        """Tell whether what was measured at the entries, and its projections along `KEYS`, fit f.

        Nothing else need have been kept. Steps are taken as they are meant then, and not as x rounds them: to accuse
        f's loop takes the whole measurement. Ask `disagreement`.
        """
        return self._flaw(chosen, projections, None) is None

    def disagreement(self, measured: Array) -> str | None:
        """Return a sentence that says where the measured differences do not fit f itself; None where they do."""
        measured = measured.reshape(-1)
        return self._flaw(measured[self._asked.entries], _backend.projection.inner(measured, 0, *KEYS), measured)

    def disagreement_after_all(self, measured: Array) -> str | None:
        """Return the same for other values, which a second look at f's loop has shown."""
        self._spare.back()
        return self.disagreement(measured)

    def _flaw(self, chosen: Array, projections: tuple[float, float], measured: Array | None) -> str | None:
        """Return what does not fit; where nothing was kept of what was measured, of steps as they are meant."""
        apart = zip(self._asked.entries.tolist(), chosen.tolist(), strict=True)
        for i, claimed in [] if self._together_fit(chosen) else apart:
            if not self._entry_fits(i, claimed):
                return (
                    f"f's own difference loop does not fit f: at {entry_name(i, self._x.shape)} it gives "
                    f"{claimed:.9g}, and calls of f another value. The measured values cannot be trusted."
                )
        for key, way, claimed in zip(KEYS, self._shown.directions, projections, strict=True):
            if not self._direction_fits(key, way, claimed, measured):
                return (
                    "f's own difference loop does not fit f: along a random direction they differ. "
                    "The measured values cannot be trusted."
                )
        return None

    @cached_property
    def _spare(self) -> Around:
        """A buffer for looks on both sides; it holds x until a direction is looked along."""
        return Around(self._plain, self._x, self._x.copy())

    def _fits(self, upper: float, lower: float, width: float, claimed: float) -> bool:
        return self._error(upper, lower, width, claimed)[0] <= 0.0

    def _error(self, upper: float, lower: float, width: float, claimed: float) -> tuple[float, float, float]:
        """Return by how much slope and claim differ beyond what is allowed, by how much at all, and the noise."""
        char = self._x.dtype.char
        slope = (upper - lower) / width
        noise = max(_UNITS[char] * (abs(upper) + abs(lower)), 2 * DEVIATIONS * self._noise) / width
        off = abs(slope - claimed)
        return off - noise - self._atol - RELATIVE[char] * max(abs(slope), abs(claimed)), off, noise

    def _together_fit(self, claims: Array) -> bool:
        if self._sum_fits(*self._shown.entries, claims):
            return True
        return not self._asked.both_sides and self._sum_fits(
            *self._spare.entry_sides(self._asked.entries, self._asked.moves), claims
        )

    def _sum_fits(self, upper: float, lower: float, moved: Float64Array, claims: Array) -> bool:
        width = float(np.max(np.abs(moved)))
        return width > 0.0 and self._fits(upper, lower, width, float(claims @ moved) / width)

    def _entry_fits(self, i: int, claimed: float) -> bool:
        def look(factor: float) -> Slopes:
            step = np.array([step_of(self._h, i) * factor])
            plus, minus, taken = self._spare.entry_sides(np.array([i]), step)
            return plus, minus, float(taken[0]), claimed

        return self._fits_in_the_end(look)

    def _direction_fits(self, key: int, way: Sides, claimed: float, measured: Array | None) -> bool:
        def look(factor: float) -> Slopes:
            h = self._asked.step * factor
            sides = self._spare.sides(key, h)
            if measured is None:
                return *sides, 2 * h, claimed
            return *sides, 2 * h, _backend.projection.project(measured, self._x.reshape(-1), key, h)

        if not self._asked.both_sides:
            if self._asked.step > 0.0 and self._fits(*way, self._asked.step, claimed):
                return True
            way = self._spare.sides(key, self._asked.step)
        width = 2 * self._asked.step
        return width == 0.0 or not self._error(*way, width, claimed)[0] > 0.0 or self._fits_in_the_end(look)

    def _fits_in_the_end(self, look: Callable[[float], Slopes]) -> bool:
        """Tell whether slope and claim agree with some step small enough, and noise small beside what they were off.

        Where they do so twice in a row, and far better than at first, it is not by chance. Otherwise noise is measured,
        before f's loop is accused: if the terms of f cancel, its rounding is far above its value's.
        """
        looks = [look(1.0)]
        if looks[0][2] == 0.0 or not self._error(*looks[0])[0] > 0.0:
            return True

        def slopes(k: int) -> Slopes:
            if k == len(looks):
                looks.append(look(SHRINK**-k))
            return looks[k]

        if self._noise == 0.0:
            if self._settles(slopes, 2):
                return True
            self._noise = rounding_noise(self._plain, self._x)
        return self._settles(slopes, 1)

    def _settles(self, slopes: Callable[[int], Slopes], times: int) -> bool:
        """Tell whether slope and claim agree so often in a row, being at most half as far off as at first if twice.

        Where once is enough, so is being at most half as far off with the smallest step that noise lets be seen.
        """
        start = last = 0.0
        agreed = 0
        for k in range(SHRINKS):
            upper, lower, width, claimed = slopes(k)
            if width == 0.0:
                break
            beyond, off, noise = self._error(upper, lower, width, claimed)
            if k and noise > start / 4:
                break
            start, last = start or off, off
            agreed = 0 if beyond > 0.0 else agreed + 1
            if agreed >= times and (times == 1 or not last > start / 2):
                return True
        return times == 1 and last <= start / 2
