"""Entries at which f stood still and nothing is claimed: whether its steps were too fine for f to tell."""

import numpy as np

from fastgrad._judge.probe import DEVIATIONS, Probe
from fastgrad._judge.recheck import LEAPS
from fastgrad._judge.verdict import Case
from fastgrad._typing import Array, IndexArray

#: The signs with which entries are moved together are drawn from this seed: a pattern might cancel.
SEED = 0x57111


def unmoved(case: Case, probe: Probe, measured: Array) -> IndexArray:
    """Return the positions of entries with nothing claimed and nothing measured that have to be looked at again.

    There are none where a single entry moved f as the claim says, for then its values are fine enough; nor where their
    rounding is nothing beside the tolerance; nor where f stands still too when all of them move together, and far.
    """
    none = np.empty(0, np.intp)
    still = np.flatnonzero((measured == 0.0) & (np.abs(case.claimed) <= case.atol))
    if case.rtol == 0 or still.size == 0 or (still.size < measured.size and probe.calls == 0):
        return none
    i = case.indices(still)
    steps = case.h if case.h.size == 1 else case.h[i]
    if not DEVIATIONS * probe.values.rounding(probe.centre) > case.atol * float(np.min(steps)):
        return none
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], i.size)
    for factor in LEAPS:
        for side in (1.0, -1.0):
            x = case.point.array.copy()
            x.reshape(-1)[i] += (side * factor * steps * signs).astype(x.dtype)
            if probe.value_if_any(x) != probe.centre:
                return still
    return none
