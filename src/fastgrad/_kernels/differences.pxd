# offsets (s, k)  weights (s, k), 0 where a row has ended  widths (s,)  which (1,) or (n,): the row that entry i takes
cdef class Scheme:
    cdef const Py_ssize_t[:, ::1] offsets
    cdef const double[:, ::1] weights
    cdef const double[::1] widths
    cdef const unsigned char[::1] which
    cdef bint has_centre
