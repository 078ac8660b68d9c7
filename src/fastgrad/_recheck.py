"""Entries beyond tolerance, measured again: the error bound of each, and whether f has a kink there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad._noise import noise
from fastgrad._point import Point
from fastgrad._typing import Array, Float64Array, IndexArray

#: An entry beyond tolerance is measured again at these multiples of its step.
UPWARDS = (1.0, 4.0, 16.0)
#: Where a kink may lie within the step, also at these, as long as the noise leaves something to see.
DOWNWARDS = (1 / 4, 1 / 16, 1 / 64, 1 / 256)
#: f's own rounding is taken as 8 units of 2⁻⁵³ in each value, and its measured noise as 3 standard deviations.
UNITS, DEVIATIONS = 8.0, 3.0
UNIT_ROUNDOFF = 2.0**-53


class Probe:
    """f near a point: single values, counted, and the noise of f, measured when first asked for."""

    def __init__(self, f: Callable[[Array], Any], point: Point) -> None:
        self.calls = 0
        self._f = f
        self._x = point.array
        self._reader = point.reader()
        self._noise: float | None = None
        self._centre: float | None = None
        self.is_deterministic = True

    def at(self, x: Array, i: int = 0, sign: int = 0) -> float:
        """Return f(x) for a copy that f may do with as it likes."""
        self.calls += 1
        return self._reader.scalar(self._f(x), i, sign)

    def moved(self, i: int, step: float, sign: int) -> tuple[float, float]:
        """Return f with entry i moved by sign times step, and the step that was really taken."""
        x = self._x.copy()
        flat = x.reshape(-1)
        before = float(flat[i])
        flat[i] = before + sign * step
        taken = abs(float(flat[i]) - before)
        return self.at(x, i, sign), taken

    @property
    def centre(self) -> float:
        """The value of f at x itself."""
        if self._centre is None:
            self._centre = self.at(self._x.copy())
            self.is_deterministic = self._centre == self.at(self._x.copy())
        return self._centre

    @property
    def noise(self) -> float:
        """The standard deviation of f's noise at x."""
        if self._noise is None:
            self._noise = noise(self.at, self._x)
        return self._noise


@dataclass(frozen=True)
class Slope:
    """The differences of f at one entry with one step: central, and on each side; and what noise may have added."""

    h: float
    central: float
    left: float
    right: float
    noise: float

    @property
    def gap(self) -> float:
        """How far the slopes on both sides are apart."""
        return abs(self.right - self.left)


@dataclass(frozen=True)
class Finding:
    """What the second look at one entry showed: the best value, its bound, and the slopes on both sides of a kink."""

    measured: float
    bound: float
    left: float = float("nan")
    right: float = float("nan")
    is_trusted: bool = True

    @property
    def is_kink(self) -> bool:
        """Whether the slopes on both sides differ."""
        return not (np.isnan(self.left) or self.left == self.right)


def slope(probe: Probe, i: int, h: float) -> Slope:
    """Return the differences at entry i with step h, steps as rounded."""
    plus, up = probe.moved(i, h, 1)
    minus, down = probe.moved(i, h, -1)
    centre = probe.centre
    if up == 0.0 or down == 0.0:
        return Slope(h, float("nan"), float("nan"), float("nan"), float("inf"))
    rounding = UNITS * UNIT_ROUNDOFF * (abs(plus) + abs(minus))
    return Slope(
        h,
        (plus - minus) / (up + down),
        (centre - minus) / down,
        (plus - centre) / up,
        max(rounding / (up + down), DEVIATIONS * probe.noise / h),
    )


