"""What a colouring is: which columns, or rows, of a sparse matrix are measured at once."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from fastgrad import _backend
from fastgrad._arrays import same_everywhere
from fastgrad._errors import ShapeError
from fastgrad._typing import Array
from fastgrad.sparsity._pattern import Pattern

__all__ = ["Coloring", "Partition", "no_colors"]

Partition = Literal["columns", "rows", "both", "symmetric"]


@dataclass(frozen=True, eq=False, repr=False)
class Coloring:
    """Colours of the columns and rows of a pattern; what has one colour is measured by one difference.

    `color` makes them; one that was made elsewhere is brought in by `Coloring.from_colors`.

    Attributes
    ----------
    pattern : Pattern
        Which entries there are.
    partition : {"columns", "rows", "both", "symmetric"}
        What is coloured: columns, for differences along them; rows, for products with a vjp; both, each entry being
        read from one of them; or rows and columns alike, of a symmetric pattern.
    column_colors, row_colors : ndarray of int32, shapes (n,) and (m,)
        From 0 on; -1 for columns and rows that nothing is read from.
    order : str
        In which order columns or rows were visited, or where the colours are from.

    Examples
    --------
    >>> from fastgrad import sparsity
    >>> c = sparsity.color(sparsity.banded(1000, 1))
    >>> c
    Coloring(1000 x 1000, 2998 entries: 3 colours of columns, 6 calls, 333 times fewer)
    >>> c.column_colors[:7]
    array([0, 1, 2, 0, 1, 2, 0], dtype=int32)
    """

    pattern: Pattern
    partition: Partition
    column_colors: Array
    row_colors: Array
    order: str

    def __post_init__(self) -> None:
        for colors in (self.column_colors, self.row_colors):
            colors.flags.writeable = False

    @classmethod
    def from_colors(cls, pattern: Pattern, colors: Any, partition: Partition = "columns") -> "Coloring":
        """Return the colouring of columns, rows, or of a symmetric pattern, by these colours.

        Parameters
        ----------
        pattern : Pattern
        colors : array_like of int, shape (n,), or (m,) for rows
            From 0 on; -1 for none.
        partition : {"columns", "rows", "symmetric"}

        Raises
        ------
        ShapeError, TypeError
            If colors is no line of integers, one for each column or row.
        ValueError
            If an entry cannot be told from another of the same colour; the error names it.
        """
        if partition not in ("columns", "rows", "symmetric"):
            raise ValueError(f"colours can be given for 'columns', 'rows' or a 'symmetric' pattern; got {partition!r}.")
        m, n = pattern.shape
        given = np.asarray(colors)
        if given.dtype.kind not in "iu":
            raise TypeError(f"colours must be integers; got an array of dtype {given.dtype}.")
        if given.shape != ((m if partition == "rows" else n),):
            raise ShapeError(
                f"a pattern of shape {(m, n)} needs a colour for each of its {partition}; got {given.shape}."
            )
        if partition == "symmetric" and not pattern.is_symmetric:
            raise ValueError("a pattern that is not symmetric has no symmetric colouring.")
        if np.any(given < -1) or np.any(given >= max(m, n)):
            raise ValueError(f"colours must be from 0 to {max(m, n) - 1}, or -1 for none.")
        chosen, none = given.astype(np.int32), no_colors(n if partition == "rows" else m)
        by_column, by_row = (none, chosen) if partition == "rows" else (chosen, none)
        coloring = cls(pattern, partition, by_column, by_row, "given")
        alone = coloring.alone
        if not alone.all():
            k = int(np.argmin(alone))
            raise ValueError(
                f"the entry ({pattern.rows[k]}, {pattern.cols[k]}) cannot be told from others: what would show it "
                "has no colour, or shares it with what has an entry beside it."
            )
        return coloring

    @cached_property
    def n_column_colors(self) -> int:
        """The number of colours of columns."""
        return int(self.column_colors.max(initial=-1)) + 1

    @cached_property
    def n_row_colors(self) -> int:
        """The number of colours of rows."""
        return int(self.row_colors.max(initial=-1)) + 1

    @property
    def n_colors(self) -> int:
        """The number of colours, of columns and rows together."""
        return self.n_column_colors + self.n_row_colors

    @property
    def calls(self) -> int:
        """The calls that this takes: two of f a colour of columns (central differences), one vjp a colour of rows."""
        return 2 * self.n_column_colors + self.n_row_colors

    @property
    def compression(self) -> float:
        """How many times fewer calls this takes than one column, or for rows alone one row, at a time."""
        m, n = self.pattern.shape
        return (m if self.partition == "rows" else 2 * n) / self.calls if self.calls else float("inf")

    @cached_property
    def grouped_columns(self) -> tuple[Array, Array]:
        """Where each colour starts, shape (n_column_colors + 1,), and its columns, rising, one colour after another."""
        return _grouped(self.column_colors, self.n_column_colors, self.pattern.index_dtype)

    @cached_property
    def grouped_rows(self) -> tuple[Array, Array]:
        """Where each colour starts, shape (n_row_colors + 1,), and its rows, rising, one colour after another."""
        return _grouped(self.row_colors, self.n_row_colors, self.pattern.index_dtype)

    @property
    def groups(self) -> list[Array]:
        """The columns of each colour of columns, and after them the rows of each colour of rows."""
        parts = []
        for starts, members in (self.grouped_columns, self.grouped_rows):
            parts += [members[a:b] for a, b in pairwise(starts)]
        return parts

    @cached_property
    def alone_by_column(self) -> Array:
        """Of each entry, in the order of `Pattern.csr`: whether its row has no other entry of its column's colour."""
        return _alone(self.pattern.rows, self.pattern.cols, self.column_colors)

    @cached_property
    def alone_by_row(self) -> Array:
        """Of each entry, in the order of `Pattern.csr`: whether its column has no other entry of its row's colour.

        Where the pattern is symmetric, rows have the colours of the columns.
        """
        colors = self.column_colors if self.partition == "symmetric" else self.row_colors
        return _alone(self.pattern.cols, self.pattern.rows, colors)

    @property
    def alone(self) -> Array:
        """Of each entry, in the order of `Pattern.csr`: whether it can be read, by its column or by its row."""
        return np.asarray(self.alone_by_column | self.alone_by_row)

    @property
    def is_valid(self) -> bool:
        """Whether every entry can be read: told from all others of its colour. Takes a sort of the entries."""
        return bool(self.alone.all())

    def __repr__(self) -> str:
        kinds = [
            f"{count} colour{'' if count == 1 else 's'} of {what}"
            for count, what in ((self.n_column_colors, "columns"), (self.n_row_colors, "rows"))
            if count
        ]
        return (
            f"Coloring({str(self.pattern)[8:-1]}: {' and '.join(kinds) or 'no colours'}, {self.calls} calls, "
            f"{self.compression:.3g} times fewer)"
        )


def no_colors(size: int) -> Array:
    """Return -1 for each row or column, in the room of one."""
    return same_everywhere(np.int32(-1), size)


def _grouped(colors: Array, count: int, dtype: Any) -> tuple[Array, Array]:
    starts, members = np.empty(count + 1, dtype), np.empty(int(np.count_nonzero(colors >= 0)), dtype)
    _backend.coloring.group(np.ascontiguousarray(colors), starts, members)
    starts.flags.writeable = members.flags.writeable = False
    return starts, members


def _alone(lines: Array, others: Array, colors: Array) -> Array:
    """Tell of each entry whether it has a colour, by its other index, and its line no second entry of that colour."""
    colored = colors[others]
    keys = lines * (int(colored.max(initial=0)) + 2) + colored + 1
    order = np.argsort(keys, kind="stable")
    same = np.diff(keys[order]) == 0
    apart = np.ones(len(keys), bool)
    apart[order[1:][same]] = apart[order[:-1][same]] = False
    return np.asarray(apart & (colored >= 0))
