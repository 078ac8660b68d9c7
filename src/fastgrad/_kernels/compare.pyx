"""Claimed against measured, in one pass without temporaries."""
from libc.float cimport DBL_MAX
from libc.math cimport fabs

from fastgrad._kernels.wide cimport real, wide_int

# Independent lanes, merged in a fixed order, so that wide registers are used and the result does not depend on them.
cdef enum:
    LANES = 32
    ROWS = 32

cdef struct Summary:
    double max_error
    double max_relative_error
    Py_ssize_t at
    Py_ssize_t beyond


# claimed (n,)  measured (n,)
def compare(claimed, measured, double atol, double rtol):
    """Return (max_error, max_relative_error, index of max_error, entries beyond tolerance); NaN is largest."""
    cdef Summary s
    if claimed.dtype.char == "d":
        summarise[double](claimed, measured, atol, rtol, &s)
    else:
        summarise[float](claimed, measured, atol, rtol, &s)
    return s.max_error, s.max_relative_error, s.at, s.beyond


# claimed (n,)  measured (n,)  out (number of entries beyond tolerance,), written
def offenders(claimed, measured, double atol, double rtol, Py_ssize_t[::1] out):
    """Write the indices of the entries beyond tolerance into out, in order; return how many there were."""
    if claimed.dtype.char == "d":
        return collect[double](claimed, measured, atol, rtol, out)
    return collect[float](claimed, measured, atol, rtol, out)


cdef inline double size_of(double c, double m) noexcept nogil:
    cdef double a = fabs(c), b = fabs(m)
    return a if a > b else b


cdef inline bint is_beyond(double c, double m, double atol, double rtol) noexcept nogil:
    return not (fabs(c - m) <= atol + rtol * size_of(c, m) and fabs(c - m) <= DBL_MAX)


cdef wide_int summarise(
        const real[::1] claimed, const real[::1] measured, double atol, double rtol, Summary *s) except -1 nogil:
    cdef double worst[LANES]
    cdef double beyond[LANES]
    cdef double above[LANES]
    cdef double c, m, e, size, largest, improved, ratio = 0.0
    cdef Py_ssize_t i, k, block, stop, n = claimed.shape[0], where = 0
    for k in range(LANES):
        beyond[k] = 0.0
    s.max_error = -1.0 if n else 0.0
    for block in range((n // LANES + ROWS - 1) // ROWS):
        stop = min((block + 1) * ROWS, n // LANES)
        for k in range(LANES):
            worst[k] = above[k] = 0.0
        for i in range(block * ROWS, stop):
            for k in range(LANES):
                c = claimed[i * LANES + k]
                m = measured[i * LANES + k]
                e = fabs(c - m)
                size = size_of(c, m)
                worst[k] = worst[k] if worst[k] >= e else e
                beyond[k] = beyond[k] + (0.0 if (e <= atol + rtol * size) & (e <= DBL_MAX) else 1.0)
                above[k] = 1.0 if e > ratio * size else above[k]
        largest = improved = 0.0
        for k in range(LANES):
            largest = largest if largest >= worst[k] else worst[k]
            improved += above[k]
        if largest > s.max_error:
            s.max_error = largest
            where = block * ROWS * LANES
        if improved:
            ratio = larger_ratio(claimed, measured, block * ROWS * LANES, stop * LANES, ratio)
    for i in range(n - n % LANES, n):
        e = fabs(<double>claimed[i] - <double>measured[i])
        beyond[0] += is_beyond(claimed[i], measured[i], atol, rtol)
        if e > s.max_error:
            s.max_error = e
            where = i
    s.max_relative_error = larger_ratio(claimed, measured, n - n % LANES, n, ratio)
    s.beyond = 0
    for k in range(LANES):
        s.beyond += <Py_ssize_t>beyond[k]
    locate(claimed, measured, 0 if s.beyond else where, s)
    return 0


cdef double larger_ratio(
        const real[::1] claimed, const real[::1] measured, Py_ssize_t start, Py_ssize_t stop,
        double ratio) except -1.0 nogil:
    """Return the largest relative error of these entries, or the ratio given where that is larger.

    Dividing every entry would take longer than all else: the caller compares products first, and comes here seldom.
    """
    cdef double e, size
    cdef Py_ssize_t i
    for i in range(start, stop):
        e = fabs(<double>claimed[i] - <double>measured[i])
        size = size_of(claimed[i], measured[i])
        if e > ratio * size:
            ratio = max(ratio, e / size)
    return ratio


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


cdef Py_ssize_t collect(
        const real[::1] claimed, const real[::1] measured, double atol, double rtol, Py_ssize_t[::1] out) except -1 nogil:
    cdef Py_ssize_t i, found = 0
    for i in range(claimed.shape[0]):
        if is_beyond(claimed[i], measured[i], atol, rtol):
            if found < out.shape[0]:
                out[found] = i
            found += 1
    return found
