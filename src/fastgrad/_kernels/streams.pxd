# Writing around the caches, for results much larger than the last of them: their lines need not be read before they are
# overwritten. Where the processor has no such stores, plain copies.
from fastgrad._kernels.wide cimport real

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #if defined(__x86_64__) && defined(__SSE2__)
    #include <emmintrin.h>
    #define FASTGRAD_HAS_STREAMS 1
    static inline void fastgrad_stream(char *to, const char *from, size_t bytes) {
        size_t head = (64 - (uintptr_t)to % 64) % 64;
        if (head > bytes) head = bytes;
        memcpy(to, from, head);
        for (to += head, from += head, bytes -= head; bytes >= 64; to += 64, from += 64, bytes -= 64)
            for (int k = 0; k < 64; k += 16)
                _mm_stream_si128((__m128i *)(to + k), _mm_loadu_si128((const __m128i *)(from + k)));
        memcpy(to, from, bytes);
    }
    static inline void fastgrad_settle(void) { _mm_sfence(); }
    #else
    #define FASTGRAD_HAS_STREAMS 0
    static inline void fastgrad_stream(char *to, const char *from, size_t bytes) { memcpy(to, from, bytes); }
    static inline void fastgrad_settle(void) {}
    #endif
    """
    const bint HAS_STREAMS "FASTGRAD_HAS_STREAMS"
    void stream_bytes "fastgrad_stream"(char* to, const char* source, size_t bytes) noexcept nogil
    # what was streamed is seen by all from here on
    void settle "fastgrad_settle"() noexcept nogil


cdef enum:
    AROUND_FROM = 24 << 20    # bytes of a result; from there it gained, where the last of the caches holds 32 MiB


cdef inline void stream(real* to, const real* source, Py_ssize_t n) noexcept nogil:
    stream_bytes(<char*> to, <const char*> source, n * sizeof(real))
