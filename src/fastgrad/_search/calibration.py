"""The step of a search, and what a projection with it may be off by: noise, truncation and kinks, as measured."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fastgrad._search.line import Line
from fastgrad._search.projections import Block, Projections

#: A residual counts as one from this many of the deviations that were seen.
KAPPA = 6.0
#: Directions that noise and truncation are taken from, and the root is tested along.
DIRECTIONS = 4
#: A rung of the ladder of steps, and how many rungs are looked at in all.
RUNG, RUNGS, RUNGS_OF_ALL = 8.0, 6, 3
#: Where the best rung is not good enough, how many steps in between are tried, and how far from it.
RUNGS_BETWEEN, BETWEEN = 4, 8.0**0.5
#: Where noise keeps a rung from the wanted threshold by more than another one is worth, the next is so far.
LEAP = 64.0
#: How far below and above the step to begin near a search may go.
LEAST, FARTHEST = 2.0**-20, 2.0**12
#: Where noise decides, a rung more is tried for a threshold so much below the wanted one: places are told by it.
FINER = 16.0
#: Noise in the difference of two bends, in units of that of f over the step: √6 for each, 4 and 1 times, thrice that.
BEND = 30.0
#: How often one projection may be repeated to lessen its noise.
REPEATS = 64


@dataclass(frozen=True)
class Calibration:
    """What was found out before anything is judged.

    Attributes
    ----------
    centre : float
        The value of f at x.
    h : float
        The step of a search, in the unit of the proportions.
    noise : float
        The standard deviation of f's noise.
    threshold : float
        What a residual of a right claim does not exceed.
    kink : float
        By how much the slopes above and below x differ for a kink there, at most; noise lets no kink seem smaller.
    kinks : mapping
        The same along each direction, by key, as it was measured.
    repeats : int
        How many projections are averaged to a residual.
    residuals : tuple of (int, float)
        The residuals along all entries by the key of their direction.
    is_deterministic : bool
        Whether f gave one value for one x.
    advice : str
        What to tell of the precision of f's values; empty where that is double.
    """

    centre: float
    h: float
    noise: float
    threshold: float
    kink: float
    kinks: Mapping[int, float]
    repeats: int
    residuals: tuple[tuple[int, float], ...]
    is_deterministic: bool
    advice: str


@dataclass
class _Rung:
    """Residuals with one step and with half of it, a direction a pair."""

    h: float
    pairs: list[tuple[float, float]]
    bends: list[tuple[float, float]]

    @property
    def kink(self) -> float:
        """By how much the slopes above and below x differ at most along a direction, less what falls with the step."""
        return max(abs(2.0 * b - a) for a, b in self.bends)

    @property
    def apart(self) -> float:
        """How far the residuals with both steps are apart at most; infinite where f has no value."""
        gaps = [abs(a - b) for a, b in self.pairs]
        return max(gaps) if all(map(math.isfinite, gaps)) else math.inf

    def is_noisy(self, noise: float) -> bool:
        """Tell whether noise alone may explain how far the residuals are apart: two differ by √5 of one's noise."""
        return self.apart <= KAPPA * math.sqrt(5.0) * noise / (math.sqrt(2.0) * self.h)

    def threshold(self, noise: float) -> float:
        """Return what a residual of a right claim does not exceed with this step.

        What noise does not explain is truncation or kinks: that differs by ¾ of the residual's own, for a smooth f.
        """
        if self.is_noisy(noise):
            return KAPPA * max(noise / (math.sqrt(2.0) * self.h), self.apart / math.sqrt(5.0))
        return KAPPA * self.apart

    def contradicts(self, other: "_Rung", noise: float) -> bool:
        """Tell whether the residuals along the same direction are farther apart than either threshold allows."""
        off = abs(self.pairs[0][0] - other.pairs[0][0])
        return not off <= self.threshold(noise) + other.threshold(noise)


