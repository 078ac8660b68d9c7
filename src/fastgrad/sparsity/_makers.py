"""Patterns of usual kinds, and patterns read from what users have: SciPy arrays, dense arrays, callables."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fastgrad._arrays import is_masked_array, whole_number
from fastgrad._errors import ShapeError
from fastgrad._typing import Array
from fastgrad.sparsity._pattern import Pattern, from_csc, from_csr, index_dtype, read_shape

__all__ = ["as_pattern", "banded", "block_diagonal"]

#: Positions that a callable is asked about at a time.
_AT_A_TIME = 2**20


def as_pattern(given: Any, shape: Any = None) -> Pattern:
    """Return the pattern that something stands for.

    Parameters
    ----------
    given : Pattern, SciPy sparse array or matrix, array_like of shape (m, n), or callable
        Of a SciPy array of any format, what is stored counts, be its value zero or not: a Jacobian's zeros at one point
        may be other numbers elsewhere. (SciPy itself drops stored zeros of the format "dia".) Of a dense array, what is
        true, or not zero, counts. A callable is asked with arrays of rows i, shape (k, 1), and of columns j, shape
        (1, n), and says by an array of bool that broadcasts to (k, n) which entries there are; it is asked about all
        m·n entries, a million at a time.
    shape : pair of int, optional
        What shape the pattern has to have; needed for a callable.

    Returns
    -------
    Pattern

    Raises
    ------
    ShapeError
        If what is given has another shape, or no two dimensions; or if a callable comes without a shape.
    TypeError
        If it is nothing that a pattern can be read from.

    Examples
    --------
    >>> from fastgrad import sparsity
    >>> sparsity.as_pattern([[1.0, 0.0], [2.0, 3.0]])
    Pattern(2 x 2, 3 entries)
    >>> sparsity.as_pattern(lambda i, j: i >= j, (100, 100)).nnz
    5050
    """
    wanted = None if shape is None else read_shape(shape)
    if isinstance(given, Pattern):
        pattern = given
    elif callable(getattr(given, "tocsc", None)):
        pattern = _from_scipy(given)
    elif callable(given):
        if wanted is None:
            raise ShapeError("a callable tells which entries there are, not how many rows and columns: give a shape.")
        return _from_callable(given, *wanted)
    else:
        pattern = _from_dense(given)
    if wanted is not None and pattern.shape != wanted:
        raise ShapeError(f"the pattern has shape {pattern.shape}; expected {wanted}.")
    return pattern


def banded(n: int, lower: int = 1, upper: int | None = None, *, m: int | None = None) -> Pattern:
    """Return the pattern of a banded matrix: entries (i, j) with -lower ≤ j - i ≤ upper.

    Parameters
    ----------
    n : int
        The number of columns, and of rows.
    lower, upper : int
        How many diagonals there are below and above the main one; upper is lower where it is not given. A negative
        number leaves out the main diagonal and more.
    m : int, optional
        The number of rows, where it is another.

    Returns
    -------
    Pattern

    Raises
    ------
    ValueError
        If -lower > upper, which leaves no diagonal.

    Examples
    --------
    >>> from fastgrad import sparsity
    >>> sparsity.banded(5)
    Pattern(5 x 5, 13 entries)
    >>> sparsity.banded(4, 0, 1).toarray().astype(int)
    array([[1, 1, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 1, 1],
           [0, 0, 0, 1]])
    """
    rows, cols = read_shape((n if m is None else m, n))
    below = whole_number(lower, "lower")
    above = below if upper is None else whole_number(upper, "upper")
    if -below > above:
        raise ValueError(f"a band from {below} below to {above} above the main diagonal holds no diagonal.")
    i = np.arange(rows)
    first, last = np.clip(i - below, 0, cols), np.clip(i + above + 1, 0, cols)
    return _from_spans(first, last, cols)


def block_diagonal(blocks: Iterable[Any]) -> Pattern:
    """Return the pattern of a matrix with blocks along its diagonal and nothing beside them.

    Parameters
    ----------
    blocks : iterable
        Of each block: its size, for a full square one; its shape (rows, columns), for a full one; or its pattern, as a
        `Pattern`, a SciPy sparse array or a two-dimensional array.

    Returns
    -------
    Pattern

    Raises
    ------
    ShapeError, TypeError
        If a block is none of these.

    Examples
    --------
    >>> from fastgrad import sparsity
    >>> sparsity.block_diagonal([2, (1, 2)]).toarray().astype(int)
    array([[1, 1, 0, 0],
           [1, 1, 0, 0],
           [0, 0, 1, 1]])
    >>> sparsity.block_diagonal([3] * 1000)
    Pattern(3000 x 3000, 9000 entries)
    """
    starts, indices, n, nnz = [np.zeros(1, np.intp)], [], 0, 0
    for block in blocks:
        local, cols, width = _block(block)
        starts.append(local[1:] + nnz)
        indices.append(cols + n)
        n, nnz = n + width, nnz + len(cols)
    return from_csr(np.concatenate(starts), np.concatenate([np.empty(0, np.intp), *indices]), n)


def _block(block: Any) -> tuple[Array, Array, int]:
    """Return the compressed rows of a block, and how wide it is."""
    if _is_size(block):
        block = (block, block)
    if isinstance(block, tuple) and all(map(_is_size, block)):
        m, n = read_shape(block)
        return n * np.arange(m + 1), np.tile(np.arange(n), m), n
    pattern = as_pattern(block)
    starts, cols = pattern.csr
    return starts.astype(np.intp), cols.astype(np.intp), pattern.shape[1]


def _is_size(value: Any) -> bool:
    return isinstance(value, int | np.integer) or (isinstance(value, np.ndarray) and value.shape == ())


def _from_spans(first: Array, last: Array, n: int) -> Pattern:
    """Return the pattern whose row i has the columns from first[i] to below last[i]."""
    lengths = last - first
    nnz = int(lengths.sum())
    dtype = index_dtype(n, nnz, len(lengths))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    cols = np.arange(nnz, dtype=dtype)
    cols -= np.repeat((starts[:-1] - first).astype(dtype), lengths)
    return from_csr(starts, cols, n)


def _from_scipy(given: Any) -> Pattern:
    if len(given.shape) != 2:
        raise ShapeError(f"a pattern has two dimensions; the sparse array has shape {given.shape}.")
    by_rows = given.format == "csr"
    lines, make, width = (given, from_csr, 1) if by_rows else (given.tocsc(), from_csc, 0)
    try:
        return make(lines.indptr, lines.indices, lines.shape[width])
    except ValueError:
        lines = lines.copy()
        lines.sum_duplicates()
        return make(lines.indptr, lines.indices, lines.shape[width])


def _from_dense(given: Any) -> Pattern:
    if is_masked_array(given):
        raise TypeError("a pattern cannot be read from a masked array, whose mask would be lost: give its .filled(0).")
    try:
        dense = np.asarray(given)
    except ValueError as error:
        raise ShapeError(f"a pattern is read from a regular array: {error}") from error
    if dense.dtype.kind not in "biufc":
        raise TypeError(
            f"a pattern is read from a Pattern, a SciPy sparse array, an array of numbers or bool, or a callable; got "
            f"{type(given).__name__}."
        )
    if dense.ndim != 2:
        raise ShapeError(f"a pattern has two dimensions; the array has shape {dense.shape}.")
    flat = np.flatnonzero(dense)
    m, n = dense.shape
    rows, cols = np.divmod(flat, max(n, 1))
    starts = np.searchsorted(rows, np.arange(m + 1))
    return from_csr(starts, cols, n)


def _from_callable(entries: Callable[[Array, Array], Any], m: int, n: int) -> Pattern:
    j = np.arange(n)[np.newaxis]
    height = max(1, _AT_A_TIME // max(n, 1))
    parts = [np.empty(0, np.intp)]
    counts = [np.zeros(1, np.intp)]
    for top in range(0, m, height):
        i = np.arange(top, min(top + height, m))[:, np.newaxis]
        answer = np.asarray(entries(i, j))
        if answer.dtype != np.bool_:
            raise TypeError(f"a callable says by bool which entries there are; it returned dtype {answer.dtype}.")
        try:
            here = np.broadcast_to(answer, (len(i), n))
        except ValueError as error:
            raise ShapeError(f"asked about {(len(i), n)} entries, the callable said {answer.shape}.") from error
        counts.append(here.sum(axis=1))
        parts.append(np.nonzero(here)[1])
    return from_csr(np.cumsum(np.concatenate(counts)), np.concatenate(parts), n)
