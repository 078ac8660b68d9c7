# What other Cython modules may cimport: C functions on pointers and sizes, that need no interpreter and hold no state.
#
#     from fastgrad.cython_api cimport gradient
#
# Arrays are of doubles, C-ordered, and their lengths are given as comments. Nothing is validated, signals are not looked
# for, and the caller provides the work space; outputs overlap nothing. Several threads may call at once.

# x (n,), which f must not write  data: whatever f was given with
ctypedef double (*scalar_function)(const double* x, Py_ssize_t n, void* data) noexcept nogil
# x (n,)  y (m,), all of it written at every call
ctypedef void (*vector_function)(const double* x, double* y, Py_ssize_t n, Py_ssize_t m, void* data) noexcept nogil

# Write the central differences (f(x + h e_i) - f(x - h e_i)) / 2h into out; return the calls of f: 2n, or more where f writes
# into its argument and all is measured again on copies.
# x (n,)  out (n,), written  work (n,), written
cdef Py_ssize_t gradient(
    scalar_function f, void* data, const double* x, Py_ssize_t n, double h, double* out, double* work) noexcept nogil

# Write the Jacobian in numerator layout by central differences; return the calls of f as `gradient` does.
# x (n,)  out (m, n), written  work (n + 10 m,), written
cdef Py_ssize_t jacobian(
    vector_function f, void* data, const double* x, Py_ssize_t n, Py_ssize_t m, double h, double* out,
    double* work) noexcept nogil

# Write, or add, the outer product of an output's gradient and an input: dL/dW of y = Wx.
# grad_output (m,)  x (n,)  out (m, n), written
cdef void weight_gradient(
    const double* grad_output, const double* x, Py_ssize_t m, Py_ssize_t n, double* out, bint accumulate) noexcept nogil

# Write the gradient of weight * |Ax - b|^2 + ridge * |x|^2 at x, take a step of descent, x -= learning_rate * gradient, and
# return the loss before the step.
# A (n, p)  b (n,)  x (p,), written  gradient (p,), written  work (p,), written
cdef double least_squares_step(
    const double* A, const double* b, Py_ssize_t n, Py_ssize_t p, double learning_rate, double weight, double ridge,
    double* x, double* gradient, double* work) noexcept nogil

# Functions to try this on. Rosenbrock's: the sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2 over i < n - 1.
cdef double rosenbrock(const double* x, Py_ssize_t n, void* data) noexcept nogil
# Broyden's tridiagonal residuals, y[i] = (3 - 2 x[i]) x[i] - x[i-1] - 2 x[i+1] + 1, for m = n.
cdef void broyden(const double* x, double* y, Py_ssize_t n, Py_ssize_t m, void* data) noexcept nogil
