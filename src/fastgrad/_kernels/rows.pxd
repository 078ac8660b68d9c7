# One row of a result, for one sample and one step away from kinks: what the loops over units and over layers share.
from libc.math cimport frexp, isfinite
from libc.stdint cimport uintptr_t

from fastgrad._kernels.wide cimport real

cdef enum:
    LINE = 64               # bytes in a line of cache
    SPAN = 1 << 24          # terms between two looks for signals, about 20 ms


# 1/(2·h) where there is one step and that is exact, so that multiplying gives the bits of dividing; else 0.
cdef inline double exact_inverse(const double[::1] h) noexcept nogil:
    cdef int exponent
    if h.shape[0] == 1 and frexp(h[0], &exponent) == 0.5 and isfinite(0.5 / h[0]):
        return 0.5 / h[0]
    return 0.0


# Entries of a row up to the first that starts a line of cache: what straddles lines costs up to half more.
cdef inline Py_ssize_t up_to_line(const real* row, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t entries = (LINE - <uintptr_t> row % LINE) % LINE // sizeof(real)
    return min(entries, n)


# What a line's polynomial gains between the two ends of a move.
cdef inline double gained(double z, double d, double origin, double c, double q) noexcept nogil:
    cdef double plus = z + d, minus = z - d
    return (plus - minus) * (c + ((plus - origin) + (minus - origin)) * q)


# The entries of a row in double precision, from a unit at z; `inverse` is 1/(2·h) where that is exact, else 0.
# Shapes: x, out (n,).
cdef inline void write_row(real* out, const double* x, Py_ssize_t n, double h, double inverse, double z, double origin,
                           double c, double q) noexcept nogil:
    cdef Py_ssize_t j, part, start, stop, first = up_to_line(out, n)
    for part in range(2):
        start = first if part else 0
        stop = n if part else first
        if inverse == 0.0:
            for j in range(start, stop):
                out[j] = <real> (gained(z, h * x[j], origin, c, q) / (2.0 * h))
        elif q == 0.0:
            for j in range(start, stop):
                out[j] = <real> (((z + h * x[j]) - (z - h * x[j])) * c * inverse)
        elif c == 0.0 and origin == 0.0:
            for j in range(start, stop):
                out[j] = <real> (((z + h * x[j]) - (z - h * x[j])) * (((z + h * x[j]) + (z - h * x[j])) * q) * inverse)
        else:
            for j in range(start, stop):
                out[j] = <real> (gained(z, h * x[j], origin, c, q) * inverse)
