"""Whether a claim has the digits of a lower precision only, and errors that its rounding explains."""

import numpy as np

from fastgrad._diagnosis.evidence import Evidence, Truths
from fastgrad._diagnosis.words import entries
from fastgrad._formats import BFLOAT16, HALF, SINGLE
from fastgrad._typing import Float64Array

#: Sums of products in single precision are off by so many units of its roundoff, beside the largest entry; where terms
#: cancel, by more, but then all entries are, and none by so many times more than the middle one.
SPREAD, OUTLIER = 256.0, 100.0
#: No cancellation excuses more, beside the largest entry.
EXCUSED = 1e-3
#: Fewer values than this prove no precision.
FEW = 4


def rounding(e: Evidence) -> str:
    """Return a sentence if rounding to half or single precision, or to bfloat16, explains the errors; else ""."""
    errors = np.abs(e.c - e.m)
    touched = np.zeros(e.claimed.size, np.bool_)
    for leaf in e.touched:
        touched[leaf.start : leaf.stop] = True
    for kind in (HALF, BFLOAT16, SINGLE):
        if kind is SINGLE:  # a whole computation in it, of which most entries may be right
            is_small = e.precision == "d" and _is_spread(e, errors, touched)
            values = e.claimed[touched].astype(np.float64)
        else:  # entries rounded or cut off one by one, as many as are wrong
            is_small = bool(np.all(errors <= 2.0 ** (1 - kind.digits) * np.abs(e.m) + e.slack))
            values = e.c
        if is_small and np.all(kind.of_all(values)) and _has_digits(values, kind.digits):
            count = f"{e.wrong.size} {entries(e.wrong.size)}"
            return (
                f"errors are {np.max(errors):.2g} at most, at {count}, and what is claimed has the digits of "
                f"{kind.name} only: consistent with rounding in {kind.name}"
            )
    return ""


def _is_spread(e: Evidence, errors: Float64Array, touched: Truths) -> bool:
    """Tell whether the errors are as small as rounding, or spread as those of terms that cancel."""
    largest = float(np.max(errors))
    if largest <= 2.0**-SINGLE.digits * SPREAD * e.scale:
        return True
    others = np.abs(e.claimed[touched].astype(np.float64) - e.measured[touched])
    others = others[np.isfinite(others) & (others > 0)]
    is_outlier = others.size < FEW or largest > OUTLIER * float(np.median(others))
    return not is_outlier and largest <= EXCUSED * e.scale


def _has_digits(values: Float64Array, digits: int) -> bool:
    """Tell whether several values use more than half of so many binary digits: few digits prove nothing."""
    mantissa, _ = np.frexp(values)
    short = np.round(mantissa * 2.0 ** (digits // 2)) == mantissa * 2.0 ** (digits // 2)
    return np.unique(values[~short]).size >= FEW
