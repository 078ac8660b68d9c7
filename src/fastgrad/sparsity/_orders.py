"""The orders in which a greedy colouring can visit columns."""

from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._typing import Array
from fastgrad.sparsity._pattern import Pattern

__all__ = ["ORDERS", "column_order"]

#: All names of orders that stand for one order; "auto" tries several.
ORDERS = ("natural", "largest_first", "smallest_last", "incidence_degree", "random")


def column_order(pattern: Pattern, order: Any, seed: int) -> Array:
    """Return the columns in the order of this name, the random one from a seed, or in the one given as an array.

    Neighbours are columns with a common row. Largest first: by falling degree (D. J. A. Welsh and M. B. Powell, The
    Computer Journal 10 (1967), 85-86). Smallest last: the last has the lowest degree, the one before it the lowest
    among the others, and so on. Incidence degree: each time the column with most neighbours before it. These three take
    time in proportion to the sum of the squares of the rows' entries.

    Raises
    ------
    ValueError
        If there is no order of this name, or an array is no permutation of the columns.
    """
    n, dtype = pattern.shape[1], pattern.csc[0].dtype
    if not isinstance(order, str):
        return _permutation(order, n, dtype)
    if order == "natural":
        return np.arange(n, dtype=dtype)
    if order == "random":
        return np.random.default_rng(seed).permutation(n).astype(dtype)
    if order not in ORDERS:
        raise ValueError(f"order must be 'auto', {', '.join(map(repr, ORDERS))} or a permutation; got {order!r}.")
    degrees = np.empty(n, dtype)
    graph = (*pattern.csc, *pattern.csr)
    _backend.ordering.degrees(*graph, np.empty(n, dtype), degrees)
    falling = np.argsort(-degrees, kind="stable").astype(dtype)
    if order == "largest_first":
        return falling
    out, work = np.empty(n, dtype), np.empty((4, n), dtype)
    if order == "smallest_last":
        _backend.ordering.by_key(*graph, degrees, np.arange(n, dtype=dtype)[::-1].copy(), -1, work, out)
        return out[::-1].copy()
    _backend.ordering.by_key(*graph, np.zeros(n, dtype), falling[::-1].copy(), 1, work, out)
    return out


def _permutation(order: Any, n: int, dtype: Any) -> Array:
    given = np.asarray(order)
    if given.shape != (n,) or given.dtype.kind not in "iu" or not np.array_equal(np.sort(given), np.arange(n)):
        raise ValueError(f"an order given as an array must be a permutation of 0 to {n - 1}; this one is not.")
    return given.astype(dtype)
