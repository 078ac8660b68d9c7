"""How far a difference may be off: a stencil's values of f, and those at half the step, make its error bar.

With half the step a difference of order p has 2^-p of the truncation: what the two are apart, over 1 - 2^-p, is the
truncation of the first (Richardson, Phil. Trans. R. Soc. A 210, 1911). To that come rounding in f's values, what f
jitters beyond it, and the share by which rounding of x changes the step. All is elementwise: one entry of x with many
values of f, or many entries with one value each.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from fastgrad._adaptive.method import NOISY
from fastgrad._stencils.table import Stencil
from fastgrad._typing import Float64Array

#: A bar is so many times what half the step shows of truncation, …
SAFETY = 3.0
#: … with so many roundings of f's values and of x within f, and so many times the noise that is seen.
UNITS, INNER, DEVIATIONS = 4.0, 1.0, 2.0
#: Truncation beyond this share of f's slopes is more than a stencil can speak of.
COARSE = 1e-3
#: Slopes on both sides that meet as the step falls are at most so far apart with half the step; at a kink they stay.
STAYS = 0.75
#: Where f's value moves by rounding alone, so many units of it may be the reason.
AT_ROUNDING = 16.0


class Bars(NamedTuple):
    """Differences and their error bars; where f jitters, where the bars may be too short, and where f does not move."""

    value: Float64Array
    error: Float64Array
    is_noisy: Any
    is_doubtful: Any
    is_still: Any


def difference(s: Stencil, at: Callable[[float], Float64Array], h: Any) -> Float64Array:
    """Return the difference of a stencil with step h, in the order of operations of the loops."""
    total: Any = None
    for offset, weight in zip(s.offsets, s.numerators, strict=True):
        term = float(weight) * at(offset)
        total = term if total is None else total + term
    found: Float64Array = total / (float(s.denominator) * h)
    return found


def points(s: Stencil) -> tuple[float, ...]:
    """Return the offsets, in steps, at which f is asked beside the stencil's own: x itself, and the halves of them.

    Three points on one side say nothing of rounding that they may share: there a quarter of the step is asked for, too.
    """
    halves = dict.fromkeys([0, *(offset / 2 for offset in s.offsets)])
    return (*halves, *(offset / 4 for offset in s.offsets if s.order == 1 and offset))


def bars(s: Stencil, at: Callable[[float], Float64Array], h: Any, drift: Any, size: Any, ulp: float) -> Bars:
    """Return the differences of a stencil with their error bars.

    Parameters
    ----------
    s : Stencil
    at : callable
        From an offset in steps, of `s` or of `points`, to the values of f there.
    h : float or ndarray
        The step.
    drift : float or ndarray
        The share by which rounding of x changes the step.
    size : float or ndarray
        The magnitude of x.
    ulp : float
        The spacing of f's values at 1.
    """
    value = difference(s, at, h)
    half = difference(s, lambda offset: at(offset / 2), h / 2)
    apart = np.abs(value - half) / (1.0 - 2.0**-s.order)
    magnitude = _largest(at(offset) for offset in (0, *s.offsets))
    slope = _largest(np.abs(at(offset) - at(0)) / np.abs(offset) for offset in s.offsets if offset) / h
    rounding = ulp / 2 * (UNITS * magnitude + INNER * size * slope)
    seen = [np.abs(sum(w * at(offset) for offset, w in weights)) for weights in _residuals(s)]
    jitter = np.max(seen, axis=0)
    error = SAFETY * apart + s.amplification / h * (rounding + DEVIATIONS * jitter) + drift * np.abs(value)
    error = np.where(np.isfinite(error), error, np.inf)
    is_coarse = apart > np.maximum(COARSE * slope, AT_ROUNDING * s.amplification * rounding / h)
    is_large = jitter > NOISY * rounding
    is_hidden = is_large & (s.amplification * jitter > COARSE * slope * h)
    # on both sides of x, the smooth part of the even residual falls with a higher power of the step than truncation
    is_noisy = is_large & (s.amplification * seen[-1] > apart * h / 8) & (len(seen) > 1)
    is_doubtful = np.isfinite(value) & (is_coarse | is_hidden | (_gap(s, at, h) / 2 > error) | ~np.isfinite(error))
    is_still = np.all([at(offset) == at(0) for offset in s.offsets], axis=0)
    return Bars(value, error, is_noisy, is_doubtful, is_still)


def _largest(values: Any) -> Any:
    found: Any = None
    for v in values:
        found = np.abs(v) if found is None else np.maximum(found, np.abs(v))
    return found


@cache
def _residuals(s: Stencil) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return the offsets and weights of sums that are 0 for polynomials of f, and of standard deviation 1 for noise.

    On one side they are the highest divided difference; on both sides, that of the odd part over the offset, and that
    of the even part over its square. The smooth rest of f in them is no larger than the truncation of the difference.
    """
    offsets = {*s.offsets, *points(s)}
    if s.offsets[1:2] != (-s.offsets[0],):
        found = [_divided(sorted(offsets))]
    else:
        above = sorted(k for k in offsets if k > 0)
        over_squares = [w for _, w in _divided([k * k for k in above])]
        odd = [(sign * k, sign * w / k) for k, w in zip(above, over_squares, strict=True) for sign in (1, -1)]
        even = [(sign * k, w / (k * k)) for k, w in zip(above, over_squares, strict=True) for sign in (1, -1)]
        found = [odd, [*even, (0.0, -sum(w for _, w in even))]]
    return tuple(tuple((k, w / math.hypot(*(v for _, v in each))) for k, w in each) for each in found)


def _divided(nodes: list[float]) -> list[tuple[float, float]]:
    return [(u, 1.0 / math.prod(u - v for v in nodes if v != u)) for u in nodes]


def _gap(s: Stencil, at: Callable[[float], Float64Array], h: Any) -> Any:
    """Return how far the slopes on both sides are apart, where they do not meet as the step falls; else 0."""
    if s.offsets[1:2] != (-s.offsets[0],):
        return np.zeros(np.shape(at(0)))
    far = np.abs(at(1) + at(-1) - 2.0 * at(0)) / h
    near = np.abs(at(0.5) + at(-0.5) - 2.0 * at(0)) / (h / 2)
    return np.where(near > STAYS * far, np.maximum(near, far), 0.0)
