"""Patterns of sparse matrices in compressed form, in plain NumPy."""

import numpy as np

from fastgrad._typing import Array

__all__ = ["first_fault", "transpose"]


def first_fault(starts: Array, indices: Array, counts: Array) -> int:
    """Return the first line whose indices do not rise from 0 to less than len(counts); -1 where all are well, counted.

    Parameters
    ----------
    starts, indices : ndarray of int32 or intp
        Shapes (m + 1,) and (nnz,): the indices of line i stand from starts[i] to starts[i + 1].
    counts : ndarray of the same dtype, shape (n,)
        Written: how often each index occurs. What it holds after a fault is not said.

    Raises
    ------
    ValueError
        If starts is empty.
    """
    if len(starts) == 0:
        raise ValueError("starts needs an entry more than there are lines")
    counts[...] = 0
    if starts[0] != 0 or starts[-1] != len(indices):
        return 0
    for i in range(len(starts) - 1):
        if not starts[i] <= starts[i + 1] <= len(indices):
            return i
        line = indices[starts[i] : starts[i + 1]]
        if np.any(line < 0) or np.any(line >= len(counts)) or np.any(np.diff(line) <= 0):
            return i
        counts[line] += 1
    return -1


def transpose(starts: Array, indices: Array, to: Array, lines: Array) -> None:
    """Write the lines of the other direction: from rows to columns, or back. Each comes out in rising order.

    Parameters
    ----------
    starts, indices : ndarray of int32 or intp
        Shapes (m + 1,) and (nnz,): the indices, below n, of each of m lines.
    to, lines : ndarray of the same dtype
        Shapes (n + 1,) and (nnz,), written: the lines in which each index occurs.

    Raises
    ------
    ValueError
        If the arrays are not the compressed form of a pattern.
    """
    if len(starts) == 0 or len(to) == 0:
        raise ValueError("starts needs an entry more than there are lines")
    lengths = np.diff(starts)
    if starts[0] != 0 or starts[-1] != len(indices) or len(lines) != len(indices) or np.any(lengths < 0):
        raise ValueError("the arrays are not the compressed form of a pattern")
    if np.any(indices < 0) or np.any(indices >= len(to) - 1):
        raise ValueError("the arrays are not the compressed form of a pattern")
    lines[...] = np.repeat(np.arange(len(lengths)), lengths)[np.argsort(indices, kind="stable")]
    to[...] = np.searchsorted(np.sort(indices), np.arange(len(to)))
