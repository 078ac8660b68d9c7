# One row of a result, for one sample and one step away from kinks: what the loops over units and over layers share.
from libc.math cimport frexp, isfinite
from libc.stdint cimport uintptr_t
from libc.string cimport memcpy

from fastgrad._kernels.cache cimport LINE, PAGE
from fastgrad._kernels.wide cimport real

cdef enum:
    LONGEST = 4096    # entries of a row whose inputs are held
    HELD = LONGEST + (PAGE + LINE) // 4    # of 4 bytes or more: the room that this takes


# 1/(2·h) where there is one step and that is exact, so that multiplying gives the bits of dividing; else 0.
cdef inline double exact_inverse(const double[::1] h) noexcept nogil:
    cdef int exponent
    if h.shape[0] == 1 and frexp(h[0], &exponent) == 0.5 and isfinite(0.5 / h[0]):
        return 0.5 / h[0]
    return 0.0


# Entries of a row up to the first that starts a line of cache.
cdef inline Py_ssize_t up_to_line(const real* row, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t entries = (LINE - <uintptr_t> row % LINE) % LINE // sizeof(real)
    return min(entries, n)


# What is read again for each row of out, in a room of HELD entries where it fits: from the start of a line of cache on, or
# from where out stands in its line, for reading what straddles lines costs up to a quarter more; and half a page from
# where writing begins, for a processor that compares the last twelve bits of addresses takes what is read for what was
# just written. Shapes: x (n,).
cdef inline const real* held(const real* x, Py_ssize_t n, const real* out, bint alike, real* room) noexcept nogil:
    cdef uintptr_t begin = <uintptr_t> room, ahead = <uintptr_t> out + PAGE // 2
    if n > LONGEST:
        return x
    begin += (ahead - begin) % PAGE
    if not alike:
        begin += (LINE - begin % LINE) % LINE
    memcpy(<real*> begin, x, n * sizeof(real))
    return <real*> begin


# What a line's polynomial gains between the two ends of a move.
cdef inline double gained(double z, double d, double origin, double c, double q) noexcept nogil:
    cdef double plus = z + d, minus = z - d
    return (plus - minus) * (c + ((plus - origin) + (minus - origin)) * q)


# The entries of a row in double precision, from a unit at z; `inverse` is 1/(2·h) where that is exact, else 0.
# Shapes: x, out (n,).
cdef inline void write_row(real* out, const double* x, Py_ssize_t n, double h, double inverse, double z, double origin,
                           double c, double q) noexcept nogil:
    cdef Py_ssize_t j
    if inverse == 0.0:
        for j in range(n):
            out[j] = <real> (gained(z, h * x[j], origin, c, q) / (2.0 * h))
    elif q == 0.0:
        for j in range(n):
            out[j] = <real> (((z + h * x[j]) - (z - h * x[j])) * c * inverse)
    elif c == 0.0 and origin == 0.0:
        for j in range(n):
            out[j] = <real> (((z + h * x[j]) - (z - h * x[j])) * (((z + h * x[j]) + (z - h * x[j])) * q) * inverse)
    else:
        for j in range(n):
            out[j] = <real> (gained(z, h * x[j], origin, c, q) * inverse)
