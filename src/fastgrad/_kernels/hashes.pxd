# Random entries that are never stored: entry i of the direction with a key is a hash of both, and so entry 0 of the
# direction with the key i strides on. The hash is the finaliser of MurmurHash3 (Appleby, 2011), on 32 bits so that every
# register width computes it.
from libc.stdint cimport uint32_t


cdef inline uint32_t hash_of(uint32_t key, uint32_t i) noexcept nogil:
    cdef uint32_t u = i * 0x9E3779B1u + key
    u ^= u >> 16
    u *= 0x85EBCA6Bu
    u ^= u >> 13
    u *= 0xC2B2AE35u
    return u ^ (u >> 16)


# ±(½ + k/512), k in 0 … 255: signs keep equal errors from adding up to nothing, unequal magnitudes keep them from
# cancelling exactly.
cdef inline double entry(uint32_t key, uint32_t i) noexcept nogil:
    cdef uint32_t u = hash_of(key, i)
    cdef int size = <int> (u & 0xFFu) + 256, sign = -<int> (u >> 31)
    return ((size ^ sign) - sign) * (1.0 / 512.0)
