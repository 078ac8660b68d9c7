"""Differences of functions at an address, without the interpreter: spans of entries, as long as a given time allows.

What is handed to f is checked: its entry before and after it is moved, all of it at entry 0 and at the end of each span,
and at entries n/16, n/256, ... the entries before, so that an f that writes and takes it back is seen at little cost.
"""
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.math cimport NAN
from libc.stdint cimport uintptr_t

from fastgrad._kernels.cache cimport COLUMNS, LINE
from fastgrad._kernels.differences cimport Scheme, stencils
from fastgrad._kernels.spans cimport (
    Function, Stencils, central_span, gradient_span, is_central, jacobian_span, refill, unwritten, value, values)
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


# x (n entries), n > 0  h (1,) or (n,)  out (n entries), written
def gradient(size_t address, size_t data, int form, x, h, Scheme scheme, double centre, bint fresh, out):
    """Return a run that writes differences into out."""
    cdef GradientRun run = GradientRun.__new__(GradientRun)
    run.begin(function(address, data, form), x, h, scheme, fresh, out, 1, 0)
    run.centre = centre
    run.is_plain = is_central(run.stencils) and not fresh
    return run


# x (n entries), n > 0  h (1,) or (n,)  centre (m,), m > 0  out (m, n entries), written
def jacobian(size_t address, size_t data, int form, x, h, Scheme scheme, centre, bint fresh, out):
    """Return a run that writes columns into out."""
    cdef JacobianRun run = JacobianRun.__new__(JacobianRun)
    cdef Py_ssize_t r
    run.values_at_x = centre
    run.m = unpack(centre, &run.centre, False)
    run.begin(function(address, data, form), x, h, scheme, fresh, out, run.m, (COLUMNS + 2) * run.m)
    run.y = run.point + run.n
    for r in range(run.m):
        run.y[r] = NAN  # stays where f writes none
    return run


# The arrays are taken once, for all spans, and kept. point (n,) begins with a line of cache: no load of f straddles two.
cdef class Run:
    """Measures a span of entries a call, on a point of its own in which they are moved and moved back."""
    cdef Function f
    cdef Stencils stencils
    cdef void* x
    cdef void* out
    cdef void* memory
    cdef double* point
    cdef Py_ssize_t n
    cdef bint is_double, fresh
    cdef tuple arrays

    cdef int begin(self, Function f, x, h, Scheme scheme, bint fresh, out, Py_ssize_t m, Py_ssize_t room) except -1:
        """Take the arrays, of which out has m rows, and get memory for the point and for so many doubles behind it."""
        cdef double* steps
        cdef Py_ssize_t count = unpack(h, &steps, False)
        self.is_double = x.itemsize == sizeof(double)
        self.n = self.place(x, &self.x, False)
        if self.place(out, &self.out, True) != m * self.n or m * self.n == 0:
            raise ValueError("the arrays do not fit each other")
        self.f, self.stencils, self.fresh = f, stencils(scheme, steps, count, self.n), fresh
        self.arrays = (x, h, scheme, out)
        self.memory = PyMem_Malloc((self.n + room) * sizeof(double) + LINE)
        if self.memory == NULL:
            raise MemoryError
        self.point = <double*>((<uintptr_t>self.memory + LINE - 1) // LINE * LINE)
        if self.is_double:
            refill(self.point, <double*>self.x, self.n)
        else:
            refill(self.point, <float*>self.x, self.n)
        return 0

    cdef Py_ssize_t place(self, a, void** to, bint is_written) except -1:
        """Point to the entries of an array of x's dtype, and return how many there are."""
        cdef double* doubles
        cdef float* floats
        cdef Py_ssize_t size
        if self.is_double:
            size = unpack(a, &doubles, is_written)
            to[0] = doubles
        else:
            size = unpack(a, &floats, is_written)
            to[0] = floats
        return size

    def __dealloc__(self):
        PyMem_Free(self.memory)

    def __call__(self, Py_ssize_t start, Py_ssize_t stop, double seconds):
        """Measure from entry start on, till stop or for so many seconds; return where that ended, or -1: f writes."""
        cdef Py_ssize_t i = start, batch = 1
        cdef double begun, elapsed
        if not 0 <= start <= stop <= self.n:
            raise ValueError("there are no such entries")
        with nogil:
            begun = now()
            while i < stop:
                i = self.measure(i, min(stop, i + batch))
                if i < 0 or i == stop:
                    break
                elapsed = now() - begun
                if elapsed >= seconds:
                    break
                batch = enlarged(batch, i - start, elapsed, seconds)
            if i >= 0 and not self.fresh and not self.is_whole():
                i = -1
        return i

    cdef bint is_whole(self) noexcept nogil:
        """Tell whether the point is x again."""
        if self.is_double:
            return unwritten(self.point, <double*>self.x, 0, self.n)
        return unwritten(self.point, <float*>self.x, 0, self.n)

    cdef Py_ssize_t measure(self, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
        """Measure these entries; return stop, or -1: f writes."""
        return -1


cdef class GradientRun(Run):
    cdef double centre
    cdef bint is_plain

    cdef Py_ssize_t measure(self, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
        if self.is_double:
            return differences(self, <double*>self.x, <double*>self.out, start, stop)
        return differences(self, <float*>self.x, <float*>self.out, start, stop)


cdef inline Py_ssize_t differences(
        GradientRun r, const real* x, real* out, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    if r.is_plain:
        return central_span(r.f, x, r.n, r.stencils.h[0], r.point, out, start, stop)
    return gradient_span(r.f, x, r.n, r.stencils, r.centre, r.point, r.fresh, out, start, stop)


# Behind the point lie y (m,), a column (m,) and the columns that are gathered (COLUMNS, m).
cdef class JacobianRun(Run):
    cdef object values_at_x
    cdef double* centre
    cdef double* y
    cdef Py_ssize_t m

    cdef Py_ssize_t measure(self, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
        if self.is_double:
            return columns(self, <double*>self.x, <double*>self.out, start, stop)
        return columns(self, <float*>self.x, <float*>self.out, start, stop)


cdef inline Py_ssize_t columns(
        JacobianRun r, const real* x, real* out, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    return jacobian_span(r.f, x, r.n, r.m, r.stencils, r.centre, r.point, r.y, r.y + r.m, r.y + 2 * r.m, r.fresh, out,
                         start, stop)
