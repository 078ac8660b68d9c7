"""What is known once a claim was found wrong, and whether a supposition about its bug fits all of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fastgrad._tree import Leaf
from fastgrad._typing import Array, Float64Array, IndexArray

Truths = NDArray[np.bool_]

#: A value that should be equal to another may differ by this, relative, by the character of the precision judged.
RELATIVE = {"d": 1e-6, "f": 1e-3}
#: And by this in relation to the largest measured entry, which is what central differences resolve.
FLOOR = {"d": 1e-10, "f": 1e-7}
#: Entries without an error bound of their own may differ by so many times as much.
LOOSE = 10.0
#: An entry tells a supposition from chance when claim and measurement differ by so many times what they may differ by.
CLEAR = 8.0
#: Long lines are looked at in blocks of so many entries.
BLOCK = 1 << 16
#: What happens by chance in fewer cases than this is believed to be no chance.
CHANCE = 1e-3
#: Leaves and regions of more entries are not looked at as a whole.
LARGEST = 1 << 22
#: This share of the entries that tell anything must fit: the rest is left to kinks and bad luck.
SHARE = 0.98


@dataclass(frozen=True)
class Evidence:
    """Claim and measurement of all entries, as lines, and which of them are wrong.

    Attributes
    ----------
    x, claimed : ndarray, shape (n,)
        The point and the whole claim.
    measured : ndarray, shape (n,)
        NaN where nothing is known. An entry that is known to be right without a measurement of its own holds its claim.
    wrong : ndarray of intp
        Flat indices of the entries found wrong.
    bound : ndarray, shape of `wrong`
        Error bounds of their measurements; NaN where there is none.
    leaves : tuple of Leaf
        What x is made of.
    precision : {"d", "f"}
        By which the claim is judged.
    is_complete : bool
        Whether no other entries are wrong: after a sample, or a search that could not name all, others may be.
    """

    x: Array
    claimed: Array
    measured: Array
    wrong: IndexArray
    bound: Float64Array
    leaves: tuple[Leaf, ...]
    precision: str
    is_complete: bool = True

    def only(self, chosen: Truths) -> "Evidence":
        """Return the evidence with some of the wrong entries alone."""
        return replace(self, wrong=self.wrong[chosen], bound=self.bound[chosen])

    def sample(self, most: int) -> "Evidence":
        """Return the evidence with at most so many wrong entries, evenly drawn."""
        if self.wrong.size <= most:
            return self
        chosen = np.zeros(self.wrong.size, np.bool_)
        chosen[np.linspace(0, self.wrong.size - 1, most).astype(np.intp)] = True
        return self.only(chosen)

    @cached_property
    def touched(self) -> tuple[Leaf, ...]:
        """The leaves that hold wrong entries."""
        return tuple(leaf for leaf in self.leaves if np.any((self.wrong >= leaf.start) & (self.wrong < leaf.stop)))

    @cached_property
    def c(self) -> Float64Array:
        """What is claimed at the wrong entries."""
        return self.claimed[self.wrong].astype(np.float64)

    @cached_property
    def m(self) -> Float64Array:
        """What was measured at the wrong entries."""
        return self.measured[self.wrong].astype(np.float64)

    @cached_property
    def scale(self) -> float:
        """The magnitude of the largest measured entry."""
        with np.errstate(invalid="ignore"):
            low, high = np.fmin.reduce(self.measured, initial=0.0), np.fmax.reduce(self.measured, initial=0.0)
        scale = max(-float(low), float(high))
        return scale if np.isfinite(scale) else float(np.max(np.abs(self.m), initial=0.0))

    @cached_property
    def slack(self) -> Float64Array:
        """By how much something equal to the measured value may differ from it, at the wrong entries."""
        usual = self.slack_of(self.m)
        return np.where(np.isnan(self.bound), usual, usual + 4 * self.bound)

    def slack_of(self, measured: Float64Array) -> Float64Array:
        """Return by how much something equal to these measured values may differ from them, their bounds unknown."""
        return RELATIVE[self.precision] * np.abs(measured) + FLOOR[self.precision] * self.scale

    @cached_property
    def is_clear(self) -> Truths:
        """Which of the wrong entries are so far off that a supposition that fits does not fit by chance."""
        return np.abs(self.c - self.m) > CLEAR * self.slack

    @cached_property
    def usual_bound(self) -> float:
        """The middle one of the error bounds; 0 where there is none."""
        return float(np.nanmedian(self.bound)) if np.any(np.isfinite(self.bound)) else 0.0

    def near(self, i: IndexArray, expected: Float64Array) -> Truths:
        """Tell whether the expected values are what was measured at any entries, as far as a first look can tell."""
        measured = self.measured[i].astype(np.float64)
        with np.errstate(invalid="ignore"):
            return np.abs(expected - measured) <= LOOSE * (self.slack_of(measured) + self.usual_bound)

    def near_wrong(self, expected: Float64Array) -> Truths:
        """Tell the same for expected values at all wrong entries, whose error bounds are known."""
        return np.abs(expected - self.m) <= self.slack


@dataclass(frozen=True)
class Supposition:
    """Something that may be the matter with a claim.

    Attributes
    ----------
    expected : callable
        What would have been measured at these flat indices, if it were so; NaN where it does not say.
    relation, cause : str
        In words: how claimed and measured are related, and why, probably.
    least : int
        How many entries must tell it from chance.
    leaf : Leaf or None
        Where it can only hold of a whole leaf: which; None where it speaks of each entry by itself.
    """

    expected: Callable[[IndexArray], Float64Array]
    relation: str
    cause: str
    least: int
    leaf: Leaf | None = None

    def fits(self, evidence: Evidence) -> int:
        """Return at how many wrong entries it holds; 0 where it does not fit the evidence."""
        with np.errstate(all="ignore"):
            expected = self.expected(evidence.wrong)
            says = ~np.isnan(expected)
            holds = says & evidence.near_wrong(expected)
        told, clear = np.count_nonzero(holds & evidence.is_clear), np.count_nonzero(says & evidence.is_clear)
        is_general = 2 * np.count_nonzero(says) > says.size
        return int(np.count_nonzero(holds)) if is_general and told >= max(self.least, SHARE * clear) else 0

    def holds_everywhere(self, evidence: Evidence) -> bool:
        """Tell whether it holds at all entries of its leaf that it says anything of and that are known."""
        if self.leaf is None:
            return True
        for start in range(self.leaf.start, self.leaf.stop, BLOCK):
            i = np.arange(start, min(start + BLOCK, self.leaf.stop))
            expected = self.expected(i)
            is_silent = np.isnan(expected) | np.isnan(evidence.measured[i]) | ~np.isfinite(evidence.claimed[i])
            if not np.all(is_silent | evidence.near(i, expected)):
                return False
        return True
