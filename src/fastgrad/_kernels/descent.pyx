"""Gradient descent on least squares, one reading of the data a step."""
# The residuals of four rows and their share of the gradient are formed while these rows lie in the nearest cache.
#
#   A         (n, p)  float or double, C order, read
#   b         (n,)    double, read
#   x         (p,)    double, from the first iterate to the last
#   gradient  (p,)    double, written: the gradient at the last x
#   work      (p,)    double, written: sums of one block of rows
#   losses    (k + 1) double, written: the loss before each step taken, at most k, and at the last x
#
# A step is taken only where the gradient is longer than `gtol`; a negative gtol asks for all.

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport isfinite, sqrt

from fastgrad._kernels.lanes cimport add_product, fill, lanes, load, load_doubles, multiply, store, total
from fastgrad._kernels.signals cimport SPAN
from fastgrad._kernels.wide cimport part_int, real, wide_int

cdef enum:
    BLOCK = 64            # rows whose sums are formed apart and then added: long sums keep their digits


# Adds Aᵀr of the rows from `first` up to `end` to `work`, and r . r to `squares`; fewer than 8 columns.
cdef inline int narrow_rows(
    const real[:, ::1] A, const double[::1] b, double[::1] x, double[::1] work,
    Py_ssize_t first, Py_ssize_t end, double* squares,
) except -1 nogil:
    cdef Py_ssize_t p = A.shape[1], i = first, j
    cdef double r0, r1, r2, r3, total = 0.0
    while i + 4 <= end:
        r0 = r1 = r2 = r3 = 0.0
        for j in range(p):
            r0 += A[i, j] * x[j]
            r1 += A[i + 1, j] * x[j]
            r2 += A[i + 2, j] * x[j]
            r3 += A[i + 3, j] * x[j]
        r0 -= b[i]
        r1 -= b[i + 1]
        r2 -= b[i + 2]
        r3 -= b[i + 3]
        total += (r0 * r0 + r1 * r1) + (r2 * r2 + r3 * r3)
        for j in range(p):
            work[j] += (A[i, j] * r0 + A[i + 1, j] * r1) + (A[i + 2, j] * r2 + A[i + 3, j] * r3)
        i += 4
    while i < end:
        r0 = 0.0
        for j in range(p):
            r0 += A[i, j] * x[j]
        r0 -= b[i]
        total += r0 * r0
        for j in range(p):
            work[j] += A[i, j] * r0
        i += 1
    squares[0] += total
    return 0


# Adds eight columns of the rows i to i + 3, from column j on, each times u, to a sum of its own.
cdef inline part_int add_to_sums(
    lanes* sums, const real[:, ::1] A, Py_ssize_t i, Py_ssize_t j, const lanes* u,
) noexcept nogil:
    cdef lanes t
    load(&t, &A[i, j])
    add_product(&sums[0], &t, u)
    load(&t, &A[i + 1, j])
    add_product(&sums[1], &t, u)
    load(&t, &A[i + 2, j])
    add_product(&sums[2], &t, u)
    load(&t, &A[i + 3, j])
    add_product(&sums[3], &t, u)
    return 0


# Adds them, each times its own residual, to what `room` has from column j on.
cdef inline part_int add_four_rows(
    double* room, const real[:, ::1] A, Py_ssize_t i, Py_ssize_t j, const lanes* residuals,
) noexcept nogil:
    cdef lanes t, u
    load_doubles(&u, room)
    load(&t, &A[i, j])
    add_product(&u, &t, &residuals[0])
    load(&t, &A[i + 1, j])
    add_product(&u, &t, &residuals[1])
    load(&t, &A[i + 2, j])
    add_product(&u, &t, &residuals[2])
    load(&t, &A[i + 3, j])
    add_product(&u, &t, &residuals[3])
    store(room, &u)
    return 0


# Adds them to `work` and `squares` for 8 columns and more. Where p is no multiple of 8, the last eight columns overlap
# the eight before them: `own` is 1 in those that have not been counted, 0 in the others.
cdef wide_int wide_rows(
    const real[:, ::1] A, const double[::1] b, double[::1] x, double[::1] work,
    Py_ssize_t first, Py_ssize_t end, double* squares,
) except -1 nogil:
    cdef Py_ssize_t p = A.shape[1], whole = p - p % 8, i = first, j, k
    cdef double[4] r
    cdef double[8] mask
    cdef lanes own, t, u
    cdef lanes[4] a
    for j in range(8):
        mask[j] = 1.0 if j >= 8 - p % 8 else 0.0
    load_doubles(&own, mask)
    while i + 4 <= end:
        for k in range(4):
            fill(&a[k], 0.0)
        for j in range(0, whole, 8):
            load_doubles(&u, &x[j])
            add_to_sums(a, A, i, j, &u)
        if whole < p:
            load_doubles(&u, &x[p - 8])
            multiply(&u, &own)
            add_to_sums(a, A, i, p - 8, &u)
        for k in range(4):
            r[k] = total(&a[k]) - b[i + k]
            fill(&a[k], r[k])
        squares[0] += (r[0] * r[0] + r[1] * r[1]) + (r[2] * r[2] + r[3] * r[3])
        for j in range(0, whole, 8):
            add_four_rows(&work[j], A, i, j, a)
        if whole < p:
            for k in range(4):
                multiply(&a[k], &own)
            add_four_rows(&work[p - 8], A, i, p - 8, a)
        i += 4
    while i < end:
        fill(a, 0.0)
        for j in range(0, whole, 8):
            load_doubles(&u, &x[j])
            load(&t, &A[i, j])
            add_product(a, &t, &u)
        r[0] = total(a)
        for j in range(whole, p):
            r[0] += A[i, j] * x[j]
        r[0] -= b[i]
        squares[0] += r[0] * r[0]
        for j in range(p):
            work[j] += A[i, j] * r[0]
        i += 1
    return 0


