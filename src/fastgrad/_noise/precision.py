"""Whether a function's values are all of a lower precision than its argument: it rounds more coarsely then."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrad._formats import BFLOAT16, HALF, SINGLE, Format
from fastgrad._typing import Float64Array

#: The spacing of values of single precision at 1.
ULP = float(np.finfo(np.float32).eps)
#: A function that has shown so many different values, all of a low precision, computes in it, …
SEVERAL = 3
#: … if so many of them use one of its last two bits: three of four that were rounded do, and hardly one that is exact
#: without rounding, as those of a linear function where x and the step have few digits.
ROUNDED, LAST_BITS = 2, 3
#: The standard deviation of rounding to nearest, in units in the last place, a little rounded up.
DEVIATION = 0.3
#: From coarse to fine; the numbers of all are among those of the last.
FORMATS = (BFLOAT16, HALF, SINGLE)


def may_be_half(values: Float64Array) -> NDArray[np.bool_]:
    """Tell which of some values are of half precision or of bfloat16, and not whole."""
    return np.asarray((BFLOAT16.of_all(values) | HALF.of_all(values)) & (values != np.rint(values)))


def may_be_single(values: Float64Array) -> NDArray[np.bool_]:
    """Tell which of some values are of single precision, and not zero."""
    return np.asarray(SINGLE.of_all(values) & (values != 0.0))


class _Candidate(NamedTuple):
    """A format that all values have had so far, and those, ROUNDED at most, that used one of its last two bits."""

    format: Format
    rounded: set[float]

    def holds(self, value: float) -> bool:
        """Tell whether a finite value has this format, and note whether it uses one of the last bits."""
        units = self.format.in_last_places(value)
        if units.is_integer() and units % (LAST_BITS + 1) and len(self.rounded) < ROUNDED:
            self.rounded.add(value)
        return units.is_integer()


class ShownPrecision:
    """The precision of a function, as far as the values that it has shown tell it."""

    __slots__ = ("_candidates", "_different", "_is_whole")

    def __init__(self) -> None:
        self._different: set[float] = set()
        self._candidates = tuple(_Candidate(format, set()) for format in FORMATS)
        self._is_whole = True

    def add(self, value: float) -> None:
        """Note one more value; one that is not finite tells nothing."""
        if self._candidates and value - value == 0.0:
            self._candidates = tuple(candidate for candidate in self._candidates if candidate.holds(value))
            self._is_whole &= value.is_integer()
            if len(self._different) < SEVERAL:
                self._different.add(value)

    def add_all(self, values: Float64Array) -> None:
        """Note all values of an array, which is asked for single precision only."""
        if not (self._candidates and values.size):
            return
        is_finite = np.isfinite(values)
        if not np.all(SINGLE.of_all(values) | ~is_finite):
            self._candidates = ()
            return
        self._candidates = self._candidates[-1:]
        with np.errstate(over="ignore", invalid="ignore"):
            is_rounded = is_finite & ((values.astype(np.float32).view(np.uint32) & LAST_BITS) != 0)
        for some in (is_finite, is_rounded):
            for value in values[some][:SEVERAL].tolist():
                self.add(value)

    @property
    def may_be_single(self) -> bool:
        """Whether each value so far is a number of single precision."""
        return bool(self._candidates)

    @property
    def may_be_half(self) -> bool:
        """Whether each is one of half precision, or each one of bfloat16, and not all are whole."""
        return len(self._possible) > 1

    @property
    def is_low(self) -> bool:
        """Whether all are of single precision or less, so many that it is no chance, and not by their being exact."""
        if not self._candidates or len(self._different) < SEVERAL:
            return False
        return len(self._possible[0].rounded) >= ROUNDED

    @property
    def advice(self) -> str:
        """What to tell of the precision, where it is as low as single; nothing else."""
        if not self.is_low:
            return ""
        return f"All values of f are of {self._possible[0].format.name}: compute them in double precision."

    def ulp(self, usual: float) -> float:
        """Return the spacing of the function's values at 1: the usual one of its argument, or single precision's."""
        return max(ULP, usual) if self.is_low else usual

    def rounding(self, value: float) -> float:
        """Return the standard deviation that rounding has at a value, in the least precision that all may have.

        A single value, be it a round one, makes no function one of half precision.
        """
        return self._deviation(value, self._possible if len(self._different) > 1 else self._candidates[-1:])

    def coarsest_rounding(self, value: float) -> float:
        """Return the same, where one value counts as well."""
        return self._deviation(value, self._possible)

    @property
    def _possible(self) -> tuple[_Candidate, ...]:
        """The formats that values speak for: whole numbers, as of a saturated f, speak for none of few digits."""
        return self._candidates[-1:] if self._is_whole else self._candidates

    @staticmethod
    def _deviation(value: float, candidates: tuple[_Candidate, ...]) -> float:
        size = abs(value)
        if candidates and size <= candidates[0].format.largest:
            return DEVIATION * candidates[0].format.spacing(size)
        return DEVIATION * float(np.spacing(size))
