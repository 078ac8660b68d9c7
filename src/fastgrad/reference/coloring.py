"""Greedy colourings of sparse patterns, from their definition.

Two columns may have the same colour where no row has entries in both: then a difference along all columns of a colour
holds, in each row, at most one entry (A. R. Curtis, M. J. D. Powell and J. K. Reid, IMA Journal of Applied Mathematics
13 (1974), 117-119; T. F. Coleman and J. J. Moré, SIAM Journal on Numerical Analysis 20 (1983), 187-209).
"""

from itertools import pairwise

import numpy as np

from fastgrad._typing import Array

__all__ = ["by_period", "first_fit", "group", "next_fit"]


def first_fit(starts: Array, indices: Array, queue: Array, taken: Array, colors: Array) -> int:
    """Give each column in queue the lowest colour that none before it with a common row has; return their number.

    Parameters
    ----------
    starts, indices : ndarray of int32 or intp
        Shapes (n + 1,) and (nnz,): the rows of each column.
    queue : ndarray of the same dtype
        The columns to be coloured, in their order. The compiled twin overwrites it.
    taken : ndarray of uint64, shape (m,)
        Room for the compiled twin.
    colors : ndarray of int32, shape (n,)
        Written for the columns in queue; a column without entries has no colour, -1.

    Raises
    ------
    ValueError
        If the arrays do not fit, or an index lies outside its array.
    """
    columns = _columns(starts, indices, queue, taken, colors)
    colored: list[int] = []
    for j in queue:
        neighbours = {int(colors[k]) for k in colored if columns[j] & columns[k]}
        colors[j] = min(set(range(len(neighbours) + 1)) - neighbours) if columns[j] else -1
        colored.append(int(j))
    return int(max(colors[colored], default=-1)) + 1


def next_fit(starts: Array, indices: Array, order: Array, taken: Array, palette: int, colors: Array) -> int:
    """Give each column the next colour of the palette that it may have; return how many it took, 65 for too many.

    A column takes the first free colour after the one given last, going round the palette's end, and a new colour where
    none is free. On grids this finds the periodic colourings that the lowest free colour misses.

    Parameters
    ----------
    starts, indices, order, taken, colors : ndarray
        As `first_fit` takes them, with order for queue.
    palette : int
        The number of colours at first, from 1 to 64.

    Raises
    ------
    ValueError
        If the arrays do not fit, or an index lies outside its array.
    """
    columns = _columns(starts, indices, order, taken, colors)
    if not 1 <= palette <= 64:
        raise ValueError("a palette has from 1 to 64 colours")
    colored: list[int] = []
    last = -1
    for j in order:
        if not columns[j]:
            colors[j] = -1
            continue
        neighbours = {int(colors[k]) for k in colored if columns[j] & columns[k]}
        free = [(last + 1 + k) % palette for k in range(palette) if (last + 1 + k) % palette not in neighbours]
        if not free:
            if palette == 64:
                return 65
            free = [palette]
            palette += 1
        colors[j] = last = free[0]
        colored.append(int(j))
    return palette


def by_period(starts: Array, indices: Array, period: int, colors: Array) -> bool:
    """Give column j, if it has entries, the colour j mod period; return whether no row has a colour twice.

    Parameters
    ----------
    starts, indices : ndarray of int32 or intp
        Shapes (m + 1,) and (nnz,): the columns of each row.
    period : int
        From 1 to 64.
    colors : ndarray of int32, shape (n,)
        Written; a column without entries has no colour, -1. What it holds where a row has a colour twice is not said.

    Raises
    ------
    ValueError
        If starts is empty, the period out of range, or an index lies outside its array.
    """
    if len(starts) == 0 or not 1 <= period <= 64:
        raise ValueError("starts needs an entry more than there are rows, and a period is from 1 to 64")
    if np.any(indices < 0) or np.any(indices >= len(colors)):
        raise ValueError("an index lies outside its array")
    colors[...] = -1
    colors[indices] = indices % period
    lines = [colors[indices[a:b]] for a, b in pairwise(starts)]
    return all(len(np.unique(line)) == len(line) for line in lines)


def group(colors: Array, starts: Array, members: Array) -> None:
    """Write the members of each colour in rising order, those of colour c from starts[c] to starts[c + 1].

    Parameters
    ----------
    colors : ndarray of int32, shape (n,)
        From 0 on; -1 for those without.
    starts, members : ndarray of int32 or intp
        Written. Shapes (n_colors + 1,) and (those with a colour,).

    Raises
    ------
    ValueError
        If starts or members do not fit the colours.
    """
    if len(starts) == 0:
        raise ValueError("starts needs an entry more than there are colours")
    colored = np.flatnonzero(colors >= 0)
    if len(members) != len(colored) or np.any(colors >= len(starts) - 1):
        raise ValueError("starts or members do not fit the colours")
    starts[...] = [np.sum((colors >= 0) & (colors < c)) for c in range(len(starts))]
    members[...] = colored[np.argsort(colors[colored], kind="stable")]


def _columns(starts: Array, indices: Array, order: Array, taken: Array, colors: Array) -> list[set[int]]:
    """Return the rows of each column as sets, or refuse arrays that do not fit."""
    if len(starts) != len(colors) + 1:
        raise ValueError("starts does not fit colors")
    if np.any(order < 0) or np.any(order >= len(colors)) or np.any(indices < 0) or np.any(indices >= len(taken)):
        raise ValueError("an index lies outside its array")
    return [{int(i) for i in indices[starts[j] : starts[j + 1]]} for j in range(len(colors))]
