"""Which points of f make a second derivative at which pair of entries, and with which steps. It knows nothing of f.

Away from bounds a mixed derivative takes two points beside those on the axes,

    f_ij ≈ (F(h_i, h_j) + F(-h_i, -h_j) - F(h_i) - F(-h_i) - F(h_j) - F(-h_j)) / (2 h_i h_j),   F(t) = f(x + t) - f(x),

(Abramowitz and Stegun, Handbook of Mathematical Functions, 25.3.27), where four points a pair would take twice the
calls. Its error is h_i² f_iiij / 6 + h_i h_j f_iijj / 4 + h_j² f_ijjj / 6. A second derivative along one entry costs
little beside the pairs: it is of fourth order (ibid., 25.3.24), with points at 2h and 4h, where rounding is a fourth of
what it is at h. In all, f is called n² + 5n + 1 times.

Next to a bound an entry keeps to the points at h, with a second derivative of second order; at a bound, to one side.
Then the mixed derivative is the product of that entry's one-sided first difference and the other's first difference,
both of second order, and takes four points.
"""

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrad import _backend, steps
from fastgrad._point import Point
from fastgrad._stencils.scheme import fitted
from fastgrad._stencils.table import Stencil, on_points, stencil
from fastgrad._typing import Array, Float64Array, IndexArray, Step

ORDER = 2
#: The step for None and "auto" is 2 ε^(1/4): rounding is ε|f|/h² and truncation h²|f⁗|, and over Moré, Garbow and
#: Hillstrom's problems the errors of mixed derivatives are least with h between once and twice ε^(1/4).
STEP_ORDER, STEP_FACTOR = 3, 2.0

#: What is left of f's changes at h, -h, 2h, -2h, 4h and -4h when a polynomial is taken away.
_NOISE = (64.0, 64.0, -20.0, -20.0, 1.0, 1.0)


class Kind(NamedTuple):
    """How an entry is moved: mixed derivatives' first difference, its second one, and all points on its axis."""

    first: Stencil
    second: Stencil
    axis: tuple[int, ...]


class Tables(NamedTuple):
    """The tables of a `Pairing`, but for the rows that the entries take."""

    axis: IndexArray
    seconds: Float64Array
    second_widths: Float64Array
    corners: IndexArray
    weights: Float64Array
    sides: Float64Array
    widths: Float64Array


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
    is_own = eps is None or (isinstance(eps, str) and eps == "auto")
    wanted = auto(point) if is_own else steps.as_steps(point.in_line(eps, "eps"), point.array, {}, STEP_ORDER)
    steps.refuse_lost_steps(point, wanted)
    h = _representable(x, np.broadcast_to(wanted, x.shape))
    which = np.zeros(x.size, np.uint8)
    if bounds is not None:
        which, taken, _ = fitted([kind.second for kind in _kinds()], bounds, point, h)
        shorter = taken < h
        if shorter.any():
            with np.errstate(divide="ignore"):
                h = np.where(shorter, _representable(x, np.exp2(np.floor(np.log2(0.98 * taken)))), h)
            steps.refuse_lost_steps(point, h)
    return _backend.pairs.Pairing(*_tables(), which), h, which.astype(np.intp)


def auto(point: Point) -> Float64Array:
    """Return for each entry the step that eps=None takes: twice the "auto" step of a third order of error."""
    return STEP_FACTOR * steps.auto(point.array, STEP_ORDER)


def calls_of(which: IndexArray) -> IndexArray:
    """Return how many calls of f each entry of the Hessian takes, the lower triangle, a copy of the upper one, none."""
    tables = _tables()
    count = np.triu((tables.corners[..., 0] != 0).sum(axis=-1)[np.ix_(which, which)], 1)
    return np.asarray(count + np.diag((tables.axis != 0).sum(axis=-1)[which]), dtype=np.intp)


def points_along() -> int:
    """Return the number of columns of the work array that the loop keeps f's changes along the entries in."""
    return int(_tables().axis.shape[1])


def one_sided(which: IndexArray) -> NDArray[np.bool_]:
    """Tell which entries are moved to one side alone."""
    return np.array([kind.first is not stencil("central", ORDER) for kind in _kinds()])[which]


