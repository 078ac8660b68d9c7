"""The forms that a sparse derivative is returned in: SciPy's arrays, made of a pattern and its values."""

from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._errors import ShapeError
from fastgrad._runs import in_runs
from fastgrad._typing import Array
from fastgrad.sparsity._pattern import Lines, Pattern, scipy_sparse

FORMATS = ("csr", "csc", "coo")
#: So many indices are compared at a time, so that no temporary grows with them.
_AT_A_TIME = 1 << 14


class Form:
    """How the values of a pattern are laid out in SciPy's arrays of a format.

    Attributes
    ----------
    format : {"csr", "csc", "coo"}
    pattern : Pattern
    by_rows : bool
        Whether the values are in the order of rows, as in "csr" and "coo"; else in that of columns.
    """

    def __init__(self, pattern: Pattern, format: str) -> None:
        if format not in FORMATS:
            raise ValueError(f"format must be one of {', '.join(map(repr, FORMATS))}; got {format!r}.")
        self.pattern, self.format, self.by_rows = pattern, format, format != "csc"

    @property
    def lines(self) -> Lines:
        """Where each row or column starts, and the indices of its entries."""
        return self.pattern.csr if self.by_rows else self.pattern.csc

    def made(self, data: Array, *, gives_up: bool = False) -> Any:
        """Return a SciPy array with these values, which it keeps, and with indices of its own.

        These are copies, or the pattern's arrays themselves where nobody else is to have the pattern: it `gives_up`.
        """
        sparse = scipy_sparse("a sparse derivative")
        starts, indices = self.lines
        if gives_up:
            starts.flags.writeable = indices.flags.writeable = True
        else:
            starts, indices = starts.copy(), indices.copy()
        if self.format == "coo":
            rows = np.repeat(np.arange(self.pattern.shape[0], dtype=indices.dtype), np.diff(starts))
            made = sparse.coo_array((data, (rows, indices)), shape=self.pattern.shape)
        else:
            kind = sparse.csr_array if self.format == "csr" else sparse.csc_array
            made = kind((data, indices, starts), shape=self.pattern.shape)
            made.has_sorted_indices = True
        made.has_canonical_format = True
        return made

    def data_of(self, out: Any, dtype: Any) -> Array:
        """Return the values of a SciPy array that was made by this form, to be filled.

        Raises
        ------
        TypeError, ShapeError
            If it is another array.
        """
        if getattr(out, "format", None) != self.format or not isinstance(getattr(out, "data", None), np.ndarray):
            raise TypeError(f"out must be a SciPy {self.format} array of this pattern; got {type(out).__name__}.")
        if out.dtype != dtype:
            raise TypeError(f"out must have dtype {dtype}; got {out.dtype}.")
        starts, indices = self.lines
        if self.format == "coo":
            same = out.nnz == self.pattern.nnz and _same(out.coords[1], indices) and self._are_rows(out.coords[0])
        else:
            same = _same(out.indptr, starts) and _same(out.indices, indices)
        if out.shape != self.pattern.shape or not same:
            raise ShapeError("out must have the pattern's shape and exactly its entries, as fastgrad returned them.")
        data: Array = out.data
        if not data.flags.carray:
            raise TypeError("the values of out must be writeable, aligned and C-contiguous.")
        return data

    def _are_rows(self, rows: Array) -> bool:
        (starts, _), m = self.lines, self.pattern.shape[0]
        for i in range(0, m, _AT_A_TIME):
            some = starts[i : i + _AT_A_TIME + 1]
            meant = np.repeat(np.arange(i, i + len(some) - 1), np.diff(some))
            if not np.array_equal(rows[some[0] : some[-1]], meant):
                return False
        return True


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and all(
        bool(np.array_equal(a[k : k + _AT_A_TIME], b[k : k + _AT_A_TIME])) for k in range(0, len(a), _AT_A_TIME)
    )


def places_by_columns(form: Form) -> Array:
    """Return where among the values of a form each entry lies, column by column."""
    pattern = form.pattern
    starts, indices = pattern.csr
    if not form.by_rows:
        return np.arange(pattern.nnz)
    places = np.empty_like(indices)
    _backend.entries.places(starts, indices, pattern.csc[0][:-1].copy(), places)
    return places


def product(form: Form, data: Array, moves: Array) -> Array:
    """Return what a sparse matrix of these values makes of a move of x."""
    starts, indices = form.lines
    lines = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    rows, cols = (lines, indices) if form.by_rows else (indices, lines)
    with np.errstate(all="ignore"):
        return np.bincount(rows, data * moves[cols], form.pattern.shape[0])


def entries_of(starts: Array, columns: Array) -> Array:
    """Return where the entries of some rising columns are, that lie column by column from these starts on."""
    return in_runs(starts[columns], np.diff(starts)[columns])
