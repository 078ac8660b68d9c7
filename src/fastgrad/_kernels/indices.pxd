# The integers that patterns are made of: four bytes where they suffice, a pointer's width elsewhere.
from libc.stdint cimport int32_t

ctypedef fused index:
    int32_t
    Py_ssize_t


# Tell whether lines 0 to len(starts) - 2 lie within indices, and all indices from 0 to width - 1. Loops that stop nowhere
# take several at a time.
cdef inline bint inside(const index[::1] starts, const index[::1] indices, Py_ssize_t width) noexcept nogil:
    cdef Py_ssize_t k, lines = starts.shape[0] - 1
    cdef index falls = 0, signs = 0, most = 0
    for k in range(lines):
        falls |= starts[k + 1] < starts[k]
    if lines > 0 and (falls != 0 or starts[0] < 0 or starts[lines] > indices.shape[0]):
        return False
    for k in range(indices.shape[0]):
        signs |= indices[k]
        most = max(most, indices[k])
    return signs >= 0 and (most < width or indices.shape[0] == 0)


# Tell whether the members of each line rise.
cdef inline bint rises(const index[::1] bounds, const index[::1] members) noexcept nogil:
    cdef Py_ssize_t c, q
    for c in range(bounds.shape[0] - 1):
        for q in range(bounds[c] + 1, bounds[c + 1]):
            if members[q] <= members[q - 1]:
                return False
    return True


# Tell whether these rise from 0 or more to no more than the last.
cdef inline bint rise(const Py_ssize_t[::1] ends, Py_ssize_t last) noexcept nogil:
    cdef Py_ssize_t c
    for c in range(ends.shape[0] - 1):
        if ends[c + 1] < ends[c]:
            return False
    return ends.shape[0] > 0 and ends[0] >= 0 and ends[ends.shape[0] - 1] <= last
