"""Weight gradients of one sample: the outer product, written or added in one pass over the result.

A result much larger than the last level of cache is written around it, by streaming stores where the processor has
them, for its lines need not be read before they are overwritten. The bits are the same either way.
"""
from libc.stdint cimport uintptr_t

from fastgrad._kernels.ahead cimport soon_written    # in C alone
from fastgrad._kernels.cache cimport LINE
from fastgrad._kernels.lanes cimport add, fill as fill_lanes, lanes, load, multiply, save
from fastgrad._kernels.rows cimport HELD, held, up_to_line
from fastgrad._kernels.streams cimport AROUND_FROM, HAS_STREAMS, settle
from fastgrad._kernels.wide cimport real, wide_int

cdef extern from *:
    """
    #include <stddef.h>
    /* Line by line: the compiler need not ask whether x and out overlap, and what is written is asked for in advance. */
    static inline void fastgrad_plain_f64(double factor, const double *restrict x, double *restrict out, ptrdiff_t n) {
        for (ptrdiff_t j = 0; j < n; j += 8) {
            fastgrad_soon_written(out + j);
            for (int k = 0; k < 8; k++) out[j + k] = factor * x[j + k];
        }
    }
    static inline void fastgrad_plain_f32(float factor, const float *restrict x, float *restrict out, ptrdiff_t n) {
        for (ptrdiff_t j = 0; j < n; j += 16) {
            fastgrad_soon_written(out + j);
            for (int k = 0; k < 16; k++) out[j + k] = factor * x[j + k];
        }
    }
    #if defined(__x86_64__) && defined(__SSE2__)
    #include <emmintrin.h>
    static inline void fastgrad_around_f64(double factor, const double *x, double *out, ptrdiff_t n) {
        const __m128d f = _mm_set1_pd(factor);
        for (ptrdiff_t j = 0; j < n; j += 2) _mm_stream_pd(out + j, _mm_mul_pd(f, _mm_loadu_pd(x + j)));
    }
    static inline void fastgrad_around_f32(float factor, const float *x, float *out, ptrdiff_t n) {
        const __m128 f = _mm_set1_ps(factor);
        for (ptrdiff_t j = 0; j < n; j += 4) _mm_stream_ps(out + j, _mm_mul_ps(f, _mm_loadu_ps(x + j)));
    }
    #else
    #define fastgrad_around_f64 fastgrad_plain_f64
    #define fastgrad_around_f32 fastgrad_plain_f32
    #endif
    """
    # out = factor * x over whole lines of cache
    void fastgrad_plain_f64(double factor, const double *x, double *out, Py_ssize_t n) noexcept nogil
    void fastgrad_plain_f32(float factor, const float *x, float *out, Py_ssize_t n) noexcept nogil
    # the same around the caches; `out` must be the start of a line
    void fastgrad_around_f64(double factor, const double *x, double *out, Py_ssize_t n) noexcept nogil
    void fastgrad_around_f32(float factor, const float *x, float *out, Py_ssize_t n) noexcept nogil

cdef enum:
    SHORTEST_ROW = 1024    # bytes; the ends of shorter rows weigh more than streaming gains


# Shapes: g (m,), z (m,), x (n,), out (m, n), none of them empty. Row i of out is made from x and one factor: g_i, or
# (z_i > 0) g_i, where the mask is one or zero, so that an infinite or undefined g_i shows, as it does in g * (z > 0).
cdef wide_int write_rows(const real[::1] g, const real[::1] z, const real* x, real[:, ::1] out, bint masked,
                         bint around) except -1 nogil:
    cdef Py_ssize_t i, j, first, end, n = out.shape[1], width = LINE // sizeof(real)
    cdef real factor
    cdef real* row
    for i in range(g.shape[0]):
        factor = g[i] * <real> (z[i] > 0) if masked else g[i]
        row = &out[i, 0]
        first = up_to_line(row, n)
        end = n - (n - first) % width
        for j in range(first):
            row[j] = factor * x[j]
        if real is double:
            if around:
                fastgrad_around_f64(factor, x + first, row + first, end - first)
            else:
                fastgrad_plain_f64(factor, x + first, row + first, end - first)
        elif around:
            fastgrad_around_f32(factor, x + first, row + first, end - first)
        else:
            fastgrad_plain_f32(factor, x + first, row + first, end - first)
        for j in range(end, n):
            row[j] = factor * x[j]
    if around:
        settle()
    return 0


# Shapes: g (m,), x (n,), out (m, n), none of them empty. Up to the first line of cache apart, as what is written is. Left
# to the compiler, doubles are taken four at a time, and each time it looks where the row ends: an eighth longer.
cdef wide_int add_rows(const real[::1] g, const real* x, real[:, ::1] out) except -1 nogil:
    cdef Py_ssize_t i, j, k, first, end, n = out.shape[1]
    cdef lanes factor, product, sums
    cdef real* row
    for i in range(g.shape[0]):
        row = &out[i, 0]
        first = up_to_line(row, n)
        end = first
        for j in range(first):
            row[j] += g[i] * x[j]
        if real is double:
            end += (n - first) // 8 * 8
            fill_lanes(&factor, g[i])
            for k in range((end - first) // 8):
                j = first + k * 8
                load(&product, x + j)
                multiply(&product, &factor)
                load(&sums, row + j)
                add(&sums, &product)
                save(row + j, &sums)
        for j in range(end, n):
            row[j] += g[i] * x[j]
    return 0


# Shapes: as outer.pxd has them.
cdef int fill(const real[::1] g, const real[::1] z, const real[::1] x, real[:, ::1] out,
              bint masked, bint accumulate) except -1 nogil:
    cdef Py_ssize_t row = out.shape[1] * sizeof(real)
    cdef bint around = HAS_STREAMS and row >= SHORTEST_ROW and out.shape[0] * row >= AROUND_FROM
    cdef real[HELD] room
    cdef const real* inputs = held(&x[0], x.shape[0], &out[0, 0], True, room)
    if accumulate:
        add_rows[real](g, inputs, out)
    else:
        write_rows[real](g, z, inputs, out, masked, around)
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
        raise ValueError("the arrays do not fit each other")
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
