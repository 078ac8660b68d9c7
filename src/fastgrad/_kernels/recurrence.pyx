"""Gradient descent on least squares, two readings of tall data in all."""
# The descent of `descent.descend` for tall A: A is read twice in all, and H = AᵀA once a step. With M = weight H + ridge I,
# h half the gradient and t twice the rate, a step is v = Mh, x -= t h, h -= t v, and takes t (2 h.h - t h.v) from the loss.
#
#   A         (n, p)      float or double, C order, read
#   b         (n,)        double, read
#   H         (p, p)      double, read: AᵀA
#   x         (p,)        double, from the first iterate to the last
#   gradient  (p,)        double, written: the gradient at the last x
#   work      (p + 3, q)  double, written: M, h, v and x, padded with zeros; q is the multiple of 8 that follows p
#   losses    (k + 1)     double, written: the loss before each of k steps, and at the last x

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport fabs, sqrt

from fastgrad._kernels.descent cimport evaluate
from fastgrad._kernels.lanes cimport add, add_product, fill, lanes, load_doubles, store, total
from fastgrad._kernels.wide cimport real, wide_int

cdef enum:
    SPAN = 1 << 24        # entries of M between two looks for Ctrl-C: at most some 20 ms


cdef int lay_out(
    const double[:, ::1] H, const double[::1] x, const double[::1] gradient, double[:, ::1] work,
    double weight, double ridge,
) except -1 nogil:
    cdef Py_ssize_t p = x.shape[0], i, j
    work[:, :] = 0.0
    for i in range(p):
        for j in range(p):
            work[i, j] = weight * H[i, j]
        work[i, i] += ridge
        work[p, i] = 0.5 * gradient[i]
        work[p + 2, i] = x[i]
    return 0


# Steps from `step[0]` up to `end`; `losses` gets what each takes from the loss. It stops behind a step that raised the
# loss, and where h.h is below `least`: further steps would not move x.
cdef wide_int recurrence(
    double[:, ::1] work, double[::1] losses, Py_ssize_t* step, Py_ssize_t end, double t, double least,
) except -1 nogil:
    cdef Py_ssize_t p = work.shape[0] - 3, q = work.shape[1], i, j
    cdef double square, taken
    cdef lanes h, u, v, m, c0, c1, c2, c3, hh, hv, minus_t
    fill(&minus_t, -t)
    while step[0] < end:
        fill(&hh, 0.0)
        fill(&hv, 0.0)
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
            load_doubles(&h, &work[p, j])
            load_doubles(&v, &work[p + 1, j])
            load_doubles(&u, &work[p + 2, j])
            add_product(&hh, &h, &h)
            add_product(&hv, &h, &v)
            add_product(&u, &h, &minus_t)
            add_product(&h, &v, &minus_t)
            store(&work[p + 2, j], &u)
            store(&work[p, j], &h)
        square = total(&hh)
        taken = t * (2.0 * square - t * total(&hv))
        losses[step[0]] = taken
        step[0] += 1
        if not (taken >= 0.0 and square >= least):
            break
    return 0


# The same for at most eight columns, where M, h and x stay in registers.
cdef wide_int short_recurrence(
    double[:, ::1] work, double[::1] losses, Py_ssize_t* step, Py_ssize_t end, double t, double least,
) except -1 nogil:
    cdef Py_ssize_t p = work.shape[0] - 3, i
    cdef double square, taken
    cdef lanes h, x, v, u, c, hh, hv, minus_t
    cdef lanes m[8]
    fill(&minus_t, -t)
    for i in range(8):
        if i < p:
            load_doubles(&m[i], &work[i, 0])
        else:
            fill(&m[i], 0.0)
    load_doubles(&h, &work[p, 0])
    load_doubles(&x, &work[p + 2, 0])
    while step[0] < end:
        fill(&v, 0.0)
        fill(&u, 0.0)
        fill(&hh, 0.0)
        fill(&hv, 0.0)
        for i in range(0, 8, 2):
            fill(&c, work[p, i])
            add_product(&v, &m[i], &c)
            fill(&c, work[p, i + 1])
            add_product(&u, &m[i + 1], &c)
        add(&v, &u)
        add_product(&hh, &h, &h)
        add_product(&hv, &h, &v)
        add_product(&x, &h, &minus_t)
        add_product(&h, &v, &minus_t)
        store(&work[p, 0], &h)
        square = total(&hh)
        taken = t * (2.0 * square - t * total(&hv))
        losses[step[0]] = taken
        step[0] += 1
        if not (taken >= 0.0 and square >= least):
            break
    store(&work[p + 2, 0], &x)
    return 0


