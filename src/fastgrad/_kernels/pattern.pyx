"""Patterns of sparse matrices in compressed form: what is wrong with one, and the way from rows to columns."""
from libc.stdint cimport int32_t

from fastgrad._kernels.indices cimport index, inside


# starts (m + 1,), indices (nnz,), those of line i in starts[i] : starts[i + 1]; counts (n,), written
cdef Py_ssize_t look(const index[::1] starts, const index[::1] indices, index[::1] counts) except -2 nogil:
    cdef Py_ssize_t i, p, last, m = starts.shape[0] - 1, n = counts.shape[0]
    for p in range(n):
        counts[p] = 0
    if starts[0] != 0 or starts[m] != indices.shape[0]:
        return 0
    for i in range(m):
        if starts[i + 1] < starts[i] or starts[i + 1] > indices.shape[0]:
            return i
        last = -1
        for p in range(starts[i], starts[i + 1]):
            if indices[p] <= last or indices[p] >= n:
                return i
            last = indices[p]
            counts[last] += 1
    return -1


def first_fault(starts, indices, counts):
    """Return the first line whose indices do not rise from 0 to less than len(counts); -1 where all are well, counted."""
    if len(starts) == 0:
        raise ValueError("starts needs an entry more than there are lines")
    if indices.dtype.itemsize == 4:
        return look[int32_t](starts, indices, counts)
    return look[Py_ssize_t](starts, indices, counts)


# starts (m + 1,), indices (nnz,) below n; to (n + 1,), lines (nnz,), written
cdef int turn(const index[::1] starts, const index[::1] indices, index[::1] to, index[::1] lines) except -1 nogil:
    cdef Py_ssize_t i, j, p, m = starts.shape[0] - 1, n = to.shape[0] - 1
    cdef index at
    if not inside(starts, indices, n) or starts[0] != 0 or starts[m] != lines.shape[0]:
        return 1
    if indices.shape[0] != lines.shape[0]:
        return 1
    for j in range(n + 1):
        to[j] = 0
    for p in range(indices.shape[0]):
        to[indices[p] + 1] += 1
    for j in range(n):
        to[j + 1] += to[j]
    for i in range(m):
        for p in range(starts[i], starts[i + 1]):
            at = to[indices[p]]
            lines[at] = <index> i
            to[indices[p]] = at + 1
    for j in range(n, 0, -1):
        to[j] = to[j - 1]
    to[0] = 0
    return 0


def transpose(starts, indices, to, lines):
    """Write the lines of the other direction: from rows to columns, or back. Each comes out in rising order."""
    cdef int wrong
    if len(starts) == 0 or len(to) == 0:
        raise ValueError("starts needs an entry more than there are lines")
    if indices.dtype.itemsize == 4:
        wrong = turn[int32_t](starts, indices, to, lines)
    else:
        wrong = turn[Py_ssize_t](starts, indices, to, lines)
    if wrong:
        raise ValueError("the arrays are not the compressed form of a pattern")
