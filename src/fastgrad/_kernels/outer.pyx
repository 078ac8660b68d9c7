"""Weight gradients of one sample: the outer product, written or added in one pass over the result.

A result much larger than the last level of cache is written around it, by streaming stores where the processor has
them, for its lines need not be read before they are overwritten. The bits are the same either way.
"""
from libc.stdint cimport uintptr_t

from fastgrad._kernels.rows cimport LINE, up_to_line
from fastgrad._kernels.streams cimport HAS_STREAMS, settle
from fastgrad._kernels.wide cimport real, wide_int

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define fastgrad_soon_written(a) __builtin_prefetch(a, 1)
    #else
    #define fastgrad_soon_written(a) ((void)(a))
    #endif
    /* Line by line a compiler does not ask whether x and out overlap, and would take one entry at a time. */
    static inline void fastgrad_plain_f64(double factor, const double *restrict x, double *restrict out) {
        for (int k = 0; k < 8; k++) out[k] = factor * x[k];
    }
    static inline void fastgrad_plain_f32(float factor, const float *restrict x, float *restrict out) {
        for (int k = 0; k < 16; k++) out[k] = factor * x[k];
    }
    #if defined(__x86_64__) && defined(__SSE2__)
    #include <emmintrin.h>
    static inline void fastgrad_line_f64(double factor, const double *x, double *out) {
        const __m128d f = _mm_set1_pd(factor);
        for (int k = 0; k < 8; k += 2) _mm_stream_pd(out + k, _mm_mul_pd(f, _mm_loadu_pd(x + k)));
    }
    static inline void fastgrad_line_f32(float factor, const float *x, float *out) {
        const __m128 f = _mm_set1_ps(factor);
        for (int k = 0; k < 16; k += 4) _mm_stream_ps(out + k, _mm_mul_ps(f, _mm_loadu_ps(x + k)));
    }
    #else
    #define fastgrad_line_f64 fastgrad_plain_f64
    #define fastgrad_line_f32 fastgrad_plain_f32
    #endif
    """
    void fastgrad_soon_written(const void *a) noexcept nogil
    # out = factor * x over one line of cache
    void fastgrad_plain_f64(double factor, const double *x, double *out) noexcept nogil
    void fastgrad_plain_f32(float factor, const float *x, float *out) noexcept nogil
    # the same around the caches; `out` must be the start of the line
    void fastgrad_line_f64(double factor, const double *x, double *out) noexcept nogil
    void fastgrad_line_f32(float factor, const float *x, float *out) noexcept nogil

cdef enum:
    AHEAD = 2048                      # bytes between what is written and what the cache is asked to make ready
    SHORTEST_ROW = 1024               # bytes; the ends of shorter rows weigh more than streaming gains
    STREAM_FROM = 24 * 1024 * 1024    # bytes of the result; from there streaming gained, with 32 MiB of last-level cache


# Shapes: g (m,), z (m,), x (n,), out (m, n), none of them empty. Row i of out is made from x and one factor: g_i, or
# (z_i > 0) g_i, where the mask is one or zero, so that an infinite or undefined g_i shows, as it does in g * (z > 0).
# Processors foresee what will be read, but not what will be written: lines further on are asked for.
cdef wide_int write(const real[::1] g, const real[::1] z, const real[::1] x, real[:, ::1] out,
                    bint masked) except -1 nogil:
    cdef Py_ssize_t i, j, line, first, end, n = x.shape[0], width = LINE // sizeof(real)
    cdef real factor
    for i in range(g.shape[0]):
        factor = g[i] * <real> (z[i] > 0) if masked else g[i]
        first = up_to_line(&out[i, 0], n)
        end = n - (n - first) % width
        for j in range(first):
            out[i, j] = factor * x[j]
        for line in range((end - first) // width):
            j = first + line * width
            fastgrad_soon_written(<const char *> &out[i, j] + AHEAD)
            if real is double:
                fastgrad_plain_f64(factor, &x[j], &out[i, j])
            else:
                fastgrad_plain_f32(factor, &x[j], &out[i, j])
        for j in range(end, n):
            out[i, j] = factor * x[j]
    return 0


cdef wide_int stream(const real[::1] g, const real[::1] z, const real[::1] x, real[:, ::1] out,
                     bint masked) except -1 nogil:
    cdef Py_ssize_t i, j, line, first, end, n = x.shape[0], width = LINE // sizeof(real)
    cdef real factor
    for i in range(g.shape[0]):
        factor = g[i] * <real> (z[i] > 0) if masked else g[i]
        first = up_to_line(&out[i, 0], n)
        end = n - (n - first) % width
        for j in range(first):
            out[i, j] = factor * x[j]
        for line in range((end - first) // width):
            j = first + line * width
            if real is double:
                fastgrad_line_f64(factor, &x[j], &out[i, j])
            else:
                fastgrad_line_f32(factor, &x[j], &out[i, j])
        for j in range(end, n):
            out[i, j] = factor * x[j]
    settle()
    return 0


cdef wide_int add(const real[::1] g, const real[::1] x, real[:, ::1] out) except -1 nogil:
    cdef Py_ssize_t i, j, first, n = x.shape[0]
    cdef real factor
    for i in range(g.shape[0]):
        factor = g[i]
        first = up_to_line(&out[i, 0], n)
        for j in range(first):
            out[i, j] += factor * x[j]
        for j in range(first, n):
            out[i, j] += factor * x[j]
    return 0


cdef int fill(const real[::1] g, const real[::1] z, const real[::1] x, real[:, ::1] out,
              bint masked, bint accumulate) except -1 nogil:
    cdef Py_ssize_t row = out.shape[1] * sizeof(real)
    if accumulate:
        add[real](g, x, out)
    elif HAS_STREAMS and row >= SHORTEST_ROW and out.shape[0] * row >= STREAM_FROM:
        stream[real](g, z, x, out, masked)
    else:
        write[real](g, z, x, out, masked)
    return 0


cdef int refuse_overlap(const real[::1] v, real[:, ::1] out) except -1:
    cdef uintptr_t start = <uintptr_t> &v[0], end = start + v.shape[0] * sizeof(real)
    cdef uintptr_t out_start = <uintptr_t> &out[0, 0]
    cdef uintptr_t out_end = out_start + out.shape[0] * out.shape[1] * sizeof(real)
    if (start | out_start) % sizeof(real):
        raise ValueError("the arrays must be aligned")
    if start < out_end and out_start < end:
        raise ValueError("out overlaps an input")
    return 0


cdef int run(const real[::1] g, const real[::1] z, const real[::1] x, real[:, ::1] out,
             bint masked, bint accumulate) except -1:
    if g.shape[0] != out.shape[0] or z.shape[0] != out.shape[0] or x.shape[0] != out.shape[1]:
        raise ValueError("the shapes do not fit")
    if out.shape[0] == 0 or out.shape[1] == 0:
        return 0
    refuse_overlap[real](g, out)
    refuse_overlap[real](z, out)
    refuse_overlap[real](x, out)
    with nogil:
        fill[real](g, z, x, out, masked, accumulate)
    return 0


# One view of g serves as z as well, which `outer` does not read.
cdef int outer_of(const real[::1] g, const real[::1] x, real[:, ::1] out, bint accumulate) except -1:
    return run[real](g, g, x, out, False, accumulate)


def outer(grad_output, x, out, accumulate):
    """Write, or add, the outer product: out[i, j] = or += grad_output[i] * x[j]."""
    if out.dtype.char == "d":
        outer_of[double](grad_output, x, out, accumulate)
    else:
        outer_of[float](grad_output, x, out, accumulate)


def masked_outer(grad_output, z, x, out):
    """Write the outer product behind a ReLU: out[i, j] = (z[i] > 0) * grad_output[i] * x[j]."""
    if out.dtype.char == "d":
        run[double](grad_output, z, x, out, True, False)
    else:
        run[float](grad_output, z, x, out, True, False)
