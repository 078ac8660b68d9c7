"""Entries of a structured callable beyond tolerance, measured again by its own loop with larger steps."""

from dataclasses import dataclass, replace
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
    again = _best_of_steps(f, x, h, measured, where, rounding)
    if not hasattr(type(f), "__fastgrad_slopes__"):
        return again
    left, right, calls = _slopes(f.__fastgrad_slopes__, x, h, where)
    again = replace(again, left=left, right=right, evaluations=again.evaluations + calls)
    return _closer_to_kinks(f, x, h, again, claimed, where, rounding) if (left != right).any() else again


def _best_of_steps(
    f: Any, x: Array, h: Float64Array, measured: Array, where: IndexArray, rounding: Float64Array
) -> Again:
    """Return what the step itself and larger ones show, each entry by the one that is known best."""
    values = [measured[where].astype(np.float64)]
    evaluations = 1  # of f itself, for its rounding
    for factor in MULTIPLES:
        again = np.empty_like(x)
        evaluations += int(f.__fastgrad_gradient__(x, h * factor, again))
        values.append(again.reshape(-1)[where].astype(np.float64))
    with np.errstate(all="ignore"):
        near, far = np.abs(values[1] - values[0]), np.abs(values[2] - values[1])
        bounds = np.stack([near + rounding, far + rounding / 4, 2 * far + rounding / 16])
    choice, each = np.argmin(np.where(np.isnan(bounds), np.inf, bounds), axis=0), np.arange(where.size)
    none = np.full(where.size, np.nan)
    return Again(np.stack(values)[choice, each], bounds[choice, each], none, none, values[0], evaluations)


def _closer_to_kinks(
    f: Any, x: Array, h: Float64Array, again: Again, claimed: Float64Array, where: IndexArray, rounding: Float64Array
) -> Again:
    """Return the same with what smaller steps show where both sides differ: a kink left behind, or slopes beside it.

    Where the claim lies outside of both slopes of a kink that stays, f may tell which others are right there too.
    """
    is_kink = again.left != again.right
    looks = [_slopes(f.__fastgrad_slopes__, x, part * h, where) for part in FINER]
    evaluations = again.evaluations + sum(calls for _, _, calls in looks)
    left, right = np.where(is_kink, looks[-2][0], again.left), np.where(is_kink, looks[-2][1], again.right)
    value, bound, mean = again.values, again.bounds, np.where(is_kink, (left + right) / 2, again.mean)
    is_open = is_kink.copy()
    for part, (below, above, _), (finer, _, _) in zip(FINER, looks, looks[1:], strict=False):
        is_passed = is_open & (below == above)
        is_open &= ~is_passed
        bound = np.where(is_passed, np.abs(below - finer) + rounding / part, bound)
        value, mean, left, right = (np.where(is_passed, below, one) for one in (value, mean, left, right))
    is_beyond = is_open & ((claimed < np.fmin(left, right)) | (claimed > np.fmax(left, right)))
    if is_beyond.any() and hasattr(type(f), "__fastgrad_choices__"):
        least, largest, calls = _slopes(f.__fastgrad_choices__, x, FINER[-2] * h, where)
        left, right = np.where(is_beyond, least, left), np.where(is_beyond, largest, right)
        evaluations += calls
    return Again(value, bound, left, right, mean, evaluations)


def _slopes(ask: Any, x: Array, h: Float64Array, where: IndexArray) -> tuple[Float64Array, Float64Array, int]:
    """Return what f tells of both sides at these entries, by one of its loops, and the evaluations that it took."""
    below, above = np.empty_like(x), np.empty_like(x)
    evaluations = int(ask(x, h, below, above))
    left, right = (side.reshape(-1)[where].astype(np.float64) for side in (below, above))
    return left, right, evaluations
