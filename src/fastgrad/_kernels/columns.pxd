# What the members of one colour do: move, add up the values of f, and read their entries off.
from fastgrad._kernels.differences cimport Scheme
from fastgrad._kernels.indices cimport index
from fastgrad._kernels.wide cimport real

# Columns of a dense Jacobian that are gathered before they are written: one cache line of doubles a row.
cdef enum:
    COLUMNS = 8


cdef inline int add_up(double[::1] to, const double *values, double weight, bint is_first) except -1 nogil:
    cdef Py_ssize_t r
    if is_first:
        for r in range(to.shape[0]):
            to[r] = weight * values[r]
    else:
        for r in range(to.shape[0]):
            to[r] += weight * values[r]
    return 0


cdef inline bint below(const index[::1] indices, Py_ssize_t width) noexcept nogil:
    cdef Py_ssize_t p
    for p in range(indices.shape[0]):
        if indices[p] < 0 or indices[p] >= width:
            return False
    return True


cdef inline Py_ssize_t common_row(const unsigned char[::1] which, const index[::1] members) noexcept nogil:
    """Return the stencil that all of these take, or -1 where they differ."""
    cdef Py_ssize_t q
    if which.shape[0] == 1:
        return which[0]
    for q in range(1, members.shape[0]):
        if which[members[q]] != which[members[0]]:
            return -1
    return which[members[0]]


cdef inline Py_ssize_t move(
        const real[::1] base, const double[::1] h, Scheme scheme, const index[::1] members, Py_ssize_t k,
        real[::1] line) except? -9:
    """Write the members at their k-th point; return the offset of the first that moves, or 0 where all stay."""
    cdef Py_ssize_t q, j, w, offset, found = 0
    cdef Py_ssize_t each = 0 if h.shape[0] == 1 else 1, each_row = 0 if scheme.which.shape[0] == 1 else 1
    cdef const Py_ssize_t[:, ::1] offsets = scheme.offsets
    cdef const double[:, ::1] weights = scheme.weights
    cdef const unsigned char[::1] which = scheme.which
    for q in range(members.shape[0]):
        j = members[q]
        w = which[j * each_row]
        offset = offsets[w, k] if weights[w, k] != 0.0 else 0
        line[j] = <real>(base[j] + offset * h[j * each]) if offset else base[j]
        if not found:
            found = offset
    return found


cdef inline int copy_members(const real[::1] line, const index[::1] members, real[::1] point) except -1 nogil:
    cdef Py_ssize_t q
    for q in range(members.shape[0]):
        point[members[q]] = line[members[q]]
    return 0


cdef inline int restore(const real[::1] base, const index[::1] members, real[::1] line) except -1 nogil:
    cdef Py_ssize_t q
    for q in range(members.shape[0]):
        line[members[q]] = base[members[q]]
    return 0


cdef inline int add_apart(
        Scheme scheme, const index[::1] members, const index[::1] starts, const index[::1] rows, Py_ssize_t k,
        bint of_centre, const double[::1] values, double[::1] total) except -1:
    """Add values to the rows of each member as its own stencil weights them: those that moved, or those that stayed."""
    cdef Py_ssize_t q, p, j, w
    cdef double weight
    cdef const unsigned char[::1] which = scheme.which
    for q in range(members.shape[0]):
        j = members[q]
        w = which[j]
        weight = scheme.weights[w, k]
        if weight == 0.0 or (scheme.offsets[w, k] == 0) != of_centre:
            continue
        for p in range(starts[j], starts[j + 1]):
            if k == 0:
                total[rows[p]] = weight * values[rows[p]]
            else:
                total[rows[p]] += weight * values[rows[p]]
    return 0


cdef inline int read_off(
        const double[::1] h, Scheme scheme, const index[::1] members, const index[::1] starts, const index[::1] rows,
        const index[::1] targets, const double[::1] total, real[::1] data) except -1:
    """Write each entry of these columns: its row's element of the line, over its column's width."""
    cdef Py_ssize_t q, p, j
    cdef Py_ssize_t each = 0 if h.shape[0] == 1 else 1, each_row = 0 if scheme.which.shape[0] == 1 else 1
    cdef double width
    cdef const double[::1] widths = scheme.widths
    cdef const unsigned char[::1] which = scheme.which
    cdef bint in_order = targets.shape[0] == 0
    for q in range(members.shape[0]):
        j = members[q]
        width = widths[which[j * each_row]] * h[j * each]
        for p in range(starts[j], starts[j + 1]):
            data[p if in_order else targets[p]] = <real>(total[rows[p]] / width)
    return 0


cdef inline int gather(
        const double[::1] h, Scheme scheme, Py_ssize_t j, Py_ssize_t n, const double[::1] total, double[:, ::1] block,
        real[::1] data) except -1:
    """Keep a column, and write those that were kept as soon as they fill a block, or are the last."""
    cdef Py_ssize_t r, k = j % COLUMNS, first = j - k
    cdef double width = scheme.widths[scheme.which[0 if scheme.which.shape[0] == 1 else j]]
    width = width * h[0 if h.shape[0] == 1 else j]
    for r in range(total.shape[0]):
        block[k, r] = total[r] / width
    if k == COLUMNS - 1 or j == n - 1:
        write(block[:k + 1], first, n, data)
    return 0


cdef inline int write(const double[:, ::1] block, Py_ssize_t first, Py_ssize_t n, real[::1] data) except -1 nogil:
    cdef Py_ssize_t r, k
    for r in range(block.shape[1]):
        for k in range(block.shape[0]):
            data[r * n + first + k] = <real>block[k, r]
    return 0
