"""Which points of f make a second derivative at which pair of entries, and with which steps. It knows nothing of f.

In the interior a mixed derivative takes two points beside those on the axes,

    f_ij ≈ (F(h_i, h_j) + F(-h_i, -h_j) - F(h_i) - F(-h_i) - F(h_j) - F(-h_j)) / (2 h_i h_j),   F(t) = f(x + t) - f(x),

(Abramowitz and Stegun, Handbook of Mathematical Functions, 25.3.27), so that a Hessian takes n² + n + 1 calls of f where
four points a pair take 2n² + 1. Its error is h_i² f_iiij / 6 + h_i h_j f_iijj / 4 + h_j² f_ijjj / 6. Where bounds leave an
entry only one side, the mixed derivative is the product of the one-sided first difference of that entry and the other's
first difference, both of second order, and takes four points; second derivatives along the entry take three.
"""

from functools import cache
from typing import Any

import numpy as np

from fastgrad import _backend, steps
from fastgrad._point import Point
from fastgrad._scheme import fitted
from fastgrad._stencils import Stencil, stencil
from fastgrad._typing import Array, Float64Array, IndexArray, Step

#: The tables' rows: the side of x on which an entry's points lie.
SIDES = ("central", "forward", "backward")
ORDER = 2
#: The step for None and "auto" is about ε to the power 1/4: rounding is ε|f|/h² and truncation h²|f⁗|.
STEP_ORDER = 3


def pairing(point: Point, eps: Step, bounds: Any) -> tuple[Any, Float64Array, IndexArray]:
    """Return the tables for the loop, the steps, and for each entry the row that it takes.

    The steps are those asked for, each moved to the nearest one that x takes exactly: a second difference would
    otherwise have f's slope times what rounding of x makes both sides differ by, over h². Bounds may shorten them.

    Raises
    ------
    StepError
        If a step is no positive finite real number, or rounding changes it by more than 1 %.
    ShapeError
        If steps or bounds do not fit x.
    ValueError
        If x lies outside its bounds, or an entry has no room within them.
    """
    x = point.array.reshape(-1)
    wanted = steps.as_steps(point.in_line("auto" if eps is None else eps, "eps"), point.array, {}, STEP_ORDER)
    steps.refuse_lost_steps(point, wanted)
    h = _representable(x, np.broadcast_to(wanted, x.shape))
    which = np.zeros(x.size, np.uint8)
    if bounds is not None:
        which, taken = fitted([_second(side) for side in SIDES], bounds, point, h)
        shorter = taken < h
        if shorter.any():
            with np.errstate(divide="ignore"):
                h = np.where(shorter, _representable(x, np.exp2(np.floor(np.log2(0.98 * taken)))), h)
            steps.refuse_lost_steps(point, h)
    return _backend.pairs.Pairing(*_tables(), which), h, which.astype(np.intp)


def calls_of(which: IndexArray) -> IndexArray:
    """Return how many calls of f each entry of the Hessian takes, the lower triangle, a copy of the upper one, none."""
    axis, _, _, corners = _tables()[:4]
    count = np.triu((corners[..., 0] != 0).sum(axis=-1)[np.ix_(which, which)], 1)
    return np.asarray(count + np.diag((axis != 0).sum(axis=-1)[which]), dtype=np.intp)


def amplification(which: IndexArray) -> Float64Array:
    """Return for each entry of the Hessian how much of the rounding of f's values, over h_i h_j, it may have: Σ|w|."""
    _, seconds, second_widths, _, weights, sides, widths = _tables()
    centre = weights.sum(axis=-1) + sides.sum(axis=(-1, -2))
    mixed = (np.abs(weights).sum(axis=-1) + np.abs(sides).sum(axis=(-1, -2)) + np.abs(centre)) / widths
    along = (np.abs(seconds).sum(axis=-1) + np.abs(seconds.sum(axis=-1))) / second_widths
    found = mixed[np.ix_(which, which)]
    np.fill_diagonal(found, along[which])
    return np.asarray(found)


def _representable(x: Array, h: Float64Array) -> Float64Array:
    """Return for each step the one next to it that both x + h and x - h take exactly, unless h is larger than x."""
    away = np.copysign(1.0, np.where(np.isfinite(x), x, 1.0))
    centre = x.astype(np.float64)
    with np.errstate(all="ignore"):
        taken = np.abs((centre + away * h).astype(x.dtype).astype(np.float64) - centre)
    return np.where(np.isfinite(taken) & (taken > 0), taken, h)


@cache
def _second(side: str) -> Stencil:
    return stencil(side, ORDER, 2)


@cache
def _tables() -> tuple[Any, ...]:
    """Return axis, seconds, second_widths, corners, weights, sides and widths, as `Pairing` takes them."""
    count = len(SIDES)
    seconds = [_second(side) for side in SIDES]
    axis_of = [[k for k in s.offsets if k] for s in seconds]
    length = max(map(len, axis_of))
    axis, weights_of_axis = np.zeros((count, length), np.intp), np.zeros((count, length))
    for row, s in enumerate(seconds):
        axis[row, : len(axis_of[row])] = axis_of[row]
        weights_of_axis[row, : len(axis_of[row])] = [n for k, n in zip(s.offsets, s.numerators, strict=True) if k]
    corners, weights = np.zeros((count, count, 4, 2), np.intp), np.zeros((count, count, 4))
    sides, widths = np.zeros((count, count, 2, length)), np.zeros((count, count))
    for s, t in np.ndindex(count, count):
        points, on_axes, widths[s, t] = _mixed(SIDES[s], SIDES[t])
        for k, (point, weight) in enumerate(points.items()):
            corners[s, t, k], weights[s, t, k] = point, weight
        for (which, offset), weight in on_axes.items():
            sides[s, t, which, axis_of[(s, t)[which]].index(offset)] = weight
    return axis, weights_of_axis, np.array([float(s.denominator) for s in seconds]), corners, weights, sides, widths


def _mixed(first: str, second: str) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int], float]:
    """Return a mixed derivative's points with their weights, those of the values on both axes, and the width."""
    if first == second == "central":
        return {(1, 1): 1, (-1, -1): 1}, {(which, k): -1 for which in (0, 1) for k in (1, -1)}, 2.0
    a, b = stencil(first, ORDER), stencil(second, ORDER)
    points: dict[tuple[int, int], int] = {}
    on_axes: dict[tuple[int, int], int] = {}
    for i, v in zip(a.offsets, a.numerators, strict=True):
        for j, w in zip(b.offsets, b.numerators, strict=True):
            if i and j:
                points[i, j] = v * w
            elif i or j:
                on_axes[(0, i) if i else (1, j)] = v * w
    return points, on_axes, float(a.denominator * b.denominator)
