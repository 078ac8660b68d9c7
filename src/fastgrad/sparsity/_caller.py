"""Calling f to learn which entries its Jacobian has: at points near x, each time with a fresh array."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastgrad._point import Point, as_point, bound
from fastgrad._reading import Reader
from fastgrad._typing import Array, Float64Array, VectorFunction

__all__ = ["PatternCaller"]


class _ProbeReader(Reader):
    """A reader whose errors speak of probes, which move many entries at once."""

    __slots__ = ()

    def where(self, i: int, sign: int) -> str:
        return "x itself" if sign == 0 else "a point near x, moved to find its sparsity"


class PatternCaller:
    """f as a function from a line of x's entries to the line of its values, which counts its calls.

    Attributes
    ----------
    point : Point
    n, m : int
        How many entries x has, and f's values: the latter after the first call.
    calls : int
    """

    def __init__(self, f: VectorFunction, x: Any, args: Sequence[Any], kwargs: Mapping[str, Any] | None) -> None:
        self.point: Point = as_point(x)
        self.line: Array = self.point.array.reshape(-1)
        self.n = self.line.size
        self.calls = 0
        self._f = self.point.of_array(bound(f, args, kwargs))
        self._reader = _ProbeReader(self.point.name)
        self._shape: tuple[int, ...] | None = None

    @property
    def m(self) -> int:
        """The number of values, known after the first call."""
        return int(np.prod(self._shape, dtype=np.intp)) if self._shape is not None else 0

    def __call__(self, line: Array) -> Float64Array:
        """Return a copy of the values at these entries, shape (m,)."""
        self.calls += 1
        sign = 0 if self._shape is None else 1
        y = self._reader.asked(self._f, np.array(line.reshape(self.point.array.shape)), 0, sign)
        values = self._reader.array(y, 0, sign, self._shape)
        self._shape = values.shape
        return np.array(values.reshape(-1))
