# What the members of one colour do: move, and read their entries off the line that the values of f add up to.
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from fastgrad._kernels.cache cimport COLUMNS
from fastgrad._kernels.differences cimport Scheme
from fastgrad._kernels.gathered cimport quotients, scatter
from fastgrad._kernels.indices cimport index
from fastgrad._kernels.wide cimport real

cdef enum:
    FAR = 65535  # the largest code: what is to be added before the next one
    NONE = 255   # in the table of a colour: the row has no entry of it


cdef inline Py_ssize_t common_row(const unsigned char[::1] which, const index[::1] members) noexcept nogil:
    """Return the stencil that all of these take, or -1 where they differ."""
    cdef Py_ssize_t q
    if which.shape[0] == 1:
        return which[0]
    for q in range(1, members.shape[0]):
        if which[members[q]] != which[members[0]]:
            return -1
    return which[members[0]]


cdef inline Py_ssize_t offset_of(Scheme scheme, Py_ssize_t j, Py_ssize_t k) noexcept:
    """Return by how many of its steps entry j is moved at its k-th point."""
    cdef Py_ssize_t w = scheme.which[0 if scheme.which.shape[0] == 1 else j]
    return scheme.offsets[w, k] if scheme.weights[w, k] != 0.0 else 0


cdef inline Py_ssize_t move(
        const real[::1] base, const double[::1] h, Scheme scheme, const index[::1] members, Py_ssize_t k,
        real[::1] point) noexcept:
    """Write the members at their k-th point; return the offset of the first that moves, or 0 where all stay."""
    cdef Py_ssize_t q, j, offset, found = 0
    cdef double step
    if h.shape[0] == 1 and scheme.which.shape[0] == 1:
        offset = offset_of(scheme, 0, k)
        step = offset * h[0]
        if offset:
            for q in range(members.shape[0]):
                point[members[q]] = <real>(base[members[q]] + step)
            return offset
    for q in range(members.shape[0]):
        j = members[q]
        offset = offset_of(scheme, j, k)
        point[j] = <real>(base[j] + offset * h[0 if h.shape[0] == 1 else j]) if offset else base[j]
        if not found:
            found = offset
    return found


cdef inline Py_ssize_t first_offset(Scheme scheme, const index[::1] members, Py_ssize_t k) noexcept:
    """Return the offset of the first member that moves at its k-th point, or 0 where all stay."""
    cdef Py_ssize_t q, offset
    for q in range(members.shape[0]):
        offset = offset_of(scheme, members[q], k)
        if offset or scheme.which.shape[0] == 1:
            return offset
    return 0


cdef inline int add_words(const real *a, const real *b) noexcept nogil:
    """Return in how many words of four bytes two numbers differ."""
    cdef const uint32_t *u = <const uint32_t *>a
    cdef const uint32_t *v = <const uint32_t *>b
    if sizeof(real) == 4:
        return u[0] != v[0]
    return (u[0] != v[0]) + (u[1] != v[1])


# starts (l + 1,), indices (nnz,): the entries, by rows or by columns; codes: those of a colour, each as what is to be
# added to the one before, after as often FAR as that is needed
cdef inline int add_apart(
        Scheme scheme, const index[::1] starts, const index[::1] indices, bint by_rows, const uint16_t[::1] codes,
        Py_ssize_t k, bint of_centre, const double[::1] values, double[::1] total) except -1:
    """Add values to each entry's row as its column's stencil weights them: where that moved, or where it stayed."""
    cdef Py_ssize_t q, i, j, w, p = 0, line = 0
    cdef double weight
    cdef const unsigned char[::1] which = scheme.which
    for q in range(codes.shape[0]):
        p += codes[q]
        if codes[q] == FAR:
            continue
        if p >= indices.shape[0]:
            raise ValueError("the codes do not fit the pattern")
        while starts[line + 1] <= p:
            line += 1
        i = line if by_rows else indices[p]
        j = indices[p] if by_rows else line
        w = which[j]
        weight = scheme.weights[w, k]
        if weight == 0.0 or (scheme.offsets[w, k] == 0) != of_centre:
            continue
        if k == 0:
            total[i] = weight * values[i]
        else:
            total[i] += weight * values[i]
    return 0


