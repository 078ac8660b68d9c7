"""One entry that a search points at: differenced directly before anything is said of it."""

import math

import numpy as np

from fastgrad._decode import Look
from fastgrad._probe import Probe, Slope
from fastgrad._recheck import Finding, look_again
from fastgrad._typing import Float64Array, IndexArray
from fastgrad._verdict import Case

#: A step at least this share of the entry; where the first look is not plain, a second one with a step so much smaller.
SHARE, SMALLER = 2.0**-22, 1 / 8
#: A look is plain where both sides differ by at most this share of what the claim is off, and noise by half of it.
STEADY = 0.25
#: Two looks, or a look and a projection, agree within this share of what the claim is off.
ALIKE = 0.1


class Looks:
    """Direct differences at single entries, and what they found.

    Attributes
    ----------
    findings : dict
        By flat index, what was beyond tolerance or not plain.
    largest : float
        The largest difference among the entries that were found to be within tolerance.
    """

    def __init__(self, case: Case, probe: Probe) -> None:
        self.findings: dict[int, Finding] = {}
        self.largest = 0.0
        self._case = case
        self._probe = probe
        self._claimed = case.claimed
        self._x = case.point.array.reshape(-1)

    def look(self, i: int, expected: float, unsure: float) -> Look:
        """Measure entry i, which is expected to be off by so much; NaN where nothing is known of it."""
        claimed = float(self._claimed[i])
        step = max(self._case.step(i), SHARE * abs(float(self._x[i])))
        first = self._probe.slope(i, step)
        if first is not None:
            error = first.central - claimed
            fits = abs(error - expected) <= max(ALIKE * abs(error), unsure + 4.0 * first.error)
            if abs(error) <= self._tolerance(claimed, first.central) and first.error <= self._tolerance(claimed, 0.0):
                self.largest = max(self.largest, abs(error))
                return Look(error, False, fits)
            if _is_plain(first, error) and (fits or self._stands(i, step, first, error)):
                self.findings[i] = Finding(first.central, first.error + first.gap / 2)
                return Look(error, True, fits)
        return self._look_again(i, step, claimed, expected, unsure)

    def _stands(self, i: int, step: float, first: Slope, error: float) -> bool:
        second = self._probe.slope(i, step * SMALLER)
        return (
            second is not None
            and 4.0 * second.error <= abs(error)
            and abs(second.central - first.central) <= ALIKE * abs(error)
        )

    def _look_again(self, i: int, step: float, claimed: float, expected: float, unsure: float) -> Look:
        tolerance = self._tolerance(claimed, 0.0)
        finding = look_again(self._probe, i, step, None, claimed, tolerance)
        if finding is None:
            self.findings[i] = Finding(math.nan, math.nan)
            return Look(math.nan, False, False)
        self.findings[i] = finding
        error = finding.measured - claimed
        low, high = (finding.left, finding.right) if finding.is_kink else (finding.measured, finding.measured)
        nearest = min(max(claimed, min(low, high)), max(low, high))
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


def _is_plain(slope: Slope, error: float) -> bool:
    return not slope.is_still and slope.gap <= STEADY * abs(error) and slope.error <= STEADY / 2 * abs(error)
