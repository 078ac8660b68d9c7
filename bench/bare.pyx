# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""What cannot be undercut: the calls of f and nothing else, one writing of a result, one reading of a matrix."""
from cpython.ref cimport PyObject
from libc.string cimport memset

cdef extern from "Python.h":
    object PyObject_Vectorcall(object f, PyObject **args, size_t nargsf, PyObject *kwnames)
    size_t PY_VECTORCALL_ARGUMENTS_OFFSET


def call(f, x, Py_ssize_t count):
    """Call f on x this often and return the sum of its values."""
    cdef PyObject *args[2]
    cdef Py_ssize_t k
    cdef double total = 0.0
    args[0] = NULL
    args[1] = <PyObject *>x
    for k in range(count):
        total += <double>PyObject_Vectorcall(f, args + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL)
    return total


# out (m, n), written
def clear(double[:, ::1] out):
    """Write zeros."""
    memset(&out[0, 0], 0, out.shape[0] * out.shape[1] * sizeof(double))


# A (m, n)
def read(const double[:, ::1] A, Py_ssize_t count):
    """Read every entry this often and return the sum of all that was read."""
    cdef double lanes[64]
    cdef const double *a = &A[0, 0]
    cdef double total = 0.0
    cdef Py_ssize_t i, k, size = A.shape[0] * A.shape[1]
    for k in range(64):
        lanes[k] = 0.0
    with nogil:
        for _ in range(count):
            for i in range(0, size - 63, 64):
                for k in range(64):
                    lanes[k] += a[i + k]
            for i in range(size - size % 64, size):
                total += a[i]
        for k in range(64):
            total += lanes[k]
    return total
