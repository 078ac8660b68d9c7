"""From the residual of a block to the wrong entries in it: by the ratio of two residuals, and by halving."""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from fastgrad._search.calibration import Calibration
from fastgrad._search.found import Found, Look
from fastgrad._search.projections import MEAN_SQUARE, Block, Projections

#: Entries that a ratio may point at, of which each is looked at.
CANDIDATES = 3
#: In a block of more entries than these only the nearest is: as likely as not several are wrong in it.
FEW = 64
#: A ratio that leaves at most this share of a block is followed; one that leaves more is not.
SHARE = 1 / 3
#: Residuals by subtraction lose precision; beyond these multiples of the noise's variance they are measured afresh.
WORN, WORN_BY_PLACE = 12.0, 100.0
#: Sums of differences within tolerance along two directions are alike within this factor of their deviation.
ALIKE = 5.0
#: By what share of an error the rounding of small steps may falsify what it adds along another direction.
SLACK = 1e-3
#: Where three halvings in a row find both halves wrong, so many entries are looked at; two wrong ones make it dense.
CHAIN, LOOKS, DENSE = 3, 12, 2


@dataclass(order=True)
class _Node:
    """A block of which the residual is too large, with the variances of both residuals in units of one measurement."""

    rank: float
    block: Block = field(compare=False)
    plain: float = field(compare=False)
    by_place: float | None = field(compare=False, default=None)
    wear: float = field(compare=False, default=1.0)
    wear_by_place: float = field(compare=False, default=1.0)
    chain: int = field(compare=False, default=0)
    top: Block | None = field(compare=False, default=None)


