"""Differences of functions at an address, without the interpreter: spans of entries, as long as a given time allows.

What is handed to f is checked: its entry before and after it is moved, all of it at entry 0 and at the end of each span,
and at entries 1, 16, 256, ... the entries before, so that an f that writes and takes it back is seen at little cost.
"""
from libc.stdint cimport uintptr_t

from fastgrad._kernels.cache cimport COLUMNS
from fastgrad._kernels.differences cimport Scheme, stencils
from fastgrad._kernels.spans cimport (
    Function, Stencils, central_span, gradient_span, is_central, jacobian_span, unwritten, value, values)
from fastgrad._kernels.views cimport unpack
from fastgrad._kernels.wide cimport real

cdef extern from *:
    """
    #include <time.h>
    static inline double fastgrad_now(void) {
        struct timespec t;
    #ifdef CLOCK_MONOTONIC
        clock_gettime(CLOCK_MONOTONIC, &t);
    #else
        timespec_get(&t, TIME_UTC);
    #endif
        return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    }
    """
    double now "fastgrad_now"() noexcept nogil


cdef Function function(size_t address, size_t data, int form) noexcept:
    return Function(<void*><uintptr_t>address, <void*><uintptr_t>data, form)


# The next so many entries, as measured: four times as many as before, and no more than the time left is enough for.
cdef inline Py_ssize_t enlarged(Py_ssize_t batch, Py_ssize_t done, double elapsed, double seconds) noexcept nogil:
    cdef double affordable = (seconds - elapsed) * done / elapsed if elapsed > 0.0 else 4.0 * batch
    return batch * 4 if affordable > 4.0 * batch else max(<Py_ssize_t>affordable, 1)


def scalar(size_t address, size_t data, int form, const double[::1] x):
    """Return the value of a scalar function at x."""
    cdef Function f = function(address, data, form)
    cdef double y
    cdef const double* point = &x[0] if x.shape[0] else NULL
    with nogil:
        y = value(f, point, x.shape[0])
    return y


# y (m,), written
def vector(size_t address, size_t data, int form, const double[::1] x, double[::1] y):
    """Let a vector function write its values at x into y."""
    cdef Function f = function(address, data, form)
    cdef const double* point = &x[0] if x.shape[0] else NULL
    cdef double* to = &y[0] if y.shape[0] else NULL
    with nogil:
        values(f, point, to, x.shape[0], y.shape[0])


# x (n,), n > 0  h (1,) or (n,)  point (n,): x, written and restored  out (n,), written
def gradient(size_t address, size_t data, int form, x, h, Scheme scheme, double centre, point, bint fresh, out,
             Py_ssize_t start, Py_ssize_t stop, double seconds):
    """Write differences from entry start on, till stop or for so many seconds; return where it ended, or -1: f writes."""
    cdef Function f = function(address, data, form)
    if x.dtype.char == "d":
        return gradient_spans[double](f, x, NULL, h, scheme, centre, point, fresh, out, start, stop, seconds)
    return gradient_spans[float](f, x, NULL, h, scheme, centre, point, fresh, out, start, stop, seconds)


cdef Py_ssize_t gradient_spans(
        Function f, object array, real* x, object steps, Scheme scheme, double centre, object work, bint fresh,
        object result, Py_ssize_t start, Py_ssize_t stop, double seconds) except? -2:
    cdef double* h
    cdef double* point
    cdef real* out
    cdef Py_ssize_t n = unpack(array, &x, False), count = unpack(steps, &h, False), i = start, batch = 1
    cdef Stencils s = stencils(scheme, h, count, n)
    cdef bint is_plain = is_central(s) and not fresh
    cdef double begun, elapsed
    if unpack(work, &point, True) != n or unpack(result, &out, True) != n or n == 0 or not 0 <= start <= stop <= n:
        raise ValueError("the arrays do not fit each other")
    with nogil:
        begun = now()
        while i < stop:
            if is_plain:
                i = central_span(f, x, n, s.h[0], point, out, i, min(stop, i + batch))
            else:
                i = gradient_span(f, x, n, s, centre, point, fresh, out, i, min(stop, i + batch))
            if i < 0 or i == stop:
                break
            elapsed = now() - begun
            if elapsed >= seconds:
                break
            batch = enlarged(batch, i - start, elapsed, seconds)
        if i >= 0 and not fresh and not unwritten(point, x, 0, n):
            i = -1
    return i


# x (n,), n > 0  h (1,) or (n,)  centre (m,), m > 0  point (n,): x, written and restored  work (COLUMNS + 2, m)
# out (m, n), written
def jacobian(size_t address, size_t data, int form, x, const double[::1] h, Scheme scheme, const double[::1] centre,
             double[::1] point, double[:, ::1] work, bint fresh, out, Py_ssize_t start, Py_ssize_t stop, double seconds):
    """Write columns from entry start on, till stop or for so many seconds; return where it ended, or -1: f writes to x."""
    cdef Function f = function(address, data, form)
    if x.dtype.char == "d":
        return jacobian_spans[double](
            f, x, stencils(scheme, &h[0], h.shape[0], x.size), centre, point, work, fresh, out, start, stop, seconds)
    return jacobian_spans[float](
        f, x, stencils(scheme, &h[0], h.shape[0], x.size), centre, point, work, fresh, out, start, stop, seconds)


cdef Py_ssize_t jacobian_spans(
        Function f, const real[::1] x, Stencils s, const double[::1] centre, double[::1] point, double[:, ::1] work,
        bint fresh, real[:, ::1] out, Py_ssize_t start, Py_ssize_t stop, double seconds) except? -2:
    cdef Py_ssize_t n = x.shape[0], m = centre.shape[0], i = start, batch = 1
    cdef double begun, elapsed
    if (n == 0 or point.shape[0] != n or out.shape[0] != m or out.shape[1] != n or m == 0 or work.shape[0] != COLUMNS + 2
            or work.shape[1] != m or not 0 <= start <= stop <= n):
        raise ValueError("the arrays do not fit each other")
    with nogil:
        begun = now()
        while i < stop:
            i = jacobian_span(f, &x[0], n, m, s, &centre[0], &point[0], &work[0, 0], &work[1, 0], &work[2, 0], fresh,
                              &out[0, 0], i, min(stop, i + batch))
            if i < 0 or i == stop:
                break
            elapsed = now() - begun
            if elapsed >= seconds:
                break
            batch = enlarged(batch, i - start, elapsed, seconds)
        if i >= 0 and not fresh and not unwritten(&point[0], &x[0], 0, n):
            i = -1
    return i
