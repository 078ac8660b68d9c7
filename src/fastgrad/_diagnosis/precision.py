"""Whether a claim has the digits of a lower precision only, and errors that its rounding explains."""

from collections.abc import Callable

import numpy as np

from fastgrad._diagnosis.evidence import Evidence, Truths
from fastgrad._diagnosis.words import entries
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
    for leaf in e.leaves:
        if np.any((e.wrong >= leaf.start) & (e.wrong < leaf.stop)):
            touched[leaf.start : leaf.stop] = True
    for words, bits, kept in _PRECISIONS:
        if bits < 24:  # entries rounded or cut off one by one, as many as are wrong
            is_small = bool(np.all(errors <= 2.0 ** (1 - bits) * np.abs(e.m) + e.slack))
            values = e.c
        else:  # a whole computation in single precision, of which most entries may be right
            is_small = e.precision == "d" and _is_spread(e, errors, touched)
            values = e.claimed[touched].astype(np.float64)
        if is_small and np.array_equal(kept(values), values) and _has_digits(values, bits):
            count = f"{e.wrong.size} {entries(e.wrong.size)}"
            return (
                f"errors are {np.max(errors):.2g} at most, at {count}, and what is claimed has the digits of {words} "
                f"only: consistent with rounding in {words}"
            )
    return ""


def _is_spread(e: Evidence, errors: Float64Array, touched: Truths) -> bool:
    largest = float(np.max(errors))
    if largest <= 2.0**-24 * SPREAD * e.scale:
        return True
    others = np.abs(e.claimed[touched].astype(np.float64) - e.measured[touched])
    others = others[np.isfinite(others) & (others > 0)]
    is_outlier = others.size < FEW or largest > OUTLIER * float(np.median(others))
    return not is_outlier and largest <= EXCUSED * e.scale


def _has_digits(values: Float64Array, bits: int) -> bool:
    """Tell whether several values use more than half of so many binary digits: few digits prove nothing."""
    mantissa, _ = np.frexp(values)
    short = np.round(mantissa * 2.0 ** (bits // 2)) == mantissa * 2.0 ** (bits // 2)
    return np.unique(values[~short]).size >= FEW


def _as_dtype(dtype: type[np.floating]) -> Callable[[Float64Array], Float64Array]:
    def kept(values: Float64Array) -> Float64Array:
        with np.errstate(over="ignore"):
            return values.astype(dtype).astype(np.float64)

    return kept


def _brain(values: Float64Array) -> Float64Array:
    """Return the values cut to the upper half of single precision's bits."""
    with np.errstate(over="ignore"):
        bits = values.astype(np.float32).view(np.uint32)
    return (bits & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64)


_PRECISIONS = (
    ("half precision", 11, _as_dtype(np.float16)),
    ("bfloat16", 8, _brain),
    ("single precision", 24, _as_dtype(np.float32)),
)
