"""Claimed against measured, in one pass without temporaries."""
from libc.float cimport DBL_MAX
from libc.math cimport fabs
from libc.stdint cimport int64_t

from fastgrad._kernels.ahead cimport soon_read    # in C alone
from fastgrad._kernels.wide cimport real, wide_double, wide_int

cdef extern from *:
    """
    #include <string.h>
    static inline int64_t fastgrad_bits(double a) { int64_t bits; memcpy(&bits, &a, sizeof a); return bits; }
    static inline double fastgrad_double(int64_t bits) { double a; memcpy(&a, &bits, sizeof a); return a; }
    """
    int64_t bits_of "fastgrad_bits"(double a) noexcept nogil
    double as_double "fastgrad_double"(int64_t bits) noexcept nogil

cdef enum:
    BLOCK = 1024            # entries that stay in the first cache from one look to the next
    LANES = 16              # maxima and sums side by side, fixed so that the bits do not depend on the registers

cdef struct Summary:
    double max_error
    double max_relative_error
    Py_ssize_t at
    Py_ssize_t beyond
    double largest
    double squares


# claimed (n,)  measured (n,)
def compare(claimed, measured, double atol, double rtol):
    """Return (max_error, max_relative_error, index of max_error, entries beyond tolerance, largest, squares).

    NaN is the largest error. The last two are of what is claimed: the largest magnitude, and the sum of the squares,
    which is not finite where an entry is not.
    """
    cdef Summary s
    if claimed.dtype.char == "d":
        summarise[double](claimed, measured, atol, rtol, &s)
    else:
        summarise[float](claimed, measured, atol, rtol, &s)
    return s.max_error, s.max_relative_error, s.at, s.beyond, s.largest, s.squares


# claimed (n,)  measured (n,)  out (number of entries beyond tolerance,), written
def offenders(claimed, measured, double atol, double rtol, Py_ssize_t[::1] out):
    """Write the indices of the entries beyond tolerance into out, in order; return how many there were."""
    if len(claimed) != len(measured):
        raise ValueError("the arrays do not fit each other")
    if claimed.dtype.char == "d":
        return collect[double](claimed, measured, atol, rtol, out)
    return collect[float](claimed, measured, atol, rtol, out)


cdef inline double size_of(double c, double m) noexcept nogil:
    cdef double a = fabs(c), b = fabs(m)
    return a if a > b else b


cdef inline bint is_within(double c, double m, double atol, double rtol) noexcept nogil:
    return (fabs(c - m) <= atol + rtol * size_of(c, m)) & (fabs(c - m) <= DBL_MAX)


# What a block is seen to hold at first. Any may be above a share of its entry's size: it is above that of what is claimed,
# or undefined. An undefined error is passed over in `error`: who sees that any may be above looks again.
cdef struct Block:
    double error
    bint may_be_above
    double largest
    double squares


