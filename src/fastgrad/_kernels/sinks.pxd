# A sink takes the values of f at one entry's points one by one; the loop closes the entry with its width. The first one
# begins the sum, so that x itself, whose value is kept, comes after it in each stencil.
cimport cython


cdef class Sink:
    cdef object reader
    cdef Py_ssize_t calls

    cdef int take_centre(self, object y) except -1
    cdef int take(self, object y, Py_ssize_t i, Py_ssize_t offset, double weight, bint is_first) except -1
    cdef int add_centre(self, double weight) except -1
    cdef int close(self, Py_ssize_t i, double width) except -1
    cdef int finish(self) except -1


@cython.final
cdef class GradientSink(Sink):
    cdef double total, centre
    cdef bint is_double
    cdef object trusted, out
    cdef double *out64
    cdef float *out32

    cdef double value(self, object y, Py_ssize_t i, Py_ssize_t offset) except? -1.0


@cython.final
cdef class JacobianSink(Sink):
    cdef object x, J, allocate
    cdef bint is_double
    cdef tuple shape
    cdef double[::1] total, centre
    cdef double[:, ::1] block
    cdef double[:, ::1] J64
    cdef float[:, ::1] J32
    cdef Py_ssize_t last

    cdef int prepare(self, tuple shape) except -1
    cdef int add(self, const double *values, double weight, bint is_first) except -1
    cdef int flush(self) except -1
