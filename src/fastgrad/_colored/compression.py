"""A sparse Jacobian by the colours of its pattern: columns by differences of f, rows by products with a vjp."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._colored.forms import FORMATS, Form
from fastgrad._colored.reader import ColorReader
from fastgrad._direction import in_line
from fastgrad._errors import ShapeError
from fastgrad._point import Point
from fastgrad._stencils.scheme import Plan
from fastgrad._typing import Array, VectorFunction
from fastgrad.sparsity._caller import PatternCaller
from fastgrad.sparsity._color import color
from fastgrad.sparsity._coloring import Coloring
from fastgrad.sparsity._detection import detect
from fastgrad.sparsity._makers import as_pattern
from fastgrad.sparsity._pattern import forget

Vjp = Callable[[Any, Array], Any]


def compression(f: VectorFunction, point: Point, sparsity: Any, format: str | None, *, by_rows: bool) -> "Compression":
    """Return how to measure the Jacobian of f, which takes what x is, by a pattern, a colouring, or "detect".

    Raises
    ------
    ShapeError
        If the pattern has not a column for each entry of x.
    ValueError
        If rows are coloured, and there is no vjp to measure them by, or the format is unknown.
    """
    coloring, format = pattern_of(f, point, sparsity, format)
    if not isinstance(coloring, Coloring):
        coloring = color(coloring, "both" if by_rows else "columns")
        if coloring.pattern is not sparsity:
            forget(coloring.pattern, by_rows=format == "csc")
    if coloring.partition == "symmetric" or (coloring.n_row_colors and not by_rows):
        needed = "a vjp, which is not given" if coloring.partition != "symmetric" else "a Hessian"
        raise ValueError(f"a colouring of {coloring.partition!r} is for {needed}; a Jacobian by f alone has 'columns'.")
    return Compression(coloring, format)


def pattern_of(f: VectorFunction, point: Point, sparsity: Any, format: str | None) -> tuple[Any, str]:
    """Return the pattern or colouring that sparsity stands for, and the format, which is that of sparsity if not given.

    Raises
    ------
    ShapeError
        If the pattern has not a column for each entry of x.
    """
    if isinstance(sparsity, Coloring):
        _fits(sparsity.pattern.shape, point)
        return sparsity, format or "csr"
    if isinstance(sparsity, str):
        if sparsity != "detect":
            raise ValueError(f'sparsity must be a pattern, a Coloring or "detect"; got {sparsity!r}.')
        return detect(f, point).pattern, format or "csr"
    shape = None
    if callable(sparsity) and not hasattr(sparsity, "tocsc"):
        caller = PatternCaller(f, point, (), None)
        caller(caller.line)
        shape = caller.m, caller.n
    pattern = as_pattern(sparsity, shape)
    _fits(pattern.shape, point)
    own = getattr(sparsity, "format", None)
    return pattern, format or (own if own in FORMATS else "csr")


def _fits(shape: tuple[int, int], point: Point) -> None:
    if shape[1] != point.array.size:
        raise ShapeError(
            f"sparsity has the shape {shape}, and x {point.array.size} entries: expected a column for each entry of x."
        )


class Compression:
    """A colouring with all that does not change from one Jacobian of its pattern to the next.

    Attributes
    ----------
    coloring : Coloring
    form : Form
        Of the result.
    """

    def __init__(self, coloring: Coloring, format: str) -> None:
        self.coloring, self.form = coloring, Form(coloring.pattern, format)
        entries, count = _by_row(coloring, self.form)
        self._reads_all = count == coloring.pattern.nnz
        self._entries = _by_color(coloring, self.form) if entries is None else entries
        self._by_rows = _row_readings(coloring, self.form) if coloring.n_row_colors else []

    def work(self, point: Point) -> Any:
        """Return arrays for the measurements at points like this."""
        return _backend.compressed.Work(point.array, self.coloring.pattern.shape[0], False)

    def room(self, point: Point) -> Array:
        """Return an array for the values of all entries: zeros, unless `measure` is known to write each."""
        make = np.empty if self._reads_all else np.zeros
        return make(self.coloring.pattern.nnz, point.array.dtype)

    def reader(self, point: Point) -> ColorReader:
        """Return a reader of f's values that names the entries of a colour."""
        return ColorReader(point.name, self.coloring.pattern.shape, *self.coloring.grouped_columns)

    def measure(
        self, f: Callable[[Array], Any], point: Point, plan: Plan, work: Any, data: Array, reader: ColorReader
    ) -> int:
        """Write what columns are coloured for into data, in the order of the form; return the calls of f."""
        bounds, members = self.coloring.grouped_columns
        starts, indices = self.form.lines
        given = f, point.array, plan.h, plan.scheme
        return _backend.compressed.sparse(
            *given, bounds, members, starts, indices, self.form.by_rows, *self._entries, work, data, reader
        )

    def measure_rows(self, f: Callable[[Array], Any], vjp: Vjp, point: Point, data: Array, reader: ColorReader) -> None:
        """Write what rows are coloured for into data: a product with the Jacobian's transpose each colour."""
        if not self._by_rows:
            return
        if reader.seen is None:
            reader.array(f(point.array.copy()), 0, 0, None)
        assert reader.seen is not None
        for rows, cols, places in self._by_rows:
            u = np.zeros(self.coloring.pattern.shape[0], point.array.dtype)
            u[rows] = 1.0
            line = in_line(point, vjp(point.shown(point.array.copy()), u.reshape(reader.seen)), "what vjp returns")
            data[places] = line[cols]


