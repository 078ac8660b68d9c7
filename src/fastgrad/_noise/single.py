"""Whether a function's values are all of a lower precision than its argument: it rounds more coarsely then."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrad._typing import Float64Array

#: The spacing of values of single precision at 1.
ULP = float(np.finfo(np.float32).eps)
_LARGEST = float(np.finfo(np.float32).max)
#: A function that has shown so many different values, all of a low precision, computes in it, …
SEVERAL = 3
#: … if so many of them use one of its last two bits: three of four that were rounded do, and hardly one that is exact
#: without rounding, as those of a linear function where x and the step have few digits.
ROUNDED, LAST_BITS = 2, 3
#: The standard deviation of rounding to nearest, in units in the last place, a little rounded up.
DEVIATION = 0.3


class _Format(NamedTuple):
    """Binary numbers of so many digits, down to the power of two 2^least and up to the largest."""

    name: str
    digits: int
    least: int
    largest: float

    def in_last_places(self, value: float) -> float:
        """Return a finite value in units in its last place: an integer, if it is one of these numbers."""
        if not abs(value) <= self.largest:
            return math.nan
        return math.ldexp(value, -max(math.frexp(value)[1] - self.digits, self.least))

    def spacing(self, value: float) -> float:
        """Return how far the numbers around a value are apart."""
        return math.ldexp(1.0, max(math.frexp(value)[1] - self.digits, -1074))


#: From coarse to fine; the numbers of all are among those of the last.
_FORMATS: tuple[_Format, ...] = (
    _Format("half", 8, -133, math.ldexp(255.0, 120)),
    _Format("half", 11, -24, 65504.0),
    _Format("single", 24, -149, _LARGEST),
)


class _Precision(NamedTuple):
    """A format that all values have had so far, and those, ROUNDED at most, that used one of its last two bits."""

    kind: _Format
    rounded: set[float]

    def holds(self, value: float) -> bool:
        """Tell whether a finite value has this format, and note whether it uses one of the last bits."""
        units = self.kind.in_last_places(value)
        if units.is_integer() and units % (LAST_BITS + 1) and len(self.rounded) < ROUNDED:
            self.rounded.add(value)
        return units.is_integer()


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
        self._formats = tuple(_Precision(kind, set()) for kind in _FORMATS)
        self._is_whole = True

    def add(self, value: float) -> None:
        """Note one more value; one that is not finite tells nothing."""
        if self._formats and value - value == 0.0:
            self._formats = tuple(precision for precision in self._formats if precision.holds(value))
            self._is_whole &= value.is_integer()
            if len(self._different) < SEVERAL:
                self._different.add(value)

    def add_all(self, values: Float64Array) -> None:
        """Note all values of an array."""
        if self._formats and values.size:
            with np.errstate(over="ignore", invalid="ignore"):
                single = values.astype(np.float32)
            is_finite = np.isfinite(values)
            is_rounded = is_finite & ((single.view(np.uint32) & LAST_BITS) != 0)
            self._formats = self._formats[-1:] if np.all((single == values) | ~is_finite) else ()
            for some in (is_finite, is_rounded):
                for value in values[some][:SEVERAL].tolist():
                    self.add(value)

    @property
    def may_be_single(self) -> bool:
        """Whether each of them is a number of single precision."""
        return bool(self._formats)

    @property
    def _possible(self) -> tuple[_Precision, ...]:
        """The formats that values speak for: whole numbers, as of a saturated f, speak for none of few digits."""
        return self._formats[-1:] if self._is_whole else self._formats

    @property
    def may_be_half(self) -> bool:
        """Whether each of them is a number of half precision, or each of the format of 16 bits with a wider range."""
        return len(self._possible) > 1

    @property
    def are_single(self) -> bool:
        """Whether all are of single precision, so many of them that it is no chance, and not by their being exact."""
        return bool(self._formats) and len(self._different) >= SEVERAL and len(self._possible[0].rounded) >= ROUNDED

    @property
    def advice(self) -> str:
        """What to tell of the precision, where it is as low as single; nothing else."""
        if not self.are_single:
            return ""
        return f"All values of f are of {self._possible[0].kind.name} precision: compute them in double precision."

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
    def _deviation(value: float, formats: tuple[_Precision, ...]) -> float:
        size = abs(value)
        if formats and size <= formats[0].kind.largest:
            return DEVIATION * formats[0].kind.spacing(size)
        return DEVIATION * float(np.spacing(size))
