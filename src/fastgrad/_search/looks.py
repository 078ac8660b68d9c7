"""One entry that a search points at: differenced directly before anything is said of it."""

import math

import numpy as np

from fastgrad._judge.probe import Probe, Slope
from fastgrad._judge.recheck import Finding, look_again
from fastgrad._judge.verdict import Case
from fastgrad._search.found import Look
from fastgrad._typing import Float64Array, IndexArray

#: A step at least this share of the entry; where the first look is not plain, a second one with a step so much smaller.
SHARE, SMALLER, SMALL = 2.0**-22, 1 / 8, 16.0
#: A look is plain where both sides differ by at most this share of what the claim is off, and noise by half of it.
STEADY = 0.25
#: Two looks, or a look and a projection, agree within this share of what the claim is off.
ALIKE = 0.1


class Looks:
    """Direct differences at single entries, and what they found.

    Parameters
    ----------
    case : Case
    probe, careful : Probe
        One that knows the noise, and one that measures it on its own where a first look is not plain.
    h : float
        The step of the search: with a smaller one noise would weigh more than in what points here.
    kink : float
        What the slopes above and below x differ by at most along a direction; a single entry's by twice that.

    Attributes
    ----------
    findings : dict
        By flat index, what was beyond tolerance or not plain.
    largest : float
        The largest difference among the entries that were found to be within tolerance.
    """

    def __init__(self, case: Case, probe: Probe, careful: Probe, h: float, kink: float) -> None:
        self.findings: dict[int, Finding] = {}
        self.largest = 0.0
        self._case = case
        self._h = h
        self._kink = kink
        self._probe = probe
        self._careful = careful
        self._claimed = case.claimed
        self._x = case.point.array.reshape(-1)

    def look(self, i: int, expected: float, unsure: float, reach: float) -> Look:
        """Measure entry i, which is expected to be off by so much; NaN where nothing is known of it.

        Near a kink a difference depends on its step: what it adds to a projection is measured with `reach`, as there.
        """
        claimed = float(self._claimed[i])
        step = max(self._h, self._case.step(i), SHARE * abs(float(self._x[i])))
        first = self._probe.slope(i, step)
        if first is not None:
            error = first.central - claimed
            fits = abs(error - expected) <= max(ALIKE * abs(error), unsure + 4.0 * first.error)
            if abs(error) <= self._tolerance(claimed, first.central) and first.error <= self._tolerance(claimed, 0.0):
                self.largest = max(self.largest, abs(error))
                return Look(error, False, fits)
            if (
                not first.is_still
                and first.error <= STEADY / 2 * abs(error)
                and (fits or self._is_repeated(i, step, first, error))
            ):
                gap = min(first.gap, 2.0 * self._kink)
                if 2.0 * self._kink > STEADY * abs(error):  # that both sides are alike may be a bend that hides a kink
                    gap = self._smaller_gap(i, step, first, error)
                if math.isfinite(gap):
                    self.findings[i] = Finding(first.central, first.error + gap / 2)
                    return Look(error, True, fits)
        return self._look_again(i, claimed, expected, unsure, reach)

    def _is_repeated(self, i: int, step: float, first: Slope, error: float) -> bool:
        """Tell whether a smaller step shows the same, where no projection spoke of this entry."""
        second = self._probe.slope(i, step * SMALLER)
        return (
            second is not None
            and 4.0 * second.error <= abs(error)
            and abs(second.central - first.central) <= ALIKE * abs(error)
        )

    def _smaller_gap(self, i: int, step: float, first: Slope, error: float) -> float:
        """Return how far both sides are apart with a step that leaves curvature behind; infinity where it is not small.

        One side is enough: at a kink it is half of the gap off.
        """
        found = self._probe.right_slope(i, step * min(SMALLER, abs(error) / max(SMALL * first.gap, abs(error))))
        if found is None:
            return math.inf
        slope, noise = found
        off = abs(slope - first.central)
        return 2.0 * off if off <= STEADY / 2 * abs(error) and noise <= STEADY * abs(error) else math.inf

    def _look_again(self, i: int, claimed: float, expected: float, unsure: float, reach: float) -> Look:
        tolerance = self._tolerance(claimed, 0.0)
        finding = look_again(self._careful, i, self._case.step(i), None, claimed, tolerance)
        if finding is None:
            self.findings[i] = Finding(math.nan, math.nan)
            return Look(math.nan, False, False)
        self.findings[i] = finding
        seen = self._probe.slope(i, reach)
        error = (finding.measured if seen is None else seen.central) - claimed
        nearest = finding.nearest(claimed)
        off = abs(claimed - nearest)
        is_wrong = off > max(self._tolerance(claimed, nearest), finding.bound)
        return Look(error, is_wrong, abs(error - expected) <= max(ALIKE * abs(error), unsure + finding.bound))

    def _tolerance(self, claimed: float, measured: float) -> float:
        return self._case.atol + self._case.rtol * max(abs(claimed), abs(measured))

    def rows(self) -> tuple[IndexArray, tuple[Float64Array, Float64Array, Float64Array, Float64Array]]:
        """Return the indices of the findings in order, and their values, bounds, left and right slopes."""
        indices = np.array(sorted(self.findings), dtype=np.intp)
        found = [self.findings[i] for i in indices.tolist()]
        columns = np.array([(f.measured, f.bound, f.left, f.right) for f in found], dtype=np.float64).reshape(-1, 4).T
        return indices, (columns[0], columns[1], columns[2], columns[3])
