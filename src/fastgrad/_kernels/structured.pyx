"""The difference loop of a loss that is known along lines: moving one weight moves one unit, by h times its input.

A unit i of sample b stands at z[b, i] and moves the loss, when its activation goes from origin to a, by

    F(a) = (a - origin)·(c + (a - origin)·q) + tau·log Σ_k p_k exp(w_k·(a - origin)),

which covers linear, squared and softmax cross-entropy losses. The loop forms F at both activations and subtracts.
"""
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport fabs, frexp, isfinite
from libc.stdint cimport uintptr_t
from libc.string cimport memset

from fastgrad._kernels.lanes cimport add, add_product, fill, lanes, load, load_doubles, prefetch, total
from fastgrad._kernels.softmax cimport (
    ORDERS, RADIUS, SHORT_RADIUS, form_moments, log_change, series, short_series,
)
from fastgrad._kernels.wide cimport real, wide_double, wide_int

cdef enum:
    BLOCK = 1024            # entries of a row taken together: the sums of a block stay in the first cache
    LINE = 64               # bytes in a line of cache
    ACROSS = 32             # partial sums of a product
    AHEAD = 1024            # entries of W between those in use and those asked for in advance
    HALVINGS = 8            # of a step that crosses a kink
    SPAN = 1 << 24          # terms between two looks for signals, about 20 ms

cdef inline double rectify(double t) noexcept nogil:
    return 0.0 if t <= 0.0 else t    # NaN goes through


# Adds the polynomial part of one line to the sums of a block. Shapes: step, x, sums (width,).
cdef wide_int add_polynomial(double* sums, const double* step, const double* x, Py_ssize_t width, double z,
                             double origin, double c, double q, bint rectified) noexcept nogil:
    cdef double plus, minus
    cdef Py_ssize_t j
    if rectified:
        for j in range(width):
            plus = rectify(z + step[j] * x[j])
            minus = rectify(z - step[j] * x[j])
            sums[j] += (plus - minus) * (c + ((plus - origin) + (minus - origin)) * q)
    elif q == 0.0:
        for j in range(width):
            sums[j] += ((z + step[j] * x[j]) - (z - step[j] * x[j])) * c
    else:
        for j in range(width):
            plus = z + step[j] * x[j]
            minus = z - step[j] * x[j]
            sums[j] += (plus - minus) * (c + ((plus - origin) + (minus - origin)) * q)
    return 0


# Adds the logarithm's part where every move of the line is small. Shapes: step, x, sums (width,), moments (ORDERS,).
cdef wide_int add_series(double* sums, const double* step, const double* x, Py_ssize_t width, double z, double origin,
                         double tau, const double* moments, bint tiny) noexcept nogil:
    cdef Py_ssize_t j
    if tiny:
        for j in range(width):
            sums[j] += tau * short_series(moments, (z + step[j] * x[j]) - origin, (z - step[j] * x[j]) - origin)
    else:
        for j in range(width):
            sums[j] += tau * series(moments, (z + step[j] * x[j]) - origin, (z - step[j] * x[j]) - origin)
    return 0


