"""The entries of a sparse Jacobian: where they lie in another order, and what they make of a move of x."""
from libc.math cimport fabs
from libc.stdint cimport int32_t

from fastgrad._kernels.columns cimport below
from fastgrad._kernels.indices cimport index, inside
from fastgrad._kernels.wide cimport real


# starts (m + 1,), indices (nnz,) below n: by rows  cursor (n,): where each column starts, overwritten  targets (nnz,)
def places(starts, indices, cursor, targets):
    """Write where in the order of rows each entry lies, in the order of columns."""
    cdef bint fits
    if indices.dtype.itemsize == 4:
        fits = place[int32_t](starts, indices, cursor, targets)
    else:
        fits = place[Py_ssize_t](starts, indices, cursor, targets)
    if not fits:
        raise ValueError("the arrays are not the compressed form of a pattern")


cdef bint place(
        const index[::1] starts, const index[::1] indices, index[::1] cursor, index[::1] targets) noexcept nogil:
    cdef Py_ssize_t i, p
    cdef index at
    if not inside(starts, indices, cursor.shape[0]) or targets.shape[0] != indices.shape[0]:
        return False
    for i in range(starts.shape[0] - 1):
        for p in range(starts[i], starts[i + 1]):
            at = cursor[indices[p]]
            if at < 0 or at >= targets.shape[0]:
                return False
            targets[at] = <index>p
            cursor[indices[p]] = at + 1
    return True


# starts (n + 1,), rows (nnz,): by columns  targets (nnz,) or (0,)  data (nnz,)  moves (n,)  change, size (m,), written
def product(starts, rows, targets, data, const double[::1] moves, double[::1] change, double[::1] size):
    """Write the product of a sparse Jacobian with moves into change, and that of their absolute values into size."""
    if len(moves) != len(starts) - 1 or len(change) != len(size) or len(data) != len(rows):
        raise ValueError("the arrays do not fit each other")
    if rows.dtype.itemsize == 4:
        if data.dtype.char == "d":
            multiply[int32_t, double](starts, rows, targets, data, moves, change, size)
        else:
            multiply[int32_t, float](starts, rows, targets, data, moves, change, size)
    elif data.dtype.char == "d":
        multiply[Py_ssize_t, double](starts, rows, targets, data, moves, change, size)
    else:
        multiply[Py_ssize_t, float](starts, rows, targets, data, moves, change, size)


cdef int multiply(
        const index[::1] starts, const index[::1] rows, const index[::1] targets, const real[::1] data,
        const double[::1] moves, double[::1] change, double[::1] size) except -1:
    cdef Py_ssize_t j, p, r
    cdef bint in_order = targets.shape[0] == 0
    cdef double term
    if not inside(starts, rows, change.shape[0]) or not (
            in_order or (targets.shape[0] == rows.shape[0] and below(targets, data.shape[0]))):
        raise ValueError("the arrays do not fit each other")
    for r in range(change.shape[0]):
        change[r] = size[r] = 0.0
    for j in range(moves.shape[0]):
        for p in range(starts[j], starts[j + 1]):
            term = moves[j] * data[p if in_order else targets[p]]
            change[rows[p]] += term
            size[rows[p]] += fabs(term)
    return 0