class Calibrator:
    """Measure f's noise, then climb to the step with which a projection tells most.

    Parameters
    ----------
    projections : Projections
    start : float
        The step to begin near.
    wanted : float
        The threshold that is fine enough.
    needed : float
        The one above which projections are averaged.
    keys : iterator of int
        Where directions come from.
    """

    def __init__(
        self, projections: Projections, start: float, wanted: float, needed: float, keys: Iterator[int], centre: float
    ) -> None:
        self._p = projections
        self._start = start
        self._wanted = wanted
        self._needed = needed
        self._keys = [next(keys) for _ in range(DIRECTIONS)]
        self._line = Line(projections, next(keys), start, centre)
        self._centre = centre
        self._noise = math.nan

    def run(self) -> Calibration:
        """Return what was found."""
        again = self._p.at_x()
        is_deterministic = again == self._centre
        self._noise = max(self._line.noise(self._keys[0]), abs(again - self._centre))
        best = self._best_step(self._first_step())
        best = self._along_all(best)
        self._noise = max(self._noise, self._p.precision.rounding(self._centre))
        if not max(abs(a) for a, _ in best.pairs) <= best.threshold(self._noise):
            self._noise = max(self._noise, self._line.surprise(self._noise))
        return self._averaged(best, is_deterministic)

    def _first_step(self) -> float:
        """Return the step to try first: the one to begin near, or one towards the least that noise allows."""
        if not self._wanted > 0.0:
            return self._start
        least = KAPPA * self._noise / (math.sqrt(2.0) * self._wanted)
        if least >= self._start:
            return self._start
        return math.sqrt(max(least, LEAST * self._start) * self._start)

    def _rung(self, h: float, keys: list[int]) -> _Rung:
        rung = _Rung(h, [], [])
        for key in keys:
            everything = Block(key, 0, self._p.size)
            a, bend_a = self._p.residual_and_bend(everything, h, self._centre)
            b, bend_b = self._p.residual_and_bend(everything, h / 2, self._centre)
            rung.pairs.append((a, b))
            rung.bends.append((bend_a, bend_b))
        return rung

    def _best_step(self, h: float) -> _Rung:
        """Climb from rung to rung along one direction while the threshold falls, and turn once where it rises.

        Where f is flat far away, a step too large shows the same slope of zero as half of it: a rung must not
        contradict the one it is climbed from.
        """
        first = best = self._rung(h, self._keys[:1])
        up, is_turned, may_leap = best.is_noisy(self._noise), False, True
        for _ in range(RUNGS - 1):
            threshold = best.threshold(self._noise)
            if threshold <= (self._wanted / FINER if up and best is first else self._wanted):
                break
            far = up and may_leap and threshold > RUNG * self._wanted
            h = best.h * ((LEAP if far else RUNG) if up else 1.0 / RUNG)
            if not LEAST <= h / self._start <= FARTHEST or self._is_far(h):
                break
            tried = self._rung(h, self._keys[:1])
            if not math.isfinite(threshold):
                best = first = tried
            elif tried.threshold(self._noise) < threshold and not (up and tried.contradicts(best, self._noise)):
                best = tried
            elif far:
                may_leap = False
            elif is_turned or best is not first:
                break
            else:
                up, is_turned = not up, True
                if up:
                    self._learn(best, tried)
        return best

    def _is_far(self, h: float) -> bool:
        """Tell whether f may be another one at this step: where noise hides all that it does, it shows a slope of 0."""
        return h > max(self._start, self._p.scale)

    def _along_all(self, best: _Rung) -> _Rung:
        """Look along the other directions too, and go on to smaller steps where these show more than the first did."""
        expected = best.threshold(self._noise)
        others = self._rung(best.h, self._keys[1:])
        best.pairs += others.pairs
        best.bends += others.bends
        h = best.h
        for _ in range(RUNGS_OF_ALL):
            now = best.threshold(self._noise)
            if now <= max(self._wanted, 4.0 * expected) or best.is_noisy(self._noise):
                break
            h /= RUNG
            tried = self._rung(h, self._keys)
            if self._learn(best, tried):
                break
            best = min(best, tried, key=lambda rung: rung.threshold(self._noise))
        return self._refined(best)

    def _learn(self, rung: _Rung, smaller: _Rung) -> bool:
        """Take for noise what grows as the step shrinks, if values close together did not show it; tell if it does."""
        if not (math.isfinite(smaller.apart) and smaller.apart >= 2.0 * rung.apart > 0.0):
            return False
        self._noise = max(self._noise, smaller.apart * smaller.h * math.sqrt(0.4))
        return True

    def _refined(self, best: _Rung) -> _Rung:
        """Look along all directions at steps farther up, where noise decides, or in between, for one good enough."""
        for _ in range(RUNGS_BETWEEN):
            now, is_noisy = best.threshold(self._noise), best.is_noisy(self._noise)
            if now <= self._needed:
                break
            factor = RUNG if is_noisy and now > RUNG * self._needed else BETWEEN
            h = best.h * (factor if is_noisy else 1.0 / factor)
            if self._is_far(h):
                break
            tried = self._rung(h, self._keys)
            if not tried.threshold(self._noise) < now:
                break
            best = tried
        return best

    def _averaged(self, best: _Rung, is_deterministic: bool) -> Calibration:
        """Return the calibration; where one projection is too noisy, with as many averaged as are of use."""
        threshold = best.threshold(self._noise)
        residuals = [a for a, _ in best.pairs]
        repeats = 1
        if threshold > self._needed and best.is_noisy(self._noise) and math.isfinite(threshold):
            ratio = min(1.1 * threshold / self._needed, float(REPEATS))  # its square may be no number
            repeats = math.ceil(ratio**2)
            if repeats <= REPEATS:
                everything = [Block(key, 0, self._p.size) for key in self._keys]
                residuals = [self._p.residual(b, best.h, repeats=repeats) for b in everything]
                threshold /= math.sqrt(repeats)
            else:
                repeats = 1
        pairs = tuple(zip(self._keys, residuals, strict=True))
        return Calibration(
            self._centre,
            best.h,
            self._noise,
            threshold,
            best.kink + BEND * self._noise / best.h,
            {key: abs(2.0 * b - a) for key, (a, b) in zip(self._keys, best.bends, strict=True)},
            repeats,
            pairs,
            is_deterministic,
            self._p.precision.advice,
        )
