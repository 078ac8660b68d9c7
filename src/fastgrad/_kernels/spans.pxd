# Differences of a function at an address, entries start to stop of them, on pointers and sizes alone: what the loops for
# native callables and the functions for other Cython modules share. A span returns stop, or -1 where f was seen to write
# into its argument; all is then to be measured again with `fresh`, a copy a call.
from libc.stdint cimport uint64_t
from libc.string cimport memcmp, memcpy

from fastgrad._kernels.cache cimport COLUMNS
from fastgrad._kernels.gathered cimport add_up, quotients, scatter
from fastgrad._kernels.wide cimport real

ctypedef double (*scalar_0)(const double* x, Py_ssize_t n) noexcept nogil
ctypedef double (*scalar_1)(const double* x, Py_ssize_t n, void* data) noexcept nogil
ctypedef double (*scalar_2)(Py_ssize_t n, const double* x) noexcept nogil
ctypedef double (*scalar_3)(Py_ssize_t n, const double* x, void* data) noexcept nogil
ctypedef double (*scalar_4)(const double* x, int n) noexcept nogil
ctypedef double (*scalar_5)(const double* x, int n, void* data) noexcept nogil
ctypedef double (*scalar_6)(int n, const double* x) noexcept nogil
ctypedef double (*scalar_7)(int n, const double* x, void* data) noexcept nogil
ctypedef void (*vector_0)(const double* x, double* y, Py_ssize_t n, Py_ssize_t m) noexcept nogil
ctypedef void (*vector_1)(const double* x, double* y, Py_ssize_t n, Py_ssize_t m, void* data) noexcept nogil
ctypedef void (*vector_4)(const double* x, double* y, int n, int m) noexcept nogil
ctypedef void (*vector_5)(const double* x, double* y, int n, int m, void* data) noexcept nogil

# How a function takes its arguments, added up.
cdef enum:
    DATA = 1              # a pointer to data comes last
    COUNT_FIRST = 2       # n comes before x
    INT_COUNT = 4         # counts are int, and not as wide as pointers
    FEW = 16              # doubles that are compared sooner than memcmp is called
    STRETCH = 1 << 15     # doubles that are compared at a time, the last ones first

cdef struct Function:
    void* address
    void* data
    int form

# offsets (s, length)  weights (s, length), 0 where a row has ended  widths (s,)  which (1,) or (n,)  h (1,) or (n,)
cdef struct Stencils:
    const Py_ssize_t* offsets
    const double* weights
    const double* widths
    const unsigned char* which
    const double* h
    Py_ssize_t length
    Py_ssize_t each_row   # 1 where which has a row for each entry, else 0
    Py_ssize_t each_step  # 1 where h has a step for each entry, else 0


cdef inline double value(Function f, const double* x, Py_ssize_t n) noexcept nogil:
    if f.form == DATA:
        return (<scalar_1>f.address)(x, n, f.data)
    if f.form == 0:
        return (<scalar_0>f.address)(x, n)
    if f.form == COUNT_FIRST:
        return (<scalar_2>f.address)(n, x)
    if f.form == COUNT_FIRST + DATA:
        return (<scalar_3>f.address)(n, x, f.data)
    if f.form == INT_COUNT:
        return (<scalar_4>f.address)(x, <int>n)
    if f.form == INT_COUNT + DATA:
        return (<scalar_5>f.address)(x, <int>n, f.data)
    if f.form == INT_COUNT + COUNT_FIRST:
        return (<scalar_6>f.address)(<int>n, x)
    return (<scalar_7>f.address)(<int>n, x, f.data)


cdef inline void values(Function f, const double* x, double* y, Py_ssize_t n, Py_ssize_t m) noexcept nogil:
    if f.form == DATA:
        (<vector_1>f.address)(x, y, n, m, f.data)
    elif f.form == 0:
        (<vector_0>f.address)(x, y, n, m)
    elif f.form == INT_COUNT:
        (<vector_4>f.address)(x, y, <int>n, <int>m)
    else:
        (<vector_5>f.address)(x, y, <int>n, <int>m, f.data)


cdef inline uint64_t bits(double a) noexcept nogil:
    cdef uint64_t found
    memcpy(&found, &a, sizeof(double))
    return found


cdef inline bint same(double a, double b) noexcept nogil:
    """Tell whether two doubles have the same bits."""
    return bits(a) == bits(b)


