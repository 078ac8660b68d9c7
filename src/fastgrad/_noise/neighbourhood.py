"""A scalar function around a point: counted, without a value where it is not defined, exceptions at the point as is."""

import math
from collections.abc import Callable
from typing import Any

from fastgrad._errors import NO_VALUE, ShapeError
from fastgrad._point import Point
from fastgrad._typing import Array, Float64Array


class Neighbourhood:
    """f at a point and around it.

    Attributes
    ----------
    calls : int
        Of f, so far.
    centre : float
        f at the point itself; what it raises there arrives, with a note.
    """

    def __init__(
        self, f: Callable[[Array], Any], point: Point, limits: tuple[Float64Array, Float64Array] | None = None
    ) -> None:
        self.calls = 0
        self._limits = limits
        self._f = f
        self._x = point.array
        self._reader = point.reader()
        self.centre = self._call(point.array.copy(), 0, 0)

    def at(self, x: Array, i: int = 0, sign: int = 1) -> float:
        """Return f at an array of one's own, NaN where it has no finite value; i and sign say where that is.

        Outside the limits it counts as having none, and is not called.
        """
        if self._limits is not None:
            lower, upper = self._limits
            if not ((lower <= x.reshape(-1)) & (x.reshape(-1) <= upper)).all():
                return math.nan
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

    def room(self, i: int, length: float) -> tuple[int, float]:
        """Return on which side entry i may go as far as a length, 0 for both, and how far it may at most.

        Where it can go on one side only, twice as far is needed to see as much.
        """
        if self._limits is None:
            return 0, length
        x = float(self._x.reshape(-1)[i])
        down, up = x - float(self._limits[0][i]), float(self._limits[1][i]) - x
        if min(down, up) >= length:
            return 0, length
        return (1 if up >= down else -1), min(length, max(down, up) / 2)

    def _call(self, x: Array, i: int, sign: int) -> float:
        self.calls += 1
        return self._reader.scalar(self._reader.asked(self._f, x, i, sign), i, sign)
