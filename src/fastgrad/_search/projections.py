"""f moved along random directions within blocks of entries, and by how much a claimed gradient misses what it does."""

import math
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastgrad import _backend
from fastgrad._budget import Budget
from fastgrad._noise.precision import ShownPrecision
from fastgrad._point import Point
from fastgrad._typing import Array, Float64Array

#: A step is at least this share of its entry, so that rounding leaves it ten bits.
LEAST = {"d": 2.0**-43, "f": 2.0**-14}
#: The mean square of an entry of a direction: magnitudes are evenly spread over [½, 1).
MEAN_SQUARE = 7 / 12
#: Repeated projections take steps that differ by so much, up and down, for their noise to be another.
SPREAD = 0.2
#: Entry i of the direction with one key is entry 0 of that with the key i strides on.
_STRIDE = 0x9E3779B1
_NAN = float("nan")


class Block(NamedTuple):
    """The entries from lo to hi, hi excluded, and the key of the direction they move along."""

    key: int
    lo: int
    hi: int

    @property
    def size(self) -> int:
        """How many entries it holds."""
        return self.hi - self.lo

    def place(self, i: int) -> float:
        """Return the position of entry i within the block, between -1 and 1."""
        return (2 * (i - self.lo) + 1) / self.size - 1.0


class Projections:
    """The residuals of a claim along random directions, by central differences of f with the steps as they were taken.

    f sees one buffer, written anew for every call, or another one where it kept that.

    Parameters
    ----------
    f : callable
        Takes an array like the point's.
    point : Point
    claimed : ndarray
        Flat.
    h : ndarray
        The proportions of the steps, shape ``(1,)`` or ``(n,)``; the least is taken as the unit.
    budget : Budget

    Attributes
    ----------
    calls : int
        Of f.
    error : str
        What f raised last when it was called away from x.
    precision : ShownPrecision
        That of f, as far as its values tell it.
    """

    def __init__(
        self, f: Callable[[Array], Any], point: Point, claimed: Array, h: Float64Array, budget: Budget
    ) -> None:
        self.calls = 0
        self.error = ""
        self._f = f
        self._x = point.array
        self._flat = point.array.reshape(-1)
        self._claimed = claimed
        self._unit = float(np.min(h))
        self._largest = float(_backend.masks.sizes(self._flat)[0])
        self._proportions = h / self._unit
        self._least = LEAST[point.array.dtype.char]
        self._budget = budget
        self._reader = point.reader()
        self._buffer = np.empty_like(self._x)
        self._holders = sys.getrefcount(self._buffer)
        self.precision = ShownPrecision()

    @property
    def size(self) -> int:
        """The number of entries."""
        return self._flat.size

    @property
    def scale(self) -> float:
        """The scale on which f is taken to change, until more is known: 1, or the largest magnitude of x."""
        return max(1.0, self._largest)

    def at_x(self) -> float:
        """Return f at x itself."""
        return self._value(Block(0, 0, 0), np.ones(1), 1.0, 0.0, 0.0, strict=True)

    def along(self, key: int, h: float, multiple: float) -> float:
        """Return f with all entries moved along a direction by a multiple of the step h; NaN where it has no value."""
        return self._value(Block(key, 0, self.size), self._steps(h), 1.0, 0.0, multiple)

    def sides(self, block: Block, h: float, by_place: bool = False) -> tuple[float, float, float]:
        """Return f with a block moved up and down, and what the claim says that these differ by."""
        steps = self._steps(h)
        origin, slope = (block.place(block.lo), 2.0 / block.size) if by_place else (1.0, 0.0)
        buffer = self._next_buffer()
        given = self._flat, steps, self._least, *block, origin, slope, 1.0
        said = _backend.masks.project(self._claimed, *given, buffer.reshape(-1))
        plus = self._called(buffer)
        del buffer  # or it would seem that f kept it
        minus = self._value(block, steps, origin, slope, -1.0) if plus == plus else _NAN
        return plus, minus, said

    def residual(self, block: Block, h: float, by_place: bool = False, repeats: int = 1) -> float:
        """Return by how much a claim misses the slope of f along a block, weighted by place or not.

        A single wrong entry i of error e adds e·a_i to the plain residual and e·a_i·place(i) to the weighted one. With
        repeats it is the mean over slightly different steps.
        """
        total = 0.0
        for k in range(repeats):
            step = h if repeats == 1 else h * (1.0 + SPREAD * ((2 * k + 1) / repeats - 1.0))
            plus, minus, said = self.sides(block, step, by_place)
            total += (plus - minus - said) / (2.0 * step)
        return total / repeats

    def residual_and_bend(self, block: Block, h: float, centre: float) -> tuple[float, float]:
        """Return a plain residual, and by how much the slopes above and below x differ along the block."""
        plus, minus, said = self.sides(block, h)
        return (plus - minus - said) / (2.0 * h), (plus - centre + minus - centre) / h

    def weight(self, key: int, i: int, h: float) -> float:
        """Return what an error of one at entry i adds to a plain residual: a_i, larger where the step had to be."""
        steps = self._steps(h)
        steps = steps if steps.size == 1 else steps[i : i + 1]
        here = (key + i * _STRIDE) % 2**32
        one = np.ones(1, self._flat.dtype)
        return float(
            _backend.masks.project(one, self._flat[i : i + 1], steps, self._least, here, 0, 1, 1.0, 0.0, 1.0, None)
        ) / (2.0 * h)

    def grain(self, h: float) -> float:
        """Return how far rounding of x may put the place in a weighted residual off."""
        return 4.0 * float(np.finfo(self._flat.dtype).eps) * max(self._largest / h, 1.0)

    def _steps(self, h: float) -> Float64Array:
        return self._proportions * h

    def _value(
        self, block: Block, steps: Float64Array, origin: float, slope: float, step: float, strict: bool = False
    ) -> float:
        buffer = self._next_buffer()
        _backend.masks.move(self._flat, steps, self._least, *block, origin, slope, step, buffer.reshape(-1))
        return self._called(buffer, strict)

    def _called(self, buffer: Array, strict: bool = False) -> float:
        """Return f of the buffer; NaN where it has no value, unless that is to be told."""
        try:
            y = self._f(buffer)
        except Exception as error:
            if strict:
                self._reader.note(error, 0, 0)
                raise
            self.error = f"{type(error).__name__}: {error}"
            return _NAN
        value = self._reader.scalar(y, 0, 0)
        if not math.isfinite(value):
            return value if strict else _NAN
        self.precision.add(value)
        return value

    def _next_buffer(self) -> Array:
        """Count a call, and return a buffer for it: a new one where f kept it or changed more than its numbers."""
        self._budget.take()
        self.calls += 1
        a = self._buffer
        kept = sys.getrefcount(a) != self._holders + 1 or not _counts_are_exact()
        if kept or a.shape != self._x.shape or not (a.flags.c_contiguous and a.flags.writeable):
            self._buffer = np.empty_like(self._x)
        return self._buffer


def _counts_are_exact() -> bool:
    ask = getattr(sys, "_is_gil_enabled", None)
    return ask is None or bool(ask())
