from fastgrad._kernels.spans cimport Stencils

# offsets (s, k)  weights (s, k), 0 where a row has ended  widths (s,)  which (1,) or (n,): the row that entry i takes
cdef class Scheme:
    cdef const Py_ssize_t[:, ::1] offsets
    cdef const double[:, ::1] weights
    cdef const double[::1] widths
    cdef const unsigned char[::1] which
    cdef readonly bint has_centre


cdef inline Stencils stencils(Scheme scheme, const double* h, Py_ssize_t steps, Py_ssize_t n) except *:
    """Return the stencils of n entries with these steps, one for all or one an entry."""
    if steps not in (1, n) or scheme.which.shape[0] not in (1, n):
        raise ValueError("the arrays do not fit each other")
    cdef const unsigned char* which = NULL
    if scheme.which.shape[0]:    # else there are no entries
        which = &scheme.which[0]
    return Stencils(
        &scheme.offsets[0, 0], &scheme.weights[0, 0], &scheme.widths[0], which, h,
        scheme.offsets.shape[1], scheme.which.shape[0] != 1, steps != 1)
