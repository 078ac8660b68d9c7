"""Entries of a structured callable beyond tolerance, measured again by its own loop with larger steps."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad._judge.probe import UNIT_ROUNDOFF, UNITS
from fastgrad._typing import Array, Float64Array, IndexArray

#: Entries beyond tolerance are measured again at these multiples of their steps.
MULTIPLES = (4.0, 16.0)
#: Where a kink is within the step, f's loop is asked again with smaller and smaller parts of it: a kink that is not at
#: x itself is left behind, and slopes beside one that is are known to more digits. The last shows what rounding does.
FINER = (2.0**-3, 2.0**-6, 2.0**-9, 2.0**-12)


@dataclass(frozen=True)
class Again:
    """What a second look shows of some entries; at a kink the slopes on both sides, which are NaN elsewhere.

    `mean` is what a central difference with the smallest step gives: f's plain forward must show it too.
    """

    values: Float64Array
    bounds: Float64Array
    left: Float64Array
    right: Float64Array
    mean: Float64Array
    evaluations: int


def look_again_structured(
    f: Any, x: Array, h: Float64Array, measured: Array, claimed: Float64Array, where: IndexArray
) -> Again:
    """Return values, bounds, and slopes at kinks, at these flat indices.

    Of the values with the step itself, 4 and 16 times as large, the one with the least bound is taken: what it differs
    from its neighbour by, and f's rounding. Where f is a `KinkedFunction`, its slopes on both sides are asked for too,
    and once more with small steps at what seems a kink.

    Parameters
    ----------
    f : structured callable
    x, h : ndarray
        The point, which f must not write into, and the steps.
    measured : ndarray
        What f's loop gave with the steps h, flat.
    claimed : ndarray
        What is claimed of the entries to look at.
    where : ndarray of intp
        The entries to look at.
    """
    rounding = UNITS * UNIT_ROUNDOFF * abs(float(f(x))) / (h if h.size == 1 else h[where])
    values = [measured[where].astype(np.float64)]
    evaluations = 1
    for factor in MULTIPLES:
        again = np.empty_like(x)
        evaluations += int(f.__fastgrad_gradient__(x, h * factor, again))
        values.append(again.reshape(-1)[where].astype(np.float64))
    with np.errstate(all="ignore"):
        near, far = np.abs(values[1] - values[0]), np.abs(values[2] - values[1])
        bounds = np.stack([near + rounding, far + rounding / 4, 2 * far + rounding / 16])
    choice, each = np.argmin(np.where(np.isnan(bounds), np.inf, bounds), axis=0), np.arange(where.size)
    value, bound, mean = np.stack(values)[choice, each], bounds[choice, each], values[0]
    none = np.full(where.size, np.nan)
    if not hasattr(type(f), "__fastgrad_slopes__"):
        return Again(value, bound, none, none, mean, evaluations)
    left, right, calls = _slopes(f.__fastgrad_slopes__, x, h, where)
    evaluations += calls
    kink = left != right
    if kink.any():
        looks = [_slopes(f.__fastgrad_slopes__, x, part * h, where) for part in FINER]
        evaluations += sum(calls for _, _, calls in looks)
        left, right = np.where(kink, looks[-2][0], left), np.where(kink, looks[-2][1], right)
        mean = np.where(kink, (left + right) / 2, mean)
        is_open = kink.copy()
        for part, (below, above, _), (finer, _, _) in zip(FINER, looks, looks[1:], strict=False):
            passed = is_open & (below == above)
            is_open &= ~passed
            value = np.where(passed, below, value)
            bound = np.where(passed, np.abs(below - finer) + rounding / part, bound)
            mean, left, right = (np.where(passed, below, one) for one in (mean, left, right))
        beyond = is_open & ((claimed < np.fmin(left, right)) | (claimed > np.fmax(left, right)))
        if beyond.any() and hasattr(type(f), "__fastgrad_choices__"):
            least, largest, calls = _slopes(f.__fastgrad_choices__, x, FINER[-2] * h, where)
            left, right = np.where(beyond, least, left), np.where(beyond, largest, right)
            evaluations += calls
    return Again(value, bound, left, right, mean, evaluations)


def _slopes(ask: Any, x: Array, h: Float64Array, where: IndexArray) -> tuple[Float64Array, Float64Array, int]:
    below, above = np.empty_like(x), np.empty_like(x)
    evaluations = int(ask(x, h, below, above))
    left, right = (side.reshape(-1)[where].astype(np.float64) for side in (below, above))
    return left, right, evaluations
