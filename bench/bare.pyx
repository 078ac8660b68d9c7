# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""What cannot be undercut: the calls of f and nothing else, one writing of a result, one reading of a matrix."""
from cpython.ref cimport PyObject
from libc.string cimport memset

from fastgrad.cython_api cimport gradient, scalar_function

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


# out (m, n), written
def mark(double[:, ::1] out):
    """Write bytes of one: some processors write zeros faster than anything else."""
    memset(&out[0, 0], 1, out.shape[0] * out.shape[1] * sizeof(double))


# out (m, n), read and written
def write_back(double[:, ::1] out):
    """Read every entry and write it back with the other sign."""
    cdef double *a = &out[0, 0]
    cdef Py_ssize_t i
    for i in range(out.shape[0] * out.shape[1]):
        a[i] = -a[i]


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


cdef double rosenbrock(const double *x, Py_ssize_t n, void *data) noexcept nogil:
    cdef double total = 0.0, bend, reach
    cdef Py_ssize_t i
    for i in range(n - 1):
        bend = x[i + 1] - x[i] * x[i]
        reach = 1.0 - x[i]
        total += 100.0 * bend * bend + reach * reach
    return total


cdef double squares(const double *x, Py_ssize_t n, void *data) noexcept nogil:
    cdef double total = 0.0
    cdef Py_ssize_t i
    for i in range(n):
        total += x[i] * x[i]
    return total


cdef double ends(const double *x, Py_ssize_t n, void *data) noexcept nogil:
    return x[0] * x[n - 1]


def addresses():
    """Return where the functions in machine code are, by name."""
    return {
        "Rosenbrock": <size_t><void *>rosenbrock,
        "sum of squares": <size_t><void *>squares,
        "first times last": <size_t><void *>ends,
    }


# x (n,), written and restored  out (n,), written
def perturb(size_t address, double[::1] x, double h, double[::1] out, Py_ssize_t count):
    """Write the central differences of a function into out, this often, as a plain loop in C does."""
    cdef scalar_function f = <scalar_function><void *>address
    cdef Py_ssize_t k, i, n = x.shape[0]
    cdef double before, plus, minus
    with nogil:
        for k in range(count):
            for i in range(n):
                before = x[i]
                x[i] = before + h
                plus = f(&x[0], n, NULL)
                x[i] = before - h
                minus = f(&x[0], n, NULL)
                x[i] = before
                out[i] = (plus - minus) / (2.0 * h)


# x (n,)  out (n,), written  work (n,), written
def through_the_door(size_t address, const double[::1] x, double h, double[::1] out, double[::1] work, Py_ssize_t count):
    """Write the same by fastgrad's function for other Cython modules, this often."""
    cdef Py_ssize_t k
    with nogil:
        for k in range(count):
            gradient(<scalar_function><void *>address, NULL, &x[0], x.shape[0], h, &out[0], &work[0])
