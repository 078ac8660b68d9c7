from fastgrad._kernels.wide cimport real

cdef double evaluate(
    const real[:, ::1] A, const double[::1] b, double[::1] x, double[::1] gradient, double[::1] work,
    double[::1] loss, double weight, double ridge,
) except? -1
