"""How far a difference quotient may reach: the largest step at which truncation is small, found from a tiny one."""

import math

from fastgrad._adaptive.extrapolation import Sample
from fastgrad._adaptive.line import Line

#: The share of truncation in the largest difference that is aimed at, central and one-sided; five times is accepted.
GOAL = {2: 1.5e-3, 1: 2e-2}
SLACK = 5.0
#: Above this share, truncation says only that the step is too long, not by how much.
SATURATED = 0.4
#: Steps tried at most; how often the anchor may shrink, or a step grow.
TRIES, SMALLER_ANCHORS, GROWTHS = 16, 2, 3
GOLDEN = (math.sqrt(5) - 1) / 2
#: The first step where x is too small to tell, and f does not move at all.
UNIT = 2.0**-4
#: Rounding in the slope that makes a larger step worth trying, relative.
NOISY = 2e-14
#: What is seen of truncation may be f's rounding, up to so many times what its value foretells; steps then grow by so
#: much.
UNSURE, LEAP = 8.0, 2.0**8


class StepSearch:
    """The search for the largest usable step of one line.

    Parameters
    ----------
    line : Line
    first : float
        The first step.
    """

    def __init__(self, line: Line, first: float) -> None:
        self.line = line
        self.first = min(first, line.room)
        self.power = 1 if line.side else 2
        self.anchor = self._find_anchor()

    def run(self) -> Sample | None:
        """Return the sample with the largest step that agrees with smaller ones, or None if no two steps agree."""
        low, high, h = self.anchor, math.inf, self.first
        good: Sample | None = None
        has_guessed, anchors, growths = False, 0, 0
        for _ in range(TRIES):
            if low is None:
                return good
            sample = self.line.sample(h)
            if sample is None:
                high = h
            elif self._falls(low, sample):
                return sample
            else:
                seen, unseen = self._truncation(low, sample)
                if growths:
                    seen = max(seen, self._bend(sample))
                if unseen > max(1.0, seen) and anchors < SMALLER_ANCHORS and not self._is_rounded(low):
                    anchors += 1
                    low = self.line.sample(low.h * 2.0**-8)
                    continue
                if seen <= SLACK * GOAL[self.power]:
                    longer = self._longer(low, sample, seen, unseen, high) if growths < GROWTHS else None
                    if longer is None:
                        return sample
                    growths += 1
                    low = good = sample
                    h = longer
                    continue
                high = h
                shorter = h * (GOAL[self.power] / seen) ** (1 / self.power) if seen else 0.0
                if seen < SATURATED and shorter > 4 * low.h:
                    h = shorter
                    continue
            guess = math.sqrt(low.h * high) if has_guessed else self._guess(low)
            has_guessed = True
            if high > 8 * low.h and guess >= 4 * low.h:
                h = guess if guess < high / 2 else math.sqrt(low.h * high)
                continue
            if good is not None or anchors == SMALLER_ANCHORS:
                return good
            anchors += 1
            high, h, low = 1.5 * low.h, low.h, self.line.sample(low.h * 2.0**-8)
        return good

    def _find_anchor(self) -> Sample | None:
        """Return the pair with a step of about ε^0.385·16 times the first, smaller where f is not defined so far out.

        The step is no short binary fraction: rounding inside f shows, which at powers of two it need not.
        """
        h = self.first * GOLDEN * 2.0 ** round(4 + 5 / 13 * math.log2(self.line.ulp)) if self.first > 0 else 0.0
        for _ in range(2):
            sample = self.line.sample(h)
            if sample is not None:
                return sample
            self.first = min(self.first, h)
            h *= 2.0**-10
        return None

    def _truncation(self, low: Sample, sample: Sample) -> tuple[float, float]:
        """Return truncation's share in the sample's swing as far as it can be seen, and the least that could be.

        Far below the sample's step, what f moves evenly to both sides is mostly noise: taken as such, it bounds the
        noise in the anchor's slope, rounding and all.
        """
        swing = sample.swing
        if swing == 0.0:
            return (1.0, 0.0) if low.swing else (0.0, 0.0)
        rounding = self.line.ulp / 2 * sample.size
        below = self.line.ulp / 2 * low.size
        if sample.h > 1e3 * low.h:
            below = max(below, abs(low.even))
        ratio = sample.h / low.h
        seen = abs(sample.odd - low.odd * ratio) / swing
        unseen = 4 * (rounding + below * ratio) / swing
        return (seen if seen > unseen else 0.0), unseen

    def _bend(self, sample: Sample) -> float:
        """Return truncation's share in what f moves evenly to both sides, as far as a quarter of the step shows it.

        Where the slope is small, as at an extremum, truncation is hidden in it; here it is not.
        """
        quarter = self.line.sample(sample.h / 4)
        if quarter is None or sample.swing == 0.0 or self.power == 1:
            return 0.0
        ratio = sample.h / quarter.h
        bend = abs(sample.even - quarter.even * ratio**2)
        rounding = self.line.ulp * (sample.size + quarter.size * ratio**2)
        return bend / sample.swing if bend > 4 * rounding else 0.0

    def _longer(self, low: Sample, sample: Sample, seen: float, unseen: float, high: float) -> float | None:
        """Return a longer step where rounding drowns the slope and truncation leaves room, else None."""
        rounding = self.line.ulp * sample.size
        if sample.swing == 0.0:
            return UNIT if sample.h < UNIT / 4 and min(high / 8, self.line.room) >= UNIT else None
        if 2 * rounding <= NOISY * abs(sample.odd):
            return None
        if sample.swing > abs(self.line.centre) / 4 or sample.size / sample.h > low.size / low.h:
            return None
        reach = sample.h * (GOAL[self.power] / max(seen, unseen)) ** (1 / self.power)
        if seen <= UNSURE * unseen:
            reach = max(reach, LEAP * sample.h)
        if sample.odd and not seen:
            reach = max(reach, sample.h * abs(self.line.centre / sample.odd) / 16)
        if sample.even:  # farther out f itself is larger, and its rounding over the step grows
            reach = min(reach, sample.h * math.sqrt(abs(self.line.centre / sample.even)) / 2)
        longer = min(reach, high / 8, self.line.room)
        return longer if longer >= 4 * sample.h else None

    def _is_rounded(self, low: Sample) -> bool:
        """Whether what hides truncation is rounding, against which a smaller anchor is no help."""
        return abs(low.even) <= 4 * self.line.ulp * low.size

    def _guess(self, low: Sample) -> float:
        """Return a sixteenth of the length on which f changes, by its value, slope and curvature at the anchor."""
        size, odd, even = abs(self.line.centre), abs(low.odd), 2 * abs(low.even)
        if even == 0.0 or even < 8 * self.line.ulp * low.size:
            return low.h * size / odd / 16 if odd else math.inf
        lengths = (math.sqrt(size / even), odd / even)
        return low.h * min(max(lengths), 4 * min(lengths) or math.inf) / 16

    def _falls(self, low: Sample, sample: Sample) -> bool:
        """Whether the slope falls with the step to next to nothing: f is flat at the point, or a power of the step."""
        if low.odd and abs(low.odd) < abs(self.line.centre) / 4:
            return False
        is_resolved = abs(sample.slope) * low.h > 8 * self.line.ulp * low.size
        return is_resolved and abs(low.slope) < 1e-3 * abs(sample.slope) and abs(low.even) <= abs(sample.even)
