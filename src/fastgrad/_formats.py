"""Binary formats of fewer digits than double precision, and which numbers are among theirs."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrad._typing import Float64Array


def _survives(dtype: type[np.floating]) -> Callable[[Float64Array], NDArray[np.bool_]]:
    """Return what tells which values are the same in this dtype."""

    def holds(values: Float64Array) -> NDArray[np.bool_]:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(values.astype(dtype) == values)

    return holds


def _fills_16_bits(values: Float64Array) -> NDArray[np.bool_]:
    """Tell which values are of single precision and use the upper half of its bits alone."""
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype(np.float32)
        return np.asarray((single == values) & (single.view(np.uint32) & np.uint32(0xFFFF) == 0))


class Format(NamedTuple):
    """Binary numbers of so many digits, down to the power of two 2^least and up to the largest.

    `of_all` tells of each entry of an array whether it is one of them: infinity is, NaN is not.
    """

    name: str
    digits: int
    least: int
    largest: float
    of_all: Callable[[Float64Array], NDArray[np.bool_]]

    def in_last_places(self, value: float) -> float:
        """Return a finite value in units in its last place: an integer, if it is one of these numbers."""
        if not abs(value) <= self.largest:
            return math.nan
        return math.ldexp(value, -max(math.frexp(value)[1] - self.digits, self.least))

    def spacing(self, value: float) -> float:
        """Return how far the numbers around a value are apart, if there is no least one."""
        return math.ldexp(1.0, max(math.frexp(value)[1] - self.digits, -1074))


BFLOAT16 = Format("bfloat16", 8, -133, math.ldexp(255.0, 120), _fills_16_bits)
HALF = Format("half precision", 11, -24, 65504.0, _survives(np.float16))
SINGLE = Format("single precision", 24, -149, float(np.finfo(np.float32).max), _survives(np.float32))
