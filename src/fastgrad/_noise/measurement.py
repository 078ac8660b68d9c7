"""The noise of a function: how much its value jitters between points so close that it should not change."""

import math
from collections.abc import Callable

import numpy as np

from fastgrad._typing import Array, Float64Array

#: Points on each side of x.
POINTS = 7
#: Spacings are multiples of this, off the grids of short binary fractions, on which rounding would not show.
_GOLDEN = (1 + 5**0.5) / 2
#: Relative spacings: the first sees rounding in the precision of x, whatever the function does nearby; the second one
#: that rounds x to single precision, whose value stands still on the first.
_FINE = {"d": 2.0**-44, "f": 2.0**-18}
_SINGLE = 2.0**-22
#: The second spacing is at most so many steps, for it must not leave the neighbourhood that is being judged.
_FAR = 64.0
#: A line is shortened by this factor, at most so often, while differences of all orders are of one sign, and the last
#: ones more than this share of the values: noise would turn some.
SHORTER, SHORTENINGS, SHARE = 64.0, 6, 2.0**-40
#: Values that move, and less unevenly than this share of their last digit, may be multiples of something that lie
#: evenly by chance: others are looked at too, on these shares of the line.
EXACT, SHARES = 1 / 32, (0.83, 0.71, 0.57)
#: Values beyond these magnitudes are scaled before they are squared.
TINY = 2.0**-400

#: The lower and the upper bound of each entry, flat.
Limits = tuple[Float64Array, Float64Array]


def noise(f: Callable[[Array], float], x: Array, h: Float64Array, limits: Limits | None = None) -> float:
    """Return the standard deviation of f's noise at x, from evenly spaced points on short lines through x.

    On each line the two sides of x are judged apart, without x, and the quieter one counts: a kink at x or right beside
    it lies on neither, any other one on one. The largest of four lines is taken, which differ in spacing: tiny, single
    precision's, and two fractions of the steps h, where a value that moves in jumps shows them (on one line alone it
    may seem to move evenly). On all, the direction alternates in sign, entry by entry. A line so long that f grows on
    it as an exponential does shows no noise, and is shortened.

    Parameters
    ----------
    f : callable
        Takes an array like x and returns a float; NaN where it has no value.
    x : ndarray
        Float32 or float64, C-ordered.
    h : ndarray
        The steps that the noise is to be known for, shape ``(1,)`` or ``(x.size,)``.
    limits : pair of ndarray, optional
        The lines keep within: an entry without room on one side goes inwards on both.
    """
    size = np.maximum(np.abs(x, dtype=np.float64), 2.0**-10)
    steps = h[0] if h.size == 1 else h.reshape(x.shape)
    every = [_FINE[x.dtype.char] * size, steps / (8.0 * np.sqrt(x.size)), steps / (7.0 * np.sqrt(x.size))]
    if x.dtype.char == "d":
        every.append(np.minimum(_SINGLE * size, _FAR * steps))
    found = [_on_line(f, x, spacing, limits) for spacing in every]
    return max((noise for noise in found if noise == noise), default=float("nan"))


def rounding_noise(f: Callable[[Array], float], x: Array) -> float:
    """Return the noise on the line with the tiny spacing alone: what rounding does in the precision of x."""
    return _on_line(f, x, _FINE[x.dtype.char] * np.maximum(np.abs(x, dtype=np.float64), 2.0**-10))


def _on_line(f: Callable[[Array], float], x: Array, spacing: Float64Array, limits: Limits | None = None) -> float:
    move = spacing * np.where(np.arange(x.size).reshape(x.shape) % 2, -_GOLDEN, _GOLDEN)
    sides = []
    for signed in (-move, move):
        inwards = signed if limits is None else _inwards(x, signed, limits)

        def values(part: float, move: Float64Array = inwards) -> Float64Array:
            points = ((x + k * (part * move)).astype(x.dtype) for k in range(1, POINTS + 1))
            return np.array([f(point) for point in points])

        sides.append(on_lines(values))
    return min((noise for noise in sides if noise == noise), default=float("nan"))


def on_lines(values_on: Callable[[float], Float64Array]) -> float:
    """Return the noise on a line, shortened until the differences of its values are small or some are of either sign.

    Rounded values may lie evenly on it, as if there were no noise: then a few lines of other lengths are looked at.

    Parameters
    ----------
    values_on : callable
        From the share of the line that is left to values at equally spaced points on it.
    """
    for k in range(1 + SHORTENINGS):
        values = values_on(SHORTER**-k)
        found = from_values(values)
        if not (found > SHARE * np.max(np.abs(values)) and _is_of_one_sign(values)):
            break
    for share in SHARES:
        if not found < EXACT * np.spacing(np.max(np.abs(values))) or values.min() == values.max():
            break
        values = values_on(share * SHORTER**-k)
        found = max(found, from_values(values))
    return found


def _is_of_one_sign(values: Float64Array) -> bool:
    """Tell whether the differences of each order are all positive or all negative."""
    tables = (np.diff(values, k) for k in range(1, values.size - 1))
    return all(bool(table.min() > 0 or table.max() < 0) for table in tables)


def from_values(values: Float64Array) -> float:
    """Return the noise that the difference table of equally spaced values shows; NaN where they are not finite.

    This is ECnoise of Moré and Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33 (2011): the k-th
    differences of a smooth function's values vanish, those of noise do not, and level k over (k!)²/(2k)! gives its
    variance. The first level from which three agree within a factor 4, and whose differences are of both signs, is
    taken; where none is, the last.
    """
    largest = float(np.max(np.abs(values)))
    if not largest < math.inf:
        return float("nan")
    if largest and not TINY < largest < 1.0 / TINY:  # squares would leave the numbers: a power of two changes no digit
        scale = 2.0 ** min(math.frexp(largest)[1], 1000)
        return from_values(values / scale) * scale
    levels, jitters = [], []
    gamma = 1.0
    table = values
    for k in range(1, values.size - 1):
        table = np.diff(table)
        gamma *= k / (2.0 * (2 * k - 1))
        levels.append(float(np.sqrt(gamma * np.mean(table**2))))
        jitters.append(bool(table.min() < 0 < table.max()))
    for k in range(len(levels) - 2):
        three = levels[k : k + 3]
        if jitters[k] and max(three) <= 4.0 * min(three):
            return levels[k]
    return levels[-1]


def _inwards(x: Array, move: Float64Array, limits: Limits) -> Float64Array:
    """Return the move of each entry, turned round and shortened where the last of the points would leave the bounds."""
    lower, upper = (bound.reshape(x.shape) for bound in limits)
    reach = (POINTS + 1) * np.abs(move)  # one more than is gone: x plus a move is rounded
    room = np.where(move > 0, upper - x, x - lower)
    across = np.where(move > 0, x - lower, upper - x)
    turned = np.where((room < reach) & (across > room), -move, move)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(reach > 0, np.minimum(np.maximum(room, across) / reach, 1.0), 1.0)
    return np.where(room < reach, share * turned, move)