def amplification(which: IndexArray) -> Float64Array:
    """Return for each entry of the Hessian how much of the rounding of f's values, over h_i h_j, it may have: Σ|w|."""
    _, seconds, second_widths, _, weights, sides, widths = _tables()
    centre = weights.sum(axis=-1) + sides.sum(axis=(-1, -2))
    mixed = (np.abs(weights).sum(axis=-1) + np.abs(sides).sum(axis=(-1, -2)) + np.abs(centre)) / widths
    along = (np.abs(seconds).sum(axis=-1) + np.abs(seconds.sum(axis=-1))) / second_widths
    found = mixed[np.ix_(which, which)]
    np.fill_diagonal(found, along[which])
    return np.asarray(found)


def noise_along(values: Float64Array, which: IndexArray) -> float:
    """Return the standard deviation of the noise that f's changes along the entries show, 0 where it cannot be seen.

    64 (F(h) + F(-h)) - 20 (F(2h) + F(-2h)) + F(4h) + F(-4h) cancels whatever a polynomial of degree 7 does.

    Parameters
    ----------
    values : ndarray, shape (n + 1, k)
        As the loop filled it.
    which : ndarray of intp, shape (n,)
        The rows that the entries take.
    """
    changes = values[:-1][which == 0]
    if not changes.size:
        return 0.0
    left = changes @ np.array(_NOISE)
    deviation = float(np.sqrt(np.mean(left**2))) / math.hypot(*_NOISE, sum(_NOISE))
    return deviation if math.isfinite(deviation) else 0.0


def _representable(x: Array, h: Float64Array) -> Float64Array:
    """Return for each step the one next to it that both x + h and x - h take exactly, unless h is larger than x."""
    away = np.copysign(1.0, np.where(np.isfinite(x), x, 1.0))
    centre = x.astype(np.float64)
    with np.errstate(all="ignore"):
        taken = np.abs((centre + away * h).astype(x.dtype).astype(np.float64) - centre)
    return np.where(np.isfinite(taken) & (taken > 0), taken, h)


@cache
def _kinds() -> tuple[Kind, ...]:
    """Return the tables' rows, the first that has room within the bounds first."""
    central = stencil("central", ORDER)
    sides = (Kind(stencil(side, ORDER), stencil(side, ORDER, 2), _off_centre(side)) for side in ("forward", "backward"))
    return (
        Kind(central, on_points([-4, -2, 0, 2, 4], 2, 4), (1, -1, 2, -2, 4, -4)),
        Kind(central, stencil("central", ORDER, 2), (1, -1)),
        *sides,
    )


def _off_centre(side: str) -> tuple[int, ...]:
    return tuple(k for k in stencil(side, ORDER, 2).offsets if k)


@cache
def _tables() -> Tables:
    kinds = _kinds()
    count, length = len(kinds), max(len(kind.axis) for kind in kinds)
    axis, seconds = np.zeros((count, length), np.intp), np.zeros((count, length))
    for row, kind in enumerate(kinds):
        axis[row, : len(kind.axis)] = kind.axis
        for offset, weight in zip(kind.second.offsets, kind.second.numerators, strict=True):
            if offset:
                seconds[row, kind.axis.index(offset)] = weight
    second_widths = np.array([float(kind.second.denominator) for kind in kinds])
    corners, weights = np.zeros((count, count, 4, 2), np.intp), np.zeros((count, count, 4))
    sides, widths = np.zeros((count, count, 2, length)), np.zeros((count, count))
    for s, t in np.ndindex(count, count):
        points, on_axes, widths[s, t] = _mixed(kinds[s].first, kinds[t].first)
        for k, (point, weight) in enumerate(points.items()):
            corners[s, t, k], weights[s, t, k] = point, weight
        for (which, offset), weight in on_axes.items():
            sides[s, t, which, kinds[(s, t)[which]].axis.index(offset)] = weight
    return Tables(axis, seconds, second_widths, corners, weights, sides, widths)


def _mixed(a: Stencil, b: Stencil) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int], float]:
    """Return a mixed derivative's points with their weights, those of the values on both axes, and the width."""
    if a is b is stencil("central", ORDER):
        return {(1, 1): 1, (-1, -1): 1}, {(which, k): -1 for which in (0, 1) for k in (1, -1)}, 2.0
    points: dict[tuple[int, int], int] = {}
    on_axes: dict[tuple[int, int], int] = {}
    for i, v in zip(a.offsets, a.numerators, strict=True):
        for j, w in zip(b.offsets, b.numerators, strict=True):
            if i and j:
                points[i, j] = v * w
            elif i or j:
                on_axes[(0, i) if i else (1, j)] = v * w
    return points, on_axes, float(a.denominator * b.denominator)
