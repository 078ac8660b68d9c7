# cython: language_level=3
"""An extension of somebody else's that differentiates its own function and others without the interpreter."""
from fastgrad.cython_api cimport (
    broyden, gradient, jacobian, least_squares_step, rosenbrock, scalar_function, weight_gradient)


cdef double weighted(const double* x, Py_ssize_t n, void* data) noexcept nogil:
    cdef double total = 0.0
    cdef const double* weights = <const double*>data
    cdef Py_ssize_t i
    for i in range(n):
        total += weights[i] * x[i] * x[i] * x[i]
    return total


cdef double writes(const double* x, Py_ssize_t n, void* data) noexcept nogil:
    cdef double value = rosenbrock(x, n, data)
    (<double*>x)[0] = 9.0
    return value


def gradients(double[::1] x, double h, double[::1] weights, double[:, ::1] out, double[::1] work):
    cdef Py_ssize_t n = x.shape[0], calls[3]
    with nogil:
        calls[0] = gradient(rosenbrock, NULL, &x[0], n, h, &out[0, 0], &work[0])
        calls[1] = gradient(weighted, &weights[0], &x[0], n, h, &out[1, 0], &work[0])
        calls[2] = gradient(writes, NULL, &x[0], n, h, &out[2, 0], &work[0])
    return calls[0], calls[1], calls[2]


def value_of_weighted(double[::1] x, double[::1] weights):
    return weighted(&x[0], x.shape[0], &weights[0])


def system(double[::1] x, double h, double[:, ::1] out, double[::1] work):
    with nogil:
        jacobian(broyden, NULL, &x[0], x.shape[0], out.shape[0], h, &out[0, 0], &work[0])


def outer(double[::1] g, double[::1] x, double[:, ::1] out, bint accumulate):
    with nogil:
        weight_gradient(&g[0], &x[0], g.shape[0], x.shape[0], &out[0, 0], accumulate)


def descend(double[:, ::1] A, double[::1] b, double rate, double ridge, double[::1] x, double[::1] losses,
            double[::1] gradient, double[::1] work):
    cdef Py_ssize_t k
    with nogil:
        for k in range(losses.shape[0]):
            losses[k] = least_squares_step(
                &A[0, 0], &b[0], A.shape[0], A.shape[1], rate, 1.0, ridge, &x[0], &gradient[0], &work[0])