# Entries of a row up to the first that starts a line of cache: what straddles lines costs up to half more.
cdef inline Py_ssize_t up_to_line(const real* row, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t entries = (LINE - <uintptr_t> row % LINE) % LINE // sizeof(real)
    return min(entries, n)


# What a line's polynomial gains between the two ends of a move.
cdef inline double gained(double z, double d, double origin, double c, double q) noexcept nogil:
    cdef double plus = z + d, minus = z - d
    return (plus - minus) * (c + ((plus - origin) + (minus - origin)) * q)


# One row for one sample and one step, away from kinks; `inverse` as walk has it. Shapes: x, out (n,).
cdef wide_int write_row(real* out, const double* x, Py_ssize_t n, double h, double inverse, double z, double origin,
                        double c, double q) noexcept nogil:
    cdef Py_ssize_t j, part, start, stop, first = up_to_line(out, n)
    for part in range(2):
        start = first if part else 0
        stop = n if part else first
        if inverse == 0.0:
            for j in range(start, stop):
                out[j] = <real> (gained(z, h * x[j], origin, c, q) / (2.0 * h))
        elif q == 0.0:
            for j in range(start, stop):
                out[j] = <real> (((z + h * x[j]) - (z - h * x[j])) * c * inverse)
        elif c == 0.0 and origin == 0.0:
            for j in range(start, stop):
                out[j] = <real> (((z + h * x[j]) - (z - h * x[j])) * (((z + h * x[j]) + (z - h * x[j])) * q) * inverse)
        else:
            for j in range(start, stop):
                out[j] = <real> (gained(z, h * x[j], origin, c, q) * inverse)
    return 0


# The step for entry j of row i that crosses no sample's kink, if at most HALVINGS halvings find one; its kink else.
# Shapes: z (n_samples, m), x (n_samples, n).
cdef double clear_step(const double[:, ::1] z, const double[:, ::1] x, Py_ssize_t i, Py_ssize_t j, double step,
                       bint* kink, bint* halved) except? -1 nogil:
    cdef bint crossing
    cdef int k
    cdef Py_ssize_t b
    halved[0] = False
    for k in range(HALVINGS + 1):
        crossing = kink[0] = False
        for b in range(z.shape[0]):
            if x[b, j] != 0.0 and fabs(z[b, i]) <= step * fabs(x[b, j]):
                if z[b, i] == 0.0:
                    kink[0] = True
                else:
                    crossing = True
        if not crossing:
            return step
        if k < HALVINGS:
            step *= 0.5
            halved[0] = True
    kink[0] = True
    return step


# Entry (i, j) by itself, with a step that avoids the kinks, or with both slopes. Shapes: as walk.
cdef int measure_entry(
        const double[:, ::1] z, const double[:, ::1] origin, const double[:, ::1] c, const double[::1] q,
        const double[::1] tau, const double[:, ::1] logp, const double[:, ::1] p, const double[:, ::1] w,
        const double[::1] wmax, const double[:, ::1] x, const double[::1] reach, Py_ssize_t i, Py_ssize_t j,
        double step, real* left, real* right, bint sided, Py_ssize_t* redone) except -1 nogil:
    cdef Py_ssize_t b, line, unit, n_out = logp.shape[1]
    cdef bint kink = False, halved = False
    cdef double plus, minus, moved, whole = 0.0, up = 0.0, down = 0.0
    cdef double[ORDERS] moments
    step = clear_step(z, x, i, j, step, &kink, &halved)
    redone[0] += halved
    for b in range(z.shape[0]):
        if z[b, i] < -reach[b]:
            continue
        plus = rectify(z[b, i] + step * x[b, j])
        minus = rectify(z[b, i] - step * x[b, j])
        moved = plus - minus
        plus -= origin[b, i]
        minus -= origin[b, i]
        whole += moved * (c[b, i] + (plus + minus) * q[i])
        up += plus * (c[b, i] + plus * q[i])
        down -= minus * (c[b, i] + minus * q[i])
        if n_out > 0 and moved != 0.0:
            line = b if logp.shape[0] == z.shape[0] else b * z.shape[1] + i
            unit = i if w.shape[0] == z.shape[1] else 0
            form_moments(&p[line, 0], &w[unit, 0], n_out, moments)
            whole += tau[b] * log_change(moments, &logp[line, 0], &w[unit, 0], n_out, wmax[i], plus, minus)
            up += tau[b] * log_change(moments, &logp[line, 0], &w[unit, 0], n_out, wmax[i], plus, 0.0)
            down += tau[b] * log_change(moments, &logp[line, 0], &w[unit, 0], n_out, wmax[i], 0.0, minus)
    if kink and sided:
        left[0] = <real> (down / step)
        right[0] = <real> (up / step)
    else:
        left[0] = right[0] = <real> (whole / (2.0 * step))
    return 0


# Rows `first` to `last` of the result, a block at a time. Shapes: z, origin, c (n_samples, m); q, wmax (m,); tau, reach
# (n_samples,); logp, p (n_samples or n_samples·m, n_out); w (m or 1, n_out); x (n_samples, n); h (1,) or (m·n,);
# left, right (m, n). Where `inverse` is not 0, it is 1/(2·h) exactly.
cdef wide_int walk(
        const double[:, ::1] z, const double[:, ::1] origin, const double[:, ::1] c, const double[::1] q,
        const double[::1] tau, const double[:, ::1] logp, const double[:, ::1] p, const double[:, ::1] w,
        const double[::1] wmax, const double[:, ::1] x, const double[::1] reach, const double[::1] h, bint rectified,
        real[:, ::1] left, real[:, ::1] right, bint sided, double inverse, Py_ssize_t first,
        Py_ssize_t last, Py_ssize_t* redone) except -1 nogil:
    cdef Py_ssize_t b, i, j, k, block, width, line, unit, n = x.shape[1], n_out = logp.shape[1]
    cdef bint near, marked, direct = h.shape[0] == 1 and z.shape[0] == 1 and n_out == 0
    cdef double plus, minus
    cdef double[BLOCK] sums, step
    cdef char[BLOCK] mark
    cdef double[ORDERS] moments
    for k in range(min(BLOCK, n)):
        step[k] = h[0]
    for i in range(first, last):
        if direct and (not rectified or z[0, i] > reach[0]):
            write_row(&left[i, 0], &x[0, 0], n, h[0], inverse, z[0, i], origin[0, i], c[0, i], q[i])
            if sided:
                write_row(&right[i, 0], &x[0, 0], n, h[0], inverse, z[0, i], origin[0, i], c[0, i], q[i])
            continue
        if direct and z[0, i] < -reach[0]:
            memset(&left[i, 0], 0, n * sizeof(real))
            if sided:
                memset(&right[i, 0], 0, n * sizeof(real))
            continue
        for block in range((n + BLOCK - 1) // BLOCK):
            j = block * BLOCK
            width = min(BLOCK, n - j)
            marked = False
            for k in range(width):
                sums[k] = 0.0
                mark[k] = 0
            if h.shape[0] > 1:
                for k in range(width):
                    step[k] = h[i * n + j + k]
            for b in range(z.shape[0]):
                if rectified and z[b, i] < -reach[b]:
                    continue
                near = rectified and not z[b, i] > reach[b]
                add_polynomial(sums, step, &x[b, j], width, z[b, i], origin[b, i], c[b, i], q[i], near)
                if n_out > 0:
                    line = b if logp.shape[0] == z.shape[0] else b * z.shape[1] + i
                    unit = i if w.shape[0] == z.shape[1] else 0
                    form_moments(&p[line, 0], &w[unit, 0], n_out, moments)
                    if reach[b] * wmax[i] <= RADIUS and not near:
                        add_series(sums, step, &x[b, j], width, z[b, i], origin[b, i], tau[b], moments,
                                   reach[b] * wmax[i] <= SHORT_RADIUS)
                    else:
                        for k in range(width):
                            plus = z[b, i] + step[k] * x[b, j + k]
                            minus = z[b, i] - step[k] * x[b, j + k]
                            if near:
                                plus, minus = rectify(plus), rectify(minus)
                            sums[k] += tau[b] * log_change(moments, &logp[line, 0], &w[unit, 0], n_out, wmax[i],
                                                           plus - origin[b, i], minus - origin[b, i])
                if near:
                    for k in range(width):
                        if x[b, j + k] != 0.0 and fabs(z[b, i]) <= step[k] * fabs(x[b, j + k]):
                            mark[k] = marked = True
            if inverse != 0.0:
                for k in range(width):
                    left[i, j + k] = <real> (sums[k] * inverse)
            else:
                for k in range(width):
                    left[i, j + k] = <real> (sums[k] / (2.0 * step[k]))
            if sided:
                for k in range(width):
                    right[i, j + k] = left[i, j + k]
            if marked:
                for k in range(width):
                    if mark[k]:
                        measure_entry(z, origin, c, q, tau, logp, p, w, wmax, x, reach, i, j + k, step[k],
                                      &left[i, j + k], &right[i, j + k], sided, redone)
    return 0


# 1/(2·h) where there is one step and that is exact, so that multiplying gives the bits of dividing; else 0.
cdef double exact_inverse(const double[::1] h) noexcept nogil:
    cdef int exponent
    if h.shape[0] == 1 and frexp(h[0], &exponent) == 0.5 and isfinite(0.5 / h[0]):
        return 0.5 / h[0]
    return 0.0


cdef Py_ssize_t measure(
        const double[:, ::1] z, const double[:, ::1] origin, const double[:, ::1] c, const double[::1] q,
        const double[::1] tau, const double[:, ::1] logp, const double[:, ::1] p, const double[:, ::1] w,
        const double[::1] wmax, const double[:, ::1] x, const double[::1] reach, const double[::1] h, bint rectified,
        real[:, ::1] left, real[:, ::1] right, bint sided) except -1:
    cdef Py_ssize_t first, last, redone = 0
    cdef Py_ssize_t n_samples = z.shape[0], m = z.shape[1], n = x.shape[1], n_out = logp.shape[1]
    cdef Py_ssize_t rows = 1 + SPAN // (1 + n_samples * (n + 8) * (1 + n_out))
    cdef double inverse = exact_inverse(h)
    if (origin.shape[0] != n_samples or origin.shape[1] != m or c.shape[0] != n_samples or c.shape[1] != m
            or q.shape[0] != m or tau.shape[0] != n_samples or wmax.shape[0] != m or x.shape[0] != n_samples
            or reach.shape[0] != n_samples or (h.shape[0] != 1 and h.shape[0] != m * n)
            or left.shape[0] != m or left.shape[1] != n or right.shape[0] != m or right.shape[1] != n
            or (logp.shape[0] != n_samples and logp.shape[0] != n_samples * m) or p.shape[0] != logp.shape[0]
            or p.shape[1] != n_out or (w.shape[0] != m and w.shape[0] != 1) or w.shape[1] != n_out):
        raise ValueError("the shapes of the lines do not fit")
    if n == 0:
        return 0
    for first in range(0, m, rows):
        last = min(m, first + rows)
        with nogil:
            walk(z, origin, c, q, tau, logp, p, w, wmax, x, reach, h, rectified, left, right, sided, inverse, first,
                 last, &redone)
        PyErr_CheckSignals()
    return redone


def unit_differences(z, origin, c, q, tau, logp, p, w, wmax, x, reach, h, rectified, left, right):
    """Write the differences of every entry into left and right, one array or two; return how many were redone."""
    sided = right is not left
    if left.dtype.char == 'd':
        return measure[double](z, origin, c, q, tau, logp, p, w, wmax, x, reach, h, rectified, left, right, sided)
    return measure[float](z, origin, c, q, tau, logp, p, w, wmax, x, reach, h, rectified, left, right, sided)


# Σ_j w_j x_j in four times eight lanes, which are added in a fixed order. Shapes: w, x (n,).
cdef wide_double row_product(const real* w, const double* x, Py_ssize_t n) noexcept nogil:
    cdef lanes a, b, c, d, t, u
    cdef double rest = 0.0
    cdef Py_ssize_t j, start, whole = n - n % ACROSS
    fill(&a, 0.0)
    fill(&b, 0.0)
    fill(&c, 0.0)
    fill(&d, 0.0)
    for start in range(0, whole, 32):
        prefetch(w + start + AHEAD)
        prefetch(w + start + AHEAD + 8)
        prefetch(w + start + AHEAD + 16)
        prefetch(w + start + AHEAD + 24)
        load(&t, w + start)
        load_doubles(&u, x + start)
        add_product(&a, &t, &u)
        load(&t, w + start + 8)
        load_doubles(&u, x + start + 8)
        add_product(&b, &t, &u)
        load(&t, w + start + 16)
        load_doubles(&u, x + start + 16)
        add_product(&c, &t, &u)
        load(&t, w + start + 24)
        load_doubles(&u, x + start + 24)
        add_product(&d, &t, &u)
    for j in range(whole, n):
        rest += w[j] * x[j]
    add(&a, &b)
    add(&c, &d)
    add(&a, &c)
    return total(&a) + rest


# Row after row, so that reading W and writing out overlap. Shapes: W, out (m, n), x (n,), shift, c, q (m,), h (1,).
cdef Py_ssize_t measure_layer(const real[:, ::1] W, const double[::1] x, const double[::1] shift, const double[::1] c,
                              const double[::1] q, const double[::1] h, real[:, ::1] out) except -1:
    cdef Py_ssize_t i, first, last, m = W.shape[0], n = W.shape[1]
    cdef Py_ssize_t rows = 1 + SPAN // (n + 1)
    cdef double z, inverse
    if (x.shape[0] != n or shift.shape[0] != m or c.shape[0] != m or q.shape[0] != m or h.shape[0] != 1
            or out.shape[0] != m or out.shape[1] != n):
        raise ValueError("the shapes of the layer do not fit")
    if n == 0:
        return 0
    inverse = exact_inverse(h)
    for first in range(0, m, rows):
        last = min(m, first + rows)
        with nogil:
            for i in range(first, last):
                z = row_product(&W[i, 0], &x[0], n) + shift[i]
                write_row(&out[i, 0], &x[0], n, h[0], inverse, z, 0.0, c[i], q[i])
        PyErr_CheckSignals()
    return 0


def layer_differences(W, x, shift, c, q, h, out):
    """Form Wx and write the differences of every entry of W into out, row by row, for one sample and one step."""
    if out.dtype.char == 'd':
        measure_layer[double](W, x, shift, c, q, h, out)
    else:
        measure_layer[float](W, x, shift, c, q, h, out)
