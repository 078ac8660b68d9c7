"""Random directions that are never stored: entry i of the direction with a given key is a hash of (key, i).

Each entry is ±(½ + k/512), k in 0 … 255: signs keep equal errors from adding up to nothing, unequal magnitudes keep
them from cancelling exactly. The hash is the finaliser of MurmurHash3 (Appleby, 2011), on 32 bits so that every register
width computes it; its bits are put where a double has its sign and the head of its mantissa. An even key and the odd one
after it take different bits of the same hash.
"""
from libc.stdint cimport uint32_t, uint64_t

from fastgrad._kernels.wide cimport real, wide_double, wide_int

cdef extern from *:
    """
    #include <string.h>
    static inline double fastgrad_double(uint64_t bits) { double a; memcpy(&a, &bits, sizeof a); return a; }
    """
    double as_double "fastgrad_double"(uint64_t bits) noexcept nogil

cdef enum:
    LANES = 32


# x (n,)  out (n,), written
def move(x, unsigned int key, double h, out):
    """Write x + h·a into out, a the direction with this key."""
    if out.dtype.char == "d":
        move_core[double](x, key, h, out)
    else:
        move_core[float](x, key, h, out)


# v (n,)  x (n,)
def project(v, x, unsigned int key, double h):
    """Return the inner product of v with ((x + h·a) - (x - h·a))/2h, a the direction with this key: steps as rounded."""
    if v.dtype.char == "d":
        return project_core[double](v, x, key, h)
    return project_core[float](v, x, key, h)


# v (n,)
def inner(v, unsigned int key):
    """Return the inner products of v with the directions with this even key and the odd one after it, in one pass."""
    cdef double found[2]
    if v.dtype.char == "d":
        inner_core[double](v, key, found)
    else:
        inner_core[float](v, key, found)
    return found[0], found[1]


cdef inline uint32_t hash_of(uint32_t key, uint32_t i) noexcept nogil:
    cdef uint32_t u = i * 0x9E3779B1u + (key >> 1)
    u ^= u >> 16
    u *= 0x85EBCA6Bu
    u ^= u >> 13
    u *= 0xC2B2AE35u
    return u ^ (u >> 16)


cdef inline double from_hash(uint32_t u, uint32_t is_odd) noexcept nogil:
    cdef uint64_t head = ((u << 8 * is_odd) & 0x800FF000u) | 0x3FE00000u
    return as_double(head << 32)


cdef inline double entry(uint32_t key, uint32_t i) noexcept nogil:
    return from_hash(hash_of(key, i), key & 1)


cdef wide_int move_core(const real[::1] x, uint32_t key, double h, real[::1] out) except -1 nogil:
    cdef Py_ssize_t i
    for i in range(x.shape[0]):
        out[i] = <real>(x[i] + h * entry(key, <uint32_t>i))
    return 0


cdef inline double term(real v, real x, double move) noexcept nogil:
    return v * (<double>(<real>(x + move)) - <double>(<real>(x - move)))


cdef wide_double project_core(const real[::1] v, const real[::1] x, uint32_t key, double h) except? -1.0 nogil:
    cdef double total = 0.0
    cdef double sums[LANES]
    cdef Py_ssize_t i, k, n = v.shape[0]
    for k in range(LANES):
        sums[k] = 0.0
    for i in range(n // LANES):
        for k in range(LANES):
            sums[k] = sums[k] + term(
                v[i * LANES + k], x[i * LANES + k], h * entry(key, <uint32_t>(i * LANES + k)))
    for i in range(n - n % LANES, n):
        sums[i % LANES] = sums[i % LANES] + term(v[i], x[i], h * entry(key, <uint32_t>i))
    for k in range(LANES):
        total += sums[k]
    return total / (2.0 * h)


cdef wide_int inner_core(const real[::1] v, uint32_t key, double *found) except -1 nogil:
    cdef double sums[LANES]
    cdef double others[LANES]
    cdef uint32_t u
    cdef Py_ssize_t i, k, n = v.shape[0]
    for k in range(LANES):
        sums[k] = others[k] = 0.0
    for i in range(n // LANES):
        for k in range(LANES):
            u = hash_of(key, <uint32_t>(i * LANES + k))
            sums[k] = sums[k] + v[i * LANES + k] * from_hash(u, 0)
            others[k] = others[k] + v[i * LANES + k] * from_hash(u, 1)
    for i in range(n - n % LANES, n):
        sums[i % LANES] = sums[i % LANES] + v[i] * entry(key, <uint32_t>i)
        others[i % LANES] = others[i % LANES] + v[i] * entry(key + 1, <uint32_t>i)
    found[0] = found[1] = 0.0
    for k in range(LANES):
        found[0] += sums[k]
        found[1] += others[k]
    return 0
