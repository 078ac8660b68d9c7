"""Whether slopes found in the complex plane are those of f on the real line: the test for a lost imaginary part.

Nothing in a value tells that an `abs` on its way has thrown the imaginary part away. So the slopes are held against
differences along real directions in which all entries move at once, two calls each. Entries that deserve it, because
nothing arrived from their imaginary part, say, are moved by themselves too: large ones cannot cover them up. Where a
difference does not fit, it is taken as exactly as f allows before f is accused, and the entry is found by halving.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fastgrad._adaptive.method import adaptive_derivative
from fastgrad._complex.surroundings import ULP, Surroundings
from fastgrad._errors import not_analytic
from fastgrad._typing import Float64Array, IndexArray

#: A slope fits when it is off by no more than this share of what the entries contribute to it.
RELATIVE = 1e-6
#: The first look counts where rounding is no more than this share of it.
CLEAR = 1e-2
#: A slope so many times as steep as f changes beside x belongs to a root or a pole at x.
INFINITE = 1e8
#: The first look's step in units of a direction, and what rounding may do to a value, in units in the last place.
STEP, ULPS = 2.0**-18, 64.0
#: Error bars of the second look that are allowed: whoever is accused wrongly gets no derivative at all.
BARS = 30.0
#: The farthest that the second look goes, in units of a direction.
FARTHEST = 2.0**-4


def verify(
    around: Surroundings, slopes: Float64Array, *, is_silent: NDArray[np.bool_], is_real: NDArray[np.bool_]
) -> None:
    """Raise AnalyticityError where f on the real line does not have these slopes; the error names the entry.

    Parameters
    ----------
    around : Surroundings
    slopes : ndarray, shape (m, n)
        The derivative of each value by each entry.
    is_silent, is_real : ndarray of bool, shape (n,)
        The entries that are to be looked at by themselves, and those for which f returned real numbers.
    """
    every = np.arange(around.x.size)
    direction = _direction(around)
    for chosen, is_off in (
        (np.flatnonzero(is_real), _moves(around, direction)),
        (np.flatnonzero(is_silent), _differs(around, direction, slopes)),
        (every, _differs(around, direction, slopes)),
    ):
        if chosen.size and is_off(chosen):
            raise not_analytic(_told(around, direction, slopes, _culprit(chosen, is_off), is_real))
        if chosen.size == every.size:
            return


def _culprit(chosen: IndexArray, is_off: Callable[[IndexArray], bool]) -> int:
    """Return one entry that is off, found by halving a group that is."""
    while chosen.size > 1:
        first, second = np.array_split(chosen, 2)
        chosen = first if is_off(first) else second
    return int(chosen[0])


def _told(
    around: Surroundings, direction: Float64Array, slopes: Float64Array, i: int, is_real: NDArray[np.bool_]
) -> str:
    if is_real[i]:
        return f"with {around.name(i)} moved into the complex plane it returned real numbers, and it depends on that."
    move = np.zeros_like(direction)
    move[i] = direction[i]
    there = (around.beside(STEP * move) - around.beside(-STEP * move)) / (2 * STEP * direction[i])
    row = int(np.nanargmax(np.abs(there - slopes[:, i]))) if np.isfinite(there).any() else 0
    return (
        f"at {around.name(i)} the complex step gives the slope {slopes[row, i]:.6g}, and real differences "
        f"{there[row]:.6g}."
    )


def _direction(around: Surroundings) -> Float64Array:
    """Return a fixed, irregular direction: moves of |x_i| to twice that, of 1 to 2 at zero, inwards at bounds."""
    size = np.where(around.x == 0.0, 1.0, np.maximum(np.abs(around.x), 2.0**-40))
    bits = _hashed(size.size)
    down, up = around.x - around.lower, around.upper - around.x
    size = np.minimum(size * (1.0 + (bits & np.uint64(0xFFFF)) / 2.0**16), np.maximum(down, up) / 2)
    sign = np.where(bits >> np.uint64(63), 1.0, -1.0)
    has_room = np.minimum(down, up) >= FARTHEST * size
    inwards = np.where(up >= down, 1.0, -1.0)
    move: Float64Array = np.where(np.isfinite(around.x), size * np.where(has_room, sign, inwards), 0.0)
    return move


def _hashed(n: int) -> NDArray[np.uint64]:
    """Return n random-looking integers (the mixer of splitmix64)."""
    z = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _moves(around: Surroundings, direction: Float64Array) -> Callable[[IndexArray], bool]:
    """Return the question whether f changes as some entries move, by more than rounding."""

    def question(chosen: IndexArray) -> bool:
        move = _restricted(direction, chosen)
        for t in (STEP, -STEP):
            there = around.beside(t * move)
            with np.errstate(invalid="ignore"):
                off = np.abs(there - around.centre) > ULPS * ULP * (np.abs(there) + np.abs(around.centre))
            if off.any():
                return True
        return False

    return question


def _differs(around: Surroundings, direction: Float64Array, slopes: Float64Array) -> Callable[[IndexArray], bool]:
    """Return the question whether the slope along some entries is another than theirs say."""

    def question(chosen: IndexArray) -> bool:
        move = _restricted(direction, chosen)
        expected = slopes[:, chosen] @ direction[chosen]
        contributed = np.abs(slopes[:, chosen]) @ np.abs(direction[chosen])
        low, high = _room(around, move)
        is_open, fits = np.isfinite(expected), np.zeros(expected.shape, np.bool_)
        if -low >= STEP <= high:
            fits, is_sure, is_infinite = _first_look(around, move, expected, contributed)
            if np.any(is_infinite):
                return True
            is_open &= ~is_sure
        known = {0.0: around.centre}

        def values(t: float) -> Float64Array:
            if t not in known:
                known[t] = around.beside(t * move)
            return known[t]

        def row_is_off(row: int) -> bool:
            found = adaptive_derivative(lambda t: float(values(t)[row]), 1.0, bounds=(low, high))
            if fits[row] and found.flags:
                return False  # the closer look was disturbed, and the first one saw nothing
            off = abs(found.value - float(expected[row]))
            return bool(off > RELATIVE * contributed[row] + BARS * found.error)  # never where f has no values

        return any(row_is_off(row) for row in np.flatnonzero(is_open).tolist())

    return question


def _first_look(
    around: Surroundings, move: Float64Array, expected: Float64Array, contributed: Float64Array
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where a central difference fits what is expected, where that is sure, and where slopes are infinite."""
    plus, minus = around.beside(STEP * move), around.beside(-STEP * move)
    rounding = ULPS * ULP * np.fmax(np.abs(plus), np.abs(minus)) / STEP
    fits = np.abs((plus - minus) / (2 * STEP) - expected) <= RELATIVE * contributed + rounding
    stands = (contributed == 0) & (plus == around.centre) & (minus == around.centre)
    change = np.fmax(np.abs(plus - around.centre), np.abs(minus - around.centre)) / STEP
    is_infinite = np.isfinite(expected) & (np.abs(expected) > INFINITE * (change + rounding))
    return fits, stands | (fits & (rounding <= CLEAR * contributed)), is_infinite


def _restricted(direction: Float64Array, chosen: IndexArray) -> Float64Array:
    move = np.zeros_like(direction)
    move[chosen] = direction[chosen]
    return move


def _room(around: Surroundings, move: Float64Array) -> tuple[float, float]:
    """Return how far one can go along a move, backwards and forwards, within the bounds."""
    with np.errstate(divide="ignore", invalid="ignore"):
        to_upper, to_lower = (around.upper - around.x) / move, (around.lower - around.x) / move
    free = move == 0.0
    high = np.where(free, math.inf, np.maximum(to_upper, to_lower)).min(initial=math.inf)
    low = np.where(free, -math.inf, np.minimum(to_upper, to_lower)).max(initial=-math.inf)
    return float(low), float(high)
