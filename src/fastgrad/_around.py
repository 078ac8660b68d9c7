"""f along the axes through a point: its values as flat doubles, counted, and remembered an axis at a time."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad._errors import NO_VALUE
from fastgrad._noise.precision import ShownPrecision
from fastgrad._point import Point
from fastgrad._typing import Array, Float64Array, IndexArray


class Around:
    """A scalar or array-valued f around a point. Every call gets a fresh copy of x.

    Attributes
    ----------
    calls : int
        Of f, so far.
    shape : tuple of int or None
        Of f's values; None as long as an array-valued f has not been called.
    precision : ShownPrecision
        That of f, as far as its values tell it.
    """

    def __init__(self, f: Callable[[Any], Any], point: Point, *, is_scalar: bool) -> None:
        self.calls = 0
        self.shape: tuple[int, ...] | None = None
        self.precision = ShownPrecision()
        self.x = point.array.reshape(-1)
        self._f = f
        self._is_scalar = is_scalar
        self._array = point.array
        self._reader = point.reader()
        self._centre: Float64Array | None = None

    @property
    def centre(self) -> Float64Array:
        """The value of f at the point itself; what it raises there arrives, with a note."""
        if self._centre is None:
            self._centre = self._read(self._call(self._array.copy(), 0, 0), 0, 0)
        return self._centre

    def moved(self, i: int, to: Any, sign: int) -> Float64Array | Exception:
        """Return f with entry i moved to a value, or what f raised to say that it has none there."""
        x = self._array.copy()
        x.reshape(-1)[i] = to
        try:
            y = self._call(x, i, sign)
        except NO_VALUE as error:
            return error
        return self._read(y, i, sign)

    def moved_together(self, members: IndexArray, to: Array, sign: int) -> Float64Array:
        """Return f with several entries moved to values; what it raises arrives."""
        x = self._array.copy()
        x.reshape(-1)[members] = to
        i = int(members[0])
        return self._read(self._call(x, i, sign), i, sign)

    def _call(self, x: Array, i: int, sign: int) -> Any:
        self.calls += 1
        return self._reader.asked(self._f, x, i, sign)

    def _read(self, y: Any, i: int, sign: int) -> Float64Array:
        if self._is_scalar:
            self.shape = ()
            values = np.array([self._reader.scalar(y, i, sign)])
        else:
            read = self._reader.array(y, i, sign, self.shape)
            self.shape = read.shape
            values = read.reshape(-1).copy()
        self.precision.add_all(values)
        return values


class Axis:
    """f with one entry of x moved.

    Parameters
    ----------
    around : Around
    i : int
        The flat index of the entry.
    limits : pair of float
        Where the entry may be moved to; it is never moved farther.

    Attributes
    ----------
    calls : int
        Of f, on this axis.
    raised : Exception or None
        What f raised first.
    low, high : float
        The limits, as far as numbers of x's dtype reach.
    """

    def __init__(self, around: Around, i: int, limits: tuple[float, float] = (-math.inf, math.inf)) -> None:
        self.around = around
        self.i = i
        self.calls = 0
        self.raised: Exception | None = None
        self.x = float(around.x[i])
        self.kind = around.x.dtype.type
        self.low, self.high = inwards(limits, around.x.dtype)
        self._known: dict[float, Float64Array] = {}

    def at(self, t: float, *, is_strict: bool = False) -> Float64Array:
        """Return f with the entry moved by t, NaN where it raises an error of arithmetic; that arrives if `is_strict`.

        Where f has raised before it has ever returned, it is called at x itself, which says what form its values have.
        """
        to = self._moved(t)
        if to not in self._known:
            self._known[to] = self._asked(to, t, is_strict)
        return self._known[to]

    def taken(self, t: float) -> float:
        """Return by how much the entry is moved when t is asked for: what rounding leaves of it."""
        return self._moved(t) - self.x

    def _moved(self, t: float) -> float:
        with np.errstate(over="ignore"):
            return float(self.kind(min(max(self.x + t, self.low), self.high) if t else self.x))

    def _asked(self, to: float, t: float, is_strict: bool) -> Float64Array:
        if to == self.x:
            return self.around.centre
        self.calls += 1
        y = self.around.moved(self.i, to, 1 if t > 0 else -1)
        if not isinstance(y, Exception):
            return y
        if is_strict:
            raise y
        self.raised = self.raised or y
        return np.full(self.around.centre.shape, np.nan)


def inwards(limits: tuple[float, float], dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the outermost numbers of a dtype within limits."""
    low, high = (dtype.type(b) for b in limits)
    low = low if low >= limits[0] else np.nextafter(low, dtype.type(math.inf))
    high = high if high <= limits[1] else np.nextafter(high, dtype.type(-math.inf))
    return float(low), float(high)
