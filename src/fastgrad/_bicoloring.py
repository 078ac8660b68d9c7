"""Colouring rows and columns together: each entry is read from one of them."""

import numpy as np

from fastgrad._greedy import fewest
from fastgrad._pattern import Pattern, from_csc
from fastgrad._typing import Array

__all__ = ["both"]

#: How many bounds between sparse rows and dense ones are tried.
_BOUNDS = 12


def both(pattern: Pattern) -> tuple[Array, Array]:
    """Return colours of columns and of rows, together the fewest found.

    Rows with more entries than some bound are read by rows, and all that is left by columns; or the same with rows and
    columns exchanged. Entries that are read by rows do not keep columns apart, so dense rows cost the columns nothing.
    """
    columns, rows = _split(pattern), _split(pattern.T)
    return columns[:2] if columns[2] <= rows[2] else (rows[1], rows[0])


def _split(pattern: Pattern) -> tuple[Array, Array, int]:
    """Return colours of the columns, of the dense rows, and their number."""
    counts = pattern.row_counts
    none = np.full(pattern.shape[0], -1, np.int32)
    colors, found = fewest(pattern)
    best = colors, none, found
    bounds = np.unique(counts)[:-1]
    if len(bounds) > _BOUNDS:
        bounds = bounds[np.unique(np.geomspace(1, len(bounds), _BOUNDS).astype(np.intp)) - 1]
    for bound in bounds:
        dense = counts > bound
        by_column, n_columns = fewest(_with_rows(pattern, ~dense))
        by_row, n_rows = fewest(_with_rows(pattern, dense).T)
        if n_columns + n_rows < best[2]:
            best = by_column, by_row, n_columns + n_rows
    return best


def _with_rows(pattern: Pattern, kept: Array) -> Pattern:
    """Return the entries of these rows as a pattern of the same shape."""
    starts, rows = pattern.csc
    stays = kept[rows]
    before = np.concatenate([[0], np.cumsum(stays)])
    return from_csc(before[starts], rows[stays], pattern.shape[0])
