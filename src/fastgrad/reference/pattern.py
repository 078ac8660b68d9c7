"""Patterns of sparse matrices in compressed form, in plain NumPy."""

import numpy as np

from fastgrad._typing import Array

__all__ = ["count", "first_fault", "is_symmetric", "transpose"]


def first_fault(starts: Array, indices: Array, width: int) -> int:
    """Return the first line whose indices do not rise from 0 to less than width; -1 where all are well.

    Parameters
    ----------
    starts, indices : ndarray of int32 or intp
        Shapes (m + 1,) and (nnz,): the indices of line i stand from starts[i] to starts[i + 1].
    width : int

    Raises
    ------
    ValueError
        If starts is empty.
    """
    if len(starts) == 0:
        raise ValueError("starts needs an entry more than there are lines")
    if starts[0] != 0 or starts[-1] != len(indices):
        return 0
    for i in range(len(starts) - 1):
        if not starts[i] <= starts[i + 1] <= len(indices):
            return i
        line = indices[starts[i] : starts[i + 1]]
        if np.any(line < 0) or np.any(line >= width) or np.any(np.diff(line) <= 0):
            return i
    return -1


def count(indices: Array, counts: Array) -> None:
    """Write how often each index occurs.

    Parameters
    ----------
    indices, counts : ndarray of int32 or intp
        Shapes (nnz,) and (n,), the latter written.

    Raises
    ------
    ValueError
        If an index lies outside counts.
    """
    if np.any(indices < 0) or np.any(indices >= len(counts)):
        raise ValueError("an index lies outside its array")
    counts[...] = np.bincount(indices, minlength=len(counts))


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


def is_symmetric(starts: Array, indices: Array, cursor: Array) -> bool:
    """Return whether the lines of a square pattern are those of its transpose too.

    Parameters
    ----------
    starts, indices : ndarray of int32 or intp
        Shapes (n + 1,) and (nnz,): the indices, rising and below n, of each of n lines.
    cursor : ndarray of the same dtype, shape (n,)
        Room for the compiled twin.

    Raises
    ------
    ValueError
        If the arrays do not fit, or are not the compressed form of a pattern.
    """
    if len(starts) != len(cursor) + 1:
        raise ValueError("starts does not fit cursor")
    to, lines = np.empty_like(starts), np.empty_like(indices)
    transpose(starts, indices, to, lines)
    return bool(np.array_equal(starts, to) and np.array_equal(indices, lines))