cdef inline void refill(double* point, const real* base, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t j
    if real is double:
        memcpy(point, base, n * sizeof(double))
    else:
        for j in range(n):
            point[j] = base[j]


cdef inline bint unwritten(const double* point, const real* base, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Tell whether these entries of the point are still those of the base, bit for bit.

    Whoever comes here has gone up through them: the last are still in the cache, and the first will be wanted next.
    """
    cdef Py_ssize_t j
    cdef uint64_t difference = 0
    if real is double:
        while stop - start > FEW:
            j = max(start, stop - STRETCH)
            if memcmp(point + j, base + j, (stop - j) * sizeof(double)) != 0:
                return False
            stop = j
        for j in range(start, stop):
            difference |= bits(point[j]) ^ bits(base[j])
        return difference == 0
    else:
        for j in range(stop - 1, start - 1, -1):
            if not same(point[j], base[j]):
                return False
        return True


cdef inline Py_ssize_t next_look(Py_ssize_t i, Py_ssize_t n) noexcept nogil:
    """Return the first entry from i on at which others are looked at as well, of 0, ..., n/256, n/16; n if there is none.

    At entry 0 all are, later those before, for the turn of the others is still to come: one look and a sixteenth at each
    entry, whatever n.
    """
    cdef Py_ssize_t look = n
    while look > 1 and (look + 15) // 16 >= i:
        look = (look + 15) // 16
    return look if i > 0 else 0


cdef inline bint as_before(const double* point, const real* base, Py_ssize_t n, Py_ssize_t i) noexcept nogil:
    """Tell whether f has left as they were those others that are looked at at entry i."""
    return unwritten(point, base, 0, i) if i else unwritten(point, base, 1, n)


# base (n,)  point (n,), written: the base with an entry moved  centre: f at the base, for stencils that have it
# out (n,), written
cdef inline Py_ssize_t gradient_span(
        Function f, const real* base, Py_ssize_t n, Stencils s, double centre, double* point, bint fresh, real* out,
        Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    cdef Py_ssize_t i, k, offset, look = next_look(start, n)
    cdef const Py_ssize_t* offsets
    cdef const double* weights
    cdef double step, moved, term, total = 0.0
    for i in range(start, stop):
        if not (fresh or same(point[i], base[i])):
            return -1
        step = s.h[i * s.each_step]
        offsets = s.offsets + s.which[i * s.each_row] * s.length
        weights = s.weights + s.which[i * s.each_row] * s.length
        for k in range(s.length):
            if weights[k] == 0.0:
                break
            offset = offsets[k]
            if offset == 0:
                term = weights[k] * centre
            else:
                if fresh:
                    refill(point, base, n)
                moved = <real>(base[i] + offset * step)
                point[i] = moved
                term = weights[k] * value(f, point, n)
                if not (fresh or same(point[i], moved)):
                    return -1
                if i == look and not fresh:
                    if not as_before(point, base, n, i):
                        return -1
                    look = next_look(i + 1, n)
            total = term if k == 0 else total + term
        out[i] = <real>(total / (s.widths[s.which[i * s.each_row]] * step))
        point[i] = base[i]
    return stop


cdef inline bint is_central(Stencils s) noexcept nogil:
    """Tell whether it is (f(x + h) - f(x - h)) / 2h at all entries, with one step."""
    return (s.length == 2 and not s.each_row and not s.each_step and s.which[0] == 0 and s.widths[0] == 2.0
            and s.offsets[0] == 1 and s.offsets[1] == -1 and s.weights[0] == 1.0 and s.weights[1] == -1.0)


# The same for that stencil, without `fresh`: what a loop over stencils costs shows beside an f of ten entries.
# base (n,)  point (n,), written  out (n,), written
cdef inline Py_ssize_t central_span(
        Function f, const real* base, Py_ssize_t n, double h, double* point, real* out, Py_ssize_t start,
        Py_ssize_t stop) noexcept nogil:
    cdef Py_ssize_t i, look = next_look(start, n)
    cdef double above, below, plus
    for i in range(start, stop):
        if not same(point[i], base[i]):
            return -1
        above = <real>(base[i] + h)
        point[i] = above
        plus = value(f, point, n)
        if not same(point[i], above):
            return -1
        if i == look:
            if not as_before(point, base, n, i):
                return -1
            look = next_look(i + 1, n)
        below = <real>(base[i] - h)
        point[i] = below
        out[i] = <real>((plus - value(f, point, n)) / (2.0 * h))
        if not same(point[i], below):
            return -1
        point[i] = base[i]
    return stop


# base (n,)  centre (m,): f at the base, for stencils that have it  point (n,), y (m,), total (m,), block (COLUMNS, m), written
# out (m, n), written
cdef inline Py_ssize_t jacobian_span(
        Function f, const real* base, Py_ssize_t n, Py_ssize_t m, Stencils s, const double* centre, double* point,
        double* y, double* total, double* block, bint fresh, real* out, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    cdef Py_ssize_t i, k, offset, kept = 0, look = next_look(start, n)
    cdef const Py_ssize_t* offsets
    cdef const double* weights
    cdef double step, moved
    for i in range(start, stop):
        if not (fresh or same(point[i], base[i])):
            return -1
        step = s.h[i * s.each_step]
        offsets = s.offsets + s.which[i * s.each_row] * s.length
        weights = s.weights + s.which[i * s.each_row] * s.length
        for k in range(s.length):
            if weights[k] == 0.0:
                break
            offset = offsets[k]
            if offset == 0:
                add_up(total, centre, weights[k], m, k == 0)
                continue
            if fresh:
                refill(point, base, n)
            moved = <real>(base[i] + offset * step)
            point[i] = moved
            values(f, point, y, n, m)
            if not (fresh or same(point[i], moved)):
                return -1
            if i == look and not fresh:
                if not as_before(point, base, n, i):
                    return -1
                look = next_look(i + 1, n)
            add_up(total, y, weights[k], m, k == 0)
        quotients(block + kept * m, total, s.widths[s.which[i * s.each_row]] * step, m)
        point[i] = base[i]
        kept += 1
        if kept == COLUMNS or i == stop - 1:
            scatter(block, kept, m, out, n, i + 1 - kept)
            kept = 0
    return stop
