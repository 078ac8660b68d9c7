"""Orders in which to colour columns, from the graph whose neighbours are the columns with a common row."""

import numpy as np

from fastgrad._typing import Array

__all__ = ["by_key", "degrees"]


def degrees(starts: Array, indices: Array, row_starts: Array, columns: Array, seen: Array, out: Array) -> None:
    """Write how many other columns each column has a common row with.

    Parameters
    ----------
    starts, indices : ndarray of int32 or intp
        Shapes (n + 1,) and (nnz,): the rows of each column.
    row_starts, columns : ndarray of the same dtype
        Shapes (m + 1,) and (nnz,): the columns of each row.
    seen : ndarray of the same dtype, shape (n,)
        Room for the compiled twin.
    out : ndarray of the same dtype, shape (n,)
        Written.

    Raises
    ------
    ValueError
        If the arrays do not fit each other, or an index lies outside its array.
    """
    n = len(out)
    if len(starts) != n + 1 or len(seen) != n or len(row_starts) == 0:
        raise ValueError("the arrays do not fit each other")
    _refuse_outside(indices, columns, row_starts, n)
    for j in range(n):
        out[j] = len(_neighbours(j, starts, indices, row_starts, columns))


def by_key(
    starts: Array,
    indices: Array,
    row_starts: Array,
    columns: Array,
    keys: Array,
    entering: Array,
    change: int,
    work: Array,
    out: Array,
) -> None:
    """Write the columns in the order of their keys, which change by that much as neighbours are taken.

    The lowest key is taken each time where change is -1, and the highest where it is 1; of equal ones that which came
    to its key last. With the degrees as keys and change -1 this is smallest last, from its end (D. W. Matula, G. Marble
    and J. D. Isaacson, Graph coloring algorithms, in R. C. Read, Graph Theory and Computing, 1972, 109-122); with zeros
    and change 1 it is incidence degree (T. F. Coleman and J. J. Moré, SIAM J. Numer. Anal. 20 (1983), section 4).

    Parameters
    ----------
    starts, indices, row_starts, columns : ndarray of int32 or intp
        As `degrees` takes them.
    keys : ndarray of the same dtype, shape (n,)
        From 0 to n - 1; overwritten.
    entering : ndarray of the same dtype, shape (n,)
        The columns in the order in which they come to their first keys.
    change : int
        1 or -1.
    work : ndarray of the same dtype, shape (4, n)
        Room for the compiled twin.
    out : ndarray of the same dtype, shape (n,)
        Written.

    Raises
    ------
    ValueError
        If the arrays do not fit each other, or an index or a key lies outside its range.
    """
    n = len(starts) - 1
    if n < 0 or len(keys) != n or len(entering) != n or work.shape != (4, n) or len(out) != n or len(row_starts) == 0:
        raise ValueError("the arrays do not fit each other")
    if change not in (-1, 1):
        raise ValueError("keys change by 1 or by -1")
    _refuse_outside(indices, columns, row_starts, n)
    if np.any(np.sort(entering) != np.arange(n)) or np.any(keys < 0) or np.any(keys >= n):
        raise ValueError("an index or a key lies outside its range")
    came = {int(j): time for time, j in enumerate(entering)}
    clock = n
    for step in range(n):
        j = max(came, key=lambda k: (change * int(keys[k]), came[k]))
        del came[j]
        keys[j] = -1
        out[step] = j
        for k in _neighbours(j, starts, indices, row_starts, columns):
            if k in came:
                keys[k] += change
                if not 0 <= keys[k] < n:
                    raise ValueError("an index or a key lies outside its range")
                came[k] = clock
                clock += 1


def _neighbours(j: int, starts: Array, indices: Array, row_starts: Array, columns: Array) -> list[int]:
    """Return the other columns with which j has a common row, in the order in which its rows name them."""
    rows = indices[starts[j] : starts[j + 1]]
    named = [int(k) for i in rows for k in columns[row_starts[i] : row_starts[i + 1]] if k != j]
    return list(dict.fromkeys(named))


def _refuse_outside(indices: Array, columns: Array, row_starts: Array, n: int) -> None:
    for values, width in ((indices, len(row_starts) - 1), (columns, n)):
        if np.any(values < 0) or np.any(values >= width):
            raise ValueError("an index lies outside its array")
