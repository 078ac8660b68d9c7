"""Whether all values of a function are rounded to a few decimals, as those of a loss that was printed or logged are."""

import math

from fastgrad._formats import BFLOAT16, HALF

#: Nobody rounds to more decimals.
MOST = 8
#: A value has so few by chance once in as many cases; larger values, whose own digits end there, tell nothing.
CHANCE = 1e4
#: So many different values are evidence enough to tell of it.
SEVERAL = 3


class ShownDecimals:
    """The most decimals that a value has had so far.

    Numbers of few binary digits are short in decimals, too, and no evidence that anything was rounded. A function that
    is exact has values with many decimals as soon as its argument has.
    """

    __slots__ = ("_places", "_telling")

    def __init__(self) -> None:
        self._places = 1
        self._telling: set[float] = set()

    def add(self, value: float) -> None:
        """Note a finite value."""
        while self._places <= MOST and round(value, self._places) != value:
            self._places += 1
        if self._places <= MOST and CHANCE * math.ulp(value) > 10.0**-self._places:
            self._places = MOST + 1
        if self._places <= MOST and len(self._telling) < SEVERAL and not _is_short(value):
            self._telling.add(value)

    def spacing(self, values: int) -> float:
        """Return how far the values are apart, if so many tell of it; else 0."""
        return 10.0**-self._places if self._places <= MOST and len(self._telling) >= values else 0.0

    @property
    def advice(self) -> str:
        """What to tell of it, if several values do; nothing else."""
        if not self.spacing(SEVERAL):
            return ""
        places = "1 decimal" if self._places == 1 else f"{self._places} decimals"
        return f"All values of f are rounded to {places}: return them as they are."


def _is_short(value: float) -> bool:
    return any(format.in_last_places(value).is_integer() for format in (HALF, BFLOAT16))
