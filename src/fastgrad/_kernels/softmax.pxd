# How the logarithm of a softmax's sum moves along one direction of its scores: log Σ_k p_k exp(w_k·move), Σ_k p_k = 1.
# By eight moments of w where every |w_k·move| is small, exact to rounding; by the definition, which is O(n_out), elsewhere.
from libc.math cimport INFINITY, exp, fabs, log

from fastgrad._kernels.wide cimport wide_int

cdef enum:
    LANES = 8               # of the sums over outputs, fixed so that the bits do not depend on the registers
    ORDERS = 8              # of the moments of w; with RADIUS, the first one left out is below rounding

cdef extern from *:
    """
    #define FASTGRAD_RADIUS 0.03125
    #define FASTGRAD_SHORT_RADIUS 0.001953125
    """
    const double RADIUS "FASTGRAD_RADIUS"    # largest |w·move| that the moments serve: (1/32)^8 / 9! = 2.5e-18
    const double SHORT_RADIUS "FASTGRAD_SHORT_RADIUS"    # as far as five of them serve: 2^-45 / 6! = 4e-17


# Moments Σ_k p_k w_k^q / q!, q = 1 … ORDERS, of one direction. Shapes: p (n_out,), w (n_out,), moments (ORDERS,).
cdef inline wide_int form_moments(const double* p, const double* w, Py_ssize_t n_out, double* moments) noexcept nogil:
    cdef double[ORDERS][LANES] sums
    cdef double term, factorial = 1.0
    cdef Py_ssize_t k, lane, order, whole = n_out - n_out % LANES
    for order in range(ORDERS):
        for lane in range(LANES):
            sums[order][lane] = 0.0
    for k in range(whole // LANES):
        for lane in range(LANES):
            term = p[k * LANES + lane]
            for order in range(ORDERS):
                term = term * w[k * LANES + lane]
                sums[order][lane] += term
    for k in range(whole, n_out):
        term = p[k]
        for order in range(ORDERS):
            term = term * w[k]
            sums[order][k - whole] += term
    for order in range(ORDERS):
        factorial *= order + 1
        term = 0.0
        for lane in range(LANES):
            term += sums[order][lane]
        moments[order] = term / factorial
    return 0


# Σ_k p_k (exp(w_k·move) - 1) from the moments, in halves of halves: what waits for one goes on with another.
cdef inline double grown(const double* m, double move) noexcept nogil:
    cdef double square = move * move
    cdef double low = (m[0] + move * m[1]) + square * (m[2] + move * m[3])
    cdef double high = (m[4] + move * m[5]) + square * (m[6] + move * m[7])
    return move * (low + square * square * high)


# log((1 + e⁺)/(1 + e⁻)) = 2 artanh s, whose series ends below rounding for moves within RADIUS.
cdef inline double series(const double* moments, double plus, double minus) noexcept nogil:
    cdef double up = grown(moments, plus), down = grown(moments, minus)
    cdef double s = (up - down) / (2.0 + up + down)
    cdef double t = s * s
    return 2.0 * s * ((1.0 + t * (1.0 / 3)) + t * t * ((1.0 / 5 + t * (1.0 / 7)) + t * t * (1.0 / 9 + t * (1.0 / 11))))


# The same as `series` for moves by as much to both sides and within SHORT_RADIUS: e⁺ and e⁻ share their odd and their even
# part t, and 1/(1 + t) = 1 - t + t² to rounding: dividing would take as long as all else.
cdef inline double short_series(const double* m, double plus, double minus) noexcept nogil:
    cdef double move = 0.5 * (plus - minus), square = move * move
    cdef double t = square * (m[1] + square * m[3])
    cdef double s = 2.0 * move * (m[0] + square * (m[2] + square * m[4])) * (1.0 - t * (1.0 - t))
    return s * (1.0 + s * s * (1.0 / 12 + s * s * (1.0 / 80)))


# log Σ_k exp(logp_k + w_k·move), which is 0 at move = 0. Shapes: logp (n_out,), w (n_out,).
cdef inline double log_sum(const double* logp, const double* w, Py_ssize_t n_out, double move) noexcept nogil:
    cdef double top = -INFINITY, total = 0.0, t
    cdef Py_ssize_t k
    if move == 0.0:
        return 0.0
    for k in range(n_out):
        t = logp[k] + w[k] * move
        if not t <= top:
            top = t
    for k in range(n_out):
        total += exp(logp[k] + w[k] * move - top)
    return top + log(total)


# What the logarithm gains between two moves: by moments where both are small, else by its definition.
cdef inline double log_change(const double* moments, const double* logp, const double* w, Py_ssize_t n_out, double wmax,
                              double plus, double minus) noexcept nogil:
    if fabs(plus) * wmax <= RADIUS and fabs(minus) * wmax <= RADIUS:
        return series(moments, plus, minus)
    return log_sum(logp, w, n_out, plus) - log_sum(logp, w, n_out, minus)
