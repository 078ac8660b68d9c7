"""The entries that a search has looked at: their errors, and what these add to the residual of a block."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from fastgrad._search.projections import MEAN_SQUARE, Block


@dataclass(frozen=True)
class Look:
    """What a direct difference showed: by how much it misses the claim, whether that fits what was expected."""

    error: float
    is_wrong: bool
    fits: bool


class Found:
    """Errors by entry, and how many of them are wrong.

    Parameters
    ----------
    weight : callable
        From the key of a direction and an entry to how much the entry's error weighs in a residual along it.
    """

    def __init__(self, weight: Callable[[int, int], float]) -> None:
        self.wrong = 0
        self._errors: dict[int, float] = {}
        self._weight = weight
        self._weights: dict[tuple[int, int], float] = {}

    def __len__(self) -> int:
        return len(self._errors)

    def __contains__(self, i: int) -> bool:
        return i in self._errors

    def take(self, i: int, look: Look) -> None:
        """Take note of what a look at an entry showed."""
        self._errors[i] = look.error
        self.wrong += look.is_wrong

    def weight(self, key: int, i: int) -> float:
        """Return how much the error of an entry weighs in a residual along a direction."""
        if (key, i) not in self._weights:
            self._weights[key, i] = self._weight(key, i)
        return self._weights[key, i]

    def explained(self, block: Block, by_place: bool = False) -> float:
        """Return what the entries looked at add to a residual of a block."""
        return math.fsum(
            e * self.weight(block.key, i) * (block.place(i) if by_place else 1.0)
            for i, e in self._errors.items()
            if block.lo <= i < block.hi and math.isfinite(e)
        )

    def worn(self, block: Block) -> float:
        """Return what the noise of the entries looked at adds to the variance of a residual less their parts."""
        return MEAN_SQUARE * sum(block.lo <= i < block.hi for i in self._errors)
