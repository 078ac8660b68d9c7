"""f around a point: single values, slopes on both sides of an entry, and what noise may have added to them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from math import inf, isfinite
from typing import Any

import numpy as np

from fastgrad._arrays import step_of
from fastgrad._budget import Budget, Spent
from fastgrad._noise.measurement import noise
from fastgrad._noise.precision import ShownPrecision
from fastgrad._point import Point
from fastgrad._report.pictured import Sweep
from fastgrad._typing import Array, Float64Array

#: f's own rounding is taken as 8 units of 2⁻⁵³ in each value, and its measured noise as 4 standard deviations: it is
#: measured on few points, and the quieter of two sides is taken.
UNITS, DEVIATIONS = 8.0, 4.0
UNIT_ROUNDOFF = 2.0**-53
#: What is said of an f that is not deterministic.
RANDOM = "f gives different values for the same x: fix its random state, or draw before the check."
_NAN = float("nan")


@dataclass(frozen=True)
class Slope:
    """The differences of f at one entry with one step: central, and on each side; and what noise may have added.

    `rounding` is the error that f's values must have, however little noise was measured. `is_still`: f did not move.
    """

    h: float
    central: float
    left: float
    right: float
    rounding: float
    is_still: bool
    probe: "Probe" = field(repr=False)

    @property
    def error(self) -> float:
        """How far rounding and noise may have put the central difference off, and a one-sided one twice as far."""
        return max(self.rounding, DEVIATIONS * self.probe.noise / self.h)

    @property
    def is_one_sided(self) -> bool:
        """Whether f moved on one side alone."""
        return (self.left == 0.0) != (self.right == 0.0)

    @property
    def gap(self) -> float:
        """How far the slopes on both sides are apart."""
        return abs(self.right - self.left)


class Probe:
    """Calls of f near a point, counted and paid for; f's noise is measured when first asked for.

    Where its value at x and its noise are known already, they are given and not asked for.

    Attributes
    ----------
    calls : int
        Of f, so far.
    is_deterministic : bool
        Whether f gave the same value twice.
    is_defined : bool
        Whether f was finite at x, if it was called there.
    noise_is_measured : bool
        Whether the noise was asked for.
    precision : ShownPrecision
        That of f, as far as its values tell it.
    sweep : Sweep or None
        The slopes of the entry that was found farthest from its claim.
    """

    def __init__(
        self,
        f: Callable[[Array], Any],
        point: Point,
        h: Float64Array,
        budget: Budget | None = None,
        known: tuple[float, float] | None = None,
    ) -> None:
        self.calls = 0
        self.is_deterministic = self.is_defined = True
        self.noise_is_measured = False
        self.precision = ShownPrecision()
        self.sweep: Sweep | None = None
        self._worst = 0.0
        self._seen: list[Slope] = []
        self._f = f
        self._x = point.array
        self._h = h
        self._reader = point.reader()
        self._budget = budget or Budget()
        self._known = known

    def value(self, x: Array, i: int = 0, sign: int = 0) -> float:
        """Return f(x); x is a copy that f may do with as it likes."""
        self._budget.take()
        self.calls += 1
        value = self._reader.scalar(self._f(x), i, sign)
        self.precision.add(value)
        return value

    def value_if_any(self, x: Array, i: int = 0, sign: int = 0) -> float:
        """Return f(x), or NaN where f refuses: it was not asked to be defined farther from x than the caller's step."""
        try:
            return self.value(x, i, sign)
        except Spent:
            raise
        except Exception:
            return _NAN

    @cached_property
    def centre(self) -> float:
        """The value of f at x itself."""
        if self._known is not None:
            return self._known[0]
        value = self.value(self._x.copy())
        again = self.value(self._x.copy())
        self.is_deterministic = value == again or value != value
        self.is_defined = isfinite(value)
        return value

    @property
    def noise(self) -> float:
        """The standard deviation of f's noise at x: where f shows single precision alone, no less than its rounding.

        Where the steps are finer than that, f stands still, and nothing else tells of it.
        """
        if self._known is not None:
            return self._known[1]
        found = self._measured_noise
        return max(found, self.precision.rounding(self.centre)) if self.precision.may_be_single else found

    @cached_property
    def _measured_noise(self) -> float:
        found = noise(self.value_if_any, self._x, self._h)
        self.noise_is_measured = True
        return found

    @property
    def noise_if_affordable(self) -> float:
        """The same, NaN where the budget does not reach for it."""
        try:
            return self.noise
        except Spent:
            return _NAN

    def size(self, i: int) -> float:
        """Return the magnitude of entry i of x, or its step where that is zero."""
        return abs(float(self._x.flat[i])) or step_of(self._h, i)

    def scale(self, i: int) -> float:
        """Return the scale on which f is taken to change along entry i: max(1, |x_i|)."""
        return max(1.0, abs(float(self._x.flat[i])))

    def slope(self, i: int, h: float) -> Slope | None:
        """Return the differences at entry i with step h, steps as rounded; None where x or f is not finite there."""
        plus, up = self._moved(i, h, 1)
        minus, down = self._moved(i, h, -1)
        centre, both = self.centre, up + down
        if not (abs(plus) + abs(minus) + abs(centre) < inf and both < inf) or up == 0.0 or down == 0.0:
            return None
        slope = Slope(
            both / 2.0,
            (plus - minus) / both,
            (centre - minus) / down,
            (plus - centre) / up,
            UNITS * UNIT_ROUNDOFF * (abs(plus) + abs(minus)) / both,
            plus == centre == minus,
            self,
        )
        self._seen.append(slope)
        return slope

    def found(self, i: int, claimed: float, measured: float) -> None:
        """End the look at entry i: keep its slopes where no entry before was found as far from its claim."""
        seen = sorted(self._seen, key=lambda s: s.h)
        self._seen.clear()
        if seen and abs(claimed - measured) > self._worst:
            self._worst = abs(claimed - measured)
            columns = [np.array([s.h, s.central, s.rounding]) for s in seen]
            steps, slopes, rounding = np.stack(columns, axis=1)
            self.sweep = Sweep(i, claimed, steps, slopes, rounding)

    def right_slope(self, i: int, h: float) -> tuple[float, float] | None:
        """Return the slope above entry i, and how far noise may have put it off; None where x or f is not finite."""
        plus, up = self._moved(i, h, 1)
        if not (abs(plus) + abs(self.centre) < inf and up < inf) or up == 0.0:
            return None
        rounding = UNITS * UNIT_ROUNDOFF * (abs(plus) + abs(self.centre))
        return (plus - self.centre) / up, max(rounding, 2 * DEVIATIONS * self.noise) / up

    def _moved(self, i: int, step: float, sign: int) -> tuple[float, float]:
        """Return f with entry i moved by sign times step, and the step that was really taken."""
        x = self._x.copy()
        flat = x.reshape(-1)
        before = float(flat[i])
        with np.errstate(over="ignore"):
            flat[i] = before + sign * step
        taken = abs(float(flat[i]) - before)
        ask = self.value_if_any if step > step_of(self._h, i) else self.value
        return ask(x, i, sign), taken
