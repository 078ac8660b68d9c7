# One row of a result, for one sample and one step away from kinks: what the loops over units and over layers share.
from libc.math cimport frexp, isfinite
from libc.stdint cimport uintptr_t
from libc.string cimport memcpy

from fastgrad._kernels.ahead cimport soon_written
from fastgrad._kernels.cache cimport LINE, PAGE
from fastgrad._kernels.lanes cimport add, fill, lanes, load_doubles, multiply, save, subtract
from fastgrad._kernels.wide cimport part_int, real

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


# A unit at z with its polynomial and the step, each in all lanes; 1/(2·h) must be exact.
cdef struct Line:
    lanes h, inverse, z, origin, c, q


# How a polynomial is evaluated: by its line alone, by its square alone, or wholly.
cdef enum Shape:
    LINEAR, SQUARE, WHOLE


cdef inline Shape shape_of(double origin, double c, double q) noexcept nogil:
    if q == 0.0:
        return LINEAR
    return SQUARE if c == 0.0 and origin == 0.0 else WHOLE


cdef inline void set_line(Line* line, double h, double inverse, double z, double origin, double c, double q) noexcept nogil:
    fill(&line.h, h)
    fill(&line.inverse, inverse)
    fill(&line.z, z)
    fill(&line.origin, origin)
    fill(&line.c, c)
    fill(&line.q, q)


# Eight entries of a row, whose inputs are u.
cdef inline part_int form(real* out, const lanes* u, const Line* line, Shape shape) noexcept nogil:
    cdef lanes d = u[0], plus = line.z, minus = line.z, gain
    multiply(&d, &line.h)
    add(&plus, &d)
    subtract(&minus, &d)
    gain = plus
    subtract(&gain, &minus)
    if shape == LINEAR:
        multiply(&gain, &line.c)
    else:
        if shape == WHOLE:
            subtract(&plus, &line.origin)
            subtract(&minus, &line.origin)
        add(&plus, &minus)
        multiply(&plus, &line.q)
        if shape == WHOLE:
            add(&plus, &line.c)
        multiply(&gain, &plus)
    multiply(&gain, &line.inverse)
    save(out, &gain)
    return 0


# Shapes: x, out (n,), n a multiple of eight.
cdef inline part_int form_row(real* out, const double* x, Py_ssize_t n, const Line* line, Shape shape) noexcept nogil:
    cdef lanes u
    cdef Py_ssize_t j
    for j in range(0, n, 8):
        soon_written(out + j)
        load_doubles(&u, x + j)
        form(out + j, &u, line, shape)
    return 0


# The entries of a row in double precision, from a unit at z; `inverse` is 1/(2·h) where that is exact, else 0.
# Shapes: x, out (n,).
cdef inline part_int write_row(real* out, const double* x, Py_ssize_t n, double h, double inverse, double z, double origin,
                           double c, double q) noexcept nogil:
    cdef Line line
    cdef Shape shape = shape_of(origin, c, q)
    cdef Py_ssize_t j, whole = 0 if inverse == 0.0 else n - n % 8
    set_line(&line, h, inverse, z, origin, c, q)
    if shape == LINEAR:
        form_row(out, x, whole, &line, LINEAR)
    elif shape == SQUARE:
        form_row(out, x, whole, &line, SQUARE)
    else:
        form_row(out, x, whole, &line, WHOLE)
    for j in range(whole, n):
        if inverse == 0.0:
            out[j] = <real> (gained(z, h * x[j], origin, c, q) / (2.0 * h))
        elif shape == LINEAR:    # a square that overflows is no part of it
            out[j] = <real> (((z + h * x[j]) - (z - h * x[j])) * c * inverse)
        else:
            out[j] = <real> (gained(z, h * x[j], origin, c, q) * inverse)
    return 0