# starts (m + 1,), indices (nnz,): by rows; places (m,): which of its entries each row has of a colour, or NONE
cdef inline int add_apart_in_rows(
        Scheme scheme, const index[::1] starts, const index[::1] indices, const uint8_t[::1] places, Py_ssize_t k,
        bint of_centre, const double[::1] values, double[::1] total) except -1:
    """Add values as `add_apart` does."""
    cdef Py_ssize_t i, w, p
    cdef double weight
    for i in range(places.shape[0]):
        if places[i] == NONE:
            continue
        p = starts[i] + places[i]
        if p >= starts[i + 1]:
            raise ValueError("the table does not fit the pattern")
        w = scheme.which[indices[p]]
        weight = scheme.weights[w, k]
        if weight == 0.0 or (scheme.offsets[w, k] == 0) != of_centre:
            continue
        if k == 0:
            total[i] = weight * values[i]
        else:
            total[i] += weight * values[i]
    return 0


cdef inline int read_off(
        const double[::1] h, Scheme scheme, const index[::1] starts, const index[::1] indices, bint by_rows,
        const uint16_t[::1] codes, const double[::1] total, real[::1] data) except -1:
    """Write each of these entries: its row's element of the line, over its column's width."""
    cdef Py_ssize_t q, j, p = 0, line = 0
    cdef Py_ssize_t each = 0 if h.shape[0] == 1 else 1, each_row = 0 if scheme.which.shape[0] == 1 else 1
    cdef const double[::1] widths = scheme.widths
    cdef const unsigned char[::1] which = scheme.which
    cdef double width = widths[which[0]] * h[0]
    if by_rows and each == 0 and each_row == 0:
        for q in range(codes.shape[0]):
            p += codes[q]
            if codes[q] == FAR:
                continue
            if p >= indices.shape[0]:
                raise ValueError("the codes do not fit the pattern")
            while starts[line + 1] <= p:
                line += 1
            data[p] = <real>(total[line] / width)
        return 0
    for q in range(codes.shape[0]):
        p += codes[q]
        if codes[q] == FAR:
            continue
        if p >= indices.shape[0]:
            raise ValueError("the codes do not fit the pattern")
        while starts[line + 1] <= p:
            line += 1
        j = indices[p] if by_rows else line
        width = widths[which[j * each_row]] * h[j * each]
        data[p] = <real>(total[line if by_rows else indices[p]] / width)
    return 0


cdef inline int read_off_rows(
        const double[::1] h, Scheme scheme, const index[::1] starts, const index[::1] indices,
        const uint8_t[::1] places, const double[::1] total, real[::1] data) except -1:
    """Write entries as `read_off` does."""
    cdef Py_ssize_t i, j, p
    cdef Py_ssize_t each = 0 if h.shape[0] == 1 else 1, each_row = 0 if scheme.which.shape[0] == 1 else 1
    cdef const double[::1] widths = scheme.widths
    cdef const unsigned char[::1] which = scheme.which
    cdef bint is_uniform = each == 0 and each_row == 0
    cdef double width = widths[which[0]] * h[0]
    for i in range(places.shape[0]):
        if places[i] == NONE:
            continue
        p = starts[i] + places[i]
        if p >= starts[i + 1]:
            raise ValueError("the table does not fit the pattern")
        if not is_uniform:
            j = indices[p]
            width = widths[which[j * each_row]] * h[j * each]
        data[p] = <real>(total[i] / width)
    return 0


cdef inline int gather(
        const double[::1] h, Scheme scheme, Py_ssize_t j, Py_ssize_t n, const double[::1] total, double[:, ::1] block,
        real[::1] data) except -1:
    """Keep a column, and write those that were kept as soon as they fill a block, or are the last."""
    cdef Py_ssize_t m = total.shape[0], k = j % COLUMNS
    cdef double width = scheme.widths[scheme.which[0 if scheme.which.shape[0] == 1 else j]]
    width = width * h[0 if h.shape[0] == 1 else j]
    if m == 0:
        return 0
    quotients(&block[k, 0], &total[0], width, m)
    if k == COLUMNS - 1 or j == n - 1:
        scatter(&block[0, 0], k + 1, m, &data[0], n, j - k)
    return 0
