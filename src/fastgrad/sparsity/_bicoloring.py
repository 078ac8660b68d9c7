"""Colouring rows and columns together: each entry is read from one of them."""

from collections.abc import Iterator
from itertools import chain

import numpy as np

from fastgrad._typing import Array
from fastgrad.sparsity._greedy import fewest
from fastgrad.sparsity._pattern import Pattern, from_csc

__all__ = ["both"]

#: How many bounds between sparse rows and dense ones are tried.
_BOUNDS = 12


def both(pattern: Pattern) -> tuple[Array, Array]:
    """Return colours of columns and of rows, together the fewest found, and of equally many those with most of rows.

    Rows with more entries than some bound are read by rows, and all that is left by columns; or the same with rows and
    columns exchanged. Entries that are read by rows do not keep columns apart, so dense rows cost the columns nothing.
    """
    ways = chain(_splits(pattern), ((c, r, nc, nr) for r, c, nr, nc in _splits(pattern.T)))
    columns, rows, _, _ = min(ways, key=lambda way: (way[2] + way[3], way[2]))
    return columns, rows


def _splits(pattern: Pattern) -> Iterator[tuple[Array, Array, int, int]]:
    """Yield colours of the columns and of the dense rows, and their numbers, for several bounds."""
    counts = pattern.row_counts
    colors, found = fewest(pattern)
    yield colors, np.full(pattern.shape[0], -1, np.int32), found, 0
    bounds = np.unique(counts)[:-1]
    if len(bounds) > _BOUNDS:
        bounds = bounds[np.unique(np.geomspace(1, len(bounds), _BOUNDS).astype(np.intp)) - 1]
    for bound in bounds:
        dense = counts > bound
        by_column, n_columns = fewest(_with_rows(pattern, ~dense))
        by_row, n_rows = fewest(_with_rows(pattern, dense).T)
        yield by_column, by_row, n_columns, n_rows


def _with_rows(pattern: Pattern, kept: Array) -> Pattern:
    """Return the entries of these rows as a pattern of the same shape."""
    starts, rows = pattern.csc
    stays = kept[rows]
    before = np.concatenate([[0], np.cumsum(stays)])
    return from_csc(before[starts], rows[stays], pattern.shape[0])