class Decoder:
    """Follow residuals to entries.

    Parameters
    ----------
    projections : Projections
    calibration : Calibration
    floor : float
        A residual below does not matter.
    look : callable
        From an entry, the error expected of it, its uncertainty, and how far the entry was moved, to a `Look`, by
        differences of its own.
    tolerance : callable
        From a block to the largest error that is none in its largest entry.
    may_go_on : callable
        Whether more calls may be made.
    sample : callable
        From a block to a few of its entries at random.

    Attributes
    ----------
    found : Found
        The entries looked at.
    dense : list of Block
        Blocks in which too many entries are wrong to name them.
    loose : float
        The largest residual that was left unexplained because no single entry's tolerance is that small.
    is_complete : bool
        Whether everything was followed to its end.
    """

    def __init__(
        self,
        projections: Projections,
        calibration: Calibration,
        floor: float,
        look: Callable[[int, float, float, float], Look],
        tolerance: Callable[[Block], float],
        may_go_on: Callable[[], bool],
        sample: Callable[[Block, int], list[int]],
    ) -> None:
        self.dense: list[Block] = []
        self.loose = 0.0
        self.is_complete = True
        self._p = projections
        self._h = calibration.h
        self._threshold = calibration.threshold
        self._repeats = calibration.repeats
        self._floor = floor
        self._look = look
        self._tolerance = tolerance
        self._may_go_on = may_go_on
        self._sample = sample
        self._heap: list[_Node] = []
        self._probed: list[Block] = []
        self._roots = calibration.residuals
        self._squares = 0.0
        self.found = Found(lambda key, i: projections.weight(key, i, calibration.h))

    def limit(self, wear: float = 1.0) -> float:
        """Return what a residual of so many measurements may be with nothing wrong."""
        return max(self._threshold * math.sqrt(wear), self._floor)

    def _leave(self, node: _Node) -> None:
        """Leave the residual of a block as the sum of differences within tolerance."""
        rest = abs(self._rest(node))
        self.loose = max(self.loose, rest)
        self._squares += rest * rest

    def is_explained(self, rest: float) -> bool:
        """Tell whether the rest of a residual of everything is no more than noise, or than what blocks were left with.

        Along another direction the differences within tolerance add up to another sum, of the same size.
        """
        return abs(rest) <= max(self.limit(1.0 + MEAN_SQUARE * len(self.found)), ALIKE * math.sqrt(self._squares))

    def run(self, key: int, residual: float) -> None:
        """Follow the residual of everything along a direction."""
        self.loose = self._squares = 0.0
        self._push(_Node(0.0, Block(key, 0, self._p.size), residual))
        while self._heap:
            if not self._may_go_on():
                self.is_complete = False
                break
            node = heapq.heappop(self._heap)
            if not any(_within(node.block, d) for d in self.dense):
                self._follow(node)

    def _rest(self, node: _Node) -> float:
        """Return the part of a node's residual that no entry looked at explains."""
        return node.plain - self.found.explained(node.block)

    def _is_open(self, node: _Node) -> bool:
        return abs(self._rest(node)) > self.limit(node.wear + self.found.worn(node.block))

    def _push(self, node: _Node) -> None:
        if not math.isfinite(node.plain):
            self.is_complete = False
        elif self._is_open(node):
            node.rank = -abs(self._rest(node))
            heapq.heappush(self._heap, node)

    def _residual(self, block: Block, by_place: bool = False) -> float:
        return self._p.residual(block, self._h, by_place, self._repeats)

    def _follow(self, node: _Node) -> None:
        block = node.block
        if not self._is_open(node):
            return
        if node.wear > WORN:
            node.plain, node.wear = self._residual(block), 1.0
            self._push(node)
            return
        if block.size == 1:
            self._take(node, block.lo)
            return
        if node.by_place is None or node.wear_by_place > WORN_BY_PLACE:
            node.by_place, node.wear_by_place = self._residual(block, by_place=True), 1.0
        if self._follow_ratio(node):
            return
        if self._tolerance(block) >= 4.0 * abs(self._rest(node)):
            self._leave(node)
            return
        if node.chain >= CHAIN and self._is_dense(node):
            return
        self._halve(node)

    def _follow_ratio(self, node: _Node) -> bool:
        """Follow the place that the ratio of both residuals points at, as if one entry was wrong; tell if it led on."""
        found = self._candidates(node)
        if found is None:
            return False
        lo, hi, nearest = found
        if hi - lo <= CANDIDATES:
            near = sorted(range(lo, hi), key=lambda i: abs(i - nearest))
            if not self._is_likely(node, near[0]):
                return False
            return any(self._take(node, i) for i in near[: 1 if node.block.size > FEW else CANDIDATES])
        if hi - lo > SHARE * node.block.size:
            return False
        part = _Node(0.0, Block(node.block.key, lo, hi), self._residual(Block(node.block.key, lo, hi)))
        if abs(self._rest(node) - self._rest(part)) > self.limit(node.wear + 1.0 + self.found.worn(node.block)):
            return False
        self._push(part)
        return True

    def _is_likely(self, node: _Node, i: int) -> bool:
        """Tell whether the residuals of everything along other directions allow that this entry alone is wrong."""
        block = node.block
        if block.size < self._p.size:
            return True
        error = self._rest(node) / self.found.weight(block.key, i)
        for key, residual in self._roots:
            rest = residual - self.found.explained(Block(key, 0, block.size)) - error * self.found.weight(key, i)
            if abs(rest) > 2.0 * self.limit(node.wear + self.found.worn(block)) + SLACK * abs(error):
                return False
        return True

    def _candidates(self, node: _Node) -> tuple[int, int, float] | None:
        """Return the range of entries that the ratio points at, and the place in it; None where it points at none."""
        block = node.block
        assert node.by_place is not None
        plain, worn = self._rest(node), self.found.worn(block)
        place = (node.by_place - self.found.explained(block, by_place=True)) / plain
        unsure = self._threshold * (math.sqrt(node.wear_by_place + worn) + abs(place) * math.sqrt(node.wear + worn))
        slack = unsure / abs(plain) + self._p.grain(self._h)
        if not (abs(place) - slack <= 1.0 and slack < 1.0):
            return None
        nearest = block.lo + ((place + 1.0) * block.size - 1.0) / 2.0
        reach = slack * block.size / 2.0
        lo = max(block.lo, math.ceil(nearest - reach - 0.25))
        hi = min(block.hi, math.floor(nearest + reach + 0.25) + 1)
        return (lo, hi, nearest) if lo < hi else None

    def _take(self, node: _Node, i: int) -> bool:
        """Look at an entry; where it explains the residual, or is wrong, take its part away and go on with the rest."""
        if i in self.found:
            return False
        weight = self.found.weight(node.block.key, i)
        unsure = self._threshold * math.sqrt(node.wear + self.found.worn(node.block)) / abs(weight)
        look = self._look(i, self._rest(node) / weight, unsure, abs(weight) * self._h)
        self.found.take(i, look)
        if not (look.is_wrong or look.fits):
            return False
        self._push(node)
        return True

    def _halve(self, node: _Node) -> None:
        """Measure the left half; what is left of both residuals is the right half's."""
        block = node.block
        middle = (block.lo + block.hi) // 2
        left, right = Block(block.key, block.lo, middle), Block(block.key, middle, block.hi)
        top = node.top or block
        a = _Node(0.0, left, self._residual(left), top=top)
        b = _Node(0.0, right, node.plain - a.plain, wear=node.wear + a.wear, top=top)
        is_left, is_right = self._is_open(a), self._is_open(b)
        if not (is_left or is_right):
            self._leave(node)
            return
        assert node.by_place is not None
        share = left.size / block.size
        rest = node.by_place - (share - 1.0) * a.plain - share * b.plain
        worn = node.wear_by_place + a.wear + b.wear
        if is_left and is_right:
            a.chain = b.chain = node.chain + 1
            a.by_place = self._residual(left, by_place=True)
            b.by_place = (rest - share * a.by_place) / (1.0 - share)
            b.wear_by_place = (worn + 1.0) / (1.0 - share) ** 2
        elif is_left:
            rest -= (1.0 - share) * self.found.explained(right, by_place=True)
            a.by_place, a.wear_by_place, a.top = rest / share, worn / share**2, None
        else:
            rest -= share * self.found.explained(left, by_place=True)
            b.by_place, b.wear_by_place, b.top = rest / (1.0 - share), worn / (1.0 - share) ** 2, None
        self._push(a)
        self._push(b)

    def _is_dense(self, node: _Node) -> bool:
        """Look at a few entries of the block at which the halvings began to find both halves wrong."""
        top = node.top or node.block
        node.chain, node.top = 0, None
        if any(_within(top, p) for p in self._probed):
            return False
        self._probed.append(top)
        wrong = 0
        for i in self._sample(top, LOOKS):
            if i not in self.found:
                look = self._look(i, math.nan, math.nan, self._h)
                self.found.take(i, look)
                wrong += look.is_wrong
        if wrong < DENSE:
            return False
        self.dense.append(top)
        return True


def _within(block: Block, other: Block) -> bool:
    return other.lo <= block.lo and block.hi <= other.hi
