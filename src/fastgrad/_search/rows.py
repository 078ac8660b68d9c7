"""In which rows of a matrix most of a dense error lies: parts of the rows, cut where residuals are largest."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from fastgrad._search.projections import MEAN_SQUARE, Block
from fastgrad._tree import Leaf

#: Parts that a range of rows is cut into, ranges that are followed, and directions that each is measured along.
PARTS, FOLLOWED, DIRECTIONS = 8, 3, 2
#: A row stands out if its error is so many times the root mean square over all rows.
STANDS_OUT = 3.0


class Row(NamedTuple):
    """A row of a leaf, by name, and the norm of its errors, roughly."""

    name: str
    norm: float


class _Range(NamedTuple):
    leaf: Leaf
    lo: int
    hi: int
    norm: float


def worst_rows(
    residual: Callable[[Block], float], leaves: Sequence[Leaf], keys: Iterator[int], norm: float
) -> tuple[Row, ...]:
    """Return the rows that stand out, worst first; none where the error is spread over all of them.

    Parameters
    ----------
    residual : callable
        By how much the claim misses the slope of f along a block.
    leaves : sequence of Leaf
        What x is made of; those with two axes and more have rows.
    keys : iterator of int
        Of fresh directions.
    norm : float
        Of all errors.
    """

    def largest(ranges: Iterable[_Range]) -> list[_Range]:
        measured = [r._replace(norm=_norm(residual, r, keys)) for r in ranges]
        return sorted(measured, key=lambda r: -r.norm)[:FOLLOWED]

    ranges = [
        _Range(leaf, 0, leaf.shape[0], math.inf) for leaf in leaves if len(leaf.shape) > 1 and leaf.stop > leaf.start
    ]
    count = sum(r.hi for r in ranges)
    if len(ranges) > FOLLOWED:
        ranges = largest(ranges)
    while any(r.hi - r.lo > 1 for r in ranges):
        ranges = largest(part for r in ranges for part in _parts(r))
    least = STANDS_OUT * norm / math.sqrt(max(count, 1))
    return tuple(Row(f"{r.leaf.path}[{r.lo}]", r.norm) for r in ranges if r.norm >= least)


def _parts(r: _Range) -> Iterator[_Range]:
    edges = [r.lo + (r.hi - r.lo) * k // PARTS for k in range(PARTS + 1)]
    return (_Range(r.leaf, lo, hi, math.inf) for lo, hi in pairwise(edges) if hi > lo)


def _norm(residual: Callable[[Block], float], r: _Range, keys: Iterator[int]) -> float:
    width = math.prod(r.leaf.shape[1:])
    lo, hi = (r.leaf.start + row * width for row in (r.lo, r.hi))
    squares = [residual(Block(next(keys), lo, hi)) ** 2 for _ in range(DIRECTIONS)]
    return math.sqrt(math.fsum(squares) / DIRECTIONS / MEAN_SQUARE)