# Maxima are the same in any order. Shapes: claimed, measured (n,).
cdef wide_int look_over(const real* claimed, const real* measured, Py_ssize_t n, double ratio, Block* block) noexcept nogil:
    cdef double[LANES] errors, tops, sums
    cdef int64_t[LANES] above
    cdef double c, e
    cdef Py_ssize_t i, j, k
    for k in range(LANES):
        errors[k] = tops[k] = sums[k] = 0.0
        above[k] = 0
    for i in range(n // LANES):
        j = i * LANES
        soon_read(claimed + j)
        soon_read(claimed + j + LANES // 2)
        for k in range(LANES):
            c = fabs(claimed[j + k])
            e = fabs(<double> claimed[j + k] - <double> measured[j + k])
            tops[k] = c if c > tops[k] else tops[k]
            sums[k] = sums[k] + c * c
            errors[k] = e if e > errors[k] else errors[k]
            above[k] |= -(<int64_t> (not e <= ratio * c))
    for j in range(n - n % LANES, n):
        k = j % LANES
        c = fabs(claimed[j])
        e = fabs(<double> claimed[j] - <double> measured[j])
        tops[k] = c if c > tops[k] else tops[k]
        sums[k] = sums[k] + c * c
        errors[k] = e if e > errors[k] else errors[k]
        above[k] |= -(<int64_t> (not e <= ratio * c))
    for k in range(1, LANES):
        tops[0] = tops[k] if tops[k] > tops[0] else tops[0]
        sums[0] += sums[k]
        errors[0] = errors[k] if errors[k] > errors[0] else errors[0]
        above[0] |= above[k]
    block[0] = Block(errors[0], above[0] != 0, tops[0], sums[0])
    return 0


# The largest error of a block, NaN above all. The bits of numbers that are not negative are ordered as they are: the
# largest of integers is found in wide registers. Shapes: claimed, measured (n,).
cdef wide_double largest_error(const real* claimed, const real* measured, Py_ssize_t n) noexcept nogil:
    cdef int64_t bits, worst = 0
    cdef Py_ssize_t i
    for i in range(n):
        bits = bits_of(fabs(<double> claimed[i] - <double> measured[i]))
        worst = worst if worst >= bits else bits
    return as_double(worst)


# The largest relative error of a block. Dividing takes longer than all else: it is done for few blocks. Shapes: as above.
cdef wide_double largest_ratio(const real* claimed, const real* measured, Py_ssize_t n) noexcept nogil:
    cdef int64_t bits, worst = 0
    cdef double size, ratio
    cdef Py_ssize_t i
    for i in range(n):
        size = size_of(claimed[i], measured[i])
        ratio = fabs(<double> claimed[i] - <double> measured[i]) / size
        bits = bits_of(ratio) if (size > 0.0) & (size <= DBL_MAX) else 0
        worst = worst if worst >= bits else bits
    return as_double(worst)


# How many entries of a block are beyond tolerance. Shapes: claimed, measured (n,).
cdef wide_int count_beyond(const real* claimed, const real* measured, Py_ssize_t n, double atol, double rtol,
                           Py_ssize_t* beyond) noexcept nogil:
    cdef int64_t within = 0
    cdef Py_ssize_t i
    for i in range(n):
        within += <int64_t> is_within(claimed[i], measured[i], atol, rtol)
    beyond[0] += n - within
    return 0


# Shapes: claimed, measured (n,).
cdef int summarise(
        const real[::1] claimed, const real[::1] measured, double atol, double rtol, Summary *s) except -1:
    cdef Block block
    cdef double ratio = 0.0
    cdef Py_ssize_t i, start, width, n = claimed.shape[0], where = 0
    if measured.shape[0] != n:
        raise ValueError("the arrays do not fit each other")
    s.max_error = -1.0 if n else 0.0
    s.beyond = 0
    s.largest = s.squares = 0.0
    with nogil:
        for i in range((n + BLOCK - 1) // BLOCK):
            start = i * BLOCK
            width = min(<Py_ssize_t> BLOCK, n - start)
            look_over(&claimed[start], &measured[start], width, ratio, &block)
            if block.may_be_above:
                block.error = largest_error(&claimed[start], &measured[start], width)
                ratio = max(ratio, largest_ratio(&claimed[start], &measured[start], width))
            if not (block.error <= atol and block.error <= DBL_MAX):
                count_beyond(&claimed[start], &measured[start], width, atol, rtol, &s.beyond)
            if block.error > s.max_error:
                s.max_error = block.error
                where = start
            s.largest = max(s.largest, block.largest)
            s.squares += block.squares
        s.max_relative_error = ratio
        locate(claimed, measured, 0 if s.beyond else where, s)
    return 0


# Shapes: claimed, measured (n,).
cdef int locate(const real[::1] claimed, const real[::1] measured, Py_ssize_t where, Summary *s) except -1 nogil:
    """Find the first entry with the largest error from index `where` on; where entries are beyond, NaN goes first."""
    cdef Py_ssize_t i
    cdef double e
    s.at = -1
    for i in range(where, claimed.shape[0]):
        e = fabs(<double>claimed[i] - <double>measured[i])
        if e != e:
            s.max_error = s.max_relative_error = e
            s.at = i
            return 0
        if s.at < 0 and e >= s.max_error:
            s.at = i
            if not s.beyond:
                return 0
    return 0


# Shapes: claimed, measured (n,), out: any, of which no more than it holds is written.
cdef Py_ssize_t collect(
        const real[::1] claimed, const real[::1] measured, double atol, double rtol, Py_ssize_t[::1] out) except -1 nogil:
    cdef Py_ssize_t i, found = 0
    for i in range(claimed.shape[0]):
        if not is_within(claimed[i], measured[i], atol, rtol):
            if found < out.shape[0]:
                out[found] = i
            found += 1
    return found
