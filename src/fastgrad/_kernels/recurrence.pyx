"""Gradient descent on least squares, two readings of tall data in all."""
# The descent of `descent.descend` for tall A: A is read twice in all, and H = AᵀA once a step. With M = weight H + ridge I,
# d half the gradient and t twice the rate, a step is v = Md, x -= t d, d -= t v, and takes t (2 d.d - t d.v) from the loss.
#
#   A         (n, p)      float or double, C order, read
#   b         (n,)        double, read
#   H         (p, p)      double, read: AᵀA; None: it is formed here
#   x         (p,)        double, from the first iterate to the last
#   gradient  (p,)        double, written: the gradient at the last x
#   work      (p + 3, q)  double, written: M, d, v and x, padded with zeros; q is the multiple of 8 that follows p
#   losses    (k + 1)     double, written: the loss before each step taken, at most k, and at the last x
#
# A step is taken only where the gradient is longer than `gtol`; a negative gtol asks for all.

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport fabs, sqrt

from fastgrad._kernels.descent cimport evaluate, length
from fastgrad._kernels.lanes cimport add, add_product, fill, lanes, load_doubles, multiply, spread, store, total
from fastgrad._kernels.loss_sums cimport few, settle
from fastgrad._kernels.signals cimport SPAN
from fastgrad._kernels.views cimport float_table, line, table, unpack
from fastgrad._kernels.wide cimport real, wide_int


# Where an array of that many doubles lies; one of another size is refused.
cdef inline double* doubles(object a, Py_ssize_t size, bint is_written) except? NULL:
    cdef double* p
    if unpack(a, &p, is_written) != size:
        raise ValueError("the arrays do not fit each other")
    return p


# Adds AᵀA to the first p rows of `work`, row by row: for a small A in less time than BLAS takes to begin.
cdef int form(const real[:, ::1] A, double[:, ::1] work) except -1 nogil:
    cdef Py_ssize_t p = A.shape[1], i, j, k
    for i in range(A.shape[0]):
        for j in range(p):
            for k in range(j + 1):
                work[j, k] += <double> A[i, j] * A[i, k]
    for j in range(p):
        for k in range(j):
            work[k, j] = work[j, k]
    return 0


# Fills `work` but for v, and returns the trace of H, which is formed here where none is given.
cdef double lay_out(
    const real[:, ::1] A, object products, const double[::1] x, const double[::1] gradient, double[:, ::1] work,
    double weight, double ridge,
) except? -1:
    cdef const double* H
    cdef Py_ssize_t p = x.shape[0], i, j
    cdef double trace = 0.0
    work[:, :] = 0.0
    if products is None:
        form(A, work)
    else:
        H = doubles(products, p * p, False)
        for i in range(p):
            for j in range(p):
                work[i, j] = H[i * p + j]
    for i in range(p):
        trace += work[i, i]
        for j in range(p):
            work[i, j] *= weight
        work[i, i] += ridge
        work[p, i] = 0.5 * gradient[i]
        work[p + 2, i] = x[i]
    return trace


# Steps from `step` up to `end`, or to where d.d is at most `least`; `square` is d.d at `step`. What a step takes from the
# loss goes to `losses`.
cdef wide_int recurrence(
    double[:, ::1] work, double[::1] losses, Py_ssize_t* step, Py_ssize_t end, double* square, double t, double least,
) except -1 nogil:
    cdef Py_ssize_t p = work.shape[0] - 3, q = work.shape[1], i, j
    cdef lanes d, u, v, m, c0, c1, c2, c3, dd, dv, minus_t
    fill(&minus_t, -t)
    while step[0] < end and not square[0] <= least:
        fill(&dd, 0.0)
        fill(&dv, 0.0)
        for j in range(0, q, 8):
            fill(&v, 0.0)
            store(&work[p + 1, j], &v)
        i = 0
        while i + 4 <= p:
            fill(&c0, work[p, i])
            fill(&c1, work[p, i + 1])
            fill(&c2, work[p, i + 2])
            fill(&c3, work[p, i + 3])
            for j in range(0, q, 8):
                load_doubles(&v, &work[p + 1, j])
                load_doubles(&m, &work[i, j])
                add_product(&v, &m, &c0)
                load_doubles(&m, &work[i + 1, j])
                add_product(&v, &m, &c1)
                load_doubles(&m, &work[i + 2, j])
                add_product(&v, &m, &c2)
                load_doubles(&m, &work[i + 3, j])
                add_product(&v, &m, &c3)
                store(&work[p + 1, j], &v)
            i += 4
        while i < p:
            fill(&c0, work[p, i])
            for j in range(0, q, 8):
                load_doubles(&v, &work[p + 1, j])
                load_doubles(&m, &work[i, j])
                add_product(&v, &m, &c0)
                store(&work[p + 1, j], &v)
            i += 1
        for j in range(0, q, 8):
            load_doubles(&d, &work[p, j])
            load_doubles(&v, &work[p + 1, j])
            load_doubles(&u, &work[p + 2, j])
            add_product(&dv, &d, &v)
            add_product(&u, &d, &minus_t)
            add_product(&d, &v, &minus_t)
            add_product(&dd, &d, &d)
            store(&work[p + 2, j], &u)
            store(&work[p, j], &d)
        losses[step[0]] = t * (2.0 * square[0] - t * total(&dv))
        square[0] = total(&dd)
        step[0] += 1
    return 0


