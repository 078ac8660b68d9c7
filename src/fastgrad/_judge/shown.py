"""What the plain forward of a structured callable shows around x: along two directions, and at eight entries."""

from typing import Any, NamedTuple

import numpy as np

from fastgrad import _backend
from fastgrad._arrays import read_only
from fastgrad._reading import describe
from fastgrad._typing import Array, Float64Array, IndexArray

#: Two directions see every entry; eight entries are moved alone, together at first, by unequal parts of their steps.
KEYS = (0x5BD1E994, 0x5BD1E995)
ENTRIES = 8
PARTS = np.array([8, -9, 10, -11, 12, -13, 14, -15]) / 16
#: What two ways to the same number may differ by, beside it.
RELATIVE = {"d": 1e-6, "f": 1e-2}

#: Values of f on both sides.
Sides = tuple[float, float]


class Plain:
    """f by its plain forward.

    Attributes
    ----------
    calls : int
        How many values of f were formed.
    """

    def __init__(self, f: Any) -> None:
        self.calls = 0
        self._f = f

    def __call__(self, x: Array) -> float:
        self.calls += 1
        return number(self._f(x), "f")


def number(value: Any, whose: str) -> float:
    """Return a value as a double, or say in a sentence who returned what is none."""
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{whose} must return a real number; it returned {describe(value)}.") from error


class Questions(NamedTuple):
    """What f is asked of its surroundings.

    An f that says that it is linear is asked on one side, each time from where the last question led to: fewer calls,
    and little memory to write. Any other is asked on both sides of x.
    """

    entries: IndexArray
    moves: Float64Array
    step: float
    both_sides: bool


class Shown(NamedTuple):
    """What f showed: with all entries moved and moved back, and how far they were; on both sides of directions."""

    entries: tuple[float, float, Float64Array]
    directions: tuple[Sides, Sides]


def questions(f: Any, x: Array, h: Float64Array) -> Questions:
    """Return what f is asked around x, with the steps h."""
    n = x.size
    entries = np.array(sorted({k * (n - 1) // (ENTRIES - 1) for k in range(ENTRIES)}), np.intp)
    moves = PARTS[: entries.size] * (h if h.size == 1 else h[entries])
    return Questions(entries, moves, float(np.min(h)), not getattr(f, "__fastgrad_is_linear__", False))


def show(plain: Plain, x: Array, asked: Questions, scratch: Array) -> Shown:
    """Ask f itself, of points that are formed in `scratch`."""
    around = Around(plain, x, scratch)
    if asked.both_sides:
        ways = around.sides(KEYS[0], asked.step), around.sides(KEYS[1], asked.step)
        around.back()
        return Shown(around.entry_sides(asked.entries, asked.moves), ways)
    centre, first = plain(x), around.direction(KEYS[0], asked.step)
    beside, taken = around.entries(asked.entries, asked.moves)
    return Shown((beside, first, taken), ((first, centre), (around.further(KEYS[1], asked.step), first)))


class Around:
    """A buffer that is moved at some entries or along a direction for one call of f, which sees it read-only."""

    def __init__(self, plain: Plain, x: Array, buffer: Array) -> None:
        self._plain = plain
        self._flat = buffer.reshape(-1)
        self._x = x.reshape(-1)
        self._shown = read_only(buffer)

    def entries(self, indices: IndexArray, moves: Float64Array) -> tuple[float, Float64Array]:
        """Return f with these entries of what the buffer holds moved, and the moves as rounded."""
        before = self._flat[indices]
        self._flat[indices] = before + moves
        taken = self._flat[indices].astype(np.float64) - before
        value = self._plain(self._shown)
        self._flat[indices] = before
        return value, taken

    def entry_sides(self, indices: IndexArray, moves: Float64Array) -> tuple[float, float, Float64Array]:
        """Return f with these entries moved and moved back, and how far apart both are as rounded."""
        plus, up = self.entries(indices, moves)
        minus, down = self.entries(indices, -moves)
        return plus, minus, up - down

    def sides(self, key: int, step: float) -> Sides:
        """Return f on both sides of x along a direction."""
        return self.direction(key, step), self.direction(key, -step)

    def back(self) -> None:
        """Have the buffer hold x again."""
        self._flat[...] = self._x

    def direction(self, key: int, step: float) -> float:
        """Return f with all entries of x moved, as the buffer then holds them."""
        _backend.projection.move(self._x, 0, key, step, self._flat)
        return self._plain(self._shown)

    def further(self, key: int, step: float) -> float:
        """Return f with all entries moved from where the buffer holds them."""
        _backend.projection.move(self._flat, 0, key, step, self._flat)
        return self._plain(self._shown)
