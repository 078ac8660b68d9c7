from fastgrad._kernels.wide cimport real

# g (m,)  z (m,)  x (n,)  out (m, n), written, none of them empty and none overlapping it
cdef int fill(
    const real[::1] g, const real[::1] z, const real[::1] x, real[:, ::1] out, bint masked, bint accumulate,
) except -1 nogil
