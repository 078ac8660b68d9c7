"""Whether a function's values are all of single precision, whatever its argument is: it rounds more coarsely then."""

import numpy as np

from fastgrad._typing import Float64Array

#: The spacing of such values at 1.
ULP = float(np.finfo(np.float32).eps)
#: What to tell of it.
ADVICE = "All values of f are of single precision: compute them in double precision."
_LARGEST = float(np.finfo(np.float32).max)
#: A function that has shown so many different values, all of single precision, computes in it, …
SEVERAL = 3
#: … if so many of them use one of the last two bits: three of four that were rounded do, and hardly one that is exact
#: without rounding, as those of a linear function where x and the step have few digits.
ROUNDED, LAST_BITS = 2, 3
#: The standard deviation of rounding to nearest, in units in the last place, a little rounded up.
DEVIATION = 0.3


class Values:
    """The values that a function has shown, as far as they tell its precision.

    Attributes
    ----------
    may_be_single : bool
        Whether each of them is a number of single precision.
    """

    __slots__ = ("_different", "_rounded", "may_be_single")

    def __init__(self) -> None:
        self._different: set[float] = set()
        self._rounded: set[float] = set()
        self.may_be_single = True

    def add(self, value: float) -> None:
        """Note one more value; one that is not finite tells nothing."""
        if self.may_be_single and value - value == 0.0:
            single = np.float32(value if abs(value) <= _LARGEST else np.inf)
            self.may_be_single = float(single) == value
            if len(self._different) < SEVERAL:
                self._different.add(value)
            if len(self._rounded) < ROUNDED and int(single.view(np.uint32)) & LAST_BITS:
                self._rounded.add(value)

    def add_all(self, values: Float64Array) -> None:
        """Note all values of an array."""
        if self.may_be_single and values.size:
            with np.errstate(over="ignore", invalid="ignore"):
                single = values.astype(np.float32)
            is_finite = np.isfinite(values)
            self.may_be_single = bool(np.all((single == values) | ~is_finite))
            if len(self._different) < SEVERAL:
                self._different.update(values[is_finite][:SEVERAL].tolist())
            if len(self._rounded) < ROUNDED:
                is_rounded = is_finite & ((single.view(np.uint32) & LAST_BITS) != 0)
                self._rounded.update(values[is_rounded][:ROUNDED].tolist())

    @property
    def are_single(self) -> bool:
        """Whether all are of single precision, so many of them that it is no chance, and not by their being exact."""
        return self.may_be_single and len(self._different) >= SEVERAL and len(self._rounded) >= ROUNDED

    def ulp(self, usual: float) -> float:
        """Return the spacing of the function's values at 1: the usual one of its argument, or single precision's."""
        return max(ULP, usual) if self.are_single else usual

    def rounding(self, value: float) -> float:
        """Return the standard deviation that rounding has at a value, in the precision that all of them may have."""
        size = abs(value)
        return DEVIATION * float(np.spacing(np.float32(size) if self.may_be_single and size <= _LARGEST else size))
