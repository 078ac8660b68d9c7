"""Whether a function's values are all of a lower precision than its argument: it rounds more coarsely then."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrad._typing import Float64Array

#: The spacing of values of single precision at 1.
ULP = float(np.finfo(np.float32).eps)
_LARGEST = float(np.finfo(np.float32).max)
#: A function that has shown so many different values, all of single precision, computes in it.
SEVERAL = 3
#: The standard deviation of rounding to nearest, in units in the last place, a little rounded up.
DEVIATION = 0.3


class _Format(NamedTuple):
    """Binary numbers of so many digits, down to the power of two 2^least and up to the largest."""

    name: str
    digits: int
    least: int
    largest: float

    def holds(self, value: float) -> bool:
        """Tell whether a finite value is one of these numbers."""
        if not abs(value) <= self.largest:
            return False
        return math.ldexp(value, -max(math.frexp(value)[1] - self.digits, self.least)).is_integer()

    def spacing(self, value: float) -> float:
        """Return how far the numbers around a value are apart."""
        return math.ldexp(1.0, max(math.frexp(value)[1] - self.digits, -1074))


#: From coarse to fine; the numbers of all are among those of the last.
_FORMATS: tuple[_Format, ...] = (
    _Format("half", 8, -133, math.ldexp(255.0, 120)),
    _Format("half", 11, -24, 65504.0),
    _Format("single", 24, -149, _LARGEST),
)


def may_be_half(values: Float64Array) -> NDArray[np.bool_]:
    """Tell which of some values are of half precision or of the other format of 16 bits, and not whole."""
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype(np.float32)
        is_short = (single == values) & (single.view(np.uint32) & np.uint32(0xFFFF) == 0)
        return np.asarray((is_short | (values.astype(np.float16) == values)) & (values != np.rint(values)))


def may_be_single(values: Float64Array) -> NDArray[np.bool_]:
    """Tell which of some values are of single precision, and not zero."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray((values.astype(np.float32) == values) & (values != 0.0))


class Values:
    """The values that a function has shown, as far as they tell its precision."""

    __slots__ = ("_different", "_formats", "_is_whole")

    def __init__(self) -> None:
        self._different: set[float] = set()
        self._formats = _FORMATS
        self._is_whole = True

    def add(self, value: float) -> None:
        """Note one more value; one that is not finite tells nothing."""
        if self._formats and value - value == 0.0:
            self._formats = tuple(kind for kind in self._formats if kind.holds(value))
            self._is_whole &= value.is_integer()
            if len(self._different) < SEVERAL:
                self._different.add(value)

    def add_all(self, values: Float64Array) -> None:
        """Note all values of an array."""
        if self._formats and values.size:
            with np.errstate(over="ignore", invalid="ignore"):
                is_single = (values.astype(np.float32) == values) | ~np.isfinite(values)
            for value in values[np.isfinite(values)][:SEVERAL].tolist():
                self.add(value)
            self._formats = self._formats[-1:] if np.all(is_single) else ()

    @property
    def may_be_single(self) -> bool:
        """Whether each of them is a number of single precision."""
        return bool(self._formats)

    @property
    def _possible(self) -> tuple[_Format, ...]:
        """The formats that values speak for: whole numbers, as of a saturated f, speak for none of few digits."""
        return self._formats[-1:] if self._is_whole else self._formats

    @property
    def may_be_half(self) -> bool:
        """Whether each of them is a number of half precision, or each of the format of 16 bits with a wider range."""
        return len(self._possible) > 1

    @property
    def are_single(self) -> bool:
        """Whether all are of single precision, and so many differ that it is no chance."""
        return self.may_be_single and len(self._different) >= SEVERAL

    @property
    def advice(self) -> str:
        """What to tell of the precision, where it is as low as single; nothing else."""
        if not self.are_single:
            return ""
        return f"All values of f are of {self._possible[0].name} precision: compute them in double precision."

    def ulp(self, usual: float) -> float:
        """Return the spacing of the function's values at 1: the usual one of its argument, or single precision's."""
        return max(ULP, usual) if self.are_single else usual

    def rounding(self, value: float) -> float:
        """Return the standard deviation that rounding has at a value, in the least precision that all may have.

        A single value, be it a round one, makes no function one of half precision.
        """
        return self._deviation(value, self._possible if len(self._different) > 1 else self._formats[-1:])

    def coarsest_rounding(self, value: float) -> float:
        """Return the same, where one value counts as well."""
        return self._deviation(value, self._possible)

    @staticmethod
    def _deviation(value: float, formats: tuple[_Format, ...]) -> float:
        size = abs(value)
        if formats and size <= formats[0].largest:
            return DEVIATION * formats[0].spacing(size)
        return DEVIATION * float(np.spacing(size))
