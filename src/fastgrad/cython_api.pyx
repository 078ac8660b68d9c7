"""The door for other Cython modules: ``from fastgrad.cython_api cimport gradient``; what there is says `cython_api.pxd`."""
from fastgrad._kernels.descent cimport Place, advance
from fastgrad._kernels.outer cimport fill
from fastgrad._kernels.spans cimport (
    DATA, Function, Stencils, central_span, gradient_span, jacobian_span, refill, unwritten)
from fastgrad._kernels.views cimport line, table


cdef inline Stencils central(const Py_ssize_t* offsets, const double* weights, const double* width,
                             const unsigned char* which, const double* h) noexcept nogil:
    return Stencils(offsets, weights, width, which, h, 2, 0, 0)


cdef Py_ssize_t gradient(
        scalar_function f, void* data, const double* x, Py_ssize_t n, double h, double* out, double* work) noexcept nogil:
    cdef Py_ssize_t[2] offsets = [1, -1]
    cdef double[2] weights = [1.0, -1.0]
    cdef double width = 2.0
    cdef unsigned char which = 0
    cdef Function function = Function(<void*>f, data, DATA)
    cdef Stencils s = central(offsets, weights, &width, &which, &h)
    refill(work, x, n)
    if central_span(function, x, n, h, work, out, 0, n) == n and unwritten(work, x, 0, n):
        return 2 * n
    gradient_span(function, x, n, s, 0.0, work, True, out, 0, n)
    return 4 * n


cdef Py_ssize_t jacobian(
        vector_function f, void* data, const double* x, Py_ssize_t n, Py_ssize_t m, double h, double* out,
        double* work) noexcept nogil:
    cdef Py_ssize_t[2] offsets = [1, -1]
    cdef double[2] weights = [1.0, -1.0]
    cdef double width = 2.0
    cdef unsigned char which = 0
    cdef Function function = Function(<void*>f, data, DATA)
    cdef Stencils s = central(offsets, weights, &width, &which, &h)
    cdef double* y = work + n
    refill(work, x, n)
    if (jacobian_span(function, x, n, m, s, y, work, y, y + m, y + 2 * m, False, out, 0, n) == n
            and unwritten(work, x, 0, n)):
        return 2 * n
    jacobian_span(function, x, n, m, s, y, work, y, y + m, y + 2 * m, True, out, 0, n)
    return 4 * n


cdef void weight_gradient(
        const double* grad_output, const double* x, Py_ssize_t m, Py_ssize_t n, double* out, bint accumulate
) noexcept nogil:
    cdef const double[::1] g, v
    cdef double[:, ::1] W
    if m == 0 or n == 0:
        return
    line(g, grad_output, m)
    line(v, x, n)
    table(W, out, m, n)
    fill[double](g, g, v, W, False, accumulate)


cdef double least_squares_step(
        const double* A, const double* b, Py_ssize_t n, Py_ssize_t p, double learning_rate, double weight, double ridge,
        double* x, double* gradient, double* work) noexcept nogil:
    cdef const double[:, ::1] rows
    cdef const double[::1] values
    cdef double[::1] iterate, slope, sums, losses
    cdef Place place = Place(0, 0, -1, 0.0)
    cdef double loss = 0.0
    cdef Py_ssize_t j
    table(rows, A, n, p)
    line(values, b, n)
    line(iterate, x, p)
    line(slope, gradient, p)
    line(sums, work, p)
    line(losses, &loss, 1)
    for j in range(p):
        gradient[j] = 0.0
    while place.step < 1:
        advance[double](rows, values, iterate, slope, sums, losses, learning_rate, weight, ridge, -1.0, &place)
    for j in range(p):
        x[j] -= learning_rate * gradient[j]
    return loss


cdef double rosenbrock(const double* x, Py_ssize_t n, void* data) noexcept nogil:
    cdef double total = 0.0, bend, reach
    cdef Py_ssize_t i
    for i in range(n - 1):
        bend = x[i + 1] - x[i] * x[i]
        reach = 1.0 - x[i]
        total += 100.0 * bend * bend + reach * reach
    return total


cdef void broyden(const double* x, double* y, Py_ssize_t n, Py_ssize_t m, void* data) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(m):
        y[i] = (3.0 - 2.0 * x[i]) * x[i] + 1.0
        if i > 0:
            y[i] -= x[i - 1]
        if i + 1 < n:
            y[i] -= 2.0 * x[i + 1]
