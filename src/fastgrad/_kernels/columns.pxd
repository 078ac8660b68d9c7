# What is read from a colour: its entries, off the line that the values of f add up to; or, of a dense Jacobian, a column.
from libc.stdint cimport uint8_t, uint16_t

from fastgrad._kernels.cache cimport COLUMNS
from fastgrad._kernels.gathered cimport quotients, scatter
from fastgrad._kernels.indices cimport index
from fastgrad._kernels.members cimport are_alike
from fastgrad._kernels.spans cimport Stencils
from fastgrad._kernels.wide cimport part_int, real, wide_int

cdef enum:
    FAR = 65535  # the largest code: what is to be added before the next one
    NONE = 255   # in the table of a colour: the row has no entry of it

cdef enum Visit:
    ADD         # f's values to its row, as its column's stencil weights them
    READ        # it off the line: its row's element, over its column's width
    READ_ALIKE  # the same, where all columns have one width


cdef inline Py_ssize_t common_row(Stencils s, const index[::1] members) noexcept nogil:
    """Return the stencil that all of these take, or -1 where they differ."""
    cdef Py_ssize_t q
    if s.each_row:
        for q in range(1, members.shape[0]):
            if s.which[members[q]] != s.which[members[0]]:
                return -1
    return s.which[members[0] * s.each_row]


cdef inline double width_of(Stencils s, Py_ssize_t j) noexcept nogil:
    """Return what the weighted values of column j are divided by."""
    return s.widths[s.which[j * s.each_row]] * s.h[j * s.each_step]


# What is done with entries takes place apart from the loop over colours: that leaves no register free.
# starts (l + 1,), indices (nnz,): the entries, by rows or by columns  values, total (m,)  data (nnz,)
cdef inline part_int take(
        Visit what, Stencils s, double width, Py_ssize_t entry, Py_ssize_t line, const index[::1] indices, bint by_rows,
        Py_ssize_t k, bint of_centre, const double[::1] values, double[::1] total, real[::1] data) noexcept nogil:
    """Do one thing with an entry that lies in this line; `width` is that of all columns, where they are alike."""
    cdef Py_ssize_t i = line if by_rows else indices[entry], at
    if what == READ_ALIKE:
        data[entry] = <real>(total[i] / width)
        return 0
    if what == READ:
        data[entry] = <real>(total[i] / width_of(s, indices[entry] if by_rows else line))
        return 0
    at = s.which[(indices[entry] if by_rows else line) * s.each_row] * s.length + k
    if s.weights[at] == 0.0 or (s.offsets[at] == 0) != of_centre:
        return 0
    if k == 0:
        total[i] = s.weights[at] * values[i]
    else:
        total[i] += s.weights[at] * values[i]
    return 0


# The same shapes. Which entries a colour has is told in one of two ways. By codes: each as what is to be added to the one
# before, after as often FAR as that is needed. Or, where they are not NULL, by places (m,): which of its entries each row
# has, or NONE.
cdef inline part_int visit(
        Visit what, Stencils s, const index[::1] starts, const index[::1] indices, bint by_rows,
        const uint16_t[::1] codes, const uint8_t *places, Py_ssize_t k, bint of_centre, const double[::1] values,
        double[::1] total, real[::1] data) except -1:
    """Do one thing with each entry of a colour."""
    cdef Py_ssize_t q, entry = 0, line = 0
    cdef double width = width_of(s, 0)
    if places != NULL:
        for line in range(total.shape[0]):
            if places[line] == NONE:
                continue
            entry = starts[line] + places[line]
            if entry >= starts[line + 1]:
                raise ValueError("the table does not fit the pattern")
            take(what, s, width, entry, line, indices, True, k, of_centre, values, total, data)
        return 0
    for q in range(codes.shape[0]):
        entry += codes[q]
        if codes[q] == FAR:
            continue
        if entry >= indices.shape[0]:
            raise ValueError("the codes do not fit the pattern")
        while starts[line + 1] <= entry:
            line += 1
        take(what, s, width, entry, line, indices, by_rows, k, of_centre, values, total, data)
    return 0


cdef inline wide_int add_apart(
        Stencils s, const index[::1] starts, const index[::1] indices, bint by_rows, const uint16_t[::1] codes,
        const uint8_t *places, Py_ssize_t k, bint of_centre, const double[::1] values, double[::1] total) except -1:
    """Add values to each entry's row as its column's stencil weights them: where that moved, or where it stayed."""
    return visit(ADD, s, starts, indices, by_rows, codes, places, k, of_centre, values, total, total)


cdef inline wide_int read_off(
        Stencils s, const index[::1] starts, const index[::1] indices, bint by_rows, const uint16_t[::1] codes,
        const uint8_t *places, double[::1] total, real[::1] data) except -1:
    """Write each of these entries: its row's element of the line, over its column's width."""
    if are_alike(s):
        return visit(READ_ALIKE, s, starts, indices, by_rows, codes, places, 0, False, total, total, data)
    return visit(READ, s, starts, indices, by_rows, codes, places, 0, False, total, total, data)


cdef inline int gather(
        Stencils s, Py_ssize_t j, Py_ssize_t n, const double[::1] total, double[:, ::1] block,
        real[::1] data) except -1:
    """Keep a column, and write those that were kept as soon as they fill a block, or are the last."""
    cdef Py_ssize_t m = total.shape[0], k = j % COLUMNS
    if m == 0:
        return 0
    quotients(&block[k, 0], &total[0], width_of(s, j), m)
    if k == COLUMNS - 1 or j == n - 1:
        scatter(&block[0, 0], k + 1, m, &data[0], n, j - k)
    return 0
