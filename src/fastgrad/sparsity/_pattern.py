"""Which entries of a matrix may be other than zero: the pattern, by rows and by columns."""

from typing import Any, NoReturn

import numpy as np

from fastgrad import _backend
from fastgrad._arrays import whole_number
from fastgrad._errors import ShapeError, missing_extra
from fastgrad._typing import Array

__all__ = ["Lines", "Pattern", "forget", "from_csc", "from_csr", "read_shape"]

Lines = tuple[Array, Array]


class Pattern:
    """Which entries of an (m, n) matrix may be other than zero; all others are zero wherever the matrix is taken.

    A pattern is never changed. It is kept in compressed form: memory is in proportion to its entries, rows and columns.

    Parameters
    ----------
    rows, cols : array_like of int, shape (k,)
        Where the entries are. One that is named twice counts once.
    shape : pair of int
        The shape (m, n) of the matrix.

    Raises
    ------
    TypeError
        If the indices are no integers.
    ShapeError
        If rows and cols differ in length, or shape is no pair of sizes.
    ValueError
        If an index lies outside the shape; the error says which.

    Examples
    --------
    >>> from fastgrad import sparsity
    >>> p = sparsity.Pattern([0, 0, 1], [0, 2, 1], (2, 3))
    >>> p
    Pattern(2 x 3, 3 entries)
    >>> p.toarray().astype(int)
    array([[1, 0, 1],
           [0, 1, 0]])
    >>> (0, 2) in p, (1, 2) in p
    (True, False)
    """

    __slots__ = ("_csc", "_csr", "shape")
    shape: tuple[int, int]
    _csr: Lines | None
    _csc: Lines | None

    def __init__(self, rows: Any, cols: Any, shape: Any) -> None:
        m, n = read_shape(shape)
        i, j = _indices(rows, m, "rows"), _indices(cols, n, "cols")
        if i.shape != j.shape:
            raise ShapeError(f"rows and cols must have one length; got {i.size} and {j.size}.")
        order = np.lexsort((j, i))
        i, j = i[order], j[order]
        first = np.ones(i.size, bool)
        first[1:] = (np.diff(i) > 0) | (np.diff(j) > 0)
        dtype = index_dtype(m, n, int(first.sum()))
        starts = np.zeros(m + 1, dtype)
        np.cumsum(np.bincount(i[first], minlength=m), out=starts[1:])
        _fill(self, (m, n), csr=(starts, j[first].astype(dtype)))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Pattern is never changed; make another one.")

    @property
    def nnz(self) -> int:
        """The number of entries."""
        lines = self._csr or self._csc
        assert lines is not None
        return len(lines[1])

    @property
    def csr(self) -> Lines:
        """Where each row starts, shape (m + 1,), and the columns of its entries, rising, shape (nnz,); read-only."""
        if self._csr is None:
            object.__setattr__(self, "_csr", _turned(self.csc, self.shape[0]))
        assert self._csr is not None
        return self._csr

    @property
    def csc(self) -> Lines:
        """Where each column starts, shape (n + 1,), and the rows of its entries, rising, shape (nnz,); read-only."""
        if self._csc is None:
            object.__setattr__(self, "_csc", _turned(self.csr, self.shape[1]))
        assert self._csc is not None
        return self._csc

    @property
    def index_dtype(self) -> np.dtype[Any]:
        """The dtype of both compressed forms: int32 where it suffices."""
        lines = self._csr or self._csc
        assert lines is not None
        return lines[1].dtype

    @property
    def is_by_rows(self) -> bool:
        """Whether `csr` is there already, and need not be made."""
        return self._csr is not None

    @property
    def row_counts(self) -> Array:
        """How many entries each row has, shape (m,)."""
        if self._csr is not None:
            starts = self._csr[0]
            return np.asarray(starts[1:] - starts[:-1])
        assert self._csc is not None
        counts = np.empty(self.shape[0], self._csc[1].dtype)
        _backend.pattern.count(self._csc[1], counts)
        return counts

    @property
    def rows(self) -> Array:
        """The row of each entry, in the order of `csr`, shape (nnz,)."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.csr[0]))

    @property
    def cols(self) -> Array:
        """The column of each entry, in the order of `csr`, shape (nnz,)."""
        return self.csr[1].astype(np.intp)

    @property
    def T(self) -> "Pattern":
        """The pattern of the transpose; it shares memory with this one."""
        return _fill(Pattern.__new__(Pattern), (self.shape[1], self.shape[0]), csr=self._csc, csc=self._csr)

    @property
    def is_symmetric(self) -> bool:
        """Whether the pattern is that of its transpose."""
        return self.shape[0] == self.shape[1] and (self.csr is self.csc or _same(self.csr, self.csc))

    @property
    def density(self) -> float:
        """The share of the entries among all of the matrix; 0 for an empty one."""
        m, n = self.shape
        return self.nnz / (m * n) if m and n else 0.0

    def toarray(self) -> Array:
        """Return the pattern as a dense array of bool, shape (m, n)."""
        dense = np.zeros(self.shape, bool)
        dense[self.rows, self.cols] = True
        return dense

    def to_scipy(self, format: str = "csr") -> Any:
        """Return the pattern as a SciPy sparse array of True, in this format.

        Raises
        ------
        ImportError
            If SciPy is missing.
        """
        sparse = scipy_sparse("a SciPy array")
        starts, cols = self.csr
        matrix = sparse.csr_array((np.ones(self.nnz, bool), cols.copy(), starts.copy()), shape=self.shape)
        return matrix.asformat(format)

    def __contains__(self, entry: tuple[int, int]) -> bool:
        i, j = entry
        if not (0 <= i < self.shape[0] and 0 <= j < self.shape[1]):
            return False
        starts, cols = self.csr
        line = cols[starts[i] : starts[i + 1]]
        at = int(np.searchsorted(line, j))
        return at < len(line) and bool(line[at] == j)

    def __or__(self, other: object) -> "Pattern":
        if not isinstance(other, Pattern):
            return NotImplemented
        if self.shape != other.shape:
            raise ShapeError(f"patterns of one shape can be united; got {self.shape} and {other.shape}.")
        rows, cols = np.concatenate([self.rows, other.rows]), np.concatenate([self.cols, other.cols])
        return Pattern(rows, cols, self.shape)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pattern):
            return NotImplemented
        return self.shape == other.shape and self.nnz == other.nnz and _same(self.csr, other.csr)

    def __hash__(self) -> int:
        return hash((self.shape, self.nnz))

    def __reduce__(self) -> tuple[Any, ...]:
        return from_csr, (*self.csr, self.shape[1])

    def __repr__(self) -> str:
        m, n = self.shape
        return f"Pattern({m} x {n}, {self.nnz} {'entry' if self.nnz == 1 else 'entries'})"


def from_csr(starts: Any, cols: Any, n: int) -> Pattern:
    """Return the pattern with these compressed rows and n columns; the arrays are copied.

    Raises
    ------
    ValueError
        If they are not the compressed form of a pattern, each row's columns rising; the error names the row.
    """
    lines = _checked(starts, cols, n, "row")
    return _fill(Pattern.__new__(Pattern), (len(lines[0]) - 1, n), csr=lines)


def from_csc(starts: Any, rows: Any, m: int) -> Pattern:
    """Return the pattern with these compressed columns and m rows, as `from_csr` does."""
    lines = _checked(starts, rows, m, "column")
    return _fill(Pattern.__new__(Pattern), (m, len(lines[0]) - 1), csc=lines)


def forget(pattern: Pattern, *, by_rows: bool) -> None:
    """Let go of one compressed form, if there is the other: it is made again when somebody asks for it."""
    if pattern._csr is not None and pattern._csc is not None:
        object.__setattr__(pattern, "_csr" if by_rows else "_csc", None)


def index_dtype(*sizes: int) -> type[np.signedinteger[Any]]:
    """Return int32 where it holds these sizes, and intp elsewhere."""
    return np.int32 if max(sizes) < 2**31 - 1 else np.intp


def read_shape(shape: Any) -> tuple[int, int]:
    """Return a shape as a pair of sizes, or refuse it."""
    try:
        m, n = (whole_number(size, "a size") for size in shape)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"the shape of a pattern is a pair (m, n) of integers; got {shape!r}.") from error
    if m < 0 or n < 0:
        raise ShapeError(f"the sizes of a pattern must not be negative; got {(m, n)}.")
    return m, n


def scipy_sparse(wanted: str) -> Any:
    """Return ``scipy.sparse``, for what is wanted.

    Raises
    ------
    ImportError
        If SciPy is missing.
    """
    try:
        from scipy import sparse
    except ImportError as error:
        raise missing_extra(wanted, "SciPy", "sparse") from error
    return sparse


def _fill(pattern: Pattern, shape: tuple[int, int], csr: Lines | None = None, csc: Lines | None = None) -> Pattern:
    for array in (*(csr or ()), *(csc or ())):
        array.flags.writeable = False
    for name, value in (("shape", shape), ("_csr", csr), ("_csc", csc)):
        object.__setattr__(pattern, name, value)
    return pattern


def _checked(starts: Any, indices: Any, width: int, line: str) -> Lines:
    given = [np.asarray(array) for array in (starts, indices)]
    if any(array.ndim != 1 or array.dtype.kind not in "iu" for array in given) or given[0].size == 0:
        raise TypeError("the compressed form of a pattern is two arrays of integers in a row, the first not empty.")
    dtype = index_dtype(width, given[0].size, given[1].size)
    first, second = (np.array(array, dtype=dtype, order="C") for array in given)
    fault = _backend.pattern.first_fault(first, second, width)
    if fault >= 0:
        raise ValueError(
            f"the indices of {line} {fault} are not those of a pattern: in each {line} they must rise, from 0 to less "
            f"than {width}, and the starts must not fall."
        )
    return first, second


def _indices(values: Any, size: int, name: str) -> Array:
    given = np.asarray(values)
    if given.size == 0:
        given = given.astype(np.intp)
    if given.dtype.kind not in "iu" or given.ndim != 1:
        raise TypeError(f"{name} must be integers in a row; got an array of dtype {given.dtype}, shape {given.shape}.")
    outside = (given < 0) | (given >= size)
    if outside.any():
        k = int(np.argmax(outside))
        raise ValueError(f"{name}[{k}] is {given[k]}; expected 0 to {size - 1}, as the shape has it.")
    return given.astype(np.intp)


def _turned(lines: Lines, width: int) -> Lines:
    """Return the lines of the other direction: the same ones, where the pattern is symmetric."""
    starts, indices = lines
    if len(starts) == width + 1 and _backend.pattern.is_symmetric(starts, indices, np.empty(width, starts.dtype)):
        return lines
    to, turned = np.empty(width + 1, starts.dtype), np.empty_like(indices)
    _backend.pattern.transpose(starts, indices, to, turned)
    to.flags.writeable = turned.flags.writeable = False
    return to, turned


def _same(a: Lines, b: Lines) -> bool:
    return np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1])
