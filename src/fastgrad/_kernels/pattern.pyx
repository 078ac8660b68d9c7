"""Patterns of sparse matrices in compressed form: what is wrong with one, and the way from rows to columns."""
from libc.stdint cimport int32_t

from fastgrad._kernels.indices cimport index, inside
from fastgrad._kernels.wide cimport wide_int


# starts (m + 1,), indices (nnz,), those of line i in starts[i] : starts[i + 1]
cdef Py_ssize_t look(const index[::1] starts, const index[::1] indices, Py_ssize_t width) noexcept nogil:
    cdef Py_ssize_t i, p, last, m = starts.shape[0] - 1
    if starts[0] != 0 or starts[m] != indices.shape[0]:
        return 0
    if are_well(starts, indices, width):
        return -1
    for i in range(m):
        if starts[i + 1] < starts[i] or starts[i + 1] > indices.shape[0]:
            return i
        last = -1
        for p in range(starts[i], starts[i + 1]):
            if indices[p] <= last or indices[p] >= width:
                return i
            last = indices[p]
    return -1


cdef bint are_well(const index[::1] starts, const index[::1] indices, Py_ssize_t width) noexcept nogil:
    """Tell whether no index lies outside, and an index is no more than the one before it only where a line begins."""
    cdef Py_ssize_t i
    cdef index falls = 0
    if not inside(starts, indices, width):
        return False
    if indices.shape[0] == 0:
        return True
    count_falls(&indices[0], indices.shape[0], &falls)
    for i in range(1, starts.shape[0] - 1):
        if starts[i - 1] < starts[i] < indices.shape[0]:
            falls -= indices[starts[i]] <= indices[starts[i] - 1]
    return falls == 0


# Shapes: indices (nnz,).
cdef wide_int count_falls(const index* indices, Py_ssize_t nnz, index* found) noexcept nogil:
    cdef Py_ssize_t p
    cdef index falls = 0
    for p in range(1, nnz):
        falls += indices[p] <= indices[p - 1]
    found[0] = falls
    return 0


def first_fault(starts, indices, width):
    """Return the first line whose indices do not rise from 0 to less than width; -1 where all are well."""
    if len(starts) == 0:
        raise ValueError("starts needs an entry more than there are lines")
    if indices.dtype.itemsize == 4:
        return look[int32_t](starts, indices, width)
    return look[Py_ssize_t](starts, indices, width)


# indices (nnz,); counts (n,), written. Return whether all indices are below n.
cdef bint add_each(const index[::1] indices, index[::1] counts) noexcept nogil:
    cdef Py_ssize_t p
    for p in range(counts.shape[0]):
        counts[p] = 0
    for p in range(indices.shape[0]):
        if not 0 <= indices[p] < counts.shape[0]:
            return False
        counts[indices[p]] += 1
    return True


def count(indices, counts):
    """Write how often each index occurs."""
    cdef bint are_inside
    if indices.dtype.itemsize == 4:
        are_inside = add_each[int32_t](indices, counts)
    else:
        are_inside = add_each[Py_ssize_t](indices, counts)
    if not are_inside:
        raise ValueError("an index lies outside its array")


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


# starts (n + 1,), indices (nnz,) below n, rising in each line; cursor (n,), overwritten
cdef int mirrored(const index[::1] starts, const index[::1] indices, index[::1] cursor) noexcept nogil:
    cdef Py_ssize_t i, p, left = 0
    cdef index j, at
    if not inside(starts, indices, cursor.shape[0]):
        return -1
    for i in range(cursor.shape[0]):
        p = starts[i]
        while p < starts[i + 1] and indices[p] < i:
            j = indices[p]  # whose entries beyond itself are met by the lines after it, one after the other
            at = cursor[j]
            if at >= starts[j + 1] or indices[at] != i:
                return 0
            cursor[j] = at + 1
            left -= 1
            p += 1
        if p < starts[i + 1] and indices[p] == i:
            p += 1
        cursor[i] = <index>p
        left += starts[i + 1] - p
    return left == 0


def is_symmetric(starts, indices, cursor):
    """Return whether the lines of a square pattern are those of its transpose too."""
    cdef int found
    if len(starts) != len(cursor) + 1:
        raise ValueError("starts does not fit cursor")
    if indices.dtype.itemsize == 4:
        found = mirrored[int32_t](starts, indices, cursor)
    else:
        found = mirrored[Py_ssize_t](starts, indices, cursor)
    if found < 0:
        raise ValueError("the arrays are not the compressed form of a pattern")
    return found == 1