def look_again(probe: Probe, i: int, h: float, auto: float | None, claimed: float, tolerance: float) -> Finding:
    """Return the best value at entry i that steps around h give, with its bound.

    A kink within the step can falsify a central difference by half the gap between the slopes on both sides, no more.
    So a claim that is further off than gap and bound is wrong; one that is not is looked at with smaller steps, until
    the gap is gone (the kink lies beside x) or stands still (it lies at x).
    """
    steps = [h * factor for factor in UPWARDS]
    if auto is not None and min(abs(np.log2(auto / step)) for step in steps) >= 1:
        steps.append(auto)
    slopes = [slope(probe, i, step) for step in sorted(steps)]
    best = _best(slopes)
    error = abs(claimed - best.measured)
    nearest = min(slopes, key=lambda s: abs(s.h - h))
    if best.is_trusted and (error <= tolerance or error > nearest.gap + nearest.noise + best.bound):
        return best
    for factor in DOWNWARDS:
        smaller = slope(probe, i, h * factor)
        if not smaller.noise < max(error, tolerance) / 4:
            break
        slopes.insert(0, smaller)
    return _kink(slopes, tolerance) or _best(slopes)


def _best(slopes: list[Slope]) -> Finding:
    """Return the central difference with the least bound.

    From one step to the next, four times as large, truncation grows sixteenfold and noise falls to a quarter. Where two
    changes in a row grow like truncation, the first bounds the error of the smallest of the three steps; where both are
    within the noise, the second, doubled, bounds that of the largest. Where neither holds anywhere, something unseen is
    at work (a kink, or noise that hides from its measurement), and one and a half times the spread of all is taken.
    """
    trusted = []
    for a, b, c in zip(slopes, slopes[1:], slopes[2:], strict=False):
        first, second = b.central - a.central, c.central - b.central
        if first * second > 0 and 4 <= second / first <= 64:
            trusted.append(Finding(a.central, abs(first) + a.noise))
        elif abs(first) <= a.noise + b.noise and abs(second) <= b.noise + c.noise:
            trusted.append(Finding(a.central, abs(first) + a.noise))
            trusted.append(Finding(c.central, 2 * abs(second) + c.noise))
    if trusted:
        return min(trusted, key=lambda found: found.bound)
    values = [s.central for s in slopes]
    spread = max(values) - min(values)
    middle = slopes[len(slopes) // 2]
    return Finding(middle.central, 1.5 * spread + middle.noise, is_trusted=False)


def _kink(slopes: list[Slope], tolerance: float) -> Finding | None:
    """Return the kink that the two smallest steps show: slopes that are apart by more than noise, and stay apart."""
    small, larger = slopes[0], slopes[1]
    bound = small.noise + larger.noise
    apart = small.gap > 4 * small.noise and small.gap > tolerance
    if not apart or abs(larger.gap - small.gap) > max(0.25 * small.gap, 4 * bound):
        return None
    bound += abs(larger.left - small.left) + abs(larger.right - small.right)
    return Finding(small.central, bound, small.left, small.right)


def look_again_structured(
    f: Any, x: Array, h: Float64Array, measured: Array, where: IndexArray
) -> tuple[list[Finding], int]:
    """Return the findings at these flat indices, by f's own loop at 4 and 16 times the step; and the evaluations.

    The bounds are those of `look_again`. Where f is a `KinkedFunction`, its slopes on both sides are asked for too.
    """
    rounding = UNITS * UNIT_ROUNDOFF * abs(float(f(x))) / (h if h.size == 1 else h[where])
    values = [measured[where].astype(np.float64)]
    calls = 1
    for factor in UPWARDS[1:]:
        again = np.empty_like(x)
        calls += int(f.__fastgrad_gradient__(x, h * factor, again))
        values.append(again.reshape(-1)[where].astype(np.float64))
    near, far = np.abs(values[1] - values[0]), np.abs(values[2] - values[1])
    bounds = np.stack([near + rounding, far + rounding / 4, 2 * far + rounding / 16])
    choice, each = np.argmin(bounds, axis=0), np.arange(where.size)
    left = right = np.full(where.size, np.nan)
    if hasattr(type(f), "__fastgrad_slopes__"):
        below, above = np.empty_like(x), np.empty_like(x)
        calls += int(f.__fastgrad_slopes__(x, h, below, above))
        left, right = below.reshape(-1)[where], above.reshape(-1)[where]
    columns = (np.stack(values)[choice, each], bounds[choice, each], left, right)
    return [Finding(*row) for row in zip(*(column.tolist() for column in columns), strict=True)], calls
