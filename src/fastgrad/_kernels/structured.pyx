"""The difference loop of a loss that is known along lines: moving one weight moves one unit, by h times its input.

A unit i of sample b stands at z[b, i] and moves the loss, when its activation goes from origin to a, by

    F(a) = (a - origin)·(c + (a - origin)·q) + tau·log Σ_k p_k exp(w_k·(a - origin)),

which covers linear, squared and softmax cross-entropy losses. The loop forms F at both activations and subtracts.
"""
cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport fabs
from libc.string cimport memset

from fastgrad._kernels.rows cimport HELD, exact_inverse, held, write_row
from fastgrad._kernels.signals cimport SPAN
from fastgrad._kernels.softmax cimport (
    ORDERS, RADIUS, SHORT_RADIUS, form_moments, log_change, series, short_series,
)
from fastgrad._kernels.wide cimport real, wide_int

cdef enum:
    BLOCK = 1024            # entries of a row taken together: the sums of a block stay in the first cache
    HALVINGS = 8            # of a step that crosses a kink

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


# Shapes: z, origin, c (n_samples, m); q, wmax (m,); tau, reach (n_samples,); logp, p (n_samples or n_samples·m, n_out);
# w (m or 1, n_out); x (n_samples, n); h (1,) or (m·n,).
@cython.final
cdef class Lines:
    """Where the units stand, how the loss runs along the line of each, and what moves them: as the twin tells."""
    cdef const double[:, ::1] z, origin, c, logp, p, w, x
    cdef const double[::1] q, tau, wmax, reach, h
    cdef Py_ssize_t n_samples, m, n, n_out
    cdef double inverse
    cdef bint rectified

    def __init__(self, z, origin, c, q, tau, logp, p, w, wmax, x, reach, h, rectified):
        self.z, self.origin, self.c, self.q, self.tau = z, origin, c, q, tau
        self.logp, self.p, self.w, self.wmax = logp, p, w, wmax
        self.x, self.reach, self.h, self.rectified = x, reach, h, rectified
        self.n_samples, self.m = self.z.shape[0], self.z.shape[1]
        self.n, self.n_out = self.x.shape[1], self.logp.shape[1]
        self.inverse = exact_inverse(self.h)
        if not self.fit():
            raise ValueError("the arrays do not fit each other")

    cdef bint fit(self):
        cdef Py_ssize_t n_samples = self.n_samples, m = self.m, n_out = self.n_out
        return (self.origin.shape[0] == self.c.shape[0] == self.tau.shape[0] == self.x.shape[0] == n_samples
                and self.origin.shape[1] == self.c.shape[1] == self.q.shape[0] == self.wmax.shape[0] == m
                and self.reach.shape[0] == n_samples and self.h.shape[0] in (1, m * self.n)
                and self.logp.shape[0] == self.p.shape[0] and self.logp.shape[0] in (n_samples, n_samples * m)
                and self.p.shape[1] == self.w.shape[1] == n_out and self.w.shape[0] in (m, 1))

    cdef inline Py_ssize_t line(self, Py_ssize_t b, Py_ssize_t i) noexcept nogil:
        """Return the row of p and logp for unit i of sample b."""
        return b if self.logp.shape[0] == self.n_samples else b * self.m + i

    cdef inline Py_ssize_t unit(self, Py_ssize_t i) noexcept nogil:
        """Return the row of w for unit i."""
        return i if self.w.shape[0] == self.m else 0


# The step for entry j of row i that crosses no sample's kink, if at most HALVINGS halvings find one; its kink else.
cdef double clear_step(Lines lines, Py_ssize_t i, Py_ssize_t j, double step, bint* kink,
                       bint* halved) except? -1 nogil:
    cdef bint crossing
    cdef int k
    cdef Py_ssize_t b
    halved[0] = False
    for k in range(HALVINGS + 1):
        crossing = kink[0] = False
        for b in range(lines.n_samples):
            if lines.x[b, j] != 0.0 and fabs(lines.z[b, i]) <= step * fabs(lines.x[b, j]):
                if lines.z[b, i] == 0.0:
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


