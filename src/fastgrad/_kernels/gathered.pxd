# The columns of a Jacobian: what f has at an entry's points is added up as a stencil weights it, and the quotients are
# gathered, COLUMNS of them, before they are written: to each row a line of cache, and not one number.
from fastgrad._kernels.wide cimport real


# Adds values, as weighted, to the sums of a column, or begins them. Shapes: total, y (m,).
cdef inline void add_up(double* total, const double* y, double weight, Py_ssize_t m, bint is_first) noexcept nogil:
    cdef Py_ssize_t r
    if is_first:
        for r in range(m):
            total[r] = weight * y[r]
    else:
        for r in range(m):
            total[r] += weight * y[r]


# Shapes: out, total (m,).
cdef inline void quotients(double* out, const double* total, double width, Py_ssize_t m) noexcept nogil:
    cdef Py_ssize_t r
    for r in range(m):
        out[r] = total[r] / width


# Writes gathered columns, of which the first is column `first`, into the rows of out. Shapes: block (kept, m), out (m, n).
cdef inline void scatter(
        const double* block, Py_ssize_t kept, Py_ssize_t m, real* out, Py_ssize_t n, Py_ssize_t first) noexcept nogil:
    cdef Py_ssize_t r, k
    for r in range(m):
        for k in range(kept):
            out[r * n + first + k] = <real>block[k * m + r]
