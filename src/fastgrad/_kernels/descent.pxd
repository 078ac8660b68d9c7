from fastgrad._kernels.wide cimport real, wide_int

cdef struct Place:
    Py_ssize_t step       # the step under way
    Py_ssize_t row        # the first row that is not yet in its sums
    Py_ssize_t broken     # the first step whose loss is not finite, or -1
    double squares        # residual . residual, over the rows so far

cdef wide_int advance(
    const real[:, ::1] A, const double[::1] b, double[::1] x, double[::1] gradient, double[::1] work,
    double[::1] losses, double learning_rate, double weight, double ridge, double gtol, Place* place,
) except -1 nogil

cdef double evaluate(
    const real[:, ::1] A, const double[::1] b, double[::1] x, double[::1] gradient, double[::1] work,
    double[::1] loss, double weight, double ridge,
) except? -1

cdef double length(const double[::1] v) noexcept nogil