def _by_row(coloring: Coloring, form: Form) -> tuple[tuple[Array, Array, Array] | None, int]:
    """Return which entries are read from each colour of columns, in a byte for each row, and how many these are.

    None where that takes more room than two bytes an entry, or cannot be said.
    """
    m, colors = coloring.pattern.shape[0], coloring.n_column_colors
    if not form.by_rows or not 0 < m * colors <= 2 * coloring.pattern.nnz:
        return None, 0
    table = np.empty((colors, m), np.uint8)
    count = _backend.entries.by_row(*form.lines, coloring.column_colors, table)
    return ((np.zeros(1, np.intp), np.empty(0, np.uint16), table) if count >= 0 else None), count


def _by_color(coloring: Coloring, form: Form) -> tuple[Array, Array, Array]:
    """Return which entries are read from each colour of columns, in two bytes an entry."""
    starts, indices = form.lines
    table = np.empty((0, 0), np.uint8)
    if not coloring.n_column_colors:
        return np.zeros(1, np.intp), np.empty(0, np.uint16), table
    last = np.empty(coloring.n_column_colors, starts.dtype)
    given = starts, indices, coloring.column_colors, form.by_rows, last
    bounds = np.empty(len(last) + 1, np.intp)
    _backend.entries.by_color(*given, bounds, np.empty(0, np.uint16))
    codes = np.empty(bounds[-1], np.uint16)
    if codes.size:
        _backend.entries.by_color(*given, bounds, codes)
    return bounds, codes, table


def _row_readings(coloring: Coloring, form: Form) -> list[tuple[Array, Array, Array]]:
    """Return of each colour of rows its rows, and the columns and places of the entries that are read from it."""
    pattern = coloring.pattern
    wanted = ~coloring.alone_by_column if coloring.n_column_colors else np.ones(pattern.nnz, bool)
    entries = np.flatnonzero(wanted)
    colors = coloring.row_colors[pattern.rows[entries]]
    order = np.argsort(colors, kind="stable")
    entries, ends = entries[order], np.searchsorted(colors[order], np.arange(coloring.n_row_colors + 1))
    places = entries
    if form.format == "csc":
        by_row = np.lexsort((pattern.rows, pattern.cols))
        place = np.empty(pattern.nnz, np.intp)
        place[by_row] = np.arange(pattern.nnz)
        places = place[entries]
    starts, members = coloring.grouped_rows
    return [
        (members[starts[c] : starts[c + 1]], pattern.cols[entries[a:b]], places[a:b])
        for c, (a, b) in enumerate(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
    ]