# The same for at most eight columns, where M, d and x stay in registers.
cdef wide_int short_recurrence(
    double[:, ::1] work, double[::1] losses, Py_ssize_t* step, Py_ssize_t end, double* square, double t, double least,
) except -1 nogil:
    cdef Py_ssize_t p = work.shape[0] - 3, k = step[0], i
    cdef double now = square[0]
    cdef lanes d, x, v, u, c, dd, dv, minus_t
    cdef lanes m[8]
    fill(&minus_t, -t)
    for i in range(8):
        fill(&m[i], 0.0)
        if i < p:
            load_doubles(&m[i], &work[i, 0])
    load_doubles(&d, &work[p, 0])
    load_doubles(&x, &work[p + 2, 0])
    while k < end and not now <= least:
        fill(&dd, 0.0)
        fill(&dv, 0.0)
        spread(&v, &d, 0)
        multiply(&v, &m[0])
        spread(&u, &d, 1)
        multiply(&u, &m[1])
        spread(&c, &d, 2)
        add_product(&v, &m[2], &c)
        spread(&c, &d, 3)
        add_product(&u, &m[3], &c)
        if p > 4:
            spread(&c, &d, 4)
            add_product(&v, &m[4], &c)
            spread(&c, &d, 5)
            add_product(&u, &m[5], &c)
            spread(&c, &d, 6)
            add_product(&v, &m[6], &c)
            spread(&c, &d, 7)
            add_product(&u, &m[7], &c)
        add(&v, &u)
        add_product(&dv, &d, &v)
        add_product(&x, &d, &minus_t)
        add_product(&d, &v, &minus_t)
        add_product(&dd, &d, &d)
        losses[k] = t * (2.0 * now - t * total(&dv))
        now = total(&dd)
        k += 1
    store(&work[p, 0], &d)
    store(&work[p + 2, 0], &x)
    step[0] = k
    square[0] = now
    return 0


cdef double dot(const double[::1] a, const double[::1] b) noexcept nogil:
    cdef double sum = 0.0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        sum += a[i] * b[i]
    return sum


# Reads the arrays, and begins.
cdef tuple run(
    object data, const real* entries, object target, object products, object start, object slope, object room,
    object history, double learning_rate, double weight, double ridge, double gtol,
):
    cdef const real[:, ::1] A
    cdef double[::1] b, x, gradient, losses
    cdef double[:, ::1] work
    cdef Py_ssize_t n = len(target), p = len(start), last = len(history) - 1, q = (p + 7) // 8 * 8
    if last < 0 or p == 0 or unpack(data, <real**>&entries, False) != n * p:
        raise ValueError("the arrays do not fit each other")
    if real is double:
        table(A, entries, n, p)
    else:
        float_table(A, entries, n, p)
    line(b, doubles(target, n, False), n)
    line(x, doubles(start, p, True), p)
    line(gradient, doubles(slope, p, True), p)
    table(work, doubles(room, (p + 3) * q, True), p + 3, q)
    line(losses, doubles(history, last + 1, True), last + 1)
    return descend(A, products, b, x, gradient, work, losses, learning_rate, weight, ridge, gtol)


# Takes the steps, and judges what they led to: whether it is accepted, how many they were, and r . r at the last iterate.
cdef tuple descend(
    const real[:, ::1] A, object products, double[::1] b, double[::1] x, double[::1] gradient, double[:, ::1] work,
    double[::1] losses, double learning_rate, double weight, double ridge, double gtol,
):
    cdef Py_ssize_t p = x.shape[0], last = losses.shape[0] - 1, step = 0, end, i
    cdef double first, squares, square, least, trace, far, size, scale, error = 0.0
    squares = evaluate(A, b, x, gradient, work[0, :p], losses[last:], weight, ridge)
    first = losses[last]
    trace = lay_out(A, products, x, gradient, work, weight, ridge)
    square = dot(work[p], work[p])
    if not 1e-200 < square < 1e200:
        return False, 0, squares
    least = 1e-100 * square
    if gtol >= 0.0:
        least = max(least, 0.25 * gtol * gtol)
    far = dot(x, x)
    while step < last and not square <= least:
        end = min(last, step + max(1, SPAN // (p * work.shape[1])))
        with nogil:
            if p <= 8:
                short_recurrence(work, losses, &step, end, &square, 2.0 * learning_rate, least)
            else:
                recurrence(work, losses, &step, end, &square, 2.0 * learning_rate, least)
        PyErr_CheckSignals()
        if not square < 1e300:
            return False, step, squares
    if gtol < 0.0 or square > 0.25 * gtol * gtol:
        losses[step:last] = 0.0     # a gradient so short that further steps do not move x
        step = last
    for i in range(p):
        x[i] = work[p + 2, i]
        work[p + 1, i] = work[p, i]
    squares = evaluate(A, b, x, gradient, work[0, :p], losses[step:step + 1], weight, ridge)
    if step < last and not length(gradient) <= gtol:
        return False, step, squares
    far = max(far, dot(x, x))
    scale = weight * dot(b, b)
    size = scale + weight * trace * far + ridge * far
    if not size < 1e300:
        return False, step, squares
    for i in range(p):
        error = max(error, fabs(0.5 * gradient[i] - work[p + 1, i]))
    if not error <= few() * (sqrt(weight * trace * size) + ridge * sqrt(far)):
        return False, step, squares
    return settle(losses[:step + 1], first, size, scale), step, squares


def recur(
    A, b, H, x, gradient, work, losses, double learning_rate, double weight, double ridge, double gtol,
):
    """Take up to k steps of descent from x; return whether rounding left them exact enough, how many, the last r.r."""
    if A.dtype.char == "d":
        return run[double](A, NULL, b, H, x, gradient, work, losses, learning_rate, weight, ridge, gtol)
    return run[float](A, NULL, b, H, x, gradient, work, losses, learning_rate, weight, ridge, gtol)
