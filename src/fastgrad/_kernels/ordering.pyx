"""Orders in which to colour columns, from the graph whose neighbours are the columns with a common row."""
from libc.stdint cimport int32_t

from fastgrad._kernels.indices cimport index, inside


# starts (n + 1,), indices (nnz,): the rows of each column; row_starts (m + 1,), columns (nnz,): the columns of each row;
# seen (n,), overwritten; out (n,)
cdef int count(const index[::1] starts, const index[::1] indices, const index[::1] row_starts,
               const index[::1] columns, index[::1] seen, index[::1] out) except -1 nogil:
    cdef Py_ssize_t i, j, k, p, q, n = out.shape[0]
    cdef index found
    if not inside(starts, indices, row_starts.shape[0] - 1) or not inside(row_starts, columns, n):
        return 1
    for j in range(n):
        seen[j] = -1
    for j in range(n):
        seen[j] = <index> j
        found = 0
        for p in range(starts[j], starts[j + 1]):
            i = indices[p]
            for q in range(row_starts[i], row_starts[i + 1]):
                k = columns[q]
                if seen[k] != j:
                    seen[k] = <index> j
                    found += 1
        out[j] = found
    return 0


def degrees(starts, indices, row_starts, columns, seen, out):
    """Write how many other columns each column has a common row with."""
    cdef int wrong
    if len(starts) != len(out) + 1 or len(seen) != len(out) or len(row_starts) == 0:
        raise ValueError("the arrays do not fit each other")
    if indices.dtype.itemsize == 4:
        wrong = count[int32_t](starts, indices, row_starts, columns, seen, out)
    else:
        wrong = count[Py_ssize_t](starts, indices, row_starts, columns, seen, out)
    if wrong:
        raise ValueError("an index lies outside its array")


# A stack of columns for each key, as links: heads (n,), the column put last on each; above (n,) and below (n,), its
# neighbours, or -1.
cdef inline void put(Py_ssize_t j, index[::1] keys, index[::1] heads, index[::1] above, index[::1] below) noexcept nogil:
    cdef index old = heads[keys[j]]
    above[j] = -1
    below[j] = old
    if old >= 0:
        above[old] = <index> j
    heads[keys[j]] = <index> j


cdef inline void take(Py_ssize_t j, index[::1] keys, index[::1] heads, index[::1] above,
                      index[::1] below) noexcept nogil:
    if above[j] >= 0:
        below[above[j]] = below[j]
    else:
        heads[keys[j]] = below[j]
    if below[j] >= 0:
        above[below[j]] = above[j]


# keys (n,), from 0 to n - 1, overwritten; entering (n,), a permutation: the order in which columns are put on the
# stacks; work (4, n), overwritten; out (n,), the columns as they are taken, whose keys are then -1
cdef int run(const index[::1] starts, const index[::1] indices, const index[::1] row_starts, const index[::1] columns,
             index[::1] keys, const index[::1] entering, int change, index[:, ::1] work, index[::1] out) except -1 nogil:
    cdef index[::1] heads = work[0], above = work[1], below = work[2], seen = work[3]
    cdef Py_ssize_t i, j, k, p, q, step, key, n = keys.shape[0]
    if not inside(starts, indices, row_starts.shape[0] - 1) or not inside(row_starts, columns, n):
        return 1
    for j in range(n):
        heads[j] = seen[j] = -1
    for j in range(n):
        k = entering[j]
        if k < 0 or k >= n or seen[k] >= 0 or keys[k] < 0 or keys[k] >= n:
            return 1
        seen[k] = 0
        put(k, keys, heads, above, below)
    for j in range(n):
        seen[j] = -1
    key = 0 if change < 0 else n - 1
    for step in range(n):
        while heads[key] < 0:
            key -= change
        j = heads[key]
        take(j, keys, heads, above, below)
        keys[j] = -1
        out[step] = <index> j
        for p in range(starts[j], starts[j + 1]):
            i = indices[p]
            for q in range(row_starts[i], row_starts[i + 1]):
                k = columns[q]
                if keys[k] < 0 or seen[k] == j:
                    continue
                seen[k] = <index> j
                if not 0 <= keys[k] + change < n:
                    return 1
                take(k, keys, heads, above, below)
                keys[k] += change
                put(k, keys, heads, above, below)
        key = max(0, key - 1) if change < 0 else min(n - 1, key + 1)
    return 0


def by_key(starts, indices, row_starts, columns, keys, entering, int change, work, out):
    """Write the columns in the order of their keys, which change by that much as neighbours are taken.

    The lowest key is taken each time where change is -1, and the highest where it is 1; of equal ones that which came
    to its key last.
    """
    cdef int wrong
    n = len(starts) - 1
    if n < 0 or len(keys) != n or len(entering) != n or work.shape != (4, n) or len(out) != n or len(row_starts) == 0:
        raise ValueError("the arrays do not fit each other")
    if change not in (-1, 1):
        raise ValueError("keys change by 1 or by -1")
    if n == 0:
        return
    if indices.dtype.itemsize == 4:
        wrong = run[int32_t](starts, indices, row_starts, columns, keys, entering, change, work, out)
    else:
        wrong = run[Py_ssize_t](starts, indices, row_starts, columns, keys, entering, change, work, out)
    if wrong:
        raise ValueError("an index or a key lies outside its range")
