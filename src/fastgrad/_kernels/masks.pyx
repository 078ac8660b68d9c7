"""Blocks of entries moved together, each by its own step along a random direction, and what that does to a claim.

Entry i of the block [lo, hi) moves by step·a_i·(origin + slope·(i - lo))·max(h_i, least·|x_i|), a the direction with the
key, as hashes.pxd tells: origin 1 and slope 0 move it plainly, another slope writes the position into the size of the
step. `least` keeps a step from being lost beside its entry.
"""
from libc.math cimport fabs
from libc.stdint cimport uint32_t

from fastgrad._kernels.hashes cimport entry
from fastgrad._kernels.wide cimport real, wide_double, wide_int

cdef enum:
    LANES = 32


# x (n,)  h (1,) or (n,)  out (n,), written
def move(x, const double[::1] h, double least, unsigned int key, Py_ssize_t lo, Py_ssize_t hi, double origin,
         double slope, double step, out):
    """Write x into out, moved within the block [lo, hi)."""
    if out.dtype.char == "d":
        move_core[double](x, h, least, key, lo, hi, origin, slope, step, out)
    else:
        move_core[float](x, h, least, key, lo, hi, origin, slope, step, out)


# v (n,)  x (n,)  h (1,) or (n,)
def project(v, x, const double[::1] h, double least, unsigned int key, Py_ssize_t lo, Py_ssize_t hi, double origin,
            double slope, double step):
    """Return the inner product of v with the difference of x moved by step and by -step: the moves as rounded."""
    if x.dtype.char == "d":
        return project_core[double, double](v, x, h, least, key, lo, hi, origin, slope, step)
    if v.dtype.char == "d":
        return project_core[double, float](v, x, h, least, key, lo, hi, origin, slope, step)
    return project_core[float, float](v, x, h, least, key, lo, hi, origin, slope, step)


# v (n,)
def sizes(v):
    """Return the largest magnitude in v and the sum of the squares; the sum is not finite where an entry is not."""
    cdef double found[2]
    if v.dtype.char == "d":
        sizes_core[double](v, found)
    else:
        sizes_core[float](v, found)
    return found[0], found[1]


ctypedef fused claimed:
    float
    double


cdef inline double moved(
        double x, double h, double least, uint32_t key, Py_ssize_t i, double weight) noexcept nogil:
    cdef double floor = least * fabs(x)
    return entry(key, <uint32_t>i) * weight * (h if h > floor else floor)


cdef wide_int move_core(
        const real[::1] x, const double[::1] h, double least, uint32_t key, Py_ssize_t lo, Py_ssize_t hi, double origin,
        double slope, double step, real[::1] out) except -1 nogil:
    cdef Py_ssize_t i
    cdef double unit
    for i in range(lo):
        out[i] = x[i]
    if h.shape[0] == 1:
        unit = h[0]
        for i in range(lo, hi):
            out[i] = <real>(x[i] + moved(x[i], unit, least, key, i, step * (origin + slope * (i - lo))))
    else:
        for i in range(lo, hi):
            out[i] = <real>(x[i] + moved(x[i], h[i], least, key, i, step * (origin + slope * (i - lo))))
    for i in range(hi, x.shape[0]):
        out[i] = x[i]
    return 0


cdef inline double term(claimed v, real x, double move) noexcept nogil:
    return v * (<double>(<real>(x + move)) - <double>(<real>(x - move)))


cdef wide_double project_core(
        const claimed[::1] v, const real[::1] x, const double[::1] h, double least, uint32_t key, Py_ssize_t lo,
        Py_ssize_t hi, double origin, double slope, double step) except? -1.0 nogil:
    cdef double total = 0.0
    cdef double sums[LANES]
    cdef Py_ssize_t i, j, k, n = hi - lo, each = 0 if h.shape[0] == 1 else 1
    for k in range(LANES):
        sums[k] = 0.0
    for j in range(n // LANES):
        for k in range(LANES):
            i = lo + j * LANES + k
            sums[k] = sums[k] + term(v[i], x[i], moved(
                x[i], h[i * each], least, key, i, step * (origin + slope * (j * LANES + k))))
    for j in range(n - n % LANES, n):
        i = lo + j
        sums[j % LANES] = sums[j % LANES] + term(v[i], x[i], moved(
            x[i], h[i * each], least, key, i, step * (origin + slope * j)))
    for k in range(LANES):
        total += sums[k]
    return total


cdef wide_int sizes_core(const real[::1] v, double *found) except -1 nogil:
    cdef double sums[LANES]
    cdef double tops[LANES]
    cdef double a
    cdef Py_ssize_t j, k, n = v.shape[0]
    for k in range(LANES):
        sums[k] = tops[k] = 0.0
    for j in range(n // LANES):
        for k in range(LANES):
            a = fabs(v[j * LANES + k])
            sums[k] = sums[k] + a * a
            tops[k] = a if a > tops[k] else tops[k]
    for j in range(n - n % LANES, n):
        a = fabs(v[j])
        sums[j % LANES] = sums[j % LANES] + a * a
        tops[j % LANES] = a if a > tops[j % LANES] else tops[j % LANES]
    found[0] = found[1] = 0.0
    for k in range(LANES):
        found[0] = tops[k] if tops[k] > found[0] else found[0]
        found[1] += sums[k]
    return 0
