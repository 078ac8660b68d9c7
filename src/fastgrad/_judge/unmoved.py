"""Entries at which f stood still and nothing is claimed: whether its steps were too fine for f to tell."""

import numpy as np

from fastgrad._judge.probe import DEVIATIONS, Probe
from fastgrad._judge.recheck import leaps
from fastgrad._judge.verdict import Case
from fastgrad._typing import Array, Float64Array, IndexArray

#: The signs with which entries are moved together are drawn from this seed: a pattern might cancel.
SEED = 0x57111


def unmoved(case: Case, probe: Probe, measured: Array) -> IndexArray:
    """Return the positions of entries with nothing claimed and nothing measured that have to be looked at again.

    There are none where a single entry moved f as the claim says, for then its values are fine enough; nor where it
    cannot be coarse.
    """
    if case.rtol == 0 or measured.all():
        return np.empty(0, np.intp)
    still = np.flatnonzero((measured == 0.0) & (np.abs(case.claimed) <= case.atol))
    if still.size == 0 or (still.size < measured.size and probe.calls == 0):
        return np.empty(0, np.intp)
    i = case.indices(still)
    steps = case.h if case.h.size == 1 else case.h[i]
    is_coarse = may_be_coarse(probe, case.point.array, i, steps, case.atol)
    return still if is_coarse else np.empty(0, np.intp)


def may_be_coarse(probe: Probe, x: Array, i: IndexArray, steps: Float64Array, atol: float) -> bool:
    """Tell whether f may have stood still at these entries because its values round: whether larger steps move it.

    If rounding at x is nothing beside the tolerance, that is out of the question, and f is not asked.
    """
    if not DEVIATIONS * probe.precision.coarsest_rounding(probe.centre) > atol * float(np.min(steps)):
        return False
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], i.size)
    for factor in leaps(probe):
        for side in (1.0, -1.0):
            far = x.copy()
            with np.errstate(over="ignore"):
                far.reshape(-1)[i] += (side * factor * steps * signs).astype(x.dtype)
            if probe.value_if_any(far) != probe.centre:
                return True
    return False
