"""Greedy colourings of one pattern: in one order, or the best of several tries."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._typing import Array
from fastgrad.sparsity._orders import column_order
from fastgrad.sparsity._pattern import Pattern

__all__ = ["fewest", "one_way", "star"]

#: The most colours that a palette may have at first, so that a few can be added before it is full.
_PALETTE = 56
#: The most that it may come to have.
_WORD = 64
#: The orders tried for a symmetric pattern.
_SYMMETRIC = ("natural", "largest_first", "smallest_last")


def one_way(pattern: Pattern, order: Any, seed: int) -> Array:
    """Return colours of the columns."""
    if isinstance(order, str) and order == "auto":
        return fewest(pattern)[0]
    return _first_fit(pattern, column_order(pattern, order, seed))[0]


def fewest(pattern: Pattern) -> tuple[Array, int]:
    """Return colours of the columns and their number, the fewest of several tries.

    A band repeats its colours as soon as it may. That is seen from its rows, before there are columns.
    """
    least = int(pattern.row_counts.max(initial=0))
    if pattern.is_by_rows and 1 <= least <= _WORD:
        colors = np.empty(pattern.shape[1], np.int32)
        if _backend.coloring.by_period(*pattern.csr, least, colors):
            return colors, least
    natural = np.arange(pattern.shape[1], dtype=pattern.csc[0].dtype)
    best: tuple[Array, int] | None = None
    for colors, found in _tries(pattern, natural, least):
        if best is None or found < best[1]:
            best = colors, found
        if found <= least:
            break
    assert best is not None
    for _ in range(2):
        if best[1] - least <= least // 4:
            break
        best = _first_fit(pattern, _reversed(*best, natural.dtype))
    return best


def _tries(pattern: Pattern, natural: Array, least: int) -> Iterator[tuple[Array, int]]:
    """Yield colourings of the columns in natural order; none has fewer colours than the fullest row has entries.

    The next colour of a palette finds the periodic colourings of grids, for which it sometimes needs one to spare.
    """
    periodic = _PALETTE + 1
    if 1 <= least <= _PALETTE:
        colors, periodic = _next_fit(pattern, natural, least)
        if periodic <= _WORD:
            yield colors, periodic
    lowest, found = _first_fit(pattern, natural.copy())
    yield lowest, found
    if least < _PALETTE and periodic <= found + 1:
        colors, spare = _next_fit(pattern, natural, least + 1)
        if spare <= _WORD:
            yield colors, spare


def _first_fit(pattern: Pattern, queue: Array) -> tuple[Array, int]:
    m, n = pattern.shape
    colors = np.full(n, -1, np.int32)
    return colors, _backend.coloring.first_fit(*pattern.csc, queue, np.empty(m, np.uint64), colors)


def _next_fit(pattern: Pattern, order: Array, palette: int) -> tuple[Array, int]:
    m, n = pattern.shape
    colors = np.full(n, -1, np.int32)
    return colors, _backend.coloring.next_fit(*pattern.csc, order, np.empty(m, np.uint64), palette, colors)


def _reversed(colors: Array, count: int, dtype: Any) -> Array:
    """Return the columns by colour, the last colour first; none for those without."""
    flipped = np.where(colors >= 0, count - 1 - colors, -1).astype(np.int32)
    members = np.empty(int(np.count_nonzero(colors >= 0)), dtype)
    _backend.coloring.group(flipped, np.empty(count + 1, dtype), members)
    return members


def star(pattern: Pattern, order: Any, seed: int) -> Array:
    """Return colours of the vertices of a symmetric pattern."""
    starts, indices = pattern.csr
    n, nnz, dtype = len(starts) - 1, len(indices), starts.dtype
    orders = _SYMMETRIC if isinstance(order, str) and order == "auto" else (order,)
    best, fewest = np.full(n, -1, np.int32), n + 1
    for way in orders:
        colors = np.full(n, -1, np.int32)
        room = np.empty(nnz, dtype), np.zeros(nnz, np.uint8), np.empty((3, n), dtype)
        found = _backend.star.star(starts, indices, column_order(pattern, way, seed), *room, colors)
        if found < fewest:
            best, fewest = colors, found
    return best
