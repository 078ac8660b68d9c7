# A sink takes the values of f at one entry's points one by one; the loop closes the entry with its width. The first one
# begins the sum, so that x itself, whose value is kept, comes after it in each stencil.
#
# What is done at each call of f is inline here: beside an f of three terms, a call that is looked up shows.
cimport cython
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact


@cython.final
cdef class GradientSink:
    cdef object reader
    cdef Py_ssize_t calls
    cdef double total, centre
    cdef bint is_double
    cdef object trusted, out, float64
    cdef double *out64
    cdef float *out32

    cdef double read(self, object y, Py_ssize_t i, Py_ssize_t offset) except? -1.0

    cdef inline double value(self, object y, Py_ssize_t i, Py_ssize_t offset) except? -1.0:
        if PyFloat_CheckExact(y) or type(y) is self.float64:
            return PyFloat_AS_DOUBLE(y)
        return self.read(y, i, offset)

    cdef inline int take_centre(self, object y) except -1:
        self.centre = self.value(y, 0, 0)
        return 0

    cdef inline int take(self, object y, Py_ssize_t i, Py_ssize_t offset, double weight, bint is_first) except -1:
        cdef double value = self.value(y, i, offset)
        self.total = weight * value if is_first else self.total + weight * value
        return 0

    cdef inline int add_centre(self, double weight) except -1:
        self.total += weight * self.centre
        return 0

    cdef inline int close(self, Py_ssize_t i, double width) except -1:
        if self.is_double:
            self.out64[i] = self.total / width
        else:
            self.out32[i] = <float> (self.total / width)
        return 0

    cdef inline int finish(self) except -1:
        return 0


@cython.final
cdef class JacobianSink:
    cdef object reader
    cdef Py_ssize_t calls
    cdef object x, J, allocate
    cdef bint is_double
    cdef tuple shape
    cdef double[::1] total, centre
    cdef double[:, ::1] block
    cdef double[:, ::1] J64
    cdef float[:, ::1] J32
    cdef Py_ssize_t last

    cdef int prepare(self, tuple shape) except -1
    cdef int take_centre(self, object y) except -1
    cdef int take(self, object y, Py_ssize_t i, Py_ssize_t offset, double weight, bint is_first) except -1
    cdef int add_centre(self, double weight) except -1
    cdef int add(self, const double *values, double weight, bint is_first) except -1
    cdef int close(self, Py_ssize_t i, double width) except -1
    cdef int flush(self) except -1
    cdef int finish(self) except -1


ctypedef fused Sink:
    GradientSink
    JacobianSink
