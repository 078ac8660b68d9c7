"""A scalar function around a point: counted, without a value where it is not defined, exceptions at the point as is."""

import math
from collections.abc import Callable
from typing import Any

from fastgrad._errors import NO_VALUE, ShapeError
from fastgrad._point import Point
from fastgrad._typing import Array


class Neighbourhood:
    """f at a point and around it.

    Attributes
    ----------
    calls : int
        Of f, so far.
    centre : float
        f at the point itself; what it raises there arrives, with a note.
    """

    def __init__(self, f: Callable[[Array], Any], point: Point) -> None:
        self.calls = 0
        self._f = f
        self._x = point.array
        self._reader = point.reader()
        self.centre = self._call(point.array.copy(), 0, 0)

    def at(self, x: Array, i: int = 0, sign: int = 1) -> float:
        """Return f at an array of one's own, NaN where it has no finite value; i and sign say where that is."""
        try:
            y = self._call(x, i, sign)
        except ShapeError:
            raise
        except NO_VALUE:
            return math.nan
        return y if math.isfinite(y) else math.nan

    def moved(self, i: int, t: float) -> float:
        """Return f with entry i moved by t, NaN where it has no finite value."""
        if t == 0.0:
            return self.centre
        x = self._x.copy()
        x.reshape(-1)[i] += t
        return self.at(x, i, 1 if t > 0 else -1)

    def _call(self, x: Array, i: int, sign: int) -> float:
        self.calls += 1
        try:
            y = self._f(x)
        except Exception as error:
            self._reader.note(error, i, sign)
            raise
        return self._reader.scalar(y, i, sign)
