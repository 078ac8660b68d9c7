"""An f of real numbers around a point, called beside it in the real space and in the complex one: counted, read."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from fastgrad._bounds import limits
from fastgrad._complex.reading import Complex128Array, complex_values, is_real
from fastgrad._errors import NO_VALUE, not_analytic
from fastgrad._point import Point
from fastgrad._typing import Array, Float64Array

#: The spacing of doubles at 1.
ULP = 2.0**-52


class Surroundings:
    """f around a point in double precision; its values are lines of m numbers, m = 1 for a scalar f.

    Every call gets an array of its own, and nothing that f returns is kept.

    Attributes
    ----------
    x, lower, upper : ndarray of float64, shape (n,)
        The point and its bounds, flat.
    calls : int
        Of f, so far.
    centre : ndarray of float64, shape (m,)
        f at the point itself; what it raises there arrives, with a note.
    shape : tuple of int
        The shape of f's value.
    """

    def __init__(self, f: Callable[[Array], Any], point: Point, bounds: Any, *, is_scalar: bool) -> None:
        self.x = point.array.astype(np.float64).reshape(-1)
        self.lower, self.upper = limits(bounds, point)
        self.calls = 0
        self.shape: tuple[int, ...] | None = () if is_scalar else None
        self._f = f
        self._is_scalar = is_scalar
        self._point = point
        self._like = point.array.shape
        self._reader = point.reader()
        self.centre = self._read(self._reader.asked(self._call, self.x.copy(), 0, 0))

    def name(self, i: int) -> str:
        """Return the name of the entry with flat index i."""
        return self._point.name(i)

    def beside(self, move: Float64Array) -> Float64Array:
        """Return f at x plus a move, kept within the bounds; NaN where f says that it has no value."""
        try:
            y = self._call(np.clip(self.x + move, self.lower, self.upper))
        except NO_VALUE:
            return np.full(self.centre.shape, np.nan)
        except Exception as error:
            with suppress(Exception):
                error.add_note("fastgrad: f raised this beside x, where it was asked whether it is analytic.")
            raise
        return self._read(y)

    def above(self, i: int, h: float, beside: float = 0.0) -> tuple[Complex128Array, bool]:
        """Return f with entry i moved by ih, and by a real number too, and whether it returned real numbers."""
        z = self.x.astype(np.complex128)
        z[i] = complex(self.x[i] + beside, h)
        try:
            y = self._reader.asked(self._call, z, i, 1)
        except (TypeError, np.exceptions.ComplexWarning) as error:
            what = f"with {self.name(i)} moved into the complex plane it raised {error!r}."
            raise not_analytic(what) from error
        return complex_values(y, f"{self.name(i)} plus ih", self.shape)[0], is_real(y)

    def _call(self, flat: Array) -> Any:
        self.calls += 1
        return self._f(flat.reshape(self._like))

    def _read(self, y: Any) -> Float64Array:
        """Return real values of f as a line of its own."""
        if self._is_scalar:
            return np.array([self._reader.scalar(y, 0, 0)])
        values = self._reader.array(y, 0, 0, self.shape)
        self.shape = values.shape
        return values.reshape(-1).copy()