# Entry (i, j) by itself, with a step that avoids the kinks, or with both slopes.
cdef int measure_entry(Lines lines, Py_ssize_t i, Py_ssize_t j, double step, real* left, real* right, bint sided,
                       Py_ssize_t* redone) except -1 nogil:
    cdef Py_ssize_t b, line, unit = lines.unit(i), n_out = lines.n_out
    cdef bint kink = False, halved = False
    cdef double plus, minus, moved, whole = 0.0, up = 0.0, down = 0.0
    cdef double[ORDERS] moments
    step = clear_step(lines, i, j, step, &kink, &halved)
    redone[0] += halved
    for b in range(lines.n_samples):
        if lines.z[b, i] < -lines.reach[b]:
            continue
        plus = rectify(lines.z[b, i] + step * lines.x[b, j])
        minus = rectify(lines.z[b, i] - step * lines.x[b, j])
        moved = plus - minus
        plus -= lines.origin[b, i]
        minus -= lines.origin[b, i]
        whole += moved * (lines.c[b, i] + (plus + minus) * lines.q[i])
        up += plus * (lines.c[b, i] + plus * lines.q[i])
        down -= minus * (lines.c[b, i] + minus * lines.q[i])
        if n_out > 0 and moved != 0.0:
            line = lines.line(b, i)
            form_moments(&lines.p[line, 0], &lines.w[unit, 0], n_out, moments)
            whole += lines.tau[b] * log_change(moments, &lines.logp[line, 0], &lines.w[unit, 0], n_out, lines.wmax[i],
                                               plus, minus)
            up += lines.tau[b] * log_change(moments, &lines.logp[line, 0], &lines.w[unit, 0], n_out, lines.wmax[i],
                                            plus, 0.0)
            down += lines.tau[b] * log_change(moments, &lines.logp[line, 0], &lines.w[unit, 0], n_out, lines.wmax[i],
                                              0.0, minus)
    if kink and sided:
        left[0] = <real> (down / step)
        right[0] = <real> (up / step)
    else:
        left[0] = right[0] = <real> (whole / (2.0 * step))
    return 0


# Adds what sample b's logarithm gains to the sums of row i's block that begins at entry j. Shapes: sums, step (width,).
cdef wide_int add_logarithm(Lines lines, Py_ssize_t b, Py_ssize_t i, Py_ssize_t j, Py_ssize_t width, bint near,
                            const double* step, double* sums) except -1 nogil:
    cdef Py_ssize_t k, line = lines.line(b, i), unit = lines.unit(i)
    cdef double plus, minus, z = lines.z[b, i], origin = lines.origin[b, i], tau = lines.tau[b]
    cdef double largest = lines.reach[b] * lines.wmax[i]
    cdef double[ORDERS] moments
    form_moments(&lines.p[line, 0], &lines.w[unit, 0], lines.n_out, moments)
    if largest <= RADIUS and not near:
        add_series(sums, step, &lines.x[b, j], width, z, origin, tau, moments, largest <= SHORT_RADIUS)
        return 0
    for k in range(width):
        plus = z + step[k] * lines.x[b, j + k]
        minus = z - step[k] * lines.x[b, j + k]
        if near:
            plus, minus = rectify(plus), rectify(minus)
        sums[k] += tau * log_change(moments, &lines.logp[line, 0], &lines.w[unit, 0], lines.n_out, lines.wmax[i],
                                    plus - origin, minus - origin)
    return 0


# Forms the sums of row i's block that begins at entry j, and marks the entries whose move crosses a kink; returns
# whether there are any. Shapes: step, sums, mark (width,).
cdef wide_int form_block(Lines lines, Py_ssize_t i, Py_ssize_t j, Py_ssize_t width, const double* step, double* sums,
                         char* mark) except -1 nogil:
    cdef Py_ssize_t b, k
    cdef bint near, marked = False
    for k in range(width):
        sums[k] = 0.0
        mark[k] = 0
    for b in range(lines.n_samples):
        if lines.rectified and lines.z[b, i] < -lines.reach[b]:
            continue
        near = lines.rectified and not lines.z[b, i] > lines.reach[b]
        add_polynomial(sums, step, &lines.x[b, j], width, lines.z[b, i], lines.origin[b, i], lines.c[b, i], lines.q[i],
                       near)
        if lines.n_out > 0:
            add_logarithm(lines, b, i, j, width, near, step, sums)
        if near:
            for k in range(width):
                if lines.x[b, j + k] != 0.0 and fabs(lines.z[b, i]) <= step[k] * fabs(lines.x[b, j + k]):
                    mark[k] = marked = True
    return marked


