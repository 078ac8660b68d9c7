"""The entries of a sparse Jacobian in plain NumPy: which are read from which colour, and what they explain."""

import numpy as np

from fastgrad._typing import Array, Float64Array

__all__ = ["FAR", "NONE", "by_color", "by_row", "decoded", "places", "unexplained"]

#: The largest code: what is to be added before the next one.
FAR = 65535
#: In the table of a colour: the row has no entry of it.
NONE = 255


def places(starts: Array, indices: Array, cursor: Array, targets: Array) -> None:
    """Write where in the order of rows each entry lies, in the order of columns.

    starts (m + 1,), indices (nnz,): the pattern by rows; cursor (n,): where each column starts, overwritten.
    """
    for p, j in enumerate(indices.tolist()):
        targets[cursor[j]] = p
        cursor[j] += 1


def by_color(
    starts: Array, indices: Array, colors: Array, by_rows: bool, last: Array, bounds: Array, codes: Array
) -> None:
    """Write which entries have a column of each colour, as steps from one to the next; or the bounds of these alone.

    Those of colour k are codes[bounds[k]] to below codes[bounds[k + 1]]: the first entry and what to add to go on, each
    after as many codes of the largest value as have to be added before. No codes, and the bounds are written.

    starts (l + 1,), indices (nnz,): the pattern by rows or by columns; colors (n,): of the columns, -1 for none; last
    (c,): the compiled twin's room; bounds (c + 1,), of intp; codes (bounds[c],) or (0,), of uint16.
    """
    columns = indices if by_rows else np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    of_entry = colors[columns] if len(columns) else colors[:0]
    written: list[int] = []
    ends = [0]
    for k in range(len(bounds) - 1):
        for step in np.diff(np.flatnonzero(of_entry == k), prepend=0).tolist():
            written += [FAR] * (step // FAR) + [step % FAR]
        ends.append(len(written))
    if len(codes):
        codes[...] = written
    else:
        bounds[...] = ends


def by_row(starts: Array, indices: Array, colors: Array, table: Array) -> int:
    """Write which of its entries each row has of each colour, 255 for none; return how many have a colour, or -1.

    It is -1 where a row has two entries of a colour, or one of them after 255 others, which a table cannot say.

    starts (m + 1,), indices (nnz,): the pattern by rows; colors (n,): of the columns, -1 for none; table (c, m), of
    uint8, written.
    """
    if (
        len(starts) != table.shape[1] + 1
        or np.any(indices < 0)
        or np.any(indices >= len(colors))
        or np.any(colors >= len(table))
    ):
        raise ValueError("an index or a colour lies outside its range")
    table[...] = NONE
    for i in range(table.shape[1]):
        for place, color in enumerate(colors[indices[starts[i] : starts[i + 1]]].tolist()):
            if color < 0:
                continue
            if table[color, i] != NONE or place >= NONE:
                return -1
            table[color, i] = place
    return int(np.count_nonzero(table != NONE))


def decoded(codes: Array) -> Array:
    """Return the entries that the codes of one colour stand for."""
    return np.asarray(np.cumsum(codes, dtype=np.intp)[codes != FAR])


def unexplained(
    starts: Array,
    indices: Array,
    by_rows: bool,
    data: Array,
    moves: Float64Array,
    after: Float64Array,
    before: Float64Array,
    rounding: float,
    share: float,
    sums: Float64Array,
) -> int:
    """Return the first row whose change is not what its entries make of the moves of x; -1 where all are explained.

    A row may be off by `rounding` times its larger value, times four more than it has entries, and by a `share` of what
    its entries do, all taken as positive. What is not finite counts as explained.

    starts (l + 1,), indices (nnz,): the pattern by rows or by columns, and data (nnz,) its values; moves (n,); after,
    before (m,): the values of f; sums: the compiled twin's room, (3, m), or (3, 0) by rows.
    """
    lines = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    rows, columns = (lines, indices) if by_rows else (indices, lines)
    m = len(after)
    with np.errstate(all="ignore"):
        terms = moves[columns] * data.astype(np.float64)
        change, size = (np.bincount(rows, weights, minlength=m) for weights in (terms, np.abs(terms)))
        count = np.bincount(rows, minlength=m)
        larger = np.fmax(np.abs(after), np.abs(before))
        off = np.abs(after - before - change) > rounding * (4 + count) * larger + share * size
    return int(np.argmax(off)) if off.any() else -1