cdef double length(const double[::1] v) noexcept nogil:
    cdef double squares = 0.0
    cdef Py_ssize_t j
    for j in range(v.shape[0]):
        squares += v[j] * v[j]
    return sqrt(squares)


# Goes on from `place` for a span of work; returns 1 where the gradient became short enough to end at place.step.
cdef wide_int advance(
    const real[:, ::1] A, const double[::1] b, double[::1] x, double[::1] gradient, double[::1] work,
    double[::1] losses, double learning_rate, double weight, double ridge, double gtol, Place* place,
) except -1 nogil:
    cdef Py_ssize_t n = A.shape[0], p = A.shape[1], last = losses.shape[0] - 1
    cdef Py_ssize_t j, end, budget = SPAN
    cdef double squares, norm, loss
    while place.step <= last and budget > 0:
        end = min(n, place.row + BLOCK)
        squares = 0.0
        for j in range(p):
            work[j] = 0.0
        if p < 8:
            narrow_rows(A, b, x, work, place.row, end, &squares)
        else:
            wide_rows(A, b, x, work, place.row, end, &squares)
        for j in range(p):
            gradient[j] += work[j]
        place.squares += squares
        budget -= (end - place.row + 1) * (p + 1)
        place.row = end
        if end < n:
            continue

        loss = weight * place.squares
        if ridge != 0.0:
            norm = 0.0
            for j in range(p):
                norm += x[j] * x[j]
            loss += ridge * norm
            for j in range(p):
                gradient[j] = 2.0 * (weight * gradient[j] + ridge * x[j])
        else:
            for j in range(p):
                gradient[j] = 2.0 * weight * gradient[j]
        losses[place.step] = loss
        if place.broken < 0 and not isfinite(loss):
            place.broken = place.step
        if gtol >= 0.0 and length(gradient) <= gtol:
            return 1
        if place.step < last:
            for j in range(p):
                x[j] -= learning_rate * gradient[j]
                gradient[j] = 0.0
            place.row = 0
            place.squares = 0.0
        place.step += 1
    return 0


# The loss, the gradient and r . r at x.
cdef double evaluate(
    const real[:, ::1] A, const double[::1] b, double[::1] x, double[::1] gradient, double[::1] work,
    double[::1] loss, double weight, double ridge,
) except? -1:
    cdef Place place = Place(0, 0, -1, 0.0)
    gradient[:] = 0.0
    while place.step < 1:
        with nogil:
            advance(A, b, x, gradient, work, loss, 1.0, weight, ridge, -1.0, &place)
        PyErr_CheckSignals()
    return place.squares


cdef tuple run(
    const real[:, ::1] A, const double[::1] b, double[::1] x, double[::1] gradient, double[::1] work,
    double[::1] losses, double learning_rate, double weight, double ridge, double gtol,
):
    cdef Py_ssize_t n = A.shape[0], p = A.shape[1], last = losses.shape[0] - 1
    cdef Place place = Place(0, 0, -1, 0.0)
    cdef int ended = 0
    if b.shape[0] != n or x.shape[0] != p or gradient.shape[0] != p or work.shape[0] != p or last < 0:
        raise ValueError("the arrays do not fit each other")
    gradient[:] = 0.0
    while place.step <= last and not ended:
        with nogil:
            ended = advance(A, b, x, gradient, work, losses, learning_rate, weight, ridge, gtol, &place)
        PyErr_CheckSignals()
    return min(place.step, last), place.broken, place.squares


def descend(
    A, b, x, gradient, work, losses, double learning_rate, double weight, double ridge, double gtol,
):
    """Take up to k steps of descent from x, in place; return how many, the first not finite or -1, and the last r.r."""
    if A.dtype.char == "d":
        return run[double](A, b, x, gradient, work, losses, learning_rate, weight, ridge, gtol)
    return run[float](A, b, x, gradient, work, losses, learning_rate, weight, ridge, gtol)
