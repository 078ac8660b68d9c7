"""The difference loop of a polynomial of a linear layer's outputs, which forms the outputs as it goes."""
from cpython.exc cimport PyErr_CheckSignals

from fastgrad._kernels.lanes cimport add, add_product, fill, lanes, load, load_doubles, prefetch, total
from fastgrad._kernels.rows cimport SPAN, exact_inverse, write_row
from fastgrad._kernels.streams cimport HAS_STREAMS, settle, stream
from fastgrad._kernels.wide cimport real, wide_double, wide_int

cdef enum:
    ACROSS = 32             # partial sums of a product
    BLOCK = 1024            # entries formed in the first cache before they are streamed
    AHEAD = 1024            # entries of W between those in use and those asked for in advance


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


# A row of the result, block by block. Shapes: x, out (n,).
cdef inline void stream_row(real* out, const double* x, Py_ssize_t n, double h, double inverse, double z, double c,
                            double q) noexcept nogil:
    cdef real[BLOCK] formed
    cdef Py_ssize_t block, start, width
    for block in range((n + BLOCK - 1) // BLOCK):
        start = block * BLOCK
        width = min(<Py_ssize_t> BLOCK, n - start)
        write_row(&formed[0], x + start, width, h, inverse, z, 0.0, c, q)
        stream(out + start, &formed[0], width)


# Row after row, so that reading W and writing out overlap. Shapes: W, out (m, n), x (n,), shift, c, q (m,).
cdef wide_int write_rows(
        const real[:, ::1] W, const double[::1] x, const double[::1] shift, const double[::1] c, const double[::1] q,
        double h, double inverse, Py_ssize_t first, Py_ssize_t last, bint streams, real[:, ::1] out) except -1 nogil:
    cdef Py_ssize_t i, n = W.shape[1]
    cdef double z
    for i in range(first, last):
        z = row_product(&W[i, 0], &x[0], n) + shift[i]
        if streams:
            stream_row(&out[i, 0], &x[0], n, h, inverse, z, c[i], q[i])
        else:
            write_row(&out[i, 0], &x[0], n, h, inverse, z, 0.0, c[i], q[i])
    if streams:
        settle()
    return 0


# Shapes: as write_rows, and h (1,).
cdef Py_ssize_t measure_layer(const real[:, ::1] W, const double[::1] x, const double[::1] shift, const double[::1] c,
                              const double[::1] q, const double[::1] h, bint around, real[:, ::1] out) except -1:
    cdef Py_ssize_t first, last, m = W.shape[0], n = W.shape[1]
    cdef Py_ssize_t rows = 1 + SPAN // (n + 1)
    cdef double inverse = exact_inverse(h)
    cdef bint streams = HAS_STREAMS and around
    if (x.shape[0] != n or shift.shape[0] != m or c.shape[0] != m or q.shape[0] != m or h.shape[0] != 1
            or out.shape[0] != m or out.shape[1] != n):
        raise ValueError("the shapes of the layer do not fit")
    if n == 0:
        return 0
    for first in range(0, m, rows):
        last = min(m, first + rows)
        with nogil:
            write_rows(W, x, shift, c, q, h[0], inverse, first, last, streams, out)
        PyErr_CheckSignals()
    return 0


# W, out (m, n)  x (n,)  shift, c, q (m,)  h (1,)
def layer_differences(W, x, shift, c, q, h, bint around, out):
    """Form Wx and write the differences of every entry of W into out, row by row, for one sample and one step."""
    if out.dtype.char == 'd':
        measure_layer[double](W, x, shift, c, q, h, around, out)
    else:
        measure_layer[float](W, x, shift, c, q, h, around, out)
