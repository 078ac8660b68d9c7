# The members of a colour: moved together to their k-th points, and looked at whether they, and all else, stayed there.
from libc.stdint cimport uint32_t

from fastgrad._kernels.indices cimport index
from fastgrad._kernels.spans cimport Stencils
from fastgrad._kernels.wide cimport part_int, real, wide_int

cdef enum:
    SPAN = 1 << 10  # entries that are looked at and moved on at a time: they stay in the nearest cache
    STAY = -1       # no point: x itself


cdef inline bint are_alike(Stencils s) noexcept nogil:
    """Tell whether all entries have one stencil and one step."""
    return not (s.each_row or s.each_step)


cdef inline part_int offset_of(Stencils s, Py_ssize_t j, Py_ssize_t k) noexcept nogil:
    """Return by how many of its steps entry j is moved at its k-th point."""
    cdef Py_ssize_t at = s.which[j * s.each_row] * s.length + k
    return <int>s.offsets[at] if s.weights[at] != 0.0 else 0


cdef inline real moved(real x, Py_ssize_t offset, double step) noexcept nogil:
    return <real>(x + offset * step) if offset else x  # -0 stays -0


cdef inline Py_ssize_t move(
        const real[::1] base, Stencils s, const index[::1] members, Py_ssize_t k, real[::1] point) noexcept nogil:
    """Write the members at their k-th point; return the offset of the first that moves, or 0 where all stay."""
    cdef Py_ssize_t q, j, offset, found = 0
    cdef double step
    if are_alike(s):
        offset = offset_of(s, 0, k)
        step = offset * s.h[0]
        if offset:
            for q in range(members.shape[0]):
                point[members[q]] = <real>(base[members[q]] + step)
            return offset
    for q in range(members.shape[0]):
        j = members[q]
        offset = offset_of(s, j, k)
        point[j] = moved(base[j], offset, s.h[j * s.each_step])
        if not found:
            found = offset
    return found


cdef inline Py_ssize_t first_offset(Stencils s, const index[::1] members, Py_ssize_t k) noexcept nogil:
    """Return the offset of the first member that moves at its k-th point, or 0 where all stay."""
    cdef Py_ssize_t q, offset
    if k == STAY:
        return 0
    for q in range(members.shape[0]):
        offset = offset_of(s, members[q], k)
        if offset or not s.each_row:
            return offset
    return 0


cdef inline bint moves_on(
        const real[::1] base, Stencils s, const index[::1] members, Py_ssize_t k, Py_ssize_t then,
        real[::1] point) noexcept nogil:
    """Move the members from their k-th point to another, or back; tell whether all entries held what they should.

    They should hold what was written, bit for bit. Where one does not, what is moved is not said.
    """
    cdef Py_ssize_t first, end = 0, q = 0, j, left = 0, n = base.shape[0]
    cdef bint is_uniform = are_alike(s)
    cdef double step = 0.0, next_step = 0.0
    cdef real held
    if is_uniform:
        step = offset_of(s, 0, k) * s.h[0]
        next_step = 0.0 if then == STAY else offset_of(s, 0, then) * s.h[0]
        is_uniform = step != 0.0 and (then == STAY or next_step != 0.0)
    while end < n:
        first, end = end, min(end + SPAN, n)
        left = differing_words(<const uint32_t *>&base[first], <const uint32_t *>&point[first],
                               <int>((end - first) * (sizeof(real) // 4)))
        while q < members.shape[0] and members[q] < end:
            j = members[q]
            q += 1
            held = <real>(base[j] + step) if is_uniform else moved(base[j], offset_of(s, j, k), s.h[j * s.each_step])
            if words_apart(&held, &point[j]) != 0:
                return False
            left -= words_apart(&base[j], &held)
            if then == STAY:
                point[j] = base[j]
            elif is_uniform:
                point[j] = <real>(base[j] + next_step)
            else:
                point[j] = moved(base[j], offset_of(s, j, then), s.h[j * s.each_step])
        if left != 0:
            return False
    return True


cdef inline wide_int differing_words(const uint32_t *a, const uint32_t *b, int count) noexcept nogil:
    """Return how many words of four bytes are not the same."""
    cdef int k, found = 0
    for k in range(count):
        found += a[k] != b[k]
    return found


cdef inline int words_apart(const real *a, const real *b) noexcept nogil:
    """Return in how many words of four bytes two numbers differ."""
    cdef const uint32_t *u = <const uint32_t *>a
    cdef const uint32_t *v = <const uint32_t *>b
    if sizeof(real) == 4:
        return u[0] != v[0]
    return (u[0] != v[0]) + (u[1] != v[1])