# Row i of the result where its one sample x stands on one side of the kink with every move; returns whether it did.
# Shapes: x, row (n,).
cdef wide_int walk_plain_row(Lines lines, Py_ssize_t i, const double* x, real* row) except -1 nogil:
    if not lines.rectified or lines.z[0, i] > lines.reach[0]:
        write_row(row, x, lines.n, lines.h[0], lines.inverse, lines.z[0, i], lines.origin[0, i],
                  lines.c[0, i], lines.q[i])
        return True
    if lines.z[0, i] < -lines.reach[0]:
        memset(row, 0, lines.n * sizeof(real))
        return True
    return False


# Row i of the result, a block at a time; `right` is NULL where both sides are alike. Shapes: left, right (n,).
cdef wide_int walk_row(Lines lines, Py_ssize_t i, real* left, real* right, Py_ssize_t* redone) except -1 nogil:
    cdef Py_ssize_t block, j, k, width, n = lines.n
    cdef bint marked, sided = right != NULL
    cdef double inverse = lines.inverse
    cdef double[BLOCK] sums, step
    cdef char[BLOCK] mark
    for block in range((n + BLOCK - 1) // BLOCK):
        j = block * BLOCK
        width = min(BLOCK, n - j)
        for k in range(width):
            step[k] = lines.h[0 if lines.h.shape[0] == 1 else i * n + j + k]
        marked = form_block(lines, i, j, width, step, sums, mark)
        for k in range(width):
            left[j + k] = <real> (sums[k] * inverse if inverse != 0.0 else sums[k] / (2.0 * step[k]))
        if sided:
            for k in range(width):
                right[j + k] = left[j + k]
        if marked:
            for k in range(width):
                if mark[k]:
                    measure_entry(lines, i, j + k, step[k], left + j + k, right + j + k if sided else left + j + k,
                                  sided, redone)
    return 0


# Rows `start` to `stop` of left and right, of the units from `first` on. Shapes: left, right (rows, n).
cdef int walk(Lines lines, Py_ssize_t first, real[:, ::1] left, real[:, ::1] right, bint sided, Py_ssize_t start,
              Py_ssize_t stop, Py_ssize_t* redone) except -1 nogil:
    cdef Py_ssize_t row
    cdef real* beside
    cdef double[HELD] room
    cdef const double* x = NULL
    cdef bint is_plain = lines.h.shape[0] == 1 and lines.n_samples == 1 and lines.n_out == 0
    if is_plain and start < stop:
        x = held(&lines.x[0, 0], lines.n, <const double*> &left[0, 0], False, room)
    for row in range(start, stop):
        beside = &right[row, 0] if sided else NULL
        if not is_plain:
            walk_row(lines, first + row, &left[row, 0], beside, redone)
        elif not walk_plain_row(lines, first + row, x, &left[row, 0]):
            walk_row(lines, first + row, &left[row, 0], beside, redone)
        elif sided:
            right[row, :] = left[row, :]
    return 0


# Shapes: left, right (rows, n).
cdef Py_ssize_t measure(Lines lines, Py_ssize_t first, real[:, ::1] left, real[:, ::1] right, bint sided) except -1:
    cdef Py_ssize_t start, stop, redone = 0, rows = left.shape[0], n = lines.n
    cdef Py_ssize_t together = 1 + SPAN // (1 + lines.n_samples * (n + 8) * (1 + lines.n_out))
    if (first < 0 or first + rows > lines.m or left.shape[1] != n or right.shape[0] != rows
            or right.shape[1] != n):
        raise ValueError("the arrays do not fit each other")
    if n == 0:
        return 0
    for start in range(0, rows, together):
        stop = min(rows, start + together)
        with nogil:
            walk(lines, first, left, right, sided, start, stop, &redone)
        PyErr_CheckSignals()
    return redone


# left, right (rows, n), written; all else as Lines has it
def unit_differences(z, origin, c, q, tau, logp, p, w, wmax, x, reach, h, rectified, Py_ssize_t first, left, right):
    """Write the differences of rows from `first` on into left and right, one array or two; return how many were redone."""
    cdef Lines lines = Lines(z, origin, c, q, tau, logp, p, w, wmax, x, reach, h, rectified)
    cdef bint sided = right is not left
    if left.dtype.char == "d":
        return measure[double](lines, first, left, right, sided)
    return measure[float](lines, first, left, right, sided)