cdef double dot(const double[::1] a, const double[::1] b) noexcept nogil:
    cdef double sum = 0.0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        sum += a[i] * b[i]
    return sum


# Turns what each step takes from the loss into the losses, backward from the last: terms of one sign, whose sum is as
# exact as they are. The sums are compensated. Returns the first loss.
cdef double settle(double[::1] losses) noexcept nogil:
    cdef double sum = losses[losses.shape[0] - 1], rest = 0.0, new, part
    cdef Py_ssize_t k
    for k in range(losses.shape[0] - 2, -1, -1):
        new = sum + losses[k]
        part = new - sum
        rest += (sum - (new - part)) + (losses[k] - part)
        sum = new
        losses[k] = sum + rest
    return sum + rest


cdef tuple run(
    const real[:, ::1] A, const double[::1] b, const double[:, ::1] H, double[::1] x, double[::1] gradient,
    double[:, ::1] work, double[::1] losses, double learning_rate, double weight, double ridge,
):
    cdef Py_ssize_t n = A.shape[0], p = A.shape[1], last = losses.shape[0] - 1, step = 0, end, i
    cdef double first, squares, origin, trace = 0.0, far, size, error = 0.0
    cdef double few = 2.0**-44      # 256 roundings: how far the recurrence may be from the residual, on their scale
    if (
        b.shape[0] != n or H.shape[0] != p or H.shape[1] != p or x.shape[0] != p or gradient.shape[0] != p
        or losses.shape[0] == 0 or p == 0 or work.shape[0] != p + 3 or work.shape[1] != (p + 7) // 8 * 8
    ):
        raise ValueError("recur: the arrays do not fit each other.")
    squares = evaluate(A, b, x, gradient, work[0, :p], losses[last:], weight, ridge)
    first = losses[last]
    lay_out(H, x, gradient, work, weight, ridge)
    origin = dot(work[p], work[p])
    if not 1e-200 < origin < 1e200:
        return False, squares
    far = dot(x, x)
    while step < last:
        end = min(last, step + max(1, SPAN // (p * work.shape[1])))
        with nogil:
            if p <= 8:
                short_recurrence(work, losses, &step, end, 2.0 * learning_rate, 1e-100 * origin)
            else:
                recurrence(work, losses, &step, end, 2.0 * learning_rate, 1e-100 * origin)
        PyErr_CheckSignals()
        if not losses[step - 1] >= 0.0:
            return False, squares
        if step < end:
            losses[step:last] = 0.0
            break
    for i in range(p):
        trace += H[i, i]
        x[i] = work[p + 2, i]
        work[p + 1, i] = work[p, i]
    squares = evaluate(A, b, x, gradient, work[0, :p], losses[last:], weight, ridge)
    far = max(far, dot(x, x))
    size = weight * (dot(b, b) + trace * far) + ridge * far
    if not size < 1e300:
        return False, squares
    for i in range(p):
        error = max(error, fabs(0.5 * gradient[i] - work[p + 1, i]))
    if not error <= few * (sqrt(weight * trace * size) + ridge * sqrt(far)):
        return False, squares
    return fabs(settle(losses) - first) <= few * (first + sqrt(first * size)), squares


def recur(A, b, H, x, gradient, work, losses, double learning_rate, double weight, double ridge):
    """Take k steps of descent from x, in place; return whether rounding left them exact enough, and the last r.r."""
    if A.dtype.char == "d":
        return run[double](A, b, H, x, gradient, work, losses, learning_rate, weight, ridge)
    return run[float](A, b, H, x, gradient, work, losses, learning_rate, weight, ridge)
