"""Differences along all entries of a colour at once in plain NumPy: a fresh copy of x a call."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from fastgrad._reading import Reader
from fastgrad._typing import Array, Float64Array, VectorFunction
from fastgrad.reference.differences import Scheme
from fastgrad.reference.entries import NONE, decoded

__all__ = ["Work", "dense", "sparse"]


class Work:
    """The shape that an f with m values has shown; the compiled twin keeps its arrays here, too."""

    def __init__(self, x: Array, m: int, is_dense: bool) -> None:
        self.m = m
        self.shape: tuple[int, ...] | None = None


def sparse(
    f: VectorFunction,
    x: Array,
    h: Float64Array,
    scheme: Scheme,
    bounds: Array,
    members: Array,
    starts: Array,
    indices: Array,
    by_rows: bool,
    ends: Array,
    codes: Array,
    table: Array,
    work: Work,
    data: Array,
    reader: Reader,
) -> int:
    """Write the differences of f along each colour into data, where entries are read from it; return the calls of f.

    bounds (c + 1,), members: the columns, colour by colour; starts (l + 1,), indices (nnz,): the entries, by rows or by
    columns; ends (c + 1,), codes: which of them are read from each colour, as `entries.by_color` writes them; or table
    (c, m), as `entries.by_row` does, which is (0, 0) with codes.
    """
    lines = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    rows, columns = (lines, indices) if by_rows else (indices, lines)
    chosen = [starts[:-1][has] + row[has] for row in table for has in [row != NONE]]
    read = np.concatenate([lines[:0], *(chosen or [decoded(codes[a:b]) for a, b in pairwise(ends)])])

    def write(j: int, quotient: Callable[[Array], Float64Array]) -> None:
        entries = read[columns[read] == j]
        data[entries] = quotient(rows[entries])

    return _measure(f, x, h, scheme, bounds, members, work, reader, write)


def dense(
    f: VectorFunction,
    x: Array,
    h: Float64Array,
    scheme: Scheme,
    bounds: Array,
    work: Work,
    data: Array,
    reader: Reader,
) -> int:
    """Write the differences of f along each entry into data, row by row; return the calls of f. bounds: 0, 1, ... n."""

    def write(j: int, quotient: Callable[[Array], Float64Array]) -> None:
        data[j :: x.size] = quotient(np.arange(work.m))

    return _measure(f, x, h, scheme, bounds, bounds[:-1], work, reader, write)


def _measure(
    f: VectorFunction,
    x: Array,
    h: Float64Array,
    scheme: Scheme,
    bounds: Array,
    members: Array,
    work: Work,
    reader: Reader,
    write: Callable[[int, Callable[[Array], Float64Array]], None],
) -> int:
    calls = 0

    def values(point: Array, i: int, offset: int) -> Float64Array:
        nonlocal calls
        calls += 1
        try:
            y = f(point)
        except BaseException as error:
            reader.note(error, i, offset)
            raise
        array = reader.array(y, i, offset, work.shape)
        if array.size != work.m:
            raise ValueError("f has not as many values as there are rows")
        work.shape = array.shape
        return array.reshape(-1).copy()

    if len(bounds) < 2:
        return 0
    centre = values(x.copy(), 0, 0) if scheme.has_centre else None
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        group = members[first:last].tolist()
        terms = {j: scheme.terms(j) for j in group}
        at: list[Float64Array | None] = []
        for k in range(scheme.offsets.shape[1]):
            moved = x.copy()
            offset = 0
            for j in group:
                here = terms[j][0][k][0] if k < len(terms[j][0]) else 0
                if here:
                    with np.errstate(over="ignore"):
                        moved.reshape(-1)[j] = x.item(j) + here * float(h[j % h.size])
                offset = offset or here
            at.append(values(moved, group[0], offset) if offset else centre)
        for j in group:
            pairs, width = terms[j]
            weighted = [(weight, at[k] if offset else centre) for k, (offset, weight) in enumerate(pairs)]
            write(j, _Quotient(weighted, width * float(h[j % h.size])))
    return calls


class _Quotient:
    """The sum of values as weighted over a width, at some rows."""

    def __init__(self, weighted: list[tuple[float, Float64Array | None]], width: float) -> None:
        self._weighted, self._width = weighted, width

    def __call__(self, rows: Array) -> Float64Array:
        total = np.zeros(len(rows))
        with np.errstate(all="ignore"):
            for k, (weight, values) in enumerate(self._weighted):
                assert values is not None
                total = weight * values[rows] if k == 0 else total + weight * values[rows]
            return np.asarray(total / self._width)
