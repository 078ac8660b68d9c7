"""Whether a claim that is wrong at x is right at a point from before: whether it is stale."""

from typing import Any

import numpy as np

from fastgrad._diagnosis.evidence import FLOOR, RELATIVE
from fastgrad._errors import ShapeError
from fastgrad._gradient import measure_entries
from fastgrad._point import Point, working_array
from fastgrad._typing import Array, Float64Array, IndexArray

#: So many of the wrong entries are measured there.
LOOKS = 32
#: This near, beside the error at x, is right.
SHARE = 1 / 8


def point_before(previous: Any, point: Point) -> Point:
    """Return the point given as `previous`, which must have x's form.

    Raises
    ------
    ShapeError, TypeError
        If it has another form, or is not real numbers.
    """
    x = point.array
    if point.tree is not None:
        parts = point.tree.arrays(previous, "previous")
        line = np.concatenate([np.empty(0, x.dtype), *(working_array(part, "previous").reshape(-1) for part in parts)])
        return Point(line.astype(x.dtype), label=point.label, tree=point.tree)
    array = working_array(previous, "previous").astype(x.dtype)
    if array.shape != x.shape:
        raise ShapeError(f"previous has shape {array.shape}, and x has {x.shape}: they must be equal.")
    return Point(array, label=point.label)


def stale(
    f: Any, before: Point, h: Float64Array, claimed: Array, wrong: IndexArray, measured: Float64Array, precision: str
) -> tuple[str, int]:
    """Return a sentence if the claim fits f's differences at the point before, else ""; and the calls of f.

    Parameters
    ----------
    f : callable
        Of an array like the point's.
    before : Point
        The point before.
    h : ndarray
        Steps, as at x.
    claimed : ndarray
        The whole claim, flat.
    wrong, measured : ndarray
        The wrong entries, flat indices, and what was measured at x.
    precision : {"d", "f"}
        That the claim is judged by.
    """
    chosen = np.linspace(0, wrong.size - 1, min(wrong.size, LOOKS)).astype(np.intp)
    i = wrong[chosen]
    out = np.empty(i.size, before.array.dtype)
    calls = measure_entries(f, before, h, i, out)
    there, c = out.astype(np.float64), claimed[i].astype(np.float64)
    with np.errstate(all="ignore"):
        slack = 10 * RELATIVE[precision] * np.abs(there) + 10 * FLOOR[precision] * np.max(np.abs(there), initial=0.0)
        fits = np.abs(c - there) <= np.minimum(slack, SHARE * np.abs(c - measured[chosen]))
    if np.all(fits) and (i.size >= 2 or np.any(there)):
        return (
            f"{i.size} of {i.size} wrong entries measured there have claimed = the derivative at `previous`: "
            f"the claim is stale, probably"
        ), calls
    return "", calls
